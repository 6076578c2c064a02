"""What would be left between shown groups: of 1 to 9 clients between two that contain each other, or of one after all
its parts of a cut, the smaller one is not shown (docs/release.md).

All audiences together: a municipality and a contract manager may talk to each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from results.release.cube import Cell
from results.release.rows import Flags, Ints
from results.release.rules import RULES, Rules

#: Why a group is not shown: too close to one that contains it, or too close to all of one with its siblings.
Remainder = Literal["genest", "rest"]
_Numbers = npt.NDArray[np.int32]


class _Layer(NamedTuple):
    """Groups of one cut that share no row: which they are, the rows in them by group, and where each begins."""

    cut: str
    cells: Ints
    order: Ints
    starts: Ints


def remainders(cells: Sequence[Cell], rules: Rules = RULES) -> dict[int, Remainder]:
    """Positions of the cells that stay out, and why. The cells are those with a figure, of any period and family."""
    out: dict[int, Remainder] = {}
    together: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for at, cell in enumerate(cells):
        together[cell.family, cell.group.periode_soort, cell.group.periode].append(at)
    for positions in together.values():
        world = _World([cells[at] for at in positions], rules.remainder)
        nested = set(world.nested())
        out |= {positions[at]: "genest" for at in nested}
        out |= {positions[at]: "rest" for at in world.siblings(nested)}
    return out


class _World:
    """The groups of one family and period over the rows that are in any of them."""

    def __init__(self, cells: Sequence[Cell], smallest: int) -> None:
        self._cells, self._smallest = cells, smallest
        everyone = np.concatenate([cell.ids for cell in cells])
        _, first, inverse = np.unique(everyone, return_index=True, return_inverse=True)
        bounds = np.cumsum([0, *(len(cell.ids) for cell in cells)])
        self._rows = [inverse[bounds[at] : bounds[at + 1]] for at in range(len(cells))]
        self._emmers = np.concatenate([cell.emmers for cell in cells])[first]
        # So many rows cannot be of fewer clients than the limit: no bucket has more than its part of them.
        self._plenty = smallest * int(np.bincount(self._emmers).max())
        self._layers: list[_Layer] = []
        numbers = [of_layer for cut in _by_cut(cells).items() for of_layer in self._add_layers(*cut)]
        #: Layer by row: the number of its group within the layer; -1: none.
        self._numbers: _Numbers = np.array(numbers, dtype=np.int32)
        self._around = [self._contained(layer) for layer in self._layers]

    def _add_layers(self, cut: str, positions: list[int]) -> Iterator[_Numbers]:
        """Groups of one cut; one that was shown before and stands still may share rows with another."""
        while positions:
            numbers: _Numbers = np.full(len(self._emmers), -1, dtype=np.int32)
            taken: list[int] = []
            later: list[int] = []
            for at in positions:
                if (numbers[self._rows[at]] >= 0).any():
                    later.append(at)
                    continue
                numbers[self._rows[at]] = len(taken)
                taken.append(at)
            order = np.concatenate([self._rows[at] for at in taken])
            starts = np.cumsum([0, *(len(self._rows[at]) for at in taken[:-1])])
            self._layers.append(_Layer(cut, np.array(taken), order, starts))
            yield numbers
            positions = later

    def _contained(self, small: _Layer) -> _Numbers:
        """By layer and group of this one: the group that contains all of it; -1: none."""
        seen = self._numbers[:, small.order]
        lowest = np.minimum.reduceat(seen, small.starts, axis=1)
        highest = np.maximum.reduceat(seen, small.starts, axis=1)
        return np.where(lowest == highest, lowest, -1).astype(np.int32)

    def nested(self) -> Iterator[int]:
        """The smaller of two groups with 1 to 9 clients between them."""
        for small, around in zip(self._layers, self._around, strict=True):
            for large, within in zip(self._layers, around, strict=True):
                for number in np.flatnonzero(within >= 0) if large is not small else ():
                    at = int(small.cells[number])
                    if self._close(at, int(large.cells[within[number]])):
                        yield at

    def _close(self, small: int, large: int) -> bool:
        """Whether 1 to 9 clients of the larger group are not in the smaller."""
        inside, whole = self._rows[small], self._rows[large]
        if not 0 < len(whole) - len(inside) < self._plenty:
            return False
        return self._few(np.setdiff1d(whole, inside, assume_unique=True))

    def _few(self, rows: Ints) -> bool:
        return len(np.unique(self._emmers[rows])) < self._smallest

    def siblings(self, gone: set[int]) -> Iterator[int]:
        """The smallest part of a group that has 1 to 9 clients outside all its parts of one cut; but for the gone."""
        absent = np.isin(np.arange(len(self._cells)), list(gone))
        for cut in sorted({layer.cut for layer in self._layers}):
            parts = [at for at, layer in enumerate(self._layers) if layer.cut == cut]
            covered = np.zeros(self._numbers.shape, dtype=np.bool_)
            for part in parts:
                known = (self._around[part] >= 0) & ~absent[self._layers[part].cells]
                spread: Flags = np.hstack((known, np.zeros((len(known), 1), dtype=np.bool_)))
                covered |= spread[:, self._numbers[part]]  # -1, in no group, takes the last
            for at, whole in enumerate(self._layers):
                if whole.cut != cut:
                    yield from self._left_over(at, ~covered[at], parts, absent)

    def _left_over(self, whole: int, uncovered: Flags, parts: Sequence[int], absent: Flags) -> Iterator[int]:
        numbers, cells = self._numbers[whole], self._layers[whole].cells
        rest = np.flatnonzero((numbers >= 0) & uncovered)
        counts = np.bincount(numbers[rest], minlength=len(cells))
        for number in np.flatnonzero((counts > 0) & (counts < self._plenty) & ~absent[cells]):
            inside = [
                int(one)
                for part in parts
                for one in self._layers[part].cells[self._around[part][whole] == number]
                if not absent[one]
            ]
            if inside and self._few(rest[numbers[rest] == number]):
                yield min(inside, key=lambda at: (len(self._rows[at]), self._cells[at].group))


def _by_cut(cells: Sequence[Cell]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for at, cell in enumerate(cells):
        found[cell.group.snede].append(at)
    return found
