"""The step of what is probable: a chain on each block, and the smallest figure out where it shows too much."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Any

import numpy as np

from results.gate.blocks import Block
from results.gate.chain import Chances, chances
from results.gate.progress import Gate, GateRefuses
from results.gate.prove import smallest_touching
from results.gate.table import Ints, Table, build
from results.gate.walk import standing, walk

#: Steps of the chain for each class: few at first; where that finds something, so many that chance does not.
_PER_CLASS = (2_000, 16_000)
#: Steps away from the truth before the chain begins.
_AWAY = 200_000


def probable(gate: Gate, pool: Executor) -> dict[str, Any]:
    """Look at every block of one indicator whose rows add 0 or 1."""
    single = [block for block in gate.split() if block.joint is None and block.cells[0].most == 1]
    return {"blokken": list(pool.map(lambda block: _mend(gate, block), single))}


def _mend(gate: Gate, block: Block) -> dict[str, Any]:
    """The block's chances; figures are taken out until none is too high."""
    while True:
        if gate.left() <= 0:
            raise GateRefuses("niet af")
        table = build(block.cells, gate.rows.outcomes)
        if not table.fits:
            return {"blok": block.name, "overgeslagen": True}
        prior = float(table.x.sum() / table.cap.sum())
        walk(table, standing(table), np.ones(len(table.cap), bool), steps=_AWAY, seed=1)
        for seed, each in enumerate(_PER_CLASS):
            steps = min(gate.limits.chain_steps, each * len(table.cap))
            found = chances(table, block.cells, gate.figures, prior=prior, steps=steps, seed=seed)
            classes = too_probable(gate, found, prior)
            if not len(classes):
                return _described(block, table, found, steps)
        cell = smallest_touching(block, table, classes, gate.figures, gate.last)
        if cell is None:
            raise GateRefuses("gedwongen")
        gate.withhold(cell.figures, "kans")
        block = block._replace(cells=tuple(other for other in block.cells if other is not cell))
        if not block.cells:
            return {"blok": block.name}


def too_probable(gate: Gate, found: Chances, prior: float) -> Ints:
    """Classes of which an outcome is too probable; what the base rate makes likely by itself is no finding."""
    limits, high = gate.limits, np.zeros(len(found.all_have), bool)
    if prior < limits.likely_before:
        high |= found.all_have >= limits.probability
    if 1 - prior < limits.likely_before:
        high |= found.none_has >= limits.probability
    return np.flatnonzero(high)


def _described(block: Block, table: Table, found: Chances, steps: int) -> dict[str, Any]:
    return {
        "blok": block.name,
        "stappen": steps,
        "bewogen": round(found.moved, 3),
        "hoogste_kans": round(float(found.all_have.max()), 3),
        "kinderen_vanaf_0_9": int(table.children[found.all_have >= 0.9].sum()),
    }
