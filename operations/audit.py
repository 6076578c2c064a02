"""``sor audit``: is what ClickHouse shows exactly what the log yields?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from clickhouse_connect.driver.client import Client

from crypto.client_names import ClientNames
from crypto.pseudonym import VERSION
from domain.care import rows
from domain.field.definitions import SHIPPED, Definitions
from operations import expected as audit
from operations import log_reader
from schemas import codec
from schemas.codec import IdSource
from schemas.rows import row_to_record
from sinks.tables import METINGEN, SCORES, TRAJECTEN, Table
from transport.clients import Cluster

TABLES: Final = {table.name: table for table in (TRAJECTEN, METINGEN, SCORES)}
#: Columns that say when and not what.
_NOT_CONTENT: Final = frozenset({"version", "verwijderd", "gebeurd_op"})
_SHOWN: Final = 10


@dataclass
class Finding:
    """The comparison of one table: counts, and the keys of the rows that differ.

    ``named``: rows, also those that a newer one replaced, whose client is a pseudonym, as an earlier release wrote it.
    """

    table: str
    expected: int = 0
    found: int = 0
    missing: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)
    named: int = 0

    @property
    def equal(self) -> bool:
        """Nothing is missing, nothing too much, nothing different, and nobody named by a pseudonym."""
        return not (self.missing or self.extra or self.different or self.named)


@dataclass
class Report:
    """The whole audit. ``moved``: events came in meanwhile, so differences prove nothing."""

    events: int
    moved: bool
    findings: list[Finding]

    @property
    def equal(self) -> bool:
        """Every table is what the log yields."""
        return all(finding.equal for finding in self.findings)


def run(
    cluster: Cluster,
    client: Client,
    names: ClientNames,
    tell: Callable[[int], None],
    ids: IdSource | None = None,
    definitions: Definitions = SHIPPED,
) -> Report:
    """Recompute every row from the log and compare it with ClickHouse, column by column.

    ``names`` are those of ``trajectories``: who audits may read both sides and holds a copy of its keys.
    ``definitions`` are those in force there; rows that were made by others are different, for they say by which.
    """
    log = log_reader.log_ends(cluster)
    wanted: dict[str, dict[str, tuple[Any, ...]]] = {name: {} for name in TABLES}
    for found in audit.expected(cluster, log, names, tell, ids, definitions):
        name = rows.TABLES[found.key.table]
        record = row_to_record(
            found.key, found.row, found.client, emmer=found.emmer, version=0, newest=0, definitions=definitions
        )
        wanted[name][found.key.text] = tuple(record[column] for column in _columns(TABLES[name]))
    findings = [_compare(table, wanted[name], client) for name, table in TABLES.items()]
    return Report(log.events, log_reader.log_ends(cluster) != log, findings)


def _columns(table: Table) -> list[str]:
    return [column for column in table.columns if column not in _NOT_CONTENT]


def _compare(table: Table, wanted: dict[str, tuple[Any, ...]], client: Client) -> Finding:
    finding = Finding(table.name, expected=len(wanted))
    for key, content in _found(table, client):
        finding.found += 1
        expected = wanted.pop(key, None)
        if expected is None:
            finding.extra.append(key)
        elif expected != content:
            finding.different.append(key)
    finding.missing = list(wanted)
    for keys in (finding.missing, finding.extra, finding.different):
        keys.sort()
    finding.named = _named(table, client)
    return finding


def _named(table: Table, client: Client) -> int:
    """Rows with a pseudonym, in every part of the table: without FINAL, so that no replaced one escapes."""
    query = f"SELECT count() FROM {table.name} WHERE startsWith(client, '{VERSION}.')"  # noqa: S608 - our own names
    return int(client.query(query).result_rows[0][0])


def _found(table: Table, client: Client) -> Iterator[tuple[str, tuple[Any, ...]]]:
    columns = _columns(table)
    logical = {f["name"]: _logical(f["type"]) for f in codec.load(table.schema)["fields"]}
    words = ", ".join(_plain(column, logical[column]) for column in columns)
    key = "concat(" + ", '|', ".join(f"toString({column})" for column in table.key) + ")"
    with client.query_rows_stream(f"SELECT {key}, {words} FROM {table.name} FINAL") as rows:  # noqa: S608 - our own names
        for row in rows:
            yield row[0], tuple(row[1:])


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


def sentences(report: Report) -> list[str]:
    """What to tell the operator."""
    lines = [f"{report.events} events in the log."]
    for f in report.findings:
        ending = (
            "." if f.equal else f"; {len(f.missing)} missing, {len(f.extra)} too many, {len(f.different)} different."
        )
        lines.append(f"{f.table}: {f.expected} rows from the log, {f.found} in ClickHouse{ending}")
        for what, keys in (("missing", f.missing), ("too many", f.extra), ("different", f.different)):
            lines += [f"  {what}: {key}" for key in keys[:_SHOWN]]
        if f.named:
            lines.append(f"  {f.named} name a client by its pseudonym: an earlier release wrote them (decision 0015).")
    if report.equal:
        return [*lines, "Equal: every row is what the log yields."]
    if report.moved:
        return [*lines, "Events came in meanwhile: run it again while nothing is delivered."]
    return [
        *lines,
        "Not equal. See sor status for a stage that is behind; else keep the state and the log for inquiry.",
    ]
