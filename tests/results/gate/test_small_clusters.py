"""A small municipality and a tiny cluster pass their gate by themselves: what cannot be shown stays out."""

from __future__ import annotations

from typing import Any

import pytest

from results.gate.audit import Verdict, audit
from results.release import evidence
from results.release.build import Release, build, without
from results.release.cube import cells
from results.release.region import as_figure, sums
from results.release.rules import RULES
from tests.results.gate.worlds import QUICK
from tests.results.release.made import DUO, KEY, TODAY, region, rows_of

#: A first release goes back less far than a real one: fewer figures, the same steps.
RULES_OF_A_YEAR = RULES._replace(months_back=6)
CLEAR = QUICK._replace(chain_near=4_000)


def audited(many: int, gemeenten: tuple[str, ...]) -> tuple[Release, Verdict, list[Any]]:
    """The release of so many trajecten in every family, its verdict, and the figures that were audited."""
    tables = rows_of(region(many, gemeenten=gemeenten))
    release = build(tables, TODAY, KEY, rules=RULES_OF_A_YEAR)
    given = evidence.evidence(release.stated, [])
    figures = [*given.figures, *map(as_figure, sums(release))]
    small = [cell for rows in tables for cell in cells(rows, TODAY, RULES_OF_A_YEAR, small=True)]
    verdict = audit(
        figures, rows=given.rows, hidden=evidence.hidden(small), joints=given.joints, limits=CLEAR, workers=1
    )
    return release, verdict, figures


@pytest.mark.parametrize(("many", "gemeenten"), [(500, DUO), (60, ("0437",))])
def test_all_families_of_a_small_cluster_pass_with_figures_withheld(many: int, gemeenten: tuple[str, ...]) -> None:
    release, verdict, figures = audited(many, gemeenten)
    assert (verdict.passed, verdict.report["reden"]) == (True, "")
    left = without(release, evidence.places_of(figures, verdict.withheld))
    shown = sum(len(one.seen) for one in left.stated)
    assert 0 < shown == len(figures) - verdict.report["aantallen"]["cijfers"]
