"""Recomputing from the log: every event of ``sor.events``, folded once per client, without state and without batches.

What comes out must be what the stream gave out over time: that is the whole promise (decision 0002). The log is read
partition by partition, so memory holds one partition: about 200 bytes per event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from confluent_kafka import Consumer, KafkaException, TopicPartition

from crypto.client_names import ClientNames
from domain.care.fold import all_rows
from domain.care.rows import CareRow, RowKey
from domain.facts.fact import Event
from domain.facts.fact_set import FactSet, add
from domain.field.spic import SHIPPED, Spics
from schemas.codec import Codec, IdSource
from schemas.records import record_to_event
from schemas.topics import EVENTS
from transport.clients import ANSWER_SECONDS, Cluster
from transport.orders import Skips, read_skips


class Expected(NamedTuple):
    """One expected row and whose it is: its name within the provider of the row, and its bucket."""

    client: str
    emmer: int
    key: RowKey
    row: CareRow


class Log(NamedTuple):
    """How far the log reaches, per partition."""

    ends: dict[int, int]

    @property
    def events(self) -> int:
        """Records up to the ends, as far as they are still there."""
        return sum(self.ends.values())


def log_ends(cluster: Cluster) -> Log:
    """The end of every partition now; ``KafkaException`` when the broker does not answer."""
    reader = _reader(cluster)
    try:
        parts = reader.list_topics(EVENTS, timeout=ANSWER_SECONDS).topics[EVENTS].partitions
        return Log(
            {p: reader.get_watermark_offsets(TopicPartition(EVENTS, p), timeout=ANSWER_SECONDS)[1] for p in parts}
        )
    finally:
        reader.close()


def expected(
    cluster: Cluster,
    log: Log,
    names: ClientNames,
    tell: Callable[[int], None],
    ids: IdSource | None = None,
    spics: Spics = SHIPPED,
) -> Iterator[Expected]:
    """Every row that the log yields under these names, without the events that ``trajectories`` is to leave out.

    ``tell`` hears how many events were read since last told.
    """
    codec, skips = Codec(EVENTS, ids), read_skips(cluster, "trajectories", ids)
    for partition, end in log.ends.items():
        for client, values in _by_client(cluster, partition, end, tell, skips).items():
            yield from _rows(client, names, spics, [record_to_event(codec.decode(value)) for value in values])


def _rows(client: bytes, names: ClientNames, spics: Spics, events: list[Event]) -> Iterator[Expected]:
    facts = FactSet()
    for event in events:
        add(facts, event)
    for key, row in all_rows(names.secret(client), facts, spics=spics).items():
        yield Expected(names.of(client, key.aanbieder), names.bucket(client), key, row)


def _by_client(
    cluster: Cluster, partition: int, end: int, tell: Callable[[int], None], skips: Skips
) -> dict[bytes, list[bytes]]:
    clients: dict[bytes, list[bytes]] = {}
    if end == 0:
        return clients
    reader = _reader(cluster)
    try:
        reader.assign([TopicPartition(EVENTS, partition, 0)])
        place = 0
        while place < end:
            messages = reader.consume(5000, 1.0)
            for message in messages:
                error = message.error()
                if error is not None:
                    raise KafkaException(error)
                place = message.offset() + 1
                if message.offset() < end and not skips.leave_out(EVENTS, partition, message.offset()):
                    clients.setdefault(message.key(), []).append(message.value())
            tell(len(messages))
    finally:
        reader.close()
    return clients


def _reader(cluster: Cluster) -> Consumer:
    return Consumer(
        {
            **cluster.settings(),
            "group.id": "sor-audit",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 20,
        }
    )
