"""The audit on a real log and a real table: equal, what it finds when a row was changed, and who may not stay named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from crypto.client_names import ClientNames
from crypto.keys import TrajectoriesKeys
from domain.facts.fact import Event
from operations import audit
from schemas.codec import Codec
from schemas.records import event_to_record
from schemas.topics import EVENTS
from sinks import clickhouse
from sinks.access import Access
from sinks.writer import Writer
from streams.engine.stage import Record
from streams.trajectories import TOPICS, Trajectories
from tests.build import CLIENT, OTHER, by, events, meting, score, start, stop
from tests.conftest import RunningBroker, RunningGateway
from tests.operations.emptied import emptied
from tests.sinks import database
from tests.sinks.rows import traject
from transport import clients

pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse]
NAMES = ClientNames(TrajectoriesKeys(b"c" * 32, b"b" * 32))
LIVES = {
    CLIENT: [*events([start(), stop(), meting(90), score()]), *by(OTHER, start(200))],
    b"p1.jeugd.0.BBBBBBBBBBBBBBBBBBBBBB": events([start(10), score(b"unknown0")]),
}
TABLES = dict(zip(TOPICS, audit.TABLES.values(), strict=True))


@pytest.fixture(scope="module")
def cluster(broker: RunningBroker) -> clients.Cluster:
    """A log with the events of two clients and nothing else."""
    cluster = emptied(broker.bootstrap, 2)
    producer, codec = clients.producer(cluster, "test"), Codec(EVENTS)
    for client, life in LIVES.items():
        for told in life:
            producer.produce(EVENTS, codec.encode(event_to_record(told)), client)
    assert producer.flush(20) == 0
    return cluster


def fill(access: Access, names: ClientNames) -> None:
    """The tables as the stage and the sink make them of that log."""
    codec, writer, found = Codec(EVENTS), Writer(access), {topic: Codec(topic) for topic in TOPICS}
    for client, life in LIVES.items():
        records = [Record(offset, _value(codec, told), 0) for offset, told in enumerate(life)]
        for out in Trajectories(names)(client, None, records)[1]:
            if out.topic in found and out.value is not None:
                writer.insert(TABLES[out.topic], [found[out.topic].decode(out.value)])
    writer.close()


def _value(codec: Codec, told: Event) -> bytes:
    return codec.encode(event_to_record(told))


@pytest.fixture
def access(gateway: RunningGateway) -> Iterator[Access]:
    with database.fresh(gateway) as found:
        yield found


def run(cluster: clients.Cluster, access: Access, names: ClientNames = NAMES) -> audit.Report:
    client = clickhouse.connect(access)
    try:
        return audit.run(cluster, client, names, lambda _number: None)
    finally:
        client.close()


def found(report: audit.Report) -> dict[str, tuple[int, int, int, int]]:
    return {one.table: (len(one.missing), len(one.extra), len(one.different), one.named) for one in report.findings}


NOTHING = (0, 0, 0, 0)


def test_the_rows_of_the_stage_are_what_the_log_yields(cluster: clients.Cluster, access: Access) -> None:
    fill(access, NAMES)
    report = run(cluster, access)
    assert report.equal, found(report)
    assert {one.table: one.found for one in report.findings} == {"trajecten": 3, "metingen": 1, "scores": 2}


def test_a_planted_row_a_changed_name_and_another_bucket_are_found(cluster: clients.Cluster, access: Access) -> None:
    fill(access, NAMES)
    writer = Writer(access)
    writer.insert(audit.TABLES["trajecten"], [traject(1, 1)])
    changed: list[tuple[str, Any]] = [("client", "x" * 22), ("emmer", 1)]
    client = clickhouse.connect(access)
    for table, (column, value) in zip(("metingen", "scores"), changed, strict=True):
        client.command(f"INSERT INTO {table} SELECT * REPLACE ({value!r} AS {column}) FROM {table} LIMIT 1")
    client.close()
    writer.close()
    report = run(cluster, access)
    assert found(report) == {"trajecten": (0, 1, 0, 0), "metingen": (0, 0, 1, 0), "scores": (0, 0, 1, 0)}
    assert "90000001|0363|2025|0000000000000001" in report.findings[0].extra
    assert not report.equal


def test_under_other_keys_nothing_is_equal(cluster: clients.Cluster, access: Access) -> None:
    fill(access, NAMES)
    other = run(cluster, access, ClientNames(TrajectoriesKeys(b"d" * 32, b"b" * 32)))
    assert found(other) == {"trajecten": (3, 3, 0, 0), "metingen": (1, 1, 0, 0), "scores": (2, 2, 0, 0)}
    buckets = run(cluster, access, ClientNames(TrajectoriesKeys(b"c" * 32, b"d" * 32)))
    assert found(buckets) == {"trajecten": (0, 0, 3, 0), "metingen": (0, 0, 1, 0), "scores": (0, 0, 2, 0)}


def test_a_pseudonym_is_reported_also_in_a_row_that_was_replaced(cluster: clients.Cluster, access: Access) -> None:
    """Its newer version is as the log yields, so no comparison of rows would see it."""
    fill(access, NAMES)
    client = clickhouse.connect(access)
    client.command("SYSTEM STOP MERGES trajecten")  # one would take the replaced row away
    replaced = f"'{CLIENT.decode()}' AS client, toUInt64(0) AS version"
    client.command(f"INSERT INTO trajecten SELECT * REPLACE ({replaced}) FROM trajecten LIMIT 1")
    client.close()
    report = run(cluster, access)
    assert found(report) == {"trajecten": (0, 0, 0, 1), "metingen": NOTHING, "scores": NOTHING}
    assert not report.equal
    assert any("1 name a client by its pseudonym" in line for line in audit.sentences(report))
