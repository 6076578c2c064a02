"""How far the stages are: whether what the log holds has reached the state and ClickHouse.

A difference proves something only when whatever the log holds up to an end has passed: ``trajectories`` has committed
that end, and then the sink has committed the ends of the row topics. Both are asked of the broker, as of groups that we
are no member of; who may not ask proves nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final

from confluent_kafka import Consumer, KafkaException, TopicPartition

from schemas.topics import EVENTS, METINGEN, SCORES, TRAJECTEN, groups
from transport.clients import ANSWER_SECONDS, Cluster
from transport.orders import assigned_reader

_ROWS: Final = (TRAJECTEN, METINGEN, SCORES)
#: Seconds between two questions.
_EVERY: Final = 0.25


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

    def wait(self, ends: Mapping[int, int], seconds: float, pause: Callable[[float], object] = time.sleep) -> str:
        """Wait until all of the log up to ``ends`` is in ClickHouse; empty when it is, else which stage is behind and
        by how much. A group that has never committed anything is not waited for.
        """
        until = time.monotonic() + seconds
        words = self._behind_log(ends)
        while words.endswith(_TO_COME) and time.monotonic() < until:
            pause(_EVERY)
            words = self._behind_log(ends)
        if words:
            return words
        rows = self._ends(_ROWS)
        words = self._behind_rows(rows)
        while words.endswith(_TO_COME) and time.monotonic() < until:
            pause(_EVERY)
            words = self._behind_rows(rows)
        return words

    def _behind_log(self, ends: Mapping[int, int]) -> str:
        wanted = {TopicPartition(EVENTS, partition): end for partition, end in ends.items()}
        return self._behind("trajectories", (EVENTS,), wanted)

    def _behind_rows(self, rows: Mapping[TopicPartition, int]) -> str:
        return self._behind("sink", _ROWS, rows)

    def _behind(self, stage: str, topics: tuple[str, ...], ends: Mapping[TopicPartition, int]) -> str:
        try:
            at = self._at(stage, topics)
        except KafkaException as error:
            return f"{stage}: Kafka does not say how far it is ({error.args[0].name()})"
        left = sum(max(0, end - (at.get(place) or 0)) for place, end in ends.items())
        if left and all(known is None for known in at.values()):
            return f"{stage}: has never committed anything"
        return f"{stage}: {left}{_TO_COME}" if left else ""

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


_TO_COME: Final = " records to go"
