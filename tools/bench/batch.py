"""Speed of the batch engine and of its restore, with a bare confluent-kafka loop as peer in the same run.

The job: every event carries a fact of 24 bytes in 104 bytes; the state of a key is 60 facts (1.45 kB), unpacked,
merged, sorted and packed again at every fold; one changelog record and one row of 312 bytes per fold. ``each`` gives
every event to another of 100,000 keys, ``runs`` gives eight events in a row to one key, as a delivery does.

    python -m tools.bench.batch                        # starts its own broker
    python -m tools.bench.batch --bootstrap host:9092
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer
from confluent_kafka.admin import AdminClient, NewTopic
from rich.console import Console
from rich.table import Table

from local.kafka.broker import Broker
from local.ports import free_port
from monitoring import logs
from settings.settings import load_settings
from streams.engine.run import run
from streams.engine.stage import BatchStats, Out, Record, StageConfig
from transport import clients
from transport.clients import Cluster
from transport.health import HealthConfig

FACT = struct.Struct(">QQQ")
FACTS, PARTITIONS, KEYS = 60, 4, 100_000
SEED = b"".join(FACT.pack(number, 0, number) for number in range(FACTS))
JOBS = {"each": (300_000, 1), "runs": (600_000, 8)}


def fold(key: bytes, packed: bytes | None, records: Sequence[Record]) -> tuple[bytes, list[Out]]:
    """Merge the facts of ``records`` into the state; one row."""
    facts = {fact[0]: fact for fact in FACT.iter_unpack((packed or SEED)[:1440])}
    for record in records:
        fact = FACT.unpack_from(record.value)
        if fact[1] >= facts[fact[0]][1]:
            facts[fact[0]] = fact
    version = records[-1].offset
    state = b"".join(FACT.pack(*facts[name]) for name in sorted(facts)) + version.to_bytes(8, "big")
    return state, [Out(ROWS[0], key, state[:304] + version.to_bytes(8, "big"))]


ROWS = [""]  # topic of the rows, set by the process that folds


class Topics:
    """Names of one job."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self.name = f"bench-{uuid.uuid4().hex[:6]}"
        self.source, self.rows, self.changelog = f"{self.name}.in", f"{self.name}.rows", f"{self.name}-facts-changelog"
        policies = {self.source: "delete", self.rows: "delete", self.changelog: "compact"}
        new = [NewTopic(topic, PARTITIONS, 1, config={"cleanup.policy": how}) for topic, how in policies.items()]
        admin = AdminClient({"bootstrap.servers": bootstrap})
        for future in admin.create_topics(new).values():
            future.result(15)

    def load(self, events: int, run_length: int) -> None:
        """Fill the source."""
        producer = clients.producer(Cluster(self.bootstrap), "bench")
        padding = bytes(80)
        for number in range(events):
            key = b"p1.nl.1.%024d" % (number // run_length % KEYS)
            while True:
                try:
                    producer.produce(self.source, FACT.pack(number % FACTS, number, number) + padding, key)
                    break
                except BufferError:
                    producer.poll(0.1)
        if producer.flush(60):
            raise RuntimeError("the broker does not take the load")

    def fill_changelog(self, keys: int) -> None:
        """States of ``keys`` keys, as a stage would have left them."""
        producer = clients.producer(Cluster(self.bootstrap), "bench")
        for number in range(keys):
            while True:
                try:
                    producer.produce(self.changelog, SEED + os.urandom(8), b"p1.nl.1.%024d" % number)
                    break
                except BufferError:
                    producer.poll(0.1)
        if producer.flush(60):
            raise RuntimeError("the broker does not take the load")


class Meter:
    """Counts events from the first batch on and stops the process when all are there."""

    def __init__(self, events: int) -> None:
        self._events, self._seen = events, 0
        self._began = self._cpu = 0.0
        self.spent = [0.0] * 5

    def begin(self) -> None:
        """The first batch begins."""
        self._began, self._cpu = time.perf_counter(), time.process_time()

    def add(self, events: int) -> bool:
        """True when all events are done; the result is on stdout then."""
        self._seen += events
        if self._seen < self._events:
            return False
        seconds = time.perf_counter() - self._began
        result = {
            "rate": self._seen / seconds,
            "cpu": (time.process_time() - self._cpu) / self._seen * 1e6,
            "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "spent": self.spent,
        }
        print(json.dumps(result), flush=True)
        return True


def run_engine(options: dict[str, Any]) -> int:
    """One engine process; with ``events`` 0 it only gets ready and waits."""
    ROWS[0] = options["rows"]
    config = StageConfig(
        options["name"], options["source"], "facts", PARTITIONS, options["bootstrap"], Path(options["datadir"]), "w0",
        health=HealthConfig(options["port"]), session_timeout=6.0, heartbeat=1.5, **options.get("extra", {}),
    )  # fmt: skip
    meter = Meter(options["events"])
    begun: list[bool] = []

    def timed(key: bytes, packed: bytes | None, records: Sequence[Record]) -> tuple[bytes, list[Out]]:
        if not begun:
            begun.append(True)
            meter.begin()
        return fold(key, packed, records)

    def told(batch: BatchStats) -> None:
        meter.spent = [before + now for before, now in zip(meter.spent, batch.seconds, strict=True)]
        if meter.add(batch.events):
            os.kill(os.getpid(), signal.SIGTERM)

    return run(config, timed, told)


def run_bare(options: dict[str, Any]) -> int:
    """The peer: consume 1000, fold on a dict, changelog and row out, flush, commit.

    No table, no recovery, no rebalance.
    """
    ROWS[0] = options["rows"]
    consumer = Consumer(
        {
            "bootstrap.servers": options["bootstrap"],
            "group.id": f"{options['name']}-bare",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    producer = clients.producer(Cluster(options["bootstrap"]), "bare", **{"compression.type": options["compression"]})
    consumer.subscribe([options["source"]])
    states: dict[bytes, bytes] = {}
    meter = Meter(options["events"])
    while True:
        messages = consumer.consume(1000, 0.5)
        if not messages:
            continue
        if not states:
            meter.begin()
        groups: dict[bytes, list[Record]] = {}
        places: dict[bytes, int] = {}
        for message in messages:
            key = message.key()
            groups.setdefault(key, []).append(Record(message.offset(), message.value(), message.timestamp()[1]))
            places[key] = message.partition()
        for key, records in groups.items():
            states[key], rows = fold(key, states.get(key), records)
            producer.produce(options["bare"], states[key], key, partition=places[key])
            for row in rows:
                producer.produce(row.topic, row.value, row.key)
        producer.flush()
        consumer.commit(asynchronous=False)
        if meter.add(len(messages)):
            consumer.close()
            return 0


def child(how: str, options: dict[str, Any]) -> subprocess.Popen[str]:
    """A process of its own for every measurement."""
    command = [sys.executable, "-m", "tools.bench.batch", how, json.dumps(options)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def measure(how: str, options: dict[str, Any]) -> dict[str, Any]:
    """Result of one measured process."""
    out, _ = child(how, options).communicate(timeout=600)
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return found


def ready_after(options: dict[str, Any]) -> tuple[float, float]:
    """Seconds from the start of a process until it is ready, and its resident memory (MB) then.

    It is killed afterwards.
    """
    began = time.perf_counter()
    process = child("engine", options)
    while not is_ready(options["port"]):
        if process.poll() is not None:
            raise RuntimeError("the engine stopped")
        time.sleep(0.02)
    seconds = time.perf_counter() - began
    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    process.kill()
    process.wait()
    return seconds, pages * resource.getpagesize() / 2**20


def is_ready(port: int) -> bool:
    """Whether /ready says so."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@contextmanager
def broker(bootstrap: str | None) -> Iterator[str]:
    """The given broker, or one for this run."""
    if bootstrap is not None:
        yield bootstrap
        return
    with (
        tempfile.TemporaryDirectory() as home,
        Broker(Path(home), free_port(), free_port(), load_settings().cache) as own,
    ):
        yield own.bootstrap


def compare(bootstrap: str, home: Path, rounds: int, console: Console) -> None:
    """Engine and peer, taking turns."""
    table = Table(
        "job", "who", "events/s", "CPU s per million", "MB", "engine: fold, changelog, rows, store, commit (s)"
    )
    for job, (events, run_length) in JOBS.items():
        for _ in range(rounds):
            topics = Topics(bootstrap)
            topics.load(events, run_length)
            options = {**vars(topics), "events": events, "datadir": str(home / topics.name), "port": free_port()}
            options["compression"] = "none"  # as the engine's own producer
            engine, bare = measure("engine", options), measure("bare", {**options, "bare": topics.changelog})
            for who, found in (("engine, RocksDB", engine), ("bare loop, dict", bare)):
                spent = " ".join(f"{seconds:.2f}" for seconds in found["spent"]) if who.startswith("engine") else ""
                table.add_row(job, who, f"{found['rate']:,.0f}", f"{found['cpu']:.1f}", f"{found['rss']:.0f}", spent)
            table.add_row(job, "engine / bare", f"{engine['rate'] / bare['rate']:.2f}", "", "", "", end_section=True)
    console.print(table)


def restore(bootstrap: str, home: Path, keys: int, console: Console) -> None:
    """Cold and warm restore."""
    topics = Topics(bootstrap)
    topics.fill_changelog(keys)
    datadir = home / topics.name
    options = {**vars(topics), "events": 0, "datadir": str(datadir), "port": free_port()}
    table = Table("restore", "ready after (s)", "MB")
    for how in ("cold", "warm, after kill -9", "warm, after kill -9"):
        if how == "cold":
            shutil.rmtree(datadir, ignore_errors=True)
        seconds, memory = ready_after(options)
        table.add_row(f"{keys:,} keys, {how}", f"{seconds:.1f}", f"{memory:.0f}")
    console.print(table)


def main() -> int:
    """Measure and print, or be one of the measured processes."""
    if len(sys.argv) == 3 and sys.argv[1] in {"engine", "bare"}:
        logs.configure("WARNING", sys.argv[1], sys.stderr)
        return {"engine": run_engine, "bare": run_bare}[sys.argv[1]](json.loads(sys.argv[2]))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bootstrap", help="an existing broker; without it one is started")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--keys", type=int, default=200_000, help="keys to restore")
    parser.add_argument("--skip-restore", action="store_true")
    arguments = parser.parse_args()
    console = Console(width=140)
    with broker(arguments.bootstrap) as bootstrap, tempfile.TemporaryDirectory() as home:
        compare(bootstrap, Path(home), arguments.rounds, console)
        if not arguments.skip_restore:
            restore(bootstrap, Path(home), arguments.keys, console)
    return 0


if __name__ == "__main__":
    sys.exit(main())
