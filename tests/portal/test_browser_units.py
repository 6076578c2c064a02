"""The units of the scripts, in Node's own test runner."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from portal.browser import build
from tests.portal.browser import SCRIPTS, browser_sources

__all__ = ["browser_sources"]


def test_units(browser_sources: Path) -> None:
    place = browser_sources / "units.test.mjs"
    place.write_text((SCRIPTS / place.name).read_text("utf-8"), "utf-8")
    told = subprocess.run(
        [build.node(), "--test", str(place)], cwd=browser_sources, capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stdout[-4000:]
    assert "# fail 0" in told.stdout or "fail 0" in told.stdout


def test_the_page_on_privacy_has_the_hashes_of_the_scripts() -> None:
    page, manifest = build.PAGE.read_text("utf-8"), (build.STATIC / build.MANIFEST).read_bytes()
    assert build.with_hashes(page, manifest) == page
    assert page.count(json.loads(manifest)["js/worker.js"]) == 1
    assert build.with_hashes(page, manifest.replace(b"js/worker.js", b"js/other.js")) != page
