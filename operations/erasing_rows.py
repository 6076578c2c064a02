"""Rows of forgotten clients out of ClickHouse: a mutation for all their versions, and the parts from before gone.

Their ids behind released figures go first (``erasing_released``), while the rows still say which they are, and once
more when the rows are gone: a release that was built meanwhile wrote them anew, and one that ends later misses them.

The names stand in a table in memory for that moment and in no statement: a statement is kept (the log of queries, the
file of the mutation), and would be a list of who was forgotten.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, NamedTuple

from crypto.client_names import ClientNames
from operations import erasing_released
from results.release.names import MEMBERS
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
    """A table: rows that went (of all versions), rows that are there all the same, parts from before that are left.

    Of ``vrijgave_leden``: groups of rows in which ids were replaced, or still stand.
    """

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
        conditions = {table: older if versions else those for table, versions in tables.items()}
        _prepare_released(client, conditions, {names.bucket(pseudonym) for pseudonym in pseudonyms})
        released = without_ids(client)
        gone = [_removed(client, table, condition) for table, condition in conditions.items()]
        again = without_ids(client)
        gone.append(again._replace(rows=released.rows + again.rows))
        until = time.monotonic() + patience
        return [removed._replace(old_parts=without_old_parts(client, removed, until)) for removed in gone]
    finally:
        erasing_released.end(client)
        clickhouse.command(client, f"DROP TABLE IF EXISTS {_HELPER} SYNC", "Ending")


def _prepare_released(client: Any, conditions: Mapping[str, str], buckets: Collection[int]) -> None:
    """Find the ids of these clients: those of their rows, and in their buckets those that no row has any more."""
    ids = erasing_released.of_nobody(client, conditions, buckets)
    for table, condition in conditions.items():
        ids |= erasing_released.of_rows(client, [table], condition)
    erasing_released.prepare(client, ids)


def without_ids(client: Any) -> Removed:
    """Replace the ids that were prepared wherever they stand behind a figure."""
    holds = erasing_released.HOLDS
    return _removed(client, MEMBERS, holds, erasing_released.CHANGE)


def unlink(client: Any, *, every: bool = False, patience: float = PATIENCE) -> tuple[int, Removed]:
    """Replace the ids behind figures that name no row: of who was forgotten before the table was put back from a copy.
    How many they are, and what became of the table; errors as ``remove`` and ``erasing_released.dangling``.
    """
    ids = erasing_released.dangling(client, every=every)
    erasing_released.prepare(client, ids)
    try:
        removed = without_ids(client)
        return len(ids), removed._replace(old_parts=without_old_parts(client, removed, time.monotonic() + patience))
    finally:
        erasing_released.end(client)


def _names(client: Any, tables: Iterable[str], names: ClientNames, pseudonyms: Collection[bytes]) -> set[str]:
    """What rows may call these clients: their names within every provider that has a row."""
    providers: set[str] = set()
    for table in tables:
        providers |= {str(one) for (one,) in clickhouse.select(client, f"SELECT DISTINCT aanbieder FROM {table}")}  # noqa: S608
    return {names.of(pseudonym, provider) for pseudonym in pseudonyms for provider in providers}


def _removed(client: Any, table: str, those: str, what: str = "DELETE") -> Removed:
    """Every version of the rows; a mutation writes the parts anew that hold one. The old ones go soon after."""
    rows = _count(client, table, those)
    if rows:
        doing = f"Removing rows from {table}"
        clickhouse.command(client, f"ALTER TABLE {table} MODIFY SETTING {_QUICKLY}", doing)
        clickhouse.command(client, f"ALTER TABLE {table} {what} WHERE {those} SETTINGS mutations_sync = 2", doing)
    return Removed(table, rows, _count(client, table, those) if rows else 0, 0)


def without_old_parts(client: Any, removed: Removed, until: float) -> int:
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
