"""The loop on a real broker: only what was handled and delivered is committed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from prometheus_client import REGISTRY

from schemas.topics import REJECTED
from streams.entry import EntryConfig, Stage
from tests.conftest import RunningBroker
from tests.streams.support import ENTRY_KEYS, Recorder
from tests.trusted import hub
from transport import loop
from transport.clients import Cluster, consumer
from transport.health import HealthConfig
from transport.loop import Loop, Stop
from transport.publisher import NotDelivered, Publisher

pytestmark = pytest.mark.kafka


class Place:
    """A topic with records, a topic with a tiny limit, a group: all of one test."""

    def __init__(self, bootstrap: str) -> None:
        self.name = f"loop-{uuid.uuid4().hex[:8]}"
        self.tiny = f"{self.name}-tiny"
        self.cluster = Cluster(bootstrap)
        self.admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
        new = [NewTopic(self.name, 2, 1), NewTopic(self.tiny, 1, 1, config={"max.message.bytes": "1000"})]
        for future in self.admin.create_topics(new).values():
            future.result()

    def put(self, count: int, partition: int = 0) -> None:
        """Records ``0..count-1`` more in one partition."""
        producer = Producer({"bootstrap.servers": self.cluster.bootstrap})
        for number in range(count):
            producer.produce(self.name, str(number), partition=partition)
        assert producer.flush(20) == 0

    def run(
        self,
        handle: Callable[[Sequence[Message]], None],
        stop: Stop | None = None,
        batch: int = 1000,
        publisher: Publisher | None = None,
    ) -> None:
        """One loop over the topic, in this process; it ends by itself when what should end it does not."""
        stop = Stop() if stop is None else stop
        source = consumer(self.cluster, self.name, "0")
        watch = threading.Timer(60, stop.set)
        watch.start()
        try:
            out = publisher or Publisher(self.cluster, self.name)
            Loop("entry", source, out, batch).run([self.name], handle, lambda: None, stop)
        finally:
            watch.cancel()

    def committed(self, partition: int = 0) -> int:
        """The committed offset of a partition; negative when there is none."""
        client = Consumer({"bootstrap.servers": self.cluster.bootstrap, "group.id": self.name})
        try:
            return int(client.committed([TopicPartition(self.name, partition)], timeout=20)[0].offset)
        finally:
            client.close()


@pytest.fixture
def place(broker: RunningBroker) -> Iterator[Place]:
    made = Place(broker.bootstrap)
    yield made
    for future in made.admin.delete_topics([made.name, made.tiny]).values():
        future.result()


class Fault(Exception):
    """A bug of ours."""


def until(true: Callable[[], bool], what: str, seconds: float = 40) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"waited and not yet: {what}"
        time.sleep(0.02)


def test_a_raising_handler_leaves_its_batch_for_the_next(place: Place) -> None:
    place.put(5)

    def raises(_messages: Sequence[Message]) -> None:
        raise Fault

    with pytest.raises(Fault):
        place.run(raises)
    assert place.committed() < 0

    seen: list[bytes] = []
    stop = Stop()

    def handles(messages: Sequence[Message]) -> None:
        seen.extend(message.value() or b"" for message in messages)
        if len(seen) >= 5:
            stop.set()

    place.run(handles, stop)
    assert seen == [b"0", b"1", b"2", b"3", b"4"]
    assert place.committed() == 5


def test_records_of_a_flow_are_gathered(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.put(1)
    sizes: list[int] = []
    stop = Stop()

    def flow() -> None:
        place.put(1)
        waited = time.monotonic() + 1
        while len(sizes) < 2 and time.monotonic() < waited:  # handled alone, when nothing gathers
            time.sleep(0.02)
        place.put(1)

    flowing = threading.Thread(target=flow)

    def handles(messages: Sequence[Message]) -> None:
        sizes.append(len(messages))
        if len(sizes) == 1:
            monkeypatch.setattr(loop, "PACE", 30.0)  # from here on: while the group settles nothing can gather
            flowing.start()
        if sum(sizes) >= 3:
            stop.set()

    place.run(handles, stop, batch=2)  # a full batch is not waited for any longer
    flowing.join(60)
    assert sizes == [1, 2]
    assert place.committed() == 3


def test_what_was_committed_before_a_fault_stays(place: Place) -> None:
    place.put(6)
    batches: list[int] = []

    def handle(messages: Sequence[Message]) -> None:
        batches.append(len(messages))
        if sum(batches) > 4:
            raise Fault

    with pytest.raises(Fault):
        place.run(handle, batch=2)
    assert 0 < place.committed() == sum(batches[:-1]) < 6


def test_a_record_that_the_broker_refuses_commits_nothing(place: Place) -> None:
    place.put(3)
    publisher = Publisher(place.cluster, place.name, **{"compression.type": "none"})

    def handle(messages: Sequence[Message]) -> None:
        for message in messages:
            publisher.send(place.tiny, b"", (message.value() or b"") * 2000)

    with pytest.raises(NotDelivered, match=r"3 records not delivered: .*(?i:large)"):
        place.run(handle, publisher=publisher)
    assert place.committed() < 0


def test_a_topic_that_is_not_there_commits_nothing(place: Place) -> None:
    place.put(1)
    publisher = Publisher(place.cluster, place.name, **{"topic.metadata.propagation.max.ms": 500})

    def handle(_messages: Sequence[Message]) -> None:
        publisher.send(f"{place.name}-gone", b"", b"x")

    with pytest.raises(NotDelivered, match=r"not delivered|[Uu]nknown topic"):
        place.run(handle, publisher=publisher)
    assert place.committed() < 0


def test_noise_stops_nobody_and_is_committed(place: Place) -> None:
    """The real stage over records that nobody signed: each is a dead letter, and the stage goes on."""
    place.put(300)
    recorder, stop = Recorder(), Stop()
    stage = Stage(EntryConfig(place.cluster, ENTRY_KEYS, hub()[0], "", "0", HealthConfig()), recorder)  # type: ignore[arg-type]

    def handle(messages: Sequence[Message]) -> None:
        stage(messages)
        if len(recorder.sent) >= 300:
            stop.set()

    place.run(handle, stop)
    assert place.committed() == 300
    assert {topic for topic, _, _ in recorder.sent} == {REJECTED}


def test_every_partition_of_a_batch_is_committed(place: Place) -> None:
    place.put(3, partition=0)
    place.put(4, partition=1)
    seen, stop = [], Stop()

    def handle(messages: Sequence[Message]) -> None:
        seen.extend(messages)
        if len(seen) == 7:
            stop.set()

    place.run(handle, stop)
    assert (place.committed(0), place.committed(1)) == (3, 4)


def test_a_process_whose_place_was_taken_commits_nothing(place: Place) -> None:
    """A second process in the same slot takes over while the first is busy: the first must end, not write on."""
    place.put(3)
    others: list[Consumer] = []

    def taken(_messages: Sequence[Message]) -> None:
        others.append(consumer(place.cluster, place.name, "0"))
        others[0].subscribe([place.name])

        def has_them() -> bool:
            others[0].poll(0.1)
            return bool(others[0].assignment())

        until(has_them, "the other one has the partitions")

    try:
        with pytest.raises(KafkaException) as failure:
            place.run(taken)
    finally:
        for other in others:
            other.close()
    assert failure.value.args[0].code() == KafkaError.FENCED_INSTANCE_ID
    assert place.committed() < 0


def test_lag_is_shown_per_topic(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "_LAG_SECONDS", 0.0)
    place.put(10)
    stop = Stop()
    place.run(lambda _messages: stop.set(), stop, batch=4)
    assert place.committed() == 4
    shown = REGISTRY.get_sample_value("sor_lag_records", {"stage": "entry", "topic": place.name})
    assert shown == 6


STOPPED = """
import sys
from pathlib import Path
from transport.clients import Cluster, consumer
from transport.loop import Loop, Stop
from transport.publisher import Publisher
import time
bootstrap, topic, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
def handle(messages):
    (folder / "busy").touch()
    while not (folder / "go").exists():
        time.sleep(0.02)
    with (folder / "done").open("a") as done:
        done.write(f"{len(messages)}\\n")
cluster = Cluster(bootstrap)
source, publisher = consumer(cluster, topic, "0"), Publisher(cluster, topic)
Loop("entry", source, publisher, 3).run([topic], handle, lambda: None, Stop().listen())
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_between_batches(place: Place, tmp_path: Path, number: signal.Signals) -> None:
    """The batch in hand is finished and committed, the next is not begun."""
    place.put(9)
    process = subprocess.Popen(
        [sys.executable, "-c", STOPPED, place.cluster.bootstrap, place.name, str(tmp_path)],
        cwd=Path(__file__).parents[2], env={**os.environ}, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        until((tmp_path / "busy").exists, "a batch is in hand")
        process.send_signal(number)
        (tmp_path / "go").touch()
        _, errors = process.communicate(timeout=30)
    finally:
        process.kill()
    assert (process.returncode, errors) == (0, "")
    handled = (tmp_path / "done").read_text().split()
    assert len(handled) == 1
    assert place.committed() == int(handled[0]) <= 3
