"""The state of one delivery: which records have an outcome, and the counts of its receipt.

Records are counted once, whatever is delivered again: the seen line numbers are a set. Whatever a source sends, the
state stays small enough for its stage: every part of it has a limit (decision 0018).
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, islice
from typing import Final

from msgspec import Struct, field

from domain.facts.answer import Fault, Line, RecordRemark, each
from domain.facts.line_numbers import LineNumbers, compact, mark, unmark
from domain.facts.line_numbers import count as count_lines

#: Records of one delivery; with more the sets of its lines would grow too large to be kept.
MOST_LINES: Final = 2_000_000
#: Refused records listed in a receipt; the counts go on.
MOST_FAULTS: Final = 500
#: Intervals of waiting records that a state holds; a delivery with more is no longer followed.
MOST_PIECES: Final = 20_000
NOT_FOLLOWED: Final = "niet_bijgehouden"
#: The same of records of note; and so many of them are listed in a receipt.
MOST_REMARK_PIECES: Final = 10_000
MOST_REMARKS: Final = 500
#: Codes that are counted by themselves: a municipality may answer with ever other ones. The rest is counted as one.
MOST_CODES: Final = 1_000
OTHER_CODES: Final = "K10"
_WAITING: Final = ("wacht", "gekoppeld")
_WITHDRAWN, _RESTORED, _TAKEN_BACK, _REFUSED = "ingetrokken", "hersteld", "teruggenomen", "afgekeurd"
_OF_NOTE, _OF_NOTE_NO_MORE = "opmerking", "vervallen"


class StoredFault(Fault, frozen=True, kw_only=True, array_like=True, gc=False):
    """A refused or withdrawn record as the state keeps it: an array that every release can read."""

    published_at: int  # ms; read by no release, but wanted by those before


class Aanlevering(Struct, array_like=True):
    """Everything a receipt shows of one delivery."""

    kind: str
    sender: str
    test: bool
    lines: int
    version: int = -1
    gezien: LineNumbers = field(default_factory=list)
    count: int = 0
    geaccepteerd: int = 0
    regels_geaccepteerd: int = 0
    regels_afgekeurd: int = 0
    codes: dict[str, int] = field(default_factory=dict)
    fouten: list[StoredFault] = field(default_factory=list)
    eerste: int = 0
    laatste: int = 0
    ingetrokken: LineNumbers = field(default_factory=list)
    count_withdrawn: int = 0
    unreadable: dict[int, str] = field(default_factory=dict)  # records that could not be opened: line -> code
    waiting: dict[str, list[list[int]]] = field(default_factory=dict)  # what for -> closed intervals, ascending
    scattered: bool = False  # too many wait here and there: no longer followed
    delivery: str = ""  # its id as the source gave it; empty until entry told it
    terug: int = 0  # ms: last taken back; 0 = never
    newest: int = 0  # ms: last time a record of it came
    remarks: dict[str, list[list[int]]] = field(default_factory=dict)  # rule -> closed intervals of lines, ascending
    remarks_scattered: bool = False  # too many are of note here and there: no longer followed

    @property
    def klaar(self) -> bool:
        """Every record has an outcome."""
        return 0 < self.lines <= self.count

    @property
    def teruggenomen(self) -> int:
        """When it was taken back (ms); 0 = it was not, or came again since."""
        return self.terug if self.terug > self.newest else 0

    @property
    def wacht(self) -> dict[str, int]:
        """Records that wait, by what for."""
        if self.scattered:
            return {NOT_FOLLOWED: 0}
        return {reden: count_lines(lines) for reden, lines in self.waiting.items() if lines}

    @property
    def opmerking_codes(self) -> dict[str, int]:
        """Records of note, by rule."""
        if self.remarks_scattered:
            return {NOT_FOLLOWED: 0}
        return {code: count_lines(lines) for code, lines in sorted(self.remarks.items())}

    @property
    def opmerkingen(self) -> list[RecordRemark]:
        """The first records of note, by number and rule: the order in which they came to be so shows nowhere."""
        first = [
            (line, code)
            for code, lines in self.remarks.items()
            for line in islice(chain.from_iterable(range(a, b + 1) for a, b in lines), MOST_REMARKS)
        ]
        return [RecordRemark(line=line, code=code) for line, code in sorted(first)[:MOST_REMARKS]]


def _set_waiting(a: Aanlevering, line: int, reden: str) -> None:
    """A record waits for one thing at a time; the last word counts."""
    for lines in a.waiting.values():
        unmark(lines, line)
    if reden:
        mark(a.waiting.setdefault(reden, []), line)
    if sum(map(len, a.waiting.values())) > MOST_PIECES:
        a.scattered = True
        a.waiting.clear()


def _remark(a: Aanlevering, line: int, code: str, *, holds: bool) -> None:
    """A rule between messages has something to say of a record, or no more: the last word counts."""
    if a.remarks_scattered:
        return
    if holds:
        mark(a.remarks.setdefault(code, []), line)
    elif code in a.remarks:
        unmark(a.remarks[code], line)
        if not a.remarks[code]:
            del a.remarks[code]
    if sum(map(len, a.remarks.values())) > MOST_REMARK_PIECES:
        a.remarks_scattered = True
        a.remarks.clear()


def add(aanlevering: Aanlevering, lines: Iterable[Line]) -> None:
    """Count outcomes into the delivery, in place; a record that has one already changes nothing.

    What comes after a first outcome: a record that could not be opened was put back by an operator (its readable
    outcome replaces the first); an accepted record is withdrawn by a return message or refused because there are too
    many, or is so no longer; a rule between messages has something to say of it; the delivery as a whole is taken back
    (``newest`` says whether it came again since).
    """
    for line in chain.from_iterable(map(each, lines)):
        if line.uitkomst in _WAITING:
            if not aanlevering.scattered:
                _set_waiting(aanlevering, line.line, line.code)
        elif line.uitkomst == _TAKEN_BACK:
            aanlevering.terug = max(aanlevering.terug, line.published_at)
        elif line.uitkomst == _WITHDRAWN or (line.uitkomst == _REFUSED and not line.delivery):
            _withdraw(aanlevering, line)
        elif line.uitkomst == _RESTORED:
            _restore(aanlevering, line)
        elif line.uitkomst in (_OF_NOTE, _OF_NOTE_NO_MORE):
            _remark(aanlevering, line.line, line.code, holds=line.uitkomst == _OF_NOTE)
        else:
            _outcome(aanlevering, line)
    aanlevering.gezien, aanlevering.ingetrokken = compact(aanlevering.gezien), compact(aanlevering.ingetrokken)


def _outcome(a: Aanlevering, line: Line) -> None:
    """What entry says of a record."""
    a.newest = max(a.newest, line.published_at)
    if mark(a.gezien, line.line):
        _tally(a, line)
    elif line.line in a.unreadable and not _unreadable(line.code):
        _revoke(a, line)


def _withdraw(a: Aanlevering, line: Line) -> None:
    """An accepted record counts no more; of several reasons the last word is shown."""
    if mark(a.ingetrokken, line.line):
        a.count_withdrawn += 1
    elif (before := _shown_code(a, line.line)) in ("", line.code):
        return
    else:
        _forget(a, line.line, before)
    _note(a, line)


def _restore(a: Aanlevering, line: Line) -> None:
    """What withdrew the record was itself taken back."""
    if unmark(a.ingetrokken, line.line):
        a.count_withdrawn -= 1
        _forget(a, line.line, _shown_code(a, line.line) or line.code)


def _shown_code(a: Aanlevering, line: int) -> str:
    """Why a record is withdrawn, as the receipt lists it; empty when it does not."""
    return next((fault.code for fault in a.fouten if fault.line == line), "")


def _forget(a: Aanlevering, line: int, code: str) -> None:
    _count_no_more(a, code)
    a.fouten = [fault for fault in a.fouten if (fault.line, fault.code) != (line, code)]


def _unreadable(code: str) -> bool:
    """Codes of the envelope: nothing of the record was read, so nothing but its number is counted."""
    return code.startswith("K")


def _revoke(a: Aanlevering, line: Line) -> None:
    code = a.unreadable.pop(line.line)
    a.count -= 1
    _forget(a, line.line, code)
    _tally(a, line)


def _tally(a: Aanlevering, line: Line) -> None:
    a.count += 1
    a.eerste = min(a.eerste or line.published_at, line.published_at)
    a.laatste = max(a.laatste, line.published_at)
    if not line.code:
        a.geaccepteerd += 1
        a.regels_geaccepteerd += line.regels
        return
    a.regels_afgekeurd += line.regels
    if _unreadable(line.code) and len(a.unreadable) < MOST_FAULTS:
        a.unreadable[line.line] = line.code
    _note(a, line)


def _count_no_more(a: Aanlevering, code: str) -> None:
    counted = code if code in a.codes else OTHER_CODES
    if counted in a.codes:
        a.codes[counted] -= 1
        if not a.codes[counted]:
            del a.codes[counted]


def _note(a: Aanlevering, line: Line) -> None:
    code = line.code if line.code in a.codes or len(a.codes) < MOST_CODES else OTHER_CODES
    a.codes[code] = a.codes.get(code, 0) + 1
    if len(a.fouten) < MOST_FAULTS:
        a.fouten.append(
            StoredFault(
                line=line.line,
                regel=line.regel,
                regels=line.regels,
                code=line.code,
                veld=line.veld,
                published_at=line.published_at,
            )
        )
