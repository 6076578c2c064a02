"""What a question over many figures says: every sum once, no sum that nobody shows, and only the years it is about."""

from __future__ import annotations

from datetime import date

import pytest

from domain.indicators.catalogue import INDICATORS
from results.dashboards.provider import build as provider_page
from results.filters import Days
from results.own import OWN_INDICATORS, OwnRequest, own_sql
from results.own_views import view_of, views
from results.tally import CLIENTS, NOTHING, SUMS, Places, Tally, tally
from sinks.schema.providers import checked
from tools.bench.panel import expanded

REASONS = ("uitval", "uitval_client", "uitval_aanbieder")
YEAR = Days(date(2025, 1, 1), date(2025, 12, 31))


def of(*keys: str, asked: tuple[str, ...] = Places._fields) -> Tally:
    return tally([INDICATORS[key] for key in keys], "client", lambda _one: asked, reference_day=20_000)


def test_what_figures_have_in_common_stands_once() -> None:
    found = of(*REASONS)
    assert found.sql.count("uniqExactIf(client, ") == 1, "the same children stand behind all three"
    assert found.sql.count("countIf(") == len(REASONS) + 2, "three numerators, a denominator, and what was left out"
    places = [found.places[key] for key in REASONS]
    assert {(one.clients, one.denominator, one.excluded) for one in places} == {(2, 3, 4)}
    assert [one.numerator for one in places] == [2, 5, 6]


def test_what_is_not_asked_is_not_counted() -> None:
    found = of(*REASONS, asked=("numerator", "denominator"))
    assert "uniq" not in found.sql
    assert "'neutraal'" not in found.sql, "ends that are left out"
    assert {(one.clients, one.excluded) for one in found.places.values()} == {(NOTHING, NOTHING)}
    assert found.clients(REASONS) == f"arrayMap(plek -> {CLIENTS}[plek], [1, 1, 1])"
    assert found.sums("numerator", REASONS[:1]) == f"arrayMap(plek -> {SUMS}[plek], [2])"


def test_a_sum_of_parts_is_in_no_list_of_whole_numbers() -> None:
    found = of("gas_bereikt_per_traject", "gas_bereikt", asked=("numerator",))
    whole, _, broken = found.sql.partition("'Array(Float64)'), [")
    assert "gas_bereikt / gas_gescoord" not in whole
    assert "gas_bereikt / gas_gescoord" in broken
    assert found.places["gas_bereikt"].numerator < found.places["gas_bereikt_per_traject"].numerator


@pytest.mark.parametrize(("key", "bounded"), [("nut_gemiddelde", True), ("uitval", False)])
def test_a_period_of_metingen_reads_only_its_years(key: str, bounded: bool) -> None:
    """A traject lies in the year in which it began, which may be any before its end."""
    request = OwnRequest(aanbieder="90000001", cluster="DUO", on=date(2026, 1, 1), period=YEAR)
    asked = own_sql([OWN_INDICATORS[key]], request)
    assert ("jaar >= 2025 AND jaar <= 2025" in asked) == bounded
    view = views(checked("90000001", ["DUO"]), "today()")[view_of(OWN_INDICATORS[key])]
    assert ("jaar >= toYear({van:Date}) AND jaar <= toYear({tot:Date})" in view) == bounded


def test_no_interval_of_means_where_there_is_no_mean() -> None:
    """Half of what the engine has to read of such a question."""
    chosen = {"aanbieder": "90000001", "cluster": "DUO"}
    panels = {one["title"]: one["targets"][0] for one in provider_page()["panels"] if "targets" in one}
    found = {title: expanded(one["rawSql"], chosen) for title, one in panels.items() if "rawSql" in one}
    assert "spreiding" not in found["Kerncijfers trajecten (eigen)"]
    assert "spreiding" in found["Kerncijfers vragenlijsten (eigen)"]


def test_the_average_is_asked_for_what_the_page_shows() -> None:
    panels = {one["title"]: one["targets"][0] for one in provider_page()["panels"] if "targets" in one}
    asked = panels["Kerncijfers (gemiddelde cluster)"]["rawSql"]
    assert "'uitval'" in asked
    assert "'nut_7'" not in asked, "a bar, which has no average beside it"
    assert asked.count("periode_soort = 'vier_kwartalen'") == 1
