"""What was sent to whom: a run twice sends once, and what a run missed goes out with the next.

A line is written after its mail was handed over. A crash between the two sends that one mail again, and no other: the
mail has the same Message-ID then.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from faults import OperatorFault

_TABLE: Final = """
CREATE TABLE IF NOT EXISTS verzonden (
    soort TEXT, aanbieder TEXT, cluster TEXT, month TEXT, vrijgave INTEGER, op TEXT DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (soort, aanbieder, cluster, month, vrijgave)
) WITHOUT ROWID
"""


class ReportsBusy(OperatorFault):
    """Another run is at work, or its journal cannot be used."""


class Sending(NamedTuple):
    """One mail: a kind of report of one provider, cluster (empty for all) and month, with averages of one release."""

    soort: str
    aanbieder: str
    cluster: str
    month: str
    vrijgave: int


class Journal:
    """The file of one installation. Open it with ``opened``."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.execute(_TABLE)

    def has(self, sending: Sending) -> bool:
        """Whether it was sent."""
        where = " AND ".join(f"{name} = ?" for name in Sending._fields)
        found = self._connection.execute(f"SELECT 1 FROM verzonden WHERE {where}", sending)  # noqa: S608 - own names
        return found.fetchone() is not None

    def note(self, sending: Sending) -> None:
        """It was; on disk when this returns."""
        names, marks = ", ".join(Sending._fields), ", ".join("?" * len(Sending._fields))
        self._connection.execute(f"INSERT OR IGNORE INTO verzonden ({names}) VALUES ({marks})", sending)  # noqa: S608

    def count(self, month: str) -> int:
        """How many mails of a month were sent."""
        return int(self._connection.execute("SELECT count(*) FROM verzonden WHERE month = ?", (month,)).fetchone()[0])


@contextmanager
def opened(path: Path) -> Iterator[Journal]:
    """The journal, for this process alone.

    Raises:
        ReportsBusy: another run holds it, or it cannot be read or written.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as problem:
        raise ReportsBusy(f"{path} cannot be used ({type(problem).__name__}).") from problem
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ReportsBusy("Another run of the reports is at work; wait until it has ended.") from None
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            yield Journal(connection)
        except sqlite3.Error as problem:
            raise ReportsBusy(f"{path} cannot be used ({type(problem).__name__}).") from problem
        finally:
            connection.close()
    finally:
        os.close(lock)
