"""What a handing over asks of the broker, and says there."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple, Protocol

from confluent_kafka import Consumer, TopicPartition

from schemas.codec import IdSource
from schemas.handed import Handed, key_of
from schemas.topics import DEFINITIONS, groups
from schemas.typed import StructCodec
from streams.definitions import DefinitionsLog, Said
from transport.clients import ANSWER_SECONDS, Cluster
from transport.groups import committed
from transport.notes import text_at
from transport.orders import assigned_reader
from transport.publisher import Publisher

STAGE: Final = "trajectories"
Place = tuple[str, int]  # topic, partition


class At(NamedTuple):
    """Where a group stands in a partition (negative: it never was there), and what is noted beside it."""

    offset: int
    note: str


class Asked(Protocol):
    """What is asked of the broker, and said there."""

    def said(self) -> Said:
        """What the words up to now come to."""

    def say(self, word: Handed, seconds: float) -> None:
        """Say it; ``NotDelivered`` when it is not known to have arrived in so many seconds."""

    def partitions(self, topics: Collection[str]) -> list[Place]:
        """Every partition of these topics."""

    def standing(self, group: str, places: Collection[Place]) -> dict[Place, At]:
        """Where a group stands."""

    def ends(self, places: Collection[Place]) -> dict[Place, tuple[int, int]]:
        """The first offset that is there, and the end."""


class Desk:
    """The broker, asked as a member of no group. ``KafkaException`` and ``TopicError`` as ever."""

    def __init__(self, cluster: Cluster, ids: IdSource | None = None) -> None:
        self._cluster, self._encode = cluster, StructCodec(Handed, ids).encode
        self._log = DefinitionsLog(cluster, ids)
        self._readers: dict[str, Consumer] = {}

    def said(self) -> Said:
        """As ``Asked``."""
        return self._log.read()

    def say(self, word: Handed, seconds: float) -> None:
        """As ``Asked``."""
        bound = {"delivery.timeout.ms": int(1000 * seconds), "request.timeout.ms": int(1000 * seconds / 2)}
        publisher = Publisher(self._cluster, "sor-hand-over", **bound)
        publisher.send(DEFINITIONS, key_of(STAGE, word.phase, word.hand_over), self._encode(word))
        publisher.flush(seconds)

    def partitions(self, topics: Collection[str]) -> list[Place]:
        """As ``Asked``."""
        known = self._reader(groups()[STAGE]).list_topics(timeout=ANSWER_SECONDS).topics
        return [(topic, number) for topic in topics for number in sorted(known[topic].partitions)]

    def standing(self, group: str, places: Collection[Place]) -> dict[Place, At]:
        """As ``Asked``."""
        found = committed(self._reader(group), [TopicPartition(*place) for place in places])
        return {(one.topic, one.partition): At(one.offset, text_at(one)) for one in found}

    def ends(self, places: Collection[Place]) -> dict[Place, tuple[int, int]]:
        """As ``Asked``."""
        ask = self._reader(groups()[STAGE]).get_watermark_offsets
        return {place: ask(TopicPartition(*place), timeout=ANSWER_SECONDS) for place in places}

    def close(self) -> None:
        """Leave the broker."""
        self._log.close()
        for reader in self._readers.values():
            reader.close()

    def _reader(self, group: str) -> Consumer:
        if group not in self._readers:
            self._readers[group] = assigned_reader(self._cluster, group)
        return self._readers[group]
