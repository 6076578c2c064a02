"""More partitions for a log and its state, on a real broker and with the real engine: nothing is lost or doubled."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from confluent_kafka import Consumer, TopicPartition

from domain.care.fold import Person
from operations.partitions import RewritingError
from operations.repartition import Asked, Log, Repartitioned, RepartitionError, lifted, repartition
from operations.rewriting import Part, Rules, rewrite
from streams.engine.stage import StageConfig, StageError
from streams.epochs import settle
from streams.versions import epoch_in, version
from tests.chaos.batch_stage import Stage
from transport.clients import Cluster, admin
from transport.notes import noted_at

pytestmark = pytest.mark.kafka
EVENTS = 2_000
BEFORE, NOW = 3, 8


class Crash(Exception):
    """As if the process had died here."""


def raised(state: bytes, epoch: int) -> bytes:
    """The state of the stage of the crash tests, as one of an epoch."""
    told = json.loads(state)
    told["version"] = max(told["version"], version(epoch, 0))
    return json.dumps(told).encode()


class Widened(Stage):
    """A stage whose changelog also holds deletions: a state that moved stands elsewhere."""

    def read(self, topic: str) -> Iterator[tuple[bytes, dict[str, Any]]]:
        if topic == self.changelog:
            last = last_values(self, topic).items()
            return iter([(key, json.loads(value)) for (key, _), value in last if value is not None])
        self.partitions = BEFORE  # of the rows
        return super().read(topic)


def run(stage: Stage, count: int = NOW, crash: str = "", patience: float = 20.0) -> Repartitioned:
    """Change the partitions of the stage's log; die at the first word of a step."""

    def tell(step: str, _number: int) -> None:
        if step == crash:
            raise Crash

    log = Log(stage.source, stage.changelog, stage.name)
    asked = Asked(count, log, lift=raised, settled=0.0, patience=patience)
    return repartition(Cluster(stage.bootstrap), asked, tell, lambda: None)


@pytest.fixture
def stage(broker: Any, tmp_path: Path) -> Any:
    found = Widened(broker.bootstrap, tmp_path, BEFORE)
    yield found
    found.stop()


def last_values(stage: Stage, topic: str) -> dict[tuple[bytes, int], bytes | None]:
    """Key and partition -> the last value under that key there."""
    reader = Consumer({"bootstrap.servers": stage.bootstrap, "group.id": "reader", "enable.partition.eof": False})
    last: dict[tuple[bytes, int], bytes | None] = {}
    for partition in range(NOW):
        low, end = reader.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)
        reader.assign([TopicPartition(topic, partition, low)])
        while low < end:
            for message in reader.consume(end - low, 1.0):
                last[message.key(), partition] = message.value()
                low = message.offset() + 1
    reader.close()
    return last


def keys_of(stage: Stage, topic: str) -> dict[bytes, set[int]]:
    """Key -> partitions that hold a value under it at the end."""
    found: dict[bytes, set[int]] = {}
    for (key, partition), value in last_values(stage, topic).items():
        if value is not None:
            found.setdefault(key, set()).add(partition)
    return found


def test_events_and_states_move_to_the_partitions_of_their_keys(stage: Stage, tmp_path: Path) -> None:
    stage.load(EVENTS, keys=300)
    stage.finish()
    stage.load(EVENTS, keys=300)  # what no worker has read
    with pytest.raises(Crash):
        run(stage, crash="states")
    with pytest.raises(RepartitionError, match="is not finished"):
        run(stage, count=NOW + 1)
    config = StageConfig(stage.name, stage.source, "facts", NOW, stage.bootstrap, tmp_path, "w0")
    with pytest.raises(StageError, match="sor topics repartition 8"):
        settle(config)
    with pytest.raises(Crash):
        run(stage, crash="events")
    with pytest.raises(StageError, match="sor topics repartition 8"):
        settle(config, ordered=1_000_000)  # a client would get states in two partitions
    with pytest.raises(RewritingError, match="sor topics repartition 8"):
        rewrite(Cluster(stage.bootstrap), Part(stage.source, 0), Rules(lambda _message: True, "somebody"))
    stage.load(EVENTS, keys=300)  # the writers go on
    done = run(stage)
    assert (done.before, done.now) == (BEFORE, NOW)
    moved, states = keys_of(stage, stage.source), keys_of(stage, stage.changelog)
    assert all(len(places) == 1 for places in (*moved.values(), *states.values()))
    assert states.items() <= moved.items()
    assert len({next(iter(places)) for places in moved.values()}) == NOW
    stage.partitions = NOW
    stage.admin = admin(Cluster(stage.bootstrap))  # the former one knows of the former partitions
    stage.finish(stage.start(fault={"epoch": done.epoch}))
    stage.verify()
    note = stage.group.committed([TopicPartition(stage.changelog, 0)], timeout=10)[0]
    assert noted_at(note)["epoch"] == str(done.epoch)
    assert settle(config, ordered=1_000_000).epoch == 1_000_000


def test_of_two_that_do_the_same_the_first_ends(stage: Stage) -> None:
    stage.load(EVENTS, keys=300)
    stage.finish()
    others: list[Repartitioned] = []

    def overtaken(step: str, _number: int) -> None:
        if step == "states" and not others:
            others.append(run(stage))

    log = Log(stage.source, stage.changelog, stage.name)
    with pytest.raises(RepartitionError, match="taken this over"):
        repartition(Cluster(stage.bootstrap), Asked(NOW, log, lift=raised, settled=0.0), overtaken, lambda: None)
    assert others[0].now == NOW


def test_no_worker_may_run_and_fewer_are_not_made(stage: Stage) -> None:
    stage.load(100)
    with pytest.raises(RepartitionError, match="only more"):
        run(stage, count=BEFORE)
    worker = stage.start().after(1)
    with pytest.raises(RepartitionError, match="sor stop trajectories"):
        run(stage, patience=0.0)
    assert worker.terminate() == 0


def test_a_state_is_lifted_to_an_epoch_once() -> None:
    packed = msgspec.msgpack.encode(Person(version=version(3, 70)))
    person = msgspec.msgpack.decode(lifted(packed, 5), type=Person)
    assert (epoch_in(person.version), person.version) == (5, version(5, 0))
    assert lifted(msgspec.msgpack.encode(Person(version=version(5, 9))), 5) == msgspec.msgpack.encode(
        Person(version=version(5, 9))
    )
