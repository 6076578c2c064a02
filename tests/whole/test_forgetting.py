"""A child is forgotten on the running stream: no row is recomputed of it, and no file on any disk names it any more."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import pytest
from confluent_kafka import OFFSET_BEGINNING, TopicPartition
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from crypto.client_names import ClientNames
from crypto.keys import load_trajectories
from operations.segments import files_with
from schemas.topics import EVENTS, REGISTER, topics
from tests.conftest import RunningBroker, RunningGateway
from tests.whole.stream import Stream, running
from tools.simulator import SimulationConfig, simulate
from transport import clients
from transport.orders import assigned_reader, readable
from transport.whole import partitions

pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse, pytest.mark.slow]


@pytest.fixture
def stream(broker: RunningBroker, gateway: RunningGateway, tmp_path: Path) -> Iterator[Stream]:
    with running(tmp_path / "home", broker.bootstrap, gateway.url, gateway.users) as live:
        files = tmp_path / "files"
        at_once = [ConfigEntry("file.delete.delay.ms", "0", incremental_operation=AlterConfigOpType.SET)]
        admin = clients.admin(clients.Cluster(broker.bootstrap))  # for the test's sake: a minute later by default
        for log in (EVENTS, REGISTER):
            resource = ConfigResource(ResourceType.TOPIC, log, incremental_configs=at_once)
            admin.incremental_alter_configs([resource])[resource].result()
        simulate(SimulationConfig(12, 2, 11, date(2026, 6, 30), True, False), files)
        for part in (files / "berichten", files / "rap"):
            live.deliver(part)
        live.until(live.caught_up, "everything is processed", 120)
        yield live


def records(stream: Stream, topic: str) -> Iterator[tuple[bytes, bytes | None]]:
    """Key and value of every record."""
    reader = assigned_reader(clients.Cluster(stream.bootstrap), "sor-test")
    try:
        for place in partitions(reader, [topic]):
            low, end = reader.get_watermark_offsets(place, timeout=10)
            reader.assign([TopicPartition(topic, place.partition, OFFSET_BEGINNING)])
            at = low
            while at < end:
                yield from ((one.key() or b"", one.value()) for one in readable(reader.consume(1000, 0.1)))
                at = max(at, reader.position([place])[0].offset)
    finally:
        reader.close()


def holding(stream: Stream, needles: Sequence[bytes]) -> Counter[str]:
    """Topic -> records in which one of these strings stands."""
    return Counter(
        topic
        for topic in topics()
        for key, value in records(stream, topic)
        if any(needle in key or needle in (value or b"") for needle in needles)
    )


def rows(stream: Stream) -> dict[str, list[tuple[str, str]]]:
    """Table -> client and number of every row, replaced ones too."""
    return {
        table: [(str(c), str(n)) for c, n in stream.ask(f"SELECT client, {number} FROM sor.{table}")]
        for table, number in (("trajecten", "traject"), ("metingen", "meting"), ("scores", "score"))
    }


def test_nothing_names_a_forgotten_child_any_more(
    stream: Stream, broker: RunningBroker, gateway: RunningGateway
) -> None:
    told = Counter(key for key, _ in records(stream, EVENTS))
    client, facts = told.most_common(1)[0]
    names = ClientNames(load_trajectories(stream.home / "keys"))
    own = {names.of(client, str(one)) for (one,) in stream.ask("SELECT DISTINCT aanbieder FROM sor.trajecten")}
    before = rows(stream)
    numbers = {number for table in before.values() for name, number in table if name in own}
    needles = [client, *(name.encode() for name in own), *(number.encode() for number in numbers)]
    others = {table: sorted(set(found)) for table, found in without(stream, own).items()}
    held = holding(stream, needles)
    assert {EVENTS, "sor.register", "sor.trajecten", "sor-trajectories-personen-changelog"} <= set(held), held
    assert "sor-register-sleutels-changelog" in held
    assert files_with(stream.home / "state", [client]), "the control: the states name it"
    assert broker.home is None or files_with(broker.home, needles), "and so do the files of the broker"
    assert facts > 3
    assert len(numbers) > 1

    done = stream.sor("forget", "--reden", "asked for", "--json", typed=client.decode() + "\n", timeout=400)
    certificate = json.loads(done.stdout)
    assert client.decode() not in done.stdout + done.stderr
    assert [log["topic"] for log in certificate["logs"]].count(EVENTS) == 1
    assert all(one["gone"] for one in certificate["compacted"])
    assert (certificate["found_afterwards"], certificate["numbers"] > 0) == (0, True)
    assert holding(stream, needles) == Counter()
    assert {table: [one for one in found if one[0] in own] for table, found in rows(stream).items()} == {
        table: [] for table in before
    }
    stream.until(stream.caught_up, "the copies are read")
    assert {table: sorted(set(found)) for table, found in without(stream, own).items()} == others
    assert json.loads(stream.sor("audit", "--json", check=False).stdout)["equal"], "recomputed from the log: the same"
    stream.stop()
    stream.start("trajectories", "register")  # the lists of files of their states are written anew
    stream.until(lambda: not files_with(stream.home, needles), "no file of ours names it")
    if broker.home is not None:
        home = broker.home
        stream.until(lambda: not files_with(home, needles), "no file of the broker names it", 90)
    if gateway.home is not None:
        assert files_with(gateway.home, needles) == []


def without(stream: Stream, own: set[str]) -> dict[str, list[tuple[str, str]]]:
    """The rows of everybody else as they count."""
    return {table: [one for one in found if one[0] not in own] for table, found in rows(stream).items()}
