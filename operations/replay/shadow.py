"""The tables beside those in use: where a replay writes, and what a swap leaves behind.

``<table>_replay`` holds the rows made anew, ``<table>_before`` those that were in use before a swap. Who makes,
exchanges and drops tables is the user ``admin``, as for ``sor migrate``; who replays only reads and inserts
(``sinks.schema.users``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from json import dumps
from typing import Final

from clickhouse_connect.driver.client import Client

from operations.replay.scope import CLIENTS
from schemas.codec import load
from sinks import clickhouse
from sinks.access import Access
from sinks.clickhouse import UnavailableError
from sinks.container import container
from sinks.contract import Container
from sinks.tables import METINGEN, SCORES, TRAJECTEN, Table
from sinks.writer import Writer

ROWS: Final = (TRAJECTEN, METINGEN, SCORES)
REPLAY, BEFORE = "_replay", "_before"
SHADOWS: Final = tuple(replace(table, name=table.name + REPLAY) for table in ROWS)
#: Bytes of records that wait for one insert, per table.
_WAITING: Final = 8 << 20
#: Tables that have one of the same columns beside them.
_SAME: Final = """
    SELECT plain FROM (
        SELECT replaceOne(table, {suffix:String}, '') AS plain, groupArray((name, type)) AS columns FROM (
            SELECT table, name, type FROM system.columns
            WHERE database = {database:String} AND table IN {names:Array(String)} ORDER BY table, position
        ) GROUP BY table
    ) GROUP BY plain, columns HAVING count() = 2"""
_FIRST_DELAY, _LONGEST_DELAY = 0.25, 5.0


def make(client: Client, database: str) -> None:
    """Empty tables beside those in use, with the same columns and engine."""
    drop(client, database, REPLAY)
    for table in ROWS:
        of = f"{database}.{table.name}"
        clickhouse.command(client, f"CREATE TABLE {of}{REPLAY} AS {of}", f"Making {table.name}{REPLAY}")
    clickhouse.command(
        client,
        f"CREATE TABLE {database}.{CLIENTS} (aanbieder LowCardinality(String), client String) "
        "ENGINE = ReplacingMergeTree ORDER BY (aanbieder, client)",
        f"Making {CLIENTS}",
    )


def are_there(client: Client, database: str) -> bool:
    """Whether the tables made anew are there, each with the columns of the one in use."""
    names = [table.name for table in (*ROWS, *SHADOWS)]
    found = clickhouse.select(client, _SAME, {"database": database, "suffix": REPLAY, "names": names})
    return len(found) == len(ROWS)


def drop(client: Client, database: str, *suffixes: str) -> list[str]:
    """Drop tables beside those in use; the names of those that were there."""
    names = [table.name + suffix for suffix in suffixes for table in ROWS]
    names += [CLIENTS] if REPLAY in suffixes else []
    there = clickhouse.select(
        client,
        "SELECT name FROM system.tables WHERE database = {database:String} AND name IN {names:Array(String)}"
        " ORDER BY name",
        {"database": database, "names": names},
    )
    for (name,) in there:
        clickhouse.command(client, f"DROP TABLE {database}.{name} SYNC", f"Dropping {name}")
    return [name for (name,) in there]


def exchange(client: Client, database: str) -> None:
    """Put the rows made anew in the place of those in use, and keep those under another name.

    Each table changes over at one moment and a query that runs reads on what it began with; between the three lie
    milliseconds.
    """
    drop(client, database, BEFORE)
    pairs = ", ".join(f"{database}.{table.name} AND {database}.{table.name}{REPLAY}" for table in ROWS)
    clickhouse.command(client, f"EXCHANGE TABLES {pairs}", "Exchanging the tables")
    names = ", ".join(f"{database}.{table.name}{REPLAY} TO {database}.{table.name}{BEFORE}" for table in ROWS)
    clickhouse.command(client, f"RENAME TABLE {names}", "Keeping the former rows")


def exchange_back(client: Client, database: str) -> None:
    """Undo ``exchange``: the former rows are in use again, those made anew beside them."""
    pairs = ", ".join(f"{database}.{table.name} AND {database}.{table.name}{BEFORE}" for table in ROWS)
    clickhouse.command(client, f"EXCHANGE TABLES {pairs}", "Exchanging the tables back")
    names = ", ".join(f"{database}.{table.name}{BEFORE} TO {database}.{table.name}{REPLAY}" for table in ROWS)
    clickhouse.command(client, f"RENAME TABLE {names}", "Keeping the new rows")


class ShadowRows:
    """Inserts rows into the tables beside those in use; while ClickHouse is away it waits and says so once."""

    def __init__(self, access: Access, waits: Callable[[str], None]) -> None:
        self._access, self._waits = access, waits
        self._writer = Writer(access)
        self._schemas = [dumps(load(table.schema)) for table in SHADOWS]
        self._waiting: list[list[bytes]] = [[] for _ in SHADOWS]
        self._sizes = [0] * len(SHADOWS)
        self._clients: list[tuple[str, str]] = []

    def add(self, rows: Iterable[tuple[int, bytes]], names: Iterable[tuple[str, str]]) -> None:
        """Take the rows of a client in, and its names where they are listed."""
        for place, value in rows:
            self._waiting[place].append(value)
            self._sizes[place] += len(value)
            if self._sizes[place] > _WAITING:
                self._flush(place)
        self._clients += names

    def flush(self) -> None:
        """Returns when everything can be queried."""
        for place in range(len(SHADOWS)):
            self._flush(place)
        if self._clients:
            self._until_done(self._insert_clients)
            self._clients = []

    def close(self) -> None:
        """Let go of the connection."""
        self._writer.close()

    def _flush(self, place: int) -> None:
        values = self._waiting[place]
        if values:
            table: Table = SHADOWS[place]
            whole = Container(container(self._schemas[place], values), len(values), {})
            self._until_done(lambda: self._writer.insert_container(table, whole, ()))
        self._waiting[place], self._sizes[place] = [], 0

    def _insert_clients(self) -> None:
        client = clickhouse.connect(self._access)
        try:
            with clickhouse.told_apart(f"Inserting into {CLIENTS}"):
                client.insert(CLIENTS, self._clients, ["aanbieder", "client"])
        finally:
            client.close()

    def _until_done(self, work: Callable[[], None]) -> None:
        """The same rows twice change nothing: an insert of which nobody knows what became is done again."""
        delay = _FIRST_DELAY
        while True:
            try:
                work()
            except UnavailableError as error:
                if delay == _FIRST_DELAY:
                    self._waits(f"{error} Waiting for it.")
                time.sleep(delay)
                delay = min(2 * delay, _LONGEST_DELAY)
            else:
                return
