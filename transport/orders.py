"""The orders of an operator (``sor.orders``) as a process reads them, and the records that it is to leave out.

Every process reads all orders at its start: what was left out once is left out in a replay too. They are few and small.
No consumer group takes part, so nobody needs a right but to read the topic.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from monitoring import metrics
from schemas.codec import IdSource, Undecodable
from schemas.orders import REBUILD, SKIP, Order, Place
from schemas.topics import ORDERS
from schemas.typed import StructCodec
from transport.clients import ANSWER_SECONDS, Cluster
from transport.topics import TopicError

log = structlog.get_logger()

_PARTITION: Final = 0  # the topic has one


def assigned_reader(cluster: Cluster, client_id: str) -> Consumer:
    """A consumer that is told what to read and is a member of no group."""
    return Consumer(
        {
            **cluster.settings(),
            "group.id": client_id,  # librdkafka wants a name; nothing is ever committed under it
            "client.id": client_id,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 20,
        }
    )


def readable(messages: Iterable[Message]) -> Iterator[Message]:
    """The records among what a reader of no group got; ``KafkaException`` for an error. That it has no right to the
    name that stands for its group is none: it joins nothing and commits nothing.
    """
    for message in messages:
        error = message.error()
        if error is None:
            yield message
        elif error.code() != KafkaError.GROUP_AUTHORIZATION_FAILED:
            raise KafkaException(error)


class OrderLog:
    """``sor.orders`` from its beginning. ``TopicError`` when it is not there, ``KafkaException`` when the broker is."""

    def __init__(self, cluster: Cluster, ids: IdSource | None = None) -> None:
        self._codec = StructCodec(Order, ids)
        self._reader = assigned_reader(cluster, "sor-orders")
        self._next = 0

    def read(self) -> list[Order]:
        """All orders up to now that were not read yet."""
        there = self._reader.list_topics(ORDERS, timeout=ANSWER_SECONDS).topics[ORDERS]
        if there.error is not None or not there.partitions:
            raise TopicError(f"topic {ORDERS} does not exist: run `sor topics apply`")
        place = TopicPartition(ORDERS, _PARTITION)
        low, end = self._reader.get_watermark_offsets(place, timeout=ANSWER_SECONDS)
        self._next = max(low, self._next)
        self._reader.assign([TopicPartition(ORDERS, _PARTITION, self._next)])
        found, until = [], time.monotonic() + ANSWER_SECONDS
        while self._next < end:
            if time.monotonic() > until:
                raise TopicError(
                    f"{ORDERS} could not be read to its end within {ANSWER_SECONDS:.0f} s: is the broker up?"
                )
            found += self._taken(self._reader.consume(1000, 0.5))
        return found

    def news(self) -> list[Order]:
        """Orders that came since; what is not here yet comes with the next call."""
        return self._taken(self._reader.consume(1000, 0))

    def close(self) -> None:
        """Leave the broker."""
        self._reader.close()

    def _taken(self, messages: Sequence[Message]) -> list[Order]:
        found = []
        for message in readable(messages):
            self._next = message.offset() + 1
            try:
                found.append(self._codec.decode(message.value() or b""))
            except Undecodable:
                log.warning("an order that cannot be read", partition=message.partition(), offset=message.offset())
        return found


class Skips:
    """The records that a stage leaves out; false when there are none."""

    def __init__(self, stage: str = "", places: Iterable[Place] = ()) -> None:
        self._stage, self._places = stage, frozenset(places)

    def __len__(self) -> int:
        return len(self._places)

    def leave_out(self, topic: Any, partition: Any, offset: Any) -> bool:
        """Whether to leave out the record that was met; says so in the log and in the metrics."""
        if (topic, partition, offset) not in self._places:
            return False
        log.warning("record left out by order", stage=self._stage, topic=topic, partition=partition, offset=offset)
        metrics.SKIPPED.labels(stage=self._stage).inc()
        return True

    def left(self, messages: Sequence[Message]) -> Sequence[Message]:
        """A batch without the records to leave out."""
        if not self._places:
            return messages
        return [one for one in messages if not self.leave_out(one.topic(), one.partition(), one.offset())]


def skips_of(stage: str, orders: Iterable[Order]) -> Skips:
    """What the orders tell a stage to leave out."""
    return Skips(stage, (order.place for order in orders if order.action == SKIP and order.stage == stage))


def ordered_epoch(stage: str, orders: Iterable[Order]) -> int:
    """The least epoch that the orders ask of a stage (``schemas.orders.REBUILD``); 0 when they ask none."""
    return max((one.offset for one in orders if one.action == REBUILD and one.stage == stage), default=0)


def read_orders(cluster: Cluster, ids: IdSource | None = None) -> list[Order]:
    """Every order up to now; errors as ``OrderLog``."""
    log_of_orders = OrderLog(cluster, ids)
    try:
        return log_of_orders.read()
    finally:
        log_of_orders.close()


def told_skips(stage: str, orders: Iterable[Order]) -> Skips:
    """As ``skips_of``, and the log says that there are some."""
    found = skips_of(stage, orders)
    if found:
        log.warning("records are left out by order", stage=stage, records=len(found))
    return found


def read_skips(cluster: Cluster, stage: str, ids: IdSource | None = None) -> Skips:
    """What a stage leaves out, as ordered up to now; errors as ``OrderLog``."""
    return told_skips(stage, read_orders(cluster, ids))
