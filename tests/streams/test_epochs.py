"""The note at the group of a stage, on a real broker: what takes it back to the first record, and under which epoch."""

from __future__ import annotations

import time
import uuid
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import NewTopic

from streams.engine.stage import StageConfig, StageError
from streams.epochs import settle
from tests.conftest import RunningBroker
from transport import clients
from transport.notes import note_text, noted_at
from transport.topic_ids import topic_ids

pytestmark = pytest.mark.kafka
RECORDS = 5


@pytest.fixture
def config(broker: RunningBroker, tmp_path: Path) -> StageConfig:
    """A stage with two partitions that holds some records in each."""
    name = f"st-{uuid.uuid4().hex[:8]}"
    config = StageConfig(name, f"{name}-in", "facts", 2, broker.bootstrap, tmp_path, "w0")
    cluster = clients.Cluster(broker.bootstrap)
    admin = clients.admin(cluster)
    made = admin.create_topics([NewTopic(topic, 2, 1) for topic in (config.source, config.changelog)])
    for future in made.values():
        future.result(20)
    producer = clients.producer(cluster, "test")
    for partition in range(2):
        for number in range(RECORDS):
            producer.produce(config.source, b"value", b"%d" % number, partition=partition)
    assert producer.flush(20) == 0
    return config


def member(config: StageConfig) -> Consumer:
    return Consumer(
        {"bootstrap.servers": config.bootstrap, "group.id": config.name, "enable.auto.commit": False}
        | {"auto.offset.reset": "earliest", "fetch.wait.max.ms": 20}
    )


def committed(config: StageConfig) -> list[int]:
    one = member(config)
    parts = one.committed([TopicPartition(config.source, partition) for partition in range(2)], timeout=20)
    one.close()
    return [part.offset for part in parts]


def read_on(config: StageConfig) -> None:
    """As the stage would have: everything in one partition, nothing in the other."""
    one = member(config)
    one.commit(offsets=[TopicPartition(config.source, 0, RECORDS)], asynchronous=False)
    one.close()


def give_out_anew(config: StageConfig, names: str, patience: float = 45.0) -> bool:
    return settle(config, names, patience=patience).back


def write_state(config: StageConfig) -> None:
    producer = clients.producer(clients.Cluster(config.bootstrap), "test")
    producer.produce(config.changelog, b"state", b"key", partition=0)
    assert producer.flush(20) == 0


def make(config: StageConfig, topic: str) -> None:
    """A topic, again when there was one, and all know it."""
    admin, until = clients.admin(clients.Cluster(config.bootstrap)), time.monotonic() + 20
    before = topic_ids(admin, [topic])
    if before:
        admin.delete_topics([topic])[topic].result(20)
    made = False
    while not made or topic_ids(admin, [topic]) in (before, {}):
        assert time.monotonic() < until
        try:
            admin.create_topics([NewTopic(topic, 2, 1)])[topic].result(20)
            made = True
        except KafkaException:
            time.sleep(0.05)  # it is still being removed, or there already


def note(config: StageConfig) -> dict[str, str]:
    one = member(config)
    (found,) = one.committed([TopicPartition(config.changelog, 0)], timeout=20)
    one.close()
    return noted_at(found)


def test_a_new_group_is_noted_and_stays(config: StageConfig) -> None:
    first = settle(config, "a")
    assert first.epoch > 400_000
    assert not first.back
    read_on(config)
    write_state(config)
    assert settle(config, "a") == first
    assert committed(config)[0] == RECORDS


def test_rows_without_a_note_or_under_other_names_go_out_anew(config: StageConfig) -> None:
    write_state(config)
    read_on(config)
    for names in ("a", "b"):
        begun = settle(config, names)
        assert (begun.epoch, begun.back) == (0, True)
        assert committed(config)[0] == 0
        assert not give_out_anew(config, names)
        read_on(config)


def test_a_topic_that_was_made_anew_is_noticed(config: StageConfig) -> None:
    """Source: a higher epoch. Row topic: the epoch stays. Changelog: its note goes with it."""
    rows = f"{config.name}-rows"
    make(config, rows)
    begun = settle(config, "a", (rows,))
    read_on(config)
    write_state(config)
    make(config, rows)
    again = settle(config, "a", (rows,))
    assert (again.epoch, again.back, again.why) == (begun.epoch, True, "a topic of its rows was made anew")
    assert committed(config)[0] == 0
    read_on(config)
    assert not settle(config, "a", (rows,)).back
    make(config, config.source)
    other = settle(config, "a", (rows,))
    assert other.epoch > begun.epoch
    assert other.why == "its source was made anew"
    assert note(config)["epoch"] == note(config)["since"] == str(other.epoch) == str(other.since)
    one = member(config)  # a log that has lost its end, and a word of somebody else in the note
    kept = TopicPartition(config.changelog, 0, 0, note_text({**note(config), "other": "word"}))
    one.commit(offsets=[TopicPartition(config.source, 0, RECORDS), kept], asynchronous=False)
    one.close()
    cut = settle(config, "a", (rows,))
    assert (cut.epoch > other.epoch, cut.why) == (True, "its source has lost its end")
    assert note(config)["other"] == "word"
    assert settle(config, "a", (rows,), ordered=cut.epoch + 5).epoch == cut.epoch + 5
    make(config, config.changelog)
    read_on(config)
    gone = settle(config, "a", (rows,))
    assert gone.why == "its states are gone"


def test_a_worker_that_runs_is_in_the_way_of_other_names_only(config: StageConfig) -> None:
    write_state(config)
    read_on(config)
    assert give_out_anew(config, "a")
    one = member(config)
    one.subscribe([config.source])
    until = time.monotonic() + 30
    while not one.assignment() and time.monotonic() < until:
        one.poll(0.1)
    assert one.assignment()
    assert not give_out_anew(config, "a", patience=0)
    with pytest.raises(StageError, match="another worker of it is running: stop every worker"):
        give_out_anew(config, "b", patience=0)
    one.commit(offsets=[TopicPartition(config.source, 0, RECORDS)], asynchronous=False)
    one.close()
    assert committed(config)[0] == RECORDS
    assert give_out_anew(config, "b")
