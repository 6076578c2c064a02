"""The log of events (``sor.events``), read partition by partition: what replay and audit recompute from.

Who reads is a member of no group: it says where to begin and where to end, and commits nothing. A partition has a low
end too: what was erased from the log is gone below it, and what stays stands again at the high end.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from faults import OperatorFault
from schemas.topics import EVENTS, groups
from transport.clients import ANSWER_SECONDS, Cluster
from transport.orders import Skips, readable

#: Records taken at once, and seconds that are waited for the first of them.
_BATCH: Final = 10_000
_WAIT: Final = 1.0
#: Seconds without a record after which a reader says that Kafka keeps it waiting, and after which it gives up.
SILENT: Final = 5.0
LOST: Final = 120.0

Tell = Callable[[int], None]


class LogMoved(OperatorFault):
    """The log is not what it was when the reading began: records went, or it was made anew."""


class LogSilent(OperatorFault):
    """Kafka gives no record though there are more."""


class Span(NamedTuple):
    """The records of one partition: from the first offset that is still there up to, and without, ``end``."""

    first: int
    end: int

    @property
    def records(self) -> int:
        """How many at most."""
        return max(0, self.end - self.first)


class Log(NamedTuple):
    """How far the log reaches, per partition."""

    spans: dict[int, Span]

    @property
    def ends(self) -> dict[int, int]:
        """The end of every partition."""
        return {partition: span.end for partition, span in self.spans.items()}

    @property
    def events(self) -> int:
        """Records that are there."""
        return sum(span.records for span in self.spans.values())


def log_ends(cluster: Cluster, reader: str = "audit") -> Log:
    """What the log holds now; ``KafkaException`` when the broker does not answer. ``reader``: whose group it is."""
    consumer = _consumer(cluster, reader)
    try:
        parts = consumer.list_topics(EVENTS, timeout=ANSWER_SECONDS).topics[EVENTS].partitions
        return Log({number: _span(consumer, number) for number in sorted(parts)})
    finally:
        consumer.close()


def _span(consumer: Consumer, partition: int) -> Span:
    return Span(*consumer.get_watermark_offsets(TopicPartition(EVENTS, partition), timeout=ANSWER_SECONDS))


class Reader:
    """Reads spans of partitions, one after the other. ``reader`` is the process that reads: its group names it."""

    def __init__(self, cluster: Cluster, reader: str = "audit", **extra: Any) -> None:
        self._consumer = _consumer(cluster, reader, **extra)

    def batches(
        self, partition: int, span: Span, skips: Skips, tell: Tell, waits: Callable[[str], None] | None = None
    ) -> Iterator[list[Message]]:
        """The records of a span in order, without those to leave out and without empty ones, which are no facts
        (``streams.erased``). ``tell`` hears how many records were read, ``waits`` that Kafka gives none for a while.

        Raises:
            LogMoved: records of the span went while it was read, or were gone before.
            LogSilent: Kafka was silent for two minutes.
            KafkaException: an error of the broker.
        """
        if not span.records:
            return
        self._consumer.assign([TopicPartition(EVENTS, partition, span.first)])
        place, heard, told = span.first, time.monotonic(), False
        while place < span.end:
            wanted = min(_BATCH, span.end - place)  # who asks for more than there is waits for it
            messages = list(readable(self._consumer.consume(wanted, _WAIT)))
            if not messages:
                told = self._silent(partition, span, time.monotonic() - heard, told, waits)
                continue
            heard, told = time.monotonic(), False
            place = _offset(messages[-1]) + 1
            kept = [one for one in messages if one.value()]
            if place > span.end:
                kept = [one for one in kept if _offset(one) < span.end]
            if skips:
                kept = list(skips.left(kept))
            yield kept
            tell(len(messages))
        self.unmoved(partition, span)

    def unmoved(self, partition: int, span: Span) -> None:
        """``LogMoved`` when records of the span are not there any more."""
        low, high = _span(self._consumer, partition)
        if low > span.first or high < span.end:
            raise LogMoved(
                f"{EVENTS}/{partition} held the offsets {span.first} to {span.end}, now {low} to {high}: it was"
                " rewritten or made anew meanwhile. Begin again."
            )

    def _silent(
        self, partition: int, span: Span, seconds: float, told: bool, waits: Callable[[str], None] | None
    ) -> bool:
        """What to do without records; whether it was told that Kafka keeps the reader waiting."""
        if seconds > LOST:
            raise LogSilent(f"Kafka gave no record of {EVENTS}/{partition} for {seconds:.0f} s: see sor status.")
        if seconds > SILENT:
            with contextlib.suppress(KafkaException):  # it does not answer either: that is what is waited for
                self.unmoved(partition, span)
            if waits is not None and not told:
                waits("Kafka gives no record: waiting for it.")
            return True
        return told

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()


def _offset(message: Message) -> int:
    return int(message.offset() or 0)


def _consumer(cluster: Cluster, reader: str, **extra: Any) -> Consumer:
    return Consumer(
        {
            **cluster.settings(),
            "group.id": groups().get(reader, f"sor-{reader}"),  # librdkafka wants a name; nothing is committed under it
            "client.id": f"sor-{reader}",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 20,
            "queued.max.messages.kbytes": 32_768,
            **extra,
        }
    )
