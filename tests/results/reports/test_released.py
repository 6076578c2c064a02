"""Reports of released figures: the average, the cluster, and what stands beside a provider's own."""

from __future__ import annotations

from results.reports import released, words
from results.reports.content import Bars, Report, Table, Trend
from results.reports.reading import Averages
from results.reports.released import Cell
from tests.results.reports.made import shown

MONTH, MADE_ON = "2026-10", "15 november 2026"


def averages() -> Averages:
    keys = ("uitval", "nut_gemiddelde", "gas_bereikt", "respons_cem")
    found = {
        key: (
            shown(key, "kwartaal", "2026-K3"),
            shown(key, "kwartaal", "2026-K2"),
            shown(key, "vier_kwartalen", "2026-K3"),
        )
        for key in keys
    }
    found["geen_nieuwe_start"] = (shown("geen_nieuwe_start", "vier_kwartalen", "2025-K3", vorm=">=", percentage=90),)
    found["respons_scores"] = (shown("respons_scores", "vier_kwartalen", "2026-K3", percentage=None, reden="noemer"),)
    return Averages(3, found)


def text_of(report: Report) -> str:
    return str(report)


def test_the_average_holds_released_figures_alone() -> None:
    report = released.of_averages("gemiddelde", "DUO", MONTH, MADE_ON, averages())
    assert report is not None
    figures = {figure.key: figure for figure in report.figures()}
    assert set(figures) == {"uitval", "nut_gemiddelde", "gas_bereikt", "respons_cem", "geen_nieuwe_start"}
    assert (figures["uitval"].text, figures["uitval"].counted_text) == ("21%", "140")
    assert figures["geen_nieuwe_start"].text == "≥ 90%"
    assert all(figure.low is None and figure.average is None for figure in figures.values())
    assert "minstens de helft" in figures["gas_bereikt"].title
    assert (report.provider, report.release) == ("", 3)
    assert any("3e kwartaal 2025" in note for note in report.notes)  # what is known later is older
    assert any("vrijgave 3" in note.lower() for note in report.notes)
    trends = [block for block in report.blocks() if isinstance(block, Trend)]
    assert [figure.value for figure in trends[0].figures][-2:] == [7.6, 7.6]
    assert any(isinstance(block, Bars) for block in report.blocks())


def test_before_the_first_release_there_is_no_report() -> None:
    assert released.of_averages("gemiddelde", "DUO", MONTH, MADE_ON, Averages(0, {})) is None


def test_the_parts_of_a_cluster_name_no_provider_and_are_in_no_order_of_results() -> None:
    cells = [
        Cell("gemeente", code, "uitval", 100, "=", percentage, None)
        for code, percentage in (("0451", 5), ("0384", 40), ("0437", 20))
    ]
    for band in ("12 tot en met 17", "6 tot en met 11"):
        cells.append(Cell("leeftijd", band, "nut_gemiddelde", 60, "=", None, 7.4))
    cells.append(Cell("categorie", "45", "uitval", 60, "<=", 5, None))
    report = released.of_averages("cluster", "DUO", MONTH, MADE_ON, averages(), cells)
    assert report is not None
    tables = {block.title: block for block in report.blocks() if isinstance(block, Table)}
    towns = tables[words.CUTS["gemeente"][0]]
    assert [row[:2] for row in towns.rows] == [
        ("Diemen", "40% (n 100)"), ("Ouder-Amstel", "20% (n 100)"), ("Uithoorn", "5% (n 100)"),
    ]  # fmt: skip
    ages = tables[words.CUTS["leeftijd"][0]].rows
    assert [(row[0], row[-1]) for row in ages] == [
        (band, "7,4 (n 60)") for band in ("6 tot en met 11", "12 tot en met 17")
    ]
    assert "≤ 5% (n 60)" in tables[words.CUTS["categorie"][0]].rows[0]
    assert "aanbieder = ''" in released.parts_sql("DUO")
    assert "provider" not in text_of(report).replace("provider=''", "")
