"""A broker, an engine and the stages as real processes in a temporary folder: no installation is touched."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import psutil

from connectors.delivery.signers import hub
from crypto import authority, keys
from local.errors import StackError
from local.kafka.broker import Broker
from local.leash import leashed
from local.ports import free_port
from settings.settings import load_settings
from sinks.access import Access
from sinks.schema import migrate
from transport import topics
from transport.clients import Cluster

PARTITIONS: Final = 4
STAGES: Final = ("evaluate", "entry", "trajectories", "deliveries", "sink")
_USERS: Final = ("admin", "sink", "grafana", "replay")
_READY_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 25.0


class Measured:
    """A process whose use of the machine is looked at from outside."""

    def __init__(self, command: Sequence[str], environment: dict[str, str], log: Path) -> None:
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                leashed(command), env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        self._log, self._seen = log, psutil.Process(self._process.pid)

    def cpu(self) -> float:
        """Processor seconds used so far, of all its threads."""
        times = self._seen.cpu_times()
        return float(times.user + times.system)

    def memory(self) -> float:
        """Largest resident size so far, in MB; where the system does not tell, the present one."""
        try:
            status = Path(f"/proc/{self._process.pid}/status").read_text("utf-8")
        except OSError:
            return float(self._seen.memory_info().rss) / 2**20
        lines = [line for line in status.splitlines() if line.startswith("VmHWM")]
        return int(lines[0].split()[1]) / 1024 if lines else 0.0

    def ended(self) -> int | None:
        """Its exit code, or None while it runs."""
        return self._process.poll()

    def require(self) -> None:
        """``StackError`` with the end of its log when it has ended."""
        if self.ended() is not None:
            tail = self._log.read_text("utf-8", errors="replace")[-1500:]
            raise StackError(f"A measured process ended with {self.ended()}: {tail}")

    def stop(self) -> None:
        """End it in order, by force when that takes long."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def kill(self) -> None:
        """End it at once, as a machine that fails does."""
        self._process.kill()
        self._process.wait()


class Services:
    """The running services of one benchmark, and processes of the stream on them."""

    def __init__(self, home: Path, cluster: Cluster, url: str, passwords: dict[str, str]) -> None:
        self.home, self.cluster, self.url, self._passwords = home, cluster, url, passwords
        self.keys, self.authority = home / "keys", home / "authority"
        self.running: dict[str, Measured] = {}
        self._ports: dict[str, int] = {}

    def access(self, user: str) -> Access:
        """How a user reaches the engine."""
        return Access(self.url, user, self._passwords[user])

    def environment(self, user: str = "admin") -> dict[str, str]:
        """Settings of a child process; those of the caller's own installation do not reach it."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("SOR_")}
        return {
            **inherited,
            "SOR_HOME": str(self.home),
            "SOR_CACHE": str(load_settings().cache),
            "SOR_KAFKA": self.cluster.bootstrap,
            "SOR_PARTITIONS": str(PARTITIONS),
            "SOR_CLICKHOUSE": self.url,
            "SOR_CLICKHOUSE_PASSWORD_FILE": str(self.home / "secrets" / user),
            "SOR_CLICKHOUSE_USER": user,
            "SOR_LOG_LEVEL": "WARNING",
            "NO_COLOR": "1",
            # rbcl unpacks its library into a file that a killed process leaves behind: 2.8 MB each.
            "TMPDIR": str(self.home / "tmp"),
        }

    def process(self, *words: str, user: str = "admin") -> Measured:
        """A process of Python: ``words`` follow ``python -m``."""
        log = self.home / "log" / f"{words[-1] if len(words[-1]) < 30 else words[0]}.log"
        return Measured([sys.executable, "-m", *words], self.environment(user), log)

    def start(self, *stages: str) -> None:
        """Start stages and wait until each is ready."""
        for stage in stages:
            port = self._ports[stage] = free_port()
            words = ("sor", "run", "--metrics-port", str(port), stage)
            self.running[stage] = self.process(*words, user="sink" if stage == "sink" else "admin")
        for stage in stages:
            until(lambda stage=stage: self._ready(stage), f"{stage} is ready", _READY_SECONDS)  # type: ignore[misc]

    def _ready(self, stage: str) -> bool:
        self.running[stage].require()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._ports[stage]}/ready", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def stop(self, *stages: str) -> None:
        """Stop stages, all of them when none is named."""
        for stage in stages or tuple(self.running):
            self.running.pop(stage).stop()


def until(true: Callable[[], bool], what: str, seconds: float, pause: float = 0.05) -> None:
    """Poll a condition. ``StackError`` when it does not come true."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise StackError(f"Waited {seconds:.0f} s and not yet: {what}. Is the machine busy with something else?")
        time.sleep(pause)


@contextmanager
def services(*, clickhouse: bool = False) -> Iterator[Services]:
    """A broker with the declared topics and fresh keys, with ``clickhouse`` also the engine and its tables."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sor-bench-")))
        passwords = {user: secrets.token_hex(16) for user in _USERS}
        _write_secrets(home, passwords)
        (home / "log").mkdir()
        (home / "tmp").mkdir()
        broker = stack.enter_context(Broker(home, free_port(), free_port(), load_settings().cache))
        url = "http://127.0.0.1:9"
        if clickhouse:
            from local.clickhouse.gateway import Gateway  # brings the whole engine along

            url = stack.enter_context(Gateway(home, free_port(), passwords)).url
            migrate.apply(Access(url, "admin", passwords["admin"]), lambda _sentence: None)
        made = Services(home, Cluster(broker.bootstrap), url, passwords)
        keys.init(made.keys)
        authority.init(made.authority, made.keys, "bench", development=True)
        hub(made.keys, made.authority, "bench")
        topics.apply(made.cluster, topics.plan(made.cluster, PARTITIONS), PARTITIONS)
        stack.callback(made.stop)
        yield made


def _write_secrets(home: Path, passwords: dict[str, str]) -> None:
    folder = home / "secrets"
    folder.mkdir(mode=0o700)
    for user, password in passwords.items():
        descriptor = os.open(folder / user, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(password)
