"""Interior points of parts of a table, everything else as it is in truth: for a few classes of a large table.

A point of a part is one of the whole: what it opens is open. What no part opens is not said to be closed.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from results.gate.bounds import part_of
from results.gate.interior import interior
from results.gate.known import Limits
from results.gate.sides import Sides
from results.gate.table import Flags, Ints, Sparse, Table

#: Variables of a part, and parts in a row that open nothing after which no more are tried.
_PART = 3_000
_IDLE = 3
#: Variables that are asked up to which parts cost less than the whole: of 30,000 they cost more (measured).
FEW = 6_000


def in_parts(table: Table, sides: Sides, known: Flags, limits: Limits, left: Callable[[], float]) -> Flags:
    """Class x side: what is known, and what parts around classes that are not open show to be possible."""
    open_ = known | (sides.reach(table, table.x, table.x) >= 1)
    by_column, rng, idle = table.matrix.transposed(len(table.cap)), np.random.default_rng(1), 0
    while not open_.all() and idle < _IDLE and left() > 0:
        closed = np.flatnonzero(~open_.all(axis=1))
        variables = _around(table, by_column, int(rng.choice(closed)), closed, rng)
        point = interior(part_of(table, by_column, variables), left())
        before = int(open_.sum())
        if point is not None:
            reached = table.x.astype(float)
            reached[variables] = point
            open_ |= sides.reach(table, reached, reached) >= limits.at_bound
        idle = 0 if int(open_.sum()) > before else idle + 1
    return open_


def _around(table: Table, by_column: Sparse, first: int, closed: Ints, rng: np.random.Generator) -> Ints:
    """The variables of whole classes: one, and those of its figures, of the smallest figure first; closed ones first.

    Few figures hold much of a part, so each can move in it.
    """
    kinds, starts = table.kinds, table.matrix.starts
    rows = np.unique(by_column.columns[by_column.starts[first * kinds] : by_column.starts[(first + 1) * kinds]])
    rows = rows[table.cells[rows] >= 0]
    found = [np.array([first])]
    for row in rows[np.argsort(starts[rows + 1] - starts[rows], kind="stable")]:
        near = rng.permutation(np.unique(table.matrix.columns[starts[row] : starts[row + 1]] // kinds))
        found.append(near[np.argsort(~np.isin(near, closed), kind="stable")])
    order = np.concatenate(found)
    place = np.sort(np.unique(order, return_index=True)[1])
    chosen = np.sort(order[place][: max(_PART // kinds, 1)])
    return np.asarray((chosen[:, None] * kinds + np.arange(kinds)).ravel(), np.int64)
