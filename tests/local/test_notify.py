"""A service manager hears that the supervisor works."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from local.notify import notify
from local.supervisor import Supervisor
from local.timing import Timing


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> socket.socket:
    """Where a service manager listens."""
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listening.bind(str(tmp_path / "notify"))
    listening.settimeout(5)
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    return listening


def test_it_hears_what_is_said(manager: socket.socket) -> None:
    with manager:
        notify("READY=1")
        assert manager.recv(100) == b"READY=1"


def test_nobody_to_hear_it_is_no_error(manager: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    manager.close()
    notify("READY=1")
    monkeypatch.delenv("NOTIFY_SOCKET")
    notify("READY=1")


def test_a_supervisor_says_that_it_turns_as_long_as_it_runs(manager: socket.socket, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()

    async def run() -> None:
        supervisor = Supervisor(tmp_path, [], lambda _statuses: None, Timing(beat=0.05))
        asyncio.get_running_loop().call_later(0.3, supervisor.stop)
        await supervisor.run()

    with manager:
        asyncio.run(run())
        assert manager.recv(100) == b"READY=1"
        assert [manager.recv(100) for _ in range(4)] == [b"WATCHDOG=1"] * 4
