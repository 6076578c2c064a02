"""``sor up`` to ``sor down`` with everything real, in a home and on ports of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from local.services import STAGES
from local.state import read_statuses
from settings.running import running_supervisor

pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse, pytest.mark.slow]


class Sor:
    """The command, in a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        settings = {name: "" for name in os.environ if name.startswith("SOR_") and name != "SOR_CACHE"}
        self._environment = {**os.environ, **settings, "SOR_HOME": str(home)}

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "sor", *words]
        return subprocess.run(command, env=self._environment, capture_output=True, text=True, timeout=180, check=False)


@pytest.fixture
def sor(tmp_path: Path) -> Iterator[Sor]:
    command = Sor(tmp_path / "home")
    yield command
    command("down")


def test_up_down_up_and_an_end_by_force(sor: Sor) -> None:
    """One test, for each ``up`` takes some twenty seconds of two cores."""
    assert sor("status").returncode == 3
    _up(sor)
    _is_all_up(sor)
    _is_private(sor)
    _second_is_refused(sor)
    cluster = _cluster_id(sor)
    _stops(sor)
    _up(sor)
    assert _cluster_id(sor) == cluster
    assert {status.name: status.detail for status in read_statuses(sor.home)[0]}["keys"] == "was done before"
    _leaves_nothing_when_killed(sor)


def _up(sor: Sor) -> None:
    up = sor("up", "--detach")
    assert up.returncode == 0, up.stdout + up.stderr
    assert "The stack is up." in up.stdout


def _is_all_up(sor: Sor) -> None:
    status = sor("status", "--json")
    assert status.returncode == 0
    states = {process["name"]: process["state"] for process in json.loads(status.stdout)["processes"]}
    services = ("kafka", "clickhouse", *STAGES, "exporter", "audit", "intake", "portal", "recalculate")
    steps = ("keys", "authority", "topics", "migrate")
    assert states == dict.fromkeys(services, "ready") | dict.fromkeys(steps, "done")


def _is_private(sor: Sor) -> None:
    assert sor.home.stat().st_mode & 0o077 == 0
    assert {path.stat().st_mode & 0o077 for path in sor.home.glob("secrets/*")} == {0}


def _second_is_refused(sor: Sor) -> None:
    second = sor("up")
    assert second.returncode != 0
    assert "already running" in second.stderr


def _cluster_id(sor: Sor) -> str:
    return (sor.home / "kafka" / "data" / "meta.properties").read_text()


def _stops(sor: Sor) -> None:
    pids = [status.pid for status in read_statuses(sor.home)[0] if status.pid]
    assert len(pids) == len(STAGES) + 7  # and broker, engine, exporter, audit, intake, portal, recalculate
    assert "The stack is stopped." in sor("down").stdout
    assert not [pid for pid in pids if psutil.pid_exists(pid)]


def _leaves_nothing_when_killed(sor: Sor) -> None:
    pid = running_supervisor(sor.home)
    assert pid is not None
    supervisor = psutil.Process(pid)
    children = supervisor.children(recursive=True)
    assert len(children) >= len(STAGES) + 2
    supervisor.kill()
    _, alive = psutil.wait_procs(children, timeout=20)
    assert alive == []
    assert sor("status").returncode == 3
    assert "No stack is running" in sor("down").stdout
