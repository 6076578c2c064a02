"""The journal of a connector: which numbers were in which line of which delivery, as keyed hashes.

It lets the sender search its own deliveries by BSN, beschikkingsnummer or toewijzingsnummer, as the result screen of
RAP does (S0). It stays at the source. Without the secret of this connector, which the third party never sees, no number
can be tested against it.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from connectors.errors import ConnectorError
from connectors.formats.model import FileRecord
from domain.facts.fact import Score, Start, Stop, Toewijzing

_HASH: Final = 12
_AT_ONCE: Final = 10_000
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS regels (
    zoek BLOB NOT NULL, aanlevering TEXT NOT NULL, record INTEGER NOT NULL, regel INTEGER NOT NULL,
    PRIMARY KEY (zoek, aanlevering, record)
) WITHOUT ROWID
"""


class Place(NamedTuple):
    """A line that holds a searched number: the delivery, its record, and the row in the file."""

    delivery: str
    record: int
    row: int


class JournalError(ConnectorError):
    """The journal cannot be written or read; the message says what to do."""


class Journal:
    """One file (mode 0600) of an installation; several processes may write at once."""

    def __init__(self, path: Path, secret: bytes) -> None:
        self._path = path
        self._hmac = hmac.new(hmac.digest(secret, b"journal", "sha256"), digestmod=hashlib.sha256)

    def add(self, delivery: str, records: Iterable[tuple[int, FileRecord]]) -> None:
        """Remember the numbers of the records of one delivery; the same again changes nothing."""
        rows = (
            (self._hash(number), delivery, record, row.regel) for record, row in records for number in _numbers(row)
        )
        with self._open() as database, database:
            database.executemany("INSERT OR IGNORE INTO regels VALUES (?, ?, ?, ?)", rows)

    @contextmanager
    def of(self, delivery: str) -> Iterator[Callable[[int, FileRecord], None]]:
        """Takes the records of one delivery as they are published, and writes them now and then and at the end."""
        held: list[tuple[int, FileRecord]] = []

        def note(record: int, row: FileRecord) -> None:
            held.append((record, row))
            if len(held) >= _AT_ONCE:
                self.add(delivery, held)
                held.clear()

        try:
            yield note
        finally:
            if held:
                self.add(delivery, held)

    def search(self, number: str) -> list[Place]:
        """Where a number was delivered from here; leading zeros of an assignment number carry no meaning (3.4)."""
        if not self._path.exists():
            return []
        forms = {number.strip(), number.strip().lstrip("0") or "0"}
        with self._open() as database:
            found = [
                Place(*row)
                for form in sorted(forms)
                for row in database.execute(
                    "SELECT aanlevering, record, regel FROM regels WHERE zoek = ?", (self._hash(form.encode()),)
                )
            ]
        return sorted(set(found))

    def _hash(self, number: bytes) -> bytes:
        keyed = self._hmac.copy()
        keyed.update(number)
        return keyed.digest()[:_HASH]

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
            with closing(sqlite3.connect(self._path, timeout=30)) as database:
                database.execute(_SCHEMA)
                yield database
        except (sqlite3.Error, OSError) as problem:
            raise JournalError(
                f"Het journaal {self._path} kan niet worden gebruikt ({type(problem).__name__}). Controleer rechten en "
                "schijfruimte; hetzelfde commando maakt het werk daarna af, niets telt dubbel."
            ) from problem


def _numbers(row: FileRecord) -> Iterator[bytes]:
    if row.bsn is not None:
        yield row.bsn.encode()
    match row.inhoud:
        case Score(toewijzing=toewijzing, beschikking=beschikking):
            yield from (number for number in (toewijzing, beschikking) if number is not None)
        case Start(toewijzing=bytes() as toewijzing) | Stop(toewijzing=bytes() as toewijzing):
            yield toewijzing
        case Toewijzing(toewijzing=toewijzing):
            yield toewijzing
