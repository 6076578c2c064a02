"""The note about names at a consumer group: other names take the group back to the beginning, the same ones do not."""

from __future__ import annotations

import time
import uuid
from pathlib import Path

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import NewTopic

from streams.engine.stage import StageConfig, StageError
from streams.renamed import give_out_anew
from tests.conftest import RunningBroker
from transport import clients

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


def test_a_new_group_is_noted_and_stays(config: StageConfig) -> None:
    assert not give_out_anew(config, "a")
    read_on(config)
    assert not give_out_anew(config, "a")
    assert committed(config)[0] == RECORDS


def test_rows_without_a_note_or_under_other_names_go_out_anew(config: StageConfig) -> None:
    read_on(config)
    for names in ("a", "b"):
        assert give_out_anew(config, names)
        assert committed(config)[0] == 0
        assert not give_out_anew(config, names)
        read_on(config)


def test_a_worker_that_runs_is_in_the_way_of_other_names_only(config: StageConfig) -> None:
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
