"""Every query of the dashboard runs on the real engine as the reader Grafana is, and says what the domain says."""

from __future__ import annotations

import itertools
import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from domain.field.dates import as_date, day
from domain.field.geography import GEMEENTEN
from domain.indicators.catalogue import INDICATORS, Indicator, evaluate
from results.dashboards.outcomes import build
from results.dashboards.queries import REFERENCE_DAY, name
from results.disclosure import Disclosure, live
from sinks import clickhouse
from sinks.access import Access
from sinks.tables import METINGEN, RECEIPTS, SCORES, TRAJECTEN
from sinks.writer import Writer
from sor.commands.dashboards import made
from tests.conftest import RunningGateway
from tests.results.grafana import DAY, DUTCH, expand, question, require_places, transformed
from tests.sinks import database
from tests.sinks.rows import meting, named, receipt, score, traject

pytestmark = pytest.mark.clickhouse
FIRST, LAST = date(2025, 1, 1), date(2025, 12, 31)
#: The day on which the reader looks: some ends of the period are a year old by then, some are not.
TODAY = date(2026, 3, 1)
DASHBOARD = build()
#: The rule in force, and others under which less is shown.
RULES = (live(), Disclosure(37, 53), Disclosure(300, 700))
PAGES = {rule: build(rule) for rule in RULES}
PANELS: list[dict[str, Any]] = [panel for panel in DASHBOARD["panels"] if "targets" in panel]
ALL: dict[str, tuple[str, ...]] = {"cluster": (), "gemeente": (), "aanbieder": ()}
ONE = {"cluster": ("DUO", "Amsterdam"), "gemeente": ("0363",), "aanbieder": ("90000001",)}
Tables = dict[str, list[dict[str, Any]]]


def finished(query: str, chosen: Mapping[str, tuple[str, ...]], period: str = "month") -> str:
    """The query that Grafana sends over the days of the test."""
    first, last = (int(datetime(d.year, d.month, d.day, tzinfo=DUTCH).timestamp()) for d in (FIRST, LAST))
    query = expand(query, {**chosen, "periode": (period,)}, first, last + DAY - 1)
    return query.replace(REFERENCE_DAY, f"toDate('{TODAY}')")


def rows() -> Tables:
    """Some hundreds of rows of every kind, the same each time."""
    dice = random.Random(20250101)
    towns = [*GEMEENTEN, ""]
    trajecten, metingen, scores = [], [], []
    classes = ("gepland", "gepland", "client", "aanbieder", "wederzijds", "neutraal", "administratief")
    for number in range(1200):
        town = dice.choice(towns)
        gas = {f"{goal}O": dice.randint(-1, 2) for goal in range(1, dice.randint(1, 4))}
        row = traject(number, 1, gemeente=town, cluster=GEMEENTEN[town].cluster if town else "", gas=gas)
        row |= {"gas_gescoord": len(gas), "gas_bereikt": list(gas.values()).count(2)}
        row |= {"gas_deels": sum(value > 0 for value in gas.values()), "metingen": dice.randint(0, 1)}
        row |= {
            "status": dice.choice(("lopend", "beeindigd", "beeindigd", "beeindigd", "wacht_op_start", "gepauzeerd"))
        }
        row |= {"uitval_klasse": dice.choice(classes), "reden_beeindiging": dice.choice(("31", "32", "02"))}
        row |= {"intensiteit": dice.choice(("", "duurzaam_zwaar", "intensief")), "metingen_einde": dice.randint(0, 1)}
        row |= {"begindatum": day(date(2024, 9, 1)), "metingen_jaren": dice.choice(([], [2024], [2025], [2024, 2025]))}
        row |= {"vlaggen": dice.choice(([], ["WORDT18"]))}
        row |= {"opvolging_dagen": dice.choice((365, 200)), "respons_dagen": dice.choice((90, 30))}
        row |= {
            "einddatum": day(date(2024, 10, 1)) + dice.randrange(500),
            "client": named(number % 800),
            "emmer": number % 800,
        }
        row |= {"nieuwe_start": dice.choice((None, row["einddatum"] + dice.randint(1, 365)))}
        row |= {"categorie": dice.choice(("45", "54", "48")), "aanbieder": dice.choice(("90000001", "90000002"))}
        row |= {"bron": dice.choice(("ijw", "ijw", "ijw", "cbs"))}
        row |= {f"probleem_{who}": dice.choice((None, 1, 2, 3)) for who in ("behandelaar", "ouder", "client")}
        trajecten.append(row | {"verwijderd": dice.random() < 0.05})
        common = {key: row[key] for key in ("aanbieder", "traject", "gemeente", "client", "emmer")}
        answers = {"nut": dice.choice((None, *range(1, 11))), "zonder_hulp": dice.choice((None, 1, 2, 3, 4))}
        found = meting(number, 1, telt=dice.random() < 0.8, **answers, **common)
        found |= {"groep": dice.choice(("ouder", "jeugdige")), "soort": "cbs" if row["bron"] == "cbs" else "einde"}
        found |= {"datum": (on := day(FIRST) + dice.randrange(-30, 400)), "jaar": as_date(on).year}
        metingen.append(found)
        scores.append(score(number, 1, doel=1, waarde=dice.choice((None, 1, 2)), **common))
    return {"trajecten": trajecten, "metingen": metingen, "scores": scores}


@pytest.fixture(scope="module")
def tables() -> Tables:
    return rows()


@pytest.fixture(scope="module")
def reader(gateway: RunningGateway, tables: Tables) -> Iterator[tuple[Client, str]]:
    """A connection of the user that Grafana has, and the name of the filled database."""
    with database.fresh(gateway) as access:
        writer = Writer(access)
        for table in (TRAJECTEN, METINGEN, SCORES):
            writer.insert(table, tables[table.name])
        writer.insert(RECEIPTS, [receipt(number, 1, laatste=1_750_000_000_000) for number in range(3)])
        writer.close()
        client = clickhouse.connect(Access(gateway.url, "grafana", gateway.users["grafana"], access.database))
        yield client, access.database
        client.close()


def run(reader: tuple[Client, str], query: str) -> list[dict[str, Any]]:
    """Rows of a finished query, by column."""
    client, database = reader
    answer = client.query(re.sub(r"\bsor\.(?=[a-z])", f"{database}.", query))
    return list(answer.named_results())


def shown(
    reader: tuple[Client, str],
    panel: Mapping[str, Any],
    chosen: Mapping[str, tuple[str, ...]],
    period: str = "month",
    panels: Sequence[Mapping[str, Any]] = PANELS,
) -> list[dict[str, Any]]:
    """Rows of a panel, by column."""
    return transformed(panel, run(reader, finished(question(panels, panel), chosen, period)))


def inside(chosen: Mapping[str, tuple[str, ...]], column: str | None) -> Any:
    """The choice of ``expand`` as a condition on a row."""

    def holds(row: Mapping[str, Any]) -> bool:
        town = GEMEENTEN.get(row["gemeente"])
        checks = {"cluster": town.cluster if town else "", "gemeente": row["gemeente"], "aanbieder": row["aanbieder"]}
        if any(values and checks[name] not in values for name, values in chosen.items()):
            return False
        return column is None or (row[column] is not None and day(FIRST) <= row[column] <= day(LAST))

    return holds


def expected(
    one: Indicator, tables: Tables, chosen: Mapping[str, tuple[str, ...]], rule: Disclosure
) -> tuple[float | None, float | None]:
    """Figure and n of an indicator by the domain's own computation, hidden where too few stand behind it."""
    outcome = evaluate(one, tables, where=inside(chosen, one.datum or None), reference_day=day(TODAY))[()]  # type: ignore[arg-type]
    return rule.figure(one.unit, outcome), rule.counted(outcome)


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
@pytest.mark.parametrize("chosen", [ALL, ONE], ids=["all", "one"])
def test_every_query_runs(
    reader: tuple[Client, str], panel: dict[str, Any], chosen: dict[str, tuple[str, ...]]
) -> None:
    for period in ("month", "quarter", "year"):
        found = shown(reader, panel, chosen, period)
        assert found or panel["type"] in {"timeseries", "table"}
        if chosen is ALL:
            assert any(value is not None for row in found for value in row.values()), "nothing to show"


def test_every_variable_runs(reader: tuple[Client, str]) -> None:
    queries = [one["query"]["rawSql"] for one in DASHBOARD["templating"]["list"] if one["type"] == "query"]
    assert [run(reader, query) for query in queries] == [[{"aanbieder": "90000001"}, {"aanbieder": "90000002"}]]


FIGURES = [
    (panel, one)
    for panel, one in itertools.product(PANELS, INDICATORS.values())
    if panel["type"] == "stat" and panel["title"] == name(one)
]


@pytest.mark.parametrize(("panel", "one"), FIGURES, ids=lambda value: getattr(value, "sleutel", ""))
@pytest.mark.parametrize("chosen", [ALL, ONE], ids=["all", "one"])
def test_a_figure_is_that_of_the_domain(
    reader: tuple[Client, str],
    tables: Tables,
    panel: dict[str, Any],
    one: Indicator,
    chosen: dict[str, tuple[str, ...]],
) -> None:
    for rule in RULES:
        panels = PAGES[rule]["panels"]
        (under,) = (found for found in panels if found["id"] == panel["id"])
        assert under["title"] == panel["title"]
        (row,) = shown(reader, under, chosen, panels=panels)
        assert list(row) == [name(one), "n"]
        figure, counted = expected(one, tables, chosen, rule)
        assert row[name(one)] == (None if figure is None else pytest.approx(figure)), rule
        assert row["n"] == counted, rule


def test_under_a_rule_that_nobody_meets_no_panel_shows_a_figure(reader: tuple[Client, str]) -> None:
    panels = [panel for panel in build(Disclosure(1_000_000, 1))["panels"] if "targets" in panel]
    figures = [panel for panel in panels if "clienten" in question(panels, panel)]
    assert len(figures) == len(PANELS) - 4  # how fresh, how new, what was delivered, by which definitions
    for panel in figures:
        found = shown(reader, panel, ALL, panels=panels)
        figures_shown = [value for row in found for value in row.values() if isinstance(value, int | float)]
        assert found, panel["title"]
        assert figures_shown == [], panel["title"]


def test_a_period_pools_its_months(reader: tuple[Client, str], tables: Tables) -> None:
    (panel,) = (panel for panel in PANELS if panel["title"] == "Uitval, per periode")
    (row,) = shown(reader, panel, ALL, "year")
    assert row["Uitval"] == pytest.approx(expected(INDICATORS["uitval"], tables, ALL, live())[0])
    months = shown(reader, panel, ALL, "month")
    assert [row["time"].month for row in months] == list(range(1, 13))


def test_marks_of_the_distribution_add_up(reader: tuple[Client, str]) -> None:
    titles = ("Nut van hulp, cijfers", "Nut van hulp, banden", "Zonder hulp verder, antwoorden", "Doelscores")
    marks = [panel for panel in PANELS if panel["title"].startswith(titles)]
    assert len(marks) == 6  # bands and answers also of CBS files
    for panel in marks:
        found = shown(reader, panel, ALL)
        assert sum(row["Aandeel (%)"] for row in found) == pytest.approx(100), panel["title"]


def test_a_small_group_stays_hidden(reader: tuple[Client, str]) -> None:
    nobody = {**ALL, "aanbieder": ("99999999",)}
    for panel, _one in FIGURES:
        (row,) = shown(reader, panel, nobody)
        assert set(row.values()) == {None}, panel["title"]


def test_the_committed_dashboard_is_current() -> None:
    for path, text in made().items():
        assert path.read_text("utf-8") == text, f"{path.name}: run sor dashboards"


def test_unconfirmed_figures_say_so() -> None:
    for panel, one in FIGURES:
        assert ("niet bevestigd" in panel["title"]) == (one.mark == "P")


def test_nobody_is_ranked_and_no_colour_judges() -> None:
    text = json.dumps(DASHBOARD)
    for panel in PANELS:
        query = question(PANELS, panel)
        assert not re.search(r"GROUP BY [^)]*\b(aanbieder|sender|client)\b", query), panel["title"]
        assert len(panel["fieldConfig"]["defaults"]["thresholds"]["steps"]) == 1
    assert not re.search(r'"(green|red|orange|yellow|semi-dark-red)"', text)


def test_the_parts_that_readers_were_promised_are_there() -> None:
    sections = [panel["title"] for panel in DASHBOARD["panels"] if panel["type"] == "row"]
    assert sections == [
        "Trajecten",
        "Uitval",
        "Cliënttevredenheid",
        "Zonder hulp verder",
        "Geen nieuwe start na het einde",
        "Doelrealisatie (GAS)",
        "Respons",
        "CBS-bestanden (Almere)",
        "Actualiteit",
    ]
    assert len(FIGURES) == 23
    assert [one["name"] for one in DASHBOARD["templating"]["list"]] == ["cluster", "gemeente", "aanbieder", "periode"]
    assert DASHBOARD["schemaVersion"] == 42


def test_figures_over_the_same_rows_are_asked_for_once() -> None:
    """Above all sections or in its own; who borrows an answer stands below the stat that asks, which no row hides."""
    borrowing = [one for one in PANELS if one["targets"][0]["datasource"]["uid"] == "-- Dashboard --"]
    assert len(PANELS) - len(borrowing) == 9
    heads = [one["gridPos"]["y"] for one in DASHBOARD["panels"] if one["type"] == "row"]
    for panel in borrowing:
        (source,) = (one for one in DASHBOARD["panels"] if one["id"] == panel["targets"][0]["panelId"])
        assert source["targets"][0]["datasource"]["uid"] == "clickhouse"
        assert source["type"] == "stat"
        above = source["gridPos"]["y"] < min(heads)
        between = any(source["gridPos"]["y"] < head <= panel["gridPos"]["y"] for head in heads)
        assert above or not between, panel["title"]
    assert not any(one["collapsed"] or one["panels"] for one in DASHBOARD["panels"] if one["type"] == "row")


def test_a_bar_has_the_label_and_the_figure_of_its_indicator(reader: tuple[Client, str], tables: Tables) -> None:
    (panel,) = (one for one in PANELS if one["title"] == "Einde van trajecten, aantallen")
    ends = {"volgens plan": "gepland", "neutraal": "neutraal", "administratief": "administratief"}
    found = shown(reader, panel, ALL)
    assert [list(row) for row in found] == [["Einde", "Aantal"]] * 3
    for row, (label, klasse) in zip(found, ends.items(), strict=True):
        assert (row["Einde"], row["Aantal"]) == (label, expected(INDICATORS[f"einde_{klasse}"], tables, ALL, live())[0])
    (named,) = panel["fieldConfig"]["overrides"]
    assert named["properties"] == [{"id": "displayName", "value": "Aantal"}]


def test_panels_do_not_overlap() -> None:
    require_places(DASHBOARD["panels"])
