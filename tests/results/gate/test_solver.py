"""The solver against all tables that fit, written out one by one, on small random cubes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from results.gate.blocks import Block, components
from results.gate.bounds import settle
from results.gate.chain import chances
from results.gate.hidden import counts, narrow
from results.gate.interior import at_bound, feasible, interior
from results.gate.known import PROPOSED, Joint, Rows, View
from results.gate.prove import prove
from results.gate.seek import seek
from results.gate.sides import Sides, sides_of
from results.gate.stretch import Stretched
from results.gate.swaps import open_to, partners
from results.gate.table import Cell, Table, build
from results.gate.views import own_rows, owned, readers_of, seen_by
from results.gate.walk import standing
from tests.results.gate.worlds import QUICK, figure, group

MOST_ROWS = 9


@st.composite
def cubes(draw: st.DrawFn) -> tuple[list[Cell], dict[int, int]]:
    """Some sets of a few rows, each with an interval around its true sum."""
    count = draw(st.integers(2, MOST_ROWS))
    values = {row: draw(st.integers(0, 1)) for row in range(count)}
    cells = []
    for place in range(draw(st.integers(1, 6))):
        members = draw(st.sets(st.integers(0, count - 1), min_size=1))
        true = sum(values[row] for row in members)
        low, high = true - draw(st.integers(0, 2)), true + draw(st.integers(0, 2))
        cells.append(cell(sorted(members), max(low, 0), min(high, len(members)), place))
    return cells, values


def cell(members: list[int], low: int, high: int, place: int = 0, indicator: str = "uitval", most: int = 1) -> Cell:
    """A cell of one indicator."""
    return Cell(indicator, np.array(members, np.int64), low, high, 0, most, (place,))


def tables(table: Table) -> Iterator[np.ndarray]:
    """Every table in whole numbers that fits."""
    for values in product(*(range(cap + 1) for cap in table.cap.tolist())):
        x = np.array(values, np.int64)
        sums = table.matrix.times(x)
        if ((sums >= table.low) & (sums <= table.high)).all():
            yield x


def possible(table: Table, sides: Sides) -> np.ndarray:
    """Class x side: whether some table reaches it."""
    found = np.zeros((len(table.cap) // table.kinds, sides.number), bool)
    for x in tables(table):
        found |= sides.reach(table, x, x) >= 1
    return found


@settings(max_examples=60, deadline=None)
@given(cubes())
def test_the_proof_finds_what_is_forced_and_nothing_else(cube: tuple[list[Cell], dict[int, int]]) -> None:
    cells, values = cube
    block = Block("een", tuple(cells))
    proof = prove(block, {"uitval": values}, QUICK, lambda: 20.0)
    forced = np.flatnonzero(~possible(proof.table, sides_of(None)).all(axis=1))
    assert set(proof.forced.tolist()) <= set(forced.tolist())
    assert proof.clean == (not len(forced))


@settings(max_examples=60, deadline=None)
@given(cubes())
def test_an_interior_point_is_at_a_bound_where_no_program_leaves_it(cube: tuple[list[Cell], dict[int, int]]) -> None:
    cells, values = cube
    table = build(cells, {"uitval": values})
    point = interior(table, 10)
    assert point is not None
    zero, cap = at_bound(table, point, PROPOSED.at_bound)
    sides, end = sides_of(None), time.monotonic() + 10
    settled = settle(table, sides, np.zeros((len(table.cap), 2), bool), point, lambda: end - time.monotonic())
    held = np.stack((zero, cap), axis=1)
    assert not (held & settled.open).any()
    assert (settled.open | settled.forced).all()


@settings(max_examples=40, deadline=None)
@given(cubes())
def test_programs_agree_with_every_table(cube: tuple[list[Cell], dict[int, int]]) -> None:
    cells, values = cube
    table = build(cells, {"uitval": values})
    point = interior(table, 10)
    assert point is not None
    sides, end = sides_of(None), time.monotonic() + 10
    settled = settle(table, sides, np.zeros((len(table.cap), 2), bool), point, lambda: end - time.monotonic())
    assert (settled.open == possible(table, sides)).all()
    assert (settled.forced == ~settled.open).all()


@settings(max_examples=40, deadline=None)
@given(cubes(), st.integers(0, 2))
def test_what_is_open_to_a_reader_is_so_in_some_table(cube: tuple[list[Cell], dict[int, int]], reader: int) -> None:
    cells, values = cube
    block = Block("een", tuple(cells))
    rows = Rows({"uitval": values}, {}, {row: str(row % 3) for row in values})
    seen = owned(block, own_rows(block, rows.providers), rows.outcomes)
    mine = readers_of(View(str(reader), frozenset({str(reader)})), seen)
    opened = open_to(partners(seen.table, seen.owner), mine)[~np.isin(seen.owner, mine)]
    assert not (opened & ~possible(seen_by(mine, seen), sides_of(None))[~np.isin(seen.owner, mine)]).any()


def test_a_start_is_found_where_the_truth_does_not_fit() -> None:
    table = build([cell([0, 1, 2], 2, 2), cell([0, 1], 1, 1, 1)], {"uitval": {0: 1, 1: 1, 2: 1}})
    assert not table.fits
    start = feasible(table, 10)
    assert start is not None
    assert table._replace(x=start).fits


REASONS = Joint("uitval", {"uitval": (0, 1, 1, 1), "een": (0, 1, 0, 0), "twee": (0, 0, 1, 0), "drie": (0, 0, 0, 1)})


def test_reasons_that_add_up_to_uitval_are_one_block() -> None:
    """Of three ends, two are uitval, and neither of the first two reasons is there: both are of the third."""
    cells = [cell([0, 1, 2], 2, 2), cell([0, 1, 2], 0, 0, 1, "een"), cell([0, 1, 2], 0, 0, 2, "twee")]
    values = {"uitval": {0: 1, 1: 1}, "drie": {0: 1, 1: 1}}
    block = Block("uitval", tuple(cells), REASONS)
    proof = prove(block, values, QUICK, lambda: 20.0)
    assert proof.table.kinds == 4
    assert proof.table.x.tolist() == [1, 0, 0, 2]
    assert proof.children == 3  # nobody has the first reason: certain
    alone = prove(block._replace(cells=(cells[0],), joint=None), values, QUICK, lambda: 20.0)
    assert alone.clean


def test_the_mean_and_the_bands_are_one_block() -> None:
    """Two marks with a sum of 20 are both ten, though no band says so."""
    marks = Joint("nut", {"gemiddelde": tuple(range(1, 11)), "laag": (1, 1, 1, 1, 0, 0, 0, 0, 0, 0)})
    values = {"gemiddelde": {0: 10, 1: 10}, "laag": {0: 0, 1: 0}}
    mean = Cell("gemiddelde", np.array([0, 1], np.int64), 20, 20, 1, 10, (0,))
    proof = prove(Block("nut", (mean,), marks), values, QUICK, lambda: 20.0)
    assert proof.children == 2
    wide = prove(Block("nut", (mean._replace(low=11),), marks), values, QUICK, lambda: 20.0)
    assert wide.clean


def test_what_shares_no_row_is_apart() -> None:
    assert components([cell([0, 1], 0, 2), cell([2, 3], 0, 2), cell([1, 4], 0, 2)]).tolist() == [0, 2, 0]


def test_the_chain_finds_the_chances_of_all_tables() -> None:
    values = {row: int(row in (0, 1, 4)) for row in range(6)}
    members = ([0, 1, 2, 3], [2, 3, 4, 5], [0, 4, 5])
    shown = [figure(group(f"deel_{place}"), own, values) for place, own in enumerate(members)]
    narrower = [one._replace(low=max(one.low, 1), high=min(one.high, 3)) for one in shown]
    cells = [cell(list(one.members), one.low, one.high, place) for place, one in enumerate(narrower)]
    table = build(cells, {"uitval": values})
    flat = [one._replace(shown=one.shown._replace(teller=None)) for one in narrower]
    found = chances(table, cells, flat, prior=0.3, steps=400_000)
    weights = np.zeros(3)
    for rows in product((0, 1), repeat=6):
        sums = [sum(rows[row] for row in own) for own in members]
        if all(one.low <= total <= one.high for one, total in zip(narrower, sums, strict=True)):
            weight = 0.3 ** sum(rows) * 0.7 ** (6 - sum(rows))
            weights += weight * np.array([1, rows[1], 1 - rows[1]])
    alone = int(np.flatnonzero(table.children == 1)[0]) if rows_of(table, values) is None else rows_of(table, values)
    assert found.all_have[alone] == pytest.approx(weights[1] / weights[0], abs=0.02)
    assert found.none_has[alone] == pytest.approx(weights[2] / weights[0], abs=0.02)


def rows_of(table: Table, values: dict[int, int]) -> int | None:
    """The class of row 1: it stands in the first cell only, by itself."""
    starts, index = table.matrix.starts, table.matrix.columns
    only = set(index[starts[0] : starts[1]].tolist()) - set(index[starts[1] :].tolist())
    return next(iter(only), None)


@pytest.mark.parametrize(("rounded", "found"), [((None, None), [1]), ((20, 15), [])])
def test_a_hidden_group_in_exact_counts_is_found(rounded: tuple[int | None, int | None], found: list[int]) -> None:
    """A group less the part of it that is shown is the count of the part that is hidden."""
    cells = [cell(list(range(20)), 0, 20), cell(list(range(15)), 0, 15, 1)]
    hidden = [cell(list(range(15, 20)), 0, 5, -1)]
    table, parts = counts(cells, rounded, hidden)
    narrowed = list(narrow(table, parts, [5], PROPOSED, lambda: 10.0))
    assert [one.candidates for one in narrowed if one] == found


def test_programs_over_some_owners_find_the_same_hidden_groups() -> None:
    """Two owners with a total each; of one the part that is shown leaves only one number for the other part."""
    members = [list(range(20)), list(range(15)), list(range(20, 40))]
    cells = [cell(own, 0, len(own), place) for place, own in enumerate(members)]
    hidden = [cell(list(range(15, 20)), 0, 5, -1), cell(list(range(30, 36)), 0, 6, -1)]
    table, parts = counts(cells, (None, None, 20), hidden)
    owner = np.array([0 if class_ in set(parts[0].tolist()) | {0, 1} else 1 for class_ in range(len(table.cap))])
    found = list(narrow(table, parts, [5, 6], PROPOSED, lambda: 10.0, owner=owner))
    assert [(one.number, one.candidates) for one in found if one] == [(0, 1)]


@settings(max_examples=40, deadline=None)
@given(cubes(), st.integers(0, 3))
def test_a_walk_sees_of_a_part_only_what_some_table_has(cube: tuple[list[Cell], dict[int, int]], seed: int) -> None:
    cells, values = cube
    table = build(cells, {"uitval": values})
    parts = [np.array([class_]) for class_ in range(len(table.cap))] + [np.arange(len(table.cap))]
    walk = Stretched(table, parts)
    walk.look(5, steps=20_000, seed=seed)
    for number, part in enumerate(parts):
        sums = [int(x[part].sum()) for x in tables(table)]
        assert min(sums) <= walk.least[number] <= walk.most[number] <= max(sums)


@settings(max_examples=60, deadline=None)
@given(cubes(), st.integers(0, 3))
def test_what_a_search_opens_is_open_in_some_table(cube: tuple[list[Cell], dict[int, int]], seed: int) -> None:
    cells, values = cube
    table = build(cells, {"uitval": values})
    seen = standing(table)
    for _ in range(4):
        seen = seek(table, seen, np.ones(len(table.cap), bool), seed=seed)
    assert table.fits
    found = np.stack(seen.open(table), axis=1)
    assert (possible(table, sides_of(None)) | ~found).all()


def test_a_search_finds_what_needs_several_children_to_change() -> None:
    """Eight pairs that overlap, each of exactly one: another table is one in which all of them differ."""
    values = {row: row % 2 for row in range(9)}
    cells = [cell([row, row + 1], 1, 1, row) for row in range(8)]
    table = build(cells, {"uitval": values})
    seen = seek(table, standing(table), np.ones(len(table.cap), bool), seed=1)
    assert np.stack(seen.open(table), axis=1).all()


def test_a_chain_that_is_aimed_finds_the_same_chances() -> None:
    values = {row: int(row in (0, 3, 5)) for row in range(8)}
    cells = [cell([0, 1, 2, 3], 1, 2, 0), cell([2, 3, 4, 5], 1, 3, 1), cell([5, 6, 7], 1, 1, 2)]
    table = build(cells, {"uitval": values})
    shown = [figure(group(), range(20), dict.fromkeys(range(20), 0)) for _ in cells]
    shown = [one._replace(shown=one.shown._replace(teller=None)) for one in shown]
    equal, aimed = (
        chances(table, cells, shown, prior=0.4, steps=400_000, seed=1, aimed=at) for at in (None, np.array([0, 1]))
    )
    assert np.abs(equal.all_have - aimed.all_have).max() < 0.02
