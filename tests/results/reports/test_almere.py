"""The report of Almere: released figures of CBS files, by one filter at a time, and no provider."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest

from results.own import OWN_INDICATORS
from results.reports import almere, every, page
from results.reports.almere import Portal
from results.reports.content import Bands, Bars, Report, Table, Trend
from results.reports.reading import Averages
from sinks import clickhouse
from sinks.access import Access
from sinks.schema import audience_tables
from sinks.schema.audiences import FIGURES, RELEASES, of_gemeente
from tests.conftest import RunningGateway
from tests.results.reports.made import ALMERE as WHOLE
from tests.results.reports.made import almere_portal
from tests.sinks import database

MONTH, MADE_ON = "2026-10", "15 november 2026"


def made() -> Report:
    report = almere.report(almere_portal(), MONTH, MADE_ON)
    assert report is not None
    return report


def test_it_has_the_panels_of_the_portal() -> None:
    report = made()
    titles = [section.title for section in report.sections]
    assert titles == [
        "Cliënttevredenheid", "Zonder hulp verder kunnen", "Doelrealisatie", "Respons", "Uitval", "Uitgesplitst"
    ]  # fmt: skip
    assert (report.name, report.subtitle) == (
        "sor_gemeente_almere_2026-10", "gemeente Almere · vier kwartalen tot en met het 3e kwartaal 2026"
    )  # fmt: skip
    (bands,) = [block for block in report.blocks() if isinstance(block, Bands)]
    assert [name for name, _ in bands.rows] == ["Allen", "Ouders"]  # of youths nothing was released
    assert len([block for block in report.blocks() if isinstance(block, Trend)]) == 3
    assert len([block for block in report.blocks() if isinstance(block, Bars)]) == 2
    assert all(figure.low is None and figure.average is None for figure in report.figures())
    text = page.html(report)
    assert "uit hun CBS-bestanden" in text
    assert "geen doelscores" in text


def test_a_filter_has_its_values_by_name_with_n_in_order() -> None:
    tables = {block.title: block for block in made().blocks() if isinstance(block, Table)}
    assert set(tables) == {
        "Respons: hoeveel antwoorden er zijn",
        "Per respondent",
        "Per hulpvorm",
        "Per leeftijd bij start",
    }
    assert [row[0] for row in tables["Per hulpvorm"].rows] == ["wijk- of buurtteam", "ambulant op locatie aanbieder"]
    assert [row[0] for row in tables["Per leeftijd bij start"].rows] == [
        "6 tot en met 11", "12 tot en met 17", "18 en ouder"
    ]  # fmt: skip
    assert tables["Per hulpvorm"].heads == ("Hulpvorm", "Nut, gemiddeld cijfer", "Zonder hulp verder", "Uitval")
    assert tables["Per hulpvorm"].rows[0][1:] == ("7,6 (n 140)", "21% (n 140)", "21% (n 140)")
    assert tables["Respons: hoeveel antwoorden er zijn"].rows[0] == ("Nut van de hulp", "140", "5")


def test_without_a_release_there_is_no_report() -> None:
    assert almere.report(Portal(Averages(0, {}), ()), MONTH, MADE_ON) is None


# In the real engine

PLACE = of_gemeente("0034")
COLUMNS = ("vrijgave", "periode_soort", "periode", "status", "snede", "gemeente", "filter", "filterwaarde", "aanbieder",
           "indicator", "noemer", "teller_vorm", "percentage", "gemiddelde", "uitgesloten", "peildatum")  # fmt: skip


@pytest.fixture(scope="module")
def access(gateway: RunningGateway) -> Iterator[Access]:
    """Of Almere a total, a filter, and what a report may not show: a provider and two filters together. As the user who
    makes reports.
    """
    with database.fresh(gateway) as found:
        for admin in laid(found):
            yield replace(admin, user="reports", password=gateway.users["reports"])


def laid(found: Access) -> Iterator[Access]:
    client = clickhouse.connect(found)
    audience_tables.lay(client)
    for table in (FIGURES, RELEASES):
        client.command(f"TRUNCATE TABLE {PLACE}.{table}")
    client.insert(FIGURES, list(stored()), column_names=COLUMNS, database=PLACE)
    client.insert(RELEASES, [(3, date(2026, 11, 15), "gepubliceerd", "", "{}")], database=PLACE)
    yield found
    for table in (FIGURES, RELEASES):
        client.command(f"TRUNCATE TABLE {PLACE}.{table}")
    client.close()


def stored() -> Iterator[tuple[object, ...]]:
    cells = [
        ("almere", "", "", ""),
        ("almere_reden", "reden", "01", ""),
        ("almere_aanbieder", "", "", "90000001"),
        ("almere_reden_respondent", "reden x respondent", "02 x ouder", ""),
    ]
    for cut, name, value, provider in cells:
        for key in WHOLE:
            mean = OWN_INDICATORS[key].unit == "gemiddelde"
            for release, kind, period in ((1, "vier_kwartalen", "2026-K3"), (3, "vier_kwartalen", "2026-K3"),
                                          (2, "kwartaal", "2026-K3"), (2, "kwartaal", "2026-K2")):  # fmt: skip
                percentage = None if mean else 20 + release
                yield (
                    release, kind, period, "voorlopig", cut, "0034", name, value, provider, key, 140, "=", percentage,
                    7.6 if mean else None, 5, date(2026, 11, 15),
                )  # fmt: skip


@pytest.mark.clickhouse
def test_it_reads_the_newest_and_neither_a_provider_nor_two_filters(access: Access) -> None:
    found = almere.read(access)
    assert found.averages.number == 3
    assert set(found.averages.found) == set(WHOLE)
    assert [(one.periode_soort, one.periode) for one in found.averages.found["cbs_uitval"]] == [
        ("kwartaal", "2026-K3"), ("kwartaal", "2026-K2"), ("vier_kwartalen", "2026-K3")
    ]  # fmt: skip
    assert {(part.filter, part.value) for part in found.parts} == {("reden", "01")}
    report = almere.report_of(access, MONTH, MADE_ON)
    assert report is not None
    figures = {figure.key: figure.text for figure in report.figures()}
    assert (figures["cbs_uitval"], figures["cbs_nut_gemiddelde"]) == ("23%", "7,6")
    assert "90000001" not in page.html(report)
    assert report in list(every.of_places(access, MONTH, MADE_ON))
