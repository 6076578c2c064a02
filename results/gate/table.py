"""Figures that share rows as one table: unknown sums of classes, and what each figure says of them.

A class is the rows that stand in exactly the same figures: no reader of figures alone tells them apart. A variable is
the sum of what the rows of a class add, counted from its least; joint indicators have one per class and category.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from results.gate.known import Joint

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


class Cell(NamedTuple):
    """What is known of the sum of some rows: it lies in ``low``..``high``.

    ``figures``: places in the sequence that is audited; more than one when the same rows are shown again.
    """

    indicator: str
    members: Ints
    low: int
    high: int
    least: int
    most: int
    figures: tuple[int, ...]


class Sparse(NamedTuple):
    """Rows of a sparse matrix: ``columns[starts[r]:starts[r + 1]]`` with their values."""

    starts: Ints
    columns: Ints
    value: Ints

    def times(self, x: Ints) -> Ints:
        """The product with a vector."""
        sums = np.concatenate(([0], np.cumsum(self.value * x[self.columns])))
        return np.asarray(sums[self.starts[1:]] - sums[self.starts[:-1]], np.int64)

    def transposed(self, columns: int) -> Sparse:
        """The same matrix by its columns."""
        order = np.argsort(self.columns, kind="stable")
        row = np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))
        return Sparse(_starts(np.bincount(self.columns, minlength=columns)), row[order], self.value[order])


class Table(NamedTuple):
    """Variables 0..``cap`` with start ``x`` (the truth), and constraints ``low`` <= matrix x variables <= ``high``.

    ``children``: rows of the variable's class. ``kinds``: 1, or how many variables a class has (joint indicators).
    ``cells``: the cell behind each constraint; -1 = that a row falls in one category.
    """

    cap: Ints
    x: Ints
    matrix: Sparse
    low: Ints
    high: Ints
    children: Ints
    kinds: int
    cells: Ints

    @property
    def fits(self) -> bool:
        """Whether the start keeps to every constraint."""
        sums = self.matrix.times(self.x)
        return bool(((sums >= self.low) & (sums <= self.high)).all())


def _starts(lengths: Ints) -> Ints:
    return np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)


def classes(rows: Ints, lengths: Ints, count: int) -> Ints:
    """Class of each of ``count`` rows; ``rows``: members of all cells behind each other, ``lengths`` of each cell.

    A row is known by the sums of two random numbers of 64 bits of its cells: two rows with the same sums stand in the
    same cells.
    """
    keys = np.random.default_rng(13).integers(0, 2**64, size=(2, len(lengths)), dtype=np.uint64)
    sums = np.zeros((count, 2), np.uint64)
    for side in (0, 1):
        np.add.at(sums[:, side], rows, np.repeat(keys[side], lengths))
    return np.asarray(np.unique(sums, axis=0, return_inverse=True)[1].ravel(), np.int64)


def incidence(rows: Ints, lengths: Ints, class_of: Ints) -> Sparse:
    """Which classes stand in which cell: one row of each class tells."""
    first = np.zeros(len(class_of), bool)
    first[np.unique(class_of, return_index=True)[1]] = True
    kept = first[rows]
    cell = np.repeat(np.arange(len(lengths)), lengths)[kept]
    index = class_of[rows[kept]]
    return Sparse(_starts(np.bincount(cell, minlength=len(lengths))), index, np.ones(len(index), np.int64))


def build(cells: Sequence[Cell], outcomes: Mapping[str, Mapping[int, int]], joint: Joint | None = None) -> Table:
    """The table of cells; ``outcomes`` give the start. A row without an outcome counts as the least."""
    lengths = np.array([len(cell.members) for cell in cells], np.int64)
    ids, rows = np.unique(np.concatenate([cell.members for cell in cells]), return_inverse=True)
    rows = rows.ravel().astype(np.int64)
    class_of = classes(rows, lengths, len(ids))
    matrix = incidence(rows, lengths, class_of)
    if joint is not None:
        return _joint(cells, ids, class_of, matrix, outcomes, joint)
    least, most = _span(cells)
    values = outcomes.get(cells[0].indicator, {})
    added = np.array([values.get(row, least) for row in ids.tolist()], np.int64) - least
    children = np.bincount(class_of)
    low, high = (np.array([getattr(cell, side) for cell in cells], np.int64) - least * lengths for side in _SIDES)
    x = np.bincount(class_of, weights=added).astype(np.int64)
    return Table(children * (most - least), x, matrix, low, high, children, 1, np.arange(len(cells)))


_SIDES = ("low", "high")


def _span(cells: Iterable[Cell]) -> tuple[int, int]:
    """What one row adds at least and at most."""
    spans = [(cell.least, cell.most) for cell in cells]
    return min(least for least, _ in spans), max(most for _, most in spans)


def _joint(
    cells: Sequence[Cell], ids: Ints, class_of: Ints, matrix: Sparse, outcomes: Mapping[str, Mapping[int, int]],
    joint: Joint,
) -> Table:  # fmt: skip
    """Class c and category k are variable ``c * kinds + k``; the last constraints say that a row has one category."""
    kinds, children = joint.categories, np.bincount(class_of)
    category = np.maximum(category_of(ids, outcomes, joint), 0)
    x = np.bincount(class_of * kinds + category, minlength=len(children) * kinds).astype(np.int64)
    owner = np.repeat(np.arange(len(cells)), np.diff(matrix.starts))
    adds = np.array([joint.adds[cell.indicator] for cell in cells], np.int64)[owner]
    kept = adds != 0
    index = (matrix.columns[:, None] * kinds + np.arange(kinds))[kept]
    lengths = np.concatenate((np.bincount(owner, kept.sum(axis=1), len(cells)), np.full(len(children), kinds)))
    whole = Sparse(
        _starts(lengths.astype(np.int64)),
        np.concatenate((index, np.arange(len(x)))),
        np.concatenate((adds[kept], np.ones(len(x), np.int64))),
    )
    low, high = (
        np.concatenate(([getattr(cell, side) for cell in cells], children)).astype(np.int64) for side in _SIDES
    )
    numbers = np.concatenate((np.arange(len(cells)), np.full(len(children), -1)))
    return Table(np.repeat(children, kinds), x, whole, low, high, np.repeat(children, kinds), kinds, numbers)


def category_of(ids: Ints, outcomes: Mapping[str, Mapping[int, int]], joint: Joint) -> Ints:
    """The category of each row: the first that adds what the row does to every indicator that knows it; else -1."""
    ways = list(zip(*joint.adds.values(), strict=True))
    tables = [outcomes.get(indicator, {}) for indicator in joint.adds]
    known: dict[tuple[int | None, ...], int] = {}
    found = np.empty(len(ids), np.int64)
    for place, row in enumerate(ids.tolist()):
        adds = tuple(table.get(row) for table in tables)
        if adds not in known:
            fit = (at for at, way in enumerate(ways) if all(a in (None, b) for a, b in zip(adds, way, strict=True)))
            known[adds] = next(fit, -1)
        found[place] = known[adds]
    return found


def belong_together(cells: Sequence[Cell], outcomes: Mapping[str, Mapping[int, int]], joint: Joint) -> bool:
    """Whether every row falls in a category: what a reader believes of indicators that hang together must be so."""
    ids = np.unique(np.concatenate([cell.members for cell in cells]))
    return bool((category_of(ids, outcomes, joint) >= 0).all())
