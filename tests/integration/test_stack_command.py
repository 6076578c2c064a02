"""``sor up`` to ``sor down`` with everything real, in a home and on ports of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from sor.stack.services import STAGES
from sor.stack.state import read_statuses

pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse, pytest.mark.slow]


class Sor:
    """The command, in a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        settings = {name: "" for name in os.environ if name.startswith("SOR_") and name != "SOR_CACHE"}
        self._environment = {**os.environ, **settings, "SOR_HOME": str(home)}

    def __call__(self, *words: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "sor", *words]
        return subprocess.run(command, env=self._environment, capture_output=True, text=True, timeout=180, check=False)


@pytest.fixture
def sor(tmp_path: Path) -> Iterator[Sor]:
    command = Sor(tmp_path / "home")
    yield command
    command("down")


def test_up_status_and_an_end_by_force(sor: Sor) -> None:
    assert sor("status").returncode == 3

    up = sor("up", "--detach")
    assert up.returncode == 0, up.stdout + up.stderr
    assert "The stack is up." in up.stdout

    status = sor("status", "--json")
    assert status.returncode == 0
    document = json.loads(status.stdout)
    states = {process["name"]: process["state"] for process in document["processes"]}
    assert states == dict.fromkeys(("kafka", "clickhouse", *STAGES), "ready") | dict.fromkeys(
        ("keys", "topics", "migrate"), "done"
    )
    assert {path.stat().st_mode & 0o077 for path in sor.home.glob("secrets/*")} == {0}

    second = sor("up")
    assert second.returncode != 0
    assert "already running" in second.stderr

    supervisor = psutil.Process(document["pid"])
    children = supervisor.children(recursive=True)
    assert len(children) >= len(STAGES) + 2
    supervisor.kill()
    _, alive = psutil.wait_procs(children, timeout=20)
    assert alive == []
    assert sor("status").returncode == 3
    assert "No stack is running" in sor("down").stdout


def test_down_stops_everything_and_up_finds_it_again(sor: Sor) -> None:
    assert sor("up", "--detach").returncode == 0
    cluster = (sor.home / "kafka" / "data" / "meta.properties").read_text()
    pids = [status.pid for status in read_statuses(sor.home)[0] if status.pid]
    assert "The stack is stopped." in sor("down").stdout
    assert not [pid for pid in pids if psutil.pid_exists(pid)]

    again = sor("up", "--detach")
    assert again.returncode == 0, again.stdout + again.stderr
    assert (sor.home / "kafka" / "data" / "meta.properties").read_text() == cluster
    steps = {status.name: status.detail for status in read_statuses(sor.home)[0]}
    assert steps["keys"] == "was done before"
