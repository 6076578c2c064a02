"""One filled source for all peers, their topics, and whether what came out of them is right.

Every peer reads the same source and has a consumer group, a changelog and rows of its own. What they leave, the newest
state and the newest row of every key, is compared with the project's own fold over the source, event by event.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from confluent_kafka.admin import NewTopic

from local.errors import StackError
from streams.engine.stage import Record
from tools.bench import batch
from tools.bench.meter import settle
from tools.bench.services import Services
from transport.clients import Cluster, admin

#: Key -> digest of all but the version, and the version (the offset of the newest event).
Prints = dict[bytes, tuple[bytes, int]]
_VERSION: Final = 8
_POLL, _STALL = 0.1, 30.0


class Peer(NamedTuple):
    """Who does the job: ``kind`` engine, bare, streams, cached or quix; and workers (of Java: threads)."""

    kind: str
    workers: int = 1

    @property
    def name(self) -> str:
        """In topics and folders."""
        return f"{self.kind}{self.workers}"


class Job:
    """A filled source. ``ends``: its events by partition."""

    def __init__(self, running: Services, name: str, events: int, run_length: int) -> None:
        self.name, self.events, self.cluster = name, events, running.cluster
        self.topics = batch.Topics(running.cluster.bootstrap)
        self.topics.load(events, run_length)
        settle(running.cluster, self.topics.name, self.topics.source)
        self.home = running.home / self.topics.name
        self.home.mkdir()
        self.ends = ends(self.cluster, self.topics.source)

    def group(self, peer: Peer) -> str:
        """Its consumer group; the bare loop of ``batch`` names its own."""
        return f"{self.topics.name}-bare" if peer.kind == "bare" else f"{self.topics.name}-{peer.name}"

    def rows(self, peer: Peer) -> str:
        """Where its rows go."""
        return f"{self.topics.name}.rows-{peer.name}"

    def changelog(self, peer: Peer) -> str:
        """Where its states go; the names of Kafka Streams and of Quix are their own."""
        if peer.kind == "quix":
            return f"changelog__{self.group(peer)}--{self.topics.source}--default"
        return f"{self.group(peer)}-facts-changelog"

    def prepare(self, peer: Peer) -> None:
        """Make the topics that it does not make itself."""
        policies = {self.rows(peer): "delete"}
        if peer.kind in {"engine", "bare"}:
            policies[self.changelog(peer)] = "compact"
        new = [NewTopic(topic, batch.PARTITIONS, 1, config={"cleanup.policy": how}) for topic, how in policies.items()]
        administrator = admin(self.cluster)  # held: what it still waits for goes with it
        for future in administrator.create_topics(new).values():
            future.result(15)

    def forget(self) -> None:
        """Remove the topics of all."""
        administrator = admin(self.cluster)
        names = [name for name in administrator.list_topics(timeout=10).topics if self.topics.name in name]
        for future in administrator.delete_topics(names).values():
            future.result(30)

    def check(self, peer: Peer, right: tuple[Prints, Prints]) -> None:
        """Compare states and rows of a peer with what is right.

        Raises:
            StackError: a key has another state or row, or there are too many or too few.
        """
        found = (newest(self.cluster, self.changelog(peer)), newest(self.cluster, self.rows(peer)))
        for what, mine, wanted in zip(("states", "rows"), found, right, strict=True):
            if wrong := differing(mine, wanted):
                raise StackError(
                    f"{peer.name} does another job than the engine: of {len(wanted):,} {what} ({self.name}) "
                    f"{wrong:,} are not those of the project's own fold. Its figures say nothing."
                )


def differing(found: Prints, right: Prints) -> int:
    """Keys that have another value or version, are missing, or should not be there."""
    return sum(found.get(key) != right.get(key) for key in found.keys() | right.keys())


def expected(job: Job) -> tuple[Prints, Prints]:
    """States and rows by the fold of the project itself over the source, one event at a time."""
    states: dict[bytes, bytes] = {}
    for message in messages(job.cluster, job.topics.source):
        record = Record(message.offset(), message.value(), message.timestamp()[1])
        states[message.key()], _ = batch.fold(message.key(), states.get(message.key()), [record])
    return (
        {key: fingerprint(state) for key, state in states.items()},
        {key: fingerprint(state[:304] + state[-_VERSION:]) for key, state in states.items()},
    )


def fingerprint(value: bytes) -> tuple[bytes, int]:
    """Everything but the version, hashed, and the version."""
    return hashlib.blake2b(value[:-_VERSION], digest_size=12).digest(), int.from_bytes(value[-_VERSION:], "big")


def newest(cluster: Cluster, topic: str) -> Prints:
    """The last value of every key."""
    values: dict[bytes, bytes] = {}
    for message in messages(cluster, topic):
        # Quix also keeps how far it is in a changelog, as another "column family", and writes key|name of the state.
        if any(name == "__column_family__" and value != b"default" for name, value in message.headers() or ()):
            continue
        values[message.key().split(b"|")[0]] = message.value()
    return {key: fingerprint(value) for key, value in values.items()}


def messages(cluster: Cluster, topic: str) -> Iterator[Message]:
    """Every record of a topic."""
    left = {partition: end for partition, end in ends(cluster, topic).items() if end}
    consumer = _reader(cluster)
    try:
        consumer.assign([TopicPartition(topic, partition, 0) for partition in left])
        moved = time.monotonic()
        while left:
            found = consumer.consume(5_000, _POLL)  # waits so long for all of them
            if found:
                moved = time.monotonic()
            elif time.monotonic() - moved > _STALL:
                raise StackError(f"{topic} cannot be read to its end: {json.dumps(left)} is not reached.")
            for message in found:
                if message.error():
                    raise KafkaException(message.error())
                yield message
                if message.offset() + 1 >= left.get(message.partition(), 1 << 62):
                    del left[message.partition()]
    finally:
        consumer.close()


def ends(cluster: Cluster, topic: str) -> dict[int, int]:
    """End offset by partition."""
    consumer = _reader(cluster)
    try:
        numbers = consumer.list_topics(topic, timeout=10).topics[topic].partitions
        return {one: consumer.get_watermark_offsets(TopicPartition(topic, one), timeout=10)[1] for one in numbers}
    finally:
        consumer.close()


def _reader(cluster: Cluster) -> Consumer:
    return Consumer({**cluster.settings(), "group.id": "bench-reader", "enable.auto.commit": False, "log_level": 2})


def datadir(job: Job, peer: Peer, worker: int = 0) -> Path:
    """Where a worker keeps its state."""
    return job.home / f"{peer.name}-{worker}"
