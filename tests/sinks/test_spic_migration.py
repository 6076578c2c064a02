"""The migration of SPIC and area on the real engine: rows that are there stay, and a sink of before keeps writing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from sinks.access import Access
from sinks.schema import migrate
from sinks.tables import TRAJECTEN
from sinks.writer import Writer
from tests.conftest import RunningGateway
from tests.sinks.database import ask, fresh, quiet
from tests.sinks.rows import traject

pytestmark = pytest.mark.clickhouse
NEW = ("segment", "profiel", "spic", "postcodegebied")
BEFORE = 8  # migrations before it
LATER = ("opvolging_dagen", "respons_dagen")
#: As a sink of release 0.2.0 knows the table.
OLD_TABLE = replace(TRAJECTEN, columns=tuple(one for one in TRAJECTEN.columns if one not in {*NEW, *LATER}))


@pytest.fixture
def access(gateway: RunningGateway) -> Iterator[Access]:
    """A database as it was before, with one row."""
    with fresh(gateway, BEFORE) as found:
        write(found, 1)
        yield found


def write(access: Access, number: int) -> None:
    """A row as a sink of before writes it."""
    row = {column: value for column, value in traject(number, 1).items() if column in OLD_TABLE.columns}
    writer = Writer(access)
    writer.insert(OLD_TABLE, [row])
    writer.close()


def test_rows_stay_a_sink_of_before_writes_on_and_the_file_can_be_done_again(access: Access) -> None:
    migrate.apply(access, quiet)
    write(access, 2)
    writer = Writer(access)
    writer.insert(TRAJECTEN, [traject(3, 1, segment="B", profiel="8", spic="0" * 16, postcodegebied="Noord")])
    writer.close()
    for statement in migrate.load()[BEFORE].statements:
        ask(access, statement)
    found = ask(access, f"SELECT code, {', '.join(NEW)} FROM trajecten FINAL ORDER BY traject")
    assert found == [("45A04", "", "", "", "")] * 2 + [("45A04", "B", "8", "0" * 16, "Noord")]
