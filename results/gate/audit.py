"""The gate as a whole: every step over all figures, the repair, and a report that is stored with the release.

A gate that cannot finish refuses.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from results.gate.blocks import Block
from results.gate.counts import too_few
from results.gate.known import PROPOSED, Hidden, Joint, Limits, Rows, View
from results.gate.nested import nested
from results.gate.probable import probable
from results.gate.progress import Gate, GateRefuses, Reason, repair
from results.gate.prove import prove
from results.gate.structure import Finding, Remake, each, repeated, sums
from results.gate.table import belong_together
from results.gate.views import forced_for
from results.release.model import Figure


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
) -> Verdict:
    """Audit the newest release together with everything that was shown before.

    ``views``: None = every provider of a cluster, and pairs of its three largest. ``remake``: what the release shows of
    a figure and its true numerator; without it the noise is not recalculated. ``deadline``: seconds for the whole.
    """
    gate = Gate(figures, rows, joints, limits, deadline)
    reason: Reason = ""
    begin = time.monotonic()
    try:
        gate.step("structuur", lambda: _structure(gate, remake))
        with ThreadPoolExecutor(workers) as pool:
            gate.step("blokken", lambda: _blocks(gate, pool))
            gate.step("samen", lambda: _joined(gate, pool))
            gate.step("aanbieders", lambda: _views(gate, views, pool))
            gate.step("verborgen", lambda: too_few(gate, hidden))
            gate.step("kans", lambda: probable(gate, pool))
        gate.step("regio", lambda: _sums(gate))
    except GateRefuses as refused:
        reason = refused.reason
    return Verdict(not reason, tuple(sorted(gate.withheld)), _report(gate, reason, time.monotonic() - begin))


def _structure(gate: Gate, remake: Remake | None) -> dict[str, Any]:
    """The exact rules, again until nothing more breaks one."""
    found: dict[str, int] = {}

    def note(findings: Iterable[Finding]) -> None:
        for rule, place in list(findings):
            found[rule] = found.get(rule, 0) + 1
            gate.withhold([place], rule)

    note([*each(gate.structure(), remake), *repeated(gate.structure())])
    while True:
        before = len(gate.withheld)
        note(nested(gate.structure(), sibling=gate.limits.sibling))
        if len(gate.withheld) == before:
            return {"bevindingen": found}


def _sums(gate: Gate) -> dict[str, Any]:
    """Figures of the region against what is left of their clusters."""
    broken = [finding.place for finding in sums(gate.structure())]
    gate.withhold(broken, "regio")
    return {"bevindingen": len(broken)}


def _blocks(gate: Gate, pool: ThreadPoolExecutor) -> dict[str, Any]:
    """The proof of every block, repaired until it is clean."""
    flagged = sum(pool.map(lambda block: _mend(gate, block), gate.split()))
    return {"blokken": len(gate.blocks), "aan_de_grens": flagged}


def _joined(gate: Gate, pool: ThreadPoolExecutor) -> dict[str, Any]:
    """Indicators of the same rows together, such as reasons that add up to uitval: by their interior point.

    Whole numbers were asked of each by itself. What the point holds at a bound is put to programs.
    """
    blocks = gate.split(joined=True)
    outcomes = gate.rows.outcomes
    true = [block for block in blocks if block.joint and belong_together(block.cells, outcomes, block.joint)]
    flagged = sum(pool.map(lambda block: _mend(gate, block), true))
    return {"blokken": len(true), "hangen_niet_samen": len(blocks) - len(true), "aan_de_grens": flagged}


def _mend(gate: Gate, block: Block) -> int:
    """Prove a block, take the smallest figure out of what is forced, and again; children at a bound at first."""
    first: int | None = None
    while True:
        proof = prove(block, gate.rows.outcomes, gate.limits, gate.left)
        gate.blocks.append(proof.described)
        first = proof.flagged if first is None else first
        if proof.clean:
            return first
        cell = repair(gate, proof, "gedwongen")
        block = block._replace(cells=tuple(other for other in block.cells if other is not cell))
        if not block.cells:
            return first


def _views(gate: Gate, views: Sequence[View] | None, pool: ThreadPoolExecutor) -> dict[str, Any]:
    """Providers as readers; a figure that gives something away to one of them is taken out for all."""
    audience = views[0].audience if views else "rel_gem_"
    seen = gate.split(lambda figure: any(name.startswith(audience) for name in figure.audiences))
    return {"blokken": len(seen), "lezers": sum(pool.map(lambda block: _mend_views(gate, block, views), seen))}


def _mend_views(gate: Gate, block: Block, views: Sequence[View] | None) -> int:
    """How many readers could tell something, before the repair."""
    told: set[str] = set()
    while block.cells:
        proof = next(forced_for(block, views, gate.rows, gate.limits, gate.left), None)
        if proof is None:
            break
        told.add(proof.block.name)
        cell = repair(gate, proof, "aanbieder")
        block = block._replace(cells=tuple(other for other in block.cells if other.figures != cell.figures))
    return len(told)


def _report(gate: Gate, reason: Reason, seconds: float) -> dict[str, Any]:
    out = [
        {"plaats": place, "regels": sorted(rules), **_named(gate.figures[place])}
        for place, rules in gate.withheld.items()
    ]
    return {
        "geslaagd": not reason,
        "reden": reason,
        "vrijgave": gate.last,
        "cijfers": len(gate.figures),
        "seconden": round(seconds, 2),
        "grenzen": gate.limits._asdict(),
        "stappen": gate.steps,
        "blokken": gate.blocks,
        "ingehouden": sorted(out, key=lambda one: int(str(one["plaats"]))),
    }


def _named(figure: Figure) -> Mapping[str, str]:
    """A figure by its group and indicator: nothing of what it says."""
    return {"indicator": figure.indicator, **{name: value for name, value in figure.group._asdict().items() if value}}
