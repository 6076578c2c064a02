"""What differs between the rows in use and those made anew: row by row, and in every figure.

The rows are compared by key and in every column that says something of care. Moments, versions and what a row was made
by are none of those. Providers are compared in turn, so that memory holds some of them at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from clickhouse_connect.driver.client import Client

from domain.indicators.terms import text_sql
from operations.replay.shadow import REPLAY, ROWS
from sinks import clickhouse
from sinks.tables import Table

#: Columns that say when, by which event or by which definitions, and nothing of care.
NO_CARE: Final = frozenset({"version", "verwijderd", "gebeurd_op", "definitie_versie", "spic"})
#: Columns whose values are classes: of these it is told which became which.
CLASSES: Final[dict[str, tuple[str, ...]]] = {
    "trajecten": ("status", "uitval_klasse", "segment", "profiel", "intensiteit"),
    "metingen": ("groep", "soort", "wacht"),
    "scores": ("wacht",),
}
#: Rows of either side that are compared at once.
_AT_ONCE: Final = 200_000


class Change(NamedTuple):
    """Rows of which a class became another: column, from, to, how many."""

    column: str
    before: str
    after: str
    rows: int


@dataclass
class Moved:
    """What became of the rows of one table."""

    table: str
    equal: int = 0
    appeared: int = 0
    disappeared: int = 0
    changed: int = 0
    columns: Counter[str] = field(default_factory=Counter)
    classes: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    @property
    def moved(self) -> int:
        """Rows that are there, or say something else, on one side only."""
        return self.appeared + self.disappeared + self.changed

    def changes(self) -> list[Change]:
        """Classes that became others, most rows first."""
        return [Change(*key, rows) for key, rows in self.classes.most_common()]


def moved_rows(client: Client, database: str, within: str = "") -> list[Moved]:
    """Every table compared; ``within`` narrows both sides, as SQL.

    Raises:
        UnavailableError, RefusedError: ClickHouse is away, or a table is missing.
    """
    return [_compared(client, database, table, within) for table in ROWS]


def _compared(client: Client, database: str, table: Table, within: str) -> Moved:
    found = Moved(table.name)
    compared = [column for column in table.columns if column not in NO_CARE and column not in table.key]
    for providers in _slices(client, database, table, within):
        where = f"aanbieder IN ({', '.join(map(text_sql, providers))})" + (f" AND {within}" if within else "")
        ((equal, appeared, disappeared, changed, *rest),) = clickhouse.select(
            client, _query(database, table, compared, where)
        )
        found.equal, found.appeared = found.equal + equal, found.appeared + appeared
        found.disappeared, found.changed = found.disappeared + disappeared, found.changed + changed
        # Without a row on both sides there is no list
        found.columns.update({column: rows for column, rows in zip(compared, rest[0], strict=False) if rows})
        for column, became in zip(CLASSES[table.name], rest[1:], strict=True):
            for (before, after), rows in zip(*became, strict=True):
                found.classes[column, before, after] += rows
    return found


def _slices(client: Client, database: str, table: Table, within: str) -> Iterator[Sequence[str]]:
    """Providers, so many that their rows are compared at once."""
    where = f" WHERE {within}" if within else ""
    sides = " UNION ALL ".join(
        f"SELECT aanbieder, count() AS n FROM {database}.{table.name}{suffix}{where} GROUP BY aanbieder"  # noqa: S608
        for suffix in ("", REPLAY)
    )
    taken: list[str] = []
    rows = 0
    for aanbieder, number in clickhouse.select(
        client,
        f"SELECT aanbieder, sum(n) FROM ({sides}) GROUP BY aanbieder ORDER BY aanbieder",  # noqa: S608
    ):
        if taken and rows + number > _AT_ONCE:
            yield taken
            taken, rows = [], 0
        taken.append(aanbieder)
        rows += number
    if taken:
        yield taken


def _query(database: str, table: Table, compared: Sequence[str], where: str) -> str:
    """One row: equal, appeared, disappeared, changed, per column the rows that changed, per class what became what."""
    key, columns = ", ".join(table.key), ", ".join(compared)
    sides = " UNION ALL ".join(
        f"SELECT {key}, {side} AS side, tuple({columns}) AS content FROM {database}.{table.name}{suffix} FINAL"  # noqa: S608
        f" WHERE {where}"
        for side, suffix in ((1, ""), (2, REPLAY))
    )
    differs = ", ".join(f"NOT (before.{place} <=> after.{place})" for place in range(1, len(compared) + 1))
    places = [compared.index(column) + 1 for column in CLASSES[table.name]]
    classes = "".join(
        f", sumMapIf([(toString(before.{place}), toString(after.{place}))], [toUInt64(1)],"
        f" sides = 3 AND before.{place} != after.{place})"
        for place in places
    )
    grouped = (
        f"SELECT sum(side) AS sides, anyIf(content, side = 1) AS before, anyIf(content, side = 2) AS after"  # noqa: S608
        f" FROM ({sides}) GROUP BY {key}"
    )
    return (
        "SELECT countIf(sides = 3 AND NOT has(differs, 1)), countIf(sides = 2), countIf(sides = 1),"  # noqa: S608
        f" countIf(sides = 3 AND has(differs, 1)), sumForEachIf(differs, sides = 3){classes}"
        f" FROM (SELECT *, [{differs}] AS differs FROM ({grouped}))"
    )


def as_json(moved: Moved) -> dict[str, Any]:
    """For a document."""
    return {
        "table": moved.table,
        "equal": moved.equal,
        "appeared": moved.appeared,
        "disappeared": moved.disappeared,
        "changed": moved.changed,
        "columns": dict(moved.columns.most_common()),
    }
