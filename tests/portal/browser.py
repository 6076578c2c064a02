"""Node and a real browser for the tests of what runs in a browser: both come with the locked packages of the bundle."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from ctypes.util import find_library
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest

from portal.browser.build import installed, node, sources

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SCRIPTS: Final = Path(__file__).parent / "browser_scripts"
_ASK: Final = """
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import chromium, { inflate } from '@sparticuz/chromium'
chromium.setGraphicsMode = false
const entry = createRequire(import.meta.url).resolve('@sparticuz/chromium')
const libraries = join(await inflate(join(dirname(entry), '..', 'bin', 'al2023.tar.br')), 'lib')
console.log(JSON.stringify({ path: await chromium.executablePath(), args: chromium.args, libraries }))
"""
#: What a page of a test may not be spared: the package switches both off, to read pages of strangers.
_NOT: Final = ("--disable-web-security", "--single-process", "--no-zygote", "--allow-running-insecure-content")


def run(folder: Path, script: str, given: object = None) -> Any:
    """What a script of ``browser_scripts`` prints, when it gets ``given``: both as JSON. ``folder``: of ``sources``."""
    place = folder / script
    place.write_text((SCRIPTS / script).read_text("utf-8"), "utf-8")
    answer = subprocess.run(
        [node(), str(place)], input=json.dumps(given).encode(), cwd=folder, capture_output=True, check=False
    )
    assert answer.returncode == 0, answer.stderr.decode()[-2000:]
    return json.loads(answer.stdout)


@pytest.fixture(scope="session")
def browser_sources() -> Iterator[Path]:
    """The sources with their packages, for scripts under Node."""
    with sources() as folder:
        yield folder


class Chromium(NamedTuple):
    """The Chromium that npm brought. ``libraries``: a folder with those that a system may lack."""

    path: str
    arguments: list[str]
    libraries: str

    @property
    def environment(self) -> dict[str, str | float | bool]:
        """What it is started with: its own libraries where this system has none."""
        has_them = all(find_library(name) for name in ("nss3", "nspr4", "expat"))
        return {**os.environ, **({} if has_them else {"LD_LIBRARY_PATH": self.libraries})}


def chromium() -> Chromium:
    """Where it is; unpacked at the first use."""
    folder = installed()
    place = folder / "chromium"
    place.mkdir(exist_ok=True)
    environment = {**os.environ, "TMPDIR": str(place)}
    answer = subprocess.run(
        [node(), "--input-type=module", "-e", _ASK], cwd=folder, env=environment, capture_output=True, check=True
    )
    told = json.loads(answer.stdout)
    return Chromium(told["path"], [one for one in told["args"] if not one.startswith(_NOT)], told["libraries"])


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A running Chromium; each test opens a context of its own (``browser.new_context()``).

    Not of the session: while it runs, this thread has an event loop, which other tests would trip over.
    """
    from playwright.sync_api import sync_playwright

    found = chromium()
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found.path, args=found.arguments, env=found.environment)
        yield running
        running.close()
