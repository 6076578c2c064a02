"""The state of one delivery: which records have an outcome, and the counts of its receipt.

Records are counted once, whatever is delivered again: the seen line numbers are a set, kept as closed intervals, which
stay few because a delivery's records arrive in order.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import Final, NamedTuple

from msgspec import Struct, field

#: Refused records listed in a receipt; the counts go on.
MEESTE_FOUTEN: Final = 500
#: Intervals of waiting records that a state holds; a delivery with more is no longer followed.
MEESTE_STUKKEN: Final = 20_000
NIET_BIJGEHOUDEN: Final = "niet_bijgehouden"


class Uitkomst(NamedTuple):
    """Outcome of one record; ``code`` is empty when it was accepted."""

    line: int
    regel: int
    regels: int
    code: str
    veld: str
    published_at: int  # ms
    ingetrokken: bool = False  # accepted, and later withdrawn by a return message
    wacht: str | None = None  # accepted, and waits for this; empty = no more; None = says nothing of it


class Aanlevering(Struct, array_like=True):
    """Everything a receipt shows of one delivery."""

    kind: str
    sender: str
    test: bool
    lines: int
    versie: int = -1
    gezien: list[list[int]] = field(default_factory=list)  # closed intervals, ascending
    aantal: int = 0
    geaccepteerd: int = 0
    regels_geaccepteerd: int = 0
    regels_afgekeurd: int = 0
    codes: dict[str, int] = field(default_factory=dict)
    fouten: list[Uitkomst] = field(default_factory=list)
    eerste: int = 0
    laatste: int = 0
    ingetrokken: list[list[int]] = field(default_factory=list)  # closed intervals, ascending
    aantal_ingetrokken: int = 0
    onleesbaar: dict[int, str] = field(default_factory=dict)  # records that could not be opened: line -> code
    wachtend: dict[str, list[list[int]]] = field(default_factory=dict)  # what for -> closed intervals, ascending
    verspreid: bool = False  # too many wait here and there: no longer followed

    @property
    def klaar(self) -> bool:
        """Every record has an outcome."""
        return 0 < self.lines <= self.aantal

    @property
    def wacht(self) -> dict[str, int]:
        """Records that wait, by what for."""
        if self.verspreid:
            return {NIET_BIJGEHOUDEN: 0}
        return {reden: _aantal(lijnen) for reden, lijnen in self.wachtend.items() if lijnen}


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


def _aantal(intervals: list[list[int]]) -> int:
    return sum(last - first + 1 for first, last in intervals)


def _wacht(a: Aanlevering, line: int, reden: str) -> None:
    """A record waits for one thing at a time; the last word counts."""
    for lijnen in a.wachtend.values():
        unmark(lijnen, line)
    if reden:
        mark(a.wachtend.setdefault(reden, []), line)
    if sum(map(len, a.wachtend.values())) > MEESTE_STUKKEN:
        a.verspreid = True
        a.wachtend.clear()


def add(aanlevering: Aanlevering, uitkomsten: Iterable[Uitkomst]) -> None:
    """Count outcomes into the delivery, in place; a record that has one already changes nothing.

    Two things come after a first outcome: a record that could not be opened and was put back by an operator (its
    readable outcome replaces the first), and an accepted record that a return message withdraws.
    """
    for uitkomst in uitkomsten:
        if uitkomst.wacht is not None:
            if not aanlevering.verspreid:
                _wacht(aanlevering, uitkomst.line, uitkomst.wacht)
        elif uitkomst.ingetrokken:
            if mark(aanlevering.ingetrokken, uitkomst.line):
                aanlevering.aantal_ingetrokken += 1
                _noteer(aanlevering, uitkomst)
        elif mark(aanlevering.gezien, uitkomst.line):
            _tel(aanlevering, uitkomst)
        elif uitkomst.line in aanlevering.onleesbaar and not _onleesbaar(uitkomst.code):
            _herroep(aanlevering, uitkomst)


def _onleesbaar(code: str) -> bool:
    """Codes of the envelope: nothing of the record was read, so nothing but its number is counted."""
    return code.startswith("K")


def _herroep(aanlevering: Aanlevering, uitkomst: Uitkomst) -> None:
    a, code = aanlevering, aanlevering.onleesbaar.pop(uitkomst.line)
    a.aantal -= 1
    a.codes[code] -= 1
    if not a.codes[code]:
        del a.codes[code]
    a.fouten = [fout for fout in a.fouten if fout.line != uitkomst.line]
    _tel(a, uitkomst)


def _tel(aanlevering: Aanlevering, uitkomst: Uitkomst) -> None:
    a = aanlevering
    a.aantal += 1
    a.eerste = min(a.eerste or uitkomst.published_at, uitkomst.published_at)
    a.laatste = max(a.laatste, uitkomst.published_at)
    if not uitkomst.code:
        a.geaccepteerd += 1
        a.regels_geaccepteerd += uitkomst.regels
        return
    a.regels_afgekeurd += uitkomst.regels
    if _onleesbaar(uitkomst.code) and len(a.onleesbaar) < MEESTE_FOUTEN:
        a.onleesbaar[uitkomst.line] = uitkomst.code
    _noteer(a, uitkomst)


def _noteer(a: Aanlevering, uitkomst: Uitkomst) -> None:
    a.codes[uitkomst.code] = a.codes.get(uitkomst.code, 0) + 1
    if len(a.fouten) < MEESTE_FOUTEN:
        a.fouten.append(uitkomst)
