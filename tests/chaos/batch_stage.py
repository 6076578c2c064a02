"""What the crash tests share: a stage with topics of its own, its load, its workers, and the comparison at the end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    OffsetSpec,
    ResourceType,
)

from tests.chaos.batch_worker import bucket

ROOT = Path(__file__).parents[2]


def until(true: Callable[[], Any], seconds: float, what: str) -> None:
    """Poll until ``true()``; fail with ``what`` when it does not come."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"{what} did not come within {seconds:.0f} s"
        time.sleep(0.02)


class Worker:
    """One worker process; its output lies in files."""

    def __init__(self, options: dict[str, Any], folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        number = len(list(folder.glob("out*")))
        self._out, self._err = folder / f"out{number}", folder / f"err{number}"
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with self._out.open("wb") as out, self._err.open("wb") as err:
            command = [sys.executable, "-m", "tests.chaos.batch_worker", json.dumps(options)]
            self.process = subprocess.Popen(command, stdout=out, stderr=err, cwd=folder, env=environment)

    def batches(self) -> list[int]:
        """Sizes of the batches committed so far."""
        lines = self._out.read_text().split("\n")[:-1]  # the last one may be half written
        return [int(line.split()[1]) for line in lines if line.startswith("batch ")]

    def log(self) -> str:
        """What it logged."""
        return self._err.read_text()

    def after(self, batches: int, seconds: float = 60) -> Worker:
        """Wait until so many batches are committed."""

        def enough() -> bool:
            assert self.process.poll() is None or len(self.batches()) >= batches, self.log()
            return len(self.batches()) >= batches

        until(enough, seconds, f"batch {batches} of {self.folder.name}")
        return self

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait()

    def ends(self, seconds: float = 60) -> int:
        """Wait for the exit code."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still runs after {seconds:.0f} s:\n{self.log()}") from None

    def terminate(self) -> int:
        """SIGTERM, and the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.ends(30)


class Stage:
    """A stage ``name`` with source, rows and changelog, all its own."""

    def __init__(self, bootstrap: str, home: Path, partitions: int = 4) -> None:
        self.bootstrap, self.home, self.partitions = bootstrap, home, partitions
        self.name = f"batch-{uuid.uuid4().hex[:8]}"
        self.source, self.rows = f"{self.name}.in", f"{self.name}.rows"
        self.changelog = f"{self.name}-facts-changelog"
        self.admin = AdminClient({"bootstrap.servers": bootstrap})
        self.group = Consumer({"bootstrap.servers": bootstrap, "group.id": self.name})  # only asks, never joins
        self.expected: dict[bytes, set[int]] = defaultdict(set)
        self.loaded = 0
        self.workers: list[Worker] = []
        self.create(self.source)
        self.create(self.rows)
        self.create(self.changelog, policy="compact")

    def create(self, topic: str, partitions: int | None = None, policy: str = "delete") -> None:
        """Create a topic and wait until the broker serves it."""
        new = NewTopic(topic, partitions or self.partitions, 1, config={"cleanup.policy": policy})
        self.admin.create_topics([new])[topic].result(15)
        until(lambda: topic in self.admin.list_topics(timeout=10).topics, 15, topic)

    def delete(self, topic: str) -> None:
        """Delete a topic and wait until it is gone."""
        self.admin.delete_topics([topic])[topic].result(15)
        until(lambda: topic not in self.admin.list_topics(timeout=10).topics, 15, f"the end of {topic}")

    def set_limit(self, topic: str, size: int) -> None:
        """Set max.message.bytes of a topic."""
        entry = ConfigEntry("max.message.bytes", str(size), incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
        self.admin.incremental_alter_configs([resource])[resource].result(15)

    def load(self, events: int, keys: int = 1000, run: int = 5) -> None:
        """Produce numbered events in runs of ``run`` per key."""
        producer = Producer(
            {
                "bootstrap.servers": self.bootstrap,
                "partitioner": "murmur2_random",
                "linger.ms": 5,
                "enable.idempotence": True,
                "queue.buffering.max.messages": 500_000,
                "compression.type": "lz4",
            }
        )
        for number in range(self.loaded, self.loaded + events):
            key = b"k%d" % (number // run % keys)
            producer.produce(self.source, str(number).encode(), key)
            self.expected[key].add(number)
        assert producer.flush(30) == 0
        self.loaded += events

    def feed(self, true: Callable[[], Any], what: str) -> None:
        """Produce a little at a time until ``true()``, so that there is work all the while."""

        def fed() -> bool:
            self.load(200)
            return bool(true())

        until(fed, 60, what)

    def start(self, slot: str = "w0", fault: dict[str, Any] | None = None, **options: Any) -> Worker:
        """Start a worker in its own folder."""
        folder = self.home / self.name / slot
        settings = {
            "name": self.name,
            "source": self.source,
            "table": "facts",
            "partitions": self.partitions,
            "bootstrap": self.bootstrap,
            "datadir": str(folder / "state"),
            "slot": slot,
            "session_timeout": 6.0,
            "heartbeat": 1.5,
            "pause_limit": 2.0,
            "max_poll_records": 200,
            "fault": fault or {},
            **options,
        }
        worker = Worker(settings, folder)
        self.workers.append(worker)
        return worker

    def committed(self) -> dict[int, int]:
        """Committed offset per partition, -1001 where there is none."""
        asked = [TopicPartition(self.source, partition) for partition in range(self.partitions)]
        return {part.partition: part.offset for part in self.group.committed(asked, timeout=15)}

    def ends(self, topic: str) -> dict[int, int]:
        """End offset per partition."""
        asked = {TopicPartition(topic, partition): OffsetSpec.latest() for partition in range(self.partitions)}
        return {part.partition: future.result(15).offset for part, future in self.admin.list_offsets(asked).items()}

    def caught_up(self) -> bool:
        """Whether every event is committed."""
        ends = self.ends(self.source)
        return all(self.committed()[partition] == end for partition, end in ends.items() if end > 0)

    def finish(self, worker: Worker | None = None, seconds: float = 60) -> Worker:
        """Let ``worker`` (or a new one) handle the rest and stop it."""
        worker = worker or self.start()
        until(self.caught_up, seconds, f"the end of the source\n{worker.log()}")
        assert worker.terminate() == 0, worker.log()
        return worker

    def read(self, topic: str) -> Iterator[tuple[bytes, dict[str, Any]]]:
        """Every record of a topic, per partition in order."""
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": "reader", "enable.partition.eof": False})
        ends = self.ends(topic)
        consumer.assign([TopicPartition(topic, partition, 0) for partition in ends])
        left = {partition for partition, end in ends.items() if end > 0}
        while left:
            for message in consumer.consume(1000, timeout=0.2):
                assert message.error() is None
                yield message.key(), json.loads(message.value())
                if message.offset() + 1 >= ends[message.partition()]:
                    left.discard(message.partition())
        consumer.close()

    def verify(self) -> None:
        """Nothing lost, nothing doubled: in the changelog as it is restored, and in the rows as a table keeps them."""
        states = {key: set(state["numbers"]) for key, state in self.read(self.changelog)}
        missing = sum(len(numbers - states.get(key, set())) for key, numbers in self.expected.items())
        assert missing == 0, f"{missing} events lost from the changelog"
        assert states == self.expected
        rows: dict[bytes, dict[str, Any]] = {}
        for key, row in self.read(self.rows):
            before = rows.get(key)
            if before is None or row["version"] >= before["version"]:
                assert before is None or row["version"] > before["version"] or row == before, "one version, two rows"
                rows[key] = row
        shown = {key: set(row["numbers"]) for key, row in rows.items() if not row["deleted"]}
        assert shown == {
            key + b"/" + bucket(len(numbers)).encode(): numbers for key, numbers in self.expected.items()
        }, "rows differ from the reference"

    def verify_monotonic(self) -> None:
        """No changelog record lies behind a newer one of its key."""
        versions: dict[bytes, int] = {}
        behind = 0
        for key, state in self.read(self.changelog):
            behind += state["version"] < versions.get(key, -1)
            versions[key] = state["version"]
        assert behind == 0, f"{behind} changelog records behind newer ones"

    def stop(self) -> None:
        """Leave nothing running."""
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.process.send_signal(signal.SIGCONT)
                worker.kill()
        self.group.close()
