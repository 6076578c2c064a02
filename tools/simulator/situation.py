"""Where a fault can be planted: one client with its messages, and what may be asked of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import NamedTuple

from tools.simulator.messages import Bericht, Identificaties
from tools.simulator.model import Client, Levering
from tools.simulator.population import Numbers
from tools.simulator.tables import DEFINITIONS, PRODUCTS
from tools.simulator.xml import Header, Kind, ProductClass

ROOM_DAYS = 8  # days that must be left for follow-up messages


class Plan(NamedTuple):
    """All messages of the client after the fault, and those it concerns."""

    berichten: list[Bericht]
    concerned: list[Bericht]


@dataclass(slots=True)
class Situation:
    """One client with its messages as they would be without faults."""

    rng: Random
    client: Client
    berichten: list[Bericht]
    ids: Identificaties
    numbers: Numbers
    first: date
    until: date
    earlier: dict[tuple[Kind, str], Bericht]  # an untouched message per type and provider, of another client
    taken: set[tuple[str, str]] = field(init=False)

    def __post_init__(self) -> None:
        self.taken = {(t.aanbieder, t.categorie) for t in self.client.trajecten}

    @property
    def bound(self) -> date:
        """Last day a message may be dated."""
        return self.until + timedelta(days=DEFINITIONS.days_after_until)

    def bericht(self, at: Header, kind: Kind, day: date, classes: list[ProductClass], folder: str = "") -> Bericht:
        """A new message of the client between the parties of ``at``, dated ``day``, in ``folder``."""
        id_ = self.ids.next(kind, at.aanbieder)
        header = Header(kind, at.aanbieder, at.ontvanger, id_, day)
        return Bericht(header, self.client, self.client.bsn, classes, folder=folder, fixed=True)

    def choose(self, kind: Kind) -> tuple[Bericht, int] | None:
        """A message of this type with room for follow-up, and one of its classes (no pause)."""
        choice = [
            (b, i)
            for b in self.berichten
            for i, k in enumerate(b.classes)
            if b.header.kind == kind and k.reden != "20" and (self.bound - b.header.dagtekening).days >= ROOM_DAYS
        ]
        return self.rng.choice(choice) if choice else None

    def invented(self) -> tuple[Bericht, Levering] | None:
        """A message to copy the parties of, and a levering that never was, in a category new to client and provider."""
        at = self.rng.choice(self.berichten)
        free = [p for p in PRODUCTS if (at.header.aanbieder, p.categorie) not in self.taken]
        room = (self.until - self.first).days - 40
        if not free or room < 1:
            return None
        product = self.rng.choice(free)
        begin = self.first + timedelta(days=self.rng.randint(0, room))
        number = next(self.numbers.toewijzing)
        return at, Levering(number, at.header.ontvanger, product.categorie, product.codes[0], begin, begin)

    def running(self) -> tuple[Header, Levering] | None:
        """A levering that runs at the end, with the header of its start."""
        for traject in self.client.trajecten:
            last = traject.leveringen[-1]
            if (
                last.stops
                or last.toewijzingnummer is None
                or traject.alone
                or last.begindatum > self.until - timedelta(days=20)
            ):
                continue
            for b in self.berichten:
                numbers = {(int(k.toewijzingnummer or 0), k.begindatum) for k in b.classes}
                if b.header.kind == "JW305" and (last.toewijzingnummer, last.begindatum) in numbers:
                    return b.header, last
        return None
