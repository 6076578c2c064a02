"""A page of a report can be read by everybody: its structure, its tables, its drawings, and its colours as measured."""

from __future__ import annotations

import itertools
import re

import pytest
from lxml import etree

from results.reports import charts, page
from results.reports.content import Report
from tests.results.reports.test_rendering import REPORTS

SVG = "{http://www.w3.org/2000/svg}"
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
#: Lines behind a drawing, which say nothing that is not beside them.
DECORATION = charts.GRID

every = pytest.mark.parametrize("name", REPORTS)


def parsed(report: Report) -> etree._Element:
    """The page, read by a parser that forgives nothing."""
    return etree.fromstring(page.html(report).encode(), etree.XMLParser(resolve_entities=False, recover=False))


def text_of(element: etree._Element | None) -> str:
    return "" if element is None else "".join(element.itertext()).strip()


@every
def test_structure(name: str) -> None:
    root = parsed(REPORTS[name])
    assert root.get("lang") == "nl"
    assert text_of(root.find("head/title")).startswith(REPORTS[name].title)
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    named = {
        one for element in root.iter() for attribute in ("aria-labelledby", "aria-describedby")
        for one in (element.get(attribute) or "").split()
    }  # fmt: skip
    assert named <= set(ids)
    levels = [HEADINGS.index(element.tag) for element in root.iter(*HEADINGS)]
    assert levels[0] == 0
    assert levels.count(0) == 1
    assert all(second - first <= 1 for first, second in itertools.pairwise(levels))
    assert all(text_of(element) for element in root.iter(*HEADINGS, "summary", "p", "figcaption"))
    assert len(list(root.iter("main"))) == 1
    assert all(one[0].tag == "summary" for one in root.iter("details"))
    assert not list(root.iter("script", "link", "iframe", "img"))


@every
def test_every_table_has_a_caption_and_heads_of_rows_and_columns(name: str) -> None:
    for table in parsed(REPORTS[name]).iter("table"):
        assert table[0].tag == "caption"
        assert text_of(table[0])
        heads = table.findall("thead/tr/th")
        assert [head.get("scope") for head in heads] == ["col"] * len(heads)
        assert all(text_of(head) for head in heads)
        for row in table.iterfind("tbody/tr"):
            assert [(cell.tag, cell.get("scope")) for cell in row] == [
                ("th", "row"), *[("td", None)] * (len(heads) - 1)
            ]  # fmt: skip


@every
def test_every_drawing_has_a_name_a_description_and_a_table(name: str) -> None:
    for drawing in parsed(REPORTS[name]).iter(f"{SVG}svg"):
        title, description = drawing.find(f"{SVG}title"), drawing.find(f"{SVG}desc")
        assert drawing.get("role") == "img"
        assert title is not None
        assert description is not None
        assert drawing.get("aria-labelledby") == title.get("id")
        assert drawing.get("aria-describedby") == description.get("id")
        assert text_of(title)
        assert len(text_of(description)) > len(text_of(title))
        figure = drawing.getparent()
        assert figure is not None
        assert figure.find("details/table") is not None


def luminance(colour: str) -> float:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str = "#ffffff") -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@every
def test_what_is_drawn_stands_out_from_the_paper(name: str) -> None:
    """3 to 1 by its own colour or by its edge; text 4.5 to 1, on the paper or on what it stands on."""
    for drawing in parsed(REPORTS[name]).iter(f"{SVG}svg"):
        grounds: list[str] = []
        for shape in drawing.iter(f"{SVG}rect", f"{SVG}path", f"{SVG}circle", f"{SVG}text"):
            fill, stroke = shape.get("fill", charts.INK), shape.get("stroke", "none")
            if shape.tag == f"{SVG}text":
                assert max(contrast(fill, ground) for ground in ("#ffffff", *grounds[-1:])) >= 4.5
                continue
            if shape.getparent().tag == f"{SVG}pattern":  # type: ignore[union-attr]
                continue
            grounds.append(charts.MIDDLE if fill.startswith("url(") else fill if fill != "none" else "#ffffff")
            seen = [colour for colour in (grounds[-1], stroke) if colour.startswith("#")]
            halo = stroke == "#ffffff" and fill == "none"  # what is drawn over it is dark
            assert stroke == DECORATION or halo or max(map(contrast, seen)) >= 3


def test_bands_can_be_told_apart_without_hue() -> None:
    for fill, ink in charts.BANDS:
        assert contrast(fill, ink) >= 4.5
    for ink in (charts.INK, charts.GREY, charts.ORANGE, charts.DARK):
        assert contrast(ink) >= 4.5
    assert contrast(charts.MIDDLE) >= 3
    greys = sorted(luminance(fill) for fill, _ in charts.BANDS)
    assert all(second - first > 0.1 for first, second in itertools.pairwise(greys))


def test_colours_of_text_on_a_page() -> None:
    style = parsed(REPORTS["own"]).findtext("head/style") or ""
    colours = re.findall(r"[{;\s]color:\s*(#[0-9a-f]{6})", style)
    assert len(colours) >= 3
    assert all(contrast(colour) >= 4.5 for colour in colours)
    assert "outline: none" not in style
