"""How far the sum of some variables goes, up and down, in a random walk over whole tables.

Compiled. Most steps begin in a part that is still narrow and go one way for a while. Each table keeps every figure:
what was seen is possible, what was not seen is not said to be impossible.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit

from results.gate.table import Flags, Ints, Sparse, Table
from results.gate.walk import fits, positives, propose, shift

#: Part of the steps that move a part that is still narrow; steps after which it moves the other way; after which is
#: looked which are narrow.
_AIMED = 0.7
_TURN = 200_000
_FRESH = 5_000


@njit(cache=True, nogil=True)
def _narrow(least, most, enough, found):  # type: ignore[no-untyped-def]
    """Fill ``found`` with the parts that were seen neither empty nor with enough numbers, and give how many."""
    count = 0
    for part in range(len(least)):
        if least[part] > 0 and most[part] - least[part] + 1 < enough:
            found[count] = part
            count += 1
    return count


@njit(cache=True, nogil=True)
def _note(variable, by, of_starts, of_index, counted):  # type: ignore[no-untyped-def]
    """Count what moved in every part that holds it."""
    for at in range(of_starts[variable], of_starts[variable + 1]):
        counted[of_index[at]] += by


@njit(cache=True, nogil=True)
def _seen(variable, of_starts, of_index, counted, least, most):  # type: ignore[no-untyped-def]
    """Note how far each part went that holds a variable."""
    for at in range(of_starts[variable], of_starts[variable + 1]):
        part = of_index[at]
        least[part], most[part] = min(least[part], counted[part]), max(most[part], counted[part])


@njit(cache=True, nogil=True)
def _stretch(  # type: ignore[no-untyped-def]
    x, cap, starts, index, value, row_starts, row_index, sums, low, high, part_starts, part_index, of_starts, of_index,
    counted, least, most, enough, steps, seed,
):  # fmt: skip
    np.random.seed(seed)
    closed, positive = np.empty(len(least), np.int64), np.empty(len(x), np.int64)
    moved, by = np.empty(3, np.int64), np.empty(3, np.int64)
    closed_count, positive_count = 0, 0
    for number in range(steps):
        if number % _FRESH == 0:
            positive_count = positives(x, positive)
            closed_count = _narrow(least, most, enough, closed)
            if closed_count == 0:
                return
        if np.random.random() < _AIMED:
            part = closed[np.random.randint(closed_count)]
            length = part_starts[part + 1] - part_starts[part]
            first = part_index[part_starts[part] + np.random.randint(length)]
            sign = 1 if (number // _TURN + part) % 2 == 0 else -1
        else:
            first, sign = np.random.randint(len(x)), 1 if np.random.random() < 0.5 else -1
        count = propose(first, sign, x, cap, starts, index, row_starts, row_index, positive, positive_count, moved, by)
        for place in range(count):
            shift(moved[place], by[place], starts, index, value, sums)
        kept = count > 0
        for place in range(count):
            kept = kept and fits(moved[place], starts, index, sums, low, high)
        for place in range(count):
            if kept:
                x[moved[place]] += by[place]
                _note(moved[place], by[place], of_starts, of_index, counted)
            else:
                shift(moved[place], -by[place], starts, index, value, sums)
        if kept:
            for place in range(count):
                _seen(moved[place], of_starts, of_index, counted, least, most)


class Stretched:
    """The least and the most that each part was seen to count, in whole tables that fit; at first those of ``x``."""

    def __init__(self, table: Table, parts: Sequence[Ints]) -> None:
        self._table = table._replace(x=table.x.copy())
        self._by_column = table.matrix.transposed(len(table.cap))
        lengths = [len(part) for part in parts]
        starts = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
        self._parts = Sparse(starts, np.concatenate(parts).astype(np.int64), np.ones(starts[-1], np.int64))
        self._of = self._parts.transposed(len(table.cap))
        self._counted = self._parts.times(self._table.x)
        self.least, self.most = self._counted.copy(), self._counted.copy()

    def look(self, enough: int, *, steps: int, seed: int) -> None:
        """Walk on from where the last look ended, until no part is narrow; widens ``least`` and ``most``."""
        table, by_column = self._table, self._by_column
        _stretch(
            table.x, table.cap, by_column.starts, by_column.columns, by_column.value, table.matrix.starts,
            table.matrix.columns, table.matrix.times(table.x), table.low, table.high, self._parts.starts,
            self._parts.columns, self._of.starts, self._of.columns, self._counted, self.least, self.most, enough,
            steps, seed,
        )  # fmt: skip

    def narrow(self, enough: int) -> Flags:
        """Which parts were seen with fewer numbers, and never empty."""
        return np.asarray((self.most - self.least + 1 < enough) & (self.least > 0))
