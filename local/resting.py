"""One process of the running stack that an operator lets rest: a mark in ``<home>/run/resting``, which the supervisor
obeys within a second. What changes the state of a stage needs that no worker of it runs.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from local.errors import StackError
from local.state import current_statuses
from settings.running import run_dir, running_supervisor

#: Seconds for a process to end, or to be ready again.
PATIENCE: Final = 60.0
RESTING: Final = "resting"
_POLL: Final = 0.1


def rests(home: Path, name: str) -> bool:
    """Whether this process is to rest."""
    return _mark(home, name).exists()


def forget(home: Path) -> None:
    """Nobody rests any more: a stack that starts, starts all of it."""
    for mark in _mark(home, "x").parent.glob("*"):
        mark.unlink(missing_ok=True)


def stop(home: Path, name: str) -> None:
    """Have the process end, and wait until it has.

    Raises:
        StackError: no such process runs here, or it did not end.
    """
    _require(home, name)
    _mark(home, name).parent.mkdir(parents=True, exist_ok=True)
    _mark(home, name).touch()
    _until(home, name, lambda state: state == RESTING, "did not end")


def start(home: Path, name: str) -> None:
    """Have it run again, and wait until it is ready.

    Raises:
        StackError: no such process is known here, or it was not ready in time.
    """
    _require(home, name)
    _mark(home, name).unlink(missing_ok=True)
    _until(home, name, lambda state: state == "ready", "is not ready")


def _mark(home: Path, name: str) -> Path:
    return run_dir(home) / RESTING / name


def _require(home: Path, name: str) -> None:
    if running_supervisor(home) is None:
        raise StackError(f"No stack is running in {home.absolute()}. Start it with: sor up")
    names = [status.name for status in current_statuses(home) if status.state not in ("done", "reachable")]
    if name not in names:
        raise StackError(f"{name} is no process of this stack. There are: {', '.join(names)}.")


def _until(home: Path, name: str, reached: Callable[[str], bool], words: str) -> None:
    until = time.monotonic() + PATIENCE
    while not any(status.name == name and reached(status.state) for status in current_statuses(home)):
        if time.monotonic() > until:
            raise StackError(f"{name} {words} within {PATIENCE:.0f} s. See sor status and sor logs {name}.")
        time.sleep(_POLL)
