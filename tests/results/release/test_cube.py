"""The cube against a count by hand of every group, and that a group is never said to be of more clients than it is."""

from __future__ import annotations

import random
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.field.dates import day
from domain.indicators.terms import Provenance
from results.release import cube
from results.release.counted import FAMILIES, holds
from results.release.cube import cells
from results.release.cuts import CUTS, places
from results.release.periods import Period, period_of
from results.release.rows import CareRows, families_of, labels_of, of_rows, row_id
from results.release.rules import RULES
from tests.results.release import made
from tests.results.release.made import TODAY, region

QUARTER, YEAR = period_of("kwartaal", "2026-K2"), period_of("vier_kwartalen", "2026-K2")
Counted = dict[tuple[Any, ...], tuple[tuple[int, ...], int, int]]


def tables(provenance: Provenance) -> made.Tables:
    if provenance == "ijw":
        return region(300)
    dice = random.Random(5)
    found = region(150, gemeenten=("0034",))
    for row in found["trajecten"]:
        row |= {
            "bron": "cbs",
            "verwijzer": dice.choice(("01", "02")),
            "uitval_klasse": dice.choice(("gepland", "client")),
        }
    return {"trajecten": found["trajecten"], "metingen": []}


def by_hand(rows: made.Tables, provenance: Provenance, period: Period, wanted: range, least: int) -> Counted:
    """Family and group -> ids, buckets, left out; each row asked by itself, for the groups of so many clients."""
    found: dict[tuple[Any, ...], list[Any]] = defaultdict(lambda: [set(), set(), 0])
    first, last, now = day(period.first), day(period.last), day(TODAY)
    for row in rows["trajecten"]:
        labels = labels_of(row)
        for family in families_of("trajecten", provenance) if first <= row["einddatum"] <= last else ():
            inside, out = holds(family.denominator, row, now), holds(family.excluded, row, now)
            for cut in CUTS.values():
                if period.kind not in cut.kinds or cut.provenance != provenance or not cut.counts(family.key):
                    continue
                values = tuple(labels[name] for name in cut.by)
                if all(values) and labels[cut.place] in places(cut.place, provenance):
                    one = found[family.key, cut.name, *values]
                    one[2] += out
                    if inside:
                        one[0].add(row_id(row["traject"]))
                        one[1].add(row["emmer"])
    return {
        key: (tuple(sorted(ids)), len(buckets), out)
        for key, (ids, buckets, out) in found.items()
        if len(buckets) in wanted and len(ids) >= (least or max(FAMILIES[key[0]].least, RULES.smallest_denominator))
    }


def cubed(rows: CareRows, period: Period, *, small: bool) -> Counted:
    found: Counted = {}
    for cell in cells(rows, TODAY, periods=(period,), small=small):
        cut, group = CUTS[cell.group.snede], cell.group
        named = dict(zip(group.filter.split(" x "), group.filterwaarde.split(" x "), strict=True))
        values = tuple(named[name] if name in named else getattr(group, name) for name in cut.by)
        found[cell.family, cut.name, *values] = (tuple(cell.ids.tolist()), cell.clients, cell.excluded)
    return found


@pytest.mark.parametrize("small", [False, True])
@pytest.mark.parametrize("period", [QUARTER, YEAR], ids=["quarter", "year"])
@pytest.mark.parametrize("provenance", ["ijw", "cbs"])
def test_every_group_is_what_a_count_by_hand_finds(provenance: Provenance, period: Period, small: bool) -> None:
    mine = tables(provenance)
    rows = of_rows(mine, "trajecten", provenance, reference_day=day(TODAY))
    wanted, least = (range(1, RULES.smallest_group), 1) if small else (range(RULES.smallest_group, 10**6), 0)
    expected = by_hand(mine, provenance, period, wanted, least)
    assert cubed(rows, period, small=small) == expected
    assert expected or (provenance == "cbs" and period is QUARTER and small)


def test_a_cut_of_very_many_groups_counts_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = of_rows(tables("ijw"), "trajecten", "ijw", reference_day=day(TODAY))
    few = cubed(rows, YEAR, small=False)
    monkeypatch.setattr(cube, "SMALL", 3)
    assert cubed(rows, YEAR, small=False) == few


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(0, 30), min_size=20, max_size=60), st.integers(0, 2**20))
def test_a_group_is_never_of_more_clients_than_stand_behind_it(clients: list[int], secret: int) -> None:
    """``clients``: whose row each is; a client has one bucket, and a bucket may be of many."""
    made_up = [
        made.one_traject(
            number, einddatum=day(YEAR.last) - number, gemeente="0384", categorie="45", leeftijd=8,
            geslacht="1", gas_gescoord=0, aanbieder=f"{90_000_001 + number % 3}", emmer=(client * 7919 + secret) % 25,
        )
        for number, client in enumerate(clients)
    ]  # fmt: skip
    rows = of_rows({"trajecten": made_up, "metingen": []}, "trajecten", "ijw", reference_day=day(TODAY))
    of_row = {row_id(row["traject"]): client for row, client in zip(made_up, clients, strict=True)}
    for cell in cells(rows, TODAY, periods=(YEAR,)):
        assert RULES.smallest_group <= cell.clients <= len({of_row[int(number)] for number in cell.ids})
