"""Planted errors and corrections in JW301, JW305 and JW307 traffic: which client gets which.

Every kind leaves the expected course of care as it is; some add what a row waits for, flags, or a row that waits.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from random import Random

from tools.simulator.config import SimulationConfig
from tools.simulator.fault_messages import SOORTEN
from tools.simulator.manifest import Manifest
from tools.simulator.messages import NA_ALLES, Bericht, Identificaties
from tools.simulator.model import Client, World
from tools.simulator.population import Nummers
from tools.simulator.situation import Situatie
from tools.simulator.xml import Soort

LATE_SHARE = 0.06


@dataclass(slots=True)
class Faults:
    """Hands out the kinds in turn, one to every few clients, so that even a small run has most of them."""

    config: SimulationConfig
    world: World
    nummers: Nummers
    ids: Identificaties
    manifest: Manifest
    laat: list[str] = field(default_factory=list)
    _beurt: deque[str] = field(default_factory=lambda: deque(SOORTEN))
    _eerder: dict[tuple[Soort, str], Bericht] = field(default_factory=dict)

    def apply(self, index: int, client: Client, berichten: list[Bericht]) -> list[Bericht]:
        """The messages of one client, with at most one kind of fault planted and some files made late."""
        rng = Random(f"{self.config.seed}|fout|{index}")
        if index % self._elke() == 0:
            return [self._maak_laat(rng, b) for b in self._plant(rng, client, berichten)]
        berichten = [self._maak_laat(rng, b) for b in berichten]
        self._eerder.update({(b.kop.soort, b.kop.aanbieder): b for b in berichten if b.klassen})
        return berichten

    def _elke(self) -> int:
        return max(1, min(5, len(self.world.clients) // 60))

    def _plant(self, rng: Random, client: Client, berichten: list[Bericht]) -> list[Bericht]:
        """The first kind in turn that fits this client; it then goes to the end of the queue."""
        period = self.config.first, self.config.until
        situatie = Situatie(rng, client, berichten, self.ids, self.nummers, *period, self._eerder)
        for soort in list(self._beurt):
            plan = SOORTEN[soort].maak(situatie)
            if plan is None:
                continue
            self._beurt.remove(soort)
            self._beurt.append(soort)
            self.manifest.add(soort, [b.pad for b in plan.betrokken])
            return plan.berichten
        return berichten

    def _maak_laat(self, rng: Random, bericht: Bericht) -> Bericht:
        """Some sound messages arrive after all others: order of arrival has no meaning (OP080)."""
        if rng.random() >= LATE_SHARE or bericht.vast:
            return bericht
        laat = replace(bericht, map_=NA_ALLES)
        self.laat.append(laat.pad)
        return laat
