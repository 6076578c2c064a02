"""What people do in the portal, in a real browser on a running stack: from logging in to what came of it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from domain.field.bsn import official_numbers
from tests.connectors.support import CEM_HEADER, Regie, cem_rows, product, table
from tests.portal import stories
from tests.portal.browser import browser
from tests.portal.stories import Stack, desk, done, paste
from tests.whole.scan import People, Scan

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
    assert at_both_widths(page) == []
    page.click("#rijen tbody tr:nth-child(2) button")
    assert at_both_widths(page) == []
    for name, cell in zip(("bsn", "beschikking", "toewijzing", "type", "waarde"), stack.rows()[1], strict=True):
        page.fill(f"#verbeter-{name}", cell)
    page.keyboard.press("Enter")
    until_states(page, ["geaccepteerd", "verbeterd"])
    page.click("#opnieuw")
    until_states(page, ["geaccepteerd"])
    assert page.inner_text("#telling-fout") == "0"


def test_a_score_is_delivered_by_keyboard_alone(stack: Stack, worker: BrowserContext) -> None:
    page = desk(stack, worker)
    bsn, _, assignment, _, _ = next(row for row in stack.rows() if row[2])
    tab_to(page, "bsn")
    page.keyboard.type(bsn)
    tab_to(page, "toewijzing")
    page.keyboard.type(assignment)
    page.keyboard.press("Tab")  # the first of the scores, of which the arrows choose
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    until_states(page, ["goed"])
    tab_to(page, "leveren")
    page.keyboard.press("Enter")
    done(page)
    assert states(page) == ["geaccepteerd"]


def tab_to(page: Page, name: str) -> None:
    """On to an element by its id, with the tab key and nothing else."""
    for _ in range(80):
        if page.evaluate("document.activeElement.id") == name:
            return
        page.keyboard.press("Tab")
    pytest.fail(f"the tab key does not come to {name}")


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
    assert at_both_widths(page) == []


def test_a_questionnaire_file_and_a_message_at_once(stack: Stack, worker: BrowserContext) -> None:
    """Files of two kinds to their last status, and a meting that the browser found wrong, put right after that."""
    agb, page = stack.agbs[0], desk(stack, worker)
    rows = [
        *cem_rows("portaal-1", bsn=NUMBERS[5_000], provider=agb),
        *cem_rows("portaal-2", bsn="12345678", provider=agb),
    ]
    message = Regie(
        bsn=NUMBERS[5_000], products=[product(toewijzingnummer=800_000 + place) for place in (1, 2)],
        header={"afzender": agb, "id": "000900001"},
    )  # fmt: skip
    files = [("vragenlijsten.csv", table(CEM_HEADER, rows)), ("jw305.xml", message.bytes())]
    page.set_input_files("#bestand", [{"name": name, "mimeType": "", "buffer": raw} for name, raw in files])
    page.wait_for_selector("#lijsten-tabel tr[data-soort=start]")
    assert at_both_widths(page) == []
    page.click("#leveren")
    page.wait_for_selector("#lijsten-tabel tr[data-soort=start][data-stand=final]")
    assert states(page) == ["geaccepteerd"] * 2
    page.get_by_role("button", name="Toon de regels van vragenlijsten.csv").click()
    assert states(page) == ["geaccepteerd", "afgekeurd"]
    page.get_by_role("button", name="Verbeter regel").click()
    page.fill("#meting-bsn", NUMBERS[5_001])
    page.keyboard.press("Enter")
    until_states(page, ["geaccepteerd", "verbeterd"])
    page.click("#opnieuw")
    until_states(page, ["geaccepteerd"])
    page.close()
    page = desk(stack, worker, "/aanleveringen/")
    here = page.get_by_text("In deze browser", exact=True)
    kinds = page.locator("#lijst-aanleveringen tbody tr", has=here)
    kinds.nth(2).wait_for()
    assert sorted(text.split("\t")[1] for text in kinds.all_inner_texts()) == ["CEM+", "CEM+", "Start zorg"]


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
    page, before = desk(stack, worker), len(stack.heard)
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
    assert sum(address.endswith("/sealed") and len(body) > 0 for address, body in stack.heard[before:]) > len(taken)
    once(stack, 211)


def once(stack: Stack, lines: int) -> None:
    """Wait until the tables have the one delivery of so many rows, each counted once."""
    ends, query = time.monotonic() + 60, "SELECT lines, gezien, klaar FROM receipts FINAL WHERE lines = {}"
    while (found := stack.ask(query.format(lines))) != [(lines, lines, True)]:
        assert time.monotonic() < ends, found
        time.sleep(0.2)


def test_ten_thousand_rows_to_the_last_status(
    stack: Stack, worker: BrowserContext, record_property: Callable[[str, object], None]
) -> None:
    page = desk(stack, worker)
    rows = padded(stack.rows()[20:60], 10_000)
    began = time.monotonic()
    paste(page, rows)
    page.click("#leveren")
    done(page, 300)
    took = time.monotonic() - began
    record_property("seconds", took)
    print(f"10,000 pasted rows had their last status after {took:.1f} s")  # noqa: T201
    good, bad = (int(page.inner_text(f"#telling-{name}").replace(".", "")) for name in ("goed", "fout"))
    assert (good + bad, page.inner_text("#telling-ingelezen")) == (10_000, "0")
    assert len(states(page)) == 100
    assert set(states(page)) <= FINAL
    once(stack, 10_000)


def test_an_administrator_invites_and_looks_after_contacts_and_keys(stack: Stack, browser: Browser) -> None:
    context, login = stack.context(browser, "beheerder"), stack.login("beheerder")
    page = stack.open(context, "/gebruikers/", login)
    page.click("text=Iemand uitnodigen")
    page.fill("input[name=naam]", "Nieuwe Collega")
    page.fill("input[name=email]", "nieuw@voorbeeld.example")
    page.select_option("select[name=rol]", "medewerker")
    page.click("main form button[type=submit]")
    page.wait_for_selector("text=De uitnodiging is verstuurd naar nieuw@voorbeeld.example")
    _accept(stack, browser)
    page = stack.open(context, "/contactpersonen/", login)
    page.fill("input[name=naam]", "Tweede Contact")
    page.fill("input[name=email]", "tweede@voorbeeld.example")
    page.get_by_role("button", name="Voeg toe").click()
    page.get_by_role("button", name="Verwijder Tweede Contact").click()
    page.wait_for_selector("text=Voorbeeld Contact")
    assert not page.get_by_text("Tweede Contact").count()
    page = stack.open(context, "/sleutels/", login)
    assert "Certificaten" in page.inner_text("main")
    context.close()


def _accept(stack: Stack, browser: Browser) -> None:
    """Who was invited opens the address of the mail, chooses a password, and is led to the second step."""
    mail = max((stack.home / "mail").iterdir(), key=lambda path: path.stat().st_mtime).read_text("utf-8")
    address = re.search(r"http://\S+/uitnodiging/\S+", mail)
    assert address
    context = browser.new_context(locale="nl-NL")
    context.set_default_timeout(stories.PATIENCE)
    page = context.new_page()
    page.goto(address[0])
    for name in ("new_password1", "new_password2"):
        page.fill(f"input[name={name}]", "een lange zin om in te loggen")
    page.click("main form button[type=submit]")
    page.fill("input[name=login]", "nieuw@voorbeeld.example")
    page.fill("input[name=password]", "een lange zin om in te loggen")
    page.get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_selector("text=Stel eerst een tweede stap in")
    context.close()


def test_a_worker_sees_own_results_beside_the_cluster_and_keeps_them(stack: Stack, worker: BrowserContext) -> None:
    page = stack.open(worker, "/resultaten/")
    table = page.locator("figure details table").first
    assert not table.is_visible()
    page.locator("figure details summary").first.click()
    assert table.is_visible()
    assert at_both_widths(page) == []
    assert re.search(r"\d,\d", page.inner_text("main"))
    with page.expect_download() as file:
        page.get_by_role("button", name="Download als CSV").click()
    assert file.value.suggested_filename.startswith("resultaten-")
    assert "Rapporten" in stack.open(worker, "/rapporten/").inner_text("h1")


@pytest.mark.parametrize(("role", "path", "place"), [
    ("contractmanager", "/cluster/", stories.CLUSTER), ("gemeenteambtenaar", "/gemeente/", "Diemen"),
])  # fmt: skip
def test_who_contracts_sees_released_figures_by_a_cut(
    stack: Stack, browser: Browser, role: str, path: str, place: str
) -> None:
    context = stack.context(browser, role)
    page = stack.open(context, path)
    assert place in page.inner_text("main")
    assert "7,1" in page.inner_text("main")
    page.select_option("select[name=uitsplitsing]", "leeftijd")
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_selector("text=Uitgesplitst naar leeftijd")
    assert "12 tot en met 17" in page.inner_text("main")
    context.close()


def test_the_region_sees_who_delivered_and_admits_an_organization(stack: Stack, browser: Browser) -> None:
    context, login = stack.context(browser, "functioneel_beheerder"), stack.login("functioneel_beheerder")
    calendar = stack.open(context, "/kalender/").inner_text("main")
    assert f"leverden deze aanbieders niets aan: Voorbeeldaanbieder {stack.agbs[1]}." in calendar
    assert "RAP-scores" in calendar
    page = stack.open(context, "/organisaties/", login)
    page.select_option("select[name=soort]", "aanbieder")
    page.fill("input[name=code]", "90000099")
    page.fill("input[name=naam]", "Nieuwe aanbieder")
    page.fill("input[name=verwerkersovereenkomst]", "2026-11-01")
    page.get_by_role("button", name="Voeg toe").click()
    page.wait_for_selector("text=Nieuwe aanbieder staat erbij")
    assert "Gebruikers" in stack.open(context, "/gebruikers/", login).inner_text("h1")
    context.close()


def test_the_operator_sees_that_it_runs_and_who_changed_what(stack: Stack, browser: Browser) -> None:
    context = stack.context(browser, "operator")
    page = stack.open(context, "/gezondheid/")
    assert "RAP-scores" in page.inner_text("main")
    page = stack.open(context, "/controlelog/")
    assert "gemaakt" in page.inner_text("main")
    context.close()


@pytest.mark.parametrize("role", [*stories.PATHS])
def test_every_page_of_a_role_is_for_everybody(stack: Stack, browser: Browser, role: str) -> None:
    """Nothing for a checker of accessibility to find, and no page wider than its window, at 1280 and at 360 px."""
    context = stack.context(browser, role) if role else browser.new_context(locale="nl-NL")
    context.set_default_timeout(stories.PATIENCE)
    found: list[tuple[str, int, str, list[str]]] = []
    for path in stories.PATHS[role]:
        page = stack.open(context, path, stack.login(role) if role else None)
        found += [(path, *one) for one in at_both_widths(page)]
        page.close()
    for path in ("/aanleveren/", "/nergens/") if role == "operator" else ():  # not for this role, and not at all
        page = context.new_page()
        answer = page.goto(f"{stack.portal}{path}")
        assert answer is not None
        assert answer.status in {403, 404}
        found += [(path, *one) for one in at_both_widths(page)]
    context.close()
    assert found == []


def at_both_widths(page: Page) -> list[tuple[int, str, list[str]]]:
    """Faults of a page as it is now, wide and narrow; it scrolls to the side at neither."""
    found: list[tuple[int, str, list[str]]] = []
    for width in (360, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        found += [(width, *one) for one in faults(page)]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append((width, "wider than its window", [page.url]))
    return found


def faults(page: Page) -> list[tuple[str, list[str]]]:
    """What a checker of accessibility finds: rule and the first places."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [(one["id"], [node["html"][:200] for node in one["nodes"]][:3]) for one in found]


def test_nobody_who_runs_it_ever_had_a_number(stack: Stack) -> None:
    """Every number of the stories, in any form, in what browsers sent and in all that the stack keeps: last of all."""
    used = frozenset(NUMBERS) | {cells[0] for cells in stack.rows()}
    scan = Scan(People(used))
    for address, body in stack.heard:
        scan.piece("address", address.encode())
        scan.piece(f"body to {address.partition('?')[0]}", body)
    scan.tree(stack.home)
    assert scan.hits == []
    assert len(stack.heard) > 100
    assert scan.bytes_read > 5_000_000
    assert any(len(body) > 100_000 for _, body in stack.heard)  # the sealed bodies were heard
    scan.piece("planted", f"x{NUMBERS[0]}y".encode())
    assert [hit.place for hit in scan.hits] == ["planted"]
