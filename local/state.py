"""What the supervisor leaves in ``<home>/run`` for the other commands: who it is, and how each process is.

A pid alone can be another program's by now, so each one is written with the start time of its process.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import psutil

from local.errors import StackError
from settings.running import is_alive, run_dir, running_supervisor, supervisor_pid


@dataclass(frozen=True)
class Status:
    """One process. ``since`` is Unix time of the last change; ``started`` the start time of ``pid``."""

    name: str
    state: str
    detail: str = ""
    since: float = 0.0
    restarts: int = 0
    pid: int | None = None
    started: float | None = None

    @property
    def up(self) -> bool:
        """Ready, or a step that is done."""
        return self.state in ("ready", "done", "reachable")


@contextlib.contextmanager
def only_supervisor(home: Path) -> Iterator[None]:
    """Hold the home for one supervisor; the kernel gives it back however that one ends.

    Raises:
        StackError: another supervisor has it.
    """
    run_dir(home).mkdir(parents=True, exist_ok=True)
    with (run_dir(home) / "supervisor.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = running_supervisor(home)
            who = f" (process {pid})" if pid else ""
            raise StackError(f"The stack in {home.absolute()} is already running{who}. See sor status.") from None
        (run_dir(home) / "supervisor.pid").write_text(f"{os.getpid()} {psutil.Process().create_time()}\n", "utf-8")
        try:
            yield
        finally:
            (run_dir(home) / "supervisor.pid").unlink(missing_ok=True)


def stale_pid(home: Path) -> int | None:
    """Pid in a pid file whose process is gone: the supervisor was killed or the machine went down."""
    pid, started = supervisor_pid(home)
    return pid if pid is not None and not is_alive(pid, started) else None


def write_statuses(home: Path, statuses: Sequence[Status], error: str = "") -> None:
    """Replace the state file. A full disk is not the supervisor's end: the file then stays as it was."""
    path = run_dir(home) / "state.json"
    scratch = path.with_suffix(".new")
    try:
        scratch.write_text(json.dumps({"error": error, "processes": [asdict(status) for status in statuses]}), "utf-8")
        scratch.replace(path)
    except OSError as problem:
        if problem.errno != errno.ENOSPC:
            raise


def read_statuses(home: Path) -> tuple[list[Status], str]:
    """The processes as last written, and the sentence the last supervisor ended with (empty when it was in order)."""
    try:
        document = json.loads((run_dir(home) / "state.json").read_text("utf-8"))
        return [Status(**entry) for entry in document["processes"]], document["error"]
    except FileNotFoundError:
        return [], ""
    except (ValueError, KeyError, TypeError):
        raise StackError(f"{run_dir(home) / 'state.json'} cannot be read. Remove it and run sor up.") from None


def current_statuses(home: Path) -> list[Status]:
    """The processes as they are: one that was written as running and is gone (on a full disk nothing can be written
    about it) is ``gone``."""
    return [
        replace(status, state="gone", detail="", pid=None)
        if status.pid and not is_alive(status.pid, status.started)
        else status
        for status in read_statuses(home)[0]
    ]


def leftovers(home: Path) -> list[Status]:
    """Processes of a supervisor that is gone and that still run. On Linux the kernel ends them, so there are none."""
    if running_supervisor(home) is not None:
        return []
    return [status for status in read_statuses(home)[0] if status.pid and is_alive(status.pid, status.started)]


def end_leftovers(home: Path) -> list[str]:
    """Kill what an earlier supervisor left behind; returns the names."""
    names = []
    for status in leftovers(home):
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(status.pid)
            process.kill()
            process.wait(10)
        names.append(status.name)
    return names
