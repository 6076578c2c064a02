"""A national year through the stream: the log, both stages with state, the sink, while somebody looks at the pages.

Everything is in the log before the stages start, as after a restore or a new definition: what is measured is how soon
they are through. Then a first fact of further persons, up to a million, for the memory of a process that holds as many;
and at that size the stages are killed and started again, with their state on disk and without.
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Final, NamedTuple

from local.errors import StackError
from local.ports import free_port
from schemas.topics import groups
from sinks import clickhouse
from tools.bench import nation
from tools.bench.batch import is_ready
from tools.bench.figures import Figure, Tell
from tools.bench.meter import settle
from tools.bench.nation_watch import SOURCES, asking, by_part, through, topic_of
from tools.bench.services import Services, services

#: Persons of a national year and the share of them with a second levering: 24 events each, eleven million.
PERSONS: Final = 450_000
AGAIN: Final = 0.755
#: Persons whose states a process must be able to hold, and in how much memory (MB).
STATES: Final = 1_000_000
_MEMORY: Final = 500.0
_STAGES: Final = ("trajectories", "register")
_SEED: Final = 15
#: Events of a person, and bytes on disk for each before the log is compacted: what must be free.
_EVENTS, _BYTES = 24.3, 3_000
_READY: Final = 900.0


class NationSizes(NamedTuple):
    """Persons with a year of care, and persons whose states there are at the end."""

    persons: int
    states: int


def sized(persons: int) -> NationSizes:
    """A part of the nation, and the same part of the million."""
    return NationSizes(persons, round(persons * STATES / PERSONS))


class Passed(NamedTuple):
    """Seconds, the most bytes on disk, and the use of the machine by stage: CPU seconds and MB."""

    seconds: float
    disk: int
    cpu: dict[str, float]
    memory: dict[str, float]


def streaming(sizes: NationSizes, tell: Tell) -> list[Figure]:
    """The year, then the further persons, then the restarts.

    Raises:
        StackError: the disk has no room for it, or a process ended.
    """
    with services(clickhouse=True) as running:
        require_room(running.home, sizes)
        tell(f"writing the year of {sizes.persons:,} persons")
        began = time.monotonic()
        year = nation.written(running.cluster, nation.Lives(_SEED, 0, sizes.persons, AGAIN), register=True)
        tell(f"{year.events:,} events and {year.numbers:,} records of numbers, in {time.monotonic() - began:.0f} s")
        for stage in _STAGES:
            settle(running.cluster, groups()[stage], SOURCES[stage][0])
        running.start(*SOURCES)
        reader = asking(running)
        with reader.beside():
            passed = _passed(running, tell)
        figures = _of_year(year, sizes, passed) + _pages(reader.seconds) + _disk(running, year, passed)
        figures += _rows(running)
        return figures + _of_states(running, sizes, tell)


def require_room(folder: Path, sizes: NationSizes) -> None:
    """``StackError`` when the disk of a folder cannot hold it."""
    needed, free = 1 + sizes.persons * _EVENTS * _BYTES / 1e9, shutil.disk_usage(folder).free / 1e9
    if free < needed:
        part = 10_000 * int((free - 1) / needed * sizes.persons / 10_000)
        raise StackError(
            f"A nation of {sizes.persons:,} persons takes {needed:.0f} GB at most, and the disk of {folder} has "
            f"{free:.0f} GB free. Make room, set TMPDIR to a folder on another disk, or take a part: --persons {part}."
        )


def _passed(running: Services, tell: Tell) -> Passed:
    before = {stage: process.cpu() for stage, process in running.running.items()}
    seconds, disk = through(running.cluster, running.running, running.home, tell)
    used = {stage: process.cpu() - before[stage] for stage, process in running.running.items()}
    return Passed(seconds, disk, used, {stage: process.memory() for stage, process in running.running.items()})


def _of_year(year: nation.Written, sizes: NationSizes, passed: Passed) -> list[Figure]:
    load = os.getloadavg()[0]
    note = f"{year.events:,} events of {sizes.persons:,} persons, {year.numbers:,} numbers; load {load:.1f} at the end"
    figures = [
        Figure("nation", "from the log to the tables", passed.seconds, "s", note=note),
        Figure("nation", "… events through every stage", year.events / passed.seconds, "events/s"),
    ]
    for stage, records in {"trajectories": year.events, "register": year.numbers, "sink": year.events}.items():
        unit = "CPU µs/number" if stage == "register" else "CPU µs/event"
        figures.append(
            Figure("nation", stage, passed.cpu[stage] / records * 1e6, unit, memory=passed.memory[stage])
        )  # fmt: skip
    return figures


def _pages(seconds: dict[str, list[float]]) -> list[Figure]:
    """How soon a question was answered meanwhile."""
    return [
        Figure("nation", f"a question meanwhile, {name}, {words}", 1000 * _at(times, share), "ms",
               note=f"{len(times)} questions")
        for name, times in seconds.items() if times
        for share, words in ((0.5, "p50"), (0.95, "p95"))
    ]  # fmt: skip


def _at(seconds: list[float], share: float) -> float:
    return sorted(seconds)[min(int(share * len(seconds)), len(seconds) - 1)]


def _disk(running: Services, year: nation.Written, passed: Passed) -> list[Figure]:
    """Where the bytes lie once everything is through; the log is compacted as far as the broker had come."""
    parts = by_part(running.home / "kafka", topic_of)
    whole = by_part(running.home, lambda path: "/".join(path.parts[: 2 if path.parts[0] == "state" else 1]))
    found = {name: size for name, size in parts.items() if name.startswith("sor") and size > 1e5}
    found |= {name: size for name, size in whole.items() if name not in {"kafka", "keys", "log", "tmp"} and size > 1e5}
    most = Figure(
        "nation", "disk, at most", passed.disk / 1e6, "MB", note=f"{passed.disk / year.events:.0f} bytes an event"
    )
    return [most] + [
        Figure("nation", f"disk: {name}", size / 1e6, "MB", note=f"{size / year.events:.0f} bytes an event")
        for name, size in sorted(found.items(), key=lambda item: -item[1])
    ]


def _rows(running: Services) -> list[Figure]:
    with clickhouse.connect(running.access("admin")) as client:
        counts = [
            (table, client.query(f"SELECT count() FROM sor.{table} FINAL").first_row[0])  # noqa: S608
            for table in ("trajecten", "metingen", "scores")
        ]
    return [Figure("nation", f"rows of {table}", float(rows), "rows") for table, rows in counts]


def _of_states(running: Services, sizes: NationSizes, tell: Tell) -> list[Figure]:
    """Memory with the states of so many persons, and how soon the stages are ready again at that size."""
    more = sizes.states - sizes.persons
    tell(f"one fact of {more:,} further persons")
    nation.written(running.cluster, nation.Lives(_SEED, sizes.persons, more, AGAIN, most=1))
    through(running.cluster, running.running, running.home, tell)
    figures = [
        Figure("nation", f"memory of {stage}, {sizes.states:,} persons", process.memory(), "MB", _MEMORY, most=True)
        for stage, process in running.running.items()
    ]
    running.stop("sink")
    for stage in _STAGES:
        running.running.pop(stage).kill()
        for how in ("warm, after kill -9", "cold"):
            tell(f"{stage} again: {how}")
            if how == "cold":
                shutil.rmtree(running.home / "state" / f"{stage}-0")
            seconds, memory = _ready_after(running, stage)
            figures.append(Figure("nation", f"{stage} ready again, {how}", seconds, "s", memory=memory))
    return figures


def _ready_after(running: Services, stage: str) -> tuple[float, float]:
    """Seconds from the start of a process until it is ready, and its memory (MB) then. It is killed after."""
    port, began = free_port(), time.monotonic()
    process = running.process("sor", "run", "--metrics-port", str(port), stage)
    try:
        while not is_ready(port):
            process.require()
            if time.monotonic() - began > _READY:
                raise StackError(f"{stage} was not ready again after {_READY:.0f} s.")
            time.sleep(0.05)
        return time.monotonic() - began, process.memory()
    finally:
        process.kill()
