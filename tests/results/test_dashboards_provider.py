"""*Resultaten aanbieder* on the real engine: the figures of ``results.own`` with n and margin, and its promises."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from results.dashboards.own_queries import SHOWN
from results.dashboards.provider import build
from results.dashboards.queries import REFERENCE_DAY
from results.disclosure import Disclosure
from results.disclosure import own as own_rule
from results.filters import Days, Filters
from results.own import OWN_INDICATORS, OwnRequest, own
from sinks import clickhouse
from sinks.access import Access
from sinks.tables import METINGEN, SCORES, TRAJECTEN
from sinks.writer import Writer
from tests.conftest import RunningGateway
from tests.results.grafana import DAY, DUTCH, expand, question, require_places, transformed
from tests.results.test_own import FIRST, LAST, PROVIDER, TODAY, rows
from tests.sinks import database

pytestmark = pytest.mark.clickhouse
PAGE = build()
PANELS: list[dict[str, Any]] = [panel for panel in PAGE["panels"] if "targets" in panel]
NAMES = [one["name"] for one in PAGE["templating"]["list"]]
CHOSEN: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(NAMES, ()), "aanbieder": (PROVIDER,), "cluster": ("DUO",), "periode": ("month",)
}  # fmt: skip


#: Panels share their answers on the page; so they do here.
ANSWERED: dict[str, list[dict[str, Any]]] = {}


@pytest.fixture(scope="module")
def access(gateway: RunningGateway) -> Iterator[Access]:
    with database.fresh(gateway) as admin:
        writer = Writer(admin)
        for table in (TRAJECTEN, METINGEN, SCORES):
            writer.insert(table, rows()[table.name])
        writer.close()
        yield Access(gateway.url, "grafana", gateway.users["grafana"], admin.database)


@pytest.fixture(scope="module")
def client(access: Access) -> Iterator[Client]:
    found = clickhouse.connect(access)
    yield found
    found.close()


def finished(query: str, chosen: Mapping[str, tuple[str, ...]]) -> str:
    first, last = (int(datetime(d.year, d.month, d.day, tzinfo=DUTCH).timestamp()) for d in (FIRST, LAST))
    return expand(query, chosen, first, last + DAY - 1).replace(REFERENCE_DAY, f"toDate('{TODAY}')")


def shown(client: Client, access: Access, panel: dict[str, Any], **chosen: tuple[str, ...]) -> list[dict[str, Any]]:
    """Rows of a panel as the reader sees them."""
    query = finished(question(PANELS, panel), {**CHOSEN, **chosen})
    if query not in ANSWERED:
        answer = client.query(re.sub(r"\bsor\.(?=[a-z])", f"{access.database}.", query))
        ANSWERED[query] = list(answer.named_results())
    return transformed(panel, ANSWERED[query])


def titled(title: str) -> dict[str, Any]:
    (found,) = (panel for panel in PANELS if panel["title"] == title)
    return found


OWN = [panel for panel in PANELS if "gemiddelde cluster" not in panel["title"]]


def test_every_query_of_own_figures_runs_and_shows_something(client: Client, access: Access) -> None:
    for panel in OWN:
        found = shown(client, access, panel)
        assert found, panel["title"]
        kept = [step for step in panel["transformations"] if step["id"] == "filterByValue"]
        for step in kept:
            (one,) = step["options"]["filters"]
            assert len(found) == one["config"]["options"]["value"].count("|") + 1, panel["title"]


def test_a_table_says_what_the_own_results_say(client: Client, access: Access) -> None:
    period = Days(FIRST, LAST)
    filters = Filters(leeftijd=(), geslacht=("1",), start=Days(date(2023, 9, 1), date(2024, 8, 31)))
    chosen = {"geslacht": ("1",), "start_van": ("2023-09-01",), "start_tot": ("2024-08-01",)}
    for picked, narrowed in (({}, Filters()), (chosen, filters)):
        found = own(access, OwnRequest(aanbieder=PROVIDER, cluster="DUO", on=TODAY, period=period, filters=narrowed))
        by_name = {one.indicator.title: one for one in found.values()}
        counted = 0
        for panel in OWN:
            if panel["type"] != "table":
                continue
            for row in shown(client, access, panel, **picked):
                assert list(row) == list(SHOWN.values())
                one = by_name[row["Uitkomst"]].measured
                assert row["Eigen"] == one.figure.text
                assert row["n"] == one.figure.counted_text
                assert row["Niet meegeteld"] == one.figure.excluded_text
                if one.interval:
                    ends = " – ".join(f"{end:.1f}" for end in one.interval).replace(".", ",")
                    assert row["Marge (95%)"] == ends, row
                    counted += 1
        assert counted > 12


def test_a_trend_has_figure_and_n_of_every_month(client: Client, access: Access) -> None:
    (found,) = own(
        access, OwnRequest(aanbieder=PROVIDER, cluster="DUO", on=TODAY, period=Days(FIRST, LAST), keys=("uitval",))
    ).values()
    listed = shown(client, access, titled("Uitval, per periode (eigen)"))
    assert [(f"{row['time']:%Y-%m}", row["n"]) for row in listed] == [
        (one.figure.group, one.figure.counted) for one in found.trend["maand"]
    ]
    assert [row["Uitval (%)"] for row in listed] == pytest.approx([one.figure.value for one in found.trend["maand"]])


def test_every_filter_on_the_page_narrows(client: Client, access: Access) -> None:
    values = {
        "gemeente": "0384", "start_van": "2024-03-01", "start_tot": "2024-03-01", "reden": "31", "categorie": "45",
        "segment": "A", "profiel": "1", "intensiteit": "intensief", "verwijzer": "01", "hulpvorm": "07",
        "gebied": "Noord", "geslacht": "1", "leeftijd": "0 tot en met 5", "respondent": "ouder",
    }  # fmt: skip
    assert set(values) == set(NAMES) - {"aanbieder", "cluster", "periode"}
    panel = titled("Zonder hulp verder (niet bevestigd), per periode (eigen)")

    def counted(**chosen: tuple[str, ...]) -> float:
        return float(sum(row["n"] for row in shown(client, access, panel, **chosen)))

    for name, value in values.items():
        assert 0 < counted(**{name: (value,)}) < counted(), name


def test_every_list_to_choose_from_runs(client: Client, access: Access) -> None:
    for one in PAGE["templating"]["list"]:
        if one["type"] == "query":
            query = finished(one["query"]["rawSql"], CHOSEN).replace("sor.", f"{access.database}.")
            assert client.query(query).result_rows, one["name"]
    (months,) = client.query(finished(NAMED["start_van"], CHOSEN).replace("sor.", f"{access.database}.")).result_rows[
        :1
    ]
    assert re.fullmatch(r"\d{4}-\d\d-01", months[0])


NAMED = {one["name"]: one["query"]["rawSql"] for one in PAGE["templating"]["list"] if one["type"] == "query"}


def test_the_whole_page_asks_a_handful_of_questions() -> None:
    asked = [panel for panel in PANELS if "rawSql" in panel["targets"][0]]
    assert len(PANELS) > 25
    assert len(asked) == 8
    heads = [panel["gridPos"]["y"] for panel in PAGE["panels"] if panel["type"] == "row"]
    for panel in PANELS:
        number = panel["targets"][0].get("panelId")
        for source in (one for one in PANELS if one["id"] == number):
            # above all sections, or in its own: no folded row takes the answer away
            here, there = (max((y for y in heads if y <= one["gridPos"]["y"]), default=0) for one in (source, panel))
            assert here in (0, there), panel["title"]


def test_every_promised_part_is_there() -> None:
    sections = [panel["title"] for panel in PAGE["panels"] if panel["type"] == "row"]
    assert sections[:6] == [
        "Cliënttevredenheid", "Doelrealisatie", "Zonder hulp verder", "Uitval", "Respons",
        "Aantallen en duurzame hulp (nu)",
    ]  # fmt: skip
    titles = " ".join(panel["title"] for panel in PANELS)
    for word in ("Toegankelijkheid", "Bejegening", "Samenwerking", "Doelscores", "Probleemafname", "Nut van hulp"):
        assert word in titles
    words = next(panel for panel in PAGE["panels"] if panel["type"] == "text")["options"]["content"]
    assert "Geen verantwoordingsinstrument" in words
    assert "nog geen vrijgave" in words
    beside = [panel for panel in PANELS if "gemiddelde cluster" in panel["title"]]
    assert len(beside) == 6
    assert sections[-1] == "Verloop"


def test_nobody_else_is_named_and_no_colour_judges() -> None:
    text = json.dumps(PAGE)
    assert not re.search(r'"(green|red|orange|yellow|semi-dark-red)"', text)
    for panel in PANELS:
        query = question(PANELS, panel)
        assert not re.search(r"GROUP BY [^)]*\b(aanbieder|sender|client)\b", query), panel["title"]
        assert "aanbieder = ${aanbieder:singlequote}" in query or "rel_gem_" in query


def test_unconfirmed_figures_say_so(client: Client, access: Access) -> None:
    marks = {one.title: one.mark for one in OWN_INDICATORS.values()}
    for panel in OWN:
        for row in shown(client, access, panel) if panel["type"] == "table" else ():
            assert ("niet bevestigd" in row["Uitkomst"]) == (marks[row["Uitkomst"]] == "P")


def test_the_page_shows_whole_what_the_rule_of_own_figures_shows_whole() -> None:
    """Its queries hide nothing: a rule that hides something must be written into them first."""
    assert own_rule() == Disclosure(1, 1)


def test_panels_do_not_overlap() -> None:
    require_places(PAGE["panels"])
