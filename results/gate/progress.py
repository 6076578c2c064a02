"""What one audit knows and what it has found so far; every step writes here."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

from results.gate.blocks import Block, Members, blocks_of, cells_of, newest
from results.gate.known import Joint, Limits, Rows
from results.gate.prove import Proof, smallest_touching
from results.gate.structure import Structure, is_sum
from results.gate.table import Cell
from results.release.model import Figure

#: Why a release is refused: the repair does not help or takes too much, or the gate was not finished.
Reason = Literal["", "gedwongen", "te veel ingehouden", "niet af"]


class GateRefuses(Exception):
    """Ends the audit with a reason; caught by ``audit``."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


class Gate:
    """What one audit knows and what it has found."""

    def __init__(
        self, figures: Sequence[Figure], rows: Rows, joints: Sequence[Joint], limits: Limits, deadline: float
    ) -> None:
        self.figures, self.rows, self.joints, self.limits = figures, rows, joints, limits
        self.members, self.last = Members(), newest(figures)
        self._end = time.monotonic() + deadline
        self.withheld: dict[int, set[str]] = {}
        self.steps: list[dict[str, Any]] = []
        self.blocks: list[dict[str, Any]] = []

    def left(self) -> float:
        """Seconds until the deadline."""
        return self._end - time.monotonic()

    def withhold(self, places: Iterable[int], rule: str) -> None:
        """Take figures out; refuses when that is too many."""
        for place in places:
            self.withheld.setdefault(place, set()).add(rule)
        if len(self.withheld) > self.limits.withheld:
            raise GateRefuses("te veel ingehouden")

    def is_out(self, place: int) -> bool:
        """Whether a figure is taken out, or adds nothing: one of the region is a sum of others."""
        return place in self.withheld or is_sum(self.figures[place])

    def split(
        self, wanted: Callable[[Figure], bool] = lambda _: True, *, counts: bool = False, joined: bool = False
    ) -> list[Block]:
        """The blocks of the figures that are left: of each indicator, or (``joined``) of those that hang together."""
        cells = list(
            cells_of(
                self.figures,
                self.members,
                lambda place: self.is_out(place) or not wanted(self.figures[place]),
                counts=counts,
            )
        )
        if joined:
            together = {indicator for joint in self.joints for indicator in joint.adds}
            cells = [cell for cell in cells if cell.indicator in together]
        return blocks_of(self.figures, cells, self.joints if joined else ()) if cells else []

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


def repair(gate: Gate, proof: Proof, rule: str) -> Cell:
    """Withhold the smallest figure that touches what is forced; refuses when there is none, or it was not finished."""
    if not len(proof.forced):
        raise GateRefuses("niet af")
    cell = smallest_touching(proof.block, proof.table, proof.forced, gate.figures, gate.last)
    if cell is None:
        raise GateRefuses("gedwongen")
    gate.withhold(cell.figures, rule)
    return cell
