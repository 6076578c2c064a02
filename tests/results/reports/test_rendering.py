"""A report as page, PDF and document: tagged, with fonts of its own, each chart with a text and a table."""

from __future__ import annotations

import hashlib
import re
import struct
import zlib
from dataclasses import replace
from html import unescape
from random import Random

import pytest
from lxml import etree

from domain.field.bsn import elfproef
from results.reports import page, pdf, words
from results.reports.charts import described, svg
from results.reports.content import (
    Average,
    Bands,
    Bars,
    Columns,
    Figures,
    Report,
    Trend,
    number_text,
    of_block,
    slug,
    value_text,
)
from tests.results.reports.made import almere_report, cem_report, figure, mirror_report, outcome_report

REPORTS = {
    "own": outcome_report(),
    "few": outcome_report(few=True),
    "average": outcome_report("gemiddelde"),
    "cluster": outcome_report("cluster"),
    "almere": almere_report(),
    "cem": cem_report(),
    "mirror": mirror_report(),
}
#: Pages of each; another number is another layout: look at it (docs/reports.md says how).
PAGES = {"own": 6, "few": 2, "average": 6, "cluster": 6, "almere": 4, "cem": 1, "mirror": 1}
A4 = (595, 842)

every = pytest.mark.parametrize("name", REPORTS)


def streams(made: bytes) -> bytes:
    """What a PDF holds, unpacked, in one text."""
    found = [made]
    for hit in re.finditer(rb"stream\r?\n(.*?)\r?\nendstream", made, re.DOTALL):
        try:
            found.append(zlib.decompress(hit.group(1)))
        except zlib.error:
            continue
    return b"\n".join(found)


def charts(report: Report) -> list[Bars | Bands | Columns | Trend]:
    return [block for block in report.blocks() if isinstance(block, Bars | Bands | Columns | Trend)]


@every
def test_a_pdf_is_tagged_dutch_and_the_same_each_time(name: str) -> None:
    report = REPORTS[name]
    made = pdf.render(report)
    assert made == pdf.render(report)
    text = streams(made)
    assert b"<pdfuaid:part>1</pdfuaid:part>" in text
    assert re.search(rb"/Marked true", text)
    assert re.search(rb"/Lang\s*\(nl(-NL)?\)", text)
    assert re.search(rb"<dc:language>.*?nl", text, re.DOTALL)
    assert text.count(b"/S /Figure") + text.count(b"/S/Figure") >= len(charts(report))
    assert b"SourceSans3-Regular" in text
    assert b"SourceSans3-Semibold" in text
    assert not re.search(rb"Libertinus|DejaVu|Arial", text)


@every
def test_pages_are_as_they_were_looked_at(name: str) -> None:
    made = pdf.pictures(REPORTS[name])
    assert len(made) == PAGES[name]
    for picture in made:
        assert struct.unpack(">II", picture[16:24]) == pytest.approx(A4, abs=1)
        assert len(picture) > 4_000  # not an empty page
    again = pdf.pictures(REPORTS[name])
    assert [hashlib.sha256(one).digest() for one in made] == [hashlib.sha256(one).digest() for one in again]


@every
def test_a_page_says_all_that_the_report_holds(name: str) -> None:
    report = REPORTS[name]
    made = page.html(report)
    text = unescape(re.sub(r"<[^>]+>", " ", made))
    assert '<html lang="nl">' in made
    assert words.NOT_TO_ACCOUNT in text
    assert made.count("<svg ") == made.count("<details>") == len(charts(report))
    for table in pdf.as_json(report)["tables"]:
        assert all(cell in text for row in table["rows"] for cell in row)
    ids = re.findall(r' id="([^"]+)"', made)
    assert len(ids) == len(set(ids))
    assert not re.search(r"<script|https?://(?!www\.w3\.org/2000/svg)|javascript:", made)


@every
def test_no_number_of_a_person(name: str) -> None:
    """Names of clients are looked for where there are clients: ``test_reading``."""
    report = REPORTS[name]
    text = page.html(report) + str(pdf.document(report)) + str(pdf.as_json(report))
    assert [hit for hit in re.findall(r"(?<![\d.])\d{9}(?!\d)", text) if elfproef(hit)] == []


@every
def test_every_chart_is_drawn_and_told(name: str) -> None:
    for number, chart in enumerate(charts(REPORTS[name])):
        drawn = etree.fromstring(svg(chart, f"x{number}"))
        assert drawn.findtext("{http://www.w3.org/2000/svg}title") == chart.title
        assert drawn.findtext("{http://www.w3.org/2000/svg}desc") == described(chart)
        assert chart.table().rows
        numbers = [text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")]
        assert not any(re.search(r"\d\.\d", one or "") for one in numbers)  # a comma
        assert not any("…" in (one or "") for one in numbers)  # no name is cut off
        assert all(0 <= float(one.get("x", "0")) <= 480 for one in drawn.iter("{http://www.w3.org/2000/svg}rect"))


def test_numbers_are_dutch() -> None:
    assert number_text(1234567.25) == "1.234.567,2"
    assert value_text(7.94, "gemiddelde") == "7,9"
    assert value_text(None, "%") == "–"
    assert slug("Amstelveen-Aalsmeer") == "amstelveen-aalsmeer"


@every
def test_what_is_not_confirmed_says_so_beside_it(name: str) -> None:
    for block in REPORTS[name].blocks():
        if isinstance(block, Figures | Bars):
            assert all("niet bevestigd" in one.title for one in block.figures if one.mark == "P")
        elif isinstance(block, Bands | Columns | Trend):
            figures = of_block(block) or block.figures  # type: ignore[union-attr]
            assert ("niet bevestigd" in block.title) or not any(one.mark == "P" for one in figures)


def test_the_number_of_a_low_column_stands_above_it_and_not_above_the_average() -> None:
    one = figure("nut_5", Random(1))
    low = replace(one, value=5.0, average=Average(80), low=None, high=None)
    high = replace(low, value=70.0)
    drawn = etree.fromstring(svg(Columns("t", "h", ("1", "2"), (low, high)), "x"))
    heights = {text.text: float(text.get("y", "0")) for text in drawn.iter("{http://www.w3.org/2000/svg}text")}
    assert heights["5%"] > 120  # of 156 down to the floor
    assert heights["70%"] < 20  # above the average, which is close to it


def test_a_hidden_figure_shows_no_number() -> None:
    hidden = figure("uitval", Random(1), few=True)
    assert (hidden.text, hidden.counted_text, hidden.interval_text) == ("<10", "<10", "")


def test_text_that_looks_like_markup_stays_text() -> None:
    report = Report(
        kind="cem", title="<b>#let x", provider="90000001", cluster="", month="2026-10", period="*_`$", made_on="",
        sections=(),
    )  # fmt: skip
    assert "<b>" not in page.html(report)
    assert pdf.render(report).startswith(b"%PDF")


def test_many_come_in_their_order() -> None:
    many = [outcome_report(seed=seed, provider=f"{90_000_000 + seed}", few=True) for seed in range(10)]
    made = list(pdf.render_all(many, processes=2))
    assert made == [pdf.render(one) for one in many]
