"""The rows behind released figures (``vrijgave_leden``) without the ids of clients who were forgotten.

A released figure stands as it is, and the next release and the gate need to know of how many rows it was made, which of
them are the same in another figure, and what they said. So an id is not taken out: everywhere it stands it becomes the
same number below zero, drawn at random. No key leads from a person to that number, and none from the number back.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable
from typing import Any, Final

from faults import OperatorFault
from results.release.names import MEMBERS, id_sql
from sinks import clickhouse

_PAIRS: Final = "vergeten_rijen"
_BUCKETS: Final = "vergeten_emmers"
#: Table of rows -> its column that an id is made of; also of the tables of a replay, whose names begin with it.
_NUMBERS: Final = {"trajecten": "traject", "metingen": "meting"}
#: One in so many ids may name no row.
_MANY: Final = 10
_LARGEST: Final = 2**63 - 1
_TABLES: Final = "SELECT name FROM system.tables WHERE database = currentDatabase() AND endsWith(engine, 'MergeTree')"
_OLD: Final = f"(SELECT groupArray(oud) FROM {_PAIRS})"  # noqa: S608 - our own name
_NEW: Final = f"(SELECT groupArray(nieuw) FROM {_PAIRS})"  # noqa: S608 - our own name
#: What holds an id that is to go.
HOLDS: Final = f"hasAny(leden, {_OLD})"
#: One mutation, so that a row is as it was or done. Who reads puts the four arrays in order.
CHANGE: Final = f"UPDATE leden = arrayMap(id -> transform(id, {_OLD}, {_NEW}, id), leden)"


class DanglingError(OperatorFault):
    """More ids than can be of forgotten clients name no row: the tables of rows are not full, or were made anew."""


def of_rows(client: Any, tables: Iterable[str], those: str) -> set[int]:
    """Ids that the rows of these tables have that fulfil a condition, of all versions."""
    found: set[int] = set()
    for table, column in _tables(tables):
        query = f"SELECT DISTINCT {id_sql(column)} FROM {table} WHERE {those}"  # noqa: S608 - our own names
        found |= {int(number) for (number,) in clickhouse.select(client, query)}
    return found


def of_nobody(client: Any, tables: Iterable[str], buckets: Collection[int] | None = None) -> set[int]:
    """Ids behind figures that no row has, not even one that was replaced or taken back. ``buckets``: only of these.

    A replay with other definitions and a table that was filled anew leave such ids behind: of a client who is forgotten
    afterwards they are known by the bucket only, which some others share.
    """
    clickhouse.command(client, f"CREATE OR REPLACE TABLE {_BUCKETS} (emmer UInt16) ENGINE = Memory", "Preparing")
    try:
        with clickhouse.told_apart("Preparing"):
            client.insert(_BUCKETS, [[bucket] for bucket in buckets or [0]], ["emmer"])
        rows = " UNION ALL ".join(f"SELECT {id_sql(column)} FROM {table}" for table, column in _tables(tables))  # noqa: S608
        only = "" if buckets is None else f"AND one.2 IN (SELECT emmer FROM {_BUCKETS}) "  # noqa: S608
        query = (
            f"SELECT DISTINCT one.1 FROM (SELECT arrayJoin(arrayZip(leden, emmers)) AS one FROM {MEMBERS}) "  # noqa: S608
            f"WHERE one.1 >= 0 {only}AND one.1 NOT IN ({rows})"
        )
        return {int(number) for (number,) in clickhouse.select(client, query)}
    finally:
        clickhouse.command(client, f"DROP TABLE IF EXISTS {_BUCKETS} SYNC", "Ending")


def dangling(client: Any, *, every: bool) -> set[int]:
    """``of_nobody`` over all buckets. Unless ``every``, ``DanglingError`` when it is more than a tenth of all."""
    ids = of_nobody(client, tables_of_rows(client))
    if not every and len(ids) * _MANY > (among := known(client)):
        raise DanglingError(
            f"{len(ids)} of {among} ids behind figures name no row: wait until the tables are full (`sor status`). If "
            "they are, and rows were made anew, say --all: what was shown stands then."
        )
    return ids


def prepare(client: Any, ids: Collection[int]) -> None:
    """Draw a number for each id. The pairs stand in memory until ``end``, and in no statement."""
    clickhouse.command(
        client, f"CREATE OR REPLACE TABLE {_PAIRS} (oud Int64, nieuw Int64) ENGINE = Memory", "Preparing"
    )
    if ids:
        with clickhouse.told_apart("Preparing"):
            client.insert(_PAIRS, [[one, -1 - secrets.randbelow(_LARGEST)] for one in ids], ["oud", "nieuw"])


def end(client: Any) -> None:
    """The pairs are gone, and with them what joins an id to its number."""
    clickhouse.command(client, f"DROP TABLE IF EXISTS {_PAIRS} SYNC", "Ending")


def known(client: Any) -> int:
    """How many ids stand behind figures."""
    ((count,),) = clickhouse.select(client, f"SELECT uniqExact(arrayJoin(leden)) FROM {MEMBERS}")  # noqa: S608
    return int(count)


def tables_of_rows(client: Any) -> list[str]:
    """Every table: those with rows are known by their names."""
    return sorted(str(name) for (name,) in clickhouse.select(client, _TABLES))


def _tables(names: Iterable[str]) -> list[tuple[str, str]]:
    parts = ((name, _NUMBERS.get(name.partition("_")[0], "")) for name in names)
    return [(name, column) for name, column in parts if column]
