"""A backup of the running stream fills an empty broker and an empty database, into another number of partitions."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from operations.backup.reading import Reader
from schemas.orders import SKIP, Order, Place, order_for
from schemas.topics import EVENTS, ORDERS, topics
from schemas.typed import StructCodec
from tests.conftest import RunningBroker, RunningGateway
from tests.operations.emptied import gone
from tests.whole.stream import Stream, running
from tools.simulator import SimulationConfig, simulate
from transport.clients import Cluster
from transport.publisher import Publisher

pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse, pytest.mark.slow]
CODEC = StructCodec(Order)
RECEIPTS = "SELECT sender, delivery, lines, gezien, geaccepteerd, afgekeurd, klaar FROM sor.receipts FINAL ORDER BY ALL"
#: Who makes states and rows anew.
MAKERS = ("register", "trajectories", "deliveries", "sink")


def order(cluster: Cluster, place: Place) -> None:
    """Tell a stage that is not there to leave a record out, and one of another log."""
    publisher = Publisher(cluster, "test")
    for at in (place, Place("sor.in.start", 0, 0)):
        given = order_for(SKIP, "nobody", at, reason="test", by="test", at=1)
        publisher.send(ORDERS, given.key, CODEC.encode(given))
    publisher.flush()


def at(cluster: Cluster, place: Place) -> tuple[bytes | None, bytes | None, int]:
    """Key, value and time of a record."""
    with Reader(cluster) as reader:
        [record] = reader.records(*place, place.offset + 1)
    return record.key, record.value, record.time


def ordered(cluster: Cluster) -> list[Place]:
    """The places that orders name."""
    with Reader(cluster) as reader:
        end = reader.reach_of(ORDERS, 0).end
        return [CODEC.decode(record.value or b"").place for record in reader.records(ORDERS, 0, 0, end)]


def counts(cluster: Cluster) -> dict[str, int]:
    """Records of the topics of a backup."""
    with Reader(cluster) as reader:
        return {t.name: sum(p.end for p in reader.reach(t.name).values()) for t in topics().values() if t.backup}


def test_an_empty_broker_is_filled_into_other_partitions(
    broker: RunningBroker, gateway: RunningGateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster, copy = Cluster(broker.bootstrap), tmp_path / "copy"
    with running(tmp_path / "home", broker.bootstrap, gateway.url, gateway.users) as stream:
        simulate(SimulationConfig(12, 12, 11, date(2026, 6, 30), False, False), tmp_path / "files")
        stream.deliver(tmp_path / "files" / "berichten")
        stream.until(stream.caught_up, "everything is processed")
        with Reader(cluster) as reader:
            place = next(Place(EVENTS, p, one.end - 1) for p, one in reader.reach(EVENTS).items() if one.end > 1)
        order(cluster, place)
        told = json.loads(stream.sor("backup", str(copy), "--json").stdout)
        stream.sor("backup", str(tmp_path / "keys"), "--keys")
        refused = stream.sor("restore", str(copy), check=False)
    assert refused.returncode == 2
    assert "sor.events (" in refused.stderr, "what is there is named"
    assert told["settled"]
    before = stream.trajecten(), stream.ask(RECEIPTS), at(cluster, place), counts(cluster)
    assert told["topics"] == before[-1]
    assert before[0].total() > 10

    gone(cluster)
    stream.ask("DROP DATABASE sor SYNC")
    monkeypatch.setenv("SOR_PARTITIONS", "3")
    other = Stream(tmp_path / "other", broker.bootstrap, gateway.url, gateway.users)
    other.sor("restore", str(tmp_path / "keys"), "--keys")
    sent = json.loads(other.sor("restore", str(copy), "--json").stdout)
    _filled(cluster, sent, before, place)
    try:
        other.start(*MAKERS)
        other.until(lambda: (other.trajecten(), other.ask(RECEIPTS)) == before[:2], "states and rows are made anew")
        other.until(lambda: other.sor("audit", check=False).returncode == 0, "the audit is equal")
    finally:
        other.stop()


def _filled(cluster: Cluster, sent: dict[str, Any], before: tuple[Any, ...], place: Place) -> None:
    assert sent["left_out"] == {ORDERS: 1}, "an order about a raw record names nothing here"
    assert counts(cluster) == before[-1] | {ORDERS: 1}
    with Reader(cluster) as reader:
        assert len(reader.reach(EVENTS)) == 3
    [now] = ordered(cluster)
    assert at(cluster, now) == before[2]
    assert now.topic == EVENTS
