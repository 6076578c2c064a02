"""What a walk leaves closed is looked for: a child gets the other outcome, and what no longer fits is mended.

Compiled. Each search ends in a whole table that keeps every figure, or gives up after some steps: what it opens is
open, what it does not open is not said to be closed.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from results.gate.table import Flags, Table
from results.gate.walk import Seen, shift

#: Children that are tried to mend one figure, and how many mends a search may take.
_TRIED = 24
_MENDS = 400


@njit(cache=True, nogil=True)
def _off(row, sums, low, high):  # type: ignore[no-untyped-def]
    """How far a constraint is from being kept."""
    if sums[row] > high[row]:
        return sums[row] - high[row]
    return low[row] - sums[row] if sums[row] < low[row] else 0


@njit(cache=True, nogil=True)
def _worse(variable, by, starts, index, value, sums, low, high):  # type: ignore[no-untyped-def]
    """How much farther off all constraints of a variable are after a step; below zero is better."""
    total = 0
    for place in range(starts[variable], starts[variable + 1]):
        row = index[place]
        before = _off(row, sums, low, high)
        sums[row] += by * value[place]
        total += _off(row, sums, low, high) - before
        sums[row] -= by * value[place]
    return total


@njit(cache=True, nogil=True)
def _step(variable, by, x, starts, index, value, sums, low, high, broken, where, count):  # type: ignore[no-untyped-def]
    """Take a step and keep the list of constraints that are broken; how many there are now."""
    x[variable] += by
    shift(variable, by, starts, index, value, sums)
    for place in range(starts[variable], starts[variable + 1]):
        row = index[place]
        off = _off(row, sums, low, high)
        if off and where[row] < 0:
            where[row] = count
            broken[count] = row
            count += 1
        elif not off and where[row] >= 0:
            count -= 1
            last = broken[count]
            broken[where[row]] = last
            where[last] = where[row]
            where[row] = -1
    return count


@njit(cache=True, nogil=True)
def _mend(row, held, x, cap, starts, index, value, row_starts, row_index, sums, low, high):  # type: ignore[no-untyped-def]
    """The variable that mends a constraint at the least cost among some that are tried; -1 = none."""
    by = -1 if sums[row] > high[row] else 1
    best, least, tried = -1, 10**9, 0
    length = row_starts[row + 1] - row_starts[row]
    begin = np.random.randint(length)
    for place in range(length):
        variable = row_index[row_starts[row] + (begin + place) % length]
        if variable == held or x[variable] + by < 0 or x[variable] + by > cap[variable]:
            continue
        tried += 1
        cost = _worse(variable, by, starts, index, value, sums, low, high)
        if cost < least or (cost == least and np.random.random() < 0.3):
            best, least = variable, cost
        if tried == _TRIED:
            break
    return best, by


@njit(cache=True, nogil=True)
def _seek(  # type: ignore[no-untyped-def]
    x, cap, starts, index, value, row_starts, row_index, sums, low, high, least, most, wanted, seed
):
    np.random.seed(seed)
    broken, where = np.empty(len(low), np.int64), np.full(len(low), -1, np.int64)
    moved, by = np.empty(_MENDS + 1, np.int64), np.empty(_MENDS + 1, np.int64)
    for first in range(len(x)):
        for side in range(2):
            if not wanted[first] or (most[first] > 0 if side == 0 else least[first] < cap[first]):
                continue
            sign = 1 if side == 0 else -1
            if x[first] + sign < 0 or x[first] + sign > cap[first]:
                continue
            count = _step(first, sign, x, starts, index, value, sums, low, high, broken, where, 0)
            moved[0], by[0], steps = first, sign, 1
            while count and steps <= _MENDS:
                row = broken[np.random.randint(count)]
                variable, back = _mend(row, first, x, cap, starts, index, value, row_starts, row_index, sums, low, high)
                if variable < 0:
                    break
                count = _step(variable, back, x, starts, index, value, sums, low, high, broken, where, count)
                moved[steps], by[steps] = variable, back
                steps += 1
            if count:
                for place in range(steps - 1, -1, -1):
                    count = _step(
                        moved[place], -by[place], x, starts, index, value, sums, low, high, broken, where, count
                    )
            else:
                for place in range(steps):
                    variable = moved[place]
                    least[variable] = min(least[variable], x[variable])
                    most[variable] = max(most[variable], x[variable])


def seek(table: Table, seen: Seen, wanted: Flags, *, seed: int) -> Seen:
    """Widen ``seen`` by a search for each closed side of a wanted variable; the table's ``x`` moves along."""
    by_column = table.matrix.transposed(len(table.cap))
    least, most = seen.least.copy(), seen.most.copy()
    _seek(
        table.x, table.cap, by_column.starts, by_column.columns, by_column.value, table.matrix.starts,
        table.matrix.columns, table.matrix.times(table.x), table.low, table.high, least, most, wanted, seed,
    )  # fmt: skip
    return Seen(least, most)
