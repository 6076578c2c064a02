"""The gate as a whole: every step over all figures, the repair, and a report that is stored with the release.

What is found is taken out, at last a whole block of a cluster and a family; the release goes on without. It is refused
where too much breaks an exact rule, where most blocks stay out, or where the gate was not finished.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import Any, NamedTuple

from results.gate.cases import Case, cases_of, shared
from results.gate.examine import Examined, examine
from results.gate.known import PROPOSED, Hidden, Joint, Limits, Rows, View
from results.gate.nested import nested
from results.gate.progress import Gate, GateEnds, Reason
from results.gate.structure import Finding, Remake, each, repeated, sums
from results.release.model import Figure

#: Rows in cells from which other processes are worth their start.
_WORTH = 500_000
#: Told of each case that is done.
Tell = Callable[[Examined], None]


class Verdict(NamedTuple):
    """``passed``: may be published, without the figures ``withheld`` (places in the sequence that was audited)."""

    passed: bool
    withheld: tuple[int, ...]
    report: dict[str, Any]


def audit(
    figures: Sequence[Figure],
    *,
    rows: Rows,
    hidden: Sequence[Hidden] = (),
    views: Sequence[View] | None = None,
    joints: Sequence[Joint] = (),
    remake: Remake | None = None,
    limits: Limits = PROPOSED,
    deadline: float = 600.0,
    workers: int = 2,
    tell: Tell | None = None,
    begin: Callable[[], None] | None = None,
) -> Verdict:
    """Audit the newest release together with everything that was shown before.

    ``views``: None = every provider of a cluster, and pairs of its three largest. ``remake``: what the release shows of
    a figure and its true numerator; without it the noise is not recalculated. ``deadline``: seconds for the whole.
    ``workers``: processes, where there is much to do; each calls ``begin`` first. ``tell``: of each case that is done.
    """
    gate = Gate(figures, rows, limits, deadline)
    reason: Reason = ""
    started = time.monotonic()
    try:
        gate.step("structuur", lambda: _structure(gate, remake))
        cases = cases_of(
            figures, gate.members, gate.skipped(), rows, hidden, joints, views, limits, gate.last, gate.end
        )
        gate.took(_examined(shared([case for case in cases if case.new], workers), workers, tell, begin))
        gate.enough_is_left()
        gate.step("regio", lambda: _sums(gate))
    except GateEnds as refused:
        reason = refused.reason
    return Verdict(not reason, tuple(sorted(gate.withheld)), _report(gate, reason, time.monotonic() - started))


def _examined(
    cases: Sequence[Case], workers: int, tell: Tell | None, begin: Callable[[], None] | None
) -> Iterator[Examined]:
    """The cases as they are done, the largest begun first."""
    if workers < 2 or sum(case.size for case in cases) < _WORTH:
        for case in cases:
            yield _told(examine(case), tell)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=begin) as pool:
        for done in as_completed([pool.submit(examine, case) for case in cases]):
            yield _told(done.result(), tell)


def _told(examined: Examined, tell: Tell | None) -> Examined:
    if tell:
        tell(examined)
    return examined


def _structure(gate: Gate, remake: Remake | None) -> dict[str, Any]:
    """The exact rules, again until nothing more breaks one; sums of the region among them."""
    found: dict[str, int] = {}

    def note(findings: Iterable[Finding]) -> None:
        for rule, place in list(findings):
            found[rule] = found.get(rule, 0) + 1
            gate.withhold([place], rule)
        if len(gate.withheld) > gate.limits.withheld:
            raise GateEnds("te veel ingehouden")

    note([*each(gate.structure(), remake), *repeated(gate.structure()), *sums(gate.structure())])
    while True:
        before = len(gate.withheld)
        note(nested(gate.structure(), sibling=gate.limits.sibling))
        if len(gate.withheld) == before:
            return {"bevindingen": found}


def _sums(gate: Gate) -> dict[str, Any]:
    """Figures of the region of which a part stays out: they are made anew of what is left."""
    broken = [finding.place for finding in sums(gate.structure())]
    gate.withhold(broken, "regio")
    return {"bevindingen": len(broken)}


def _report(gate: Gate, reason: Reason, seconds: float) -> dict[str, Any]:
    out = [
        {"plaats": place, "regels": sorted(rules), **_named(gate.figures[place])}
        for place, rules in gate.withheld.items()
    ]
    cases = [one.described for one in gate.cases]
    return {
        "geslaagd": not reason,
        "reden": reason,
        "vrijgave": gate.last,
        "cijfers": len(gate.figures),
        "seconden": round(seconds, 2),
        "grenzen": gate.limits._asdict(),
        "aantallen": {
            "cijfers": len(out),
            "sneden": sum(len(case["sneden"]) for case in cases),
            "blokken": sum(case["geheel"] for case in cases),
            "bevroren": sum(bool(case["bevroren"]) for case in cases),
        },
        "stappen": gate.steps,
        "delen": cases,
        "blokken": [block for one in gate.cases for block in one.blocks],
        "kansen": [block for one in gate.cases for block in one.chances],
        "ingehouden": sorted(out, key=lambda one: int(str(one["plaats"]))),
    }


def _named(figure: Figure) -> Mapping[str, str]:
    """A figure by its group and indicator: nothing of what it says."""
    return {"indicator": figure.indicator, **{name: value for name, value in figure.group._asdict().items() if value}}
