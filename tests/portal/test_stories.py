"""What people do in the portal, in a real browser on a running stack: from logging in to what came of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from domain.field.bsn import official_numbers
from tests.portal import stories
from tests.portal.browser import browser
from tests.portal.stories import Stack

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Route

__all__ = ["browser"]
pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse, pytest.mark.slow]

NUMBERS = official_numbers()
FINAL = {"geaccepteerd", "afgekeurd"}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One stack for all stories."""
    with stories.running(tmp_path_factory.mktemp("stories")) as made:
        yield made


@pytest.fixture
def worker(stack: Stack, browser: Browser) -> Iterator[BrowserContext]:
    """Somebody of the first provider, in a browser that nobody delivered with before."""
    made = stack.context(browser, "medewerker")
    yield made
    made.close()


def desk(stack: Stack, context: BrowserContext, path: str = "/aanleveren/") -> Page:
    """A page of delivering that is ready."""
    page = stack.open(context, path)
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.wait_for_selector("[data-klaar=ja]", state="attached")
    return page


def paste(page: Page, rows: list[tuple[str, ...]]) -> None:
    """Rows as a spreadsheet puts them on the clipboard."""
    text = "".join("\t".join(cells) + "\r\n" for cells in rows)
    page.evaluate("text => { document.getElementById('plakken').value = text }", text)
    page.click("#plakken-toevoegen")


def done(page: Page, seconds: float = 120) -> None:
    """Wait until every row has its last status."""
    ends = time.monotonic() + seconds
    while page.evaluate("document.querySelector('main > div').dataset.stand") != "klaar":
        if time.monotonic() > ends or page.is_visible("#fout"):
            pytest.fail(f"{page.inner_text('#stand')} {page.inner_text('#fout')} {page.inner_text('#wachten')}")
        time.sleep(0.05)


def states(page: Page) -> list[str]:
    """The state of each row on the screen."""
    found: list[str] = page.evaluate("[...document.querySelectorAll('#rijen .sor-state')].map((e) => e.dataset.state)")
    return found


def until_states(page: Page, wanted: list[str]) -> None:
    """Wait for the states of the rows."""
    ends = time.monotonic() + 60
    while states(page) != wanted:
        assert time.monotonic() < ends, states(page)
        time.sleep(0.05)


def fill_in(page: Page, row: tuple[str, ...]) -> None:
    """One score, by the form."""
    bsn, decision, assignment, kind, value = row
    page.fill("#bsn", bsn)
    page.fill("#beschikking", decision)
    page.fill("#toewijzing", assignment)
    if not page.locator(f"input[name=score-{kind}]").count():
        page.select_option("#type-kiezen", kind)
        page.click("#type-toevoegen")
    page.check(f"input[name=score-{kind}][value='{value}']")
    page.click("#invullen button[type=submit]")


def test_a_worker_fills_in_a_score_and_puts_right_what_was_refused(stack: Stack, worker: BrowserContext) -> None:
    row, wrong = stack.rows()[0], (stack.rows()[1][0], "", "3", "D1O", "7")
    page = desk(stack, worker)
    fill_in(page, row)
    assert states(page) == ["goed"]
    paste(page, [wrong])
    assert states(page) == ["goed", "fout"]
    page.click("#leveren")
    done(page)
    assert states(page) == ["geaccepteerd", "afgekeurd"]
    assert "De waarde past niet bij het type" in page.inner_text("#rijen tbody tr:nth-child(2)")
    page.click("#rijen tbody tr:nth-child(2) button")
    for name, cell in zip(("bsn", "beschikking", "toewijzing", "type", "waarde"), stack.rows()[1], strict=True):
        page.fill(f"#verbeter-{name}", cell)
    page.keyboard.press("Enter")
    until_states(page, ["geaccepteerd", "verbeterd"])
    page.click("#opnieuw")
    until_states(page, ["geaccepteerd"])
    assert page.inner_text("#telling-fout") == "0"


def test_a_hundred_pasted_rows_a_file_and_taking_back(stack: Stack, worker: BrowserContext, tmp_path: Path) -> None:
    page = desk(stack, worker)
    paste(page, padded(stack.rows()[2:12], 100))
    page.click("#leveren")
    done(page)
    assert len(states(page)) == 100
    assert set(states(page)) <= FINAL
    assert states(page)[:10] == ["geaccepteerd"] * 10
    page.click("#nieuw")
    file = tmp_path / "scores.csv"
    heads = ("BSN", "Beschikkingsnummer", "Toewijzingsnummer", "Type", "Waarde")
    file.write_text("".join(";".join(cells) + "\r\n" for cells in (heads, *stack.rows()[12:20])), "utf-8")
    page.set_input_files("#bestand", file)
    until_states(page, ["goed"] * 8)
    page.click("#leveren")
    done(page)
    assert states(page) == ["geaccepteerd"] * 8
    page.close()
    page = desk(stack, worker, "/aanleveringen/")
    page.get_by_role("button", name="Neem").first.click()
    page.select_option("#terug-reden", "dubbel")
    page.click("#terug button[value=terug]")
    done(page)
    page.wait_for_selector("#lijst-aanleveringen >> text=Teruggenomen")
    page.fill("#zoek-bsn", stack.rows()[2][0])
    page.keyboard.press("Enter")
    page.wait_for_selector("#lijst-aanleveringen tbody tr")
    page.get_by_role("button", name="Bekijk").last.click()
    page.wait_for_selector("#rijen .sor-state")


def padded(rows: list[tuple[str, ...]], many: int, first: int = 0) -> list[tuple[str, ...]]:
    """These rows, and as many as are missing of clients who are in no message: numbers from ``first`` on."""
    more = range(many - len(rows))
    return rows + [(NUMBERS[(first + place) % len(NUMBERS)], "", str(700_000 + place), "D1O", "2") for place in more]


def test_two_browsers_of_one_provider_deliver_at_once(stack: Stack, worker: BrowserContext, browser: Browser) -> None:
    other = stack.context(browser, "beheerder")
    pages = [desk(stack, context) for context in (worker, other)]
    for page, first in zip(pages, (2_000, 3_000), strict=True):
        paste(page, padded([], 50, first))
    for page in pages:
        page.click("#leveren")
    for page in pages:
        done(page)
        assert len(states(page)) == 50
        assert set(states(page)) <= FINAL
    listed = desk(stack, other, "/aanleveringen/")
    listed.wait_for_selector("#lijst-aanleveringen >> text=Niet in deze browser")
    listed.wait_for_selector("#lijst-aanleveringen >> text=In deze browser")
    other.close()


def test_a_lost_connection_in_the_middle_counts_every_row_once(stack: Stack, worker: BrowserContext) -> None:
    """The intake has the body, its answer never comes; then the page is closed without any connection."""
    page = desk(stack, worker)
    taken: list[int] = []

    def lose(route: Route) -> None:
        if route.request.method == "POST":
            taken.append(route.fetch().status)
        route.abort()

    page.route("**/sealed", lose)
    paste(page, padded([], 211, 4_000))
    page.click("#leveren")
    page.wait_for_selector("text=Niets telt dubbel")
    worker.set_offline(True)
    page.close()
    worker.set_offline(False)
    page = desk(stack, worker)
    page.wait_for_selector("text=eerdere aanlevering is klaar")
    assert set(taken) == {202}
    assert stack.ask("SELECT lines, gezien, klaar FROM receipts FINAL WHERE lines = 211") == [(211, 211, True)]
