"""When a figure that was shown may change: only when enough clients entered, left or changed value since it last did.

A family of one group is restated as a whole or not at all, so that its outcomes keep belonging together. What is
definitief stands for good, and a period that was shown by other definitions keeps the figures of those.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple

import numpy as np

from results.release.counted import FAMILIES, Outcome
from results.release.cube import Cell
from results.release.model import Group, Status
from results.release.rows import MARK_AT, Numbers
from results.release.rules import RULES, Rules, Seen

Key = tuple[Group, str]
#: What becomes of a group that was shown: as it stands, anew, or not at all.
Choice = Literal["stands", "anew", "out"]
_MARK: Final = 0xFF << MARK_AT


class Former(NamedTuple):
    """A family of one group as it was last shown: its rows then, in which release, and what was seen of each outcome.

    ``withdrawn``: that release was withdrawn; the figures were seen, but may stand no longer.
    """

    cell: Cell
    made_in: int
    status: Status
    version: int
    seen: Mapping[str, Seen]
    audiences: Mapping[str, frozenset[str]]
    withdrawn: bool = False

    @property
    def key(self) -> Key:
        """Group and family."""
        return self.cell.group, self.cell.family


def choice(former: Former, now: Cell | None, rules: Rules = RULES) -> Choice:
    """What becomes of a family of a group; ``now``: its rows now, None where they are too few to be a group."""
    if former.status == "definitief":
        return "out" if former.withdrawn else "stands"
    changes = changed(former.cell, now)
    if all(count == 0 for count in changes):
        return "anew" if former.withdrawn else "stands"
    if all(count == 0 or count >= rules.changed for count in changes):
        return "anew" if now is not None else "out"
    return "out" if former.withdrawn else "stands"


def changed(former: Cell, now: Cell | None) -> list[int]:
    """Of each outcome of the family: clients at least that entered, left or changed value. They go by their bucket."""
    outcomes = FAMILIES[former.family].outcomes
    if now is None:
        return [len(np.unique(former.emmers))] * len(outcomes)
    came = now.emmers[~np.isin(now.ids, former.ids, assume_unique=True)]
    left = former.emmers[~np.isin(former.ids, now.ids, assume_unique=True)]
    back = _may_be_back(former, now, came)
    _, before, after = np.intersect1d(former.ids, now.ids, assume_unique=True, return_indices=True)
    differ = former.values[before] ^ now.values[after]
    emmers = now.emmers[after]
    others = [emmers[(differ & mask_of(outcomes, at)) != 0] for at in range(len(outcomes))]
    return [len(np.unique(np.concatenate((came, left, other)))) - len(np.setdiff1d(back, other)) for other in others]


def _may_be_back(former: Cell, now: Cell, came: Numbers) -> Numbers:
    """Buckets in which somebody was forgotten and somebody came: perhaps the same, who then has another id and changed
    nothing. Not those in which somebody else left.
    """
    if former.ids[0] >= 0:
        return came[:0]
    left = (former.ids >= 0) & ~np.isin(former.ids, now.ids, assume_unique=True)
    return np.setdiff1d(np.intersect1d(former.emmers[former.ids < 0], came), former.emmers[left])


def mask_of(outcomes: Sequence[Outcome], at: int) -> int:
    """The part of a value that one outcome of a family is made of."""
    return _MARK if outcomes[at].column else 1 << at


def added(cell: Cell, outcomes: Sequence[Outcome], at: int) -> Numbers:
    """What each row adds to the numerator of an outcome, or to the sum of a mean."""
    return cell.values >> MARK_AT if outcomes[at].column else (cell.values >> at) & 1
