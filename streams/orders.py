"""What an operator asks of ``evaluate`` and ``entry``: read a record again, leave one out, take a source in again.

An operator moves coordinates and nothing else. A record that is to be handled again is read from the topic it came
from, by the stage itself, so nobody can slip in another value; only the stage's own source topics are accepted.

Requeue
    The stage subscribes ``sor.orders`` beside its own topics. The topic has one partition, so one worker gets each
    order, handles the record that it names as any other of the batch, and commits the order with that batch. A group
    that never committed an offset there begins with the first order; to handle a record twice changes nothing.
Skip and release
    Every worker reads all orders at its start, and then those that come. Releases of before the start say nothing:
    whoever was set aside is taken in again by the restart itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

import structlog
from confluent_kafka import Consumer, Message, TopicPartition

from faults import SenderFault
from monitoring import metrics
from schemas.codec import IdSource, Undecodable
from schemas.orders import RELEASE, REQUEUE, Order, Place
from schemas.topics import ORDERS
from schemas.typed import StructCodec
from transport.clients import Cluster
from transport.orders import OrderLog, Skips, assigned_reader, readable, skips_of

log = structlog.get_logger()

_TIMEOUT: Final = 10.0  # seconds, for the records of one partition
_LOOK_EVERY: Final = 1.0  # seconds between two looks for releases
#: Records between two wanted ones that are read past rather than jumped over.
_NEAR: Final = 2000
ReadAgain = Callable[[Sequence[Place]], Iterable[Message]]
News = Callable[[], list[Order]]


class Skipped(SenderFault):
    """An operator ordered this record to be left out."""


class Desk:
    """The orders for one stage. Without ``again`` and ``news`` there are none."""

    def __init__(
        self,
        stage: str,
        topics: Collection[str],
        *,
        skips: Skips | None = None,
        again: ReadAgain = lambda _places: (),
        news: News = list,
        ids: IdSource | None = None,
    ) -> None:
        self._stage, self._topics, self._skips = stage, frozenset(topics), skips or Skips()
        self._again, self._news, self._codec = again, news, StructCodec(Order, ids)
        self._due = 0.0

    @classmethod
    def opened(cls, cluster: Cluster, stage: str, topics: Collection[str], ids: IdSource | None = None) -> Desk:
        """The desk of a process. ``TopicError`` when ``sor.orders`` is not there."""
        orders = OrderLog(cluster, ids)
        skips = skips_of(stage, orders.read())
        return cls(stage, topics, skips=skips, again=_Again(cluster), news=orders.news, ids=ids)

    def released(self) -> list[str]:
        """Sources to take in again; asks at most once a second."""
        now = time.monotonic()
        if now < self._due:
            return []
        self._due = now + _LOOK_EVERY
        return [order.source for order in self._news() if order.action == RELEASE and order.stage == self._stage]

    def asked(self, messages: Sequence[Message]) -> Sequence[Message]:
        """A batch with the records that its orders ask for in the place of the orders."""
        if not any(message.topic() == ORDERS for message in messages):
            return messages
        own = [message for message in messages if message.topic() != ORDERS]
        places = list(dict.fromkeys(self._places(message for message in messages if message.topic() == ORDERS)))
        found = list(self._again(places))
        there = {Place(message.topic(), message.partition(), message.offset()) for message in found}
        for place in places:
            self._told("accepted" if place in there else "rejected", place, "its record is gone")
        return [*own, *found]

    def check(self, message: Message) -> None:
        """``Skipped`` for a record to leave out."""
        if self._skips and self._skips.leave_out(message.topic(), message.partition(), message.offset()):
            raise Skipped("left out by order of an operator")

    def _places(self, messages: Iterable[Message]) -> Iterator[Place]:
        for message in messages:
            try:
                order = self._codec.decode(message.value() or b"")
            except Undecodable:
                self._told("rejected", Place(ORDERS, message.partition(), message.offset()), "it is no order")
                continue
            if order.action != REQUEUE or order.stage != self._stage:
                continue
            if order.topic in self._topics and order.partition >= 0 and order.offset >= 0:
                yield order.place
            else:
                self._told("rejected", Place(ORDERS, message.partition(), message.offset()), "no topic of this stage")

    def _told(self, outcome: str, place: Place, reason: str) -> None:
        metrics.ORDERS.labels(stage=self._stage, outcome=outcome).inc()
        if outcome == "accepted":
            log.info("record read again by order", stage=self._stage, **place._asdict())
        else:
            log.error("an order cannot be carried out", stage=self._stage, reason=reason, **place._asdict())


class _Again:
    """Reads records at their coordinates; those that are not there any more are left out."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def __call__(self, places: Sequence[Place]) -> Iterator[Message]:
        if not places:
            return
        reader = assigned_reader(self._cluster, "sor-again")
        try:
            for (topic, partition), group in groupby(sorted(places), key=lambda place: place[:2]):
                yield from _of_partition(reader, topic, partition, [place.offset for place in group])
        finally:
            reader.close()


def _of_partition(reader: Consumer, topic: str, partition: int, offsets: list[int]) -> Iterator[Message]:
    """The records at ``offsets`` (in order) that are still there."""
    if partition not in reader.list_topics(topic, timeout=_TIMEOUT).topics[topic].partitions:
        return
    low, end = reader.get_watermark_offsets(TopicPartition(topic, partition), timeout=_TIMEOUT)
    left = [offset for offset in offsets if low <= offset < end]
    at, until = -_NEAR - 1, time.monotonic() + _TIMEOUT
    while left and time.monotonic() < until:
        if not 0 <= left[0] - at <= _NEAR:
            at = left[0]
            reader.assign([TopicPartition(topic, partition, at)])
        for message in readable(reader.consume(500, 0.5)):
            at, until = message.offset() + 1, time.monotonic() + _TIMEOUT
            while left and left[0] <= message.offset():
                if left.pop(0) == message.offset():
                    yield message
