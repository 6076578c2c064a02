"""Receipts: what became of a delivery, as the third party counts it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any, Final, Protocol

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from connectors.errors import BrokerDown
from domain.facts.answer import Receipt
from schemas.codec import IdSource
from schemas.topics import RECEIPTS
from schemas.typed import ReceiptCodec
from transport.clients import Cluster, consumer

#: How long the broker may take to answer before it counts as down.
ANSWER_SECONDS: Final = 10.0
_POLL: Final = 0.1
#: Deliveries whose receipts are kept until they are asked for.
MOST_WANTED: Final = 100_000
#: librdkafka's own log lines are left out: what matters becomes one sentence.
QUIET: Final[dict[str, Any]] = {"log_level": 0}


class Receipts(Protocol):
    """Where receipts come from."""

    def mark(self, delivery: str) -> None:
        """A delivery (its ``receipt_key``) is about to be published: its receipts from now on are wanted."""

    def wait(
        self, delivery: str, seconds: float, seen: Callable[[Receipt], None], pulse: Callable[[], None]
    ) -> Receipt | None:
        """The newest receipt since ``mark``: a finished one, or the last one when no receipt moved for ``seconds``.

        ``pulse`` is called several times a second; what it raises ends the wait.
        """

    def close(self) -> None:
        """Let go of the connection."""


class _Forbidden(Exception):
    """The broker shows no receipts to whoever asks."""


class KafkaReceipts:
    """Receipts from the topic, read from its end when the first delivery is marked, without a consumer group.

    A source reads no topic: where the broker says so there are no receipts here, and the intake has them.
    """

    def __init__(self, cluster: Cluster, ids: IdSource | None = None) -> None:
        self._cluster, self._codec = cluster, ReceiptCodec(ids)
        self._consumer: Consumer | None = None
        self._newest: dict[bytes, Receipt | None] = {}  # wanted deliveries, oldest first
        self._forbidden = False

    def mark(self, delivery: str) -> None:
        """Want the receipts of a delivery. ``BrokerDown`` when the end of the log cannot be known."""
        if self._consumer is None and not self._forbidden:
            try:
                self._consumer = self._at_the_end()
            except _Forbidden:
                self._forbidden = True
        self._newest.pop(delivery.encode(), None)
        self._newest[delivery.encode()] = None
        if len(self._newest) > MOST_WANTED:
            del self._newest[next(iter(self._newest))]

    def _at_the_end(self) -> Consumer:
        reader = consumer(self._cluster, "sor-connector", uuid.uuid4().hex, **QUIET)
        try:
            reader.assign(_ends(reader))
        except KafkaException as error:
            reader.close()
            raise BrokerDown(
                f"De berichtenserver {self._cluster.bootstrap} is niet bereikbaar ({error.args[0].name()}). "
                "Er is niets aangeleverd. Controleer of hij draait en geef dan hetzelfde commando opnieuw."
            ) from None
        except (BrokerDown, _Forbidden):
            reader.close()
            raise
        return reader

    def wait(
        self, delivery: str, seconds: float, seen: Callable[[Receipt], None], pulse: Callable[[], None]
    ) -> Receipt | None:
        """Poll until the receipt is finished or no wanted receipt moved for ``seconds``."""
        key = delivery.encode()
        deadline = time.monotonic() + seconds
        newest = self._newest.get(key)
        while not (self._forbidden or (newest is not None and newest.klaar)) and time.monotonic() < deadline:
            pulse()
            if self._read():
                deadline = time.monotonic() + seconds
            if self._newest.get(key) is not newest:
                newest = self._newest[key]
                if newest is not None:
                    seen(newest)
        return self._newest.pop(key, None)

    def _read(self) -> bool:
        """Take in one receipt; True when a wanted one moved."""
        assert self._consumer is not None, "mark comes first"  # noqa: S101
        message = self._consumer.poll(_POLL)
        if message is None or message.error() is not None:
            return False
        key, value = message.key(), message.value()
        if key not in self._newest or value is None:
            return False
        before, receipt = self._newest[key], self._codec.decode(value)
        self._newest[key] = receipt
        return before is None or receipt.gezien > before.gezien

    def close(self) -> None:
        """Close the consumer."""
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None


def _ends(reader: Consumer) -> list[TopicPartition]:
    """The end offset of every partition of the receipts."""
    topic = reader.list_topics(RECEIPTS, timeout=ANSWER_SECONDS).topics[RECEIPTS]
    if topic.error is not None and topic.error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
        raise _Forbidden
    if topic.error is not None or not topic.partitions:
        raise BrokerDown(
            f"Het kanaal {RECEIPTS} bestaat niet op de berichtenserver. Er is niets aangeleverd. "
            "Laat de beheerder `sor topics apply` uitvoeren."
        )
    ends = []
    for number in topic.partitions:
        _, end = reader.get_watermark_offsets(TopicPartition(RECEIPTS, number), timeout=ANSWER_SECONDS)
        ends.append(TopicPartition(RECEIPTS, number, end))
    return ends
