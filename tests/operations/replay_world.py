"""A log with the lives of some clients, and the tables as the live stage and the sink make them of it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from pathlib import Path

from crypto import keys
from crypto.client_names import ClientNames
from domain.care.fold import all_rows
from domain.care.rows import CareRow, RowKey
from domain.facts.fact_set import FactSet, add
from domain.field.definitions import SHIPPED, Definitions
from operations.replay.shadow import ROWS
from schemas.codec import Codec
from schemas.records import record_to_event
from schemas.topics import EVENTS
from sinks.access import Access
from sinks.writer import Writer
from streams.engine.stage import Record
from streams.trajectories import TOPICS, Trajectories
from tools.bench import nation
from transport import clients

TABLES = dict(zip(TOPICS, ROWS, strict=True))
Records = list[tuple[bytes, bytes]]


def records(clients_: int, seed: int = 1) -> Records:
    """Key and value of every event of some clients, in the order of a log."""
    return list(nation.year(seed, 0, clients_))


def names_of(home: Path) -> ClientNames:
    """The names under the keys of a home."""
    return ClientNames(keys.load_trajectories(home / "keys"))


def publish(cluster: clients.Cluster, told: Iterable[tuple[bytes, bytes]]) -> None:
    """Write records to the log."""
    producer = clients.producer(cluster, "test")
    for key, value in told:
        producer.produce(EVENTS, value, key)
    assert producer.flush(20) == 0


def lives(told: Records) -> dict[bytes, list[bytes]]:
    """Client -> its records."""
    found: dict[bytes, list[bytes]] = {}
    for key, value in told:
        found.setdefault(key, []).append(value)
    return found


def fill(access: Access, names: ClientNames, told: Records) -> None:
    """The tables as the live stage makes them, two batches a client."""
    stage, writer = Trajectories(names), Writer(access)
    decode = {topic: Codec(topic).decode for topic in TOPICS}
    found: dict[str, list] = {topic: [] for topic in TOPICS}  # type: ignore[type-arg]
    for client, values in lives(told).items():
        blob, half = None, len(values) // 2
        for part in filter(None, (range(half), range(half, len(values)))):
            blob, outs = stage(client, blob, [Record(at, values[at], 0) for at in part])
            for out in outs:
                if out.topic in found and out.value is not None:
                    found[out.topic].append(decode[out.topic](out.value))
    for topic, rows in found.items():
        for at in range(0, len(rows), 5_000):
            writer.insert(TABLES[topic], rows[at : at + 5_000])
    writer.close()


def oracle(names: ClientNames, told: Records, definitions: Definitions = SHIPPED) -> dict[RowKey, CareRow]:
    """Every row by the pure fold, without anything of a replay."""
    decode, found = Codec(EVENTS).decode, {}
    for client, values in lives(told).items():
        facts = FactSet()
        for value in values:
            add(facts, record_to_event(decode(value)))
        found.update(all_rows(names.secret(client), facts, definitions=definitions))
    return found


def moved(before: dict[RowKey, CareRow], after: dict[RowKey, CareRow]) -> dict[str, tuple[int, int, int]]:
    """Table -> rows that appeared, disappeared and changed."""
    found = {}
    for number, table in enumerate(ROWS):
        mine = {key for key in chain(before, after) if key.table == number}
        found[table.name] = (
            sum(key not in before for key in mine),
            sum(key not in after for key in mine),
            sum(key in before and key in after and before[key] != after[key] for key in mine),
        )
    return found
