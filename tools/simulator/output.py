"""Writing to the directory and counting what is written, so that the expected counts are those of the bytes."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Origin = Literal["JW301", "JW305", "JW306", "JW307", "JW308", "JW323", "JW325", "RAP", "CEM+", "BergOp", "CBS"]


@dataclass(slots=True)
class Tally:
    """Counts of one source.

    ``files`` counts every file. ``records`` are classes (JW305/JW307), declared lines (JW323) or CSV data rows of
    files that can be read, without those of exact copies and repeats (``double_…``); records = ``accepted`` + the sum
    of ``rejected``. ``unreadable_files`` cannot be read at all: they have no records. Records of a JW301 are assigned
    products; of an answer one, or one per rejected line. ``outside`` are rows of the BergOp feed about municipalities
    outside the set: dropped, and no records.
    """

    files: int = 0
    records: int = 0
    accepted: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    unreadable_files: dict[str, int] = field(default_factory=dict)
    double_files: int = 0
    double_records: int = 0
    outside: int = 0

    def document(self) -> dict[str, Any]:
        """The counts under the names of ``expected.json``."""
        return {
            "bestanden": self.files,
            "records": self.records,
            "geaccepteerd": self.accepted,
            "afgewezen": self.rejected,
            "bestanden_afgewezen": self.unreadable_files,
            "dubbele_bestanden": self.double_files,
            "dubbele_records": self.double_records,
            "buiten": self.outside,
        }


@dataclass(slots=True)
class Output:
    """Writes below ``root`` and keeps the counts per source. Two files of one name are a bug and stop the run."""

    root: Path
    tallies: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    size: int = 0
    _made: set[str] = field(default_factory=set)

    def write(self, path: str, content: bytes) -> None:
        """Create the file ``path`` (relative, '/' separated) with ``content``."""
        folder, _, _ = path.rpartition("/")
        if folder not in self._made:
            (self.root / folder).mkdir(parents=True, exist_ok=True)
            self._made.add(folder)
        with (self.root / path).open("xb") as file:
            file.write(content)
        self.size += len(content)

    def good(self, origin: Origin, path: str, content: bytes, records: int) -> None:
        """A file that is read; its records are accepted unless ``reject`` takes some back."""
        self.write(path, content)
        t = self.tallies[origin]
        t.files += 1
        t.records += records
        t.accepted += records

    def reject(self, origin: Origin, family: str, records: int) -> None:
        """Records of a file just written as good that must be rejected, by code family."""
        t = self.tallies[origin]
        t.accepted -= records
        t.rejected[family] = t.rejected.get(family, 0) + records

    def double(self, origin: Origin, path: str, content: bytes, records: int) -> None:
        """A file whose records were all delivered before."""
        self.write(path, content)
        t = self.tallies[origin]
        t.files += 1
        t.double_files += 1
        t.double_records += records

    def unreadable(self, origin: Origin, path: str, content: bytes, family: str) -> None:
        """A file that cannot be read as what its name says."""
        self.write(path, content)
        t = self.tallies[origin]
        t.files += 1
        t.unreadable_files[family] = t.unreadable_files.get(family, 0) + 1
