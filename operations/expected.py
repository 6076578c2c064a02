"""Recomputing from the log: every event of ``sor.events``, folded once per client, without state and without batches.

What comes out must be what the stream gave out over time: that is the whole promise (decision 0002). The log is read
partition by partition, so memory holds one partition: about 200 bytes per event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from crypto.client_names import ClientNames
from domain.care.fold import all_rows
from domain.care.rows import CareRow, RowKey
from domain.facts.fact import Event
from domain.facts.fact_set import FactSet, add
from domain.field.definitions import SHIPPED, Definitions
from operations.log_reader import Log, Reader, Span
from schemas.codec import Codec, IdSource
from schemas.records import record_to_event
from schemas.topics import EVENTS
from transport.clients import Cluster
from transport.orders import Skips, read_skips


class Expected(NamedTuple):
    """One expected row and whose it is: its name within the provider of the row, and its bucket."""

    client: str
    emmer: int
    key: RowKey
    row: CareRow


def expected(
    cluster: Cluster,
    log: Log,
    names: ClientNames,
    tell: Callable[[int], None],
    ids: IdSource | None = None,
    definitions: Definitions = SHIPPED,
) -> Iterator[Expected]:
    """Every row that the log yields under these names, without the events that ``trajectories`` is to leave out.

    ``tell`` hears how many events were read since last told.
    """
    codec, skips = Codec(EVENTS, ids), read_skips(cluster, "trajectories", ids)
    reader = Reader(cluster)
    try:
        for partition, span in log.spans.items():
            for client, values in _by_client(reader, partition, span, tell, skips).items():
                yield from _rows(client, names, definitions, [record_to_event(codec.decode(value)) for value in values])
    finally:
        reader.close()


def _rows(client: bytes, names: ClientNames, definitions: Definitions, events: list[Event]) -> Iterator[Expected]:
    facts = FactSet()
    for event in events:
        add(facts, event)
    for key, row in all_rows(names.secret(client), facts, definitions=definitions).items():
        yield Expected(names.of(client, key.aanbieder), names.bucket(client), key, row)


def _by_client(
    reader: Reader, partition: int, span: Span, tell: Callable[[int], None], skips: Skips
) -> dict[bytes, list[bytes]]:
    clients: dict[bytes, list[bytes]] = {}
    for messages in reader.batches(partition, span, skips, tell):
        for message in messages:
            clients.setdefault(message.key() or b"", []).append(message.value() or b"")
    return clients
