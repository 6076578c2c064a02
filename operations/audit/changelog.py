"""The changelog of ``trajectories``: the last record of every client, partition by partition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from schemas.topics import topics
from streams.trajectories import TABLE
from transport.clients import ANSWER_SECONDS, Cluster

#: Name of the topic, as the engine derives it from the group and the table.
CHANGELOG: Final = f"sor-trajectories-{TABLE}-changelog"
#: What Faust's store keeps beside the states: no client.
OFFSET_KEY: Final = b"__faust\0offset__"
_BATCH: Final = 5_000
_WAIT: Final = 1.0
#: So often nothing comes before a reader gives up: a minute.
_PATIENCE: Final = 60
#: Key -> offset and value of its last record; None: it was taken away.
Latest = dict[bytes, tuple[int, bytes | None]]

assert CHANGELOG in topics()  # noqa: S101 - a name that nobody declares is a bug of ours, found at import


class Changelog:
    """Reads the changelog as a member of no group."""

    def __init__(self, cluster: Cluster) -> None:
        self._consumer = Consumer(
            {
                **cluster.settings(),
                "group.id": "sor-audit",
                "client.id": "sor-audit-state",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "enable.partition.eof": True,  # the last records of a compacted log may be gone: only the end tells
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": 20,
            }
        )

    def latest(self, partition: int, mine: Callable[[bytes], bool], rest: Callable[[], None] = lambda: None) -> Latest:
        """The last record of every key that is ``mine``, up to the end as it is now. ``KafkaException`` as ever."""
        place = TopicPartition(CHANGELOG, partition, 0)
        first, end = self._consumer.get_watermark_offsets(place, timeout=ANSWER_SECONDS)
        found: Latest = {}
        if first == end:
            return found
        self._consumer.assign([TopicPartition(CHANGELOG, partition, first)])
        silent, done = 0, False
        while not done and silent < _PATIENCE:
            messages = self._consumer.consume(_BATCH, _WAIT)
            silent = 0 if messages else silent + 1
            for message in messages:
                done |= _at_end(message) or int(message.offset() or 0) >= end - 1
                key = message.key()
                if message.error() is None and key is not None and key != OFFSET_KEY and mine(key):
                    found[key] = (int(message.offset() or 0), message.value())
            rest()
        self._consumer.unassign()
        if not done:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        return found

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()


def _at_end(message: Message) -> bool:
    error = message.error()
    if error is None:
        return False
    if error.code() not in {KafkaError._PARTITION_EOF, KafkaError.GROUP_AUTHORIZATION_FAILED}:
        raise KafkaException(error)
    return bool(error.code() == KafkaError._PARTITION_EOF)
