"""One case from step to step, cheap ones first: proof, indicators together, providers, hidden counts, chances."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from results.gate.blocks import Block
from results.gate.cases import Case
from results.gate.counts import TooFew
from results.gate.mending import Held, Mending
from results.gate.probable import Probable
from results.gate.prove import prove
from results.gate.table import Cell, belong_together
from results.gate.views import forced_for

#: The steps of a case, in their order.
STEPS = ("blokken", "samen", "aanbieders", "verborgen", "kans")


class Examined(NamedTuple):
    """What was found of a case. ``out``: by place, the rules that took it out; ``steps``: figures of each by name."""

    out: Mapping[int, frozenset[str]]
    described: dict[str, Any]
    steps: dict[str, dict[str, float]]
    blocks: list[dict[str, Any]]
    chances: list[dict[str, Any]]


class _Work:
    """A case at work."""

    def __init__(self, case: Case) -> None:
        self.case, self.mending = case, Mending(case)
        self.blocks: list[dict[str, Any]] = []
        self.chances: list[dict[str, Any]] = []

    def alone(self) -> dict[str, float]:
        """Every block of one indicator, in whole numbers."""
        return {"aan_de_grens": self._each(self._prove, "gedwongen", _tells)}

    def joined(self) -> dict[str, float]:
        """Indicators of the same rows together, such as reasons that add up to uitval: by their interior point."""
        together = {indicator for joint in self.case.joints for indicator in joint.adds}
        found = 0
        for block in self.mending.blocks(lambda cell: cell.indicator in together and _tells(cell), joined=True):
            if block.joint and belong_together(block.cells, self.case.outcomes, block.joint):
                found += self.mending.mend(block, self._prove, "gedwongen")
        return {"aan_de_grens": found}

    def readers(self) -> dict[str, float]:
        """Providers as readers; a figure that gives something away to one of them is taken out for all."""
        views = self.case.views
        audience = views[0].audience if views else "rel_gem_"

        def seen(cell: Cell) -> bool:
            sees = (self.case.figures[place].audiences for place in cell.figures)
            return _tells(cell) and any(name.startswith(audience) for one in sees for name in one)

        return {"te_weten": self._each(self._views, "aanbieder", seen)}

    def counted(self) -> dict[str, float]:
        """Groups that are not shown: how many numbers they may have."""
        wanted = {cell.indicator for cell in self.case.hidden}
        look = TooFew(self.case, self.mending.left)
        return {"te_weinig": self._each(look, "verborgen", lambda cell: cell.indicator in wanted)}

    def likely(self) -> dict[str, float]:
        """What is probable of rows that add 0 or 1."""
        look, found = Probable(self.case, self.mending.left), 0
        for block in self.mending.blocks(lambda cell: cell.least == 0 and cell.most == 1 and _tells(cell)):
            found += self.mending.mend(self.mending.rest(block), look, "kans")
            if look.described.get("blok") == block.name:
                self.chances.append(look.described)
        return {"waarschijnlijk": found}

    def _each(self, look: Callable[[Block], Held | None], rule: str, wanted: Callable[[Cell], bool]) -> int:
        found = 0
        for block in self.mending.blocks(wanted):
            found += self.mending.mend(self.mending.rest(block), look, rule)
        return found

    def _prove(self, block: Block) -> Held | None:
        proof = prove(block, self.case.outcomes, self.case.limits, self.mending.left)
        self.blocks.append(proof.described)
        return None if proof.clean else Held(proof.table, proof.forced)

    def _views(self, block: Block) -> Held | None:
        case = self.case
        found = next(forced_for(block, case.views, case.providers, case.outcomes, case.limits, self.mending.left), None)
        return None if found is None else Held(found.table, found.forced)


def _tells(cell: Cell) -> bool:
    """Whether the interval is narrower than the rows make it anyway."""
    rows = len(cell.members)
    return cell.low > rows * cell.least or cell.high < rows * cell.most


def examine(case: Case) -> Examined:
    """All steps of a case; it ends by the end of its share, with everything new taken out when it is not done."""
    now = time.monotonic()
    case = case._replace(end=min(case.end, now + case.share * max(case.end - now, 0.0)))
    work = _Work(case)
    doing = (work.alone, work.joined, work.readers, work.counted, work.likely)
    steps: dict[str, dict[str, float]] = {}
    for name, step in zip(STEPS, doing, strict=True):
        begin, busy, before = time.monotonic(), time.process_time(), len(work.mending.out)
        found = step() if not work.mending.whole else {}
        seconds = {"seconden": time.monotonic() - begin, "rekentijd": time.process_time() - busy}
        steps[name] = {**seconds, "ingehouden": len(work.mending.out) - before, **found}
    out = {place: frozenset(rules) for place, rules in work.mending.out.items()}
    described = work.mending.described | {
        "rekentijd": {name: round(one["rekentijd"], 1) for name, one in steps.items()},
        "klassen": max((one["klassen"] for one in work.blocks), default=0),
    }
    return Examined(out, described, steps, work.blocks, work.chances)
