"""Planted faults in declarations and CSV files: copies, halves, empty files and wrong rows between the sound ones.

Copies and halves sort right after their original, before the next month: a score uploaded again later would otherwise
count as newer. A wrong meting is one row with a meting_id of its own, so refusing the row and refusing the meting come
to the same.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from random import Random

from tools.simulator.bsn import broken
from tools.simulator.csv_files import Row, Style, cem_path, rap_path
from tools.simulator.manifest import Manifest
from tools.simulator.output import Output

WRONG_SHARE, COPY_SHARE, HALF_SHARE, EMPTY_SHARE, UNKNOWN_SHARE = 0.2, 0.04, 0.03, 0.03, 0.05
UNKNOWN_NUMBER = 880_000_001  # assignments that nobody knows, from here
RESERVED_SEQUENCE = 900  # no client comes to this many metingen


@dataclass(slots=True)
class CsvFaults:
    """Writes JW323, RAP and CEM+ files with faults. The first chance of each kind is taken, later ones by lot.

    ``unknown``: accepted scores on an assignment that nobody knows; they wait for it.
    """

    seed: int
    output: Output
    manifest: Manifest
    unknown: int = 0
    _done: set[str] = field(default_factory=set)

    def jw323(self, path: str, content: bytes, lines: int) -> None:
        """Beside a declaration that is already written: a copy, a half."""
        rng = Random(f"{self.seed}|fout|{path}")
        stem = path.removesuffix(".xml")
        if self._chance(rng, "jw323_kopie", COPY_SHARE):
            self._note("jw323_kopie", f"{stem}_kopie.xml")
            self.output.double("JW323", f"{stem}_kopie.xml", content, lines)
        if self._chance(rng, "jw323_half", HALF_SHARE):
            self._note("jw323_half", f"{stem}_half.xml")
            self.output.unreadable("JW323", f"{stem}_half.xml", content[: len(content) // 2], "B03")

    def rap(self, agb: str, month: int, form: Style, header: Row, rows: list[Row]) -> None:
        """A RAP file, perhaps with wrong rows, and what lies beside it."""
        rng = Random(f"{self.seed}|fout|rap|{agb}|{month}")
        faults: list[tuple[str, Row]] = []
        if self._chance(rng, "rap_fout", WRONG_SHARE):
            self._note("rap_fout", rap_path(agb, month))
            faults = _rap_faults(rng, rows)
        if self._chance(rng, "rap_onbekend", UNKNOWN_SHARE):
            self._note("rap_onbekend", rap_path(agb, month))
            rows = [*rows, (rows[0][0], "", str(UNKNOWN_NUMBER + self.unknown), "D1O", "2")]
            self.unknown += 1
        content = form.render(header, _mix(rng, rows, [row for _, row in faults]))
        self.output.good("RAP", rap_path(agb, month), content, len(rows) + len(faults))
        for code, n in Counter(code for code, _ in faults).items():
            self.output.reject("RAP", code, n)
        if self._chance(rng, "rap_kopie", COPY_SHARE):
            self._note("rap_kopie", rap_path(agb, month, "_kopie"))
            self.output.double("RAP", rap_path(agb, month, "_kopie"), content, len(rows) + len(faults))
        if len(rows) >= 4 and not faults and self._chance(rng, "rap_half", HALF_SHARE):
            self._half(agb, month, form, header, rows)
        self._empty("RAP", rng, "rap_leeg", rap_path(agb, month, "_leeg"))

    def cem(self, agb: str, month: int, form: Style, header: Row, rows: list[Row]) -> None:
        """A CEM+ file, perhaps with wrong metingen, and what lies beside it."""
        rng = Random(f"{self.seed}|fout|cem|{agb}|{month}")
        faults: list[tuple[str, Row]] = []
        if self._chance(rng, "cem_fout", WRONG_SHARE):
            self._note("cem_fout", cem_path(agb, month))
            faults = _cem_faults(rng, rows)
        content = form.render(header, rows + [row for _, row in faults])
        self.output.good("CEM+", cem_path(agb, month), content, len(rows) + len(faults))
        for code, n in Counter(code for code, _ in faults).items():
            self.output.reject("CEM+", code, n)
        if self._chance(rng, "cem_kopie", COPY_SHARE):
            self._note("cem_kopie", cem_path(agb, month, "_kopie"))
            self.output.double("CEM+", cem_path(agb, month, "_kopie"), content, len(rows) + len(faults))
        self._empty("CEM+", rng, "cem_leeg", cem_path(agb, month, "_leeg"))

    def _half(self, agb: str, month: int, form: Style, header: Row, rows: list[Row]) -> None:
        """The first half of the rows once more, and four digits of the next: refused as a whole (B03)."""
        path, whole = rap_path(agb, month, "_half"), rows[: len(rows) // 2]
        piece = form.without_empty_row().render(header, whole) + rows[len(whole)][0][:4].encode()
        self._note("rap_half", path)
        self.output.unreadable("RAP", path, piece, "B03")

    def _empty(self, origin: str, rng: Random, kind: str, path: str) -> None:
        if self._chance(rng, kind, EMPTY_SHARE):
            self._note(kind, path)
            self.output.unreadable("RAP" if origin == "RAP" else "CEM+", path, b"", "B01")

    def _chance(self, rng: Random, kind: str, share: float) -> bool:
        return rng.random() < share or kind not in self._done

    def _note(self, kind: str, path: str) -> None:
        self._done.add(kind)
        self.manifest.add(kind, [path])


def _rap_faults(rng: Random, rows: list[Row]) -> list[tuple[str, Row]]:
    """Wrong rows by code, made from a sound one; goals 7 to 9 are used by nothing else, an accepted one would show."""
    bsn, beschikking, toewijzing, _, _ = rng.choice(rows)
    return [
        ("R01", (broken(bsn), beschikking, toewijzing, "D8O", "2")),
        ("R02", (bsn, "", "", "D7O", "2")),
        ("R04", (bsn, beschikking, toewijzing, "D10", "2")),
        ("R05", (bsn, beschikking, toewijzing, "D9O", rng.choice(("3", "-2", "5")))),
    ]


def _cem_faults(rng: Random, rows: list[Row]) -> list[tuple[str, Row]]:
    """Wrong metingen of one row by code, on the client of a sound one."""
    agb, bsn, ref, _, datum, informant, vragenlijst, _, _ = rng.choice(rows)
    variants = [
        ("C01", broken(bsn), datum, "VR09A", "1"),
        ("C02", bsn, rng.choice(("31-02-2026", "2026-13-01")), "VR09A", "1"),
        ("C04", bsn, datum, "VR99", "1"),
        ("C05", bsn, datum, *rng.choice((("VR09A", "11"), ("VR10", "0")))),
    ]
    return [
        (code, (agb, number, ref, f"{ref}-{RESERVED_SEQUENCE + n}", day, informant, vragenlijst, question, antwoord))
        for n, (code, number, day, question, antwoord) in enumerate(variants)
    ]


def _mix(rng: Random, rows: list[Row], faults: list[Row]) -> list[Row]:
    """The wrong rows at random places between the sound ones, whose order stays."""
    mixed = list(rows)
    for row in faults:
        mixed.insert(rng.randint(0, len(mixed)), row)
    return mixed
