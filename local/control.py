"""Starting and stopping the whole stack: what ``sor up`` and ``sor down`` do."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from faults import OperatorFault
from local import logs, resting
from local.disk import full_disk_explained, require_space
from local.errors import StackError
from local.ports import choose_ports
from local.services import Service, plan, portal_address
from local.state import (
    Status,
    end_leftovers,
    only_supervisor,
    read_statuses,
    write_statuses,
)
from local.supervisor import Supervisor
from settings.ports import Ports
from settings.running import is_alive, running_supervisor
from settings.settings import Settings

_POLL_SECONDS = 0.1
_DOWN_SECONDS = 120.0
_HAND_OVER_SECONDS = 30.0

Show = Callable[[Sequence[Status]], None]


def run_stack(settings: Settings, show: Show) -> None:
    """Run the stack in the foreground until a signal stops it.

    Raises:
        OperatorFault: it cannot start, or a part failed; everything is stopped by then.
    """
    require_space(settings.home)
    with full_disk_explained(settings.home), only_supervisor(settings.home):
        end_leftovers(settings.home)
        write_statuses(settings.home, [])
        resting.forget(settings.home)
        try:
            ports = choose_ports(settings)
            fixed = settings.model_copy(update={"ports": ports.base})
            asyncio.run(supervise(settings.home, plan(fixed, ports), show))
        except OperatorFault as error:
            # For sor status, and for the sor up --detach that waits for us.
            write_statuses(settings.home, read_statuses(settings.home)[0], str(error))
            raise


async def supervise(home: Path, services: list[Service], show: Show) -> None:
    """Supervise ``services`` with the signals of this process."""
    supervisor = Supervisor(home, services, show)
    supervisor.handle_signals()
    await supervisor.run()


def detach(settings: Settings, show: Show) -> None:
    """Start the stack in the background and return when all of it is up.

    Raises:
        StackError: it runs already, or did not come up; the sentence is the background process's own.
    """
    require_space(settings.home)
    if pid := running_supervisor(settings.home):
        raise StackError(f"The stack in {settings.home.absolute()} is already running (process {pid}). See sor status.")
    write = logs.log_file(settings.log_dir, "supervisor")
    (settings.home / "run").mkdir(exist_ok=True)
    write_statuses(settings.home, [])
    with write.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "sor", "up"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    while process.poll() is None:
        statuses, _ = read_statuses(settings.home)
        show(statuses)
        if statuses and all(status.up for status in statuses):
            return
        time.sleep(_POLL_SECONDS)
    error = read_statuses(settings.home)[1] or next(iter(logs.tail(write, 1)), "")
    raise StackError(error or f"The stack ended at once. Look at {write}.")


def stop_stack(settings: Settings) -> list[str]:
    """Stop the stack of this home and wait until it is gone; returns what happened, one sentence each."""
    pid = running_supervisor(settings.home)
    if pid is None:
        ended = end_leftovers(settings.home)
        if ended:
            return [f"Ended what an earlier stack left behind: {', '.join(ended)}."]
        return [f"No stack is running in {settings.home.absolute()}."]
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    if _gone(pid, _DOWN_SECONDS):
        return ["The stack is stopped."]
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    _gone(pid, _HAND_OVER_SECONDS)
    end_leftovers(settings.home)
    return [f"The stack did not stop within {_DOWN_SECONDS:.0f} s and was ended by force. Its data are safe."]


def _gone(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while is_alive(pid, None):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def addresses(settings: Settings, ports: Ports) -> dict[str, str]:
    """Where to reach the two stores, the intake and the portal."""
    return {
        "portal": portal_address(ports),
        "intake": f"http://127.0.0.1:{ports.intake}",
        "kafka": settings.kafka or f"127.0.0.1:{ports.kafka}",
        "clickhouse": settings.clickhouse or f"http://127.0.0.1:{ports.clickhouse}",
    }
