"""Where a fault can be planted: one client with its messages, and what may be asked of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import NamedTuple

from tools.simulator.messages import Bericht, Identificaties
from tools.simulator.model import Client, Levering
from tools.simulator.population import Nummers
from tools.simulator.tables import DEFINITIES, PRODUCTEN
from tools.simulator.xml import Klasse, Kop, Soort

EERSTE_RUIMTE = 8  # days that must be left for follow-up messages


class Plan(NamedTuple):
    """All messages of the client after the fault, and those it concerns."""

    berichten: list[Bericht]
    betrokken: list[Bericht]


@dataclass(slots=True)
class Situatie:
    """One client with its messages as they would be without faults."""

    rng: Random
    client: Client
    berichten: list[Bericht]
    ids: Identificaties
    nummers: Nummers
    first: date
    until: date
    eerder: dict[tuple[Soort, str], Bericht]  # an untouched message per type and provider, of another client
    bezet: set[tuple[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        self.bezet = {(t.aanbieder, t.categorie) for t in self.client.trajecten}

    @property
    def grens(self) -> date:
        """Last day a message may be dated."""
        return self.until + timedelta(days=DEFINITIES.dagtekening_na_einde)

    def bericht(self, bij: Kop, soort: Soort, dag: date, klassen: list[Klasse], map_: str = "") -> Bericht:
        """A new message of the client between the parties of `bij`, dated `dag`, in folder `map_`."""
        id_ = self.ids.volgende(soort, bij.aanbieder)
        kop = Kop(soort, bij.aanbieder, bij.ontvanger, id_, dag)
        return Bericht(kop, self.client, self.client.bsn, klassen, map_=map_, vast=True)

    def kies(self, soort: Soort) -> tuple[Bericht, int] | None:
        """A message of this type with room for follow-up, and one of its classes (no pause)."""
        keuze = [
            (b, i)
            for b in self.berichten
            for i, k in enumerate(b.klassen)
            if b.kop.soort == soort and k.reden != "20" and (self.grens - b.kop.dagtekening).days >= EERSTE_RUIMTE
        ]
        return self.rng.choice(keuze) if keuze else None

    def verzonnen(self) -> tuple[Bericht, Levering] | None:
        """A message to copy the parties of, and a levering that never was, in a category new to client and provider."""
        bij = self.rng.choice(self.berichten)
        vrij = [p for p in PRODUCTEN if (bij.kop.aanbieder, p.categorie) not in self.bezet]
        ruimte = (self.until - self.first).days - 40
        if not vrij or ruimte < 1:
            return None
        product = self.rng.choice(vrij)
        begin = self.first + timedelta(days=self.rng.randint(0, ruimte))
        nummer = next(self.nummers.toewijzing)
        return bij, Levering(nummer, bij.kop.ontvanger, product.categorie, product.codes[0], begin, begin)

    def lopend(self) -> tuple[Kop, Levering] | None:
        """A levering that runs at the end, with the header of its start."""
        for traject in self.client.trajecten:
            laatste = traject.leveringen[-1]
            if (
                laatste.stops
                or laatste.toewijzingnummer is None
                or traject.alleen
                or laatste.begindatum > self.until - timedelta(days=20)
            ):
                continue
            for b in self.berichten:
                nummers = {(int(k.nummer or 0), k.begindatum) for k in b.klassen}
                if b.kop.soort == "JW305" and (laatste.toewijzingnummer, laatste.begindatum) in nummers:
                    return b.kop, laatste
        return None
