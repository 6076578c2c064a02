"""Writing to the directory and counting what is written, so that the expected counts are those of the bytes."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Origin = Literal["JW301", "JW305", "JW306", "JW307", "JW308", "JW323", "JW325", "RAP", "CEM+", "BergOp", "CBS"]


@dataclass(slots=True)
class Tally:
    """Counts of one source.

    ``bestanden`` counts every file. ``records`` are classes (JW305/JW307), declared lines (JW323) or CSV data rows of
    files that can be read, without those of exact copies and repeats (``dubbele_…``); records = geaccepteerd + the sum
    of ``afgewezen``. ``bestanden_afgewezen`` are files that cannot be read at all: they have no records. Records of a
    JW301 are assigned products; of an answer one, or one per rejected line. ``buiten`` are rows of the BergOp feed
    about municipalities outside the set: dropped, and no records.
    """

    bestanden: int = 0
    records: int = 0
    geaccepteerd: int = 0
    afgewezen: dict[str, int] = field(default_factory=dict)
    bestanden_afgewezen: dict[str, int] = field(default_factory=dict)
    dubbele_bestanden: int = 0
    dubbele_records: int = 0
    buiten: int = 0


@dataclass(slots=True)
class Output:
    """Writes below ``root`` and keeps the counts per source. Two files of one name are a bug and stop the run."""

    root: Path
    tallies: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))
    omvang: int = 0
    _made: set[str] = field(default_factory=set)

    def write(self, pad: str, content: bytes) -> None:
        """Create the file ``pad`` (relative, '/' separated) with ``content``."""
        map_, _, _ = pad.rpartition("/")
        if map_ not in self._made:
            (self.root / map_).mkdir(parents=True, exist_ok=True)
            self._made.add(map_)
        with (self.root / pad).open("xb") as file:
            file.write(content)
        self.omvang += len(content)

    def good(self, origin: Origin, pad: str, content: bytes, records: int) -> None:
        """A file that is read; its records are accepted unless ``reject`` takes some back."""
        self.write(pad, content)
        t = self.tallies[origin]
        t.bestanden += 1
        t.records += records
        t.geaccepteerd += records

    def reject(self, origin: Origin, familie: str, records: int) -> None:
        """Records of a file just written as good that must be rejected, by code family."""
        t = self.tallies[origin]
        t.geaccepteerd -= records
        t.afgewezen[familie] = t.afgewezen.get(familie, 0) + records

    def double(self, origin: Origin, pad: str, content: bytes, records: int) -> None:
        """A file whose records were all delivered before."""
        self.write(pad, content)
        t = self.tallies[origin]
        t.bestanden += 1
        t.dubbele_bestanden += 1
        t.dubbele_records += records

    def unreadable(self, origin: Origin, pad: str, content: bytes, familie: str) -> None:
        """A file that cannot be read as what its name says."""
        self.write(pad, content)
        t = self.tallies[origin]
        t.bestanden += 1
        t.bestanden_afgewezen[familie] = t.bestanden_afgewezen.get(familie, 0) + 1
