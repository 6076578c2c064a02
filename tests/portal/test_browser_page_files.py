"""Whole files on the page of delivering, in a real browser: read, put right, sealed, and each row's status."""

from __future__ import annotations

import base64
import io
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from domain.field.bsn import official_numbers
from tests.connectors.support import CBS_HEADER, cbs_row, cbs_xlsx, table
from tests.portal.browser import browser
from tests.portal.counter import Counter
from tests.portal.test_browser_page import desk, faults, holds_number, opened, states, until, until_states

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

__all__ = ["browser", "desk"]
pytestmark = pytest.mark.slow

NUMBERS: Final = official_numbers()
HEADER: Final = "zorgaanbieder_id;bsn;client_ref;meting_id;datum_meting;informant;vragenlijst;vraag;antwoord"
SAMPLES: Final = Path(__file__).parents[1] / "connectors" / "samples"


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser profile that nobody used."""
    made = browser.new_context(locale="nl-NL", viewport={"width": 1280, "height": 800})
    yield made
    made.close()


def meting(number: int, bsn: str, answers: dict[str, str]) -> list[str]:
    """The rows of one meting."""
    begin = f"94000001;{bsn};ref;{number};01-06-2026;Moeder;CEM+_2018_OE_v1"
    return [f"{begin};{question};{answer}" for question, answer in answers.items()]


def choose(page: Page, *files: tuple[str, bytes]) -> None:
    """Choose files, as from a disk."""
    page.set_input_files("#bestand", [{"name": name, "mimeType": "", "buffer": raw} for name, raw in files])
    page.wait_for_selector("#lijsten-tabel tbody tr, #geweigerd li")


def cem(*metingen: list[str]) -> bytes:
    """A file of metingen."""
    return "\r\n".join([HEADER, *(row for rows in metingen for row in rows), ""]).encode()


def stands(page: Page) -> list[list[str]]:
    """Kind and state of each list."""
    found: list[list[str]] = page.evaluate(
        "[...document.querySelectorAll('#lijsten-tabel tbody tr')].map((e) => [e.dataset.soort, e.dataset.stand])"
    )
    return found


def until_stands(page: Page, wanted: list[list[str]]) -> None:
    """Wait for the states of the lists."""
    ends = time.monotonic() + 20
    while stands(page) != wanted:
        assert time.monotonic() < ends, (stands(page), page.inner_text("#stand"), page.inner_text("#fout"))
        time.sleep(0.02)


def test_files_of_several_kinds_at_once_and_a_meting_that_is_put_right(desk: Counter, context: BrowserContext) -> None:
    page = opened(context, desk)
    wrong = meting(2, NUMBERS[50], {"VR01": "2", "VR02": "9"})
    answered = cem(meting(1, NUMBERS[0], {"VR01": "1", "VR09A": "8"}), wrong, meting(3, "1", {"VR01": "1"}))
    choose(
        page,
        (f"cem {NUMBERS[0]}.csv", answered),
        ("scores.csv", (SAMPLES / "94000001_rap_scores.csv").read_bytes()),
        ("verslag.pdf", b"%PDF-1.7"),
        ("tabel.csv", b"naam;leeftijd\r\nx;1\r\n"),
    )
    page.wait_for_selector("#geweigerd li:nth-child(2)")
    assert [row[0] for row in stands(page)] == ["score", "cem"]
    told_what_was_expected(page)
    put_right_before_sending(page)
    put_right_after_sending(page)
    assert [(head.kind, head.lines) for head in desk.heads.values()] == [("score", 5), ("cem", 3), ("cem", 1)]
    assert not holds_number(desk.heard, [*NUMBERS[:3], NUMBERS[50]])
    assert holds_number([base64.b64encode(b"--" + NUMBERS[0].encode())], NUMBERS[:1])  # it can find
    found_by_number(opened(context, desk, "aanleveringen"), NUMBERS[50])


def told_what_was_expected(page: Page) -> None:
    """Of files that are none of ours; and no name of a file stands on the page with a number in it."""
    refused = page.inner_text("#geweigerd")
    assert "verslag.pdf: Dit is niet voor de monitor" in refused
    assert "Wij verwachten een CSV-bestand met scores of CEM+-vragenlijsten, of een iJw-bericht" in refused
    assert page.locator("#geweigerd a[download]").count() == 5
    assert NUMBERS[0] not in page.inner_text("main")


def put_right_before_sending(page: Page) -> None:
    page.get_by_role("button", name="Toon de regels van cem").click()
    assert states(page) == ["goed", "fout", "fout"]
    assert "Het antwoord valt buiten de schaal" in page.inner_text("#rijen tbody tr:nth-child(2)")
    page.locator("#rijen button").first.click()
    faults(page)
    page.get_by_label("Antwoord van regel 5").fill("3")
    page.keyboard.press("Enter")
    until_states(page, ["goed", "goed", "fout"])
    faults(page)
    page.get_by_role("button", name="Lever alle 2 aan").click()
    until_stands(page, [["score", "final"], ["cem", "final"]])
    page.get_by_role("button", name="Toon de regels van Scores").click()
    until_states(page, ["geaccepteerd"] * 5)


def put_right_after_sending(page: Page) -> None:
    page.get_by_role("button", name="Toon de regels van cem").click()
    until_states(page, ["geaccepteerd", "geaccepteerd", "afgekeurd"])
    page.locator("#rijen button").first.click()
    page.fill("#meting-bsn", NUMBERS[2])
    page.keyboard.press("Enter")
    until_states(page, ["geaccepteerd", "geaccepteerd", "verbeterd"])
    page.click("#opnieuw")
    until_stands(page, [["score", "final"], ["cem", "final"], ["cem", "final"]])


def found_by_number(page: Page, bsn: str) -> None:
    page.fill("#zoek-bsn", bsn)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Bekijk").click()
    until_states(page, ["geaccepteerd"])
    faults(page)


def test_messages_are_delivered_and_a_wrong_one_is_put_right_where_it_is_made(
    desk: Counter, context: BrowserContext
) -> None:
    page = opened(context, desk)
    start, stop = ((SAMPLES / name).read_bytes() for name in ("jw305_start.xml", "jw307_stop.xml"))
    wrong = stop.replace(b"999900006", b"999900007").replace(b"2026-03-01", b"2025-03-01")
    again = start.replace(b"000000001", b"000000009").replace(b">4711<", b">4712<")
    choose(page, ("start.xml", start), ("fout.xml", wrong), ("start2.xml", again))
    page.wait_for_selector("#geweigerd > li")
    refused = page.inner_text("#geweigerd")
    assert page.locator("#geweigerd li li").count() == 2
    assert "Onderdeel 1: De einddatum" in refused
    assert "Een bericht met een fout wordt in zijn geheel geweigerd. Verbeter het bestand en lever" in refused
    assert page.locator("#geweigerd a[download]").get_attribute("href") == "/static/portal/voorbeelden/jw307_stop.xml"
    assert states(page) == ["goed", "goed"]
    assert "******006" in page.inner_text("#rijen")
    assert "1, start2.xml" in page.inner_text("#rijen")
    faults(page)
    page.click("#leveren")
    until_stands(page, [["start", "final"]])
    assert states(page) == ["geaccepteerd"] * 2
    assert [(head.kind, head.lines) for head in desk.heads.values()] == [("start", 2)]  # as one, as the connector does
    assert not holds_number(desk.heard, ["999900006", "999900007"])


def test_a_file_of_cbs_needs_its_half_year(desk: Counter, context: BrowserContext) -> None:
    page = opened(context, desk)
    today = datetime.now(UTC).date()
    year, half = (today.year, 1) if today.month > 6 else (today.year - 1, 2)  # the half year before this one
    begin = f"{year}{'07' if half == 2 else '01'}05"
    first, second = (cbs_row(bsn=bsn, begin=begin, end="", reden="") for bsn in (NUMBERS[7], "999999999"))
    files = [("cbs.csv", table(CBS_HEADER, [first])), ("cbs.xlsx", cbs_xlsx([second]))]
    choose(page, *files)
    page.wait_for_selector("#geweigerd > li:nth-child(2)")
    assert "Geef het halfjaar" in page.inner_text("#geweigerd")
    page.select_option("#periode", f"{year}-{half}")
    choose(page, *files)
    until_stands(page, [["cbs", "open"]])
    assert states(page) == ["goed", "goed"]
    faults(page)
    page.click("#leveren")
    until_stands(page, [["cbs", "final"]])
    assert states(page) == ["geaccepteerd", "geaccepteerd"]
    assert [(head.kind, head.lines) for head in desk.heads.values()] == [
        ("cbs", 2)
    ]  # a later one replaces the one before
    assert not holds_number(desk.heard, [NUMBERS[7]])


def test_rows_that_contradict_each_other_are_put_right_where_they_are_made(
    desk: Counter, context: BrowserContext
) -> None:
    page = opened(context, desk)
    both = meting(1, NUMBERS[0], {"VR01": "1"}) + meting(1, NUMBERS[1], {"VR02": "1"})
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("cem.csv", cem(both, ["94000001;x"]))
    choose(page, ("alles.zip", packed.getvalue()))
    assert states(page) == ["fout", "fout"]
    assert page.locator("#rijen button").count() == 0
    assert page.inner_text("#rijen").count("Verbeter het bestand en lever het opnieuw aan.") == 2
    page.get_by_role("button", name="Verwijder alles.zip/cem.csv").click()
    assert page.is_hidden("#lijst")


@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_with_files_is_for_everybody(desk: Counter, browser: Browser, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800})
    page = opened(context, desk)
    choose(
        page,
        ("cem.csv", cem(meting(1, NUMBERS[0], {"VR01": "1"}), meting(2, "1", {"VR01": "1"}))),
        ("x.pdf", b"%PDF-1.7"),
    )
    page.wait_for_selector("#geweigerd li")
    faults(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator("#rijen button").first.click()
    faults(page)
    page.keyboard.press("Escape")
    page.click("#leveren")
    until(page, "klaar")
    faults(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()
