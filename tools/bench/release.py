"""The cube of a release: every group of every cut and closed period, from a million made-up trajecten.

Rows of the shape of the region (``release_rows``), straight into memory: what the engine answers is not measured here.
The processor's own seconds are given beside the wall, for what else runs on the machine counts in the latter.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final, NamedTuple

import numpy as np

from domain.field.dates import day
from domain.field.geography import cluster
from results.release.cube import Cell, cells
from results.release.rows import AGES, LABELS, MARK_AT, CareRows, Counted, Labels, arranged, families_of
from tools.bench.figures import Figure, Tell, median
from tools.bench.release_rows import CODES, World, make

#: Day of the release: the ends are of the 36 months before it.
ON: Final = date(2026, 7, 15)
_FIRST: Final = date(2023, 7, 1)
#: Seconds on two free cores.
_MOST: Final = 60.0
_WORLD: Final = 60_000
_AREAS: Final = 8
_BUCKETS: Final = 1024


class CubeSizes(NamedTuple):
    """How many trajecten, of 36 months."""

    trajecten: int


class Counts(NamedTuple):
    """What a cube holds."""

    groups: int
    members: int


def care_rows(world: World) -> CareRows:
    """The trajecten of a made-up world that still stand, as a release counts them."""
    world = world.taken(world.until >= 10**6)
    dice, many = np.random.default_rng(11), len(world.month)
    started = [day(_later(_FIRST, months)) for months in range(37)]
    begins = np.array(started, dtype=np.int64)
    days = begins[world.month] + (dice.random(many) * np.diff(begins)[world.month]).astype(np.int64)
    return arranged(
        ids=dice.permutation(many) * 977 + 10**9, emmers=world.client * 7919 % _BUCKETS, days=days,
        chains=np.arange(many), version=1, labels=dict(_labels(world)), counted=dict(_counted(world)),
    )  # fmt: skip


def _later(first: date, months: int) -> date:
    year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
    return date(year, month + 1, 1)


def _labels(world: World) -> Iterator[tuple[str, Labels]]:
    """Every column that groups are made by; what these rows do not know has no value."""
    many = len(world.month)
    nothing = Labels(np.full(many, -1, dtype=np.int32), ())
    clusters = sorted({cluster(code) for code in CODES} - {""})
    of_code = np.array([clusters.index(cluster(code)) if cluster(code) else -1 for code in CODES])
    known = {
        "gemeente": Labels(world.gemeente.astype(np.int32), CODES),
        "cluster": Labels(of_code[world.gemeente].astype(np.int32), tuple(clusters)),
        "aanbieder": Labels(world.aanbieder.astype(np.int32), tuple(f"{90_000_000 + at}" for at in range(300))),
        "categorie": Labels(world.categorie.astype(np.int32), tuple(f"{40 + at}" for at in range(21))),
        "leeftijd": Labels(world.leeftijd.astype(np.int32), tuple(AGES.values())),
        "geslacht": Labels(np.where(world.geslacht == 2, -1, world.geslacht).astype(np.int32), ("man", "vrouw")),
        "postcodegebied": Labels((world.client % _AREAS).astype(np.int32), tuple("ABCDEFGH")),
    }
    for name in LABELS:
        yield name, known.get(name, nothing)


def _counted(world: World) -> Iterator[tuple[str, Counted]]:
    """Every family over trajecten: uitval of all, the others of half of them."""
    many = len(world.month)
    dice = np.random.default_rng(13)
    for family in families_of("trajecten", "ijw"):
        inside = np.ones(many, np.bool_) if family.key == "uitval" else dice.random(many) < 0.5
        value = np.where(world.reason > 0, 1 | (1 << np.maximum(world.reason, 1)), 0).astype(np.uint32)
        value &= np.uint32((1 << min(len(family.outcomes), MARK_AT)) - 1)
        yield family.key, Counted(inside, ~inside, value)


def count(found: Iterable[Cell]) -> Counts:
    """Goes through a cube without keeping it."""
    groups = members = 0
    for cell in found:
        groups += 1
        members += len(cell.ids)
    return Counts(groups, members)


def cube(sizes: CubeSizes, rounds: int, tell: Tell) -> list[Figure]:
    """The cube of so many trajecten; each group is looked at and let go."""
    tell(f"making {sizes.trajecten:,} trajecten")
    rows = care_rows(make(scale=sizes.trajecten / _WORLD))
    walls, seconds, found = [], [], Counts(0, 0)
    for number in range(rounds):
        tell(f"round {number + 1}: every cut of every closed period")
        wall, processor = time.monotonic(), time.process_time()
        found = count(cells(rows, ON))
        walls.append(time.monotonic() - wall)
        seconds.append(time.process_time() - processor)
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    note = f"{found.groups:,} groups, {found.members:,} memberships; {median(seconds):.1f} s of the processor"
    return [
        Figure(
            "release", f"cube of {len(rows.ids):,} trajecten", median(walls), "s", _MOST, most=True,
            cpu=1e6 * median(seconds) / len(rows.ids), memory=megabytes, note=note, rounds=tuple(walls),
        )
    ]  # fmt: skip
