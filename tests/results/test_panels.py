"""Panels on the real engine where their queries take a short cut: few clients, and categories outside the figures."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from domain.field.dates import day
from results.dashboards.queries import DEFINITIONS, LINE, WHOLE
from sinks import clickhouse
from sinks.access import Access
from sinks.tables import METINGEN, TRAJECTEN
from sinks.writer import Writer
from tests.conftest import RunningGateway
from tests.sinks import database
from tests.sinks.rows import meting, named, traject
from tools.bench.panel import queries

pytestmark = pytest.mark.clickhouse
END_DAY = day(date(2025, 6, 1))


@pytest.fixture(scope="module")
def access(gateway: RunningGateway) -> Iterator[Access]:
    with database.fresh(gateway) as found:
        yield found


def panel(access: Access, title: str) -> Any:
    """The figure that a panel shows; None when it is hidden."""
    (query,) = [query for found, query in queries() if found.split(" (")[0] == title][:1]
    client = clickhouse.connect(access)
    try:
        lines = client.query(query.replace("sor.", f"{access.database}.")).named_results()
        (whole,) = (line for line in lines if line[LINE] == WHOLE)
        return whole[{"Uitval": "uitval", "Nut, gemiddeld cijfer": "nut_gemiddelde"}[title]]
    finally:
        client.close()


def fill(access: Access, trajecten: list[dict[str, Any]], metingen: list[dict[str, Any]]) -> None:
    writer = Writer(access)
    for table, rows in ((TRAJECTEN, trajecten), (METINGEN, metingen)):
        clickhouse.command(writer._connected(), f"TRUNCATE TABLE {table.name}", "Emptying")
        writer.insert(table, rows)
    writer.close()


def ended(number: int, client: int, version: int = 1, **changed: Any) -> dict[str, Any]:
    klasse = "client" if number % 4 == 0 else "gepland"
    row = traject(number, version, status="beeindigd", uitval_klasse=klasse, einddatum=END_DAY)
    return {**row, "client": named(client), "emmer": client, **changed}


@pytest.mark.parametrize(("clients", "shown"), [(1, None), (9, None), (10, 25.0), (11, 25.0), (40, 25.0)])
def test_a_figure_of_fewer_than_ten_clients_is_hidden(access: Access, clients: int, shown: float | None) -> None:
    fill(access, [ended(n, n % clients) for n in range(40)], [])
    assert panel(access, "Uitval") == shown


@pytest.mark.parametrize(("buckets", "shown"), [(9, None), (10, 25.0)])
def test_one_child_with_many_providers_is_no_group(access: Access, buckets: int, shown: float | None) -> None:
    """Every row under a name of its own, as a child has with each provider: only buckets say that there are ten."""
    fill(access, [ended(n, n, emmer=n % buckets) for n in range(40)], [])
    assert panel(access, "Uitval") == shown


@pytest.mark.parametrize(
    ("first", "last", "shown"),
    [("45", "45", 4.0), ("45", "48", None), ("48", "45", 4.0), ("48", "48", None)],
)
def test_a_meting_counts_by_the_category_that_its_traject_has_now(
    access: Access, first: str, last: str, shown: float | None
) -> None:
    """The traject of every meting changes its category in a later version, in a part of its own."""
    metingen = [meting(n, 1, traject=f"{n:016x}", nut=4, datum=END_DAY, jaar=2025, client=named(n)) for n in range(30)]
    fill(access, [ended(n, n, categorie=first) for n in range(30)], metingen)
    writer = Writer(access)
    writer.insert(TRAJECTEN, [ended(n, n, 2, categorie=last) for n in range(30)])
    writer.close()
    assert panel(access, "Nut, gemiddeld cijfer") == shown


def test_definitions_are_those_of_rows_that_were_not_replaced(access: Access) -> None:
    def shown() -> Any:
        client = clickhouse.connect(access)
        try:
            return [row[0] for row in clickhouse.select(client, DEFINITIONS.replace("sor.", f"{access.database}."))]
        finally:
            client.close()

    fill(access, [ended(n, n) for n in range(3)], [])
    assert shown() == [1]
    writer = Writer(access)
    writer.insert(TRAJECTEN, [ended(n, n, 2, definitie_versie=2) for n in range(2)])
    assert shown() == [1, 2]
    writer.insert(TRAJECTEN, [ended(2, 2, 2, definitie_versie=2)])
    assert shown() == [2]
    writer.close()
