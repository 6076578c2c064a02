"""A release in memory: the cube, who sees what, what may not be left between groups, and when a figure changes."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import pytest

from domain.field.dates import as_date
from results.release import build as building
from results.release.build import Release, as_figures, without
from results.release.counted import FAMILIES, FAMILY_OF
from results.release.cuts import CUTS
from results.release.model import Figure, Group
from results.release.restating import Former
from results.release.rules import RULES
from tests.results.release import made
from tests.results.release.made import KEY, TODAY, region, rows_of

LATER = date(2026, 8, 15)
#: As the rules, but no further back than a release of these rows needs.
QUICK = RULES._replace(months_back=4)


def build(tables: Any, on: date, key: bytes, **more: Any) -> Release:
    """A release by the quick rules."""
    return building.build(tables, on, key, **({"rules": QUICK} | more))


@cache
def small() -> made.Tables:
    return region(450)


@cache
def released() -> Release:
    return build(rows_of(small()), TODAY, KEY)


@cache
def shown() -> dict[tuple[Group, str], Figure]:
    return {(one.group, one.indicator): one for one in as_figures(released())}


def former(release: Release, **changed: Any) -> list[Former]:
    """What a release was shown with."""
    return [
        Former(one.cell, one.made_in, one.status, one.version, one.seen, one.audiences)._replace(**changed)
        for one in release.stated
        if one.seen
    ]


def test_order_and_repetition_of_rows_change_no_release() -> None:
    tables = {name: [*rows, *rows[:50]] for name, rows in small().items()}
    dice = random.Random(7)
    for rows in tables.values():
        dice.shuffle(rows)
    again = {(one.group, one.indicator): one for one in as_figures(build(rows_of(tables), TODAY, KEY))}
    assert again == shown()


def test_counted_again_by_hand() -> None:
    """The denominators of uitval by gemeente and provider, from the rows without any of the code of the release."""
    counted: Counter[tuple[str, str]] = Counter()
    for row in small()["trajecten"]:
        if row["uitval_klasse"] in ("gepland", "client", "aanbieder", "wederzijds"):
            counted[row["gemeente"], row["aanbieder"]] += 1
    found = {
        (group.gemeente, group.aanbieder): len(figure.members)
        for (group, key), figure in shown().items()
        if (group.snede, key, group.periode_soort, group.periode) == (
            "gemeente_aanbieder", "uitval", "vier_kwartalen", "2026-K2"
        )
    }  # fmt: skip
    assert found.keys() <= {key for key, count in counted.items() if count >= 20}
    assert all(counted[key] == count for key, count in found.items())
    assert len(found) > 5


def test_every_figure_keeps_its_rules_and_its_window() -> None:
    numerators = {
        (one.cell.group, key): int(building.added(one.cell, FAMILIES[one.cell.family].outcomes, at).sum())
        for one in released().stated
        for at, key in enumerate(outcome.key for outcome in FAMILIES[one.cell.family].outcomes)
    }
    for name, one in shown().items():
        assert one.low <= numerators[name] <= one.high, name
        assert len(one.members) >= 10
        assert one.members == tuple(sorted(set(one.members)))
        assert one.shown.noemer % 5 == one.shown.uitgesloten % 5 == 0
        assert (one.shown.teller is None) == (one.shown.gemiddelde is not None)
        assert len(one.members) >= max(20, FAMILY_OF[one.indicator].least)
        if one.group.periode_soort == "maand":
            assert one.group.snede in ("gemeente", "cluster")


def test_the_same_group_has_the_same_figure_wherever_it_stands() -> None:
    tables = region(800, gemeenten=("0363",))
    of: dict[Any, set[Any]] = defaultdict(set)
    figures = list(as_figures(build(rows_of(tables), TODAY, KEY)))
    for one in figures:
        of[one.members, one.indicator].add(one.shown)
    assert all(len(same) == 1 for same in of.values())
    assert len(of) < len(figures)  # Amsterdam is gemeente and cluster


def test_another_key_gives_another_release_and_the_noise_is_not_of_the_numerator() -> None:
    other = {(one.group, one.indicator): one for one in as_figures(build(rows_of(small()), TODAY, b"o" * 32))}
    assert other.keys() == shown().keys()
    shares = {name: one.shown.teller for name, one in shown().items() if one.shown.teller is not None}
    assert sum(other[name].shown.teller != teller for name, teller in shares.items()) > len(shares) / 10
    # Who else of the same group dropped out: the noise, which the window hides, is the same.
    tables = {"metingen": small()["metingen"], "trajecten": [dict(row) for row in small()["trajecten"]]}
    for row in tables["trajecten"]:
        if row["uitval_klasse"] == "gepland":
            row["uitval_klasse"] = "client"
    drawn = building.noise
    seen: dict[Any, int] = {}

    def spied(key: bytes, version: int, indicator: str, digest: bytes, rules: Any = RULES) -> int:
        return seen.setdefault((indicator, digest), drawn(key, version, indicator, digest, rules))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(building, "noise", spied)
        build(rows_of(small()), TODAY, KEY)
        before = dict(seen)
        build(rows_of(tables), TODAY, KEY)
    assert seen == before


def test_who_sees_what() -> None:
    everyone = {one.group: one.audiences for one in shown().values()}
    for group, audiences in everyone.items():
        if group.aanbieder:
            assert not {name for name in audiences if name.startswith("rel_gem") or name == "rel_vergelijking"}
        if group.gemeente:
            assert f"rel_g{group.gemeente}" in audiences
            assert not {name for name in audiences if name.startswith("rel_g0")} - {f"rel_g{group.gemeente}"}
            assert ("rel_c_duo" in audiences) == (not group.aanbieder)
        else:
            assert "rel_c_duo" in audiences
    plain = next(group for group in everyone if group.snede == "cluster")
    assert everyone[plain] >= {"rel_c_duo", "rel_vergelijking", "rel_gem_duo"}


def test_almere_has_every_filter_alone_and_reasons_decide_no_end() -> None:
    tables = region(400, gemeenten=("0034",))
    for row in tables["trajecten"]:
        row |= {"bron": "cbs", "verwijzer": "01" if row["leeftijd"] > 9 else "02", "uitval_klasse": "gepland"}
    for row in tables["metingen"]:
        row["soort"] = "cbs"
    figures = list(as_figures(build(rows_of(tables, "cbs"), TODAY, KEY)))
    assert {name for one in figures for name in one.audiences} == {"rel_g0034"}
    cuts = {one.group.snede for one in figures}
    assert {"almere", "almere_verwijzer", "almere_aanbieder", "almere_verwijzer_aanbieder"} <= cuts
    assert all(CUTS[cut].provenance == "cbs" for cut in cuts)
    reasons = {one.indicator for one in figures if one.group.snede == "almere_reden"}
    assert reasons
    assert not [key for key in reasons if key.startswith("cbs_uitval")]


@dataclass(frozen=True)
class Tight:
    """A cluster in which boys and girls are all but a few of an age band."""

    unknown: int

    def rows(self) -> made.Tables:
        dice = random.Random(3)
        trajecten = []
        for number in range(200):
            sex = "9" if number < self.unknown else "12"[number % 2]
            ended = made.day(date(2026, 5, 1)) + number % 20
            trajecten.append(
                made.one_traject(
                    number, einddatum=ended, gemeente=made.DUO[0], leeftijd=8, geslacht=sex, gas_gescoord=0,
                    aanbieder=f"{90_000_000 + dice.randrange(4)}",
                )
            )  # fmt: skip
        return {"trajecten": trajecten, "metingen": []}


@pytest.mark.parametrize(("unknown", "out"), [(0, False), (4, True), (9, True), (10, False)])
def test_what_is_left_of_a_group_after_its_parts_is_nobody_or_ten(unknown: int, out: bool) -> None:
    release = build(rows_of(Tight(unknown).rows()), TODAY, KEY)
    wanted = ("gemeente_geslacht", "kwartaal", "uitval")
    sexes = [one for one in release.stated if (*one.cell.group[:2], one.cell.family) == wanted]
    assert sorted(one.hidden for one in sexes) == (["", "rest"] if out else ["", ""])
    assert [bool(one.seen) for one in sexes] == [not one.hidden for one in sexes]


@pytest.mark.parametrize(("more", "out"), [(0, False), (3, True), (9, True), (10, False)])
def test_of_two_nested_groups_with_few_between_them_the_smaller_is_left_out(more: int, out: bool) -> None:
    tables = Tight(0).rows()
    for row in tables["trajecten"][:more]:  # in another gemeente of the cluster
        row["gemeente"] = made.DUO[1]
    release = build(rows_of(tables), TODAY, KEY)
    of = {
        one.cell.group.snede: one.hidden
        for one in release.stated
        if one.cell.family == "uitval" and one.cell.group.periode_soort == "kwartaal" and not one.cell.group.aanbieder
        and one.cell.group.gemeente in ("", made.DUO[0]) and not any(one.cell.group[7:])
    }  # fmt: skip
    assert of["cluster"] == ""
    assert of["gemeente"] == ("genest" if out else "")


def changed(tables: made.Tables, many: int) -> made.Tables:
    """So many trajecten of June ended otherwise than was said first."""
    june = made.day(date(2026, 6, 1))
    left, trajecten = many, []
    for row in tables["trajecten"]:
        if left and row["einddatum"] >= june and row["uitval_klasse"] == "gepland":
            row, left = row | {"uitval_klasse": "client", "reden_beeindiging": "32"}, left - 1
        trajecten.append(row)
    assert not left
    return {**tables, "trajecten": trajecten}


@pytest.mark.parametrize("many", [0, 1, 9, 10, 12])
def test_a_figure_changes_only_when_ten_clients_changed(many: int) -> None:
    first = released()
    again = build(rows_of(changed(small(), many)), LATER, KEY, number=2, former=former(first))
    figures = {(one.group, one.indicator): one for one in as_figures(again)}
    anew = [name for name in shown() if name in figures and figures[name].release == 2]
    assert bool(anew) == (many >= 10)
    assert all(FAMILY_OF[key].key == "uitval" for _, key in anew)
    for name, one in shown().items():
        if name in figures and name not in anew:
            assert figures[name].shown == one.shown


def test_what_is_definitive_stands_whatever_the_rows_say() -> None:
    few = {"trajecten": small()["trajecten"][:300], "metingen": []}
    final = build(rows_of(few), TODAY, KEY, number=2, former=former(released(), status="definitief"))
    assert {(one.group, one.indicator): one.shown for one in as_figures(final) if one.release == 1} == {
        name: one.shown for name, one in shown().items()
    }
    assert all(one.release == 1 for one in as_figures(final))


def test_other_definitions_show_no_period_anew() -> None:
    again = build(rows_of(changed(small(), 12)), LATER, KEY, number=2, version=9, former=former(released()))
    old = {(FAMILY_OF[one.indicator].key, *one.group[1:3]) for one in shown().values()}
    new = {(FAMILY_OF[one.indicator].key, *one.group[1:3]) for one in as_figures(again) if one.release == 2}
    assert new.isdisjoint(old)


def test_what_was_shown_stands_when_every_row_has_another_number() -> None:
    """After stored names were renewed (decision 0030) the same groups would get another noise."""
    tables = {
        "trajecten": [row | {"traject": f"{int(row['traject'], 16) + 2**40:016x}"} for row in small()["trajecten"]],
        "metingen": [],
    }
    again = {(one.group, one.indicator): one for one in as_figures(build(rows_of(tables), TODAY, KEY, number=2,
             former=former(released())))}  # fmt: skip
    assert {name: one.shown for name, one in again.items() if one.release == 1} == {
        name: one.shown for name, one in shown().items()
    }
    assert not [one for one in again.values() if one.release == 2]


def test_what_was_withdrawn_stands_no_longer_and_comes_back_anew_or_not_at_all() -> None:
    gone = former(released(), withdrawn=True)
    same = list(as_figures(build(rows_of(small()), LATER, KEY, number=3, former=gone)))
    assert {one.release for one in same} == {3}
    few = list(as_figures(build(rows_of(changed(small(), 4)), LATER, KEY, number=3, former=gone)))
    total = [one for one in few if one.group.snede == "cluster" and one.group.periode == "2026-06"]
    assert not [one for one in total if one.indicator == "uitval"]


def test_what_the_gate_withholds_goes_with_all_of_its_family() -> None:
    name = next((group, key) for group, key in shown() if key == "uitval_client" and group.snede == "gemeente")
    left = {(one.group, one.indicator) for one in as_figures(without(released(), [name]))}
    assert {key for group, key in shown().keys() - left if group == name[0]} == {
        "uitval", "uitval_client", "uitval_aanbieder", "uitval_wederzijds",
    }  # fmt: skip
    assert {group for group, _ in shown().keys() - left} == {name[0]}


def test_one_meting_counts_per_traject() -> None:
    tables = {name: list(rows) for name, rows in small().items()}
    by_traject = {(row["aanbieder"], row["traject"]): row for row in tables["metingen"]}
    for number, row in enumerate(list(tables["metingen"])):  # the youth, on the same day
        tables["metingen"].append(row | {"meting": f"{10**6 + number:016x}", "groep": "jeugdige", "nut": 1})
    figures = list(as_figures(build(rows_of(tables), TODAY, KEY)))
    nut = next(one for one in figures if one.group.snede == "cluster" and one.indicator == "nut_gemiddelde")
    assert nut.shown.gemiddelde == 1.0
    assert len(nut.members) <= len(by_traject)
    assert as_date(0) == date(1970, 1, 1)
