"""A random walk over whole tables: each table it meets keeps every figure, so what differs between them is open.

Compiled. Steps of one child: alone, with another class the other way, or in a chain of three; half of the steps begin
at what is still closed. The seed is fixed: the same release gives the same walk.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from results.gate.table import Flags, Ints, Table


class Seen(NamedTuple):
    """The least and the most of each variable over the tables that were met."""

    least: Ints
    most: Ints

    def open(self, table: Table) -> tuple[Flags, Flags]:
        """Which variables were seen above zero, and which below their cap."""
        return self.most > 0, self.least < table.cap


@njit(cache=True, nogil=True)
def shift(variable, by, starts, index, value, sums):  # type: ignore[no-untyped-def]
    for place in range(starts[variable], starts[variable + 1]):
        sums[index[place]] += by * value[place]


@njit(cache=True, nogil=True)
def fits(variable, starts, index, sums, low, high):  # type: ignore[no-untyped-def]
    for place in range(starts[variable], starts[variable + 1]):
        row = index[place]
        if sums[row] < low[row] or sums[row] > high[row]:
            return False
    return True


@njit(cache=True, nogil=True)
def beside(variable, starts, index, row_starts, row_index):  # type: ignore[no-untyped-def]
    """A variable that shares a constraint with this one."""
    row = index[starts[variable] + np.random.randint(starts[variable + 1] - starts[variable])]
    return row_index[row_starts[row] + np.random.randint(row_starts[row + 1] - row_starts[row])]


@njit(cache=True, nogil=True)
def _closed(wanted, least, most, cap, found):  # type: ignore[no-untyped-def]
    """Fill ``found`` with the variables that stay closed, and give how many."""
    count = 0
    for variable in range(len(cap)):
        if wanted[variable] and (most[variable] == 0 or least[variable] == cap[variable]):
            found[count] = variable
            count += 1
    return count


@njit(cache=True, nogil=True)
def positives(x, found):  # type: ignore[no-untyped-def]
    count = 0
    for variable in range(len(x)):
        if x[variable] > 0:
            found[count] = variable
            count += 1
    return count


@njit(cache=True, nogil=True)
def _begin(x, closed, closed_count, most):  # type: ignore[no-untyped-def]
    """Which variable moves first, and which way: half of the time toward what is closed."""
    if closed_count > 0 and np.random.random() < 0.5:
        first = closed[np.random.randint(closed_count)]
        return first, 1 if most[first] == 0 else -1
    return np.random.randint(len(x)), 1 if np.random.random() < 0.5 else -1


@njit(cache=True, nogil=True)
def propose(  # type: ignore[no-untyped-def]
    first, sign, x, cap, starts, index, row_starts, row_index, positive, positive_count, moved, by
):
    """Fill ``moved`` and ``by`` with a step that keeps every variable in its bounds; how many move, 0 = none."""
    if x[first] + sign < 0 or x[first] + sign > cap[first] or starts[first + 1] == starts[first]:
        return 0
    moved[0], by[0] = first, sign
    draw = np.random.random()
    if draw >= 0.85:
        return 1
    second = beside(first, starts, index, row_starts, row_index)
    if sign > 0 and positive_count > 0 and np.random.random() < 0.6:
        second = positive[np.random.randint(positive_count)]
    if second == first or x[second] - sign < 0 or x[second] - sign > cap[second]:
        return 0
    moved[1], by[1] = second, -sign
    if draw < 0.35 and starts[second + 1] > starts[second]:
        third = beside(second, starts, index, row_starts, row_index)
        if third != first and third != second and x[third] + sign >= 0 and x[third] + sign <= cap[third]:
            moved[2], by[2] = third, sign
            return 3
    return 2


@njit(cache=True, nogil=True)
def _walk(  # type: ignore[no-untyped-def]
    x, cap, starts, index, value, row_starts, row_index, sums, low, high, least, most, wanted, steps, seed
):
    np.random.seed(seed)
    closed, positive = np.empty(len(x), np.int64), np.empty(len(x), np.int64)
    closed_count, positive_count = 0, 0
    moved, by = np.empty(3, np.int64), np.empty(3, np.int64)
    for step in range(steps):
        if step % 5000 == 0:
            positive_count = positives(x, positive)
        if step % 20_000 == 0:
            closed_count = _closed(wanted, least, most, cap, closed)
            if closed_count == 0:
                return
        first, sign = _begin(x, closed, closed_count, most)
        count = propose(first, sign, x, cap, starts, index, row_starts, row_index, positive, positive_count, moved, by)
        for place in range(count):
            shift(moved[place], by[place], starts, index, value, sums)
        kept = True
        for place in range(count):
            kept = kept and fits(moved[place], starts, index, sums, low, high)
        for place in range(count):
            variable = moved[place]
            if kept:
                x[variable] += by[place]
                least[variable], most[variable] = min(least[variable], x[variable]), max(most[variable], x[variable])
            else:
                shift(variable, -by[place], starts, index, value, sums)


def walk(table: Table, seen: Seen, wanted: Flags, *, steps: int, seed: int) -> Seen:
    """Widen ``seen`` by at most so many steps from the table's start; ends early when nothing ``wanted`` is closed.

    The table's ``x`` is where the walk ends: another walk goes on from there.
    """
    by_column = table.matrix.transposed(len(table.cap))
    least, most = seen.least.copy(), seen.most.copy()
    _walk(
        table.x, table.cap, by_column.starts, by_column.columns, by_column.value, table.matrix.starts,
        table.matrix.columns, table.matrix.times(table.x), table.low, table.high, least, most, wanted, steps, seed,
    )  # fmt: skip
    return Seen(least, most)


def standing(table: Table) -> Seen:
    """What the start alone shows."""
    return Seen(table.x.copy(), table.x.copy())
