"""What a cluster average that providers see asks beyond the rest: a provider knows its own rows, maybe another's too.

Not of those who see totals per provider anyway: it protects providers from each other (docs/release.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import numpy.typing as npt

from results.release.cube import Cell
from results.release.rows import Ints
from results.release.rules import RULES, Rules, Seen


class Providers:
    """The providers behind one group, by size: how many rows each has, and which."""

    def __init__(self, cell: Cell, rules: Rules = RULES) -> None:
        self._cell, self._rules = cell, rules
        found, self._number, counts = np.unique(cell.providers, return_inverse=True, return_counts=True)
        self.counts: Ints = counts
        self._largest = [int(at) for at in np.argsort(-counts, kind="stable")[: rules.largest]]
        self._many = len(found)
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

    def leaves_room(self, seen: Seen, added: Ints, lowest: int, highest: int) -> bool:
        """Whether enough numbers stay possible for the others, to each provider and to any two of the largest.

        ``added``: what each row adds to the numerator or the sum; between ``lowest`` and ``highest``.
        """
        own = np.bincount(self._number, weights=added, minlength=self._many)
        for count, numerator in self._who_ask(own):
            others = int(self.counts.sum()) - count
            low = max(seen.low - numerator, lowest * others)
            high = min(seen.high - numerator, highest * others)
            if high - low + 1 < self._rules.candidates:
                return False
        return True

    def _who_ask(self, own: npt.NDArray[np.float64]) -> Iterator[tuple[int, int]]:
        yield from ((int(count), int(numerator)) for count, numerator in zip(self.counts, own, strict=True))
        for one, other in combinations(self._largest, 2):
            yield int(self.counts[one] + self.counts[other]), int(own[one] + own[other])
