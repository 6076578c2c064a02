"""Partitions of a log: which there are, where a group is in them, and everything that they hold."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Final, NamedTuple

from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition

from faults import OperatorFault
from transport import groups
from transport.clients import ANSWER_SECONDS, Cluster, admin
from transport.orders import assigned_reader, readable

_LOOK_EVERY: Final = 0.5


class RewritingError(OperatorFault):
    """A partition could not be rewritten. Nothing of it was removed; the same again goes on where this was."""


class Part(NamedTuple):
    """A partition of a log."""

    topic: str
    partition: int

    def at(self, offset: int, note: str = "") -> TopicPartition:
        """As the client wants it."""
        return TopicPartition(self.topic, self.partition, offset, note)

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}"


def committed(reader: Consumer, part: Part) -> TopicPartition:
    """Where the group of a reader is."""
    (place,) = groups.committed(reader, [part.at(0)])
    return place


def passed(cluster: Cluster, group: str, part: Part, offset: int, patience: float) -> None:
    """Wait until a group has read a partition up to an offset. A group that never read has nothing to be waited for.

    Raises:
        RewritingError: it takes longer than ``patience`` seconds.
    """
    until = time.monotonic() + patience
    with closing(assigned_reader(cluster, group)) as reader:
        while True:
            place = committed(reader, part)
            if place.offset < 0 or place.offset >= offset:
                return
            if time.monotonic() > until:
                raise RewritingError(
                    f"{group} has not read {part} to {offset}: start that stage, or wait until it has caught up (sor "
                    "status), then do the same again."
                )
            time.sleep(_LOOK_EVERY)


def parts(cluster: Cluster, topic: str) -> list[Part]:
    """Every partition of a log; ``RewritingError`` when it is not there."""
    found = admin(cluster).list_topics(topic, timeout=ANSWER_SECONDS).topics[topic]
    if found.error is not None:
        raise RewritingError(f"Topic {topic} is not there ({found.error.name()}): run `sor topics apply`.")
    return [Part(topic, number) for number in sorted(found.partitions)]


def partitions(cluster: Cluster, topic: str) -> list[int]:
    """The partitions of a topic; ``RewritingError`` when it is not there."""
    return [part.partition for part in parts(cluster, topic)]


def end_of(cluster: Cluster, part: Part) -> int:
    """The offset that the next record of a partition gets."""
    with closing(assigned_reader(cluster, "sor-forget")) as reader:
        return int(reader.get_watermark_offsets(part.at(0), timeout=ANSWER_SECONDS)[1])


def whole(cluster: Cluster, topic: str, among: Sequence[Part] = ()) -> Iterator[Message]:
    """Every record that a topic, or some of its partitions, holds now; ``RewritingError`` when it cannot be read."""
    with closing(assigned_reader(cluster, "sor-forget")) as reader:
        for number in sorted({part.partition for part in among}) or partitions(cluster, topic):
            place = TopicPartition(topic, number, OFFSET_BEGINNING)
            low, end = reader.get_watermark_offsets(place, timeout=ANSWER_SECONDS)
            reader.assign([place])
            at, until = low, time.monotonic() + ANSWER_SECONDS
            while at < end:
                yield from (one for one in readable(reader.consume(10_000, 0.2)) if int(one.offset() or 0) < end)
                (position,) = reader.position([place])
                if position.offset > at:
                    at, until = position.offset, time.monotonic() + ANSWER_SECONDS
                elif time.monotonic() > until:
                    raise RewritingError(f"{topic}/{number} could not be read to its end: is the broker up?")


def part_of(message: Message) -> Part:
    """Where a record lies."""
    return Part(str(message.topic()), int(message.partition() or 0))
