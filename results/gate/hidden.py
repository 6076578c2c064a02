"""Counts that are not shown: how many numbers a group of 1-9 clients may have, for a reader who knows only tables.

Such a reader knows which combinations exist and the denominators, to the nearest five; not who is in them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import highspy
import numpy as np

from results.gate.interior import program, solver
from results.gate.known import Hidden, Limits
from results.gate.table import Cell, Floats, Ints, Table, build

#: What a combination may count at most, when no figure says less.
_MOST = 60
_WITNESSES = 8


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
    parts = [table.matrix.index[starts[row] : starts[row + 1]] for row in range(shown, shown + len(hidden))]
    matrix = table.matrix._replace(
        starts=starts[: shown + 1], index=table.matrix.index[: starts[shown]], value=table.matrix.value[: starts[shown]]
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
    table: Table, parts: Sequence[Ints], sizes: Sequence[int], limits: Limits, left: Callable[[], float]
) -> Iterator[Narrow | None]:
    """The hidden groups with fewer possible numbers than the limit; None when time ran out.

    A group counts fewer rows than a group that is shown: only numbers below ``smallest_group`` are candidates.
    """
    if not parts:
        return
    highs = solver(left(), presolve="off", simplex_strategy=4)
    highs.passModel(program(table))
    most = limits.smallest_group - 1
    least_seen, most_seen = np.array(sizes, float), np.array(sizes, float)
    rng = np.random.default_rng(1)

    def look(aim: Floats) -> bool:
        for sign in (1.0, -1.0):
            highs.changeColsCost(len(aim), np.arange(len(aim), dtype=np.int32), sign * aim)
            highs.run()
            if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
                return False
            x = np.array(highs.getSolution().col_value)
            sums = np.array([x[part].sum() for part in parts])
            np.minimum(least_seen, sums, out=least_seen)
            np.maximum(most_seen, sums, out=most_seen)
        return True

    for _ in range(_WITNESSES):
        aim = np.zeros(len(table.cap))
        for number in np.flatnonzero(_width(least_seen, most_seen, most) < limits.candidates):
            aim[parts[number]] += rng.choice([-1.0, 1.0])
        if left() <= 0 or not look(aim + 1e-3 * rng.standard_normal(len(aim))):
            yield None
            return
    for number, part in enumerate(parts):
        if _width(least_seen, most_seen, most)[number] >= limits.candidates:
            continue
        aim = np.zeros(len(table.cap))
        aim[part] = 1
        if left() <= 0 or not look(aim):
            yield None
            return
        width = int(_width(least_seen, most_seen, most)[number])
        if width < limits.candidates:
            yield Narrow(number, part, width)


def _width(least: Floats, most: Floats, bound: int) -> Ints:
    """How many whole numbers from 0 to the bound lie between."""
    low, high = np.ceil(np.maximum(least, 0) - 1e-6), np.floor(np.minimum(most, bound) + 1e-6)
    return np.asarray(np.maximum(high - low + 1, 0), np.int64)


def as_cells(hidden: Sequence[Hidden]) -> list[Cell]:
    """Hidden groups in the form of cells, without an interval."""
    return [
        Cell(group.indicator, np.unique(np.asarray(group.members, np.int64)), 0, len(group.members), 0, 1, (-1,))
        for group in hidden
    ]
