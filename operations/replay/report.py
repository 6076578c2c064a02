"""The outcome of a replay as one value: what was made anew, which rows moved, which figures change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, NamedTuple

from clickhouse_connect.driver.client import Client

from domain.field.definitions import Definitions
from domain.indicators.catalogue import Group
from operations.replay.difference import Change, Moved, as_json, moved_rows
from operations.replay.figures import PER, Pair, pairs
from operations.replay.manifest import Manifest
from results.disclosure import Disclosure, live
from sinks import clickhouse
from sinks.access import Access
from sinks.tables import TRAJECTEN

#: Reasons that are shown: those that moved most rows.
MOST_REASONS = 12


class Made(NamedTuple):
    """By which definitions rows are: version, and id where it is known."""

    version: int
    id: str

    def as_json(self) -> dict[str, Any]:
        """For a document."""
        return {"versie": self.version, "id": self.id}


class Reason(NamedTuple):
    """What moved rows: a column of a table; ``change`` where it is a class that became another."""

    table: str
    column: str
    change: Change | None
    rows: int


class Report(NamedTuple):
    """``moved_on``: events came in meanwhile, so that a difference may be theirs."""

    scope: str
    now: Made
    other: Made
    events: int
    clients: int
    rows: int
    seconds: float
    memory: Sequence[float]  # MB, of each process
    moved_on: bool
    tables: list[Moved]
    pairs: list[Pair]
    rule: Disclosure

    @property
    def same(self) -> bool:
        """Whether no row differs."""
        return not any(moved.moved for moved in self.tables)

    def reasons(self) -> list[Reason]:
        """The reasons that moved most rows: columns, and of classes which became which."""
        found = [
            Reason(moved.table, column, None, rows) for moved in self.tables for column, rows in moved.columns.items()
        ]
        found += [
            Reason(moved.table, change.column, change, change.rows)
            for moved in self.tables
            for change in moved.changes()
        ]
        return sorted(found, key=lambda reason: (-reason.rows, reason.table, reason.column))[: 2 * MOST_REASONS]

    def as_json(self) -> dict[str, Any]:
        """One document. Numbers of rows that became another class are hidden where they are small."""
        return {
            "scope": self.scope,
            "definities_nu": self.now.as_json(),
            "definities_herberekend": self.other.as_json(),
            "events": self.events,
            "clients": self.clients,
            "rows": self.rows,
            "seconds": round(self.seconds, 1),
            "events_per_second": round(self.events / self.seconds) if self.seconds else None,
            "memory_mb": [round(one) for one in self.memory],
            "moved_on": self.moved_on,
            "equal": self.same,
            "tables": [as_json(moved) for moved in self.tables],
            "reasons": [
                {
                    "table": reason.table,
                    "column": reason.column,
                    "from": reason.change.before if reason.change else None,
                    "to": reason.change.after if reason.change else None,
                    "rows": shown(reason, self.rule),
                }
                for reason in self.reasons()
            ],
            "figures": [pair.as_json() | {"verandert": pair.changes} for pair in self.pairs],
        }


def shown(reason: Reason, rule: Disclosure) -> str:
    """How many rows, as a reader may see it."""
    return rule.count_text(reason.rows) if reason.change else str(reason.rows)


def report(
    client: Client,
    access: Access,
    manifest: Manifest,
    definitions: Definitions,
    in_use: Definitions,
    within: str,
    *,
    reference_day: date,
    seconds: float,
    memory: Sequence[float],
    moved_on: Callable[[], bool],
    per: Sequence[Group | None] = PER,
) -> Report:
    """Compare rows and figures; errors of ClickHouse as ever."""
    tables = moved_rows(client, access.database, within)
    found = pairs(access, within, definitions, reference_day=reference_day, per=per)
    total = manifest.total
    return Report(
        scope=manifest.scope,
        now=made_by(client, access.database, in_use),
        other=Made(definitions.version, definitions.id),
        events=total.events,
        clients=total.clients,
        rows=total.rows,
        seconds=seconds,
        memory=memory,
        moved_on=moved_on(),
        tables=tables,
        pairs=found,
        rule=live(),
    )


def made_by(client: Client, database: str, in_use: Definitions) -> Made:
    """By which version the rows in use are; the id is known where that is the version in force."""
    query = f"SELECT max(definitie_versie) FROM {database}.{TRAJECTEN.name}"  # noqa: S608 - our own names
    ((version,),) = clickhouse.select(client, query)
    return Made(int(version), in_use.id if version == in_use.version else "")
