"""The state of one delivery: which records have an outcome, and the counts of its receipt.

Records are counted once, whatever is delivered again: the seen line numbers are a set, kept as closed intervals, which
stay few because a delivery's records arrive in order.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import Final

from msgspec import Struct, field

from domain.facts.answer import Fault, Line

#: Refused records listed in a receipt; the counts go on.
MOST_FAULTS: Final = 500
#: Intervals of waiting records that a state holds; a delivery with more is no longer followed.
MOST_PIECES: Final = 20_000
NOT_FOLLOWED: Final = "niet_bijgehouden"
_WAITING: Final = ("wacht", "gekoppeld")
_WITHDRAWN: Final = "ingetrokken"


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
    gezien: list[list[int]] = field(default_factory=list)  # closed intervals, ascending
    count: int = 0
    geaccepteerd: int = 0
    regels_geaccepteerd: int = 0
    regels_afgekeurd: int = 0
    codes: dict[str, int] = field(default_factory=dict)
    fouten: list[StoredFault] = field(default_factory=list)
    eerste: int = 0
    laatste: int = 0
    ingetrokken: list[list[int]] = field(default_factory=list)  # closed intervals, ascending
    count_withdrawn: int = 0
    unreadable: dict[int, str] = field(default_factory=dict)  # records that could not be opened: line -> code
    waiting: dict[str, list[list[int]]] = field(default_factory=dict)  # what for -> closed intervals, ascending
    scattered: bool = False  # too many wait here and there: no longer followed

    @property
    def klaar(self) -> bool:
        """Every record has an outcome."""
        return 0 < self.lines <= self.count

    @property
    def wacht(self) -> dict[str, int]:
        """Records that wait, by what for."""
        if self.scattered:
            return {NOT_FOLLOWED: 0}
        return {reden: _count(lines) for reden, lines in self.waiting.items() if lines}


def mark(intervals: list[list[int]], line: int) -> bool:
    """Add a line number to a set of closed intervals, in place; False when it was there."""
    place = bisect_right(intervals, line, key=lambda pair: pair[0])
    before = intervals[place - 1] if place else None
    if before is not None and line <= before[1]:
        return False
    after = intervals[place] if place < len(intervals) else None
    joins_before, joins_after = before is not None and before[1] == line - 1, after is not None and after[0] == line + 1
    if joins_before and joins_after and before is not None and after is not None:
        before[1] = after[1]
        del intervals[place]
    elif joins_before and before is not None:
        before[1] = line
    elif joins_after and after is not None:
        after[0] = line
    else:
        intervals.insert(place, [line, line])
    return True


def unmark(intervals: list[list[int]], line: int) -> None:
    """Take a line number out of a set of closed intervals, in place."""
    place = bisect_right(intervals, line, key=lambda pair: pair[0]) - 1
    if place < 0 or line > intervals[place][1]:
        return
    first, last = intervals[place]
    intervals[place : place + 1] = [
        [begin, end] for begin, end in ((first, line - 1), (line + 1, last)) if begin <= end
    ]


def _count(intervals: list[list[int]]) -> int:
    return sum(last - first + 1 for first, last in intervals)


def _set_waiting(a: Aanlevering, line: int, reden: str) -> None:
    """A record waits for one thing at a time; the last word counts."""
    for lines in a.waiting.values():
        unmark(lines, line)
    if reden:
        mark(a.waiting.setdefault(reden, []), line)
    if sum(map(len, a.waiting.values())) > MOST_PIECES:
        a.scattered = True
        a.waiting.clear()


def add(aanlevering: Aanlevering, lines: Iterable[Line]) -> None:
    """Count outcomes into the delivery, in place; a record that has one already changes nothing.

    Two things come after a first outcome: a record that could not be opened and was put back by an operator (its
    readable outcome replaces the first), and an accepted record that a return message withdraws.
    """
    for line in lines:
        if line.uitkomst in _WAITING:
            if not aanlevering.scattered:
                _set_waiting(aanlevering, line.line, line.code)
        elif line.uitkomst == _WITHDRAWN:
            if mark(aanlevering.ingetrokken, line.line):
                aanlevering.count_withdrawn += 1
                _note(aanlevering, line)
        elif mark(aanlevering.gezien, line.line):
            _tally(aanlevering, line)
        elif line.line in aanlevering.unreadable and not _unreadable(line.code):
            _revoke(aanlevering, line)


def _unreadable(code: str) -> bool:
    """Codes of the envelope: nothing of the record was read, so nothing but its number is counted."""
    return code.startswith("K")


def _revoke(a: Aanlevering, line: Line) -> None:
    code = a.unreadable.pop(line.line)
    a.count -= 1
    a.codes[code] -= 1
    if not a.codes[code]:
        del a.codes[code]
    a.fouten = [fault for fault in a.fouten if fault.line != line.line]
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


def _note(a: Aanlevering, line: Line) -> None:
    a.codes[line.code] = a.codes.get(line.code, 0) + 1
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
