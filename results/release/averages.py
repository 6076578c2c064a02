"""What a cluster average that providers see asks beyond the rest: a provider knows its own rows, maybe another's too.

Not of those who see totals per provider anyway: it protects providers from each other (docs/release.md).
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from results.release.cube import Cell
from results.release.rows import Ints, Numbers
from results.release.rules import RULES, Rules, Seen


class Providers:
    """The providers behind one group, by size: how many rows each has, and which."""

    def __init__(self, cell: Cell, rules: Rules = RULES) -> None:
        self._cell, self._rules = cell, rules
        found, self._number, counts = np.unique(cell.providers, return_inverse=True, return_counts=True)
        self.counts: Ints = counts
        self._largest = [int(at) for at in np.argsort(-counts, kind="stable")[: rules.largest]]
        self._many = len(found)
        pairs = np.array(list(combinations(self._largest, 2)), dtype=np.int64).reshape(-1, 2)
        self._one, self._other = pairs[:, 0], pairs[:, 1]
        #: Rows that a reader knows: of each provider, and of any two of the largest.
        self._asking = np.concatenate((counts, counts[self._one] + counts[self._other]))
        # So many rows cannot be of fewer clients than the limit.
        self._plenty = rules.smallest_group * int(np.bincount(cell.emmers).max())

    def may_show(self) -> bool:
        """Enough providers, enough clients without any two of them, and nobody who is nearly all of the rest."""
        if self._many < self._rules.providers:
            return False
        total = int(self.counts.sum())
        for one, other in combinations(self._largest, 2):
            if self._few_without(one, other, total):
                return False
            for asks, large in ((one, other), (other, one)):
                if 100 * self.counts[large] > self._rules.dominance * (total - self.counts[asks]):
                    return False
        return True

    def _few_without(self, one: int, other: int, total: int) -> bool:
        if total - int(self.counts[one]) - int(self.counts[other]) >= self._plenty:
            return False
        rest = (self._number != one) & (self._number != other)
        return len(np.unique(self._cell.emmers[rest])) < self._rules.smallest_group

    def leaves_room(self, seen: Seen, added: Numbers, lowest: int, highest: int) -> bool:
        """Whether enough numbers stay possible for the others, to each provider and to any two of the largest.

        ``added``: what each row adds to the numerator or the sum; between ``lowest`` and ``highest``.
        """
        own = np.bincount(self._number, weights=added, minlength=self._many).astype(np.int64)
        known = np.concatenate((own, own[self._one] + own[self._other]))
        others = int(self.counts.sum()) - self._asking
        low = np.maximum(seen.low - known, lowest * others)
        high = np.minimum(seen.high - known, highest * others)
        return bool((high - low + 1 >= self._rules.candidates).all())
