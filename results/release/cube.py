"""The groups of every cut and closed period, with the rows behind them: what a release may show before its rules."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

import numpy as np

from domain.field.dates import day
from results.release.counted import Family
from results.release.cuts import CUTS, Cut, places
from results.release.model import Group
from results.release.periods import Period, closed
from results.release.rows import CareRows, Ints, Numbers
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
    for family in rows.families():
        wanted = _Wanted(clients, 1 if small else max(family.least, rules.smallest_denominator))
        for period in periods or closed(on, rules, later=family.later):
            within = (rows.days >= day(period.first)) & (rows.days <= day(period.last))
            inside = np.flatnonzero(within & rows.counted[family.key].inside)
            outside = np.flatnonzero(within & rows.counted[family.key].left_out)
            for cut in CUTS.values():
                if period.kind in cut.kinds and cut.provenance == family.provenance and cut.counts(family.key):
                    yield from _of_cut(rows, family, period, cut, inside, outside, wanted)


class _Wanted(NamedTuple):
    """How many clients a group may have, and how many things counted it has at least."""

    clients: range
    counted: int


class _Keys(NamedTuple):
    """A number per row (-1: in no group), and the size of each column, to tell them apart again."""

    codes: Ints
    sizes: tuple[int, ...]


def _keys(rows: CareRows, cut: Cut, at: Ints) -> _Keys:
    codes, known = np.zeros(len(at), dtype=np.int64), np.ones(len(at), dtype=np.bool_)
    sizes = []
    for name in cut.by:
        column = rows.labels[name]
        part = column.codes[at]
        known &= part >= 0
        codes = codes * (len(column.values) + 1) + part
        sizes.append(len(column.values) + 1)
    return _Keys(np.where(known, codes, -1), tuple(sizes))


def _of_cut(
    rows: CareRows, family: Family, period: Period, cut: Cut, inside: Ints, outside: Ints, wanted: _Wanted
) -> Iterator[Cell]:
    keys = _keys(rows, cut, inside)
    present, dense = np.unique(keys.codes, return_inverse=True)
    # Few groups: a stable sort of small numbers is a radix sort, and keeps the order of buckets.
    order = np.argsort(dense.astype(np.uint16 if len(present) < 2**16 else np.int64), kind="stable")
    starts = np.searchsorted(dense[order], np.arange(len(present) + 1))
    at = inside[order]
    people = rows.emmers[at]
    new = np.ones(len(at), dtype=np.int64)
    new[1:] = people[1:] != people[:-1]
    new[starts[:-1]] = 1
    clients = np.add.reduceat(new, starts[:-1]) if len(at) else new
    excluded = dict(zip(*np.unique(_keys(rows, cut, outside).codes, return_counts=True), strict=True))
    shown = places(cut.place, cut.provenance)
    for number, code in enumerate(present):
        counted = int(starts[number + 1] - starts[number])
        if code < 0 or counted < wanted.counted or int(clients[number]) not in wanted.clients:
            continue
        group = _group(rows, cut, period, int(code), keys.sizes)
        if getattr(group, cut.place) in shown:
            mine = at[starts[number] : starts[number + 1]]
            yield _cell(rows, family, group, mine, int(clients[number]), int(excluded.get(code, 0)))


def _cell(rows: CareRows, family: Family, group: Group, at: Ints, clients: int, excluded: int) -> Cell:
    at = at[np.argsort(rows.ids[at], kind="stable")]
    values = rows.counted[family.key].value[at]
    providers = rows.providers[at]
    return Cell(group, family.key, rows.ids[at], rows.emmers[at], values, providers, clients, excluded)


def _group(rows: CareRows, cut: Cut, period: Period, code: int, sizes: tuple[int, ...]) -> Group:
    found = {}
    for name, size in zip(reversed(cut.by), reversed(sizes), strict=True):
        code, at = divmod(code, size)
        found[name] = rows.labels[name].values[at]
    columns = {name: found[name] for name in (cut.place, *cut.columns) if name != "respondent"}
    filters = [name for name in reversed(cut.by) if name in (cut.filter, "respondent")]
    return Group(
        cut.name, period.kind, period.label, **columns,
        filter=" x ".join(filters), filterwaarde=" x ".join(found[name] for name in filters),
    )  # fmt: skip
