"""Clients, providers and their care histories: the first half of the world, deterministic per seed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from domain.field.geography import CLUSTERS
from tools.simulator.bsn import client_bsns
from tools.simulator.care import death, plan_spells
from tools.simulator.model import Aanbieder, Client, Levering, Stop, Traject
from tools.simulator.tables import (
    BEFORE_MERGER,
    CLUSTER_OF,
    DEFINITIONS,
    INHABITANTS,
    PRODUCT_OF,
    PRODUCTS,
    TOEWIJZING_BEFORE_MERGER,
    Product,
)

MIN_AANBIEDERS = 12
CLIENTS_PER_AANBIEDER = 100
OLD_SHARE, MERGER_SHARE, TAAKGERICHT_SHARE = 0.05, 0.6, 0.02
FIRST_AGB = 99_000_001  # 99 is no care type in use: these codes belong to nobody


@dataclass(slots=True)
class Numbers:
    """Counters of assignments (unique in the whole simulation) and decisions (nine digits, leading zero)."""

    toewijzing: Iterator[int] = field(default_factory=lambda: itertools.count(4711))
    beschikking: Iterator[int] = field(default_factory=lambda: itertools.count(20_001))


@dataclass(slots=True)
class Population:
    """Draws clients; ``first`` and ``until`` bound every day of care."""

    seed: int
    first: date
    until: date
    aanbieders: dict[str, Aanbieder]
    numbers: Numbers = field(default_factory=Numbers)

    def clients(self, count: int) -> Iterator[Client]:
        """``count`` clients, each with its own random generator."""
        for index, bsn in enumerate(itertools.islice(client_bsns(), count)):
            rng = Random(f"{self.seed}|client|{index}")
            client = make_client(rng, bsn, self.first)
            _History(self, rng, client).build()
            yield client


def make_aanbieders(seed: int, clients: int) -> dict[str, Aanbieder]:
    """About one provider per 100 clients, at least 12; every cluster gets at least three of them."""
    rng = Random(f"{seed}|aanbieders")
    made = {}
    for i in range(max(MIN_AANBIEDERS, clients // CLIENTS_PER_AANBIEDER)):
        home = CLUSTERS[i % len(CLUSTERS)]
        clusters = tuple(c for c in CLUSTERS if c == home or rng.random() < 0.35)
        made[f"{FIRST_AGB + i * 7}"] = Aanbieder(f"{FIRST_AGB + i * 7}", clusters, i % 3, bergop=i % 4 == 3)
    return made


def make_client(rng: Random, bsn: str, first: date) -> Client:
    """A client of 1 to 15 years at ``first``. Every name starts with 'Test', so that a leak can be searched for."""
    born = first - timedelta(days=rng.randint(365, 15 * 365))
    usage = rng.choices(("", "1", "2"), (96, 2, 2))[0]
    if usage:
        born = born.replace(day=1, month=1 if usage == "2" else born.month)
    return Client(
        bsn=bsn,
        geboortedatum=born,
        datum_usage=usage,
        geslacht=rng.choices(("1", "2", "0"), (49, 49, 2))[0],
        surname="Test" + rng.choice(("persoon", "kind", "ér", "-Jansen", " & Zn", "naam")),
        prefix=rng.choices(("", "van", "de"), (7, 2, 1))[0],
        first_names=rng.choice(("", "Testa", "Testo Tést", "Testine")),
    )


@dataclass(slots=True)
class _History:
    """Builds the trajecten of one client. Keeps trajecten of one key apart and first days at one provider distinct."""

    pop: Population
    rng: Random
    client: Client
    taken: set[tuple[str, str]] = field(default_factory=set)  # (provider, category) in use
    begins: set[tuple[str, date]] = field(default_factory=set)

    def build(self) -> None:
        rng, until = self.rng, self.pop.until
        gemeente = rng.choices(list(INHABITANTS), list(INHABITANTS.values()))[0]
        begin = self.pop.first + timedelta(days=rng.randint(0, (until - self.pop.first).days))
        traject = self._add(self._aanbieder(gemeente), gemeente, self._product(), begin)
        if traject is None:
            raise AssertionError("a first day of care lies in the simulated period")
        if rng.random() < 0.15:
            self._parallel(traject)
        if rng.random() < 0.03 and traject.end is None:
            self._move(traject)
        while traject.status == "beeindigd" and len(self.client.trajecten) < 5 and rng.random() < 0.35:
            later = self._later(traject)
            if later is None:
                break
            traject = later
        if len(self.client.trajecten) == 1 and traject.end and death(rng):
            traject.end.reden = "02"

    def _later(self, previous: Traject) -> Traject | None:
        """A new traject after the former ended: the same care 31 days later or more, or other care at any time."""
        rng, end = self.rng, previous.end
        if end is None:
            return None
        bound = DEFINITIONS.chain_days
        if rng.random() < 0.4:
            begin = end.einddatum + timedelta(days=bound + rng.choice((1, rng.randint(2, 200))))
            product = PRODUCT_OF[previous.categorie]
            aanbieder = previous.aanbieder
        else:
            begin = end.einddatum + timedelta(days=rng.randint(1, 300))
            aanbieder, product = self._aanbieder(previous.gemeente), self._product()
            if (aanbieder, product.categorie) in self.taken:
                return None
        return self._add(aanbieder, previous.gemeente, product, begin)

    def _parallel(self, traject: Traject) -> None:
        """Other care beside the first, often days apart by the same provider: one message starts both."""
        rng = self.rng
        aanbieder = traject.aanbieder if rng.random() < 0.6 else self._aanbieder(traject.gemeente)
        product = self._product()
        begin = traject.begindatum + timedelta(days=rng.choice((1, 2, rng.randint(0, 60))))
        if (aanbieder, product.categorie) not in self.taken:
            self._add(aanbieder, traject.gemeente, product, begin)

    def _move(self, traject: Traject) -> None:
        """A move: care ends with 35 in one gemeente and goes on by the same provider in another, as another traject."""
        last = traject.leveringen[-1]
        room = (self.pop.until - last.begindatum).days
        elders = [g for g in INHABITANTS if g != traject.gemeente and self._works_in(traject.aanbieder, g)]
        open_before = any(not levering.stops for levering in traject.leveringen[:-1])
        if room < 10 or last.stops or open_before or not elders:
            return
        day = last.begindatum + timedelta(days=self.rng.randint(6, room - 2))
        product = PRODUCT_OF[traject.categorie]
        new = self._add(traject.aanbieder, self.rng.choice(elders), product, day + timedelta(days=1))
        if new:
            last.stops.append(Stop(day, "35"))

    def _add(self, agb: str, gemeente: str, product: Product, begin: date) -> Traject | None:
        while (agb, begin) in self.begins:
            begin += timedelta(days=1)
        if begin > self.pop.until:
            return None
        self.begins.add((agb, begin))
        self.taken.add((agb, product.categorie))
        traject = Traject(
            aanbieder=agb,
            gemeente=gemeente,
            categorie=product.categorie,
            duurzaam=product.duurzaam,
            beschikkingsnummer=f"{next(self.pop.numbers.beschikking):09d}",
            leveringen=self._leveringen(gemeente, product, begin),
        )
        self.client.trajecten.append(traject)
        return traject

    def _leveringen(self, gemeente: str, product: Product, begin: date) -> list[Levering]:
        rng, made = self.rng, list[Levering]()
        code = "" if rng.random() < 0.04 else rng.choice(product.codes)
        born = self.client.geboortedatum < TOEWIJZING_BEFORE_MERGER - timedelta(days=30)
        older = gemeente in BEFORE_MERGER and born and rng.random() < OLD_SHARE
        taakgericht = not older and rng.random() < TAAKGERICHT_SHARE
        for spell in plan_spells(rng, begin, product, self.pop.until):
            if spell.new_number or not made:
                if made and code and rng.random() < 0.3:
                    code = rng.choice(product.codes)
                levering = self._toewijzing(gemeente, product.categorie, code, spell.begin, older=older)
            else:
                old = made[-1]
                levering = Levering(
                    old.toewijzingnummer, old.ontvanger, old.categorie, old.code, old.ingangsdatum, spell.begin
                )
            if taakgericht:
                levering.toewijzingnummer = None
            levering.stops = spell.stops
            made.append(levering)
        if older and rng.random() < MERGER_SHARE:
            made += self._merger(gemeente, made[-1])
        return made

    def _merger(self, gemeente: str, older: Levering) -> list[Levering]:
        """The assignment of a merged municipality ends (JZ002 11), and the next day care goes on under the new code."""
        last = older.stops[-1].einddatum if older.stops else self.pop.until
        room = (last - older.begindatum).days
        if room < 10 or older.pause:
            return []
        day = older.begindatum + timedelta(days=room // 2)
        next_day = day + timedelta(days=1)
        new = Levering(next(self.pop.numbers.toewijzing), gemeente, older.categorie, older.code, next_day, next_day)
        new.stops, older.stops, older.merger = older.stops, [Stop(day, "36")], True
        return [new]

    def _toewijzing(self, gemeente: str, categorie: str, code: str, begin: date, *, older: bool) -> Levering:
        ingangsdatum, ontvanger = begin - timedelta(days=self.rng.randint(0, 14)), gemeente
        if older:
            ingangsdatum, ontvanger = TOEWIJZING_BEFORE_MERGER, BEFORE_MERGER[gemeente]
        return Levering(next(self.pop.numbers.toewijzing), ontvanger, categorie, code, ingangsdatum, begin)

    def _aanbieder(self, gemeente: str) -> str:
        choice = [agb for agb in self.pop.aanbieders if self._works_in(agb, gemeente)]
        return self.rng.choices(choice, [1 / (rank + 2) for rank in range(len(choice))])[0]

    def _works_in(self, agb: str, gemeente: str) -> bool:
        return CLUSTER_OF[gemeente] in self.pop.aanbieders[agb].clusters

    def _product(self) -> Product:
        return self.rng.choices(PRODUCTS, [p.weight for p in PRODUCTS])[0]
