"""The benchmarks of single parts as figures: the batch engine, its restore, and the sink beside a bare insert."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import Any, Final, NamedTuple

from local.errors import StackError
from local.ports import free_port
from tools.bench import batch
from tools.bench.figures import Figure, Tell, median
from tools.bench.meter import settle
from tools.bench.services import Services, services

_OF_BARE: Final = 0.7
_COLD, _WARM = 6.0, 3.0
_SINK: Final = 100_000.0
_PEAK: Final = 500.0


class EngineSizes(NamedTuple):
    """Events per job (every event another key, runs of eight), and persons to restore."""

    each: int
    runs: int
    persons: int


class SinkSizes(NamedTuple):
    """Rows of a round."""

    rows: int


def engine(sizes: EngineSizes, rounds: int, tell: Tell) -> list[Figure]:
    """The engine of the stateful stages with a small fold, beside a bare loop."""
    jobs = {"every event another key": (sizes.each, 1), "8 events of a key in a row": (sizes.runs, 8)}
    with services() as running:
        return [
            figure
            for what, (events, length) in jobs.items()
            for figure in _job(running, what, events, length, rounds, tell)
        ]


def _job(running: Services, what: str, events: int, length: int, rounds: int, tell: Tell) -> list[Figure]:
    found: dict[str, list[dict[str, Any]]] = {"engine": [], "bare": []}
    for number in range(rounds):
        tell(f"round {number + 1} of {rounds}: {what}")
        topics = batch.Topics(running.cluster.bootstrap)
        topics.load(events, length)
        settle(running.cluster, topics.name, topics.source)
        options = {**vars(topics), "events": events, "datadir": str(running.home / topics.name), "port": free_port(),
                   "compression": "none", "bare": topics.changelog}  # fmt: skip
        for how, results in found.items():
            results.append(batch.measure(how, options))
    rates = [one["rate"] for one in found["engine"]]
    return [
        Figure("engine", f"batch engine, {what}", median(rates), "events/s", _OF_BARE, peer="dict",
               peer_value=median([one["rate"] for one in found["bare"]]),
               cpu=median([one["cpu"] for one in found["engine"]]),
               memory=max(one["rss"] for one in found["engine"]), note="60 facts of 24 bytes per key",
               rounds=tuple(rates))
    ]  # fmt: skip


def restore(sizes: EngineSizes, rounds: int, tell: Tell) -> list[Figure]:
    """From the start of the process until it is ready, with the states of so many persons in the changelog."""
    cold, warm = [], []
    with services() as running:
        topics = batch.Topics(running.cluster.bootstrap)
        tell(f"writing {sizes.persons:,} states")
        topics.fill_changelog(sizes.persons)
        settle(running.cluster, topics.name, topics.source)
        datadir = running.home / topics.name
        options = {**vars(topics), "events": 0, "datadir": str(datadir), "port": free_port()}
        for number in range(rounds):
            shutil.rmtree(datadir, ignore_errors=True)
            tell(f"round {number + 1} of {rounds}: cold")
            cold.append(batch.ready_after(options))
            tell(f"round {number + 1} of {rounds}: warm")
            warm.append(batch.ready_after(options))
    whole = sizes.persons >= 200_000
    return [
        Figure("restore", f"{sizes.persons:,} persons, {how}", median([seconds for seconds, _ in found]), "s",
               target if whole else None, most=True, memory=max(memory for _, memory in found), note=note,
               rounds=tuple(seconds for seconds, _ in found))
        for how, found, target, note in (
            ("cold", cold, _COLD, "1.45 kB each, from an empty folder"),
            ("warm", warm, _WARM, "after kill -9 in the same folder"),
        )
    ]  # fmt: skip


def sink(sizes: SinkSizes, rounds: int, tell: Tell) -> list[Figure]:
    """The sink from records in a broker to committed offsets, and its parts, beside a bare insert."""
    tell(f"{rounds} rounds of {sizes.rows:,} rows in four ways")
    command = [sys.executable, "-m", "tools.bench.sink", "--json", "--rows", str(sizes.rows), "--rounds", str(rounds)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StackError(f"The benchmark of the sink ended with {done.returncode}: {done.stderr[-1500:]}")
    result = json.loads(done.stdout.splitlines()[-1])
    rates: dict[str, float] = result["rows_per_second"]
    ways = {"kafka": "from Kafka to committed", "decoded": "from bytes in memory", "container": "as they are"}
    figures = [
        Figure("sink", f"sink, {ways[way]}", rates[way], "rows/s", _SINK if way == "kafka" else None,
               note=f"{result['of_bare'][way]:.2f} of a bare insert")
        for way in ways if way in rates
    ]  # fmt: skip
    return [*figures, Figure("sink", "peer: bare insert of columns", rates["bare"], "rows/s")]
