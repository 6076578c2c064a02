"""Receipts: what became of a delivery, as the third party counts it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any, Final, Protocol

from confluent_kafka import Consumer, KafkaException, TopicPartition
from msgspec import Struct

from connectors.errors import BrokerDown
from schemas.codec import Codec, IdSource
from schemas.topics import RECEIPTS
from transport.clients import Cluster, consumer

#: How long the broker may take to answer before it counts as down.
ANTWOORD: Final = 10.0
_POLL: Final = 0.1
#: librdkafka's own log lines are left out: what matters becomes one sentence.
QUIET: Final[dict[str, Any]] = {"log_level": 0}


class Fout(Struct, frozen=True):
    """One refused record."""

    line: int
    regel: int
    regels: int
    code: str
    veld: str


class Receipt(Struct, frozen=True):
    """State of one delivery (``sor.receipts``): counts that grow until every record has an outcome."""

    delivery: str
    kind: str
    sender: str
    test: bool
    lines: int
    gezien: int = 0
    geaccepteerd: int = 0
    afgekeurd: int = 0
    regels_geaccepteerd: int = 0
    regels_afgekeurd: int = 0
    klaar: bool = False
    fouten: tuple[Fout, ...] = ()
    codes: dict[str, int] = {}
    eerste: int = 0
    laatste: int = 0
    version: int = 0


class Receipts(Protocol):
    """Where receipts come from."""

    def mark(self) -> None:
        """Remember where the log of receipts ends now, before anything is published."""

    def wait(
        self, delivery: str, seconds: float, seen: Callable[[Receipt], None], pulse: Callable[[], None]
    ) -> Receipt | None:
        """The newest receipt since ``mark``: a finished one, or the last one when nothing moved for ``seconds``.

        ``pulse`` is called several times a second; what it raises ends the wait.
        """

    def close(self) -> None:
        """Let go of the connection."""


class KafkaReceipts:
    """Receipts from the topic, read by its end offsets and without a consumer group."""

    def __init__(self, cluster: Cluster, ids: IdSource | None = None) -> None:
        self._cluster, self._codec = cluster, Codec("sor.receipts", ids)
        self._consumer: Consumer | None = None

    def mark(self) -> None:
        """Stand at the end of every partition. ``BrokerDown`` when that cannot be known."""
        try:
            if self._consumer is None:
                self._consumer = consumer(self._cluster, "sor-connector", uuid.uuid4().hex, **QUIET)
            self._consumer.assign(_ends(self._consumer))
        except KafkaException as error:
            raise BrokerDown(
                f"De berichtenserver {self._cluster.bootstrap} is niet bereikbaar ({error.args[0].name()}). "
                "Er is niets aangeleverd. Controleer of hij draait en geef dan hetzelfde commando opnieuw."
            ) from None

    def wait(
        self, delivery: str, seconds: float, seen: Callable[[Receipt], None], pulse: Callable[[], None]
    ) -> Receipt | None:
        """Poll until the receipt is finished or nothing moved for ``seconds``."""
        assert self._consumer is not None, "mark comes first"  # noqa: S101
        key, newest = delivery.encode(), None
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            pulse()
            message = self._consumer.poll(_POLL)
            value = message.value() if message is not None and message.error() is None else None
            if message is None or value is None or message.key() != key:
                continue
            receipt = from_record(self._codec.decode(value))
            if newest is None or receipt.gezien > newest.gezien:
                deadline = time.monotonic() + seconds
            newest = receipt
            seen(receipt)
            if receipt.klaar:
                break
        return newest

    def close(self) -> None:
        """Close the consumer."""
        if self._consumer is not None:
            self._consumer.close()
            self._consumer = None


def _ends(reader: Consumer) -> list[TopicPartition]:
    """The end offset of every partition of the receipts."""
    topic = reader.list_topics(RECEIPTS, timeout=ANTWOORD).topics[RECEIPTS]
    if topic.error is not None or not topic.partitions:
        raise BrokerDown(
            f"Het kanaal {RECEIPTS} bestaat niet op de berichtenserver. Er is niets aangeleverd. "
            "Laat de beheerder `sor topics apply` uitvoeren."
        )
    ends = []
    for number in topic.partitions:
        _, end = reader.get_watermark_offsets(TopicPartition(RECEIPTS, number), timeout=ANTWOORD)
        ends.append(TopicPartition(RECEIPTS, number, end))
    return ends


def from_record(record: dict[str, Any]) -> Receipt:
    """A receipt from a decoded record of ``sor.receipts``."""
    fields = {name: record[name] for name in Receipt.__struct_fields__}
    return Receipt(**{**fields, "fouten": tuple(Fout(**fout) for fout in record["fouten"])})
