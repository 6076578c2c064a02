"""The running intake against its own description: schemathesis makes requests, good and wrong, and judges them."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from connectors.intake.config import IntakeLimits
from tests.connectors.intake_support import Running, intake, rap
from tests.connectors.support import Regie

_LIMITS = IntakeLimits(uploads_per_minute=10_000_000, reads_per_minute=10_000_000)
#: A body is any bytes to the description; that most of them are no file of ours is a 422 or, for a zip file, a 415.
_SETTINGS = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "401", "404", "415", "422"]
"""


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[Running]:
    async with intake(tmp_path, _LIMITS) as running:
        yield running


async def test_every_answer_is_as_described(live: Running, tmp_path: Path) -> None:
    for content in (rap(), Regie().bytes()):
        await live.post(content)  # so that a search finds something
    (tmp_path / "schemathesis.toml").write_text(_SETTINGS)
    command = [
        shutil.which("schemathesis", path=str(Path(sys.executable).parent)) or "schemathesis",
        *("--config-file", str(tmp_path / "schemathesis.toml")),
        *("run", f"{live.base}/openapi.json", "--header", f"Authorization: {live.auth()['Authorization']}"),
        *(
            "--checks",
            "all",
            "--max-examples",
            "20",
            "--seed",
            "1",
            "--max-time",
            "15",
            "--suppress-health-check",
            "all",
        ),
    ]
    process = await asyncio.create_subprocess_exec(
        *command, cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said = (await asyncio.wait_for(process.communicate(), 150))[0].decode()
    assert process.returncode == 0, said[-6000:]
    assert "Tested: 4" in said, said  # all but the description itself


async def test_every_described_address_with_a_token_wants_one(live: Running) -> None:
    _, description = await live.get("/openapi.json")
    _, body = await live.post(rap())
    wanted = 0
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            address = live.base + path.replace("{id}", body["aanlevering"])
            async with live.session.request(method, address) as answer:
                assert (answer.status == 401) == ("security" in operation), path
            wanted += "security" in operation
    assert wanted == 4
