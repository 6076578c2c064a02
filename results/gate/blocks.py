"""Figures as blocks: what shares a row hangs together, what does not cannot help a reader."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from results.gate.known import Joint
from results.gate.table import Cell, Ints
from results.release.model import Figure


class Block(NamedTuple):
    """Cells that share rows, of one indicator or of joint ones."""

    name: str
    cells: tuple[Cell, ...]
    joint: Joint | None = None


class Members:
    """The members of figures as arrays, each sequence once: groups of many indicators share theirs."""

    def __init__(self) -> None:
        self._arrays: dict[int, tuple[object, Ints, bytes]] = {}

    def array(self, members: Sequence[int]) -> Ints:
        """Sorted ids."""
        return self._entry(members)[1]

    def key(self, members: Sequence[int]) -> bytes:
        """The same for the same members, whoever holds them."""
        return self._entry(members)[2]

    def _entry(self, members: Sequence[int]) -> tuple[object, Ints, bytes]:
        found = self._arrays.get(id(members))
        if found is None:
            array = np.unique(np.asarray(members, np.int64))
            found = self._arrays[id(members)] = (members, array, array.tobytes())
        return found


def cells_of(
    figures: Sequence[Figure],
    members: Members,
    skipped: Callable[[int], bool] = lambda _: False,
    *,
    counts: bool = False,
) -> Iterator[Cell]:
    """What the figures say, once for each set of rows: figures of the same rows are one cell with both intervals.

    ``skipped``: places of figures that are not read; without ``counts`` neither are those that say only how many.
    A figure without rows is a sum of others and says nothing new.
    """
    together: dict[tuple[str, bytes], list[int]] = {}
    for place, figure in enumerate(figures):
        if figure.members and not skipped(place) and (counts or _says_something(figure)):
            together.setdefault((figure.indicator, members.key(figure.members)), []).append(place)
    for (indicator, _), places in together.items():
        known = [figures[place] for place in places]
        yield Cell(
            indicator,
            members.array(known[0].members),
            max(figure.low for figure in known),
            min(figure.high for figure in known),
            known[0].weights_low,
            known[0].weights_high,
            tuple(places),
        )


def _says_something(figure: Figure) -> bool:
    """Whether the interval is narrower than the rows make it anyway."""
    rows = len(figure.members)
    return figure.low > rows * figure.weights_low or figure.high < rows * figure.weights_high


def components(cells: Sequence[Cell]) -> Ints:
    """A number for each cell, the same for cells that hang together through rows."""
    lengths = np.array([len(cell.members) for cell in cells], np.int64)
    starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    ids, rows = np.unique(np.concatenate([cell.members for cell in cells]), return_inverse=True)
    rows = rows.ravel()
    label = np.arange(len(ids))
    while True:
        least = np.minimum.reduceat(label[rows], starts)
        after = label.copy()
        np.minimum.at(after, rows, np.repeat(least, lengths))
        if (after == label).all():
            return np.asarray(least, np.int64)
        label = after


def blocks_of(
    figures: Sequence[Figure] | Mapping[int, Figure], cells: Sequence[Cell], joints: Sequence[Joint] = ()
) -> list[Block]:
    """The cells by what hangs together, the largest block first; joint indicators are one."""
    joined = {indicator: joint for joint in joints for indicator in joint.adds}
    parted: dict[str, list[Cell]] = {}
    for cell in cells:
        joint = joined.get(cell.indicator)
        parted.setdefault(joint.name if joint else cell.indicator, []).append(cell)
    found = []
    for name, part in parted.items():
        for numbers in _same(components(part)):
            chosen = tuple(part[number] for number in numbers)
            title = f"{name} {_place(figures, chosen)}".rstrip()
            found.append(Block(title, chosen, joined.get(chosen[0].indicator)))
    return sorted(found, key=lambda block: -len(block.cells))


def _same(labels: Ints) -> Iterator[Ints]:
    order = np.argsort(labels, kind="stable")
    yield from np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)


def _place(figures: Sequence[Figure] | Mapping[int, Figure], cells: Sequence[Cell]) -> str:
    """The cluster, or the municipality, that most figures of a block name."""
    groups = [figures[place].group for cell in cells for place in cell.figures]
    named = Counter(group.cluster or group.gemeente for group in groups)
    return named.most_common(1)[0][0]


def newest(figures: Sequence[Figure]) -> int:
    """The number of the release that is audited: the last one."""
    return max((figure.release for figure in figures), default=0)
