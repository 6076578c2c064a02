"""Numbered migrations: plain SQL, applied once, in order, by one runner at a time.

ClickHouse has no transactions for definitions: a file can fail halfway. So every statement must be one that may be
repeated (``IF NOT EXISTS``), a file is recorded when its last statement has succeeded, and a file that was recorded is
never changed: its checksum is compared on every run.
"""

from __future__ import annotations

import hashlib
import os
import re
import socket
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from clickhouse_connect.driver.client import Client

from faults import OperatorFault
from sinks.access import Access
from sinks.clickhouse import RefusedError, command, connect, select, told_apart
from sinks.schema.slot import Slot

TABLE: Final = "migraties"
_NAME: Final = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
_DATABASE: Final = re.compile(r"[a-z][a-z0-9_]*")
_PIECE: Final = re.compile(
    r"--[^\n]*|/\*.*?\*/|'(?:\\.|''|[^'\\])*'|`(?:\\.|``|[^`\\])*`|\"(?:\\.|\"\"|[^\"\\])*\"|;|.", re.DOTALL
)
Tell = Callable[[str], None]


class MigrationError(OperatorFault):
    """The files and the database do not fit together; the message says what to do."""


@dataclass(frozen=True)
class Migration:
    """One file: its number, its name, its statements in order, and the SHA-256 of its text."""

    number: int
    name: str
    statements: tuple[str, ...]
    checksum: str


@dataclass(frozen=True)
class Applied:
    """One recorded migration."""

    number: int
    name: str
    checksum: str
    at: str


@dataclass(frozen=True)
class Plan:
    """What is applied and what is still to do, both in order."""

    database: str
    applied: tuple[Applied, ...]
    pending: tuple[Migration, ...]


def split(sql: str) -> tuple[str, ...]:
    """Statements of a text, without comments; a semicolon inside quotes or a comment ends nothing."""
    statements, current = [], ""
    for match in _PIECE.finditer(sql):
        piece = match[0]
        if piece == ";":
            statements.append(current.strip())
            current = ""
        elif not piece.startswith(("--", "/*")):
            current += piece
    return tuple(statement for statement in (*statements, current.strip()) if statement)


def load(folder: Traversable | None = None) -> tuple[Migration, ...]:
    """The migrations of a folder (default: those of this package), by number.

    Raises:
        MigrationError: a name is not ``NNNN_name.sql``, numbers are not 1, 2, 3, …, or a file is empty.
    """
    found = []
    for path in (folder or files("sinks") / "schema" / "migrations").iterdir():
        match = _NAME.fullmatch(path.name)
        if match is None:
            if path.name.endswith(".sql"):
                raise MigrationError(f"{path.name}: name a migration NNNN_name.sql, in lower case.")
            continue
        text = path.read_text("utf-8")
        found.append(Migration(int(match[1]), match[2], split(text), hashlib.sha256(text.encode()).hexdigest()))
        if not found[-1].statements:
            raise MigrationError(f"{path.name} holds no statement.")
    found.sort(key=lambda migration: migration.number)
    if [migration.number for migration in found] != list(range(1, len(found) + 1)):
        raise MigrationError("The numbers of the migrations must be 0001, 0002, … with none missing and none twice.")
    return tuple(found)


def plan(access: Access, migrations: tuple[Migration, ...] | None = None) -> Plan:
    """Compare files and database; changes nothing.

    Raises:
        MigrationError: an applied file was changed or is missing.
        UnavailableError, RefusedError: ClickHouse is away, or refuses.
    """
    client = connect(access, in_database=False)
    try:
        return _plan(client, _checked(access.database), load() if migrations is None else migrations)
    finally:
        client.close()


def apply(
    access: Access, tell: Tell, migrations: tuple[Migration, ...] | None = None, wait: float = 60.0
) -> tuple[Migration, ...]:
    """Apply what is pending, as the only runner; returns what was applied now. Running it again applies nothing.

    ``access`` needs the right to create tables. A second runner waits up to ``wait`` seconds for the first.

    Raises:
        MigrationError: an applied file was changed or is missing.
        RefusedError: a statement fails, or another runner keeps the lock. What was applied before stays.
        UnavailableError: ClickHouse is away; run it again.
    """
    known = load() if migrations is None else migrations
    database = _checked(access.database)
    client = connect(access, in_database=False)
    try:
        if not _plan(client, database, known).pending:
            return ()
        command(client, f"CREATE DATABASE IF NOT EXISTS {database}", "Creating the database")
    finally:
        client.close()
    client = connect(access)
    try:
        slot = Slot(client, database, f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:6]}")
        with slot.held(wait, tell):
            return _apply(client, slot, _plan(client, database, known), tell)
    finally:
        client.close()


def _apply(client: Client, slot: Slot, todo: Plan, tell: Tell) -> tuple[Migration, ...]:
    command(
        client,
        f"CREATE TABLE IF NOT EXISTS {TABLE} (number UInt32, name String, checksum String, "
        "applied_at DateTime64(3) DEFAULT now64(3)) ENGINE = MergeTree ORDER BY number",
        "Creating the list of migrations",
    )
    for migration in todo.pending:
        tell(f"Applying {migration.number:04d} {migration.name} ({len(migration.statements)} statements)")
        for at, statement in enumerate(migration.statements, 1):
            slot.renew()
            command(client, statement, f"Migration {migration.number:04d} {migration.name}, statement {at}")
        record = [[migration.number, migration.name, migration.checksum]]
        with told_apart("Recording the migration"):
            client.insert(TABLE, record, ["number", "name", "checksum"], settings={"async_insert": 0})
    return todo.pending


def _plan(client: Client, database: str, migrations: tuple[Migration, ...]) -> Plan:
    applied = _applied(client, database)
    by_number = {migration.number: migration for migration in migrations}
    for done in applied:
        migration = by_number.get(done.number)
        label = f"Migration {done.number:04d} {done.name}, applied on {done.at},"
        if migration is None:
            raise MigrationError(
                f"{label} is not among the files: this release is older than the database. Use a newer one."
            )
        if migration.checksum != done.checksum:
            raise MigrationError(
                f"{label} was changed afterwards. Put the file back, and make a new migration of the change."
            )
    numbers = {done.number for done in applied}
    return Plan(database, applied, tuple(m for m in migrations if m.number not in numbers))


def _applied(client: Client, database: str) -> tuple[Applied, ...]:
    there = "SELECT count() FROM system.tables WHERE database = {d:String} AND name = {t:String}"
    if not select(client, there, {"d": database, "t": TABLE})[0][0]:
        return ()
    rows = select(
        client,
        f"SELECT number, any(name), any(checksum), toString(min(applied_at)) FROM {database}.{TABLE} "  # noqa: S608
        "GROUP BY number ORDER BY number",
    )
    return tuple(Applied(*row) for row in rows)


def _checked(database: str) -> str:
    if not _DATABASE.fullmatch(database):
        raise RefusedError(f"{database!r} is no name for a database: use lower case letters, digits and underscores.")
    return database
