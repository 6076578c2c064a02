"""What ClickHouse shows of the tables that are audited."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from crypto.pseudonym import VERSION
from operations.audit.comparison import Found, columns
from operations.audit.lives import Buckets
from schemas import codec
from sinks import clickhouse
from sinks.tables import Table

#: The condition that every row meets.
_EVERY: Final = "1"


def key_of(table: Table) -> str:
    """The key of a row in SQL, as ``RowKey.text`` has it."""
    return "concat(" + ", '|', ".join(f"toString({column})" for column in table.key) + ")"


def within(buckets: Buckets) -> str:
    """The condition that a row is of one of these buckets."""
    return _EVERY if buckets is None else f"emmer IN ({', '.join(map(str, sorted(buckets)))})"


def found_rows(table: Table, client: Client, buckets: Buckets = None) -> Iterator[Found]:
    """Every row that a question with FINAL sees."""
    logical = {one["name"]: _logical(one["type"]) for one in codec.load(table.schema)["fields"]}
    words = ", ".join(_plain(column, logical[column]) for column in columns(table))
    query = f"SELECT {key_of(table)}, version, {words} FROM {table.name} FINAL WHERE {within(buckets)}"  # noqa: S608 - our own names
    with clickhouse.told_apart(f"Reading {table.name}"), client.query_rows_stream(query) as rows:
        for row in rows:
            yield Found(row[0], int(row[1]), tuple(row[2:]))


def named_rows(table: Table, client: Client) -> int:
    """Rows with a pseudonym, in every part of the table: without FINAL, so that no replaced one escapes."""
    query = f"SELECT count() FROM {table.name} WHERE startsWith(client, '{VERSION}.')"  # noqa: S608
    return int(clickhouse.select(client, query)[0][0])


def repeated_rows(table: Table, client: Client, buckets: Buckets = None) -> dict[str, int]:
    """Key -> version of the rows that stand more than once under their highest version, until a merge."""
    query = f"""
        SELECT {key_of(table)} AS sleutel, max(version) AS hoogste FROM {table.name} WHERE {within(buckets)}
        GROUP BY {", ".join(table.key)} HAVING count() > 1 AND countEqual(groupArray(version), hoogste) > 1"""  # noqa: S608
    return {str(key): int(version) for key, version in clickhouse.select(client, query)}


def versions_of(table: Table, client: Client, keys: Iterable[str]) -> list[tuple[str, int, int]]:
    """Key, version, and how often it stands, of every row of these keys: of what was taken back or replaced too."""
    listed = ", ".join(quoted(key) for key in keys)
    if not listed:
        return []
    query = f"""
        SELECT {key_of(table)} AS sleutel, version, count() FROM {table.name}
        WHERE sleutel IN ({listed}) GROUP BY sleutel, version"""  # noqa: S608
    return [(str(key), int(version), int(times)) for key, version, times in clickhouse.select(client, query)]


def quoted(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _logical(kind: Any) -> str:
    options = [option for option in (kind if isinstance(kind, list) else [kind]) if isinstance(option, dict)]
    for option in options:
        if option.get("type") == "map" and isinstance(option["values"], dict):
            return f"map of {option['values'].get('logicalType', '')}"
        if "logicalType" in option:
            return str(option["logicalType"])
    return ""


def _plain(column: str, logical: str) -> str:
    """Dates as day numbers and times as milliseconds, as in the core."""
    if logical == "date":
        return f"toInt32({column})"
    if logical == "map of date":
        return f"mapApply((name, day) -> (name, toInt32(day)), {column})"
    return f"toUnixTimestamp64Milli({column})" if logical == "timestamp-millis" else column
