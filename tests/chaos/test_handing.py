"""Definitions handed over to two workers of the stage *trajectories* at a real broker, while events flow all the time.

Three things happen to them: a hold that nobody ends, kill -9 of a worker that stands still, and kill -9 in the middle
of a slice, when its states are in the changelog and none of its rows is out. In the end rows and states are those of
the pure fold under the new definitions.
"""

from __future__ import annotations

import itertools
import signal
import threading
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from confluent_kafka import Consumer, Message, TopicPartition

from crypto.client_names import ClientNames
from crypto.keys import TrajectoriesKeys
from domain.care.fold import Person
from domain.field.definitions import SHIPPED, identified
from operations.replay import handover
from operations.replay.desk import Desk
from operations.replay.handover import ROWS, HandOver
from schemas.codec import Codec
from schemas.records import event_to_record
from schemas.topics import EVENTS, groups
from streams.engine.handing import held_for, swept
from streams.engine.stage import Record
from streams.trajectories import TABLE, Trajectories
from tests.build import event, meting, start, stop
from tests.chaos.batch_stage import Worker, until
from tests.conftest import RunningBroker
from tests.operations.emptied import emptied
from transport import clients
from transport.clients import Cluster

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

PARTITIONS, SLICE = 4, 10
GROUP, CHANGELOG = groups()["trajectories"], f"{groups()['trajectories']}-{TABLE}-changelog"
NAMES = ClientNames(TrajectoriesKeys(b"c" * 32, b"b" * 32))
#: Care that began again after seven months is one traject: most rows get another key.
WIDE = identified(SHIPPED._replace(version=9, chain_days=1000))
NEVER = identified(SHIPPED._replace(version=8, chain_days=1))
CLIENTS = [b"p1.jeugd.0.%022d" % number for number in range(240)]
#: Of the others nothing comes after the beginning: what a crash loses of them heals by no later event.
LIVELY = CLIENTS[::6]


class Flow:
    """Events of clients, a few at a time, until it is stopped."""

    def __init__(self, bootstrap: str) -> None:
        self._producer, self._codec = clients.producer(Cluster(bootstrap), "flow", **{"linger.ms": 5}), Codec(EVENTS)
        self._stop, self._thread = threading.Event(), threading.Thread(target=self._run)
        self.told = 0

    def __enter__(self) -> Flow:
        for client in CLIENTS:
            for number in range(3):
                self._tell(client, number)
        assert self._producer.flush(20) == 0
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        self._thread.join()
        assert self._producer.flush(20) == 0

    def _tell(self, client: bytes, number: int) -> None:
        begin = 300 * number
        for fact in (start(begin), stop(begin, begin + 90), meting(begin + 95, meting=b"meting%02d" % number)):
            told = event(fact, delivery=f"{number:032x}", line=self.told % 1000 + 1, published_at=1 + self.told)
            self._producer.produce(EVENTS, self._codec.encode(event_to_record(told)), client)
            self.told += 1

    def _run(self) -> None:
        for number in itertools.count(3):
            for client in LIVELY:
                if self._stop.wait(0.02):
                    return
                self._tell(client, number)
                self._producer.poll(0)


class Workers:
    """The workers, and what stands at the broker."""

    def __init__(self, broker: RunningBroker, home: Path) -> None:
        self.bootstrap, self.home, self.all = broker.bootstrap, home, list[Worker]()
        self.desk = Desk(Cluster(broker.bootstrap))
        self.places = [(EVENTS, partition) for partition in range(PARTITIONS)]

    def start(self, slot: str, **fault: int) -> Worker:
        options: dict[str, Any] = {
            "name": GROUP, "source": EVENTS, "table": TABLE, "partitions": PARTITIONS, "bootstrap": self.bootstrap,
            "datadir": str(self.home / slot / "state"), "slot": slot, "session_timeout": 6.0, "heartbeat": 1.5,
            "pause_limit": 2.0, "max_poll_records": 200,
            "fault": {"slice": SLICE, **{name.replace("_", " "): value for name, value in fault.items()}},
        }  # fmt: skip
        worker = Worker(options, self.home / slot)
        self.all.append(worker)
        return worker

    def positions(self) -> dict[int, int]:
        return {partition: at.offset for (_, partition), at in self.desk.standing(GROUP, self.places).items()}

    def notes(self) -> list[str]:
        return [at.note for at in self.desk.standing(GROUP, self.places).values()]

    def level(self) -> bool:
        return all(self.positions()[place[1]] == end for place, (_, end) in self.desk.ends(self.places).items())

    def row_ends(self) -> dict[tuple[str, int], tuple[int, int]]:
        return self.desk.ends(self.desk.partitions(ROWS))

    def records(self, topic: str) -> Iterator[Message]:
        """Every record of a topic, per partition in order."""
        reader = Consumer({"bootstrap.servers": self.bootstrap, "group.id": "test", "enable.auto.commit": False})
        ends = {
            place: end for place, (first, end) in self.desk.ends(self.desk.partitions([topic])).items() if end > first
        }
        reader.assign([TopicPartition(*place, 0) for place in ends])
        while ends:
            for message in reader.consume(1000, 0.2):
                yield message
                if message.offset() + 1 >= ends.get((topic, message.partition()), 0):
                    ends.pop((topic, message.partition()), None)
        reader.close()


@pytest.fixture
def workers(broker: RunningBroker, tmp_path: Path) -> Iterator[Workers]:
    emptied(broker.bootstrap, PARTITIONS)
    found = Workers(broker, tmp_path)
    yield found
    for worker in found.all:
        if worker.process.poll() is None:
            worker.kill()
    found.desk.close()


def test_what_is_handed_over_while_events_flow_and_workers_die_is_as_the_pure_fold_says(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handover, "REMAINDER", 1.0)
    with Flow(workers.bootstrap) as flow:
        first, second = workers.start("w0"), workers.start("w1")
        until(lambda: first.batches() and second.batches(), 40, "work for both")
        nobody_ends_a_hold(workers, first)
        second = held_and_killed(workers, second)
        assert second.ends() == -signal.SIGKILL, second.log()
        before = flow.told
        second = workers.start("w1")
        until(lambda: workers.notes() == [swept(WIDE.id)] * PARTITIONS, 40, f"the end of the sweep\n{second.log()}")
        assert flow.told > before, "events flow all the time"
    until(workers.level, 20, "the end of the log")
    for worker in (first, second):
        assert worker.terminate() == 0, worker.log()
    compare(workers)


def nobody_ends_a_hold(workers: Workers, worker: Worker) -> None:
    over = HandOver(workers.desk, NEVER, seconds=8.0)
    held_at = over.hold()
    until(lambda: workers.positions() != held_at, 20, "a hold that lapses")
    assert over.remaining <= 0, "it lapses at its deadline and not before"
    assert "a hold has lapsed" in worker.log()


def held_and_killed(workers: Workers, second: Worker) -> Worker:
    """A hold in which one worker is killed; then go. The successor, which is to die in a slice."""
    with HandOver(workers.desk, WIDE, seconds=60.0) as over:
        held_at = over.hold()
        out = workers.row_ends()
        only_up_to(workers, held_at)
        second.kill()
        second = workers.start("w1", die_in_slice=2)
        until(lambda: "is ready after" in second.log(), 40, f"the successor\n{second.log()}")
        ends = {place[1]: end for place, (_, end) in workers.desk.ends(workers.places).items()}
        assert all(ends[partition] > at for partition, at in held_at.items()), "events flow all the time"
        assert workers.positions() == held_at
        assert workers.row_ends() == out, "nothing is given out while it is held"
        over.go()
    assert not any(held_for(note) for note in workers.notes())
    return second


def only_up_to(workers: Workers, held_at: dict[int, int]) -> None:
    """No row comes from an event beyond: a version is the offset of an event of the row's client."""
    of = {message.key(): message.partition() for message in workers.records(EVENTS)}
    partition = {NAMES.of(client, "12345678"): of[client] for client in CLIENTS}
    for topic in ROWS:
        codec = Codec(topic)
        for message in workers.records(topic):
            row = codec.decode(message.value())
            assert row["version"] < held_at[partition[row["client"]]]


def compare(workers: Workers) -> None:
    """Rows as a table keeps them, and states as they are restored, beside the fold of the whole log at once."""
    lives = defaultdict[bytes, list[Record]](list)
    for message in workers.records(EVENTS):
        lives[message.key()].append(Record(message.offset(), message.value(), 0))
    stage, wanted, facts = Trajectories(NAMES, definitions=WIDE), dict[tuple[str, bytes], Any](), dict[bytes, Any]()
    for client, records in lives.items():
        state, outs = stage(client, None, records)
        person = msgspec.msgpack.decode(state or b"", type=Person)
        facts[client] = (person.facts, person.version, person.definitions)
        wanted |= {(out.topic, out.key): content(out.topic, out.value) for out in outs if out.topic in ROWS}
    found, versions = dict[tuple[str, bytes], Any](), dict[tuple[str, bytes], int]()
    for topic in ROWS:
        codec = Codec(topic)
        for message in workers.records(topic):
            place, row = (topic, message.key()), codec.decode(message.value())
            if row["version"] >= versions.get(place, -1):
                versions[place], found[place] = row["version"], content(topic, message.value())
    assert {place: row for place, row in found.items() if row is not None} == wanted
    assert any(row is None for row in found.values()), "other definitions took rows back"
    states = {
        message.key(): msgspec.msgpack.decode(message.value(), type=Person) for message in workers.records(CHANGELOG)
    }
    assert {client: (one.facts, one.version, one.definitions) for client, one in states.items()} == facts


def content(topic: str, value: bytes | None) -> dict[str, Any] | None:
    """A row without what says when it was given out; None for one that was taken back."""
    row = Codec(topic).decode(value or b"")
    return None if row["verwijderd"] else {name: row[name] for name in row if name not in ("version", "gebeurd_op")}
