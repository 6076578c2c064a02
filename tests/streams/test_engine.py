"""The batch engine and its broker: what is checked at the start, what is said, and what is rebuilt."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, Producer, TopicCollection, TopicPartition
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from local.ports import free_port
from streams.engine.disk import MARKER
from tests.chaos.batch_stage import Stage, until
from transport import clients

pytestmark = pytest.mark.kafka


@pytest.fixture
def stage(broker: Any, tmp_path: Path) -> Iterator[Stage]:
    """A stage of its own, not started."""
    stage = Stage(broker.bootstrap, tmp_path)
    yield stage
    stage.stop()


def refused(stage: Stage) -> str:
    """The sentence with which a worker refuses to start."""
    worker = stage.start()
    assert worker.ends(30) == 70, worker.log()
    assert "Traceback" not in worker.log()
    return worker.log()


def to_earliest(stage: Stage) -> None:
    """Set the group back to the beginning, as an operator would."""
    parts = [TopicPartition(stage.source, partition, 0) for partition in range(stage.partitions)]
    future = stage.admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(stage.name, parts)])
    future[stage.name].result(15)


def group_is_empty(stage: Stage) -> None:
    """A static member counts until its session has passed, and offsets can be set only in an empty group."""
    described = stage.admin.describe_consumer_groups

    def empty() -> bool:
        return str(described([stage.name])[stage.name].result(15).state.name) == "EMPTY"

    until(empty, 30, "the end of the last session")


def test_a_missing_changelog_is_named(stage: Stage) -> None:
    stage.delete(stage.changelog)
    sentence = refused(stage)
    assert f"topic {stage.changelog} does not exist: run `sor topics apply`" in sentence
    assert stage.changelog not in stage.admin.list_topics(timeout=10).topics, "it is never created here"


def test_another_number_of_partitions_is_refused(stage: Stage) -> None:
    stage.delete(stage.changelog)
    stage.create(stage.changelog, partitions=3, policy="compact")
    assert "has 3 partitions, the stage is configured for 4" in refused(stage)


@pytest.mark.parametrize("topic", ["changelog", "source"])
def test_a_wrong_cleanup_policy_is_refused(stage: Stage, topic: str) -> None:
    name = getattr(stage, topic)
    entry = ConfigEntry("cleanup.policy", "compact,delete", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=[entry])
    stage.admin.incremental_alter_configs([resource])[resource].result(15)
    assert f"topic {name} has cleanup.policy compact,delete" in refused(stage)


def test_a_broker_that_is_away_is_named(stage: Stage) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    worker = stage.start(bootstrap=nowhere)
    assert worker.ends(40) == 70
    assert f"cannot ask Kafka at {nowhere}" in worker.log()


def test_a_changelog_that_takes_less_than_a_state_may_have_is_named(stage: Stage) -> None:
    stage.set_limit(stage.changelog, 100_000)
    sentence = refused(stage)
    assert f"{stage.changelog} takes records of 100000 bytes" in sentence
    assert "run `sor topics apply`" in sentence


def test_a_taken_health_port_is_named(stage: Stage) -> None:
    port = free_port()
    first = stage.start("w0", health_port=port)
    until(lambda: get(port, "/ready")[0] == 200, 30, "readiness")
    second = stage.start("w1", health_port=port)
    assert second.ends(30) == 70
    assert f"Port {port}" in second.log()
    assert first.terminate() == 0


def get(port: int, path: str) -> tuple[int, str]:
    """Status and text; status 0 when nobody listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""
    except OSError:
        return 0, ""


def test_readiness_and_metrics(stage: Stage) -> None:
    port = free_port()
    stage.load(2_000)
    worker = stage.start(health_port=port)
    seen = set()

    def ready() -> bool:
        seen.add(get(port, "/ready")[0])
        return 200 in seen

    until(ready, 30, "readiness")
    assert 503 in seen, "not ready before its partitions and its state are there"
    until(stage.caught_up, 30, "the end of the source")
    accepted = f'sor_records_total{{outcome="accepted",stage="{stage.name}"}} 2000.0'
    until(lambda: accepted in get(port, "/metrics")[1], 10, "the count")
    lag = f'sor_lag_records{{stage="{stage.name}",topic="{stage.source}"}} 0.0'
    until(lambda: lag in get(port, "/metrics")[1], 10, "the lag, which is looked at now and then")
    shown = get(port, "/metrics")[1]
    assert f'sor_ready{{stage="{stage.name}"}} 1.0' in shown
    assert f'sor_batch_seconds_count{{stage="{stage.name}",step="commit"}}' in shown
    assert worker.terminate() == 0


def test_lost_states_are_not_passed_over(stage: Stage) -> None:
    stage.load(2_000)
    stage.finish()
    stage.delete(stage.changelog)
    stage.create(stage.changelog, policy="compact")
    sentence = refused(stage)
    assert "the states are gone" in sentence
    kept = stage.home / stage.name / "w0" / "state" / "v1" / "tables"
    assert list(kept.glob("*.db")), "what may be the last copy is not removed"
    group_is_empty(stage)
    to_earliest(stage)
    worker = stage.finish()
    assert "removed, it is restored from the changelog" in worker.log()
    stage.verify()


def test_a_source_made_anew_is_not_taken_for_the_old_one(stage: Stage) -> None:
    stage.load(2_000)
    stage.finish()
    stage.delete(stage.source)
    stage.create(stage.source)
    assert f"topic {stage.source} was made anew while {stage.changelog} was kept" in refused(stage)


def test_a_group_ahead_of_its_source_stops_with_a_sentence(stage: Stage) -> None:
    stage.load(2_000)
    stage.finish()
    group_is_empty(stage)
    parts = [TopicPartition(stage.source, partition, 1_000_000) for partition in range(stage.partitions)]
    future = stage.admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(stage.name, parts)])
    future[stage.name].result(15)
    worker = stage.start()
    stage.load(100)
    assert worker.ends(40) == 70, worker.log()
    assert "committed offset 1000000" in worker.log()


def test_offsets_that_do_not_exist_are_passed(stage: Stage) -> None:
    producer = Producer(
        {"bootstrap.servers": stage.bootstrap, "transactional.id": stage.name, "partitioner": "murmur2_random"}
    )
    producer.init_transactions(15)
    for part in range(3):  # every commit leaves a marker that takes an offset and is no record
        producer.begin_transaction()
        for number in range(part * 100, part * 100 + 100):
            key = b"k%d" % (number % 10)
            producer.produce(stage.source, str(number).encode(), key)
            stage.expected[key].add(number)
        producer.commit_transaction(15)
    stage.loaded = 300
    worker = stage.start()
    until(lambda: sum(worker.batches()) >= 300, 40, f"all records\n{worker.log()}")
    assert worker.terminate() == 0
    stage.verify()


def test_a_damaged_state_is_removed_and_restored(stage: Stage) -> None:
    stage.load(2_000)
    stage.finish()
    tables = stage.home / stage.name / "w0" / "state" / "v1" / "tables"
    for current in tables.glob("*.db/CURRENT"):
        current.write_text("nonsense\n")
    worker = stage.start()
    assert worker.ends(40) == 70
    assert "was damaged and is removed" in worker.log()
    stage.load(500)
    stage.finish()
    stage.verify()


def test_a_broker_that_lost_the_end_of_the_changelog_is_not_believed(stage: Stage) -> None:
    stage.load(2_000)
    stage.finish()
    marker = stage.home / stage.name / "w0" / "state" / MARKER
    stage.delete(stage.changelog)
    stage.create(stage.changelog, policy="compact")
    producer = Producer({"bootstrap.servers": stage.bootstrap})
    for partition in range(stage.partitions):
        producer.produce(stage.changelog, b"{}", b"k0", partition=partition)  # one record each, the hardest to notice
    assert producer.flush(15) == 0
    ids = stage.admin.describe_topics(TopicCollection([stage.changelog]))[stage.changelog].result(15)
    marker.write_text(json.dumps({**json.loads(marker.read_text()), "changelog": str(ids.topic_id)}))
    worker = stage.start()
    assert worker.ends(40) == 70
    assert "the broker has lost the end of the changelog" in worker.log()
    assert list(marker.parent.glob("v1/tables/*.db")), "what may be the last copy is not removed"


def test_two_workers_on_one_directory_do_not_share_it(stage: Stage) -> None:
    stage.load(2_000)
    first = stage.start("w0")
    first.after(1)
    folder = stage.home / stage.name / "w0" / "state"
    second = stage.start("w1", datadir=str(folder))
    assert second.ends(40) == 70
    assert f"{folder} is used by another process" in second.log()
    stage.finish(first)
    stage.verify()


def test_what_our_own_producer_compresses_is_read(stage: Stage) -> None:
    producer = clients.producer(clients.Cluster(stage.bootstrap), "test")
    for number in range(1000):
        producer.produce(stage.source, str(number).encode(), b"k")
        stage.expected[b"k"].add(number)
    assert producer.flush(15) == 0
    stage.finish()
    stage.verify()


def test_rows_lie_where_java_would_put_them(stage: Stage) -> None:
    stage.load(500, keys=50)
    stage.finish()
    other = Producer({"bootstrap.servers": stage.bootstrap, "partitioner": "murmur2_random"})
    placed: dict[bytes, int] = {}
    reader = Consumer({"bootstrap.servers": stage.bootstrap, "group.id": "reader"})
    reader.assign([TopicPartition(stage.rows, partition, 0) for partition in range(stage.partitions)])
    until(lambda: _read(reader, placed) >= 50, 20, "the rows")
    reader.close()
    reported: dict[bytes, int] = {}
    stage.create(f"{stage.rows}.again")
    for key in placed:
        other.produce(
            f"{stage.rows}.again", b"", key, on_delivery=lambda _, m: reported.update({m.key(): m.partition()})
        )
    assert other.flush(15) == 0
    assert reported == placed
    assert len(set(placed.values())) == stage.partitions


def _read(reader: Consumer, placed: dict[bytes, int]) -> int:
    for message in reader.consume(500, timeout=0.2):
        placed[message.key()] = message.partition()
    return len(placed)
