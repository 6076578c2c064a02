"""The one consumer of ``sor.receipts`` in this process: a thread that hands what it reads to the event loop.

The topic is compacted: read from its start it holds the newest receipt of every delivery. So nothing is stored here,
and a restart knows what it knew. Receipts that nobody with a token may see are dropped as soon as they are decoded.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from threading import Event, Thread
from typing import Any, Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from connectors.answer.receipts import QUIET
from connectors.errors import BrokerDown
from connectors.intake.index import Entry, entry
from connectors.intake.tokens import ANY
from connectors.intake.work import where
from schemas.codec import IdSource
from schemas.topics import RECEIPTS
from schemas.typed import ReceiptCodec
from transport.clients import Cluster, consumer

_BATCH: Final = 500
_POLL: Final = 0.2
_ASK_EVERY: Final = 5.0  # whether the broker answers, while nothing comes
_ANSWER: Final = 5.0
_QUEUE: Final = {"queued.max.messages.kbytes": 8_192}

Give = Callable[[list[Entry]], None]


class ReceiptReader(Thread):
    """Reads until ``stop``. ``give`` and ``broken`` are called from this thread.

    ``current`` is set when everything that was in the topic at the start has been read; ``answers`` tells whether the
    broker was there when last looked at.
    """

    def __init__(self, cluster: Cluster, ids: IdSource | None, give: Give, broken: Callable[[str], None]) -> None:
        super().__init__(name="receipts", daemon=True)
        self._cluster, self._codec, self._give, self._broken = cluster, ReceiptCodec(ids), give, broken
        self._ended, self._again = Event(), Event()
        self._asked = 0.0
        self.current, self.answers = Event(), False
        self.providers: frozenset[str] = frozenset()

    def read_again(self) -> None:
        """From the start of the topic: a provider was added, whose receipts were dropped so far."""
        self._again.set()

    def stop(self) -> None:
        """End it; returns when its connection is closed."""
        self._ended.set()
        if self.is_alive():
            self.join(_ANSWER + _POLL + 5)

    def run(self) -> None:
        """Read until told to stop; whatever goes wrong ends the process, which begins anew."""
        try:
            self._read()
        except Exception as error:  # noqa: BLE001 - a thread cannot end the process, its loop does
            self._broken(f"receipts are no longer read: {where(error)}")

    def _read(self) -> None:
        reader = consumer(self._cluster, "sor-intake", uuid.uuid4().hex, **QUIET, **_QUEUE)
        try:
            while not self._ended.is_set():
                self._again.clear()
                if places := self._places(reader):
                    self._follow(reader, places)
        finally:
            reader.close()

    def _places(self, reader: Consumer) -> list[TopicPartition]:
        """Every partition of the receipts, as soon as the broker tells; none when told to stop before."""
        while not self._ended.is_set():
            if numbers := self._partitions(reader):
                return [TopicPartition(RECEIPTS, number, OFFSET_BEGINNING) for number in numbers]
        return []

    def _partitions(self, reader: Consumer) -> list[int]:
        """The partitions of the receipts; none when the broker does not answer."""
        try:
            topic = reader.list_topics(RECEIPTS, timeout=_ANSWER).topics[RECEIPTS]
        except KafkaException:
            self.answers = False
            return []
        if topic.error is not None and topic.error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
            raise BrokerDown(f"The topic {RECEIPTS} is not there; run `sor topics apply`.")
        self.answers = True
        return sorted(topic.partitions)

    def _follow(self, reader: Consumer, places: list[TopicPartition]) -> None:
        """From the start, on and on, until told to stop or to begin again."""
        ends = self._ends(reader, places)
        reader.assign(places)
        while not (self._ended.is_set() or self._again.is_set()):
            entries = []
            for message in reader.consume(_BATCH, _POLL):
                if message.error() is None:
                    entries += self._entries(message)
            if entries:
                self._give(entries)
            self._look(reader, places)
            if not self.current.is_set() and self._passed(reader, ends):
                self.current.set()

    def _ends(self, reader: Consumer, places: list[TopicPartition]) -> dict[int, int]:
        """Where each partition ended now; one that holds nothing is left out."""
        while not self._ended.is_set():
            try:
                marks = {p.partition: reader.get_watermark_offsets(p, timeout=_ANSWER) for p in places}
            except KafkaException:
                self.answers = False
                continue
            return {number: high for number, (low, high) in marks.items() if high > low}
        return {}

    @staticmethod
    def _passed(reader: Consumer, ends: dict[int, int]) -> bool:
        found = {place.partition: place.offset for place in reader.position(reader.assignment())}
        return all(found.get(number, -1) >= end for number, end in ends.items())

    def _entries(self, message: Any) -> list[Entry]:
        raw = message.value()
        if raw is None:
            return []
        receipt = self._codec.decode(raw)
        return [entry(receipt, raw)] if receipt.sender in self.providers or ANY in self.providers else []

    def _look(self, reader: Consumer, places: list[TopicPartition]) -> None:
        """Ask the broker now and then whether it is there, and whether the topic has other partitions."""
        if time.monotonic() - self._asked < _ASK_EVERY:
            return
        numbers = self._partitions(reader)
        if numbers and numbers != [place.partition for place in places]:
            self._again.set()
        self._asked = time.monotonic()
