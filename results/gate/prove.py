"""One block: what is forced in it, and which figure to take out when something is."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from results.gate.blocks import Block
from results.gate.bounds import settle
from results.gate.interior import at_bound, feasible, interior
from results.gate.known import Limits
from results.gate.seek import seek
from results.gate.sides import Sides, sides_of
from results.gate.table import Flags, Floats, Ints, Table, build
from results.gate.walk import Seen, standing, walk

#: Steps of a walk before what it leaves is looked for, and how often that is done.
_SLICE = 500_000
_SEARCHES = 8


class Proof(NamedTuple):
    """What was found of a block.

    ``forced``: classes of which an outcome is certain; ``children``: rows in them. ``undecided``: sides of classes that
    were not finished. ``flagged``: children at a bound in the interior point. ``walked``: sides that the walk left.
    """

    block: Block
    table: Table
    forced: Ints
    children: int
    undecided: int
    flagged: int
    walked: int
    programs: int
    seconds: Mapping[str, float]

    @property
    def clean(self) -> bool:
        """Whether every outcome of every child is possible, and that was proven."""
        return not len(self.forced) and not self.undecided

    @property
    def described(self) -> dict[str, Any]:
        """The proof for the report."""
        return {
            "blok": self.block.name,
            "cijfers": len(self.block.cells),
            "klassen": len(self.table.cap) // self.table.kinds,
            "kinderen": int(self.table.children[:: self.table.kinds].sum()),
            "gedwongen": self.children,
            "aan_de_grens": self.flagged,
            "na_wandeling": self.walked,
            "programmas": self.programs,
            "onbeslist": self.undecided,
            "seconden": {name: round(seconds, 2) for name, seconds in self.seconds.items()},
        }


def prove(block: Block, outcomes: Mapping[str, Mapping[int, int]], limits: Limits, left: Callable[[], float]) -> Proof:
    """Prove that every outcome is possible, within ``limits.seconds`` and before the deadline.

    Of one indicator in whole numbers; of joint ones, each of which was proven so, by the interior point.
    """
    return prove_table(block, build(block.cells, outcomes, block.joint), limits, left)


def prove_table(
    block: Block, table: Table, limits: Limits, left: Callable[[], float], *, opened: Flags | None = None
) -> Proof:
    """The same for a table that is made. ``opened``: class x side, what is known to be possible."""
    end = time.monotonic() + min(limits.seconds, left())

    def remaining() -> float:
        return end - time.monotonic()

    sides, clock = sides_of(block.joint), _Clock()
    if not table.fits:
        start = feasible(table, remaining())
        if start is None:
            return _unfinished(block, table, sides, clock)
        table = table._replace(x=start)
    clock.lap("start")
    if limits.walk_first and block.joint is None:
        opened = _walked(table, sides, limits, remaining, opened)
        clock.lap("wandeling")
        if opened.all():
            return _proof(block, table, ~opened, opened, ~opened, 0, clock)
    point = interior(table, remaining())
    clock.lap("binnenpunt")
    if point is None:
        return _unfinished(block, table, sides, clock)
    held = _at_bound(table, sides, point, limits.at_bound)
    open_ = sides.reach(table, table.x, table.x) >= 1
    open_ = open_ if opened is None else open_ | opened
    programs = 0
    if (held & ~open_).any():  # what the point says is forced first: one proven is enough to know
        early = settle(table, sides, open_ | ~held, point, remaining)
        if early.forced.any():
            clock.lap("programma's")
            return _proof(block, table, early.forced, open_, held, early.programs, clock, decided=True)
        open_, programs = open_ | (early.open & held), early.programs
        clock.lap("programma's")
    if block.joint is not None:
        decided = open_ | ~held
        return _proof(block, table, np.zeros_like(held), decided, held, programs, clock)
    if not limits.walk_first:
        open_ = _walked(table, sides, limits, remaining, open_)
    walked = int((~open_).sum())
    clock.lap("wandeling")
    settled = settle(table, sides, open_, point, remaining)
    clock.lap("programma's")
    proof = _proof(block, table, settled.forced, settled.open, held, programs + settled.programs, clock)
    return proof._replace(walked=walked)


class _Clock:
    """Seconds of each part."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.monotonic()

    def lap(self, name: str) -> None:
        """Add what passed since the last lap."""
        now = time.monotonic()
        self.seconds[name] = self.seconds.get(name, 0.0) + now - self._last
        self._last = now


def _at_bound(table: Table, sides: Sides, point: Floats, near: float) -> Flags:
    """Class x side: which sides the interior point does not reach at all."""
    if not len(sides.groups):
        zero, cap = at_bound(table, point, near)
        return np.stack((zero, cap), axis=1)
    return sides.reach(table, point, point) < near


def _walked(table: Table, sides: Sides, limits: Limits, remaining: Callable[[], float], known: Flags | None) -> Flags:
    """The sides that a walk and searches open, or that are known to be; they take at most half of the time."""
    seen: Seen = standing(table)
    half = remaining() / 2
    opened = sides.reach(table, seen.least, seen.most) >= 1
    opened = opened if known is None else opened | known
    idle = 0
    for number in range(_SEARCHES):
        if opened.all() or remaining() < half or idle == 2:
            break
        before = int(opened.sum())
        seen = walk(table, seen, np.asarray(~opened.all(axis=1)), steps=min(_SLICE, limits.walk_steps), seed=number)
        opened |= sides.reach(table, seen.least, seen.most) >= 1
        seen = seek(table, seen, np.asarray(~opened.all(axis=1)), seed=number)
        opened |= sides.reach(table, seen.least, seen.most) >= 1
        idle = 0 if int(opened.sum()) > before else idle + 1
    return opened


def _proof(
    block: Block, table: Table, forced: Flags, open_: Flags, held: Flags, programs: int, clock: _Clock, *,
    decided: bool = False,
) -> Proof:  # fmt: skip
    per_class = table.children[:: table.kinds]
    closed = forced.any(axis=1)
    undecided = 0 if decided else int((~open_ & ~forced).sum())
    return Proof(
        block, table, np.flatnonzero(closed), int(per_class[closed].sum()), undecided,
        int(per_class[held.any(axis=1)].sum()), 0, programs, clock.seconds,
    )  # fmt: skip


def _unfinished(block: Block, table: Table, sides: Sides, clock: _Clock) -> Proof:
    count = len(table.cap) // table.kinds * sides.number
    return Proof(block, table, np.zeros(0, np.int64), 0, count, 0, count, 0, clock.seconds)
