"""Pages in a state that no story comes by, in a real browser: nothing for a checker of accessibility to find.

They are made by the portal itself, before the browser starts (with it comes an event loop, in which Django asks no
database), and a browser shows them as they were made, with their headers.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest

from settings.settings import Settings
from tests.portal.browser import browser
from tests.portal.conftest import session_of
from tests.portal.test_replays import OUTCOME
from tests.portal.test_stories import at_both_widths

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Route

__all__ = ["browser"]
pytestmark = pytest.mark.slow
PORTAL: Final = "http://localhost:8490"
STATIC: Final = Path(__file__).parents[2] / "portal" / "static"
REPORT: Final = "sor_aanbieder_94000001_duo_2026-09.pdf"


class Made(NamedTuple):
    """A page as the portal made it."""

    status: int
    headers: dict[str, str]
    body: bytes


@pytest.fixture(scope="module")
def made(site: Settings, people: dict[str, Any]) -> dict[str, Made]:
    """Name of a state -> its page."""
    return rendered(site, people)


def rendered(site: Settings, people: dict[str, Any]) -> dict[str, Made]:
    """Name of a state -> its page. What was put in the database and the outbox for it is gone again."""
    from django.db import transaction

    kept = site.home / "reports" / "2026-09"
    kept.mkdir(parents=True)
    (kept / REPORT).write_bytes(b"%PDF-1.7 een rapport")
    with transaction.atomic():
        point = transaction.savepoint()
        found = dict(_pages(people))
        transaction.savepoint_rollback(point)
    (kept / REPORT).unlink()
    kept.rmdir()
    return found


def _pages(people: dict[str, Any]) -> Iterator[tuple[str, Made]]:
    from portal.people.models import Bevestiging, Herberekening

    region, worker = people["functioneel_beheerder"], people["medewerker"]
    yield "rapporten", _page(worker, "/rapporten/")
    yield f"rapporten/2026-09/{REPORT}", _page(worker, f"/rapporten/2026-09/{REPORT}")
    for state in ("gevraagd", "afgegeven", "afgewezen"):
        one = _key_request(people, state)
        yield f"sleutelaanvraag, {state}", _page(region, f"/sleutelaanvragen/{one.pk}/")
        if state == "gevraagd":
            wrong = _page(region, f"/sleutelaanvragen/{one.pk}/", {"reason": ""})
            assert b"portal-wrong" in wrong.body
            yield "sleutelaanvraag, wrong", wrong
    yield "definitie, wrong", _page(region, "/definities/keten_dagen/", {"day": "maart", "waarde": "x"})
    yield "organisatie", _page(region, f"/organisaties/{worker.organisatie.pk}/")
    yield "herberekeningen, none", _page(region, "/herberekeningen/")
    Bevestiging.objects.create(
        definitie="keten_dagen", waarde="45", version=1, day=datetime.now(UTC), agreed="regio", noted_by=region
    )
    yield "herberekening, ask", _page(region, "/herberekeningen/vragen/vergelijken/")
    _page(region, "/herberekeningen/vragen/vergelijken/", {"sure": "on"}, status=302)
    yield "herberekeningen, asked", _page(region, "/herberekeningen/")
    one = Herberekening.objects.get()
    yield "herberekening, asked", _page(region, f"/herberekeningen/{one.pk}/")
    Herberekening.objects.filter(pk=one.pk).update(state="klaar", outcome=OUTCOME, ended=datetime.now(UTC))
    yield "herberekeningen, compared", _page(region, "/herberekeningen/")
    yield "herberekening, swap", _page(region, "/herberekeningen/vragen/invoeren/")
    Herberekening.objects.filter(pk=one.pk).update(state="mislukt", problem="half", outcome={})
    yield "herberekening, failed", _page(region, f"/herberekeningen/{one.pk}/")


def _page(user: Any, path: str, posted: dict[str, str] | None = None, status: int = 200) -> Made:
    client = session_of(user)
    answer = client.get(path) if posted is None else client.post(path, posted)
    assert answer.status_code == status, (path, answer.status_code)
    return Made(status, dict(answer.items()), answer.content)


def _key_request(people: dict[str, Any], state: str) -> Any:
    from portal.people.models import Sleutelaanvraag

    given = {"reason": "dubbel"} if state == "afgewezen" else {}
    return Sleutelaanvraag.objects.create(
        organisatie=people["beheerder"].organisatie, naam=f"rekenserver-{state}", kinds="cem score", state=state,
        public_key="x", fingerprint="0123456789abcdef" * 4, asked_by=people["beheerder"], **given,
    )  # fmt: skip


@pytest.fixture(scope="module")
def context(made: dict[str, Made], browser: Browser) -> Iterator[BrowserContext]:
    """A browser that finds these pages and the files beside them."""
    found = showing(browser, made)
    yield found
    found.close()


def showing(browser: Browser, made: dict[str, Made]) -> BrowserContext:
    """A browser profile that finds pages at their names, and the files beside them."""
    found = browser.new_context(locale="nl-NL", viewport={"width": 1280, "height": 900})
    found.route("**/*", lambda route: _answer(route, made))
    return found


def _answer(route: Route, made: dict[str, Made]) -> None:
    from urllib.parse import unquote

    path = unquote(route.request.url.removeprefix(f"{PORTAL}/"))
    if path in made:
        page = made[path]
        route.fulfill(status=page.status, headers=page.headers, body=page.body)
        return
    file = STATIC / path.removeprefix("static/")
    if path.startswith("static/") and file.is_file():
        route.fulfill(body=file.read_bytes(), content_type=mimetypes.guess_type(file.name)[0] or "")
    else:
        route.fulfill(status=404)


STATES = (
    "rapporten", "sleutelaanvraag, gevraagd", "sleutelaanvraag, wrong", "sleutelaanvraag, afgegeven",
    "sleutelaanvraag, afgewezen", "definitie, wrong", "organisatie", "herberekeningen, none", "herberekening, ask",
    "herberekeningen, asked", "herberekening, asked", "herberekeningen, compared", "herberekening, swap",
    "herberekening, failed",
)  # fmt: skip


def test_nothing_keeps_anybody_out(made: dict[str, Made], context: BrowserContext) -> None:
    """At 1280 and at 360 px; and none is wider than its window."""
    assert {*STATES, f"rapporten/2026-09/{REPORT}"} == set(made)
    page, found = context.new_page(), {}
    for name in STATES:
        page.goto(f"{PORTAL}/{name}")
        assert page.locator("main h1").count() == 1
        assert page.evaluate("getComputedStyle(document.querySelector('.utrecht-link')).color") != "rgb(0, 0, 238)"
        if faults := at_both_widths(page):
            found[name] = faults
    page.close()
    assert found == {}


def test_a_report_is_listed_and_saved(made: dict[str, Made], context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(f"{PORTAL}/rapporten")
    row = page.locator("tbody tr").inner_text()
    assert "september 2026" in row
    assert "Duo" in row
    link = page.get_by_role("link", name=REPORT)
    assert link.get_attribute("download") is not None
    saved = made[str(link.get_attribute("href")).removeprefix("/")]
    assert saved.headers["Content-Disposition"] == f'attachment; filename="{REPORT}"'
    assert saved.body == b"%PDF-1.7 een rapport"
    page.close()
