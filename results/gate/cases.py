"""What is audited by itself: all figures of one cluster and one family that share rows, with what is known of those.

A case holds nothing of others, so that another process can take it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from domain.field.geography import cluster
from results.gate.blocks import Members, cells_of, components
from results.gate.known import Hidden, Joint, Limits, Rows, View
from results.gate.table import Cell, Ints
from results.release.counted import FAMILY_OF
from results.release.model import Figure, Group

V = TypeVar("V")
#: How much more than its part of the time a case may take: most take far less.
_GENEROUS = 2.0
#: Part of what is left that one takes at most while others wait.
_MOST = 0.75


class Case(NamedTuple):
    """A block of the release. ``figures``: by place, without their rows, which stand in the cells.

    ``last``: the release that is audited; what older ones show cannot be taken out. ``end``: when it must be done, by
    the clock that only goes forward; ``share``: part of what is left until then that it may take.
    """

    name: str
    cells: tuple[Cell, ...]
    figures: Mapping[int, Figure]
    outcomes: Mapping[str, Mapping[int, int]]
    providers: Mapping[int, str]
    hidden: tuple[Cell, ...]
    joints: tuple[Joint, ...]
    views: tuple[View, ...] | None
    limits: Limits
    last: int
    end: float
    share: float = 1.0

    @property
    def new(self) -> bool:
        """Whether the release shows anything new of it; else it was audited before."""
        return any(figure.release == self.last for figure in self.figures.values())

    @property
    def size(self) -> int:
        """How much work it is, about."""
        return sum(len(cell.members) for cell in self.cells)


def family_of(indicator: str) -> str:
    """The family of an indicator: what is withheld together."""
    family = FAMILY_OF.get(indicator)
    return family.key if family else indicator


def place_of(group: Group) -> str:
    """The cluster of a group, or the municipality where it has none."""
    return group.cluster or cluster(group.gemeente) or group.gemeente


def cases_of(
    figures: Sequence[Figure], members: Members, skipped: frozenset[int], rows: Rows, hidden: Sequence[Hidden],
    joints: Sequence[Joint], views: Sequence[View] | None, limits: Limits, last: int, end: float,
) -> Iterator[Case]:  # fmt: skip
    """The cases of all figures that are left, the largest first."""
    together = {indicator: joint.name for joint in joints for indicator in joint.adds}
    units: dict[str, list[Cell]] = {}
    for cell in cells_of(figures, members, skipped.__contains__, counts=True):
        units.setdefault(together.get(cell.indicator, family_of(cell.indicator)), []).append(cell)
    asked = [Cell(one.group.snede, _sorted(one.members), 0, len(one.members), 0, 1, (-1,)) for one in hidden]
    found = []
    for unit, cells in units.items():
        named = {cell.indicator for cell in cells}
        mine = [
            cell._replace(indicator=one.indicator)
            for cell, one in zip(asked, hidden, strict=True)
            if one.indicator in named and len(cell.members)
        ]
        for place, part in _places(figures, cells):
            inside = np.unique(np.concatenate([cell.members for cell in part]))
            found.append(
                Case(
                    f"{unit} {place}".rstrip(),
                    tuple(part),
                    {at: figures[at]._replace(members=()) for cell in part for at in cell.figures},
                    {name: _of(rows.outcomes.get(name, {}), inside) for name in {cell.indicator for cell in part}},
                    _of(rows.providers, inside),
                    tuple(touching(mine, inside)),
                    tuple(joint for joint in joints if joint.name == unit),
                    None if views is None else tuple(views),
                    limits,
                    last,
                    end,
                )
            )
    yield from sorted(found, key=lambda case: -case.size)


def shared(cases: Sequence[Case], workers: int) -> list[Case]:
    """The cases with a share of the time by their size, so that none takes that of those begun later."""
    after = np.cumsum([case.size for case in reversed(cases)])[::-1].tolist()
    most = [_MOST] * max(len(cases) - workers, 0) + [1.0] * min(workers, len(cases))
    return [
        case._replace(share=min(_GENEROUS * workers * case.size / max(rest, 1), limit))
        for case, rest, limit in zip(cases, after, most, strict=True)
    ]


def touching(cells: Sequence[Cell], rows: Ints) -> list[Cell]:
    """The cells that hold any of some rows; of all cells at once, for there are hundreds of thousands."""
    if not cells:
        return []
    starts = np.concatenate(([0], np.cumsum([len(cell.members) for cell in cells])[:-1])).astype(np.int64)
    found = np.logical_or.reduceat(np.isin(np.concatenate([cell.members for cell in cells]), rows), starts)
    return [cell for cell, any_ in zip(cells, found.tolist(), strict=True) if any_]


def _of(values: Mapping[int, V], rows: Ints) -> dict[int, V]:
    return {row: values[row] for row in rows.tolist() if row in values}


def _sorted(members: Sequence[int]) -> Ints:
    return np.unique(np.asarray(members, np.int64))


def _places(figures: Sequence[Figure], cells: Sequence[Cell]) -> Iterator[tuple[str, list[Cell]]]:
    """Cells that hang together through rows, by the cluster that most of their figures name."""
    first: dict[int, int] = {}
    alone = [first.setdefault(id(cell.members), at) for at, cell in enumerate(cells)]
    once = sorted(set(alone))
    labels = dict(zip(once, components([cells[at] for at in once]).tolist(), strict=True))
    parts: dict[int, list[Cell]] = {}
    for at, cell in zip(alone, cells, strict=True):
        parts.setdefault(labels[at], []).append(cell)
    places: dict[str, list[Cell]] = {}
    for part in parts.values():
        named = Counter(place_of(figures[at].group) for cell in part for at in cell.figures)
        places.setdefault(named.most_common(1)[0][0], []).extend(part)
    yield from places.items()
