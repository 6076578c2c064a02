"""Pictures of every page, kept in ``docs/portal``: ``python -m tests.portal.screenshots [FOLDER]``.

On a stack of its own with a made-up region. The pictures are looked at by people; no test compares them.
"""

from __future__ import annotations

import base64
import struct
import sys
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
from playwright.sync_api import sync_playwright

from tests.portal import stories
from tests.portal.browser import chromium
from tests.portal.conftest import PASSWORD, SECRET
from tests.portal.site import ready
from tests.portal.test_pages_for_everybody import PORTAL, Made, rendered, showing

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_PLACE: Final = Path("docs/portal")
#: What is further down than so many px is more of the same.
_HEIGHT: Final = 1_250
_COLOURS: Final = 40
_MOST_BYTES: Final = 60_000
#: The pixels of a picture, which a page that may do so unpacks.
_PIXELS: Final = """async (text) => {
  const image = new Image()
  image.src = `data:image/png;base64,${text}`
  await image.decode()
  const canvas = Object.assign(document.createElement('canvas'), { width: image.width, height: image.height })
  const context = canvas.getContext('2d')
  context.drawImage(image, 0, 0)
  const bytes = context.getImageData(0, 0, image.width, image.height).data
  const parts = []
  for (let at = 0; at < bytes.length; at += 32768) parts.push(String.fromCharCode(...bytes.subarray(at, at + 32768)))
  return btoa(parts.join(''))
}"""
#: Role -> address and name of the picture.
_PAGES: Final = {
    "": (("/account/login/", "inloggen"),),
    "medewerker": (
        ("/", "start"), ("/resultaten/", "resultaten"), ("/definities/", "definities"), ("/hulp/", "hulp"),
    ),
    "beheerder": (
        ("/gebruikers/", "gebruikers"), ("/gebruikers/uitnodigen/", "uitnodigen"),
        ("/contactpersonen/", "contactpersonen"), ("/sleutels/", "sleutels"),
    ),
    "contractmanager": (("/cluster/?uitsplitsing=leeftijd", "cluster"),),
    "gemeenteambtenaar": (("/gemeente/", "gemeente"),),
    "functioneel_beheerder": (("/kalender/", "kalender"), ("/organisaties/", "organisaties")),
    "operator": (("/gezondheid/", "gezondheid"), ("/controlelog/", "controlelog")),
}  # fmt: skip
#: State of a page (``tests.portal.test_pages_for_everybody``) -> name of the picture.
_STATES: Final = {
    "rapporten": "rapporten",
    "sleutelaanvraag, gevraagd": "sleutelaanvraag",
    "herberekeningen, compared": "herberekening",
}


def take(page: Page, folder: Path, name: str) -> None:
    """One picture with few colours."""
    page.wait_for_load_state("networkidle")
    width = page.evaluate("innerWidth")
    height = min(_HEIGHT, page.evaluate("document.documentElement.scrollHeight"))
    shot = page.screenshot(full_page=True, clip={"x": 0, "y": 0, "width": width, "height": height})
    browser = page.context.browser
    assert browser is not None
    other = browser.new_page()  # the policy of the portal lets no picture be drawn from a script
    pixels = base64.b64decode(other.evaluate(_PIXELS, base64.b64encode(shot).decode()))
    other.close()
    shown = np.frombuffer(pixels, np.uint8).reshape(-1, width, 4)[:, :, :3]
    while len(made := few_colours(shown)) > _MOST_BYTES:
        shown = shown[: len(shown) * 9 // 10]
    (folder / f"{name}.png").write_bytes(made)
    print(f"{name}.png: {len(made)} bytes")  # noqa: T201


def few_colours(pixels: npt.NDArray[np.uint8]) -> bytes:
    """A PNG of (height, width, 3) with the colours that most pixels have; every other is the nearest of them."""
    height, width, _ = pixels.shape
    flat = pixels.reshape(-1, 3).astype(np.int64)
    codes, inverse, counts = np.unique(flat @ (1 << 16, 1 << 8, 1), return_inverse=True, return_counts=True)
    every = np.stack((codes >> 16, codes >> 8 & 255, codes & 255), axis=1)
    bright = every.max(axis=1) - every.min(axis=1)  # a few pixels in colour say more than many shades of grey
    palette = every[np.argsort(-counts * (16 + bright), kind="stable")[:_COLOURS]]
    nearest = ((every[:, None, :] - palette[None, :, :]) ** 2).sum(axis=2).argmin(axis=1).astype(np.uint8)
    rows = np.zeros((height, width + 1), np.uint8)  # before each row its filter: none
    rows[:, 1:] = nearest[inverse.reshape(-1)].reshape(height, width)
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = (
        (b"IHDR", head),
        (b"PLTE", palette.astype(np.uint8).tobytes()),
        (b"IDAT", zlib.compress(rows, 9)),
        (b"IEND", b""),
    )
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _delivering(stack: stories.Stack, browser: Browser, folder: Path) -> None:
    """The page of delivering, empty and with rows that were refused, wide and narrow; then the list."""
    for width, name in ((1280, "aanleveren"), (360, "aanleveren-360")):
        context = stack.context(browser, "medewerker", width)
        page = stories.desk(stack, context)
        take(page, folder, name)
        rows = stack.rows()[:6] if width == 1280 else stack.rows()[6:9]
        stories.paste(page, [*rows, (rows[0][0], "", "3", "D1O", "7"), ("12345678", "", "3", "D1O", "1")])
        page.click("#leveren")
        stories.done(page)
        take(page, folder, f"{name}-verwerkt")
        page.close()
        page = stories.desk(stack, context, "/aanleveringen/")
        page.wait_for_selector("#lijst-aanleveringen tbody tr")
        take(page, folder, name.replace("aanleveren", "aanleveringen"))
        context.close()


def _pages(stack: stories.Stack, browser: Browser, folder: Path) -> None:
    for role, pages in _PAGES.items():
        context = stack.context(browser, role) if role else browser.new_context(locale="nl-NL")
        for path, name in pages:
            page = stack.open(context, path, stack.login(role) if role else None)
            for closed in page.locator("figure details").all()[:1]:
                closed.locator("summary").click()
            take(page, folder, name)
            page.close()
        context.close()


def _states() -> dict[str, Made]:
    """Pages in a state that needs more than this stack has: made by the portal, before a browser starts."""
    site = ready()
    from django.core.management import call_command
    from django.test.utils import setup_test_environment

    from tests.portal.people import make

    setup_test_environment()
    call_command("migrate", verbosity=0, interactive=False)
    call_command("createcachetable", verbosity=0)
    return rendered(site, make(PASSWORD, SECRET))


def states(place: Path) -> None:
    """Take those alone: in some seconds, for they need no stack."""
    made, found = _states(), chromium()
    with sync_playwright() as playwright:
        arguments = [*found.arguments, "--lang=nl-NL"]
        browser = playwright.chromium.launch(executable_path=found.path, args=arguments, env=found.environment)
        context = showing(browser, made)
        for state, name in _STATES.items():
            page = context.new_page()
            page.goto(f"{PORTAL}/{state}")
            take(page, place, name)
            page.close()
        browser.close()


def main(place: Path) -> None:
    """Take them all."""
    place.mkdir(parents=True, exist_ok=True)
    states(place)
    found = chromium()
    with (
        tempfile.TemporaryDirectory(prefix="sor-pictures-") as folder,
        stories.running(Path(folder)) as stack,
        sync_playwright() as playwright,
    ):
        arguments = [*found.arguments, "--lang=nl-NL"]
        browser = playwright.chromium.launch(executable_path=found.path, args=arguments, env=found.environment)
        _delivering(stack, browser, place)
        _pages(stack, browser, place)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else _PLACE)
