"""GAS and probleemafname scores in the CSV form of RAP (S0, S1): one row, one score."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final

from connectors.formats.csv_lines import CsvRow, Header, rows
from connectors.formats.model import Afwijzing, FileContext, FileFault, FileRecord
from connectors.formats.numbers import is_pseudonym
from connectors.formats.seen import Seen
from domain.facts.fact import Score
from domain.field.bsn import elfproef

COLUMNS: Final = ("bsn", "beschikkingsnummer", "toewijzingsnummer", "type", "waarde")
NEEDED: Final[dict[str, Sequence[str]]] = {
    "BSN": ("bsn",),
    "Beschikkingsnummer of Toewijzingsnummer": ("beschikkingsnummer", "toewijzingsnummer"),
    "Type": ("type",),
    "Waarde": ("waarde",),
}
#: The one table of type codes: code -> (goal, rater). [F] D1O; [R] other goals and C; [P] PB, PO, PC: change them here.
TYPES: Final[dict[str, tuple[int, str]]] = {
    **{f"D{goal}{rater}": (goal, rater) for goal in range(1, 11) for rater in "OC"},
    "PB": (0, "B"),
    "PO": (0, "O"),
    "PC": (0, "C"),
}
GAS_VALUES: Final[dict[str, int | None]] = {"-1": -1, "0": 0, "1": 1, "2": 2, "x": None, "X": None}
PROBLEEM_VALUES: Final[dict[str, int | None]] = {"1": 1, "2": 2, "3": 3, "x": None, "X": None}
#: Longest beschikkingsnummer [P]: the sources show nine digits and call it text.
LONGEST_BESCHIKKING: Final = 50
INTEGER: Final = re.compile(r"[0-9]{1,9}")
_DOEL: Final = re.compile(r"D([0-9]{1,3})")


def scores(stream: BinaryIO, context: FileContext) -> Iterator[FileRecord]:
    """One record per data row. ``FileFault`` when the file as a whole is refused."""
    reader = rows(stream, context, COLUMNS, NEEDED)
    header = next(reader)
    assert isinstance(header, Header)  # noqa: S101 - rows gives the header first
    table = _Table(header, context)
    for row in reader:
        assert isinstance(row, CsvRow)  # noqa: S101
        yield table.record(row)


class _Table:
    """Reads the rows of one file."""

    def __init__(self, header: Header, context: FileContext) -> None:
        missing = header.width
        self._places = [header.places.get(column, missing) for column in COLUMNS]
        self._width, self._context, self._seen = header.width, context, Seen(context.rows)
        self._last = max(header.places, key=lambda column: header.places[column])
        self._last_is_known = header.places[self._last] == header.width - 1

    def record(self, row: CsvRow) -> FileRecord:
        """The record of a row; ``B03`` when the file ends within it."""
        cells = row.cells
        if cells is None or len(cells) != self._width:
            if not row.closed:
                raise FileFault("B03", self._context.name, row.number)
            self._context.tally.wrong += 1
            return FileRecord(row.number, 1, None, Afwijzing("R07", ""))
        padded = (*cells, "")
        bsn, decision, number, kind, value = (padded[place].strip() for place in self._places)
        if not row.closed and not self._ends_whole(cells[-1].strip()):
            raise FileFault("B03", self._context.name, row.number)
        content = self._content(bsn, decision, number, kind.upper(), value)
        shown = (bsn, decision, number, kind, value)
        return FileRecord(row.number, 1, bsn if isinstance(content, Score) else None, content, shown)

    def _content(self, bsn: str, decision: str, number: str, kind: str, value: str) -> Score | Afwijzing:
        if not elfproef(bsn):
            return Afwijzing("R09" if is_pseudonym(bsn) else "R01", "BSN")
        if not number and not decision:
            return Afwijzing("R02", "Toewijzingsnummer")
        if number and not INTEGER.fullmatch(number):
            return Afwijzing("R03", "Toewijzingsnummer")
        if len(decision) > LONGEST_BESCHIKKING:
            return Afwijzing("R08", "Beschikkingsnummer")
        goal_rater = TYPES.get(kind)
        if goal_rater is None:
            return Afwijzing("R04", "Type")
        allowed = GAS_VALUES if goal_rater[0] else PROBLEEM_VALUES
        if value not in allowed:
            return Afwijzing("R05", "Waarde")
        number = str(int(number)) if number else ""
        if not self._seen.add(hash((bsn, number or f"B{decision}", goal_rater))):
            return Afwijzing("R06", "")
        doel, beoordelaar = goal_rater
        return Score(
            toewijzing=number.encode() if number else None,
            beschikking=decision.encode() if decision else None,
            doel=doel,
            beoordelaar=beoordelaar,
            waarde=allowed[value],
            tijd=self._context.tijd,
        )

    def _ends_whole(self, cell: str) -> bool:
        """Whether the last cell of an unclosed last line cannot be the beginning of something longer."""
        if not self._last_is_known:
            return False
        return {
            "bsn": len(cell) >= 9,
            "type": cell.upper() in TYPES,
            "waarde": cell in GAS_VALUES or cell in PROBLEEM_VALUES,
        }.get(self._last, False)


def proposal(kind: str) -> str:
    """What a bare goal such as ``D10`` may have meant; empty when nothing can be said (Dutch)."""
    found = _DOEL.fullmatch(kind.strip().upper())
    if found is None:
        return ""
    digits = found.group(1)
    guesses = []
    if digits.endswith("0") and digits[:-1] and f"D{digits[:-1]}O" in TYPES:
        guesses.append(f"D{digits[:-1]}O")
    if f"D{digits}O" in TYPES:
        guesses.append(f"D{digits}O/D{digits}C" if guesses else f"D{digits}O of D{digits}C")
    return f"Bedoelt u {' of '.join(guesses)}?" if guesses else ""
