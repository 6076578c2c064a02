"""A replay of made-up care: its pace, its memory and the comparison, over a real log and real tables."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from datetime import date
from typing import Final, NamedTuple

import psutil

from domain.field.definitions import SHIPPED, identified
from operations.replay.engine import Progress, Told
from operations.replay.run import Setup, begun
from operations.replay.scope import Scope
from tools.bench import nation
from tools.bench.figures import Figure, Tell
from tools.bench.services import Services, services

_PROCESSES: Final = 2
_PER_SECOND: Final = 40_000.0
_MEMORY: Final = 1_500.0
#: Seconds in which a national year must be made anew.
_YEAR: Final = 300.0
_TODAY: Final = date(2026, 1, 1)
_SEED: Final = 1


class ReplaySizes(NamedTuple):
    """Clients of the made-up year."""

    clients: int


def replaying(sizes: ReplaySizes, tell: Tell) -> list[Figure]:
    """Make every row of the year anew under another window, in two processes, and compare with no rows in use."""
    with services(clickhouse=True) as running:
        tell(f"writing the events of {sizes.clients:,} clients")
        events = nation.publish(running.cluster, _SEED, sizes.clients)
        tell(f"replaying {events:,} events")
        return _measured(running, events, sizes.clients, tell)


def _measured(running: Services, events: int, clients: int, tell: Tell) -> list[Figure]:
    began, shown = time.monotonic(), [0.0]

    def far(one: Progress) -> None:
        if time.monotonic() - shown[0] > 10:
            shown[0] = time.monotonic()
            tell(f"{one.done:,.0f} of {one.records:,} events in {time.monotonic() - began:.0f} s")

    setup = Setup(
        running.cluster, running.access("admin"), running.access("replay"), running.keys, running.home,
        identified(SHIPPED._replace(version=SHIPPED.version + 1, chain_days=7)), SHIPPED, Scope(), _PROCESSES,
    )  # fmt: skip
    with begun(setup, Told(far, tell)) as one:
        one.make()
        made, used, load = time.monotonic() - began, _cpu(one.processes()), os.getloadavg()[0]
        report = one.compare(_TODAY)
    note = f"{events:,} events of {clients:,} clients, {report.rows:,} rows, load {load:.0f} at its end"
    year = made * nation.CLIENTS / clients
    whole = clients >= nation.CLIENTS
    return [
        Figure("replay", "rows made anew, two processes", events / made, "events/s", _PER_SECOND,
               cpu=used / events * 1e6, note=note),
        Figure("replay", "memory of the processes together", sum(report.memory), "MB", _MEMORY, most=True, note=note),
        Figure(
            "replay", "a national year" if whole else "a national year, at this pace", year, "s", _YEAR, most=True,
            note="" if whole else "computed",
        ),
        Figure("replay", "rows and figures compared", time.monotonic() - began - made, "s", note=note),
    ]  # fmt: skip


def _cpu(pids: Iterable[int]) -> float:
    """Processor seconds of processes that still run, of all their threads."""
    times = [psutil.Process(pid).cpu_times() for pid in pids]
    return float(sum(one.user + one.system for one in times))
