"""Pages of figures on the real engine: own rows alone, released figures, who did not deliver; and the same as files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from portal.pages import released_tables
from results.own import own
from sinks import clickhouse
from sinks.access import Access
from sinks.tables import METINGEN, RECEIPTS, TRAJECTEN
from sinks.writer import Writer
from tests.conftest import RunningGateway
from tests.results import audience_tables
from tests.results.reports.test_reading import metingen, trajecten
from tests.results.test_dashboards_released import released
from tests.sinks import database
from tests.sinks.rows import receipt

pytestmark = pytest.mark.clickhouse
OWN, OTHER = "90000001", "90000002"


@pytest.fixture(scope="module")
def rows(gateway: RunningGateway) -> Iterator[Access]:
    """Rows of two providers, and a delivery of the first."""
    now = int(datetime.now(UTC).timestamp() * 1000)
    with database.fresh(gateway) as admin:
        writer = Writer(admin)
        writer.insert(TRAJECTEN, list(trajecten()))
        writer.insert(METINGEN, list(metingen()))
        last_month = now - 86_400_000 * datetime.now(UTC).day - 86_400_000
        writer.insert(RECEIPTS, [receipt(1, 1, kind="score", sender=OWN, eerste=last_month, laatste=last_month)])
        writer.close()
        yield admin


@pytest.fixture(scope="module")
def audience(gateway: RunningGateway) -> Iterator[str]:
    with audience_tables.audience(gateway, released()) as name:
        yield name


@pytest.fixture
def asked(
    rows: Access, audience: str, gateway: RunningGateway, people: dict[str, Any], portal: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> list[str]:  # fmt: skip
    """The two providers are those of the rows; which users the tables were asked as."""
    from portal.pages import audiences, operation, region, results

    users: list[str] = []

    def as_task(name: str) -> Access:
        users.append(name)
        return rows

    def as_audience(name: str) -> Access:
        users.append(name)
        return replace(rows, database=audience)

    def as_provider(agb: str) -> tuple[Access, tuple[str, ...]]:
        users.append(agb)
        return rows, {OWN: ("DUO",), OTHER: ("Amsterdam",)}[agb]

    for module in (operation, region):
        monkeypatch.setattr(module, "as_task", as_task)
    monkeypatch.setattr(results, "as_provider", as_provider)
    monkeypatch.setattr(results, "_asked_itself", own)  # its views are tested beside the engine's rights
    for module in (audiences, operation):
        monkeypatch.setattr(module, "as_audience", as_audience)
    for name, code in (("medewerker", OWN), ("other_medewerker", OTHER)):
        organisatie = people[name].organisatie
        type(organisatie).objects.filter(pk=organisatie.pk).update(code=code)
    return users


def test_a_provider_sees_its_own_rows_with_charts_and_their_tables(
    asked: list[str], logged_in: Callable[..., Any]
) -> None:
    page = logged_in("medewerker").get("/resultaten/?maand=2026-10").content.decode()
    assert f"Aanbieder {OWN}" in page or OWN in page
    assert OTHER not in page
    assert page.count("<svg") == page.count("Toon als tabel") >= 3
    assert "style=" not in page
    assert re.search(r"\d,\d%", page)
    assert not re.search(r">\d+\.\d%", page)
    assert "DUO" in page
    other = logged_in("other_medewerker").get("/resultaten/?maand=2026-10").content.decode()
    assert OWN not in other
    assert "Amsterdam" in other
    assert set(asked) == {OWN, OTHER}


def test_a_filter_narrows_and_what_is_not_offered_is_none(asked: list[str], logged_in: Callable[..., Any]) -> None:
    client = logged_in("medewerker")
    whole = client.get("/resultaten/?maand=2026-10").content.decode()
    # of Amsterdam it has nothing: no choice
    same = client.get(f"/resultaten/?maand=2026-10&gemeente=0363&cluster={OTHER}&leeftijd='x'").content.decode()
    counted = re.compile(r"n \d+<")
    assert counted.findall(same) == counted.findall(whole) != []
    almere = client.get("/resultaten/?maand=2026-10&cluster=Almere").content.decode()
    assert counted.findall(almere) != counted.findall(whole)


def test_own_figures_as_a_file(asked: list[str], logged_in: Callable[..., Any]) -> None:
    answer = logged_in("medewerker").get("/resultaten/cijfers.csv?maand=2026-10")
    assert answer["Content-Type"].startswith("text/csv")
    assert answer["Content-Disposition"] == 'attachment; filename="resultaten-2026-10.csv"'
    text = answer.content.decode("utf-8-sig")
    assert text.startswith(f"Aanbieder;{OWN}\r\n")
    assert re.search(r";\d+,\d%", text)
    assert OTHER not in text


def test_a_contract_manager_sees_the_release_of_the_cluster(asked: list[str], logged_in: Callable[..., Any]) -> None:
    page = logged_in("contractmanager").get("/cluster/?uitsplitsing=leeftijd").content.decode()
    assert set(asked) == {"rel_c_duo", "rel_vergelijking"}
    assert "Cliënttevredenheid" in page
    assert "7,5" in page
    assert "Uitgesplitst naar leeftijd" in page
    assert "Gemeenten en clusters naast elkaar" in page
    assert page.count("<svg") == page.count("Toon als tabel") > 0
    text = logged_in("contractmanager").get("/cluster/cijfers.csv").content.decode("utf-8-sig")
    assert text.startswith("Plaats;DUO\r\n")


def test_a_municipality_sees_its_own_release(asked: list[str], logged_in: Callable[..., Any]) -> None:
    page = logged_in("gemeenteambtenaar").get("/gemeente/").content.decode()
    assert "Diemen" in page
    assert set(asked) == {"rel_g0384", "rel_vergelijking"}
    asked.clear()
    almere = logged_in("other_gemeenteambtenaar").get("/gemeente/?uitsplitsing=reden").content.decode()
    assert "Zonder hulp verder kunnen" in almere
    assert "Uitgesplitst naar reden einde" in almere
    assert set(asked) == {"rel_g0034"}


def test_what_somebody_chooses_is_never_a_query(asked: list[str], logged_in: Callable[..., Any]) -> None:
    text = "x' UNION ALL SELECT 1 -- \\' ${plaats:singlequote} {a:String}"
    answer = logged_in("contractmanager").get("/cluster/", {"soort": text, "periode": text, "uitsplitsing": text})
    assert answer.status_code == 200
    assert "UNION" not in answer.content.decode()
    assert released_tables.filled("x = ${plaats:singlequote}", {"plaats": "a' b"}) == "x = 'a\\' b'"


def test_the_region_sees_who_did_not_deliver(asked: list[str], logged_in: Callable[..., Any]) -> None:
    page = logged_in("functioneel_beheerder").get("/kalender/").content.decode()
    assert "leverden deze aanbieders niets aan: aanbieder 94000002" in page
    assert set(asked) == {"receipts"}
    assert "niet aangeleverd" in page


def test_the_operator_sees_counts(asked: list[str], logged_in: Callable[..., Any], rows: Access) -> None:
    page = logged_in("operator").get("/gezondheid/").content.decode()
    assert "RAP-scores" in page
    client = clickhouse.connect(rows)
    query = "SELECT formatDateTime(max(laatste), '%H:%i', 'Europe/Amsterdam') FROM receipts"
    ((here,),) = clickhouse.select(client, query)
    client.close()
    assert f" {here}</td>" in page  # by the clock of who looks, not by that of the tables
    assert "Er is niets dat niet te lezen was" in page
    assert "Dit is nu niet te lezen" in page  # the made-up audience has no list of releases
    assert asked == ["receipts", "rejected", "rel_vergelijking"]
    assert OWN not in page
