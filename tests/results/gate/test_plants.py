"""Everything planted in an otherwise good release is caught; without a plant the release passes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import pytest

from results.gate.audit import Verdict, audit
from results.gate.blocks import Members, blocks_of, cells_of
from results.gate.known import Rows
from results.gate.prove import prove
from results.release.model import Figure, Shown
from tests.results.gate.worlds import INDICATOR, QUICK, exactly, figure, group, known, outcomes, remake
from tools.bench.release_rows import Rules, rounded

COUNT = 240
VALUES = outcomes(COUNT)
ROWS = known(VALUES)
ALL = range(COUNT)
PLAIN = Rules(noise=0, smallest_change=0, smallest_remainder=0)


def good() -> list[Figure]:
    """A cluster, its municipalities, and providers within these."""
    found = [figure(group("cluster"), ALL, VALUES)]
    for number in range(3):
        own = range(80 * number, 80 * number + 80)
        found.append(figure(group("gemeente", gemeente=f"045{number}"), own, VALUES))
        for part in range(2):
            members = [row for row in own if row % 2 == part]
            who = group("gemeente_aanbieder", gemeente=f"045{number}", aanbieder=f"a{part}")
            found.append(figure(who, members, VALUES))
    return found


def audited(planted: Sequence[Figure] = (), rows: Rows = ROWS, *, beside: Iterable[Figure] | None = None) -> Verdict:
    """The verdict on a good release with something planted."""
    return audit([*(good() if beside is None else beside), *planted], rows=rows, limits=QUICK, remake=remake)


def caught(planted: Sequence[Figure], *, beside: Sequence[Figure] | None = None, rows: Rows = ROWS) -> set[str]:
    """The rules for which the planted figures were taken out; those of others do not count."""
    verdict = audited(planted, rows, beside=beside)
    first = len(good() if beside is None else beside)
    return {rule for one in verdict.report["ingehouden"] if one["plaats"] >= first for rule in one["regels"]}


def rules(verdict: Verdict) -> set[str]:
    """The rules for which anything was taken out."""
    return {rule for one in verdict.report["ingehouden"] for rule in one["regels"]}


def forced(figures: Sequence[Figure], rows: Rows = ROWS) -> int:
    """Children whose outcome follows from figures, however they came to be: the exact rules do not look."""
    blocks = blocks_of(figures, list(cells_of(figures, Members())))
    return sum(prove(block, rows.outcomes, QUICK, lambda: 20.0).children for block in blocks)


def test_a_good_release_passes_whole() -> None:
    verdict = audited()
    assert (verdict.passed, verdict.withheld, verdict.report["reden"]) == (True, (), "")
    assert [step["stap"] for step in verdict.report["stappen"]] == [
        "structuur", "blokken", "samen", "aanbieders", "verborgen", "kans", "regio",
    ]  # fmt: skip


def test_the_repair_takes_the_plant_and_nothing_else() -> None:
    verdict = audited([exactly(group("gemeente_leeftijd", gemeente="0450", leeftijd="1"), range(40), VALUES)])
    assert (verdict.passed, verdict.withheld) == (True, (len(good()),))


def test_two_exact_cells_two_children_apart() -> None:
    with_it = [row for row in ALL if VALUES[row]][:2]
    apart = [exactly(group("een"), ALL, VALUES), exactly(group("twee"), set(ALL) - set(with_it), VALUES)]
    assert forced([*good(), *apart]) == 2
    assert caught(apart) >= {"teller"}


def test_a_percentage_with_a_decimal_around_one_newcomer() -> None:
    newcomer = next(row for row in ALL if VALUES[row])
    before = exactly(group("een"), set(ALL) - {newcomer}, VALUES)
    after = exactly(group("een"), ALL, VALUES, release=2)
    assert forced([before, after]) == 1
    decimal = after._replace(shown=after.shown._replace(percentage=28.7))
    assert "percentage" in caught([decimal])


def restated(rules: Rules, newcomers: Sequence[int]) -> list[Figure]:
    """A group that is shown again whenever one more child entered."""
    last = [*range(60), *newcomers]
    return [
        figure(group("een"), last[: 60 + number], VALUES, release=number + 1, rules=rules)
        for number in range(len(newcomers) + 1)
    ]


def test_monthly_restating_without_a_minimum_change() -> None:
    newcomers = [row for row in range(60, COUNT) if VALUES[row]][:12]
    shown = restated(PLAIN, newcomers)
    jumps = [place for place, (one, other) in enumerate(pairwise(shown)) if one.shown.teller != other.shown.teller]
    assert len(jumps) == 3
    assert forced(shown) == jumps[-1] - jumps[0] + 1  # everybody from the first jump to the last must have it
    proposed = restated(Rules(), newcomers)
    assert "herzien" in caught([one._replace(release=one.release + 1) for one in proposed])


def test_plain_rounding() -> None:
    assert "teller" in caught([figure(group("gemeente_leeftijd", leeftijd="1"), range(40), VALUES, rules=PLAIN)])


def test_only_groups_of_ten_or_more_in_exact_numbers_are_opened() -> None:
    """The positive control: what a rule that looks sensible gives away."""
    found = [exactly(group("cluster"), ALL, VALUES)]
    for size in (11, 13, 17):
        parts = [range(start, min(start + size, COUNT)) for start in range(0, COUNT, size)]
        found += [exactly(group(f"{size}_{part[0]}"), part, VALUES) for part in parts if len(part) >= 10]
    assert forced(found) > 40
    verdict = audit(found, rows=ROWS, limits=QUICK)
    assert len(verdict.withheld) == len(found) or not verdict.passed


def test_noise_of_the_numerator() -> None:
    def keyed_by_those_who_have_it(members: Iterable[int]) -> Figure:
        rows = sorted(members)
        have = tuple(row for row in rows if VALUES[row])
        teller = rounded(len(have) + hash(have) % 5 - 2)
        what = Shown(rounded(len(rows)), teller, "=", round(100 * teller / rounded(len(rows))), None, 0)
        return figure(group("een"), rows, VALUES)._replace(low=max(teller - 4, 0), high=teller + 4, shown=what)

    shown = [keyed_by_those_who_have_it(range(start, start + 60)) for start in range(0, 180, 10)]
    planted = [one._replace(group=group(f"deel_{place}")) for place, one in enumerate(shown)]
    assert "ruis" in caught(planted)


def test_months_that_roll() -> None:
    assert "periode" in caught([figure(group("een", periode_soort="vier_kwartalen", periode="2026-08"), ALL, VALUES)])
    provider = group("een", periode_soort="maand", periode="2026-08", aanbieder="a1")
    assert "periode" in caught([figure(provider, ALL, VALUES)])


def test_nested_cells_three_children_apart() -> None:
    assert caught([figure(group("een"), range(COUNT - 3), VALUES)]) == {"genest"}


def test_what_is_left_after_all_parts_of_a_cut() -> None:
    boys, girls = range(117), range(117, 237)  # three are neither
    parts = [figure(group("geslacht", geslacht=sex), own, VALUES) for sex, own in (("1", boys), ("2", girls))]
    assert caught(parts) == {"rest"}


def test_an_average_that_is_live() -> None:
    marks = {row: 1 + row % 10 for row in ALL}
    rows = Rows({"nut": marks}, {}, {})

    def mean(count: int, release: int) -> Figure:
        total = sum(marks[row] for row in range(count))
        what = Shown(rounded(count), None, "=", None, round(total / count, 1), 0)
        low, high = int(np.ceil(count * (total / count - 0.05))), int(count * (total / count + 0.05))
        who = frozenset({"rel_gem_duo"})
        return Figure(release, group("een"), "nut", who, tuple(range(count)), low, high, what, 1, 10)

    verdict = audit([mean(60, 1), mean(61, 2)], rows=rows, limits=QUICK)
    assert {"herzien", "gemiddelde"} <= rules(verdict)


def test_goals_counted_by_their_scores() -> None:
    scores = {row: row % 12 for row in ALL}
    rows = Rows({INDICATOR: scores}, {}, {})
    total = sum(scores.values())
    what = Shown(rounded(COUNT), rounded(total), "=", None, None, 0)
    many = Figure(1, group("een"), INDICATOR, frozenset({"rel_c_duo"}), tuple(ALL), total - 4, total + 4, what, 0, 36)
    assert caught([many], beside=[], rows=rows) >= {"kind"}


def region(clusters: Sequence[Figure], more: int) -> Figure:
    """A figure of the region, so much more than the sum of its clusters."""
    teller = sum(one.shown.teller or 0 for one in clusters) + more
    counted = sum(one.shown.noemer for one in clusters)
    what = Shown(counted, teller, "=", round(100 * teller / counted), None, 0)
    who = group("regio")._replace(cluster="")
    return Figure(1, who, INDICATOR, frozenset({"rel_vergelijking"}), (), 0, counted, what)


def test_a_total_of_the_region_is_the_sum_of_what_is_shown() -> None:
    clusters = [
        figure(group("cluster")._replace(cluster=name), own, VALUES)
        for name, own in (("DUO", range(100)), ("Amsterdam", range(100, 240)))
    ]
    assert caught([region(clusters, 0)], beside=clusters) == set()
    assert caught([region(clusters, 5)], beside=clusters) == {"regio"}


def test_a_row_for_a_group_of_nine() -> None:
    nine = Figure(1, group("een"), INDICATOR, frozenset(), tuple(range(9)), 0, 9, Shown(10, None, "=", None, None, 0))
    assert caught([nine]) >= {"drempel"}


@pytest.mark.parametrize("names", ["verwijzer x profiel", "verwijzer x respondent x aanbieder"])
def test_a_second_filter(names: str) -> None:
    who = group("almere", filter=names, filterwaarde="1 x 2")
    assert "filter" in caught([figure(who, range(60, 120), VALUES)])


def test_a_provider_in_what_providers_see() -> None:
    who = group("cluster_aanbieder", aanbieder="a1")
    assert caught([figure(who, range(60), VALUES, audiences=["rel_gem_duo"])]) == {"kijker"}


def test_a_provider_that_knows_nearly_everybody_with_it() -> None:
    """Its own rows fill the window: the others have none."""
    values = {row: int(row < 14) for row in range(60)}
    rows = known(values, providers={row: "groot" if row < 30 else f"klein{row % 5}" for row in range(60)})
    shown = figure(group("cluster"), range(60), values, audiences=["rel_gem_duo"])
    for teller, found in ((15, set()), (10, {"aanbieder"})):
        what = Shown(60, teller, "=", round(100 * teller / 60), None, 0)
        moved = shown._replace(shown=what, low=teller - 4, high=teller + 4)
        assert rules(audit([moved], rows=rows, limits=QUICK)) == found


def test_what_is_only_probable() -> None:
    """Nobody is certain in groups that cross each other; yet some are far more probable than the base rate."""
    draw = np.random.default_rng(5)
    values = outcomes(40, seed=5)
    shown = [figure(group(f"deel_{number}"), draw.choice(40, 20, replace=False), values) for number in range(12)]
    for limit, found in ((0.95, set()), (0.6, {"kans"})):
        verdict = audit(shown, rows=known(values), limits=QUICK._replace(probability=limit, likely_before=0.75))
        assert rules(verdict) == found


def test_a_gate_that_cannot_finish_refuses() -> None:
    verdict = audit(good(), rows=ROWS, limits=QUICK, deadline=0.0)
    assert (verdict.passed, verdict.report["reden"]) == (False, "niet af")


def test_more_than_the_repair_may_take_out_is_refused() -> None:
    planted = [exactly(group(f"deel_{start}"), range(start, start + 40), VALUES) for start in range(5)]
    verdict = audit([*good(), *planted], rows=ROWS, limits=QUICK._replace(withheld=3))
    assert (verdict.passed, verdict.report["reden"]) == (False, "te veel ingehouden")


def elsewhere(clusters: Iterable[str], release: int = 2) -> list[Figure]:
    """A good figure in each of some other clusters."""
    return [
        figure(group("cluster", cluster=cluster), range(1000 * at, 1000 * at + 60), outcomes(10_000), release=release)
        for at, cluster in enumerate(clusters, start=1)
    ]


OTHERS = ("Amsterdam", "Zaanstreek-Waterland")


def test_what_older_figures_alone_give_away_freezes_its_block_and_no_other() -> None:
    with_it = [row for row in ALL if VALUES[row]][:2]
    old = [exactly(group("een"), ALL, VALUES), exactly(group("twee"), set(ALL) - set(with_it), VALUES)]
    fresh = [figure(group("drie"), range(60), VALUES, release=2), figure(group("vier"), ALL, VALUES, release=2)]
    verdict = audit([*old, *fresh, *elsewhere(OTHERS)], rows=ROWS, limits=QUICK)
    assert (verdict.passed, verdict.withheld) == (True, (2, 3))
    frozen = next(one for one in verdict.report["delen"] if one["bevroren"])
    assert (frozen["blok"], frozen["geheel"], set(frozen["bevroren"])) == ("uitval DUO", True, {"gedwongen"})
    assert verdict.report["aantallen"] == {"cijfers": 2, "sneden": 0, "blokken": 1, "bevroren": 1}


def test_a_period_that_ended_two_years_before_the_newest_is_closed() -> None:
    with_it = [row for row in ALL if VALUES[row]][:2]
    for periode, frozen in (("2024-K3", 0), ("2024-K4", 1)):
        old = [
            exactly(group("een", periode=periode), ALL, VALUES),
            exactly(group("twee", periode=periode), set(ALL) - set(with_it), VALUES),
        ]
        fresh = [figure(group("drie"), range(60), VALUES, release=2), *elsewhere(OTHERS)]
        assert audit([*old, *fresh], rows=ROWS, limits=QUICK).report["aantallen"]["bevroren"] == frozen


def test_the_release_is_refused_when_most_blocks_stay_out() -> None:
    with_it = [row for row in ALL if VALUES[row]][:2]
    old = [exactly(group("een"), ALL, VALUES), exactly(group("twee"), set(ALL) - set(with_it), VALUES)]
    fresh = [figure(group("drie"), range(60), VALUES, release=2), *elsewhere(OTHERS)]
    for limit, reason in ((1 / 3, ""), (0.3, "te veel ingehouden")):
        verdict = audit([*old, *fresh], rows=ROWS, limits=QUICK._replace(blocks=limit))
        assert (verdict.report["reden"], verdict.report["aantallen"]["blokken"]) == (reason, 1)


def test_a_block_of_which_nothing_is_new_is_not_looked_at_again() -> None:
    verdict = audit([*elsewhere(OTHERS, release=1), figure(group("drie"), range(60), VALUES, release=2)], rows=ROWS,
                    limits=QUICK)  # fmt: skip
    assert [one["blok"] for one in verdict.report["delen"]] == ["uitval DUO"]
