"""Does a group move: asked of the broker, judged by what is committed."""

from __future__ import annotations

import threading
import time
import uuid

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from tests.conftest import RunningBroker
from transport import progress
from transport.clients import Cluster
from transport.health import Health, HealthConfig
from transport.progress import Offsets, Progress, Still

ONE, TWO = ("t", 0), ("t", 1)


def test_a_partition_stands_still_from_when_it_has_records_and_none_is_handled() -> None:
    still = Still()
    assert still.seen({ONE: Offsets(5, 5)}, [ONE], 0) == 0
    assert still.seen({ONE: Offsets(5, 9)}, [ONE], 10) == 0
    assert still.seen({ONE: Offsets(5, 12)}, [ONE], 14) == 4
    assert still.seen({ONE: Offsets(6, 12)}, [ONE], 15) == 0
    assert still.seen({ONE: Offsets(6, 12)}, [ONE], 17) == 2
    assert still.seen({ONE: Offsets(12, 12)}, [ONE], 18) == 0
    assert still.seen({ONE: Offsets(12, 13)}, [ONE], 30) == 0


def test_what_others_have_is_theirs_and_who_has_nothing_waits_while_somebody_moves() -> None:
    still = Still()
    for now in (0.0, 10.0):
        longest = still.seen({ONE: Offsets(5, 9), TWO: Offsets(int(now), 99)}, [TWO], now)
        assert longest == 0
    assert still.seen({ONE: Offsets(5, 9), TWO: Offsets(10, 99)}, [ONE], 12) == 12
    assert still.seen({ONE: Offsets(5, 9), TWO: Offsets(10, 99)}, [], 12) == 2  # the other partition moved at 10
    assert still.seen({ONE: Offsets(5, 9), TWO: Offsets(99, 99)}, [TWO], 13) == 0  # ours has nothing to do
    still.forget()
    assert still.seen({ONE: Offsets(5, 9)}, [ONE], 14) == 0


def test_a_partition_that_waits_for_its_turn_does_not_stand_still_until_it_waits_too_long() -> None:
    still, told = Still(), {}
    for now in range(0, 200, 5):
        told[now] = still.seen({ONE: Offsets(now, 999), TWO: Offsets(7, 9)}, [ONE, TWO], now)
    assert max(told[now] for now in range(5, 125, 5)) == 0, "one of ours moves"
    assert told[125] == 125, "the other waits too long for a turn"
    for now in (200, 205, 220):
        assert still.seen({ONE: Offsets(195, 999)}, [ONE], now) == now - 195


def test_who_rests_on_purpose_does_not_stand_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "EVERY", 0.001)
    resting, looks, looked = [True], list[bool](), threading.Event()
    follows = Progress(Cluster("127.0.0.1:1"), "st", ["in"], list, lambda: resting[0])

    def look() -> str:
        looks.append(resting[0])
        looked.set()
        return "it stands still"

    monkeypatch.setattr(follows, "look", look)
    follows.start(lambda: True)
    assert not looked.wait(0.05)
    assert follows.words is None
    resting[0] = False
    assert looked.wait(5)
    follows.stop()
    assert not any(looks)


@pytest.mark.kafka
def test_a_group_that_handles_nothing_is_told_and_one_that_commits_is_not(
    broker: RunningBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "LIMIT", 0.2)
    name = f"progress-{uuid.uuid4().hex[:8]}"
    client = AdminClient({"bootstrap.servers": broker.bootstrap, "log_level": 0})
    client.create_topics([NewTopic(name, 2, 1)])[name].result()
    member = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": name})
    producer = Producer({"bootstrap.servers": broker.bootstrap})
    try:
        for _ in range(3):
            producer.produce(name, b"x", partition=1)
        assert producer.flush(20) == 0
        follows = Progress(Cluster(broker.bootstrap), name, [name, "not there"], lambda: [(name, 1)])
        assert follows.look() is None  # nothing was ever committed: nothing is known
        member.commit(offsets=[TopicPartition(name, 1, 1)], asynchronous=False)
        assert follows.look() is None
        time.sleep(0.3)
        assert follows.look() == "there are records and none was handled for 0 s"
        member.commit(offsets=[TopicPartition(name, 1, 3)], asynchronous=False)
        time.sleep(0.3)
        assert follows.look() is None
    finally:
        member.close()
        client.delete_topics([name])[name].result()


def test_where_no_broker_answers_nobody_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "ANSWER", 0.1)
    follows = Progress(Cluster("127.0.0.1:1"), "g", ["t"], list)
    follows.words = "before"
    assert follows.look() is None
    assert follows.words is None


def test_health_says_that_its_group_stands_still() -> None:
    health, follows = Health(HealthConfig(), "entry"), Progress(Cluster("127.0.0.1:1"), "g", ["t"], list)
    health.follow(follows)
    try:
        follows.words = "there are records and none was handled for 21 s"
        assert health.stuck() is None  # it starts
        health.turned()
        assert health.stuck() == follows.words
    finally:
        health.stop()
