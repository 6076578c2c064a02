"""Tables that differ from the truth in one or two children: open to every reader but those whose rows they touch.

A reader who knows rows sees the same sums with its rows standing still. So a table in which another child has the
outcome is one for every reader whose rows are the same in it as in truth.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from results.gate.table import Flags, Ints, Table
from results.gate.walk import fits, shift

#: Owners of partners that are looked for: three leave one beside any two readers.
OWNERS = 3
#: Owner of a side that is open without a partner.
ALONE = -2
NONE = -1


@njit(cache=True, nogil=True)
def _tight(variable, by, starts, index, value, sums, low, high):  # type: ignore[no-untyped-def]
    """A constraint that a step of one child breaks by itself; -1 = none."""
    for place in range(starts[variable], starts[variable + 1]):
        row, after = index[place], sums[index[place]] + by * value[place]
        if after < low[row] or after > high[row]:
            return row
    return -1


@njit(cache=True, nogil=True)
def _partners(  # type: ignore[no-untyped-def]
    first, by, row, x, cap, starts, index, value, row_starts, row_index, sums, low, high, owner, found
):
    """Fill ``found`` with owners of variables that go the other way so that every constraint is kept."""
    count = 0
    for place in range(row_starts[row], row_starts[row + 1]):
        second = row_index[place]
        if second == first or x[second] - by < 0 or x[second] - by > cap[second] or owner[second] in found[:count]:
            continue
        shift(first, by, starts, index, value, sums)
        shift(second, -by, starts, index, value, sums)
        kept = fits(first, starts, index, sums, low, high) and fits(second, starts, index, sums, low, high)
        shift(first, -by, starts, index, value, sums)
        shift(second, by, starts, index, value, sums)
        if kept:
            found[count] = owner[second]
            count += 1
            if count == len(found):
                return


@njit(cache=True, nogil=True)
def _all(  # type: ignore[no-untyped-def]
    x, cap, starts, index, value, row_starts, row_index, sums, low, high, owner, found
):
    for variable in range(len(x)):
        for side in range(2):
            here = found[variable, side]
            if (side == 0 and x[variable] > 0) or (side == 1 and x[variable] < cap[variable]):
                here[0] = ALONE
                continue
            by = 1 if side == 0 else -1
            row = _tight(variable, by, starts, index, value, sums, low, high)
            if row < 0:
                here[0] = ALONE
            else:
                _partners(
                    variable, by, row, x, cap, starts, index, value, row_starts, row_index, sums, low, high, owner, here
                )


def partners(table: Table, owner: Ints) -> Ints:
    """Variable x side x ``OWNERS``: whose variables open it, ``ALONE`` at first where nobody is needed; rest ``NONE``.

    ``owner``: of each variable, from 0; a variable of nobody has a number below ``NONE``.
    """
    by_column = table.matrix.transposed(len(table.cap))
    found = np.full((len(table.cap), 2, OWNERS), NONE, np.int64)
    _all(
        table.x, table.cap, by_column.starts, by_column.columns, by_column.value, table.matrix.starts,
        table.matrix.columns, table.matrix.times(table.x), table.low, table.high, owner, found,
    )  # fmt: skip
    return found


def open_to(found: Ints, readers: Ints) -> Flags:
    """Variable x side: what is open to readers who together own these variables."""
    alone = found[:, :, 0] == ALONE
    other = (found != NONE) & ~np.isin(found, readers)
    return np.asarray(alone | other.any(axis=2))
