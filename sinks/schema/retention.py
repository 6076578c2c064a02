"""How long rows stay in ClickHouse: what ``schemas/topics.toml`` declares, laid down as the TTL of each table.

No migration has it, for it is a choice that may change: ``sor migrate`` makes the tables equal to the
declaration, and ``sor doctor`` compares. ClickHouse removes rows when it merges their parts, some hours later.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from clickhouse_connect.driver.client import Client

from schemas.topics import Kept, kept
from sinks.access import Access
from sinks.clickhouse import command, connect, select

_LIFETIME: Final = re.compile(r" TTL (.+?)(?: SETTINGS |$)", re.DOTALL)
_OURS: Final = re.compile(r"toDateTime\((\w+)\) \+ (?:toIntervalDay\((\d+)\)|INTERVAL (\d+) DAY)")


class Difference(NamedTuple):
    """A table whose rows stay for another time than declared. ``found``: what the table says, empty for ever."""

    table: str
    found: str
    declared: Kept

    @property
    def words(self) -> str:
        """The difference in a few words."""
        now = f"go by {self.found}" if self.found else "stay for ever"
        return f"{self.table}: rows {now}, declared: {in_words(self.declared)}"


def in_words(one: Kept) -> str:
    """How long rows stay."""
    return "for ever" if one.days is None else f"{one.days} days after {one.column}"


def differences(client: Client, database: str) -> list[Difference]:
    """Tables that are there and keep rows for another time than declared."""
    rows = select(client, "SELECT name, engine_full FROM system.tables WHERE database = {d:String}", {"d": database})
    found = {str(name): lifetime(str(engine)) for name, engine in rows}
    return [
        Difference(name, found[name], one)
        for name, one in kept().items()
        if name in found and parsed(found[name]) != (one.column, one.days)
    ]


def lifetime(engine: str) -> str:
    """The TTL in the definition of an engine; empty when it has none."""
    match = _LIFETIME.search(engine)
    return match[1].strip() if match else ""


def parsed(found: str) -> tuple[str, int | None]:
    """Column and days of a TTL that we laid down; of none: for ever; of any other: neither."""
    if not found:
        return "", None
    match = _OURS.fullmatch(found)
    return (match[1], int(match[2] or match[3])) if match else (found, -1)


def plan(access: Access) -> list[Difference]:
    """What differs in a database; nothing when it is not there."""
    client = connect(access, in_database=False)
    try:
        return differences(client, access.database)
    finally:
        client.close()


def apply(access: Access) -> list[Difference]:
    """Make the tables equal to the declaration; what was changed. Running it again changes nothing."""
    client = connect(access)
    try:
        made = differences(client, access.database)
        for one in made:
            command(client, _statement(one.declared), f"Setting how long rows of {one.table} stay")
        return made
    finally:
        client.close()


def _statement(one: Kept) -> str:
    if one.days is None:
        return f"ALTER TABLE {one.table} REMOVE TTL"
    return f"ALTER TABLE {one.table} MODIFY TTL toDateTime({one.column}) + INTERVAL {one.days} DAY"
