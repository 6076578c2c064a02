"""Planted errors and corrections in JW301, JW305 and JW307 traffic: which client gets which.

Every kind leaves the expected course of care as it is; some add what a row waits for, flags, or a row that waits.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from random import Random

from tools.simulator.config import SimulationConfig
from tools.simulator.fault_messages import KINDS
from tools.simulator.manifest import Manifest
from tools.simulator.messages import AFTER_EVERYTHING, Bericht, Identificaties
from tools.simulator.model import Client, World
from tools.simulator.population import Numbers
from tools.simulator.situation import Situation
from tools.simulator.xml import Kind

LATE_SHARE = 0.06


@dataclass(slots=True)
class Faults:
    """Hands out the kinds in turn, one to every few clients, so that even a small run has most of them."""

    config: SimulationConfig
    world: World
    numbers: Numbers
    ids: Identificaties
    manifest: Manifest
    late: list[str] = field(default_factory=list)
    _turn: deque[str] = field(default_factory=lambda: deque(KINDS))
    _earlier: dict[tuple[Kind, str], Bericht] = field(default_factory=dict)

    def apply(self, index: int, client: Client, berichten: list[Bericht]) -> list[Bericht]:
        """The messages of one client, with at most one kind of fault planted and some files made late."""
        rng = Random(f"{self.config.seed}|fout|{index}")
        if index % self._each() == 0:
            return [self._make_late(rng, b) for b in self._plant(rng, client, berichten)]
        berichten = [self._make_late(rng, b) for b in berichten]
        self._earlier.update({(b.header.kind, b.header.aanbieder): b for b in berichten if b.classes})
        return berichten

    def _each(self) -> int:
        return max(1, min(5, len(self.world.clients) // 60))

    def _plant(self, rng: Random, client: Client, berichten: list[Bericht]) -> list[Bericht]:
        """The first kind in turn that fits this client; it then goes to the end of the queue."""
        period = self.config.first, self.config.until
        situation = Situation(rng, client, berichten, self.ids, self.numbers, *period, self._earlier)
        for kind in list(self._turn):
            plan = KINDS[kind].make(situation)
            if plan is None:
                continue
            self._turn.remove(kind)
            self._turn.append(kind)
            self.manifest.add(kind, [b.path for b in plan.concerned])
            return plan.berichten
        return berichten

    def _make_late(self, rng: Random, bericht: Bericht) -> Bericht:
        """Some sound messages arrive after all others: order of arrival has no meaning (OP080)."""
        if rng.random() >= LATE_SHARE or bericht.fixed:
            return bericht
        late = replace(bericht, folder=AFTER_EVERYTHING)
        self.late.append(late.path)
        return late
