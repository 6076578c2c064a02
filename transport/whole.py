"""Whole topics: read from beginning to end, and followed by one process that has every partition.

No consumer group shares the partitions out. Two such processes by accident both do everything, which is the same as
one: nothing is missed between them. Offsets are committed under the group's name, as the place to go on from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, TopicPartition

from transport.clients import ANSWER_SECONDS
from transport.loop import Handle, Loop, Stop
from transport.topics import TopicError

_IDLE: Final = 0.5
_CHUNK: Final = 5_000


def partitions(consumer: Consumer, topics: Sequence[str]) -> list[TopicPartition]:
    """Every partition of some topics; ``TopicError`` when one is not there."""
    found = []
    for topic in topics:
        there = consumer.list_topics(topic, timeout=ANSWER_SECONDS).topics[topic]
        if there.error is not None or not there.partitions:
            raise TopicError(f"topic {topic} does not exist: run `sor topics apply`")
        found += [TopicPartition(topic, number) for number in sorted(there.partitions)]
    return found


def read_whole(reader: Consumer, topics: Sequence[str], stop: Stop) -> Iterator[Sequence[Message]]:
    """Everything that is in some topics at this moment, in pieces; less than that when it is asked to stop."""
    left: dict[tuple[str, int], int] = {}
    for place in partitions(reader, topics):
        low, end = reader.get_watermark_offsets(place, timeout=ANSWER_SECONDS)
        if low < end:
            left[place.topic, place.partition] = end
    reader.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for topic, partition in left])
    while left and not stop:
        messages = _good(reader.consume(_CHUNK, _IDLE))
        if messages:
            yield messages
        for place in reader.position(reader.assignment()):  # an offset may hold no record for us: positions tell
            key = place.topic, place.partition
            if key in left and place.offset >= left[key]:
                del left[key]
                reader.pause([TopicPartition(*key)])
    reader.unassign()


def _good(messages: Sequence[Message]) -> Sequence[Message]:
    for message in messages:
        error = message.error()
        if error is not None:
            raise KafkaException(error)
    return messages


class WholeLoop(Loop):
    """A loop that has every partition of its topics. A batch in which it is asked to stop may be half done: it is not
    committed, and done again.
    """

    _stop: Stop | None = None

    def run(self, topics: list[str], handle: Handle, ready: Callable[[], None], stop: Stop) -> None:
        """Run until asked to stop. Any exception leaves with the offset of the batch uncommitted."""
        self._stop = stop
        super().run(topics, handle, ready, stop)

    def _join(self, topics: list[str], ready: Callable[[], None]) -> None:
        places = self._consumer.committed(partitions(self._consumer, topics), timeout=ANSWER_SECONDS)
        self._consumer.assign(
            [
                TopicPartition(place.topic, place.partition, place.offset if place.offset >= 0 else OFFSET_BEGINNING)
                for place in places
            ]
        )
        self._on_assign(ready)

    def _commit(self, messages: list[Message]) -> None:
        if not self._stop:
            super()._commit(messages)
