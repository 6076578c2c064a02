"""``sor topics apply`` on a real broker: the difference first, then what is declared, and never a partition count."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic, TopicMetadata

from local.ports import free_port
from schemas.topics import WIDENED, topics
from tests.conftest import RunningBroker
from transport.clients import Cluster
from transport.topics import _declared, apply, plan

pytestmark = pytest.mark.kafka


class Shop:
    """The command as an operator gives it, and the broker as it stands."""

    def __init__(self, bootstrap: str, home: Path) -> None:
        self.bootstrap, self.home = bootstrap, home
        self.admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})

    def sor(self, *words: str, answer: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "SOR_KAFKA": self.bootstrap, "SOR_HOME": str(self.home), **settings}
        return subprocess.run(
            [sys.executable, "-m", "sor", "topics", *words],
            env=environment, capture_output=True, text=True, input=answer, timeout=60, check=False,
        )  # fmt: skip

    def present(self) -> dict[str, int]:
        """Declared topics on the broker, with their partitions."""
        found = self.admin.list_topics(timeout=10).topics
        return {name: len(meta.partitions) for name, meta in found.items() if name in topics()}

    def config(self, topic: str) -> dict[str, str]:
        resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
        return {name: entry.value for name, entry in self.admin.describe_configs([resource])[resource].result().items()}

    def alter(self, topic: str, **values: str) -> None:
        entries = [
            ConfigEntry(name.replace("_", "."), value, incremental_operation=AlterConfigOpType.SET)
            for name, value in values.items()
        ]
        resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=entries)
        self.admin.incremental_alter_configs([resource])[resource].result()
        wanted = {name.replace("_", "."): value for name, value in values.items()}
        until(lambda: wanted.items() <= self.config(topic).items())

    def delete(self, *names: str) -> None:
        """These topics are gone, and the broker says so."""
        for future in self.admin.delete_topics(list(names)).values():
            future.result()
        until(lambda: not set(names) & set(self.admin.list_topics(timeout=10).topics))

    def clear(self) -> None:
        """No declared topic is left."""
        if present := self.present():
            self.delete(*present)


def until(true: Callable[[], bool]) -> None:
    """A broker shows a change a moment after it took it."""
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture
def shop(broker: RunningBroker, tmp_path: Path) -> Iterator[Shop]:
    made = Shop(broker.bootstrap, tmp_path)
    made.clear()
    yield made
    made.clear()


def test_an_empty_broker_gets_every_topic(shop: Shop) -> None:
    check = shop.sor("apply", "--check")
    assert check.returncode == 1
    assert check.stdout.count("create ") == len(topics())
    assert "sor.events: 4 partitions, cleanup.policy=delete" in check.stdout
    assert shop.present() == {}

    done = shop.sor("apply", "--yes", SOR_PARTITIONS="3")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Created {len(topics())} topics" in done.stdout
    assert shop.present() == {name: topic.partitions or 3 for name, topic in topics().items()}
    for topic in topics().values():
        assert topic.config.items() <= shop.config(topic.name).items()

    again = shop.sor("apply", "--check", SOR_PARTITIONS="3")
    assert (again.returncode, again.stdout) == (0, f"All {len(topics())} topics are as declared.\n")


def test_a_changed_setting_is_shown_and_put_right(shop: Shop) -> None:
    shop.sor("apply", "--yes")
    declared = topics()["sor.lines"].config["retention.ms"]
    shop.alter("sor.lines", retention_ms="1000")
    shop.alter("sor.receipts", cleanup_policy="delete")
    shop.alter("sor.scores", segment_ms="70000")  # not declared: the operator's own

    check = shop.sor("apply", "--check")
    assert check.returncode == 1
    assert sorted(check.stdout.splitlines()) == [
        f"config     sor.lines: retention.ms: 1000 -> {declared}",
        "config     sor.receipts: cleanup.policy: delete -> compact",
    ]
    refused = shop.sor("apply", answer="n\n")
    assert refused.returncode == 1
    assert shop.config("sor.lines")["retention.ms"] == "1000"

    done = shop.sor("apply", answer="y\n")
    assert done.returncode == 0
    assert "Created 0 topics, made 2 other changes." in done.stdout
    assert shop.config("sor.lines")["retention.ms"] == declared
    assert shop.config("sor.receipts")["cleanup.policy"] == "compact"
    assert shop.config("sor.scores")["segment.ms"] == "70000"
    assert shop.sor("apply", "--check").returncode == 0


def test_replicas_are_shown_and_asked_for_only_where_they_are(shop: Shop) -> None:
    """Else a topic with one replica would take no record from then on."""
    shop.sor("apply", "--yes")
    assert {shop.config(name)["min.insync.replicas"] for name in topics()} == {"1"}
    for words, settings in ((("--replication", "3"), {}), ((), {"SOR_REPLICATION": "3"})):
        check = shop.sor("apply", "--check", *words, **settings)
        assert check.returncode == 1
        lines = check.stdout.splitlines()
        assert len(lines) == len(topics())
        assert lines[0].startswith("replicas   sor.in.start: has 1, declared 3: change them with kafka-reassign-")
    done = shop.sor("apply", SOR_REPLICATION="3")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "Created 0 topics, made 0 other changes.")
    shop.alter("sor.lines", min_insync_replicas="2")
    assert shop.sor("apply", "--check").stdout == "config     sor.lines: min.insync.replicas: 2 -> 1\n"


def test_a_topic_that_is_created_has_its_replicas(shop: Shop) -> None:
    found = {change.topic: change.detail for change in plan(Cluster(shop.bootstrap), 2, replication=3)}
    assert found.keys() == topics().keys()
    assert all("min.insync.replicas=2" in detail and "3 replica(s)" in detail for detail in found.values())
    refused = shop.sor("apply", "--yes", SOR_REPLICATION="3")
    assert refused.returncode == 2
    assert "replication factor" in refused.stderr.lower()
    assert "Traceback" not in refused.stderr


def test_a_missing_topic_is_made_again_and_others_are_let_be(shop: Shop) -> None:
    shop.sor("apply", "--yes")
    shop.delete("sor.scores")
    shop.admin.create_topics([NewTopic("not-ours", 1, 1)])["not-ours"].result()
    try:
        done = shop.sor("apply", "--yes")
        assert done.stdout.splitlines()[0].startswith("create     sor.scores: 4 partitions")
        assert "Created 1 topics" in done.stdout
        assert "not-ours" not in done.stdout
        assert "not-ours" in shop.admin.list_topics(timeout=10).topics
    finally:
        shop.admin.delete_topics(["not-ours"])["not-ours"].result()


def test_a_partition_count_is_never_changed(shop: Shop) -> None:
    shop.sor("apply", "--yes", SOR_PARTITIONS="2")
    shop.alter("sor.lines", retention_ms="1000")
    check = shop.sor("apply", "--check")
    assert check.returncode == 1
    assert "partitions sor.events: has 2, declared 4" in check.stdout
    done = shop.sor("apply", "--yes")
    assert done.returncode == 2
    assert "A count is not simply changed" in done.stderr
    assert "SOR_PARTITIONS" in done.stderr
    assert "Traceback" not in done.stderr
    assert set(shop.present().values()) == {2, 1}, "one of them has one partition wherever it is"
    assert shop.config("sor.lines")["retention.ms"] == "1000"  # nothing is done by halves


def test_what_somebody_else_made_meanwhile_is_no_fault(shop: Shop) -> None:
    """Two operators at once: the plan of the second is old when it is carried out."""
    cluster = Cluster(shop.bootstrap)
    old = plan(cluster, 2)
    apply(cluster, plan(cluster, 2), 2)
    apply(cluster, old, 2)
    assert plan(cluster, 2) == []


def test_a_broker_that_does_not_answer_is_one_sentence(shop: Shop) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    done = shop.sor("apply", "--check", SOR_KAFKA=nobody)
    assert done.returncode == 2
    assert done.stderr.startswith(f"sor: Kafka at {nobody} does not answer")
    assert "Traceback" not in done.stderr


def test_the_log_may_have_more_partitions_and_then_its_state_has_as_many() -> None:
    log, changelog = WIDENED
    found = {log: _with(8), changelog: _with(8), "sor.lines": _with(8)}
    assert [_declared(name, found, 4) for name in found] == [8, 8, 4]
    assert [_declared(name, {log: _with(2)}, 4) for name in (log, changelog)] == [4, 4]


def _with(partitions: int) -> TopicMetadata:
    found = TopicMetadata()
    found.partitions = dict.fromkeys(range(partitions))
    return found
