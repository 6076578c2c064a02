"""The stack in a home of its own, started again whenever its supervisor ends, as a service manager does."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from threading import Event, Thread
from typing import Final

import psutil

from local import logs
from local.leash import leashed
from local.ports import is_free
from local.state import Status, current_statuses
from settings.ports import Ports
from settings.settings import Settings, load_settings
from tests.chaos.stack.plan import SUPERVISOR

_FIRST, _LAST, _BLOCK = 28_000, 32_600, 100
#: What a home says of the supervisor stands here.
_OUT: Final = "up"
_END_SECONDS: Final = 120.0


class Stack:
    """``sor up`` as a child process. Use it as a context manager."""

    def __init__(self, home: Path) -> None:
        self.home = home
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.ports = _free_ports()
        self.settings: Settings = load_settings(home=home, ports=self.ports.base)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("SOR_")}
        self.environment = {**inherited, "SOR_HOME": str(home), "SOR_PORTS": str(self.ports.base), "NO_COLOR": "1"}
        self.environment |= {"SOR_CACHE": str(self.settings.cache)}
        self.starts = 0
        self._enough = Event()
        self._up: subprocess.Popen[bytes] | None = None
        self._manager = Thread(target=self._manage, name="manager", daemon=True)

    def __enter__(self) -> Stack:
        # sor up dies with the thread that started it, which lives until the stack is no longer wanted
        self._manager.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        if self._up is not None and self._up.poll() is None:
            self._up.send_signal(18)  # SIGCONT: a stopped one hears nothing
            self._up.terminate()
        self._manager.join(_END_SECONDS)
        if self._up is not None and self._up.poll() is None:
            self._up.kill()
            self._up.wait()

    def _manage(self) -> None:
        while not self._enough.is_set():
            with logs.log_file(self.settings.log_dir, _OUT).open("ab") as log:
                self._up = subprocess.Popen(
                    leashed([sys.executable, "-m", "sor", "up"]), env=self.environment, stdin=subprocess.DEVNULL,
                    stdout=log, stderr=log, start_new_session=True,
                )  # fmt: skip
                self.starts += 1
                self._up.wait()

    def sor(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command of the project, as a user gives it."""
        command = [sys.executable, "-m", "sor", *words]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=300, check=False
        )  # fmt: skip

    def statuses(self) -> dict[str, Status]:
        """As the supervisor wrote them, but for what is gone since."""
        return {status.name: status for status in current_statuses(self.home)}

    def pid(self, whom: str) -> int | None:
        """Of a process that runs now; None when it does not."""
        if whom == SUPERVISOR:
            return self._up.pid if self._up is not None and self._up.poll() is None else None
        status = self.statuses().get(whom)
        return status.pid if status is not None else None

    def process(self, whom: str, seconds: float = 10.0) -> psutil.Process:
        """Of whom; waited for a little, for it may just be on its way back."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            pid = self.pid(whom)
            if pid is not None and psutil.pid_exists(pid):
                return psutil.Process(pid)
            time.sleep(0.1)
        raise AssertionError(f"{whom} has no process")

    def last_lines(self, whom: str, number: int = 12) -> list[str]:
        """Of the log of a process."""
        name = _OUT if whom == SUPERVISOR else whom
        return logs.tail(self.settings.log_dir / f"{name}.log", number)


def _free_ports() -> Ports:
    """Below the ports that the system itself gives out; not the first free block, which others take as well."""
    bases = range(_FIRST + (os.getpid() * _BLOCK) % (_LAST - _FIRST) // _BLOCK * _BLOCK, _LAST, _BLOCK)
    for base in (*bases, *range(_FIRST, _LAST, _BLOCK)):
        if all(is_free(port) for port in Ports(base).services()):
            return Ports(base)
    raise AssertionError("no block of ports is free")
