"""A peer as processes, followed from outside: memory since its exec, and what it says of its own time.

``ru_maxrss`` of a child begins at the size of the process that started it, so it is not used: the kernel's ``VmHWM`` is
that of the program that runs, from its exec on.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, Final, NamedTuple

from local.errors import StackError
from local.ports import free_port
from tools.bench.meter import Offsets
from tools.bench.peers_job import Job, Peer, datadir
from tools.bench.services import Measured, Services

_LIMIT: Final = 900.0
_PAUSE: Final = 0.1
_CACHE_MB: Final = 64
_SCRIPT: Final = Path(__file__).with_name("peers_quix.py")

#: Of one batch: clock, events, processor seconds of the process so far.
Point = tuple[float, int, float]


class Result(NamedTuple):
    """Events per second and processor microseconds per event, of the whole and of the later half where it is known.

    ``memory`` in MB, of all its processes together.
    """

    rate: float
    cpu: float
    memory: float
    late_rate: float | None = None
    late_cpu: float | None = None


class Commands(NamedTuple):
    """How the peers are started: Java with its options and classes, and the Python that has Quix Streams (or none)."""

    streams: Sequence[str]
    quix: Path | None


def measured(running: Services, job: Job, peer: Peer, commands: Commands) -> Result:
    """Run a peer from the first to the last event of the source, in a state folder that goes with it.

    Raises:
        StackError: it ended before its time, took too long, or did not commit everything.
    """
    job.prepare(peer)
    logs = [job.home / f"{peer.name}-{number}.log" for number in range(_processes(peer))]
    started = [
        Measured(_command(job, peer, number, commands), running.environment(), log) for number, log in enumerate(logs)
    ]
    try:
        memory = _followed(job, peer, started)
    finally:
        for one in started:
            one.stop()
    said = [_said(log) for log in logs]
    for number in range(_processes(peer)):
        shutil.rmtree(datadir(job, peer, number), ignore_errors=True)
    if peer.kind == "engine":
        return together([[tuple(point) for point in one["points"]] for one in said], memory)
    return Result(said[0]["rate"], said[0]["cpu"], memory, said[0].get("late_rate"), said[0].get("late_cpu"))


def together(workers: Sequence[Sequence[Point]], memory: float) -> Result:
    """The result of workers that shared the events: from the first fold of any to the last commit of any."""
    workers = [points for points in workers if len(points) > 1]
    points = sorted(point for worker in workers for point in worker)
    done = list(accumulate(point[1] for point in points))
    (began, *_), (ended, *_), total = points[0], points[-1], done[-1]
    half = next(number for number, events in enumerate(done) if events >= total / 2)
    then, left = points[half][0], total - done[half]
    used = sum(worker[-1][2] - worker[0][2] for worker in workers)
    late = sum(worker[-1][2] - _until(worker, then) for worker in workers)
    return Result(
        total / (ended - began), used / total * 1e6, memory,
        left / (ended - then) if left else None, late / left * 1e6 if left else None,
    )  # fmt: skip


def _until(points: Sequence[Point], then: float) -> float:
    """Processor seconds of a worker at a moment: those of its last commit before it."""
    return max((cpu for at, _, cpu in points if at <= then), default=points[0][2])


def _processes(peer: Peer) -> int:
    return peer.workers if peer.kind == "engine" else 1


def _command(job: Job, peer: Peer, worker: int, commands: Commands) -> list[str]:
    options: dict[str, Any] = {
        "bootstrap": job.topics.bootstrap, "group": job.group(peer), "source": job.topics.source,
        "rows": job.rows(peer), "events": job.events, "datadir": str(datadir(job, peer, worker)),
        "slot": f"w{worker}", "port": free_port(),
    }  # fmt: skip
    if peer.kind == "engine":
        return [sys.executable, "-m", "tools.bench.peers_worker", json.dumps(options)]
    if peer.kind == "bare":
        bare = {**options, "name": job.topics.name, "bare": job.changelog(peer), "compression": "none"}
        return [sys.executable, "-m", "tools.bench.batch", "bare", json.dumps(bare)]
    if peer.kind == "quix":
        return [str(commands.quix), str(_SCRIPT), json.dumps(options)]
    given = {
        **options, "application": job.group(peer), "form": "cached" if peer.kind == "cached" else "event",
        "ends": ",".join(f"{number}:{end}" for number, end in job.ends.items()), "threads": peer.workers,
        "cache_mb": _CACHE_MB, "limit": int(_LIMIT),
    }  # fmt: skip
    return [*commands.streams, *(f"{name}={value}" for name, value in given.items())]


def _followed(job: Job, peer: Peer, started: Sequence[Measured]) -> float:
    """MB at most of the processes together, once every event is committed and those that end by themselves have."""
    offsets, until = Offsets(job.cluster, job.group(peer), [job.topics.source]), time.monotonic() + _LIMIT
    highest = [0.0] * len(started)
    try:
        while peer.kind != "engine" or offsets.committed() < job.events:
            running = [one.ended() is None for one in started]
            if not all(running):
                break
            highest = [max(high, one.memory()) for high, one in zip(highest, started, strict=True)]
            if time.monotonic() > until:
                raise StackError(f"{peer.name} needs more than {_LIMIT:.0f} s for {job.events:,} events ({job.name}).")
            time.sleep(_PAUSE)
        for one in started:
            if one.ended():
                one.require()
        if offsets.committed() != job.events:
            raise StackError(f"{peer.name} committed {offsets.committed():,} of {job.events:,} events ({job.name}).")
    finally:
        offsets.close()
    return sum(highest)


def _said(log: Path) -> dict[str, Any]:
    """The last line of a process that is its result."""
    for line in reversed(log.read_text("utf-8", errors="replace").splitlines()):
        if line.startswith(('{"rate"', '{"points"')):
            found: dict[str, Any] = json.loads(line)
            return found
    raise StackError(f"A peer did not say what it did: {log.read_text('utf-8', errors='replace')[-1500:]}")
