"""Pages of released figures on the real engine, and that each audience is kept to its own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from domain.field.geography import CLUSTERS
from results.dashboards import audience_pages, audiences, provider
from results.dashboards.released_queries import CUTS
from results.filters import AGE_BANDS
from results.release.counted import FAMILY_OF
from results.release.cuts import FILTERS
from results.release.rows import AGES
from sinks import clickhouse
from sinks.access import Access
from sinks.schema.audiences import AUDIENCES, COMPARISON, of_providers
from sinks.schema.providers import checked
from sinks.schema.users import AUDIENCE_LIMITS, AUDIENCE_USERS
from tests.conftest import RunningGateway
from tests.results import audience_tables
from tests.results.grafana import expand, question, require_places, transformed

Chosen = Mapping[str, tuple[str, ...]]
NOTHING: Chosen = {}
PLACE, PORTAL, AVERAGES = audience_pages.place(), audience_pages.portal(), audience_pages.averages()
PAGES = {"vrijgave": PLACE, "portaal": PORTAL, "gemiddelden": AVERAGES}
CHOSEN: dict[str, tuple[str, ...]] = {
    "plaats": ("DUO",), "soort": ("vier_kwartalen",), "peildatum": ("2025-K4",), "uitsplitsing": ("leeftijd",),
    "filter": ("reden",), "tweede": ("geen",), "cluster": ("DUO",),
}  # fmt: skip
KEYS = ("uitval", "nut_gemiddelde", "nut_laag", "zonder_hulp", "gas_bereikt", "geen_nieuwe_start", "respons_cem")
ALMERE = ("cbs_nut_gemiddelde", "cbs_nut_laag", "cbs_nut_midden", "cbs_nut_hoog", "cbs_zonder_hulp", "cbs_uitval")


def figures(keys: tuple[str, ...], at: int = 0, **group: Any) -> list[dict[str, Any]]:
    """A figure of every key for one group; percentages differ by key."""
    return [
        audience_tables.shown(indicator=key, gemiddelde=7.5, **group)
        if key.endswith("gemiddelde")
        else audience_tables.shown(indicator=key, percentage=20 + number + at, teller=20, **group)
        for number, key in enumerate(keys)
    ]


def released() -> list[dict[str, Any]]:
    """Totals of two places and periods, an older release of one, cells of every cut, and Almere by filter."""
    almere: dict[str, Any] = {"gemeente": "0034", "snede": "almere"}
    rows = [
        *figures(KEYS, cluster="DUO"),
        *figures(KEYS, 40, cluster="DUO", vrijgave=2),
        *figures(KEYS, cluster="DUO", periode_soort="kwartaal"),
        *figures(KEYS, cluster="DUO", periode_soort="kwartaal", periode="2025-K3"),
        *figures(KEYS, 10, gemeente="0384", snede="gemeente"),
        *figures(KEYS, 15, snede="regio"),
        audience_tables.shown(indicator="uitval_client", cluster="DUO", teller_vorm="<=", percentage=5),
        audience_tables.shown(indicator="uitval_aanbieder", cluster="DUO"),
        *figures(ALMERE, **almere),
        *figures(ALMERE, **almere, filter="reden", filterwaarde="31"),
        *figures(ALMERE, **almere, filter="reden", filterwaarde="31", aanbieder="90000001"),
        *figures(ALMERE, **almere, filter="respondent x reden", filterwaarde="ouder x 31"),
    ]
    for name, columns in CUTS.items():
        group: dict[str, Any] = {column: f"{name} {column}" for column in columns}
        if name == "postcodegebied":
            group = {"filter": "postcodegebied", "filterwaarde": "Noord"}
        rows += figures(KEYS, cluster="DUO", snede=f"cluster {name}", **group)
    return rows


@pytest.fixture(scope="module")
def client(gateway: RunningGateway) -> Iterator[Client]:
    with audience_tables.audience(gateway, released()) as name:
        found = clickhouse.connect(Access(gateway.url, "admin", gateway.users["admin"], name))
        yield found
        found.close()


def shown(
    client: Client, page: Mapping[str, Any], panel: Mapping[str, Any], chosen: Chosen = NOTHING
) -> list[dict[str, Any]]:
    """Rows of a panel as the reader sees them."""
    panels = [one for one in page["panels"] if "targets" in one]
    query = expand(question(panels, panel), {**CHOSEN, **chosen}, 0, 1)
    return transformed(panel, list(client.query(query).named_results()))


def titled(page: Mapping[str, Any], title: str) -> dict[str, Any]:
    (found,) = (one for one in page["panels"] if one["title"] == title)
    return dict(found)


@pytest.mark.clickhouse
def test_every_query_runs_and_every_list_has_something(client: Client) -> None:
    for page in PAGES.values():
        chosen: Chosen = {"plaats": ("Almere",)} if page is PORTAL else {}
        for panel in page["panels"]:
            if "targets" in panel:
                assert shown(client, page, panel, chosen), panel["title"]
        for one in page["templating"]["list"]:
            if one["type"] == "query":
                assert client.query(expand(one["query"]["rawSql"], CHOSEN, 0, 1)).result_rows, one["name"]


@pytest.mark.clickhouse
def test_a_total_is_the_newest_and_says_what_it_is(client: Client) -> None:
    rows = {row["Uitkomst"]: row for row in shown(client, PLACE, titled(PLACE, "Uitval"))}
    assert rows["Uitval"] == {
        "Uitkomst": "Uitval", "Cijfer": "20%", "n (op vijf)": "100", "Niet meegeteld (op vijf)": "5",
        "Status": "voorlopig", "Vrijgave": "3",
    }  # fmt: skip
    assert rows["Uitval, eenzijdig door cliënt"]["Cijfer"] == "<= 5%"
    assert rows["Uitval, eenzijdig door aanbieder"]["Cijfer"] == "niet getoond"
    (mean,) = (
        row for row in shown(client, PLACE, titled(PLACE, "Cliënttevredenheid")) if "gemiddeld" in row["Uitkomst"]
    )
    assert mean["Cijfer"] == "7,5"


@pytest.mark.clickhouse
def test_every_cut_shows_its_own_groups_and_no_other(client: Client) -> None:
    panel = titled(PLACE, "Uitval, uitgesplitst")
    for name, columns in CUTS.items():
        (row,) = shown(client, PLACE, panel, {"uitsplitsing": (name,)})
        wanted = ", ".join(f"{name} {column}" for column in columns) if name != "postcodegebied" else "Noord"
        assert row["Groep"] == wanted


@pytest.mark.clickhouse
def test_places_stand_beside_each_other_by_name(client: Client) -> None:
    found = shown(client, PLACE, titled(PLACE, "Vergelijking: Uitval"))
    assert [(row["Gemeente of cluster"], row["Cijfer"]) for row in found] == [
        ("DUO", "20%"),
        ("Diemen", "30%"),
        ("Regio", "35%"),
    ]


@pytest.mark.clickhouse
def test_a_quarter_has_figure_and_n(client: Client) -> None:
    rows = shown(client, PLACE, titled(PLACE, "Uitval, per kwartaal"))
    # midnight in the Netherlands, which is an hour or two earlier in UTC
    assert [(f"{row['time'] + timedelta(hours=2):%Y-%m-%d}", row["Uitval (%)"], row["n"]) for row in rows] == [
        ("2025-07-01", 20, 100),
        ("2025-10-01", 20, 100),
    ]


@pytest.mark.clickhouse
def test_the_portal_filters_by_one_and_by_a_second_where_there_is_one(client: Client) -> None:
    panel = titled(PORTAL, "Uitval, per waarde van het filter")
    for second, group in (("geen", "31"), ("aanbieder", "90000001, 31"), ("respondent", "ouder x 31")):
        assert [row["Groep"] for row in shown(client, PORTAL, panel, {"tweede": (second,)})] == [group], second
    bands = shown(client, PORTAL, titled(PORTAL, "Cliënttevredenheid"), {"plaats": ("Almere",)})
    assert [(row["Cijfer"], row["Aandeel (%)"]) for row in bands] == [
        ("Cijfer ≤ 4", 21), ("Cijfer > 4 en < 8", 22), ("Cijfer ≥ 8", 23)
    ]  # fmt: skip


@pytest.mark.clickhouse
def test_a_provider_sees_the_newest_average_of_its_cluster_only(client: Client) -> None:
    page = provider.build()
    panels = [one for one in page["panels"] if "targets" in one]
    panel = next(one for one in panels if one["title"] == "Uitval (gemiddelde cluster)")
    query = question(panels, panel)
    for cluster in CLUSTERS:
        query = query.replace(f"{of_providers(cluster)}.", "")
    for cluster, figure in (("DUO", "20%"), ("Amsterdam", None)):
        answer = client.query(expand(query, {**CHOSEN, "cluster": (cluster,)}, 0, 1))
        found = {row["Uitkomst"]: row for row in transformed(panel, list(answer.named_results()))}
        assert found.get("Uitval", {}).get("Gemiddelde cluster") == figure
        assert not figure or found["Uitval"]["n (op vijf)"] == "100"


def test_a_page_asks_only_the_tables_of_its_audience() -> None:
    for name, page in PAGES.items():
        for panel in page["panels"]:
            for target in panel.get("targets", ()):
                assert not re.search(r"\b(sor|rel_\w+)\.", target.get("rawSql", "")), (name, panel["title"])
        sources = {one["datasource"]["uid"] for one in page["panels"] if "datasource" in one}
        assert sources - {"clickhouse", "-- Dashboard --"} == ({"vergelijking"} if page is PLACE else set())


def test_what_a_page_promises() -> None:
    for page in PAGES.values():
        require_places(page["panels"])
        text = json.dumps(page, ensure_ascii=False)
        assert "Geen verantwoordingsinstrument" in text
        assert not re.search(r'"(green|red|orange|yellow|semi-dark-red)"', text)
        asked = [one for one in page["panels"] if "rawSql" in one.get("targets", [{}])[0]]
        assert len(asked) <= 4
    titles = [one["title"] for one in PORTAL["panels"]]
    assert {"Cliënttevredenheid", "Zonder hulp verder kunnen", "Respons"} <= set(titles)
    assert "Doelrealisatie" in json.dumps(PORTAL)
    assert "Meer filters tegelijk" in json.dumps(PORTAL)


def test_pages_and_releases_name_alike() -> None:
    """What a page asks for is what a release makes."""
    assert [band.name for band in AGE_BANDS] == list(AGES.values())
    assert set(audience_pages.FILTERS) == {*FILTERS, "respondent"}
    keys = {key for keys in audience_pages._SUBJECTS.values() for key in keys}
    keys |= {key for keys in audience_pages._PORTAL_PARTS.values() for key in keys}
    assert keys <= set(FAMILY_OF)


def test_every_audience_has_an_organization_a_source_and_a_user_of_its_own() -> None:
    every = list(audiences.organizations())
    assert len({one.name for one in every}) == len(every), "they are found by name"
    assert {one.audience.database for one in every} == set(AUDIENCES) - {COMPARISON}
    for one in every:
        own, *others = audiences.sources_of(one)
        settings = audiences.connection(own)
        assert settings["username"] == settings["defaultDatabase"] == one.audience.database
        assert int(settings["queryTimeout"]) + 5 == AUDIENCE_LIMITS["max_execution_time"]
        assert int(settings["dialTimeout"]) + 5 <= AUDIENCE_LIMITS["max_execution_time"]
        assert settings["username"] in AUDIENCE_USERS
        assert [source.database for source in others] == ([COMPARISON] if one.page == "vrijgave" else [])
        assert not (others and one.audience.kind == "aanbieders")


def test_every_organization_gets_a_page_that_is_there() -> None:
    pages = {path.split("/")[1] for path in audiences.files()}
    assert {one.page for one in audiences.organizations()} == pages - {"eigen"} == set(PAGES)
    almere = [one for one in audiences.organizations() if one.page == "portaal"]
    assert [one.name for one in almere] == ["Gemeente Almere"]


def test_a_provider_of_the_list_has_an_organization_behind_the_audiences() -> None:
    before = list(audiences.organizations())
    first, gone, last = (checked(agb, ["DUO"]) for agb in ("90000001", "90000002", "90000003"))
    *same, one, two = audiences.organizations((first, gone._replace(active=False), last))
    assert same == before
    assert (one.name, two.name) == ("Aanbieder 90000001", "Aanbieder 90000003")
    (source,) = audiences.sources_of(one)
    assert audiences.connection(source)["username"] == audiences.connection(source)["defaultDatabase"] == first.database
    assert f"{one.page}/eigen-resultaten.json" in audiences.pages()
    assert "90000001" not in "".join(audiences.files().values())
