"""The step of counts that are not shown: hidden groups in every block of denominators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from results.gate.blocks import Block
from results.gate.hidden import Narrow, as_cells, counts, narrow
from results.gate.known import Hidden
from results.gate.progress import Gate, GateRefuses
from results.gate.prove import smallest_touching
from results.gate.table import Cell, Table


def too_few(gate: Gate, hidden: Sequence[Hidden]) -> dict[str, Any]:
    """Take figures out until every hidden group may have enough numbers."""
    by_indicator: dict[str, list[Cell]] = {}
    for cell in as_cells(hidden):
        by_indicator.setdefault(cell.indicator, []).append(cell)
    found = [_mend(gate, block, by_indicator.get(block.cells[0].indicator, [])) for block in _blocks(gate, hidden)]
    return {"groepen": len(hidden), "te_weinig": sum(found)}


def _blocks(gate: Gate, hidden: Sequence[Hidden]) -> list[Block]:
    """Blocks of indicators that have hidden groups: other indicators of the same denominator say the same."""
    wanted = {group.indicator for group in hidden}
    return gate.split(lambda figure: figure.indicator in wanted, counts=True) if wanted else []


def _mend(gate: Gate, block: Block, hidden: Sequence[Cell]) -> int:
    """How many hidden groups were too narrow before the repair."""
    inside = np.unique(np.concatenate([cell.members for cell in block.cells]))
    own = [cell for cell in hidden if np.isin(cell.members, inside, assume_unique=True).any()]
    told: set[int] = set()
    while own and block.cells:
        table, narrowed = _first(gate, block, own)
        if narrowed is None:
            return len(told)
        told.add(narrowed.number)
        cell = smallest_touching(block, table, narrowed.classes, gate.figures, gate.last)
        if cell is None:
            raise GateRefuses("gedwongen")
        gate.withhold(cell.figures, "verborgen")
        block = block._replace(cells=tuple(other for other in block.cells if other is not cell))
    return len(told)


def _first(gate: Gate, block: Block, hidden: Sequence[Cell]) -> tuple[Table, Narrow | None]:
    """The first hidden group with too few numbers, if any."""
    shown = [gate.figures[cell.figures[0]].shown.noemer for cell in block.cells]
    sizes = [len(cell.members) for cell in block.cells]
    rounded = [None if size == number and number % 5 else number for number, size in zip(shown, sizes, strict=True)]
    table, parts = counts(block.cells, rounded, hidden)
    for found in narrow(table, parts, [len(cell.members) for cell in hidden], gate.limits, gate.left):
        if found is None:
            raise GateRefuses("niet af")
        return table, found
    return table, None
