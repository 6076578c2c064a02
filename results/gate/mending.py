"""The repair of one case: figures that give something away stay out, one by one, then a cut, at last all that is new.

What was shown before cannot be taken back. Where that alone gives something away, the case is frozen: nothing new of it
is shown, and the report says so.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from results.gate.blocks import Block, blocks_of
from results.gate.cases import Case, family_of
from results.gate.table import Cell, Ints, Table
from results.release.model import Figure, Group


class Held(NamedTuple):
    """Classes of a table of which something is certain or too probable; none: the look was not finished."""

    table: Table
    classes: Ints


#: What is wrong with a block; None = nothing.
Look = Callable[[Block], Held | None]
_COLUMNS = ("gemeente", "cluster", "aanbieder", "categorie", "leeftijd", "geslacht")


class Mending:
    """A case and what was taken out of it so far: ``out`` by place, with the rules that asked for it.

    ``singly``: figures that were taken out one by one; ``places``: cuts, each with the municipality in which everything
    new is; ``cuts``: those of which it is everywhere; ``whole``: all that is new is. ``frozen``: what older figures
    alone give away, by rule. ``unfinished``: looks that were not.
    """

    def __init__(self, case: Case) -> None:
        self.case, self.cells = case, list(case.cells)
        self.out: dict[int, set[str]] = {}
        self.singly, self.places, self.cuts, self.whole = 0, list[str](), list[str](), False
        self.new = sum(figure.release == case.last for figure in case.figures.values())
        self.frozen: Counter[str] = Counter()
        self.unfinished: Counter[str] = Counter()
        self._siblings: dict[tuple[Group, str, int], list[int]] = {}
        for place, figure in case.figures.items():
            self._siblings.setdefault(_family(figure), []).append(place)

    def left(self) -> float:
        """Seconds until it must be done."""
        return self.case.end - time.monotonic()

    def blocks(self, wanted: Callable[[Cell], bool], *, joined: bool = False) -> list[Block]:
        """Blocks of what is left with anything new: of each indicator, or (``joined``) of those that hang together.

        What shares no row with a new figure, not even by others in between, was audited as it stands.
        """
        cells = [cell for cell in self.cells if wanted(cell)]
        blocks = blocks_of(self.case.figures, cells, self.case.joints if joined else ()) if cells else []
        return [block for block in blocks if any(self._has_new(cell) for cell in block.cells)]

    def mend(self, block: Block, look: Look, rule: str) -> int:
        """Look at a block, take out what it asks for, and again until it is clean; classes found at first."""
        if self.whole or not block.cells:
            return 0
        found, first = look(block), 0
        while found is not None:
            first = first or len(found.classes)
            before = self._old(block)
            self._repair(block, before, found, look, rule)
            if self.whole:
                if before.cells and not self.frozen[rule] and self.left() > 0:
                    self._freeze(look(before), rule)
                break
            block = self.rest(block)
            found = look(block) if block.cells else None
        return first

    def rest(self, block: Block) -> Block:
        """What is left of a block."""
        return block._replace(cells=tuple(cell for cell in block.cells if self.out.keys().isdisjoint(cell.figures)))

    def _old(self, block: Block) -> Block:
        return block._replace(cells=tuple(cell for cell in block.cells if not self._is_new(cell)))

    def _is_new(self, cell: Cell) -> bool:
        return all(self.case.figures[place].release == self.case.last for place in cell.figures)

    def _has_new(self, cell: Cell) -> bool:
        return any(self.case.figures[place].release == self.case.last for place in cell.figures)

    def _freeze(self, found: Held | None, rule: str) -> bool:
        """Note what older figures alone give away."""
        if found is not None and len(found.classes):
            self.frozen[rule] += len(found.classes)
        return self.frozen[rule] > 0

    def _repair(self, block: Block, before: Block, found: Held, look: Look, rule: str) -> None:
        limits = self.case.limits
        touched = self._touched(block, found)
        cells, bare = _smallest(touched), len({class_ for _, class_ in touched}) < len(found.classes)
        if bare and before.cells and self._freeze(look(before), rule):
            self._take(self._new(), rule, whole=True)
        elif not len(found.classes):
            self.unfinished[rule] += 1
            self._coarser(rule)
        elif cells and self.singly + len(cells) <= max(limits.singly, limits.singly_part * self.new):
            self.singly += len(cells)
            self._take(cells, rule)
        elif not self._in_one_place([cell for cell, _ in touched], rule):
            self._coarser(rule)

    def _touched(self, block: Block, found: Held) -> list[tuple[Cell, int]]:
        """Every new cell that holds a class that was found, with the class."""
        touched = np.isin(found.table.matrix.columns // found.table.kinds, found.classes)
        row = np.repeat(np.arange(len(found.table.low)), np.diff(found.table.matrix.starts))[touched]
        class_ = found.table.matrix.columns[touched] // found.table.kinds
        pairs = {pair for pair in zip(found.table.cells[row].tolist(), class_.tolist(), strict=True) if pair[0] >= 0}
        return [(block.cells[number], one) for number, one in sorted(pairs) if self._is_new(block.cells[number])]

    def _in_one_place(self, touched: Sequence[Cell], rule: str) -> bool:
        """Take out all that is new of a cut in one municipality: the finest cut that holds what was found, there where
        it holds most; False = that would be the whole cut, or enough of these are gone."""
        cut = self._finest(touched) or (touched and self.case.figures[touched[0].figures[0]].group.snede)
        if not cut or len(self.places) >= self.case.limits.places:
            return False
        inside = [cell for cell in self._new() if self._is_of(cell, cut)]
        many = Counter(at for cell in touched if self._is_of(cell, cut) for at in self._places(cell))
        place = max(sorted(many), key=lambda at: many[at])
        taken = [cell for cell in inside if place in self._places(cell)]
        if len(taken) == len(inside):
            return False
        self.places.append(f"{cut} {place}")
        self._take(taken, rule)
        return True

    def _is_of(self, cell: Cell, cut: str) -> bool:
        return any(self.case.figures[at].group.snede == cut for at in cell.figures)

    def _places(self, cell: Cell) -> set[str]:
        """The municipality of each of a cell's groups, or the cluster of one that has none."""
        groups = [self.case.figures[at].group for at in cell.figures]
        return {group.gemeente or group.cluster for group in groups}

    def _coarser(self, rule: str) -> None:
        """Take out all that is new of the finest cut, or of the case when enough cuts are gone."""
        new = self._new()
        cut = self._finest(new) if len(self.cuts) < self.case.limits.cuts else ""
        if cut:
            self.cuts.append(cut)
            new = [cell for cell in new if self._is_of(cell, cut)]
        self._take(new, rule, whole=not cut)

    def _finest(self, new: Iterable[Cell]) -> str:
        """The cut with the most columns, of these the one with the fewest rows in a group; empty: there is only one."""
        fine: dict[str, tuple[int, float]] = {}
        for cell in new:
            group = self.case.figures[cell.figures[0]].group
            columns = sum(bool(getattr(group, name)) for name in _COLUMNS) + len(group.filter.split(" x "))
            before = fine.get(group.snede, (columns, -np.inf))[1]
            fine[group.snede] = columns, max(before, -float(len(cell.members)))
        return max(fine, key=lambda cut: (fine[cut], cut)) if len(fine) > 1 else ""

    def _new(self) -> list[Cell]:
        return [cell for cell in self.cells if self._is_new(cell)]

    def _take(self, cells: Iterable[Cell], rule: str, *, whole: bool = False) -> None:
        """Take figures out with the rest of their family: what is left of outcomes that add up says what is gone."""
        for cell in cells:
            for place in cell.figures:
                for sibling in self._siblings[_family(self.case.figures[place])]:
                    self.out.setdefault(sibling, set()).add(rule)
        self.cells = [cell for cell in self.cells if self.out.keys().isdisjoint(cell.figures)]
        self.whole = self.whole or whole

    @property
    def described(self) -> dict[str, Any]:
        """What became of the case, for the report."""
        return {
            "blok": self.case.name,
            "cijfers": len(self.case.figures),
            "nieuw": self.new,
            "ingehouden": len(self.out),
            "sneden": [*self.places, *self.cuts],
            "geheel": self.whole,
            "bevroren": dict(self.frozen),
            "niet_af": dict(self.unfinished),
        }


def _smallest(touched: Iterable[tuple[Cell, int]]) -> list[Cell]:
    """Of each class the smallest new cell that holds it, each once."""
    best: dict[int, Cell] = {}
    for cell, one in touched:
        best[one] = min(best.get(one, cell), cell, key=lambda cell: (len(cell.members), cell.figures))
    return list({cell.figures: cell for cell in best.values()}.values())


def _family(figure: Figure) -> tuple[Group, str, int]:
    return figure.group, family_of(figure.indicator), figure.release
