"""A day of a dashboard is a Dutch day, in winter and in summer: it begins before the same day of ClickHouse does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from results.dashboards.deliveries import build
from results.dashboards.queries import METING_DAY, REFERENCE_DAY, within_period
from results.waiting import waiting_sql
from sinks import clickhouse
from sinks.access import Access
from sinks.tables import RECEIPTS, SCORES
from sinks.writer import Writer
from tests.conftest import RunningGateway
from tests.results.grafana import DUTCH, expand
from tests.sinks import database
from tests.sinks.rows import receipt, score

pytestmark = pytest.mark.clickhouse
#: Half an hour past midnight, when it is still yesterday for UTC: a Monday in winter and one in summer.
MONDAYS = (datetime(2025, 1, 6, 0, 30, tzinfo=DUTCH), datetime(2025, 7, 7, 0, 30, tzinfo=DUTCH))
NOTHING_CHOSEN: dict[str, tuple[str, ...]] = {"aanbieder": (), "soort": ()}


@pytest.fixture(scope="module")
def reader(gateway: RunningGateway) -> Iterator[Client]:
    with database.fresh(gateway) as access:
        writer = Writer(access)
        times = [int(moment.timestamp()) * 1000 for moment in MONDAYS]
        writer.insert(RECEIPTS, [receipt(at, 1, laatste=time) for at, time in enumerate(times)])
        writer.insert(SCORES, [score(at, 1, traject="", wacht="", sinds=None, tijd=t) for at, t in enumerate(times)])
        writer.close()
        client = clickhouse.connect(Access(gateway.url, "grafana", gateway.users["grafana"], access.database))
        yield client
        client.close()


def seconds(moment: datetime) -> int:
    return int(moment.timestamp())


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2025, 1, 1), date(2025, 1, 31)),
        (date(2025, 7, 1), date(2025, 7, 31)),
        (date(2025, 3, 1), date(2025, 3, 31)),
        (date(2025, 7, 7), date(2025, 7, 7)),
    ],
    ids=["winter", "summer", "into summer", "one day"],
)
def test_a_period_has_the_days_that_the_reader_chose(reader: Client, first: date, last: date) -> None:
    begin = datetime(first.year, first.month, first.day, tzinfo=DUTCH)
    end = datetime(last.year, last.month, last.day, 23, 59, 59, tzinfo=DUTCH)
    days = "SELECT toDate32('2024-12-01') + number AS dag FROM numbers(300)"
    query = f"SELECT min(dag), max(dag) FROM ({days}) WHERE {within_period('dag')}"
    assert clickhouse.select(reader, expand(query, {}, seconds(begin), seconds(end))) == [(first, last)]


@pytest.mark.parametrize("last", [date(2024, 12, 31), date(2025, 1, 1), date(2025, 1, 2)], ids=str)
def test_a_period_of_metingen_has_its_days_in_every_year_of_it(reader: Client, last: date) -> None:
    first = date(2024, 12, 30)
    begin, end = (datetime(day.year, day.month, day.day, 12, tzinfo=DUTCH) for day in (first, last))
    days = f"SELECT toDate32('2024-12-01') + number AS {METING_DAY}, toYear({METING_DAY}) AS jaar FROM numbers(90)"
    query = f"SELECT min({METING_DAY}), max({METING_DAY}) FROM ({days}) WHERE {within_period(METING_DAY)}"
    assert "jaar" in within_period(METING_DAY)
    assert clickhouse.select(reader, expand(query, {}, seconds(begin), seconds(end))) == [(first, last)]


@pytest.mark.parametrize("moment", MONDAYS, ids=["winter", "summer"])
def test_today_is_the_day_of_the_reader(reader: Client, moment: datetime) -> None:
    asked = REFERENCE_DAY.replace("now()", f"toDateTime({seconds(moment)})")
    assert asked != REFERENCE_DAY
    assert clickhouse.select(reader, f"SELECT {asked}") == [(moment.date(),)]


@pytest.mark.parametrize("title", ["Records per dag", "In één keer goed, per week (niet bevestigd)"])
def test_a_delivery_counts_on_its_dutch_day_and_in_its_dutch_week(reader: Client, title: str) -> None:
    (panel,) = (one for one in build()["panels"] if one["title"] == title)
    first, last = seconds(MONDAYS[0] - timedelta(days=30)), seconds(MONDAYS[1] + timedelta(days=30))
    query = expand(panel["targets"][0]["rawSql"], NOTHING_CHOSEN, first, last).replace("sor.", "")
    times: list[Any] = [row["time"] for row in reader.query(query).named_results()]
    assert [seconds(time) for time in times] == [seconds(moment.replace(minute=0)) for moment in MONDAYS]


def test_a_score_waits_since_its_dutch_day(reader: Client) -> None:
    query = waiting_sql().replace("sor.", "")
    assert [row[-1] for row in sorted(clickhouse.select(reader, query))] == [moment.date() for moment in MONDAYS]
