"""How far the stages are: whether what the log holds has reached the state and ClickHouse.

A difference proves something only when whatever the log holds up to an end has passed: ``trajectories`` has committed
that end, and then the sink has committed the ends of the row topics. Both are asked of the broker, as of groups that we
are no member of; who may not ask proves nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from confluent_kafka import Consumer, KafkaException, TopicPartition

from schemas.topics import EVENTS, METINGEN, SCORES, TRAJECTEN, groups
from transport.clients import ANSWER_SECONDS, Cluster
from transport.orders import assigned_reader

_ROWS: Final = (TRAJECTEN, METINGEN, SCORES)
#: Seconds between two questions.
_EVERY: Final = 0.25


class Level(NamedTuple):
    """How far the stages are. ``words``: which is behind and by how much, empty when none is. ``proven``: ClickHouse
    has what ``trajectories`` made of the log up to ``at`` (per partition); of clients beyond it nothing is known.
    """

    words: str
    proven: bool
    at: dict[int, int]


class Levels:
    """Asks where the groups of ``trajectories`` and of the sink stand."""

    def __init__(self, cluster: Cluster) -> None:
        self._readers = {name: assigned_reader(cluster, groups()[name]) for name in ("trajectories", "sink")}

    def close(self) -> None:
        """Leave the broker."""
        for reader in self._readers.values():
            reader.close()

    def begun(self) -> set[int]:
        """Partitions of the log of which ``trajectories`` has committed anything: of others there is no state, and who
        may not ask sees none.
        """
        try:
            at = self._at("trajectories", (EVENTS,))
        except KafkaException:
            return set()
        return {place.partition for place, offset in at.items() if offset is not None}

    def wait(self, ends: Mapping[int, int], seconds: float, pause: Callable[[float], object] = time.sleep) -> Level:
        """Wait until all of the log up to ``ends`` is in ClickHouse, or so many seconds. A group that has never
        committed anything is not waited for.
        """
        until = time.monotonic() + seconds
        try:
            at = self._log(ends, until, pause)
            if at is None:
                return Level("trajectories: has never committed anything", proven=False, at={})
            left = sum(max(0, end - at.get(partition, 0)) for partition, end in ends.items())
            behind = self._rows(until, pause)
        except KafkaException as error:
            return Level(f"Kafka does not say how far they are ({error.args[0].name()})", proven=False, at={})
        if behind:
            return Level(behind, proven=False, at=at)
        return Level(f"trajectories: {left} records to go" if left else "", proven=True, at=at)

    def _log(self, ends: Mapping[int, int], until: float, pause: Callable[[float], object]) -> dict[int, int] | None:
        """How far ``trajectories`` is; None when it has never committed anything."""
        while True:
            told = self._at("trajectories", (EVENTS,))
            at = {place.partition: offset for place, offset in told.items() if offset is not None}
            if not at and any(ends.values()):
                return None
            if all(at.get(partition, 0) >= end for partition, end in ends.items()) or time.monotonic() > until:
                return at
            pause(_EVERY)

    def _rows(self, until: float, pause: Callable[[float], object]) -> str:
        """Empty when the sink has put into ClickHouse what the row topics hold now."""
        ends = self._ends(_ROWS)
        while True:
            told = self._at("sink", _ROWS)
            left = sum(max(0, end - (told.get(place) or 0)) for place, end in ends.items())
            if left and all(offset is None for offset in told.values()):
                return "sink: has never committed anything"
            if not left or time.monotonic() > until:
                return f"sink: {left} records to go" if left else ""
            pause(_EVERY)

    def _at(self, stage: str, topics: tuple[str, ...]) -> dict[TopicPartition, int | None]:
        """Committed offset per partition; None where there is none."""
        places = list(self._ends(topics))
        told = self._readers[stage].committed(places, timeout=ANSWER_SECONDS) if places else []
        return {TopicPartition(one.topic, one.partition): one.offset if one.offset >= 0 else None for one in told}

    def _ends(self, topics: tuple[str, ...]) -> dict[TopicPartition, int]:
        """The end of every partition; what is gone from the beginning counts as read."""
        reader: Consumer = self._readers["sink"]
        known = reader.list_topics(timeout=ANSWER_SECONDS).topics
        places = [TopicPartition(topic, part) for topic in topics if topic in known for part in known[topic].partitions]
        found = {}
        for place in places:
            first, end = reader.get_watermark_offsets(place, timeout=ANSWER_SECONDS)
            found[place] = end if end > first else 0
        return found
