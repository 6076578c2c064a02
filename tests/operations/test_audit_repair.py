"""Planted faults in the rows and in the state of a stage that ran, on the real broker and engine: found, and mended."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import msgspec
import pytest
import rocksdict
from confluent_kafka import Consumer, KafkaException, TopicPartition

from crypto import keys
from crypto.client_names import ClientNames
from domain.care.fold import Person
from domain.field.definitions import SHIPPED
from monitoring import metrics
from operations.audit.changelog import CHANGELOG
from operations.audit.check import World
from operations.audit.comparison import TABLES
from operations.audit.full import KEPT, Report, Whole, whole
from operations.audit.repair import Mended, Rows, repair
from operations.audit.rolling import PLACES, STAGE, Rolling
from operations.audit.state_repair import NotMended, States
from operations.audit.tables import key_of
from operations.exporter import differences
from schemas.codec import Codec
from schemas.records import event_to_record
from schemas.topics import EVENTS
from sinks import clickhouse
from sinks.access import Access
from sinks.batch import Held, Place
from sinks.inserts import Inserts
from sinks.writer import Writer
from streams.engine.store_reader import stores
from streams.epochs import epoch_of
from streams.trajectories import TABLE
from tests.build import OTHER, by, events, meting, score, start, stop
from tests.conftest import RunningBroker, RunningGateway
from tests.operations.emptied import emptied
from tests.sinks import database
from transport import clients
from transport.health import Health, HealthConfig
from transport.loop import Stop

pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse]
PEOPLE = [b"p1.jeugd.0.%022d" % number for number in range(12)]
LIFE = [*events([start(), stop(), meting(90), score()]), *by(OTHER, start(200))]
PARTITIONS = 2
ROWS = {"trajecten": 24, "metingen": 12, "scores": 12}


@dataclass
class Stage:
    """The stage ``trajectories`` in a home of its own, the tables that a sink made of its rows, an audit of both."""

    home: Path
    cluster: clients.Cluster
    access: Access
    writer: Writer

    @cached_property
    def world(self) -> World:
        names = ClientNames(keys.load_trajectories(self.home / "keys"))
        epoch = epoch_of(self.cluster, "sor-trajectories")
        return World(self.cluster, clickhouse.connect(self.access), names, SHIPPED, epoch=epoch, home=self.home)

    def run(self) -> subprocess.Popen[bytes]:
        bootstrap = self.cluster.bootstrap
        environment = {**os.environ, "SOR_HOME": str(self.home), "SOR_KAFKA": bootstrap, "SOR_PARTITIONS": "2"}
        command = [sys.executable, "-m", "sor", "run", "trajectories"]
        with (self.home / "log.txt").open("ab") as out:
            return subprocess.Popen(command, env=environment, stdout=out, stderr=out)

    def run_until_level(self) -> None:
        """Run it until it has committed the whole log and applied its changelog, then kill it as a crash would."""
        process = self.run()
        try:
            until = time.monotonic() + 90
            while not self.level():
                assert process.poll() is None, (self.home / "log.txt").read_text()
                assert time.monotonic() < until, (self.home / "log.txt").read_text()
                time.sleep(0.2)
        finally:
            process.kill()
            process.wait(20)

    def level(self) -> bool:
        group = Consumer({**self.cluster.settings(), "group.id": "sor-trajectories"})
        source = [TopicPartition(EVENTS, partition) for partition in range(PARTITIONS)]
        changed = [TopicPartition(CHANGELOG, partition) for partition in range(PARTITIONS)]
        try:
            ends = [group.get_watermark_offsets(one, timeout=10)[1] for one in source]
            changes = [group.get_watermark_offsets(one, timeout=10)[1] for one in changed]
            read = [one.offset for one in group.committed(source, timeout=10)]
        except KafkaException:  # the coordinator of a new group is not there at once
            return False
        finally:
            group.close()
        return read == ends and self.levels() == [end - 1 for end in changes]

    def levels(self) -> list[int]:
        """The offset of the changelog that each store is level with."""
        from streams.engine.store_reader import StoreReader

        found = dict.fromkeys(range(PARTITIONS), -1)
        for path, partition in stores(self.home, "trajectories", TABLE).items():
            reader = StoreReader(path)
            found[partition] = reader.level()
            reader.close()
        return list(found.values())

    def sink(self) -> None:
        """The rows of the topics into the tables, and the offsets of the sink behind them."""
        inserts = Inserts(self.writer, list(TABLES.values()))
        for table in TABLES.values():
            for partition in range(PARTITIONS):
                offsets, values = self.records(table.topic, partition)
                if values:
                    inserts.insert(table, [Held(Place(table.topic, partition), offsets, values)])
                self.commit("sor-sink", TopicPartition(table.topic, partition, len(values)))

    def records(self, topic: str, partition: int) -> tuple[list[int], list[bytes]]:
        reader = Consumer({**self.cluster.settings(), "group.id": "test"})
        _, end = reader.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)
        reader.assign([TopicPartition(topic, partition, 0)])
        found: list[tuple[int, bytes]] = []
        while len(found) < end:
            found += [(one.offset(), one.value()) for one in reader.consume(500, 1.0)]
        reader.close()
        return [offset for offset, _ in found], [value for _, value in found]

    def commit(self, group: str, place: TopicPartition) -> None:
        consumer = Consumer({**self.cluster.settings(), "group.id": group})
        consumer.commit(offsets=[place], asynchronous=False)
        consumer.close()

    def audit(self, at_once: int = 1_000_000) -> Whole:
        return whole(self.world, lambda _number: None, at_once, patience=0.0)

    def deliver(self, *clients_of: bytes) -> None:
        """Every event of these clients, once more for who has them."""
        producer, codec = clients.producer(self.cluster, "test"), Codec(EVENTS)
        for client in clients_of:
            for told in LIFE:
                producer.produce(EVENTS, codec.encode(event_to_record(told)), client)
        assert producer.flush(20) == 0

    def round(self) -> dict[tuple[str, str], float]:
        """One round of the process audit: place and sort -> what its gauges say, where they say anything."""
        rolling = Rolling(
            lambda: replace(self.world, client=clickhouse.connect(self.access)),
            self.home, Stop(), Health(HealthConfig(), STAGE), seconds=0.0, share=1.0,
        )  # fmt: skip
        rolling.one_round()
        gauges = {one: metrics.AUDIT_FOUND.labels(place=one[0], sort=one[1])._value.get() for one in PLACES}
        return {one: value for one, value in gauges.items() if value}

    def states(self) -> dict[bytes, tuple[int, bytes]]:
        """Client -> partition and state, from the changelog."""
        from operations.audit.changelog import Changelog

        changelog, found = Changelog(self.cluster), {}
        for partition in range(PARTITIONS):
            for client, (_, state) in changelog.latest(partition, lambda _key: True).items():
                found[client] = (partition, state or b"")
        changelog.close()
        return found

    def change(self, client: bytes, partition: int, state: bytes | None) -> None:
        """Another last record of a client in the changelog."""
        producer = clients.producer(self.cluster, "test", **{"compression.type": "none"})
        producer.produce(CHANGELOG, state, client, partition=partition)
        assert producer.flush(20) == 0

    def sql(self, statement: str) -> None:
        client = clickhouse.connect(self.access)
        client.command(statement)
        client.close()


@pytest.fixture
def stage(broker: RunningBroker, gateway: RunningGateway, tmp_path: Path) -> Iterator[Stage]:
    keys.init(tmp_path / "keys")
    cluster = emptied(broker.bootstrap, PARTITIONS)
    with database.fresh(gateway) as access:
        writer = Writer(access)
        found = Stage(tmp_path, cluster, access, writer)
        found.deliver(*PEOPLE)
        yield found
        writer.close()


def sorts(report: Report) -> dict[str, dict[str, int]]:
    return {one.table: {sort: number for sort, number in one.counts.items() if number} for one in report.findings}


def wrong(packed: bytes) -> bytes:
    """A state with a fact less and a version from the future."""
    person = msgspec.msgpack.decode(packed, type=Person)
    person.facts.stops.clear()
    person.version += 1_000
    return msgspec.msgpack.encode(person)


def plant(stage: Stage) -> None:
    """One fault of every sort, none of them on the client of whom events come later."""
    client = stage.world.client
    providers = [row[0] for row in client.query("SELECT DISTINCT aanbieder FROM trajecten").result_rows]
    spared = ", ".join(f"'{stage.world.names.of(PEOPLE[3], provider)}'" for provider in providers)
    others = f"WHERE client NOT IN ({spared})"
    stage.sql(f"INSERT INTO metingen SELECT * REPLACE (toUInt8(3) AS nut) FROM metingen {others} LIMIT 1")
    stage.sql(
        f"ALTER TABLE scores DELETE WHERE score = (SELECT min(score) FROM scores {others}) SETTINGS mutations_sync = 1"
    )
    first, last = f"{others} ORDER BY traject LIMIT 1", f"{others} ORDER BY traject DESC LIMIT 1"
    stage.sql(f"INSERT INTO trajecten SELECT * REPLACE (version + 500 AS version) FROM trajecten {first}")
    stage.sql("SYSTEM STOP MERGES trajecten")
    stage.sql(f"INSERT INTO trajecten SELECT * FROM trajecten {last}")
    stage.sql(f"INSERT INTO trajecten SELECT * REPLACE ('0344' AS gemeente) FROM trajecten {last}")
    states = stage.states()
    partition, packed = states[PEOPLE[0]]
    stage.change(PEOPLE[0], partition, wrong(packed))
    stage.change(PEOPLE[1], states[PEOPLE[1]][0], None)
    for path, number in stores(stage.home, "trajectories", TABLE).items():
        if number == states[PEOPLE[2]][0]:
            store = rocksdict.Rdict(str(path), options=rocksdict.Options(raw_mode=True))
            store[PEOPLE[2]] = wrong(states[PEOPLE[2]][1])
            store.close()


def test_every_planted_fault_is_found_and_mended(stage: Stage) -> None:
    stage.run_until_level()
    stage.sink()
    before = stage.audit().report
    assert (before.equal, before.moved, before.behind) == (True, False, ""), before
    assert {one.table: one.found for one in before.findings} == ROWS
    assert {one.where: one.compared for one in before.states} == {"changelog": len(PEOPLE), "store": len(PEOPLE)}

    plant(stage)
    found = stage.audit()
    assert not found.report.moved
    assert sorts(found.report) == {
        "trajecten": {"version": 1, "extra": 1}, "metingen": {"different": 1}, "scores": {"missing": 1},
    }  # fmt: skip
    assert {one.table: one.columns for one in found.report.findings}["metingen"] == {"nut": 1}
    assert {one.table: one.repeated for one in found.report.findings}["trajecten"] == 1
    assert {one.where: one.differences for one in found.report.states} == {
        "changelog": {"facts": 1, "version": 1, "missing": 1},
        "store": {"facts": 1},
    }

    assert stage.round() == {
        ("trajecten", "version"): 1, ("trajecten", "extra"): 1, ("metingen", "different"): 1, ("scores", "missing"): 1,
        ("changelog", "facts"): 1, ("changelog", "version"): 1, ("changelog", "missing"): 1, ("store", "facts"): 1,
    }  # fmt: skip
    kept = {"trajecten": 2, "metingen": 1, "scores": 1, "changelog": 3, "store": 1}
    assert differences((stage.home / KEPT).read_text()) == kept

    stage.deliver(PEOPLE[3])  # nobody is there to take it: of others everything is proven all the same
    behind = stage.audit(at_once=20)
    assert behind.report.behind == f"trajectories: {len(LIFE)} records to go"
    assert not behind.report.moved
    assert (sorts(behind.report), behind.report.states) == (sorts(found.report), found.report.states)

    stage.sql("SYSTEM START MERGES trajecten")  # a mutation is one
    mended = repair(found, stage.world, stage.writer, States(stage.world))
    assert mended.states == 3
    after = stage.audit().report
    assert all(one.equal for one in after.findings), sorts(after)
    assert {one.table: one.repeated for one in after.findings}["trajecten"] == 0
    assert after.equal, "what the stores have yet to take over is on its way"
    stage.run_until_level()
    stage.sink()
    assert stage.audit().report.equal, "and they did"
    assert stage.round() == {}


def test_a_row_that_a_merge_has_left_once_meanwhile_is_not_written_again(stage: Stage) -> None:
    stage.run_until_level()
    stage.sink()
    row = stage.world.client.query(f"SELECT {key_of(TABLES['metingen'])}, version FROM metingen LIMIT 1").result_rows[0]
    mended = Mended()
    Rows(stage.world, stage.writer).mend([], {"metingen": {row[0]: row[1]}}, mended)
    assert mended.told() == {"written": 0, "removed": 0, "states": 0}


def test_states_are_not_mended_under_a_worker(stage: Stage) -> None:
    stage.run_until_level()
    stage.change(PEOPLE[0], stage.states()[PEOPLE[0]][0], None)
    found = stage.audit()
    worker = stage.run()
    try:
        until = time.monotonic() + 30
        while (stage.home / "log.txt").read_text().count("is ready after") < 2 and time.monotonic() < until:
            time.sleep(0.2)
        with pytest.raises(NotMended, match="Stop every worker"):
            States(stage.world, patience=0.0)(found)
        elsewhere = States(replace(stage.world, home=None), patience=0.0)
        with pytest.raises(NotMended, match="Stop every worker"):
            elsewhere(found)
    finally:
        worker.kill()
        worker.wait(20)
    assert stage.states()[PEOPLE[0]][1] == b"", "nothing was written"
    assert Mended().told() == {"written": 0, "removed": 0, "states": 0}
