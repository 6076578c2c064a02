"""What the walk leaves closed: linear programs, small ones around it first, over the whole table last.

A program that reaches a side in whole numbers gives a table in which it is possible. One that cannot (less than one
child) proves that it is possible in none: whole numbers lie within its bounds. Between the two, whole
numbers decide in a small table; in a large one an answer in parts counts as possible (docs/release.md).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import highspy
import numpy as np

from results.gate.interior import program, solver
from results.gate.sides import Sides
from results.gate.table import Flags, Floats, Ints, Sparse, Table

#: Variables of a small program, how many of them are aimed at, and how many figures around them give the others.
_LOCAL = 600
_AIMED = 150
_FIGURES = 60
_IDLE = 2
_LOCAL_SECONDS = 5.0
#: Forced sides after which no more are looked for: the repair begins with these.
_ENOUGH = 20
#: How far a value may lie from a whole number, or below one child, by the solver's own error.
_ERROR = 1e-6


class Settled(NamedTuple):
    """Which sides are possible, which are proven not to be, and how many programs that took; class x side."""

    open: Flags
    forced: Flags
    programs: int


class _Programs:
    """One program over a table, solved again with other objectives."""

    def __init__(self, table: Table, seconds: float) -> None:
        self._highs = solver(seconds, presolve="off", simplex_strategy=4)
        self._highs.passModel(program(table))
        self._count = len(table.cap)

    def most(self, aim: Floats) -> Floats | None:
        """A table in which the aim is greatest; None when the solver did not finish."""
        self._highs.changeColsCost(self._count, np.arange(self._count, dtype=np.int32), -aim)
        self._highs.run()
        if self._highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        return np.array(self._highs.getSolution().col_value)


def _in_whole_numbers(table: Table, aim: Floats, seconds: float) -> tuple[Floats, bool] | None:
    """A table in whole numbers that goes toward the aim, and whether none goes further; None when none was found."""
    highs = solver(seconds)
    whole = program(table)
    whole.col_cost_ = -aim
    whole.integrality_ = [highspy.HighsVarType.kInteger] * len(table.cap)
    highs.passModel(whole)
    highs.run()
    x = np.array(highs.getSolution().col_value)
    if len(x) != len(table.cap) or not is_whole(x):
        return None
    return np.rint(x), highs.getModelStatus() == highspy.HighsModelStatus.kOptimal


def _wants_whole(table: Table, found: Floats) -> bool:
    """Whether an answer in parts of children is asked again in whole ones: only where the table is small."""
    return len(table.cap) <= _LOCAL and not is_whole(found)


def is_whole(x: Floats) -> bool:
    """Whether a table is in whole numbers, but for the solver's error."""
    return bool(np.abs(x - np.rint(x)).max() < _ERROR)


def _aim(table: Table, sides: Sides, closed: Flags, weights: Floats) -> Floats:
    """An objective toward all of the closed sides."""
    aim = np.zeros(len(table.cap))
    for (class_, side), weight in zip(np.argwhere(closed), weights, strict=False):
        variables, sign = sides.toward(table, int(class_), int(side))
        aim[variables] += sign * weight
    return aim


def settle(
    table: Table, sides: Sides, open_: Flags, point: Floats, left: Callable[[], float], *, seed: int = 1
) -> Settled:
    """Decide each side that is not open; those with the lowest value in ``point`` first.

    ``left``: seconds until the deadline. What is neither open nor forced in the answer was not finished; nor is it
    when enough are forced: one is too many.
    """
    open_, forced = open_.copy(), np.zeros_like(open_)
    rng = np.random.default_rng(seed)
    count = _around(table, sides, open_, rng, left)
    if open_.all() or left() <= 0:
        return Settled(open_, forced, count)
    programs = _Programs(table, left())
    for side in range(sides.number):
        count += _together(table, sides, open_, side, programs, rng, left)
    order = np.argwhere(~open_)
    reach = sides.reach(table, point, point)
    for class_, side in order[np.argsort(reach[order[:, 0], order[:, 1]], kind="stable")]:
        if open_[class_, side]:
            continue
        if forced.sum() >= _ENOUGH:
            break
        only = np.zeros_like(open_)
        only[class_, side] = True
        aim = _aim(table, sides, only, np.ones(1))
        found = programs.most(aim) if left() > 0 else None
        if found is None:
            break
        count += 1
        best = sides.reach(table, found, found)[class_, side] < 1 - _ERROR
        if not best and _wants_whole(table, found):
            whole = _in_whole_numbers(table, aim, left())
            if whole is None:
                continue
            found, best = whole
        open_ |= sides.reach(table, found, found) >= 1 - _ERROR
        forced[class_, side] = best and not open_[class_, side]
    return Settled(open_, forced, count)


def _together(
    table: Table, sides: Sides, open_: Flags, side: int, programs: _Programs, rng: np.random.Generator,
    left: Callable[[], float],
) -> int:  # fmt: skip
    """Aim at everything that is closed on one side, until an aim opens little; changes ``open_``."""
    for count in range(25):
        closed = np.zeros_like(open_)
        closed[:, side] = ~open_[:, side]
        before = int(closed.sum())
        found = None
        if before and left() > 0:
            found = programs.most(_aim(table, sides, closed, rng.uniform(0.5, 1.5, before)))
        if found is None:
            return count
        if not _wants_whole(table, found):
            open_ |= sides.reach(table, found, found) >= 1 - _ERROR
        if before - int((~open_[:, side]).sum()) <= before // 50:
            return count + 1
    return 25


def _around(table: Table, sides: Sides, open_: Flags, rng: np.random.Generator, left: Callable[[], float]) -> int:
    """Small programs around closed sides, everything else held at a known table; changes ``open_`` and the table's x.

    What such a program reaches is reachable in the whole.
    """
    by_column, count = table.matrix.transposed(len(table.cap)), 0
    for side in range(sides.number):
        idle = 0
        while idle < _IDLE and left() > 0:
            closed = np.flatnonzero(~open_[:, side])
            if not len(closed):
                break
            picked = rng.permutation(closed)[: max(_AIMED // table.kinds, 1)]
            chosen = np.zeros_like(open_)
            chosen[picked, side] = True
            opened = _locally(table, by_column, sides, chosen, rng, left)
            count += 1
            before = int(open_.sum())
            if opened is not None:
                open_ |= opened
            idle = 0 if int(open_.sum()) > before else idle + 1
    return count


def _locally(
    table: Table, by_column: Sparse, sides: Sides, chosen: Flags, rng: np.random.Generator, left: Callable[[], float]
) -> Flags | None:
    """The sides that one small program opens; the table moves along where the answer is in whole numbers."""
    aim = _aim(table, sides, chosen, rng.uniform(0.5, 1.5, int(chosen.sum())))
    variables = _surroundings(table, by_column, np.flatnonzero(aim), rng)
    part = part_of(table, by_column, variables)
    found = _Programs(part, left()).most(aim[variables])
    if found is None:
        return None
    if _wants_whole(table, found):
        whole = _in_whole_numbers(part, aim[variables], min(left(), _LOCAL_SECONDS))
        if whole is None:
            return None
        found = whole[0]
    reached = table.x.astype(float)
    reached[variables] = found
    if is_whole(found):
        table.x[variables] = np.rint(found).astype(np.int64)
    return np.asarray(sides.reach(table, reached, reached) >= 1 - _ERROR)


def _gather(matrix: Sparse, rows: Ints) -> Ints:
    """Places of all entries of some rows of a matrix."""
    lengths = matrix.starts[rows + 1] - matrix.starts[rows]
    ends = np.cumsum(lengths)
    return np.asarray(
        np.arange(ends[-1] if len(ends) else 0) + np.repeat(matrix.starts[rows] - ends + lengths, lengths)
    )


def _surroundings(table: Table, by_column: Sparse, aimed: Ints, rng: np.random.Generator) -> Ints:
    """The aimed variables and some that share figures, first those that can move both ways; always whole classes."""
    figures = rng.permutation(np.unique(by_column.columns[_gather(by_column, aimed)]))[:_FIGURES]
    near = rng.permutation(np.setdiff1d(table.matrix.columns[_gather(table.matrix, figures)], aimed))
    movable = near[(table.x[near] > 0) & (table.x[near] < table.cap[near])]
    giving = near[table.x[near] > 0]
    order = np.concatenate((aimed, movable, giving[: _LOCAL // 2], near)) // table.kinds
    first = np.sort(np.unique(order, return_index=True)[1])
    chosen = np.sort(order[first][: max(_LOCAL // table.kinds, 1)])
    return np.asarray((chosen[:, None] * table.kinds + np.arange(table.kinds)).ravel(), np.int64)


def part_of(table: Table, by_column: Sparse, variables: Ints) -> Table:
    """The table of some variables while all others stay where they are."""
    places = _gather(by_column, variables)
    lengths = by_column.starts[variables + 1] - by_column.starts[variables]
    used, rows = np.unique(by_column.columns[places], return_inverse=True)
    order = np.argsort(rows.ravel(), kind="stable")
    starts = np.concatenate(([0], np.cumsum(np.bincount(rows.ravel(), minlength=len(used)))))
    index = np.repeat(np.arange(len(variables)), lengths)[order]
    matrix = Sparse(starts, index, by_column.value[places][order])
    x = table.x[variables]
    held = table.matrix.times(table.x)[used] - matrix.times(x)
    return Table(
        table.cap[variables], x, matrix, table.low[used] - held, table.high[used] - held,
        table.children[variables], table.kinds, used,
    )  # fmt: skip
