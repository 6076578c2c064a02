"""The whole stream on the run's broker and engine: processes that can be killed, files that can be delivered."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import clickhouse_connect
from confluent_kafka.admin import AdminClient

from local.ports import free_port
from schemas.topics import READ_WHOLE, groups, topics
from tests.operations.emptied import gone
from tests.trusted import with_authority
from tools.simulator import compare
from transport.clients import Cluster

STAGES = ("evaluate", "entry", "takeback", "register", "trajectories", "deliveries", "sink")


class Stream:
    """The processes over one broker and one ClickHouse, in a folder of their own."""

    def __init__(self, home: Path, bootstrap: str, url: str, passwords: dict[str, str]) -> None:
        self.home, self.bootstrap, self.url, self.passwords = home, bootstrap, url, passwords
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.said: list[str] = []  # what our commands wrote to the screen
        self.lags: dict[str, int] = {}  # as last looked at
        self.ports = {stage: free_port() for stage in STAGES}
        secrets = home / "secrets"
        secrets.mkdir(mode=0o700, parents=True)
        for user, password in passwords.items():
            descriptor = os.open(secrets / user, os.O_WRONLY | os.O_CREAT, 0o600)
            os.write(descriptor, password.encode())
            os.close(descriptor)

    def environment(self) -> dict[str, str]:
        """Settings of a child process; each command is the user of its task in ClickHouse."""
        return {
            **os.environ,
            "SOR_HOME": str(self.home),
            "SOR_KAFKA": self.bootstrap,
            "SOR_CLICKHOUSE": self.url,
            "NO_COLOR": "1",
            "COLUMNS": "200",
        }

    def sor(
        self, *words: str, check: bool = True, timeout: float = 180, typed: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of the project as a user does, who types what stands in ``typed``."""
        done = subprocess.run(
            [sys.executable, "-m", "sor", *words],
            env=self.environment(), capture_output=True, text=True, timeout=timeout, check=False, input=typed,
        )  # fmt: skip
        self.said += [done.stdout, done.stderr]
        if check and done.returncode:
            raise AssertionError(f"sor {' '.join(words)} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done

    def start(self, *stages: str) -> None:
        """Start processes and wait until each is ready."""
        for stage in stages or STAGES:
            log = (self.home / f"{stage}.log").open("ab")
            self.processes[stage] = subprocess.Popen(
                [sys.executable, "-m", "sor", "run", stage, "--metrics-port", str(self.ports[stage])],
                env=self.environment(), stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        for stage in stages or STAGES:
            self.until(partial(self._ready, stage), f"{stage} is ready", 60)

    def _ready(self, stage: str) -> bool:
        if self.processes[stage].poll() is not None:
            raise AssertionError(f"{stage} ended: {(self.home / f'{stage}.log').read_text()[-3000:]}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[stage]}/ready", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def metrics(self, stage: str) -> str:
        """What a process shows to Prometheus."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[stage]}/metrics", timeout=5) as answer:
            return str(answer.read().decode())

    def kill(self, stage: str) -> None:
        """End a process as a power cut would."""
        self.processes[stage].send_signal(signal.SIGKILL)
        self.processes[stage].wait()

    def stop(self) -> None:
        """Stop every process in an orderly way."""
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            try:
                process.wait(25)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def until(self, true: Callable[[], bool], what: str, seconds: float = 60) -> None:
        """Poll a condition; ``AssertionError`` says what the processes logged last."""
        end = time.monotonic() + seconds
        while not true():
            if time.monotonic() > end:
                raise AssertionError(f"waited {seconds} s and not yet: {what}\n{self._last_words()}")
            time.sleep(0.1)

    def _last_words(self) -> str:
        logs = sorted(self.home.glob("*.log"))
        told = [f"lags: {self.lags}", *(f"--- {log.name}\n{log.read_text(errors='replace')[-1500:]}" for log in logs)]
        return "\n".join(told)

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query, as the administrator."""
        with clickhouse_connect.get_client(
            dsn=self.url, username="admin", password=self.passwords["admin"], autogenerate_session_id=False
        ) as client:
            return [tuple(row) for row in client.query(sql).result_rows]

    def deliver(self, path: Path, *words: str) -> dict[str, Any]:
        """Deliver files and give the JSON answer."""
        done = self.sor("deliver", str(path), "--json", *words, check=False)
        if done.returncode not in (0, 1):
            raise AssertionError(f"deliver ended with {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        return dict(json.loads(done.stdout))

    def trajecten(self) -> Counter[str]:
        """The trajecten as a multiset of the rows that the simulator expects."""
        return compare.found(self.ask(compare.QUERY))

    def caught_up(self) -> bool:
        """Every process has committed everything that was published to it."""
        reads = {
            name: [t.name for t in topics().values() if name in t.read and t.schema and t.name not in READ_WHOLE]
            for name in STAGES
        }
        admin = AdminClient({"bootstrap.servers": self.bootstrap})
        self.lags = {name: _lag(admin, self.bootstrap, groups()[name], sources) for name, sources in reads.items()}
        return not any(self.lags.values())


def _lag(admin: AdminClient, bootstrap: str, group: str, sources: list[str]) -> int:
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": group, "enable.auto.commit": False})
    try:
        counts = admin.list_topics(timeout=10).topics
        places = [TopicPartition(s, p) for s in sources for p in counts[s].partitions]
        lag = 0
        for place in consumer.committed(places, timeout=10):
            low, high = consumer.get_watermark_offsets(TopicPartition(place.topic, place.partition), timeout=10)
            lag += high - max(place.offset, low)
        return lag
    finally:
        consumer.close()


@contextmanager
def running(home: Path, bootstrap: str, url: str, passwords: dict[str, str]) -> Iterator[Stream]:
    """A stream on empty topics and an empty database, stopped at the end."""
    stream = Stream(home, bootstrap, url, passwords)
    _empty(stream)
    stream.sor("keys", "init")
    with_authority(home / "keys")
    stream.sor("topics", "apply", "--yes")
    stream.sor("migrate")
    stream.start()
    try:
        yield stream
    finally:
        stream.stop()


def _empty(stream: Stream) -> None:
    """Leave nothing of an earlier test on the shared broker and engine."""
    gone(Cluster(stream.bootstrap))
    stream.ask("DROP DATABASE IF EXISTS sor SYNC")
