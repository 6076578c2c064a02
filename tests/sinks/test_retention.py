"""Rows stay as long as is declared: laid down once, found again, compared; and they go."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from schemas.topics import kept
from sinks import clickhouse
from sinks.access import Access
from sinks.schema import retention
from sinks.schema.retention import lifetime, parsed
from tests.conftest import RunningGateway
from tests.sinks import database

ENGINE = "ReplacingMergeTree(version) ORDER BY (sender, delivery)"
LIFETIME = "toDateTime(laatste) + toIntervalDay(400)"


@pytest.mark.parametrize(
    ("engine", "found"),
    [
        (ENGINE, ("", None)),
        (f"{ENGINE} SETTINGS index_granularity = 8192", ("", None)),
        (f"{ENGINE} TTL {LIFETIME} SETTINGS index_granularity = 8192", ("laatste", 400)),
        (f"{ENGINE} TTL toDateTime(laatste) + INTERVAL 7 DAY", ("laatste", 7)),
        (
            f"{ENGINE} TTL {LIFETIME}, toDateTime(eerste) + toIntervalDay(1)",
            (f"{LIFETIME}, toDateTime(eerste) + toIntervalDay(1)", -1),
        ),
    ],
)
def test_what_a_table_says(engine: str, found: tuple[str, int | None]) -> None:
    assert parsed(lifetime(engine)) == found


@pytest.fixture(scope="module")
def access(gateway: RunningGateway) -> Iterator[Access]:
    with database.fresh(gateway) as found:
        yield found


@pytest.mark.clickhouse
def test_tables_are_made_equal_to_the_declaration_and_old_rows_go(access: Access) -> None:
    declared = {name for name, one in kept().items() if one.days is not None}
    assert declared == {one.table for one in retention.plan(access)} == {one.table for one in retention.apply(access)}
    assert retention.apply(access) == retention.plan(access) == []
    client = clickhouse.connect(access)
    for days in (1, 401):
        client.command(
            "INSERT INTO rejected (topic, partition, offset, rejected_at) "
            f"VALUES ('sor.in.start', 0, {days}, now() - INTERVAL {days} DAY)"
        )
    client.command("OPTIMIZE TABLE rejected FINAL")
    assert clickhouse.select(client, "SELECT offset FROM rejected") == [(1,)]
    client.command("ALTER TABLE trajecten MODIFY TTL toDateTime(gebeurd_op) + INTERVAL 1 DAY")
    client.command("ALTER TABLE rejected MODIFY TTL toDateTime(rejected_at) + INTERVAL 500 DAY")
    assert [one.words for one in retention.plan(access)] == [
        "rejected: rows go by toDateTime(rejected_at) + toIntervalDay(500), declared: 400 days after rejected_at",
        "trajecten: rows go by toDateTime(gebeurd_op) + toIntervalDay(1), declared: for ever",
    ]
    retention.apply(access)
    assert retention.plan(access) == []
    client.close()
