"""The tables of ClickHouse that no log yields: the audit trail of what an operator did.

Rows of figures and receipts are made anew from the log. Dead letters are not copied: they say where in a raw topic a
record lies, and in another cluster other records lie there.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Final

from clickhouse_connect.driver.client import Client

from operations.backup import form
from operations.backup.form import BackupError, TableCopy
from sinks import clickhouse
from sinks.access import Access
from sinks.schema.users import HANDLED
from sinks.tables import TABLES

COPIED: Final = (HANDLED,)
_FORMAT: Final = "JSONEachRow"


def take(access: Access, folder: Path) -> dict[str, TableCopy]:
    """Copy them into a backup, a row per line."""
    client = clickhouse.connect(access)
    try:
        return {name: _taken(folder, name, _rows(client, name)) for name in COPIED}
    finally:
        client.close()


def _rows(client: Client, name: str) -> bytes:
    with clickhouse.told_apart(f"Copying {name}"):
        return bytes(client.raw_query(f"SELECT * FROM {name}", fmt=_FORMAT))  # noqa: S608 - our own names


def _taken(folder: Path, name: str, rows: bytes) -> TableCopy:
    path = f"tables/{name}.jsonl.gz"
    (folder / path).parent.mkdir(exist_ok=True, mode=0o700)
    file = form.private(folder / path)
    file.write(gzip.compress(rows, mtime=0))
    form.on_disk(file)
    size, digest = form.measure(folder / path)
    return TableCopy(path=path, size=size, sha256=digest, rows=rows.count(b"\n"))


def restore(access: Access, folder: Path, copies: dict[str, TableCopy]) -> None:
    """Put their rows into the empty tables of a database that was migrated."""
    client = clickhouse.connect(access)
    try:
        for name, copy in copies.items():
            rows = gzip.decompress((folder / copy.path).read_bytes())
            if rows and name in COPIED:
                with clickhouse.told_apart(f"Filling {name}"):
                    client.raw_insert(name, insert_block=rows, fmt=_FORMAT)
    finally:
        client.close()


def require_empty(access: Access) -> None:
    """``BackupError`` when the database has rows; one that is not there, or has no such table, is empty."""
    client = clickhouse.connect(access, in_database=False)
    try:
        names = [*(table.name for table in TABLES), *COPIED]
        there = clickhouse.select(
            client,
            "SELECT name, total_rows FROM system.tables WHERE database = {d:String} AND name IN {n:Array(String)}",
            {"d": access.database, "n": names},
        )
    finally:
        client.close()
    if full := [f"{name} ({rows} rows)" for name, rows in there if rows]:
        raise BackupError(
            f"The database {access.database} is not empty: {', '.join(full)}. A backup is restored into an empty one: "
            f"rows of another log would win from those that it makes. Move it away, or DROP DATABASE {access.database}."
        )
