"""What a backup asks of a broker: the ids of topics, how far they reach, and records from one offset to another."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final, NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from operations.backup.form import BackupError, Kept
from schemas.topics import EVALUATED, groups
from transport.clients import ANSWER_SECONDS, Cluster, admin
from transport.groups import committed
from transport.orders import assigned_reader, readable

_CHUNK: Final = 5_000
_SILENT: Final = 60.0  # seconds without a record before its end
_POLL: Final = 0.2
_REFUSED: Final = (KafkaError.GROUP_AUTHORIZATION_FAILED, KafkaError.TOPIC_AUTHORIZATION_FAILED)


class Reach(NamedTuple):
    """A partition now: its first record, and where the next one will come."""

    low: int
    end: int


def cluster_id(cluster: Cluster) -> str:
    """What the cluster calls itself."""
    return str(admin(cluster).list_topics(timeout=ANSWER_SECONDS).cluster_id)


class Reader:
    """Reads partitions from place to place as a member of no group."""

    def __init__(self, cluster: Cluster, client_id: str = "sor-backup") -> None:
        self._consumer: Consumer = assigned_reader(cluster, client_id)

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_error: object) -> None:
        self._consumer.close()

    def reach(self, topic: str) -> dict[int, Reach]:
        """How far each partition of a topic reaches; none when the topic is not there. ``KafkaException`` when we may
        not see it.
        """
        found = self._consumer.list_topics(topic, timeout=ANSWER_SECONDS).topics[topic]
        if found.error is not None:
            if found.error.code() in _REFUSED:
                raise KafkaException(found.error)
            return {}
        return {part: self.reach_of(topic, part) for part in sorted(found.partitions)}

    def reach_of(self, topic: str, part: int) -> Reach:
        """How far one partition reaches."""
        return Reach(*self._consumer.get_watermark_offsets(TopicPartition(topic, part), timeout=ANSWER_SECONDS))

    def records(self, topic: str, part: int, at: int, end: int) -> Iterator[Kept]:
        """The records from an offset up to an end, as far as the broker still has them."""
        self._consumer.assign([TopicPartition(topic, part, at)])
        heard = time.monotonic()
        try:
            while at < end:
                messages = list(readable(self._consumer.consume(_CHUNK, _POLL)))
                yield from (_kept(message) for message in messages if _offset(message) < end)
                # An offset may hold no record for us (compaction): the position tells
                position = self._consumer.position([TopicPartition(topic, part)])[0].offset
                moved = max(position, _offset(messages[-1]) + 1 if messages else at)
                heard = time.monotonic() if moved > at else heard
                at = moved
                if time.monotonic() - heard > _SILENT:
                    raise BackupError(f"{topic}/{part} gave nothing for {_SILENT:.0f} s at {at}: is the broker up?")
        finally:
            self._consumer.unassign()

    def committed(self, topic: str) -> dict[int, int]:
        """Next offset of each partition that the group of this reader has committed; -1 where none is."""
        places = [TopicPartition(topic, part) for part in self.reach(topic)]
        return {place.partition: max(-1, place.offset) for place in committed(self._consumer, places)}


def settle(cluster: Cluster, seconds: float) -> bool:
    """Wait until entry has committed all that it could have begun: every fact of a line with an outcome is then in the
    log. Whoever may not ask waits as long as a record may be on its way. False when entry has not within that time.
    """
    until = time.monotonic() + seconds
    with Reader(cluster, groups()["entry"]) as entry:
        try:
            ends = {part: reach for part, reach in entry.reach(EVALUATED).items() if reach.low < reach.end}
            while not _behind(entry, ends):
                if time.monotonic() > until:
                    return False
                time.sleep(_POLL)
        except KafkaException as error:
            if error.args[0].code() not in _REFUSED:
                raise
            time.sleep(max(0.0, until - time.monotonic()))
    return True


def _behind(entry: Reader, ends: dict[int, Reach]) -> bool:
    """Whether all of that is behind the group."""
    at = entry.committed(EVALUATED) if ends else {}
    return all(at[part] >= reach.end for part, reach in ends.items())


def _offset(message: Message) -> int:
    return int(message.offset() or 0)


def _kept(message: Message) -> Kept:
    headers = tuple((str(name), value) for name, value in message.headers() or ())
    return Kept(_offset(message), int(message.timestamp()[1]), message.key(), message.value(), headers)
