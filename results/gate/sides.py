"""Sides: the outcomes that must stay possible for a class, and which of them some table has shown to be possible.

Of one indicator there are two: not all rows of the class have it, and not none. Of joint indicators: not all rows fall
in one category; and for each indicator that counts, not all rows have it, and not none.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from results.gate.known import Joint
from results.gate.table import Flags, Floats, Ints, Table


class Sides(NamedTuple):
    """``groups``: side x category; a side is possible when some row can fall in one of its categories.

    Empty for one indicator: side 0 = some row has it, side 1 = some row has it not.
    """

    groups: Flags

    @property
    def number(self) -> int:
        """How many sides a class has."""
        return len(self.groups) or 2

    def reach(self, table: Table, least: Ints | Floats, most: Ints | Floats) -> Floats:
        """Class x side: how far the class gets to the side, between these values of its variables. Possible from 1."""
        if not len(self.groups):
            return np.stack((most, table.cap - least), axis=1).astype(float)
        return np.asarray(most.reshape(-1, table.kinds) @ self.groups.T.astype(float), np.float64)

    def toward(self, table: Table, class_: int, side: int) -> tuple[Ints, float]:
        """Variables of a class that lead to a side, and the sign of each."""
        if not len(self.groups):
            return np.array([class_]), 1.0 if side == 0 else -1.0
        return class_ * table.kinds + np.flatnonzero(self.groups[side]), 1.0


def sides_of(joint: Joint | None) -> Sides:
    """The sides of one indicator, or of joint ones; each once."""
    if joint is None:
        return Sides(np.zeros((0, 0), bool))
    kinds = joint.categories
    found = [~np.eye(kinds, dtype=bool)[category] for category in range(kinds)]
    for adds in joint.adds.values():
        if set(adds) <= {0, 1}:
            found += [np.array(adds) > 0, np.array(adds) == 0]
    return Sides(np.unique(np.array(found), axis=0))


def certain_children(table: Table, closed: Flags) -> int:
    """Rows of the classes that have a closed side."""
    children = table.children[:: table.kinds]
    return int(children[closed.any(axis=1)].sum())
