"""Planted faults in declarations and CSV files: copies, halves, empty files and wrong rows between the sound ones.

Copies and halves sort right after their original, before the next month: a score uploaded again later would otherwise
count as newer.
A wrong meting is one row with a meting_id of its own, so refusing the row and refusing the meting come to the same.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from random import Random

from tools.simulator.bsn import broken
from tools.simulator.csvfiles import Row, Stijl, cem_pad, rap_pad
from tools.simulator.manifest import Manifest
from tools.simulator.output import Output

WRONG_SHARE, COPY_SHARE, HALF_SHARE, EMPTY_SHARE, UNKNOWN_SHARE = 0.2, 0.04, 0.03, 0.03, 0.05
UNKNOWN_NUMBER = 880_000_001  # assignments that nobody knows, from here
RESERVED_SEQUENCE = 900  # no client comes to this many metingen


@dataclass(slots=True)
class CsvFaults:
    """Writes JW323, RAP and CEM+ files with faults. The first chance of each kind is taken, later ones by lot.

    `onbekend`: accepted scores on an assignment that nobody knows; they wait for it.
    """

    seed: int
    output: Output
    manifest: Manifest
    onbekend: int = 0
    _gedaan: set[str] = field(default_factory=set)

    def jw323(self, pad: str, inhoud: bytes, regels: int) -> None:
        """Beside a declaration that is already written: a copy, a half."""
        rng = Random(f"{self.seed}|fout|{pad}")
        stam = pad.removesuffix(".xml")
        if self._kans(rng, "jw323_kopie", COPY_SHARE):
            self._noteer("jw323_kopie", f"{stam}_kopie.xml")
            self.output.double("JW323", f"{stam}_kopie.xml", inhoud, regels)
        if self._kans(rng, "jw323_half", HALF_SHARE):
            self._noteer("jw323_half", f"{stam}_half.xml")
            self.output.unreadable("JW323", f"{stam}_half.xml", inhoud[: len(inhoud) // 2], "B03")

    def rap(self, agb: str, maand: int, vorm: Stijl, kop: Row, rows: list[Row]) -> None:
        """A RAP file, perhaps with wrong rows, and what lies beside it."""
        rng = Random(f"{self.seed}|fout|rap|{agb}|{maand}")
        fouten: list[tuple[str, Row]] = []
        if self._kans(rng, "rap_fout", WRONG_SHARE):
            self._noteer("rap_fout", rap_pad(agb, maand))
            fouten = _rap_fouten(rng, rows)
        if self._kans(rng, "rap_onbekend", UNKNOWN_SHARE):
            self._noteer("rap_onbekend", rap_pad(agb, maand))
            rows = [*rows, (rows[0][0], "", str(UNKNOWN_NUMBER + self.onbekend), "D1O", "2")]
            self.onbekend += 1
        inhoud = vorm.render(kop, _meng(rng, rows, [row for _, row in fouten]))
        self.output.good("RAP", rap_pad(agb, maand), inhoud, len(rows) + len(fouten))
        for code, n in Counter(code for code, _ in fouten).items():
            self.output.reject("RAP", code, n)
        if self._kans(rng, "rap_kopie", COPY_SHARE):
            self._noteer("rap_kopie", rap_pad(agb, maand, "_kopie"))
            self.output.double("RAP", rap_pad(agb, maand, "_kopie"), inhoud, len(rows) + len(fouten))
        if len(rows) >= 4 and not fouten and self._kans(rng, "rap_half", HALF_SHARE):
            self._half(agb, maand, vorm, kop, rows)
        self._leeg("RAP", rng, "rap_leeg", rap_pad(agb, maand, "_leeg"))

    def cem(self, agb: str, maand: int, vorm: Stijl, kop: Row, rows: list[Row]) -> None:
        """A CEM+ file, perhaps with wrong metingen, and what lies beside it."""
        rng = Random(f"{self.seed}|fout|cem|{agb}|{maand}")
        fouten: list[tuple[str, Row]] = []
        if self._kans(rng, "cem_fout", WRONG_SHARE):
            self._noteer("cem_fout", cem_pad(agb, maand))
            fouten = _cem_fouten(rng, rows)
        inhoud = vorm.render(kop, rows + [row for _, row in fouten])
        self.output.good("CEM+", cem_pad(agb, maand), inhoud, len(rows) + len(fouten))
        for code, n in Counter(code for code, _ in fouten).items():
            self.output.reject("CEM+", code, n)
        if self._kans(rng, "cem_kopie", COPY_SHARE):
            self._noteer("cem_kopie", cem_pad(agb, maand, "_kopie"))
            self.output.double("CEM+", cem_pad(agb, maand, "_kopie"), inhoud, len(rows) + len(fouten))
        self._leeg("CEM+", rng, "cem_leeg", cem_pad(agb, maand, "_leeg"))

    def _half(self, agb: str, maand: int, vorm: Stijl, kop: Row, rows: list[Row]) -> None:
        """The first half of the rows once more, and four digits of the next: refused as a whole (B03)."""
        pad, heel = rap_pad(agb, maand, "_half"), rows[: len(rows) // 2]
        stuk = vorm.zonder_lege_regel().render(kop, heel) + rows[len(heel)][0][:4].encode()
        self._noteer("rap_half", pad)
        self.output.unreadable("RAP", pad, stuk, "B03")

    def _leeg(self, bron: str, rng: Random, soort: str, pad: str) -> None:
        if self._kans(rng, soort, EMPTY_SHARE):
            self._noteer(soort, pad)
            self.output.unreadable("RAP" if bron == "RAP" else "CEM+", pad, b"", "B01")

    def _kans(self, rng: Random, soort: str, share: float) -> bool:
        return rng.random() < share or soort not in self._gedaan

    def _noteer(self, soort: str, pad: str) -> None:
        self._gedaan.add(soort)
        self.manifest.add(soort, [pad])


def _rap_fouten(rng: Random, rows: list[Row]) -> list[tuple[str, Row]]:
    """Wrong rows by code, made from a sound one; goals 7 to 9 are used by nothing else, an accepted one would show."""
    bsn, beschikking, toewijzing, _, _ = rng.choice(rows)
    return [
        ("R01", (broken(bsn), beschikking, toewijzing, "D8O", "2")),
        ("R02", (bsn, "", "", "D7O", "2")),
        ("R04", (bsn, beschikking, toewijzing, "D10", "2")),
        ("R05", (bsn, beschikking, toewijzing, "D9O", rng.choice(("3", "-2", "5")))),
    ]


def _cem_fouten(rng: Random, rows: list[Row]) -> list[tuple[str, Row]]:
    """Wrong metingen of one row by code, on the client of a sound one."""
    agb, bsn, ref, _, datum, informant, lijst, _, _ = rng.choice(rows)
    varianten = [
        ("C01", broken(bsn), datum, "VR09A", "1"),
        ("C02", bsn, rng.choice(("31-02-2026", "2026-13-01")), "VR09A", "1"),
        ("C04", bsn, datum, "VR99", "1"),
        ("C05", bsn, datum, *rng.choice((("VR09A", "11"), ("VR10", "0")))),
    ]
    return [
        (code, (agb, nummer, ref, f"{ref}-{RESERVED_SEQUENCE + n}", dag, informant, lijst, vraag, antwoord))
        for n, (code, nummer, dag, vraag, antwoord) in enumerate(varianten)
    ]


def _meng(rng: Random, rows: list[Row], fouten: list[Row]) -> list[Row]:
    """The wrong rows at random places between the sound ones, whose order stays."""
    gemengd = list(rows)
    for row in fouten:
        gemengd.insert(rng.randint(0, len(gemengd)), row)
    return gemengd
