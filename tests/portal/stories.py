"""A whole stack with care in it, and people in browsers: for the stories of each role, and for the screenshots."""

from __future__ import annotations

import base64
import csv
import hmac
import json
import os
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from domain.field.geography import CLUSTERS
from results.release.rows import AGES
from settings.access import clickhouse_access
from settings.settings import Settings, load_settings
from sinks import clickhouse
from sinks.schema.audiences import COMPARISON, of_cluster, of_gemeente, of_providers
from sinks.tables import RECEIPTS
from sinks.writer import Writer
from tests.results import audience_tables
from tests.sinks.rows import receipt
from tools import demo
from tools.simulator import SimulationConfig, simulate

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

#: Milliseconds that a step of a browser may take where many tests run.
PATIENCE: Final = 60_000
CLUSTER: Final = "DUO"
TOWN: Final = "0384"
_KEYS: Final = ("nut_gemiddelde", "zonder_hulp", "gas_bereikt", "geen_nieuwe_start", "uitval", "respons_cem")
_AGES: Final = tuple(AGES.values())
#: Role -> the pages that no role before it has; without a role, those of who has not logged in.
PATHS: Final[Mapping[str, tuple[str, ...]]] = {
    "": ("/account/login/", "/account/password/reset/"),
    "medewerker": (
        "/", "/aanleveren/", "/aanleveringen/", "/resultaten/", "/rapporten/", "/definities/", "/hulp/",
        "/account/2fa/", "/account/password/change/", "/account/sessions/",
    ),
    "beheerder": (
        "/", "/gebruikers/", "/gebruikers/uitnodigen/", "/contactpersonen/", "/sleutels/", "/sleutels/aanvragen/",
    ),
    "contractmanager": ("/", "/cluster/", "/cluster/?uitsplitsing=leeftijd", "/rapporten/"),
    "gemeenteambtenaar": ("/", "/gemeente/"),
    "functioneel_beheerder": (
        "/", "/kalender/", "/organisaties/", "/organisaties/1/", "/gebruikers/",
        "/gebruikers/1/", "/sleutelaanvragen/", "/definities/", "/definities/keten_dagen/", "/herberekeningen/",
    ),
    "operator": ("/", "/gezondheid/", "/controlelog/"),
}  # fmt: skip


@dataclass
class Login:
    """Somebody who can log in. ``cookies``: of the session, once there is one."""

    email: str
    password: str
    secret: str
    cookies: Any = None

    def code(self) -> str:
        """What the authenticator app shows now (RFC 6238)."""
        digest = hmac.digest(base64.b32decode(self.secret), struct.pack(">Q", int(time.time()) // 30), "sha1")
        at = digest[-1] & 15
        return f"{(int.from_bytes(digest[at : at + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06}"


@dataclass
class Stack:
    """A running stack. ``heard``: every request of every browser, with its body: (address, bytes)."""

    home: Path
    files: Path
    heard: list[tuple[str, bytes]] = field(default_factory=list)
    logins: dict[str, Login] = field(default_factory=dict)
    agbs: tuple[str, str] = ("", "")
    portal: str = ""
    intake: str = ""

    @property
    def settings(self) -> Settings:
        """Of the house."""
        return load_settings(home=self.home)

    def sor(self, *words: str) -> str:
        """What the command says."""
        settings = {name: "" for name in os.environ if name.startswith("SOR_") and name != "SOR_CACHE"}
        environment = {**os.environ, **settings, "SOR_HOME": str(self.home)}
        command = [sys.executable, "-m", "sor", *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=False)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of ClickHouse, as who may see all."""
        client = clickhouse.connect(replace(clickhouse_access(self.settings, "admin"), database="sor"))
        try:
            return clickhouse.select(client, query)
        finally:
            client.close()

    def rows(self) -> list[tuple[str, ...]]:
        """The scores that the first provider has and nobody delivered: BSN, beschikking, toewijzing, type, value."""
        found: list[tuple[str, ...]] = []
        for path in sorted((self.files / "rap").glob(f"{self.agbs[0]}_*.csv")):
            with path.open(encoding="utf-8-sig", newline="") as text:
                found += [tuple(row) for row in csv.reader(text, delimiter=text.readline()[len("BSN")]) if row]
        return list({row[:4]: row for row in found}.values())

    def login(self, role: str, agb: str = "") -> Login:
        """Somebody in a role; of a provider, the first one where none is named."""
        return self.logins[role if role not in ("medewerker", "beheerder") else f"{role}.{agb or self.agbs[0]}"]

    def context(self, browser: Browser, role: str, width: int = 1280, agb: str = "") -> BrowserContext:
        """A browser profile in which somebody has logged in, by password and code the first time."""
        login = self.login(role, agb)
        size = {"width": width, "height": 900}
        made = browser.new_context(
            locale="nl-NL", timezone_id="Europe/Amsterdam", viewport=size, storage_state=login.cookies  # type: ignore[arg-type]
        )  # fmt: skip
        made.set_default_timeout(PATIENCE)
        made.on("request", lambda one: self.heard.append((one.url, one.post_data_buffer or b"")))
        if login.cookies is None:
            page = made.new_page()
            self.enter(page, login)
            login.cookies = made.storage_state()
            page.close()
        return made

    def enter(self, page: Page, login: Login) -> None:
        """Log in as people do."""
        page.goto(self.portal)
        page.fill("input[name=login]", login.email)
        page.fill("input[name=password]", login.password)
        page.get_by_role("button", name="Log in", exact=True).click()
        page.fill("input[name=code]", login.code())
        page.locator("main form button[type=submit]").first.click()
        page.wait_for_selector("text=Welkom,")

    def open(self, context: BrowserContext, path: str, login: Login | None = None) -> Page:
        """A page of the portal; where it asks once more who it is, the password."""
        page = context.new_page()
        answer = page.goto(f"{self.portal}{path}")
        assert answer is not None
        assert answer.ok, (path, answer.status)
        if "reauthenticate" in page.url:
            assert login is not None
            page.fill("input[name=password]", login.password)
            page.locator("main form button[type=submit]").first.click()
        assert page.url == f"{self.portal}{path}", page.url
        return page


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


@contextmanager
def running(folder: Path) -> Iterator[Stack]:
    """Kafka, ClickHouse, all stages, intake and portal, with a small region in it and somebody of every role."""
    folder.mkdir(parents=True, exist_ok=True)
    stack = Stack(folder / "home", folder / "files")
    prepare(stack)
    try:
        stack.sor("up", "--detach")
        fill(stack)
        yield stack
    finally:
        stack.sor("down")


def prepare(stack: Stack) -> None:
    """Files of a small region, and its two providers with most care on the list of who sees its own results."""
    until = demo.last_half_year(datetime.now(UTC).date())
    simulate(SimulationConfig(200, 12, 11, until, False), stack.files)
    stack.home.mkdir(mode=0o700, exist_ok=True)
    first, second = demo.admit(stack.home, stack.files, 2)
    stack.agbs = (first.agb, second.agb)


def fill(stack: Stack) -> None:
    """Messages and questionnaires of the region, released figures, and people. Its scores are left to the stories."""
    status = json.loads(stack.sor("status", "--json"))
    places = {one["name"]: one["detail"] for one in status["processes"]}
    stack.portal, stack.intake = places["portal"], places["intake"]
    demo.deliver_at_once(stack.settings, stack.files, lambda _told: None)
    _release(stack)
    _delivered_before(stack)
    people(stack)


def people(stack: Stack) -> None:
    """Somebody of every role, by role, and of a provider by role and AGB code."""
    for line in stack.sor("portal", "example", *stack.agbs, "--second-factor").splitlines():
        words = line.split()
        if len(words) > 3 and "@" in words[0]:
            name = words[0].partition("@")[0].replace("functioneel.beheerder", "functioneel_beheerder")
            stack.logins[name] = Login(words[0], words[1], words[-1])


def _delivered_before(stack: Stack) -> None:
    """What the first provider delivered in the three months before this one, and the second did not."""
    writer, first = Writer(replace(clickhouse_access(stack.settings, "admin"), database="sor")), datetime.now(UTC)
    rows: list[dict[str, Any]] = []
    for back in range(3):
        first = first.replace(day=1) - timedelta(days=15)
        at = int(first.timestamp() * 1000)
        for kind in ("score", "start", "stop")[back:]:
            rows.append(receipt(len(rows) + 1, 1, kind=kind, sender=stack.agbs[0], eerste=at, laatste=at))
    writer.insert(RECEIPTS, rows)
    writer.close()


def _release(stack: Stack) -> None:
    """Figures as a release has them: one of so few clients would hide nearly all of them."""
    client = clickhouse.connect(replace(clickhouse_access(stack.settings, "admin"), database="default"))
    try:
        for audience, places in {
            of_cluster(CLUSTER): [{"cluster": CLUSTER, "snede": "cluster"}],
            **{of_providers(one): [{"cluster": one, "snede": "cluster"}] for one in CLUSTERS},
            of_gemeente(TOWN): [{"gemeente": TOWN, "snede": "gemeente"}],
            COMPARISON: [{"cluster": one, "snede": "cluster"} for one in CLUSTERS],
        }.items():
            rows = [row for at, place in enumerate(places) for row in _figures(at, place)]
            audience_tables.insert(client, audience, rows)
    finally:
        client.close()


def _figures(at: int, place: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Every figure of a place as a whole, of two quarters beside it, and by age."""
    cuts = {**place, "snede": f"{place['snede']} leeftijd"}
    groups: list[dict[str, Any]] = [{**place}, *({**cuts, "leeftijd": name} for name in _AGES)]
    groups += [{**place, "periode_soort": "kwartaal", "periode": period} for period in ("2026-K2", "2026-K3")]
    for number, group in enumerate(groups):
        for place_of, key in enumerate(_KEYS):
            named: dict[str, Any] = {"indicator": key, "periode": "2026-K3", "peildatum": "2026-10-15", **group}
            if key.endswith("gemiddelde"):
                yield audience_tables.shown(gemiddelde=7.1 + (number + at) / 10, **named)
            else:
                share = 20 + (7 * place_of + 3 * number + 5 * at) % 60
                yield audience_tables.shown(percentage=share, teller=share, **named)
