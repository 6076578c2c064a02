"""Rows of forgotten clients out of ClickHouse: a mutation for all their versions, and the parts from before gone.

The names stand in a table in memory for that moment and in no statement: a statement is kept (the log of queries, the
file of the mutation), and would be a list of who was forgotten.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from typing import Any, Final, NamedTuple

from crypto.client_names import ClientNames
from sinks import clickhouse

_HELPER: Final = "vergeten_namen"
#: Tables that name a client, and whether their rows have a version: those beside the ones in use included, and the list
#: of the clients of a replay, which has none (``operations.replay``).
_TABLES: Final = """
SELECT table, countIf(name = 'version') FROM system.columns WHERE database = currentDatabase() AND table IN (
    SELECT name FROM system.tables WHERE database = currentDatabase() AND endsWith(engine, 'MergeTree'))
GROUP BY table HAVING countIf(name IN ('client', 'aanbieder')) = 2 ORDER BY table
"""
_OLD_PARTS: Final = """
SELECT count() FROM system.parts WHERE database = currentDatabase() AND NOT active AND table = {table:String}
"""
_QUICKLY: Final = "old_parts_lifetime = 1, cleanup_delay_period = 1, max_cleanup_delay_period = 1"
_AS_BEFORE: Final = "old_parts_lifetime, cleanup_delay_period, max_cleanup_delay_period"
#: Seconds that are waited for parts from before; the server removes them by itself as well.
PATIENCE: Final = 60.0
_LOOK_EVERY: Final = 0.5


class Removed(NamedTuple):
    """A table: rows that went (of all versions), rows that are there all the same, parts from before that are left."""

    table: str
    rows: int
    left: int
    old_parts: int


def remove(
    client: Any, names: ClientNames, pseudonyms: Collection[bytes], highest: int, patience: float = PATIENCE
) -> list[Removed]:
    """Remove the rows of these clients up to a version; returns when they can be read no more. Of a list that knows no
    versions every row of theirs goes.

    Raises:
        UnavailableError, RefusedError: try again; what was removed stays so.
    """
    tables = {str(name): bool(versions) for name, versions in clickhouse.select(client, _TABLES)}
    clickhouse.command(client, f"DROP TABLE IF EXISTS {_HELPER} SYNC", "Preparing")
    clickhouse.command(client, f"CREATE TABLE {_HELPER} (naam String) ENGINE = Memory", "Preparing")
    try:
        listed = [[name] for name in _names(client, tables, names, pseudonyms)]
        if listed:
            with clickhouse.told_apart("Preparing"):
                client.insert(_HELPER, listed, ["naam"])
        those = f"client IN (SELECT naam FROM {_HELPER})"  # noqa: S608 - our own names
        older = f"version <= {highest} AND {those}"
        gone = [_removed(client, table, older if versions else those) for table, versions in tables.items()]
        until = time.monotonic() + patience
        return [removed._replace(old_parts=_without_old_parts(client, removed, until)) for removed in gone]
    finally:
        clickhouse.command(client, f"DROP TABLE IF EXISTS {_HELPER} SYNC", "Ending")


def _names(client: Any, tables: Iterable[str], names: ClientNames, pseudonyms: Collection[bytes]) -> set[str]:
    """What rows may call these clients: their names within every provider that has a row."""
    providers: set[str] = set()
    for table in tables:
        providers |= {str(one) for (one,) in clickhouse.select(client, f"SELECT DISTINCT aanbieder FROM {table}")}  # noqa: S608
    return {names.of(pseudonym, provider) for pseudonym in pseudonyms for provider in providers}


def _removed(client: Any, table: str, those: str) -> Removed:
    """Every version of the rows; a mutation writes the parts anew that hold one. The old ones go soon after."""
    rows = _count(client, table, those)
    if rows:
        doing = f"Removing rows from {table}"
        clickhouse.command(client, f"ALTER TABLE {table} MODIFY SETTING {_QUICKLY}", doing)
        clickhouse.command(client, f"ALTER TABLE {table} DELETE WHERE {those} SETTINGS mutations_sync = 2", doing)
    return Removed(table, rows, _count(client, table, those) if rows else 0, 0)


def _without_old_parts(client: Any, removed: Removed, until: float) -> int:
    """Wait for the parts from before; how many are left then."""
    if not removed.rows:
        return 0
    left = _old_parts(client, removed.table)
    while left and time.monotonic() < until:
        for word in ("STOP", "START"):  # the thread that removes them sleeps for minutes: this wakes it
            clickhouse.command(client, f"SYSTEM {word} CLEANUP {removed.table}", "Removing parts from before")
        time.sleep(_LOOK_EVERY)
        left = _old_parts(client, removed.table)
    clickhouse.command(client, f"ALTER TABLE {removed.table} RESET SETTING {_AS_BEFORE}", "Ending")
    return left


def _count(client: Any, table: str, those: str) -> int:
    """Without FINAL: a row that a newer one replaced is a row."""
    ((count,),) = clickhouse.select(client, f"SELECT count() FROM {table} WHERE {those}")  # noqa: S608 - our own names
    return int(count)


def _old_parts(client: Any, table: str) -> int:
    ((count,),) = clickhouse.select(client, _OLD_PARTS, {"table": table})
    return int(count)
