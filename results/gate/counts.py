"""The step of counts that are not shown: hidden groups in every block of denominators."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from results.gate.blocks import Block
from results.gate.cases import Case
from results.gate.hidden import counts, narrow
from results.gate.mending import Held


class TooFew:
    """The look of a case at one block: the first hidden group that may have too few numbers."""

    def __init__(self, case: Case, left: Callable[[], float]) -> None:
        self._case, self._left = case, left

    def __call__(self, block: Block) -> Held | None:
        """The classes of that group; None = there is none."""
        case = self._case
        inside = np.unique(np.concatenate([cell.members for cell in block.cells]))
        hidden = [
            cell
            for cell in case.hidden
            if cell.indicator == block.cells[0].indicator and np.isin(cell.members, inside, assume_unique=True).any()
        ]
        if not hidden:
            return None
        shown = [case.figures[cell.figures[0]].shown.noemer for cell in block.cells]
        sizes = [len(cell.members) for cell in block.cells]
        rounded = [None if size == number and number % 5 else number for number, size in zip(shown, sizes, strict=True)]
        table, parts = counts(block.cells, rounded, hidden)
        for found in narrow(table, parts, [len(cell.members) for cell in hidden], case.limits, self._left):
            return Held(table, np.zeros(0, np.int64) if found is None else found.classes)
        return None
