"""The step of counts that are not shown: hidden groups in every block of denominators."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from results.gate.blocks import Block
from results.gate.cases import Case, touching
from results.gate.hidden import counts, narrow
from results.gate.mending import Held
from results.gate.table import Cell, Ints, classes


class TooFew:
    """The look of a case at one block: the hidden groups that may have too few numbers.

    What was seen to be wide enough stays so when figures are taken out: a later look asks only what was not.
    """

    def __init__(self, case: Case, left: Callable[[], float]) -> None:
        self._case, self._left = case, left
        self._narrow: dict[str, list[Cell]] = {}

    def __call__(self, block: Block) -> Held | None:
        """A class of each of these groups; None = there is none."""
        case = self._case
        inside = np.unique(np.concatenate([cell.members for cell in block.cells]))
        asked = [
            cell
            for cell in self._narrow.get(block.name, case.hidden)
            if cell.indicator == block.cells[0].indicator and len(cell.members)
        ]
        hidden = touching(asked, inside)
        if not hidden:
            self._narrow.pop(block.name, None)
            return None
        shown = [case.figures[cell.figures[0]].shown.noemer for cell in block.cells]
        lengths = [len(cell.members) for cell in block.cells]
        rounded = [
            None if size == number and number % 5 else number for number, size in zip(shown, lengths, strict=True)
        ]
        table, parts = counts(block.cells, rounded, hidden)
        owner, sizes = _owners([*block.cells, *hidden], case.providers), [len(cell.members) for cell in hidden]
        found = list(narrow(table, parts, sizes, case.limits, self._left, owner=owner))
        narrowed = [one for one in found if one is not None]
        if len(narrowed) < len(found):
            return Held(table, np.zeros(0, np.int64))
        if not narrowed:
            self._narrow.pop(block.name, None)  # another block may have the name
            return None
        self._narrow[block.name] = [hidden[one.number] for one in narrowed]
        return Held(table, np.unique([one.classes[0] for one in narrowed]))


def _owners(cells: Sequence[Cell], providers: Mapping[int, str]) -> Ints:
    """Of each class of the cells the provider of one of its rows, as a number."""
    lengths = np.array([len(cell.members) for cell in cells], np.int64)
    ids, rows = np.unique(np.concatenate([cell.members for cell in cells]), return_inverse=True)
    _, first = np.unique(classes(rows.ravel().astype(np.int64), lengths, len(ids)), return_index=True)
    names = np.array([providers.get(row, "") for row in ids[first].tolist()])
    return np.asarray(np.unique(names, return_inverse=True)[1].ravel(), np.int64)
