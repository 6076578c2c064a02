"""The migration of decision 0015 on the real engine: what an earlier release left, and what may stay of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sinks.access import Access
from sinks.schema import migrate
from sinks.tables import METINGEN, RECEIPTS, SCORES, TRAJECTEN
from sinks.writer import Writer
from tests.conftest import RunningGateway
from tests.sinks.database import ask, fresh, quiet
from tests.sinks.rows import receipt, traject

pytestmark = pytest.mark.clickhouse
PSEUDONYM = "p1.jeugd.0.0123456789012345678901"
BEFORE = 4  # migrations of the release before


@pytest.fixture
def access(gateway: RunningGateway) -> Iterator[Access]:
    """A database as the release before left it."""
    with fresh(gateway, BEFORE) as found:
        yield found


def fill(access: Access) -> None:
    """Two rows of one client, the second replaced by a newer version; and a receipt in two versions."""
    for table, number in ((TRAJECTEN, "traject"), (METINGEN, "meting"), (SCORES, "score")):
        for version in (1, 2):
            columns = f"aanbieder, gemeente, jaar, {number}, version, client"
            values = f"('90000001', '0363', 2026, 'a', {version}, '{PSEUDONYM}')"
            ask(access, f"INSERT INTO {table.name} ({columns}) VALUES {values}")
    for version, seen in ((1, 1), (2, 3)):
        columns = "delivery, sender, lines, gezien, fouten, codes, wacht, version, ingevoegd_op"
        values = (
            f"('d', '90000001', 3, {seen}, [(2, 3, 1, 'R04', 'type')], {{'R04': 1}}, {{'traject': 1}}, {version}, 5)"
        )
        ask(access, f"INSERT INTO receipts ({columns}) VALUES {values}")


def test_no_row_with_a_pseudonym_stays(access: Access) -> None:
    fill(access)
    for table in (TRAJECTEN, METINGEN, SCORES):
        assert ask(access, f"SELECT count() > 0 FROM {table.name} WHERE client = '{PSEUDONYM}'") == [(1,)]
    migrate.apply(access, quiet)
    for table in (TRAJECTEN, METINGEN, SCORES):
        assert ask(access, f"SELECT count() FROM {table.name}") == [(0,)]
    writer = Writer(access)
    writer.insert(TRAJECTEN, [traject(7, 1)])
    writer.close()
    assert ask(access, "SELECT client, emmer FROM trajecten") == [(f"{7:022x}", 7)]


def test_receipts_stay_and_are_known_by_their_number_of_records_too(access: Access) -> None:
    fill(access)
    migrate.apply(access, quiet)
    query = (
        "SELECT gezien, fouten[1].code, codes['R04'], wacht['traject'], toInt64(teruggenomen), toInt64(ingevoegd_op)"
    )
    assert ask(access, f"{query} FROM receipts FINAL") == [(3, "R04", 1, 1, 0, 5)]
    writer = Writer(access)
    writer.insert(RECEIPTS, [receipt(1, 1), receipt(1, 2, gezien=2), receipt(1, 1, lines=9_999_999, gezien=1)])
    writer.close()
    found = ask(access, f"SELECT lines, gezien FROM receipts FINAL WHERE delivery = '{1:032x}' ORDER BY lines")
    assert found == [(3, 2), (9_999_999, 1)]


def test_a_file_that_failed_at_its_end_can_be_done_again(access: Access) -> None:
    """Every statement again, on tables that have them all already: a receipt that came in between stays. Later files
    are applied after that: each begins when the one before has succeeded.
    """
    migrate.apply(access, quiet, migrate.load()[: BEFORE + 1])
    ask(access, f"INSERT INTO receipts (delivery, sender, lines, version) VALUES ('{2:032x}', '90000001', 3, 1)")
    for statement in migrate.load()[BEFORE].statements:
        ask(access, statement)
    migrate.apply(access, quiet)
    writer = Writer(access)
    writer.insert(RECEIPTS, [receipt(2, 1, lines=4)])
    writer.close()
    assert ask(access, "SELECT lines FROM receipts FINAL ORDER BY lines") == [(3,), (4,)]
    key = f"SELECT sorting_key FROM system.tables WHERE database = '{access.database}' AND name = 'receipts'"
    assert ask(access, key) == [("sender, delivery, lines",)]
