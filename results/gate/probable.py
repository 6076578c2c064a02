"""The step of what is probable: chains over each block of one indicator, from two starts far apart.

A short chain over all classes says which are near the limit; a longer one begins three of four steps with these. A
class is too probable where the two starts together say so: what one of them never moved counts as it stood.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from results.gate.blocks import Block
from results.gate.cases import Case
from results.gate.chain import Chances, chances
from results.gate.known import Limits
from results.gate.mending import Held
from results.gate.seek import seek
from results.gate.table import Floats, Ints, Table, build
from results.gate.walk import standing, walk

#: Steps away from the truth before a chain begins.
_AWAY = 1_000_000
#: Chains, each from a start of its own.
_STARTS = 2
#: Steps of a longer chain at least.
_LEAST = 1_000_000


class Probable:
    """The look of a case at one block; ``described`` is what was found when it last looked."""

    def __init__(self, case: Case, left: Callable[[], float]) -> None:
        self._case, self._left = case, left
        self.described: dict[str, Any] = {}

    def __call__(self, block: Block) -> Held | None:
        """Classes that are too probable; None = none."""
        case = self._case
        table = build(block.cells, case.outcomes)
        if self._left() <= 0:
            return Held(table, np.zeros(0, np.int64))
        if not table.fits:
            self.described = {"blok": block.name, "overgeslagen": True}
            return None
        prior = float(table.x.sum() / table.cap.sum())
        tables = [_away(table, seed) for seed in range(_STARTS)]
        first = self._chains(block, tables, prior, case.limits.chain_first * len(table.cap), None)
        near = np.flatnonzero(_highest(first, prior, case.limits) >= case.limits.near)
        found, classes = first, near
        if len(near):
            steps = max(case.limits.chain_near * len(near), _LEAST)
            found = self._chains(block, tables, prior, steps, near)
            classes = near[_highest(found, prior, case.limits)[near] >= case.limits.probability]
        highest = _highest(found, prior, case.limits)
        seen = highest[near] if len(near) else highest
        self.described = {
            "blok": block.name,
            "bewogen": round(min(one.moved for one in first), 3),
            "hoogste_kans": round(float(seen.max(initial=0.0)), 3),
            "nabij": len(near),
            "kinderen_vanaf_0_9": int(table.children[near][seen >= 0.9].sum()) if len(near) else 0,
        }
        return Held(table, classes) if len(classes) else None

    def _chains(self, block: Block, tables: list[Table], prior: float, steps: int, aimed: Ints | None) -> list[Chances]:
        steps = min(steps, self._case.limits.chain_steps)
        return [
            chances(table, block.cells, self._case.figures, prior=prior, steps=steps, seed=seed, aimed=aimed)
            for seed, table in enumerate(tables)
        ]


def _away(table: Table, seed: int) -> Table:
    """The table with another start: a walk away from the truth, and a search from there, which moves it far."""
    away = table._replace(x=table.x.copy())
    everyone = np.ones(len(table.cap), bool)
    seen = walk(away, standing(away), everyone, steps=_AWAY, seed=seed)
    if seed:
        seek(away, seen, everyone, seed=seed)
    return away


def _highest(found: list[Chances], prior: float, limits: Limits) -> Floats:
    """How probable an outcome of each class is, over the starts; what the base rate makes likely is left out."""
    high = np.zeros(len(found[0].all_have))
    if prior < limits.likely_before:
        high = np.maximum(high, np.mean([one.all_have for one in found], axis=0))
    if 1 - prior < limits.likely_before:
        high = np.maximum(high, np.mean([one.none_has for one in found], axis=0))
    return np.asarray(high, np.float64)
