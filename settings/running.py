"""Whether the one-machine stack of a home runs: its supervisor holds ``<home>/run``.

A pid alone can be another program's by now, so it is written with the start time of its process.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

import psutil

_CLOCK_SLACK: Final = 5.0  # the start time of a process moves a little when the clock is set


def run_dir(home: Path) -> Path:
    """Folder of what the supervisor tells the other commands."""
    return home / "run"


def running_supervisor(home: Path) -> int | None:
    """Pid of the supervisor of this home; None when none runs, also when a stale pid file says otherwise."""
    pid, started = supervisor_pid(home)
    return pid if pid is not None and is_alive(pid, started) else None


def is_alive(pid: int, started: float | None) -> bool:
    """Whether that very process still runs."""
    try:
        process = psutil.Process(pid)
        same = started is None or abs(process.create_time() - started) < _CLOCK_SLACK
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def supervisor_pid(home: Path) -> tuple[int | None, float | None]:
    """What the supervisor wrote of itself: pid and start time."""
    try:
        pid, started = (run_dir(home) / "supervisor.pid").read_text("utf-8").split()
        return int(pid), float(started)
    except (FileNotFoundError, ValueError):
        return None, None


def process_of(home: Path, name: str) -> int | None:
    """Pid of a process that the supervisor of this home runs; None when it does not run, or no supervisor does."""
    if running_supervisor(home) is None:
        return None
    try:
        document = json.loads((run_dir(home) / "state.json").read_text("utf-8"))
        known = {entry["name"]: (entry["pid"], entry["started"]) for entry in document["processes"]}
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    pid, started = known.get(name, (None, None))
    return pid if pid is not None and is_alive(pid, started) else None


def manager_address() -> str:
    """Where the service manager that started this process listens (``systemd``); empty when there is none."""
    return os.environ.get("NOTIFY_SOCKET", "")
