"""What one audit knows and what it has found so far, over all cases; every step writes here."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

from results.gate.blocks import Members, newest
from results.gate.examine import STEPS, Examined
from results.gate.known import Limits, Rows
from results.gate.structure import Structure, is_sum
from results.release.model import Figure

#: Why a release is refused: too much breaks an exact rule or stays out, or the gate was not finished.
Reason = Literal["", "te veel ingehouden", "niet af"]


class GateEnds(Exception):
    """Ends the audit with a reason; caught by ``audit``."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


class Gate:
    """What one audit knows and what it has found."""

    def __init__(self, figures: Sequence[Figure], rows: Rows, limits: Limits, deadline: float) -> None:
        self.figures, self.rows, self.limits = figures, rows, limits
        self.members, self.last = Members(), newest(figures)
        self.end = time.monotonic() + deadline
        self.withheld: dict[int, set[str]] = {}
        self.steps: list[dict[str, Any]] = []
        self.cases: list[Examined] = []

    def withhold(self, places: Iterable[int], rule: str) -> None:
        """Take figures out."""
        for place in places:
            self.withheld.setdefault(place, set()).add(rule)

    def skipped(self) -> frozenset[int]:
        """What no case reads: figures that are out, that are a sum of others, or of periods that are closed."""
        newest_end = max((_month(one) for one in self.figures if one.release == self.last), default=0)
        closed = newest_end - self.limits.months
        return frozenset(
            place
            for place, one in enumerate(self.figures)
            if place in self.withheld or is_sum(one) or (one.release != self.last and _month(one) <= closed)
        )

    def structure(self) -> Structure:
        """What the exact rules look at."""
        return Structure(self.figures, self.rows, self.limits, self.members, frozenset(self.withheld))

    def step(self, name: str, work: Callable[[], dict[str, Any]]) -> None:
        """Run a step and note its time and figures, even when it refuses."""
        begin, busy, before = time.monotonic(), time.process_time(), len(self.withheld)
        found: dict[str, Any] = {}
        try:
            found = work()
        finally:
            self.steps.append(
                {
                    "stap": name,
                    "seconden": round(time.monotonic() - begin, 2),
                    "rekentijd": round(time.process_time() - busy, 2),
                    "ingehouden": len(self.withheld) - before,
                    **found,
                }
            )

    def took(self, examined: Iterable[Examined]) -> None:
        """Add what cases found; seconds of a step are those of all cases together, whoever worked at them."""
        for one in examined:
            self.cases.append(one)
            for place, rules in one.out.items():
                self.withheld.setdefault(place, set()).update(rules)
        self.cases.sort(key=lambda one: str(one.described["blok"]))
        for name in STEPS:
            parts = [one.steps[name] for one in self.cases]
            keys = {key: None for part in parts for key in part}
            found = {key: round(sum(part.get(key, 0) for part in parts), 2) for key in keys}
            empty = {"seconden": 0.0, "rekentijd": 0.0, "ingehouden": 0}
            self.steps.append({"stap": name, **empty, **found})

    def enough_is_left(self) -> None:
        """Refuses when too many blocks that have anything new stay out as a whole."""
        new = [one.described for one in self.cases if one.described["nieuw"]]
        whole = [one for one in new if one["geheel"]]
        if len(whole) > self.limits.blocks * len(new):
            late = sum(bool(one["niet_af"]) for one in whole)
            raise GateEnds("niet af" if 2 * late > len(whole) else "te veel ingehouden")


def _month(figure: Figure) -> int:
    """The last month of a period, counted; 0 for a period that is none."""
    year, _, rest = figure.group.periode.partition("-")
    number = rest.removeprefix("K")
    if not (year.isdecimal() and number.isdecimal()):
        return 0
    return int(year) * 12 + int(number) * (3 if rest.startswith("K") else 1)
