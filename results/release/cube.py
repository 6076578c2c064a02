"""The groups of every cut and closed period, with the rows behind them: what a release may show before its rules."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from domain.field.dates import day
from results.release.counted import Family
from results.release.cuts import CUTS, Cut, places
from results.release.model import KEY_COLUMNS, Group
from results.release.periods import Period, closed
from results.release.rows import CareRows, Flags, Ints, Numbers
from results.release.rules import RULES, Rules


class Cell(NamedTuple):
    """The rows of one group that one family counts, by their ids, each once.

    ``emmers``, ``values`` and ``providers`` are of the same rows in the same order; ``clients``: at least so many
    children stand behind them.
    """

    group: Group
    family: str
    ids: Ints
    emmers: Numbers
    values: Numbers
    providers: Numbers
    clients: int
    excluded: int


def cells(
    rows: CareRows, on: date, rules: Rules = RULES, *, periods: tuple[Period, ...] = (), small: bool = False
) -> Iterator[Cell]:
    """Every group of enough clients of whom enough is counted, by family, period and cut. ``periods``: else the closed.

    ``small``: those of fewer clients instead, however much is counted: the gate asks what can be said of them.
    """
    clients = range(1, rules.smallest_group) if small else range(rules.smallest_group, sys.maxsize)
    grids: dict[str, _Grid] = {}
    by_id = np.argsort(rows.ids, kind="stable")
    for family in rows.families():
        wanted = _Wanted(clients, 1 if small else max(family.least, rules.smallest_denominator))
        for period in periods or closed(on, rules, later=family.later):
            inside = _Inside(rows, family, period, by_id)
            for cut in CUTS.values():
                if period.kind in cut.kinds and cut.provenance == family.provenance and cut.counts(family.key):
                    if cut.name not in grids:
                        grids[cut.name] = _Grid(rows, cut)
                    yield from _of_cut(inside, grids[cut.name], wanted)


#: So many groups of one cut have numbers of 16 bits, of which a stable sort is a radix sort.
SMALL: Final = 2**16
#: A number of a group per row.
GroupNumbers = npt.NDArray[np.uint16] | npt.NDArray[np.int64]


class _Wanted(NamedTuple):
    """How many clients a group may have, and how many things counted it has at least."""

    clients: range
    counted: int


class _Inside:
    """The rows of one family and period, gathered once for all cuts: in the order of their ids, of their buckets, and
    those that are left out.
    """

    def __init__(self, rows: CareRows, family: Family, period: Period, by_id: Ints) -> None:
        self.family, self.period = family, period
        counted = rows.counted[family.key]
        within = (rows.days >= day(period.first)) & (rows.days <= day(period.last))
        inside = within & counted.inside
        self.by_id, self.by_bucket = by_id[inside[by_id]], np.flatnonzero(inside)
        self.outside = np.flatnonzero(within & counted.left_out)
        at = self.by_id
        self.ids, self.emmers = rows.ids[at], rows.emmers[at]
        self.values, self.providers = counted.value[at], rows.providers[at]
        self.people = rows.emmers[self.by_bucket]


class _Grid:
    """The groups of a cut over all rows: a number per row, and what each group is called.

    A row in no group, or in one of a place that the cut does not show, has the number after the last.
    """

    def __init__(self, rows: CareRows, cut: Cut) -> None:
        self.cut = cut
        self._values = [rows.labels[name].values for name in cut.by]
        codes, known = np.zeros(len(rows.ids), dtype=np.int64), np.ones(len(rows.ids), dtype=np.bool_)
        for name, values in zip(cut.by, self._values, strict=True):
            part = rows.labels[name].codes
            known &= part >= 0
            codes = codes * len(values) + part
        shown = places(cut.place, cut.provenance)
        here = np.array([value in shown for value in rows.labels[cut.place].values] + [False])
        known &= here[rows.labels[cut.place].codes]
        self._codes, numbers = np.unique(codes[known], return_inverse=True)
        self.many = len(self._codes)
        self.numbers: GroupNumbers = np.full(len(codes), self.many, dtype=np.uint16)
        if self.many >= SMALL:
            self.numbers = np.full(len(codes), self.many, dtype=np.int64)
        self.numbers[known] = numbers
        self._names: dict[int, tuple[str, ...]] = {}

    def group(self, number: int, period: Period) -> Group:
        """The name of a group in a period."""
        if number not in self._names:
            self._names[number] = self._named(int(self._codes[number]))
        return Group(self.cut.name, period.kind, period.label, *self._names[number])

    def _named(self, code: int) -> tuple[str, ...]:
        found = {}
        for name, values in zip(reversed(self.cut.by), reversed(self._values), strict=True):
            code, at = divmod(code, len(values))
            found[name] = values[at]
        filters = [name for name in reversed(self.cut.by) if name in (self.cut.filter, "respondent")]
        found |= {"filter": " x ".join(filters), "filterwaarde": " x ".join(found[name] for name in filters)}
        columns = (self.cut.place, *self.cut.columns, "filter", "filterwaarde")
        return tuple(found[name] if name in columns else "" for name in KEY_COLUMNS)


def _of_cut(inside: _Inside, grid: _Grid, wanted: _Wanted) -> Iterator[Cell]:
    numbers = grid.numbers[inside.by_id]
    counts = _counts(grid, numbers)
    may = counts >= wanted.counted
    if not may.any():
        return
    clients = _clients(inside, grid, may)
    may &= (clients >= wanted.clients.start) & (clients < wanted.clients.stop)
    excluded = _counts(grid, grid.numbers[inside.outside])
    order = _grouped(numbers, may)
    # Each once for the whole cut: a cell is a part of these.
    ids, emmers, values, providers = (
        inside.ids[order], inside.emmers[order], inside.values[order], inside.providers[order],
    )  # fmt: skip
    end = 0
    for number in np.flatnonzero(may).tolist():
        mine = slice(end, end := end + int(counts[number]))
        group = grid.group(number, inside.period)
        yield Cell(
            group, inside.family.key, ids[mine], emmers[mine], values[mine], providers[mine], int(clients[number]),
            int(excluded[number]),
        )  # fmt: skip


def _counts(grid: _Grid, numbers: GroupNumbers) -> Ints:
    """Rows by group."""
    return np.bincount(numbers, minlength=grid.many + 1)[: grid.many]


def _grouped(numbers: GroupNumbers, may: Flags) -> Ints:
    """Positions of the rows of some groups, group by group, each in the order that they have here."""
    chosen = np.flatnonzero(np.append(may, False)[numbers])
    found: Ints = chosen[np.argsort(numbers[chosen], kind="stable")]
    return found


def _clients(inside: _Inside, grid: _Grid, may: Flags) -> Ints:
    """Buckets by group; 0 where it is not asked."""
    numbers = grid.numbers[inside.by_bucket]
    order = _grouped(numbers, may)
    numbers, people = numbers[order], inside.people[order]
    new = np.ones(len(order), dtype=np.bool_)
    new[1:] = (numbers[1:] != numbers[:-1]) | (people[1:] != people[:-1])
    return _counts(grid, numbers[new])
