"""The whole gate over a region of made-up rows: ``python -m tools.bench.gate``.

Builds the releases of some months as ``sor release build`` does (the first goes back 24 months) and audits the newest
with all that was shown before, every family, as ``sor release audit`` does. Prints seconds by step, blocks, memory and
what is withheld, against 600 s for the whole and 120 s for structure and proofs.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple

from results.gate.audit import audit
from results.gate.examine import Examined
from results.gate.known import PROPOSED, Limits
from results.release import evidence
from results.release.build import Release, Stated, build, without
from results.release.cube import cells
from results.release.region import as_figure, sums
from results.release.restating import Former
from results.release.rows import CareRows
from results.release.rules import RULES, Rules
from tools.bench.figures import Figure, Tell
from tools.bench.region_rows import Region

_KEY = b"made up key of the noise, 32 byte"
_VERSION = 1
#: Day of the first release; the others follow each month.
FIRST = date(2026, 8, 15)
#: Seconds that are aimed at, of the whole and of what is exact and proven.
WHOLE, EXACT = 600.0, 120.0


class GateSizes(NamedTuple):
    """``scale`` of the region's rows; ``months`` after the first release; ``families``: empty = all."""

    scale: float = 1.0
    months: int = 0
    families: tuple[str, ...] = ()
    workers: int = 2
    deadline: float = WHOLE
    seconds: float = PROPOSED.seconds


class Audited(NamedTuple):
    """One release: the seconds that its build took, what it says, and the report of the gate."""

    built: float
    release: Release
    report: dict[str, Any]


def run(sizes: GateSizes, tell: Tell, *, rules: Rules = RULES, limits: Limits = PROPOSED) -> Iterator[Audited]:
    """Every release, audited; what the gate withholds does not stand in the next one."""
    region = Region(scale=sizes.scale)
    limits = limits._replace(seconds=sizes.seconds)
    shown: dict[tuple[Any, int], Stated] = {}
    former: list[Former] = []
    for number in range(1, sizes.months + 2):
        on = _later(FIRST, number - 1)
        begin = time.monotonic()
        tables = [_chosen(rows, sizes) for rows in region.on(on)]
        release = build(tables, on, _KEY, number=number, version=_VERSION, former=former, rules=rules)
        built = time.monotonic() - begin
        left, report = _audited(release, list(shown.values()), tables, sizes, rules, limits, tell)
        shown |= {(one.key, one.made_in): one for one in left.stated if one.seen}
        latest: dict[Any, Former] = {}
        for one in sorted(shown.values(), key=lambda one: one.made_in):
            latest[one.key] = Former(one.cell, one.made_in, one.status, one.version, one.seen, one.audiences)
        former = list(latest.values())
        yield Audited(built, left, report)


def _chosen(rows: CareRows, sizes: GateSizes) -> CareRows:
    """The rows with only some families."""
    wanted = sizes.families or tuple(rows.counted)
    return rows._replace(counted={key: one for key, one in rows.counted.items() if key in wanted})


def _audited(
    release: Release, shown: list[Stated], tables: Sequence[CareRows], sizes: GateSizes, rules: Rules, limits: Limits,
    tell: Tell,
) -> tuple[Release, dict[str, Any]]:  # fmt: skip
    """As ``results.release.making`` puts a release before the gate."""
    begin = time.monotonic()
    given = evidence.evidence(release.stated, shown)
    figures = [*given.figures, *map(as_figure, sums(release))]
    small = [cell for rows in tables for cell in cells(rows, release.day, rules, small=True)]
    tell(
        f"given to the gate after {time.monotonic() - begin:.1f} s: {len(figures)} figures, {len(small)} hidden groups"
    )

    def done(one: Examined) -> None:
        said = one.described
        tell(f"  {said['blok']}: {said['cijfers']} figures ({said['nieuw']} new), {said['klassen']} classes, "
             f"{said['ingehouden']} withheld, cuts {said['sneden']}, whole {said['geheel']}, "
             f"frozen {said['bevroren']}, not finished {said['niet_af']}, core s {said['rekentijd']}")  # fmt: skip

    verdict = audit(
        figures, rows=given.rows, hidden=evidence.hidden(small), joints=given.joints,
        remake=evidence.remake(_KEY, _VERSION, rules), limits=limits, deadline=sizes.deadline, workers=sizes.workers,
        tell=done,
    )  # fmt: skip
    if not verdict.passed:
        return release._replace(stated=()), verdict.report
    return without(release, evidence.places_of(figures, verdict.withheld)), verdict.report


def gate(sizes: GateSizes, tell: Tell) -> list[Figure]:
    """The figures of every release."""
    found = []
    for number, one in enumerate(run(sizes, tell), start=1):
        report, what = one.report, f"release {number}"
        for step in report["stappen"]:
            tell("  " + " ".join(f"{key}={value}" for key, value in step.items()))
        exact = sum(step["rekentijd"] for step in report["stappen"] if step["stap"] in ("structuur", "blokken"))
        tell(f"{what}: passed {report['geslaagd']} {report['reden']}, built in {one.built:.1f} s, gate "
             f"{report['seconden']:.0f} s against {WHOLE:.0f}; structure and proofs {exact:.0f} core s against "
             f"{EXACT:.0f} s of two; {report['cijfers']} figures, withheld {report['aantallen']}; "
             f"{_memory():.1f} GB here at most, {_memory(children=True):.1f} in another process")  # fmt: skip
        found += [
            Figure("gate", f"{what}: build and gate", one.built + report["seconden"], "s"),
            Figure("gate", f"{what}: figures withheld", report["aantallen"]["cijfers"], ""),
            Figure("gate", f"{what}: blocks withheld", report["aantallen"]["blokken"], ""),
        ]
    return found


def _memory(*, children: bool = False) -> float:
    who = resource.RUSAGE_CHILDREN if children else resource.RUSAGE_SELF
    return resource.getrusage(who).ru_maxrss / 1e6


def _later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return day.replace(year=year, month=month + 1)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="of the region's rows")
    parser.add_argument("--months", type=int, default=0, help="releases after the first")
    parser.add_argument("--family", action="append", default=[], help="only these families")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--deadline", type=float, default=WHOLE, help="seconds of the gate; more on a busy machine")
    parser.add_argument("--seconds", type=float, default=PROPOSED.seconds, help="of one proof")
    chosen = parser.parse_args(arguments)
    sizes = GateSizes(
        chosen.scale, chosen.months, tuple(chosen.family), workers=chosen.workers, deadline=chosen.deadline,
        seconds=chosen.seconds,
    )  # fmt: skip
    gate(sizes, lambda text: print(text, flush=True))


if __name__ == "__main__":
    main()
