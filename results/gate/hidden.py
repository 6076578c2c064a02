"""Counts that are not shown: how many numbers a group of 1-9 clients may have, for a reader who knows only tables.

Such a reader knows which combinations exist and the denominators, to the nearest five; not who is in them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import highspy
import numpy as np

from results.gate.bounds import part_of
from results.gate.interior import program, solver
from results.gate.known import Hidden, Limits
from results.gate.stretch import Stretched
from results.gate.table import Cell, Flags, Floats, Ints, Sparse, Table, build

#: What a combination may count at most, when no figure says less.
_MOST = 60
_WITNESSES = 8
#: Steps of a walk before any program.
_STEPS = 500_000
#: Variables of a part of the table; rounds over all parts, of which one in so many goes down; and by how much a
#: combination may grow there, so that the program spreads what it adds over many groups.
_PART = 2_000
_ROUNDS = 12
_DOWN = 5
_NEAR = 6
#: Groups that are asked one by one in their own part of the table.
_ALONE = 60
#: Variables of a table up to which there are also programs over the whole.
_EXACT = 4_000
#: The solver's own error.
_ERROR = 1e-6


class Narrow(NamedTuple):
    """A hidden group of which too few numbers are possible, and the classes it is made of."""

    number: int
    classes: Ints
    candidates: int


def counts(cells: Sequence[Cell], rounded: Sequence[int | None], hidden: Sequence[Cell]) -> tuple[Table, list[Ints]]:
    """Numbers of rows as a table: one variable per combination; and the variables of each hidden group.

    ``rounded``: the denominator shown of each cell, None where it stands exactly.
    """
    table = build([*cells, *hidden], {})
    starts, shown = table.matrix.starts, len(cells)
    parts = [table.matrix.columns[starts[row] : starts[row + 1]] for row in range(shown, shown + len(hidden))]
    matrix = table.matrix._replace(
        starts=starts[: shown + 1],
        columns=table.matrix.columns[: starts[shown]],
        value=table.matrix.value[: starts[shown]],
    )
    sizes = np.array([len(cell.members) for cell in cells], np.int64)
    middle = np.array([size if value is None else value for size, value in zip(sizes, rounded, strict=True)], np.int64)
    around = np.array([0 if value is None else 2 for value in rounded], np.int64)
    cap = np.full(len(table.cap), _MOST) + table.children
    return table._replace(
        cap=cap, x=table.children.copy(), matrix=matrix, low=middle - around, high=middle + around,
        cells=np.arange(shown),
    ), parts  # fmt: skip


def narrow(
    table: Table, parts: Sequence[Ints], sizes: Sequence[int], limits: Limits, left: Callable[[], float], *,
    owner: Ints | None = None,
) -> Iterator[Narrow | None]:  # fmt: skip
    """The hidden groups with fewer possible numbers than the limit; None when time ran out.

    A group that may be empty for all a reader knows is none of them. That a group is hidden does not say that it is of
    fewer than ten: a larger one stays out where it comes too near to another. ``owner``: whose rows each combination
    is mostly of: then programs over some owners, while all others stand still, open most before one over all.
    """
    if not parts:
        return
    look = _Looks(table, parts, sizes, left)
    rng = np.random.default_rng(1)
    look.walked(table, parts, limits.candidates)
    if owner is not None:
        look.by_owner(table, parts, owner, limits.candidates, rng)
    for _ in range(_WITNESSES if len(table.cap) <= _EXACT else 0):
        closed: list[int] = np.flatnonzero(look.narrow(limits.candidates)).tolist()
        if not closed:
            return
        aim = np.zeros(len(table.cap))
        for group in closed:
            aim[parts[group]] += rng.choice([-1.0, 1.0])
        if not look.both_ways(aim + 1e-3 * rng.standard_normal(len(aim))):
            break
    if left() <= 0:
        yield None
        return
    for number in np.flatnonzero(look.narrow(limits.candidates)).tolist() if len(table.cap) > _EXACT else []:
        # Not shown to be wide enough, which is enough to take a figure out: corners of a large table take minutes.
        yield Narrow(number, parts[number], int(look.candidates()[number]))
    if len(table.cap) > _EXACT:
        return
    look.exactly(table)
    for number, part in enumerate(parts):
        if look.narrow(limits.candidates)[number]:
            aim = np.zeros(len(table.cap))
            aim[part] = 1
            if not look.both_ways(aim):
                yield None
                return
            if look.narrow(limits.candidates)[number]:
                yield Narrow(number, part, int(look.candidates()[number]))


class _Looks:
    """The least and the most that each part was seen to count."""

    def __init__(self, table: Table, parts: Sequence[Ints], sizes: Sequence[int], left: Callable[[], float]) -> None:
        # Near enough to see that many numbers are possible, and five times as fast as a corner.
        self._highs = solver(left(), presolve="off", solver="ipm", run_crossover="off")
        self._highs.passModel(program(table))
        self._left = left
        self._index = np.concatenate(parts)
        self._starts = np.concatenate(([0], np.cumsum([len(part) for part in parts])[:-1])).astype(np.int64)
        self._least, self._most = np.array(sizes, float), np.array(sizes, float)

    def walked(self, table: Table, parts: Sequence[Ints], limit: int) -> None:
        """Look at what a walk over whole tables meets; none where the truth does not keep to what is shown."""
        if table.fits:
            walk = Stretched(table, parts)
            walk.look(limit, steps=_STEPS, seed=1)
            np.minimum(self._least, walk.least, out=self._least)
            np.maximum(self._most, walk.most, out=self._most)

    def by_owner(
        self, table: Table, parts: Sequence[Ints], owner: Ints, limit: int, rng: np.random.Generator
    ) -> None:  # fmt: skip
        """Look at combinations of some owners at a time, everything else as it is, until a round opens little."""
        if not table.fits:
            return
        by_column = table.matrix.transposed(len(table.cap))
        for number in range(_ROUNDS):
            before = int(self.narrow(limit).sum())
            for variables in _several(owner, rng):
                self._part(table, by_column, parts, variables, self.narrow(limit), number % _DOWN == 1)
            after = int(self.narrow(limit).sum())
            if not after or self._left() <= 0 or (number > 1 and after > 0.9 * before):
                break
        for group in np.flatnonzero(self.narrow(limit))[:_ALONE].tolist():
            only = np.arange(len(parts)) == group
            variables = _around(owner, owner[parts[group]], rng)
            for down in (False, True):
                if self.narrow(limit)[group]:
                    self._part(table, by_column, parts, variables, only, down, alone=True)

    def _part(
        self, table: Table, by_column: Sparse, parts: Sequence[Ints], variables: Ints, groups: Flags, down: bool, *,
        alone: bool = False,
    ) -> None:  # fmt: skip
        """One program over some variables toward all groups that have any of them; widens what was seen."""
        aim = np.zeros(len(table.cap))
        for group in np.flatnonzero(groups).tolist():
            aim[parts[group]] += 1.0 if down else -1.0
        if not aim[variables].any() or self._left() <= 0:
            return
        part = part_of(table, by_column, variables)
        part = part if alone else part._replace(cap=np.minimum(part.cap, part.x + _NEAR))
        highs = solver(self._left(), presolve="off", solver="ipm", run_crossover="off")
        lp = program(part)
        lp.col_cost_ = aim[variables]
        highs.passModel(lp)
        highs.run()
        if highs.getModelStatus() == highspy.HighsModelStatus.kOptimal:
            found = table.x.astype(float)
            found[variables] = np.array(highs.getSolution().col_value)
            self._note(found)

    def exactly(self, table: Table) -> None:
        """From here on look at corners: for the few that are left."""
        self._highs = solver(self._left(), presolve="off", simplex_strategy=4)
        self._highs.passModel(program(table))

    def both_ways(self, aim: Floats) -> bool:
        """Look where the aim is least and where it is most; False when time ran out."""
        for sign in (1.0, -1.0):
            if self._left() <= 0:
                return False
            self._highs.changeColsCost(len(aim), np.arange(len(aim), dtype=np.int32), sign * aim)
            self._highs.run()
            if self._highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
                return False
            self._note(np.array(self._highs.getSolution().col_value))
        return True

    def _note(self, found: Floats) -> None:
        sums = np.add.reduceat(found[self._index], self._starts)
        np.minimum(self._least, sums, out=self._least)
        np.maximum(self._most, sums, out=self._most)

    def candidates(self) -> Ints:
        """How many whole numbers lie between."""
        return np.asarray(np.floor(self._most + _ERROR) - np.ceil(self._least - _ERROR) + 1, np.int64)

    def narrow(self, limit: int) -> Flags:
        """Which parts were seen with fewer numbers than the limit, and never empty."""
        return np.asarray((self.candidates() < limit) & (self._least > _ERROR))


def _several(owner: Ints, rng: np.random.Generator) -> Iterator[Ints]:
    """The variables of some owners at a time, so that each stands in one part."""
    owners, sizes = np.unique(owner, return_counts=True)
    order = rng.permutation(len(owners))
    part = np.cumsum(sizes[order]) // _PART
    for number in np.unique(part).tolist():
        yield np.flatnonzero(np.isin(owner, owners[order[part == number]]))


def _around(owner: Ints, first: Ints, rng: np.random.Generator) -> Ints:
    """The variables of some owners, and of others until there are enough."""
    owners, sizes = np.unique(owner, return_counts=True)
    order = np.argsort(~np.isin(owners, first) + rng.random(len(owners)) / 2)
    many = max(int(np.searchsorted(np.cumsum(sizes[order]), _PART)), len(np.unique(first)))
    return np.flatnonzero(np.isin(owner, owners[order[:many]]))


def as_cells(hidden: Sequence[Hidden]) -> list[Cell]:
    """Hidden groups in the form of cells, without an interval."""
    return [
        Cell(group.indicator, np.unique(np.asarray(group.members, np.int64)), 0, len(group.members), 0, 1, (-1,))
        for group in hidden
    ]
