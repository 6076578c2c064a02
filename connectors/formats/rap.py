"""GAS and probleemafname scores in the CSV form of RAP (S0, S1): one row, one score."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final

from connectors.formats.csv_lines import Kop, Rij, rows
from connectors.formats.model import Afwijzing, BestandFout, Invoer, Regel
from connectors.formats.seen import Seen
from domain.facts.fact import Score
from domain.field.bsn import elfproef

KOLOMMEN: Final = ("bsn", "beschikkingsnummer", "toewijzingsnummer", "type", "waarde")
NODIG: Final[dict[str, Sequence[str]]] = {
    "BSN": ("bsn",),
    "Beschikkingsnummer of Toewijzingsnummer": ("beschikkingsnummer", "toewijzingsnummer"),
    "Type": ("type",),
    "Waarde": ("waarde",),
}
#: The one table of type codes: code -> (goal, rater). [F] D1O; [R] other goals and C; [P] PB, PO, PC: change them here.
TYPEN: Final[dict[str, tuple[int, str]]] = {
    **{f"D{goal}{rater}": (goal, rater) for goal in range(1, 11) for rater in "OC"},
    "PB": (0, "B"),
    "PO": (0, "O"),
    "PC": (0, "C"),
}
GAS_WAARDEN: Final[dict[str, int | None]] = {"-1": -1, "0": 0, "1": 1, "2": 2, "x": None, "X": None}
PROBLEEM_WAARDEN: Final[dict[str, int | None]] = {"1": 1, "2": 2, "3": 3, "x": None, "X": None}
#: Longest beschikkingsnummer [P]: the sources show nine digits and call it text.
_BESCHIKKING: Final = 50
_GETAL: Final = re.compile(r"[0-9]{1,9}")
_DOEL: Final = re.compile(r"D([0-9]{1,3})")


def scores(stream: BinaryIO, invoer: Invoer) -> Iterator[Regel]:
    """One record per data row. ``BestandFout`` when the file as a whole is refused."""
    reader = rows(stream, invoer, KOLOMMEN, NODIG)
    header = next(reader)
    assert isinstance(header, Kop)  # noqa: S101 - rows gives the header first
    table = _Table(header, invoer)
    for row in reader:
        assert isinstance(row, Rij)  # noqa: S101
        yield table.record(row)


class _Table:
    """Reads the rows of one file."""

    def __init__(self, header: Kop, invoer: Invoer) -> None:
        missing = header.breedte
        self._places = [header.plaats.get(column, missing) for column in KOLOMMEN]
        self._width, self._invoer, self._seen = header.breedte, invoer, Seen(invoer.regels)
        self._last = max(header.plaats, key=lambda column: header.plaats[column])
        self._last_is_known = header.plaats[self._last] == header.breedte - 1

    def record(self, row: Rij) -> Regel:
        """The record of a row; ``B03`` when the file ends within it."""
        cells = row.cellen
        if cells is None or len(cells) != self._width:
            if not row.af:
                raise BestandFout("B03", self._invoer.naam, row.regel)
            self._invoer.telling.fouten += 1
            return Regel(row.regel, 1, None, Afwijzing("R07", ""))
        padded = (*cells, "")
        bsn, decision, number, kind, value = (padded[place].strip() for place in self._places)
        if not row.af and not self._ends_whole(cells[-1].strip()):
            raise BestandFout("B03", self._invoer.naam, row.regel)
        content = self._content(bsn, decision, number, kind.upper(), value)
        shown = (bsn, decision, number, kind, value)
        return Regel(row.regel, 1, bsn if isinstance(content, Score) else None, content, shown)

    def _content(self, bsn: str, decision: str, number: str, kind: str, value: str) -> Score | Afwijzing:
        if not elfproef(bsn):
            return Afwijzing("R01", "BSN")
        if not number and not decision:
            return Afwijzing("R02", "Toewijzingsnummer")
        if number and not _GETAL.fullmatch(number):
            return Afwijzing("R03", "Toewijzingsnummer")
        if len(decision) > _BESCHIKKING:
            return Afwijzing("R08", "Beschikkingsnummer")
        goal_rater = TYPEN.get(kind)
        if goal_rater is None:
            return Afwijzing("R04", "Type")
        allowed = GAS_WAARDEN if goal_rater[0] else PROBLEEM_WAARDEN
        if value not in allowed:
            return Afwijzing("R05", "Waarde")
        number = str(int(number)) if number else ""
        if not self._seen.add(hash((bsn, number or f"B{decision}", goal_rater))):
            return Afwijzing("R06", "")
        return Score(
            number.encode() if number else None,
            decision.encode() if decision else None,
            *goal_rater,
            allowed[value],
            self._invoer.tijd,
        )

    def _ends_whole(self, cell: str) -> bool:
        """Whether the last cell of an unclosed last line cannot be the beginning of something longer."""
        if not self._last_is_known:
            return False
        return {
            "bsn": len(cell) >= 9,
            "type": cell.upper() in TYPEN,
            "waarde": cell in GAS_WAARDEN or cell in PROBLEEM_WAARDEN,
        }.get(self._last, False)


def voorstel(kind: str) -> str:
    """What a bare goal such as ``D10`` may have meant; empty when nothing can be said (Dutch)."""
    found = _DOEL.fullmatch(kind.strip().upper())
    if found is None:
        return ""
    digits = found.group(1)
    guesses = []
    if digits.endswith("0") and digits[:-1] and f"D{digits[:-1]}O" in TYPEN:
        guesses.append(f"D{digits[:-1]}O")
    if f"D{digits}O" in TYPEN:
        guesses.append(f"D{digits}O/D{digits}C" if guesses else f"D{digits}O of D{digits}C")
    return f"Bedoelt u {' of '.join(guesses)}?" if guesses else ""
