"""Records that could not be read, found again in ``sor.rejected`` and put back into the topic they came from.

What is put back goes the same way as any other record: the stage that refused it opens it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from confluent_kafka import Consumer, KafkaException, TopicPartition

from schemas.codec import IdSource, Undecodable
from schemas.structs import Rejected
from schemas.topics import EVALUATED, IN_TOPIC, REJECTED
from schemas.typed import StructCodec
from transport.clients import Cluster
from transport.publisher import Publisher

_TIMEOUT: Final = 20.0
#: Topics that a record may be put back into; any other coordinate in a dead letter is not ours.
BACK: Final = frozenset({*IN_TOPIC.values(), EVALUATED})


class Place(NamedTuple):
    """Coordinates of a record in its own topic."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"

    @classmethod
    def of(cls, text: str) -> Place:
        """From ``topic/partition/offset``; ``ValueError`` for anything else."""
        topic, partition, offset = text.split("/")
        return cls(topic, int(partition), int(offset))


class Letter(NamedTuple):
    """A dead letter: the record as it was. Its content is sealed; only key and size may be shown."""

    place: Place
    key: bytes
    value: bytes


def letters(cluster: Cluster, wanted: Iterable[Place], ids: IdSource | None = None) -> Iterator[Letter]:
    """The wanted records that ``sor.rejected`` still holds (14 days), each once."""
    left, codec = set(wanted), StructCodec(Rejected, ids)
    reader = Consumer({**cluster.settings(), "group.id": "sor-requeue", "enable.auto.commit": False})
    try:
        places = reader.list_topics(REJECTED, timeout=_TIMEOUT).topics[REJECTED].partitions
        for partition in places:
            for value in _values(reader, partition):
                letter = _letter(codec, value)
                if letter is not None and letter.place in left:
                    left.remove(letter.place)
                    yield letter
    finally:
        reader.close()


def _letter(codec: StructCodec[Rejected], value: bytes) -> Letter | None:
    try:
        rejected = codec.decode(value)
    except Undecodable:
        return None
    place = Place(rejected.topic, rejected.partition, rejected.offset)
    return Letter(place, rejected.key, rejected.value) if place.topic in BACK else None


def _values(reader: Consumer, partition: int) -> Iterator[bytes]:
    low, high = reader.get_watermark_offsets(TopicPartition(REJECTED, partition), timeout=_TIMEOUT)
    reader.assign([TopicPartition(REJECTED, partition, low)])
    place = low
    while place < high:
        for message in reader.consume(1000, 1.0):
            error = message.error()
            if error is not None:
                raise KafkaException(error)
            place = message.offset() + 1
            value = message.value()
            if value is not None:
                yield value


def put_back(cluster: Cluster, found: Iterable[Letter]) -> int:
    """Publish the records into their topics; returns when the broker has them. ``NotDelivered`` when it has not."""
    publisher, count = Publisher(cluster, "sor-requeue"), 0
    for letter in found:
        publisher.send(letter.place.topic, letter.key, letter.value)
        count += 1
    publisher.flush()
    return count
