"""Reports from rows in the real engine: of one provider, of all, of what was delivered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from domain.field.dates import day
from domain.field.geography import GEMEENTEN
from results.reports import deliveries, every, page, pdf, reading
from results.reports.content import Report, Table
from sinks.access import Access
from sinks.tables import METINGEN, RECEIPTS, TRAJECTEN
from sinks.writer import Writer
from tests.conftest import RunningGateway
from tests.sinks import database
from tests.sinks.rows import meting, named, receipt, traject

pytestmark = pytest.mark.clickhouse
MONTH, MADE_ON = "2026-10", "15 november 2026"
ONE, OTHER, SILENT = "90000001", "90000002", "90000003"


def trajecten() -> Iterator[dict[str, Any]]:
    """Of two providers in two clusters, forty ends in a year; and some records of a CBS file."""
    for number in range(160):
        town, provider = ("0384", ONE) if number % 4 else ("0363", OTHER)
        end = day(date(2025, 1 + number % 10, 12))
        end += 365 if number % 3 else 0
        klasse, reden = ("client", "32") if number % 5 == 0 else ("gepland", "31")
        yield traject(
            number, 1, aanbieder=provider, gemeente=town, cluster=GEMEENTEN[town].cluster, status="beeindigd",
            client=named(number), begindatum=end - 200, einddatum=end, jaar=2024 + number % 3, uitval_klasse=klasse,
            reden_beeindiging=reden, opvolging_dagen=365, respons_dagen=90,
        )  # fmt: skip
    for number in range(200, 212):
        ended = number % 2 == 0
        yield traject(
            number, 1, aanbieder=ONE, gemeente="0034", cluster="", bron="cbs", hulpvorm="02", jaar=2026,
            client=named(number - 200), begindatum=day(date(2026, 2, 1)), nut_ouder=None,
            einddatum=day(date(2026, 5, 1)) if ended else None, status="beeindigd" if ended else "lopend",
            uitval_klasse="gepland" if ended else "",
        )  # fmt: skip
    # one whose care of the half year before ended in it, and who sent nothing since; and one of long ago
    for number, provider, end in ((300, SILENT, date(2025, 9, 1)), (301, "90000004", date(2025, 6, 30))):
        yield traject(
            number, 1, aanbieder=provider, gemeente="0034", cluster="", bron="cbs", hulpvorm="02", jaar=2025,
            client=named(number), begindatum=day(date(2025, 1, 1)), einddatum=day(end), status="beeindigd",
        )  # fmt: skip


def metingen() -> Iterator[dict[str, Any]]:
    for number in range(160):
        provider = ONE if number % 4 else OTHER
        datum = day(date(2025 + (number % 3 > 0), 1 + number % 10, 13))
        yield meting(
            number, 1, aanbieder=provider, gemeente="0384" if number % 4 else "0363", client=named(number),
            datum=datum, jaar=2025, nut=6 + number % 4, vragenlijst="CEM+_2018_JE_v1" if number % 2 else "onbekend",
        )  # fmt: skip


def receipts() -> Iterator[dict[str, Any]]:
    """CBS files of this half year, and what is none: taken back, a test, of before, of another kind."""
    first, before = 1_767_222_000_000, 1_767_221_999_000  # 1 January 2026 in the Netherlands, and a second earlier
    changes: tuple[dict[str, Any], ...] = (
        {}, {"eerste": first + 86_400_000 * 30}, {"teruggenomen": first}, {"test": True}, {"eerste": before},
        {"kind": "cem"}, {"sender": SILENT, "eerste": before},
    )  # fmt: skip
    for number, changed in enumerate(changes):
        yield receipt(number, 1, **{"kind": "cbs", "sender": ONE, "eerste": first, **changed})


@pytest.fixture(scope="module")
def access(gateway: RunningGateway) -> Iterator[Access]:
    with database.fresh(gateway) as admin:
        writer = Writer(admin)
        writer.insert(TRAJECTEN, list(trajecten()))
        writer.insert(METINGEN, list(metingen()))
        writer.insert(RECEIPTS, list(receipts()))
        writer.close()
        yield admin


def test_of_all_is_as_of_one(access: Access) -> None:
    found = list(reading.providers(access, MONTH, MADE_ON))
    assert [(one.provider, one.cluster) for one in found] == [(ONE, "DUO"), (OTHER, "Amsterdam")]
    for one in found:
        chosen = [(one.provider, one.cluster)]
        assert list(reading.providers(access, MONTH, MADE_ON, chosen)) == [one]


def test_own_figures_are_whole_and_of_the_twelve_months(access: Access) -> None:
    (one,) = reading.providers(access, MONTH, MADE_ON, [(ONE, "DUO")])
    figures = {figure.key: figure for figure in one.figures()}
    ends = [row for row in trajecten() if row["bron"] == "ijw" and row["aanbieder"] == ONE]
    within = [row for row in ends if row["einddatum"] >= day(date(2025, 11, 1))]
    left = [row for row in within if row["uitval_klasse"] == "client"]
    assert figures["uitval"].counted == len(within)
    assert figures["uitval"].value == pytest.approx(100 * len(left) / len(within))
    assert figures["uitval"].low is not None
    assert figures["nut_gemiddelde"].counted
    assert all(figure.average is None for figure in figures.values())  # nothing was released
    assert OTHER not in str(one)


def rows(report: Report, title: str) -> dict[str, tuple[str, ...]]:
    tables = (
        block if isinstance(block, Table) else getattr(block, "table", lambda: None)() for block in report.blocks()
    )
    return {row[0]: row[1:] for table in tables if table and table.title == title for row in table.rows}


def test_nobody_is_named(access: Access) -> None:
    """No name of a client, and no number of a traject or a meting, on paper or on screen."""
    reports = [
        *reading.providers(access, MONTH, MADE_ON), *deliveries.cem_reports(access, MONTH, MADE_ON),
        *deliveries.mirror_reports(access, "2026-H1", MADE_ON),
    ]  # fmt: skip
    text = "".join(page.html(one) + str(pdf.document(one)) + str(pdf.as_json(one)) for one in reports)
    secret = {
        str(row[key]) for row in (*trajecten(), *metingen()) for key in ("client", "traject", "meting") if key in row
    }
    assert len(secret) > 160
    assert not [one for one in secret if one in text]


def test_the_questionnaires_of_a_provider(access: Access) -> None:
    (one,) = deliveries.cem_reports(access, MONTH, MADE_ON, OTHER)
    own = [row for row in metingen() if row["aanbieder"] == OTHER and row["datum"] <= day(date(2026, 10, 31))]
    assert rows(one, "Ontvangen metingen")["Metingen, over de hele periode"] == (str(len(own)),)
    assert sum(int(count) for *_, count in rows(one, "Metingen per vragenlijst").values()) == len(own)
    assert [report.provider for report in deliveries.cem_reports(access, MONTH, MADE_ON)] == [ONE, OTHER]
    (none,) = deliveries.cem_reports(access, MONTH, MADE_ON, "90000009")
    assert "nog geen meting" in str(none)


def test_the_mirror_goes_with_the_month_that_closes_a_half_year(access: Access) -> None:
    within, closing = (list(every.of_deliveries(access, month, MADE_ON)) for month in ("2026-05", "2026-06"))
    assert {one.kind for one in within} == {"cem"}
    mirrors = [one for one in closing if one.kind == "spiegel"]
    assert [(one.provider, one.month) for one in mirrors] == [(ONE, "2026-06"), (SILENT, "2026-06")]


def test_the_mirror_of_a_half_year(access: Access) -> None:
    one, silent = deliveries.mirror_reports(access, "2026-H1", MADE_ON)
    assert (one.provider, silent.provider) == (ONE, SILENT)
    assert (
        "2 CBS-bestanden ontvangen, samen met 4 goedgekeurde records en 2 afgekeurde records; het laatste op 31-01-2026"
        in str(one)
    )
    assert "geen CBS-bestand van uw organisatie ontvangen" in str(silent)
    assert "geen start- en stopberichten" in str(silent)
    assert "lever ontbrekende hulp" in str(one)
    assert rows(one, "Wat is ontvangen")["ambulant op locatie aanbieder"] == ("12", "12", "6", "6", "0")
    missing = rows(one, "Wat ontbreekt ten opzichte van wat loopt")
    assert missing["Cliënten in het CBS-bestand"] == ("12",)
    messages = [
        row for row in trajecten()
        if row["bron"] == "ijw" and row["aanbieder"] == ONE and row["begindatum"] <= day(date(2026, 6, 30))
        and row["einddatum"] >= day(date(2026, 1, 1))
    ]  # fmt: skip
    assert missing["Hulp in de periode volgens start- en stopberichten"] == (str(len(messages)),)
    late = {row["client"] for row in messages if row["einddatum"] > day(date(2026, 6, 30))}
    absent = late - {named(number) for number in range(12)}
    assert missing["Cliënten met lopende hulp volgens berichten, zonder record in het CBS-bestand"] == (
        str(len(absent)),
    )
