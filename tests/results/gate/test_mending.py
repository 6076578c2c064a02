"""The repair of a block: single figures, then its finest cut, then all that is new; what was shown stays."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from results.gate.blocks import Block, Members
from results.gate.cases import Case, cases_of, shared
from results.gate.examine import examine
from results.gate.known import Limits
from results.gate.mending import Held, Mending
from results.gate.table import build
from results.release.model import Figure
from tests.results.gate.worlds import QUICK, figure, group, known, outcomes

VALUES = outcomes(240)
WHOLE = figure(group("cluster"), range(240), VALUES, release=2)
PARTS = [figure(group("leeftijd", leeftijd=str(at)), range(60 * at, 60 * at + 60), VALUES, release=2) for at in (0, 1)]
FINE = [
    figure(group("fijn", leeftijd=str(at), geslacht="1"), range(60 * at, 60 * at + 30), VALUES, release=2)
    for at in (0, 1)
]
OLD = figure(group("cluster", periode="2026-K2"), range(30, 90), VALUES, release=1)


def case(figures: Sequence[Figure], limits: Limits = QUICK) -> Case:
    """The one case of figures."""
    found = cases_of(
        figures, Members(), frozenset(), known(VALUES), [], [], None, limits, 2, time.monotonic() + 60
    )  # fmt: skip
    (one,) = found
    return one


def longer_than(most: int, row: int) -> Callable[[Block], Held | None]:
    """A look that finds the class of a row as long as the block has more than so many cells."""

    def look(block: Block) -> Held | None:
        if len(block.cells) <= most:
            return None
        table = build(block.cells, {})
        starts, columns = table.matrix.starts, table.matrix.columns
        holding = [at for at, cell in enumerate(block.cells) if row in cell.members]
        others = [at for at in range(len(block.cells)) if at not in holding]
        found = set(columns.tolist())
        for at in holding:
            found &= set(columns[starts[at] : starts[at + 1]].tolist())
        for at in others:
            found -= set(columns[starts[at] : starts[at + 1]].tolist())
        return Held(table, np.array(sorted(found), np.int64))

    return look


def mended(figures: Sequence[Figure], until: int, limits: Limits = QUICK, row: int = 60) -> Mending:
    """Repaired until the block has at most so many cells."""
    mending = Mending(case(figures, limits))
    (block,) = mending.blocks(lambda _: True)
    mending.mend(block, longer_than(until, row), "gedwongen")
    return mending


def test_the_smallest_figure_that_touches_goes_first() -> None:
    assert sorted(mended([WHOLE, *PARTS, *FINE], until=4).out) == [4]


def test_after_so_many_figures_the_finest_cut_goes_and_then_all_that_is_new() -> None:
    cut = mended([WHOLE, *PARTS, *FINE], until=3, limits=QUICK._replace(singly=0))
    assert (sorted(cut.out), cut.cuts, cut.whole) == ([3, 4], ["fijn"], False)
    all_ = mended([OLD, WHOLE, *PARTS, *FINE], until=1, limits=QUICK._replace(singly=0))
    assert (sorted(all_.out), all_.cuts, all_.whole, dict(all_.frozen)) == ([1, 2, 3, 4, 5], ["fijn"], True, {})


def test_a_look_that_is_not_finished_takes_the_finest_cut_and_then_all_that_is_new() -> None:
    mending = Mending(case([WHOLE, *PARTS, *FINE]))
    (block,) = mending.blocks(lambda _: True)
    mending.mend(block, lambda block: Held(build(block.cells, {}), np.zeros(0, np.int64)), "kans")
    assert (mending.cuts, mending.whole, dict(mending.unfinished)) == (["fijn"], True, {"kans": 2})


def test_the_whole_family_of_a_group_goes_with_a_figure() -> None:
    beside = [figure(one.group, one.members, VALUES, release=2, indicator="uitval_client") for one in [WHOLE, *FINE]]
    mending = Mending(case([WHOLE, *FINE, *beside]))
    block = next(one for one in mending.blocks(lambda cell: cell.indicator == "uitval"))
    mending.mend(block, longer_than(2, 0), "gedwongen")
    assert sorted(mending.out) == [1, 4]


def test_no_block_takes_the_time_of_those_begun_later() -> None:
    one = case([WHOLE])
    large = one._replace(cells=one.cells * 6)
    shares = [part.share for part in shared([large, large, large, one], workers=1)]
    assert shares[0] < 1
    assert shares[-1] == 1
    assert shares[:2] == [2 * 6 / 19, 0.75]
    ended = examine(one._replace(end=time.monotonic() + 60, share=0.0))
    assert ended.described["geheel"]
    assert not ended.described["bevroren"]


def test_only_what_hangs_together_with_something_new_is_looked_at() -> None:
    apart = figure(group("apart", periode="2025-K1"), range(120, 180), VALUES, release=1)
    beside = figure(group("naast", periode="2026-K2"), range(70, 110), VALUES, release=1)
    through = figure(group("keten", periode="2026-K1"), range(20, 40), VALUES, release=1)
    mending = Mending(case([OLD, beside, apart, through, PARTS[1]]))
    looked = [sorted(at for cell in block.cells for at in cell.figures) for block in mending.blocks(lambda _: True)]
    assert looked == [[0, 1, 3, 4]]
    shown_again = figure(group("apart", periode="2025-K1"), range(120, 180), VALUES, release=2)
    again = Mending(case([OLD, apart, shown_again]))
    assert [block.cells[0].figures for block in again.blocks(lambda _: True)] == [(1, 2)]


def test_a_cut_goes_in_the_municipality_that_gives_something_away_before_it_goes_everywhere() -> None:
    there, elsewhere = (
        [
            figure(group("fijn", gemeente=code, leeftijd=str(at), geslacht="1"), range(start, start + 30), VALUES,
                   release=2)
            for at, start in ((0, first), (1, first + 30))
        ]
        for code, first in (("0437", 60), ("0384", 120))
    )  # fmt: skip
    shown = [WHOLE, *PARTS, *there, *elsewhere]
    one = mended(shown, until=5, limits=QUICK._replace(singly=0, singly_part=0.0))
    assert (sorted(one.out), one.described["sneden"], one.whole) == ([3, 4], ["fijn 0437"], False)
    none = mended(shown, until=5, limits=QUICK._replace(singly=0, singly_part=0.0, places=0))
    assert (sorted(none.out), none.described["sneden"]) == ([3, 4, 5, 6], ["fijn"])
    most = mended(shown, until=5, limits=QUICK._replace(singly=0, singly_part=1.0))
    assert (len(most.out), most.described["sneden"]) == (2, [])
