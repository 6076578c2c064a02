"""The folder with the reports of each month, which forgets them after some days. A provider keeps its own copies (S1).

``<folder>/2026-10/sor_aanbieder_90000001_duo_2026-10.pdf``. Only files that it wrote itself are ever removed.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from faults import OperatorFault
from results.reports.periods import is_month

_OURS: Final = re.compile(r"sor_[a-z]+_[a-z0-9_-]+\.(?:pdf|html|json)")
_DAY: Final = 86_400


class OutboxError(OperatorFault):
    """The folder of the reports takes no file."""


class Outbox:
    """One folder. ``days``: files are forgotten so many days after they were written; 0 keeps them."""

    def __init__(self, folder: Path, days: int) -> None:
        self.folder, self._days = folder, days

    def write(self, month: str, name: str, content: bytes) -> Path:
        """One file, whole or not at all; the same name again replaces it. For this user alone.

        Raises:
            OutboxError: the disk is full, or the folder is somebody else's.
        """
        place = self.folder / month / name
        half = place.with_name(f".{name}.{os.getpid()}")
        try:
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            half.unlink(missing_ok=True)
            with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
            half.replace(place)
        except OSError as problem:
            raise OutboxError(f"{place.parent} takes no report ({type(problem).__name__}).") from problem
        return place

    def files(self) -> Iterator[Path]:
        """The reports in it, by month and name."""
        for folder in sorted(self.folder.iterdir()) if self.folder.is_dir() else ():
            if is_month(folder.name) and folder.is_dir():
                yield from sorted(one for one in folder.iterdir() if _OURS.fullmatch(one.name))

    def forget(self, now: float | None = None) -> int:
        """Remove what is old enough; how many files that were.

        Raises:
            OutboxError: a file cannot be removed.
        """
        if not self._days:
            return 0
        until, gone = (time.time() if now is None else now) - self._days * _DAY, 0
        try:
            for file in list(self.files()):
                if file.stat().st_mtime < until:
                    file.unlink()
                    gone += 1
        except OSError as problem:
            raise OutboxError(
                f"{self.folder} cannot be cleared of old reports ({type(problem).__name__})."
            ) from problem
        return gone
