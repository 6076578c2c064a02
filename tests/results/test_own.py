"""A provider's own figures on the real engine say what the domain says in Python, with any filters together."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.field.dates import as_date, day
from domain.field.geography import GEMEENTEN
from domain.indicators.catalogue import INDICATORS, Indicator, Sums, evaluate
from domain.indicators.terms import Column, Row, Squared
from results.filters import AGE_BANDS, EVER, Days, Filters, towns
from results.own import OWN_INDICATORS, OwnRequest, own
from results.released import NO_RELEASE
from results.uncertainty import Interval, student, wilson
from sinks.access import Access
from sinks.tables import METINGEN, SCORES, TRAJECTEN
from sinks.writer import Writer
from tests.conftest import RunningGateway
from tests.results import audience_tables
from tests.sinks import database
from tests.sinks.rows import meting, named, score, traject

pytestmark = pytest.mark.clickhouse
PROVIDER, OTHER = "90000001", "90000002"
FIRST, LAST, TODAY = date(2024, 1, 1), date(2025, 12, 31), date(2026, 3, 1)
REQUEST = OwnRequest(aanbieder=PROVIDER, cluster="DUO", on=TODAY, period=Days(FIRST, LAST))
Tables = dict[str, list[dict[str, Any]]]
#: Of every filter some values that rows have and one that none has.
CHOICES: dict[str, tuple[str, ...]] = {
    "reden_beeindiging": ("31", "32", "02"),
    "gemeente": ("0384", "0451", "0363"),
    "segment": ("A", "B"),
    "profiel": ("1", "2"),
    "intensiteit": ("", "intensief"),
    "verwijzer": ("", "01"),
    "categorie": ("45", "54"),
    "hulpvorm": ("", "07"),
    "postcodegebied": ("", "Noord"),
    "geslacht": ("1", "2"),
    "respondent": ("jeugdige", "ouder"),
}


def rows() -> Tables:
    """Some hundreds of rows of two providers over two years, the same each time."""
    dice = random.Random(13)
    trajecten, metingen, scores = [], [], []
    for number in range(500):
        town = dice.choice(("0384", "0437", "0451", "0363"))
        gas = {f"{goal}O": dice.randint(-1, 2) for goal in range(1, dice.randint(1, 4))}
        row = traject(number, 1, gemeente=town, cluster=GEMEENTEN[town].cluster, gas=gas, gas_gescoord=len(gas))
        row |= {"gas_bereikt": list(gas.values()).count(2), "gas_deels": sum(value > 0 for value in gas.values())}
        row |= {name: dice.choice(values) for name, values in CHOICES.items() if name not in {"gemeente", "respondent"}}
        row |= {"status": dice.choice(("lopend", "beeindigd", "beeindigd")), "leeftijd": dice.choice((None, 3, 11, 17))}
        row |= {"uitval_klasse": dice.choice(("gepland", "gepland", "client", "aanbieder", "neutraal"))}
        row |= {"begindatum": day(date(2023, 6, 1)) + dice.randrange(500), "client": named(number % 300)}
        row |= {"einddatum": dice.choice((None, day(FIRST) + dice.randrange(-20, 760)))}
        row |= {"categorie": dice.choice(("45", "54", "54", "48"))}  # the last is outside the figures
        row |= {"metingen_einde": dice.randint(0, 1), "aanbieder": dice.choice((PROVIDER, PROVIDER, OTHER))}
        trajecten.append(row | {"verwijderd": dice.random() < 0.05})
        common = {key: row[key] for key in ("aanbieder", "traject", "gemeente", "client")}
        common["traject"] = dice.choice((row["traject"], row["traject"], row["traject"], ""))
        found = meting(
            number, 1, nut=dice.choice((None, *range(1, 11))), zonder_hulp=dice.choice((None, 1, 4)), **common
        )
        found |= {"antwoorden": {code: dice.randint(1, 4) for code in dice.sample(("VR01", "VR03", "VR06"), 2)}}
        found |= {"telt": dice.random() < 0.8, "groep": dice.choice(("ouder", "jeugdige"))}
        metingen.append(found | {"datum": day(FIRST) + dice.randrange(-20, 760)})
        scores.append(score(number, 1, doel=1, waarde=dice.choice((None, 2)), **common))
    return {"trajecten": trajecten, "metingen": metingen, "scores": scores}


@pytest.fixture(scope="module")
def tables() -> Tables:
    return rows()


@pytest.fixture(scope="module")
def access(gateway: RunningGateway, tables: Tables) -> Iterator[Access]:
    with database.fresh(gateway) as admin:
        writer = Writer(admin)
        for table in (TRAJECTEN, METINGEN, SCORES):
            writer.insert(table, tables[table.name])
        writer.close()
        yield Access(gateway.url, "grafana", gateway.users["grafana"], admin.database)


def expected(one: Indicator, tables: Tables, request: OwnRequest, period: str = "") -> Sums:
    """The sums of one provider, cluster, period and choice of filters by the domain's own computation."""
    mine = {
        row["traject"]: row for row in tables["trajecten"] if row["aanbieder"] == PROVIDER and not row["verwijderd"]
    }

    def inside(row: Row) -> bool:
        if row["aanbieder"] != PROVIDER or row["gemeente"] not in towns(request.cluster):
            return False
        if one.datum and (row[one.datum] is None or not _within(row[one.datum], request.period, period)):
            return False
        return request.filters.holds(one.table, row, mine)

    group = evaluate(one, tables, ("aanbieder",), inside, reference_day=day(TODAY))  # type: ignore[arg-type]
    return group.get((PROVIDER,), Sums(0, 0, 0, 0))


def _within(value: int, days: Days, period: str) -> bool:
    at = as_date(value)
    names = (f"{at:%Y-%m}", f"{at.year}-K{(at.month + 2) // 3}", str(at.year), "")
    return days.holds(value) and period in names


def same(found: Sums, wanted: Sums) -> bool:
    return found[:4] == pytest.approx(wanted[:4])


FILTERS = st.builds(
    Filters,
    start=st.builds(Days, st.none() | st.just(date(2023, 8, 1)), st.none() | st.just(date(2024, 6, 1))),
    end=st.builds(Days, st.none() | st.just(date(2024, 3, 1)), st.none() | st.just(date(2025, 9, 1))),
    leeftijd=st.lists(st.sampled_from(AGE_BANDS), max_size=2, unique=True).map(tuple),
    **{
        name: st.lists(st.sampled_from((*values, "x'\\")), max_size=2, unique=True).map(tuple)
        for name, values in CHOICES.items()
    },
)


def test_every_figure_is_that_of_the_domain(access: Access, tables: Tables) -> None:
    found = own(access, REQUEST)
    assert list(found) == list(OWN_INDICATORS)
    counted = 0
    for key, one in found.items():
        assert same(one.measured.figure.sums, expected(OWN_INDICATORS[key], tables, REQUEST)), key
        counted += one.measured.figure.sums.denominator > 0
        assert one.average_text == NO_RELEASE
    assert counted > 60
    assert found["antwoord_vr01_2"].measured.figure.sums.numerator > 0


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(filters=FILTERS)
def test_filters_hold_together(access: Access, tables: Tables, filters: Filters) -> None:
    request = replace(
        REQUEST, filters=filters, keys=("uitval", "nut_gemiddelde", "gas_bereikt", "gas_x", "respons_cem")
    )
    for key, one in own(access, request).items():
        assert same(one.measured.figure.sums, expected(OWN_INDICATORS[key], tables, request)), (key, filters)


def test_every_filter_narrows_by_itself(access: Access) -> None:
    """A filter that did nothing would be found here."""
    chosen: Any = {"start": Days(date(2024, 1, 1)), "end": Days(None, date(2025, 1, 1)), "leeftijd": AGE_BANDS[:1]}

    def counted(filters: Filters, key: str) -> float:
        return own(access, replace(REQUEST, filters=filters, keys=(key,)))[key].measured.figure.sums.denominator

    everything = {key: counted(Filters(), key) for key in ("uitval", "nut_gemiddelde")}
    for name in (*CHOICES, *chosen):
        key = "nut_gemiddelde" if name == "respondent" else "uitval"
        filters = Filters(**{name: chosen.get(name, CHOICES.get(name, ("",))[:1])})
        assert 0 < counted(filters, key) < everything[key], name


def test_a_bound_of_days_is_inclusive(access: Access, tables: Tables) -> None:
    end = next(row["einddatum"] for row in tables["trajecten"] if row["einddatum"] and row["aanbieder"] == PROVIDER)
    only = Days(as_date(end), as_date(end))
    request = replace(REQUEST, filters=Filters(end=only), period=EVER, keys=("einde_gepland", "uitval"), cluster="DUO")
    for key, one in own(access, request).items():
        assert same(one.measured.figure.sums, expected(INDICATORS[key], tables, request))
    assert only.holds(end)
    assert not only.holds(end + 1)
    assert not only.holds(end - 1)


def test_a_trend_has_the_sums_of_its_periods_and_its_own_clients(access: Access, tables: Tables) -> None:
    (found,) = own(access, replace(REQUEST, keys=("uitval",))).values()
    assert {step: len(points) for step, points in found.trend.items()} == {"maand": 24, "kwartaal": 8, "jaar": 2}
    for points in found.trend.values():
        periods = [one.figure.group for one in points]
        assert periods == sorted(periods)
        for one in points:
            assert same(one.figure.sums, expected(INDICATORS["uitval"], tables, REQUEST, one.figure.group))
        assert sum(one.figure.sums.denominator for one in points) == found.measured.figure.sums.denominator


def test_beside_a_share_stands_wilson_and_beside_a_mean_student(access: Access, tables: Tables) -> None:
    found = own(access, replace(REQUEST, keys=("uitval", "nut_gemiddelde", "einde_gepland")))
    sums = found["uitval"].measured.figure.sums
    assert found["uitval"].measured.interval == wilson(sums.numerator, sums.denominator, sums.clients)
    sums, mean = found["nut_gemiddelde"].measured.figure.sums, INDICATORS["nut_gemiddelde"]
    assert isinstance(mean.numerator.measure, Column)
    squares = expected(
        replace(mean, numerator=replace(mean.numerator, measure=Squared("nut"))), tables, REQUEST
    ).numerator
    wanted = student(sums.numerator, squares, sums.denominator, sums.clients, Interval(1, 10))
    assert found["nut_gemiddelde"].measured.interval == pytest.approx(wanted)
    assert found["einde_gepland"].measured.interval is None


def test_a_provider_sees_its_own_single_child(access: Access, tables: Tables) -> None:
    """Decision D6: nothing of its own is hidden; the month with the fewest has a figure, and an n."""
    (found,) = own(access, replace(REQUEST, keys=("uitval",))).values()
    fewest = min(found.trend["maand"], key=lambda one: one.figure.sums.denominator or 99)
    assert 0 < fewest.figure.sums.clients < 10
    assert fewest.figure.value is not None
    assert fewest.figure.counted_text == f"{fewest.figure.sums.denominator:.0f}"


def test_nobody_elses_rows_count(access: Access) -> None:
    nobody = own(access, replace(REQUEST, aanbieder="99999999", keys=("uitval", "nut_gemiddelde")))
    for one in nobody.values():
        assert one.measured.figure.text == "–"
        assert one.measured.interval is None


def test_the_average_is_the_newest_of_what_was_released(
    gateway: RunningGateway, access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever was released before, for a part of the cluster or for another period stays out of it."""
    figures = (
        audience_tables.shown(cluster="DUO", percentage=21),
        audience_tables.shown(cluster="DUO", percentage=25, vrijgave=2),
        audience_tables.shown(cluster="DUO", percentage=30, vrijgave=2, periode="2025-K3"),
        audience_tables.shown(cluster="DUO", percentage=40, periode_soort="kwartaal"),
        audience_tables.shown(cluster="DUO", percentage=99, vrijgave=9, leeftijd="12 tot en met 17"),
        audience_tables.shown(cluster="DUO", percentage=55, indicator="gas_bereikt"),
    )
    admin = replace(access, user="admin", password=gateway.users["admin"])
    with audience_tables.audience(gateway, figures) as name:
        monkeypatch.setattr("results.released.of_providers", lambda _cluster: name)
        found = own(admin, replace(REQUEST, keys=("uitval", "gas_bereikt", "gas_helft_bereikt")))
    average = found["uitval"].average
    assert average is not None
    assert (average.vrijgave, average.periode, found["uitval"].average_text) == (3, "2025-K4", "21%")
    assert [one.periode for one in found["uitval"].averages] == ["2025-K4", "2025-K4", "2025-K3"]
    assert average.peildatum == date(2026, 2, 15)
    # a release counts trajecten, so its figure stands beside that of trajecten and not beside that of scores
    assert found["gas_bereikt"].average is None
    assert found["gas_helft_bereikt"].average_text == "55%"
