"""Clients, providers and their care histories: the first half of the world, deterministic per seed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from domain.field.geography import CLUSTERS
from tools.simulator.bsn import client_bsns
from tools.simulator.care import overlijden, plan_spells
from tools.simulator.model import Aanbieder, Client, Levering, Stop, Traject
from tools.simulator.tables import (
    CLUSTER_VAN,
    DEFINITIES,
    INWONERS,
    PRODUCT_VAN,
    PRODUCTEN,
    TOEWIJZING_VOOR_FUSIE,
    VOOR_FUSIE,
    Product,
)

MIN_AANBIEDERS = 12
CLIENTS_PER_AANBIEDER = 100
OUD_SHARE, FUSIE_SHARE, TAAKGERICHT_SHARE = 0.05, 0.6, 0.02
FIRST_AGB = 99_000_001  # 99 is no care type in use: these codes belong to nobody


@dataclass(slots=True)
class Nummers:
    """Counters of assignments (unique in the whole simulation) and decisions (nine digits, leading zero)."""

    toewijzing: Iterator[int] = field(default_factory=lambda: itertools.count(4711))
    beschikking: Iterator[int] = field(default_factory=lambda: itertools.count(20_001))


@dataclass(slots=True)
class Population:
    """Draws clients; `first` and `until` bound every day of care."""

    seed: int
    first: date
    until: date
    aanbieders: dict[str, Aanbieder]
    nummers: Nummers = field(default_factory=Nummers)

    def clients(self, count: int) -> Iterator[Client]:
        """`count` clients, each with its own random generator."""
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
    """A client of 1 to 15 years at `first`. Every name starts with 'Test', so that a leak can be searched for."""
    geboren = first - timedelta(days=rng.randint(365, 15 * 365))
    gebruik = rng.choices(("", "1", "2"), (96, 2, 2))[0]
    if gebruik:
        geboren = geboren.replace(day=1, month=1 if gebruik == "2" else geboren.month)
    return Client(
        bsn=bsn,
        geboortedatum=geboren,
        datum_gebruik=gebruik,
        geslacht=rng.choices(("1", "2", "0"), (49, 49, 2))[0],
        achternaam="Test" + rng.choice(("persoon", "kind", "ér", "-Jansen", " & Zn", "naam")),
        voorvoegsel=rng.choices(("", "van", "de"), (7, 2, 1))[0],
        voornamen=rng.choice(("", "Testa", "Testo Tést", "Testine")),
    )


@dataclass(slots=True)
class _History:
    """Builds the trajecten of one client. Keeps trajecten of one key apart and first days at one provider distinct."""

    pop: Population
    rng: Random
    client: Client
    bezet: set[tuple[str, str]] = field(default_factory=set)  # (provider, category) in use
    begins: set[tuple[str, date]] = field(default_factory=set)

    def build(self) -> None:
        rng, until = self.rng, self.pop.until
        gemeente = rng.choices(list(INWONERS), list(INWONERS.values()))[0]
        begin = self.pop.first + timedelta(days=rng.randint(0, (until - self.pop.first).days))
        traject = self._add(self._aanbieder(gemeente), gemeente, self._product(), begin)
        if traject is None:
            raise AssertionError("a first day of care lies in the simulated period")
        if rng.random() < 0.15:
            self._parallel(traject)
        if rng.random() < 0.03 and traject.einde is None:
            self._verhuis(traject)
        while traject.status == "beeindigd" and len(self.client.trajecten) < 5 and rng.random() < 0.35:
            volgende = self._later(traject)
            if volgende is None:
                break
            traject = volgende
        if len(self.client.trajecten) == 1 and traject.einde and overlijden(rng):
            traject.einde.reden = "02"

    def _later(self, vorige: Traject) -> Traject | None:
        """A new traject after the former ended: the same care 31 days later or more, or other care at any time."""
        rng, einde = self.rng, vorige.einde
        if einde is None:
            return None
        grens = DEFINITIES.keten_dagen
        if rng.random() < 0.4:
            begin = einde.einddatum + timedelta(days=grens + rng.choice((1, rng.randint(2, 200))))
            product = PRODUCT_VAN[vorige.categorie]
            aanbieder = vorige.aanbieder
        else:
            begin = einde.einddatum + timedelta(days=rng.randint(1, 300))
            aanbieder, product = self._aanbieder(vorige.gemeente), self._product()
            if (aanbieder, product.categorie) in self.bezet:
                return None
        return self._add(aanbieder, vorige.gemeente, product, begin)

    def _parallel(self, traject: Traject) -> None:
        """Other care beside the first, often days apart by the same provider: one message starts both."""
        rng = self.rng
        aanbieder = traject.aanbieder if rng.random() < 0.6 else self._aanbieder(traject.gemeente)
        product = self._product()
        begin = traject.begindatum + timedelta(days=rng.choice((1, 2, rng.randint(0, 60))))
        if (aanbieder, product.categorie) not in self.bezet:
            self._add(aanbieder, traject.gemeente, product, begin)

    def _verhuis(self, traject: Traject) -> None:
        """A move: care ends with 35 in one gemeente and goes on by the same provider in another, as another traject."""
        laatste = traject.leveringen[-1]
        ruimte = (self.pop.until - laatste.begindatum).days
        elders = [g for g in INWONERS if g != traject.gemeente and self._werkt_in(traject.aanbieder, g)]
        open_ervoor = any(not levering.stops for levering in traject.leveringen[:-1])
        if ruimte < 10 or laatste.stops or open_ervoor or not elders:
            return
        dag = laatste.begindatum + timedelta(days=self.rng.randint(6, ruimte - 2))
        product = PRODUCT_VAN[traject.categorie]
        nieuw = self._add(traject.aanbieder, self.rng.choice(elders), product, dag + timedelta(days=1))
        if nieuw:
            laatste.stops.append(Stop(dag, "35"))

    def _add(self, agb: str, gemeente: str, product: Product, begin: date) -> Traject | None:
        while (agb, begin) in self.begins:
            begin += timedelta(days=1)
        if begin > self.pop.until:
            return None
        self.begins.add((agb, begin))
        self.bezet.add((agb, product.categorie))
        traject = Traject(
            aanbieder=agb,
            gemeente=gemeente,
            categorie=product.categorie,
            duurzaam=product.duurzaam,
            beschikkingsnummer=f"{next(self.pop.nummers.beschikking):09d}",
            leveringen=self._leveringen(gemeente, product, begin),
        )
        self.client.trajecten.append(traject)
        return traject

    def _leveringen(self, gemeente: str, product: Product, begin: date) -> list[Levering]:
        rng, made = self.rng, list[Levering]()
        code = "" if rng.random() < 0.04 else rng.choice(product.codes)
        geboren = self.client.geboortedatum < TOEWIJZING_VOOR_FUSIE - timedelta(days=30)
        oud = gemeente in VOOR_FUSIE and geboren and rng.random() < OUD_SHARE
        taakgericht = not oud and rng.random() < TAAKGERICHT_SHARE
        for spell in plan_spells(rng, begin, product, self.pop.until):
            if spell.nieuw_nummer or not made:
                if made and code and rng.random() < 0.3:
                    code = rng.choice(product.codes)
                levering = self._toewijzing(gemeente, product.categorie, code, spell.begin, oud=oud)
            else:
                old = made[-1]
                levering = Levering(
                    old.toewijzingnummer, old.ontvanger, old.categorie, old.code, old.ingangsdatum, spell.begin
                )
            if taakgericht:
                levering.toewijzingnummer = None
            levering.stops = spell.stops
            made.append(levering)
        if oud and rng.random() < FUSIE_SHARE:
            made += self._fusie(gemeente, made[-1])
        return made

    def _fusie(self, gemeente: str, oud: Levering) -> list[Levering]:
        """The assignment of a merged municipality ends (JZ002 11), and the next day care goes on under the new code."""
        laatste = oud.stops[-1].einddatum if oud.stops else self.pop.until
        ruimte = (laatste - oud.begindatum).days
        if ruimte < 10 or oud.pauze:
            return []
        dag = oud.begindatum + timedelta(days=ruimte // 2)
        morgen = dag + timedelta(days=1)
        nieuw = Levering(next(self.pop.nummers.toewijzing), gemeente, oud.categorie, oud.code, morgen, morgen)
        nieuw.stops, oud.stops, oud.fusie = oud.stops, [Stop(dag, "36")], True
        return [nieuw]

    def _toewijzing(self, gemeente: str, categorie: str, code: str, begin: date, *, oud: bool) -> Levering:
        ingang, ontvanger = begin - timedelta(days=self.rng.randint(0, 14)), gemeente
        if oud:
            ingang, ontvanger = TOEWIJZING_VOOR_FUSIE, VOOR_FUSIE[gemeente]
        return Levering(next(self.pop.nummers.toewijzing), ontvanger, categorie, code, ingang, begin)

    def _aanbieder(self, gemeente: str) -> str:
        keuze = [agb for agb in self.pop.aanbieders if self._werkt_in(agb, gemeente)]
        return self.rng.choices(keuze, [1 / (rank + 2) for rank in range(len(keuze))])[0]

    def _werkt_in(self, agb: str, gemeente: str) -> bool:
        return CLUSTER_VAN[gemeente] in self.pop.aanbieders[agb].clusters

    def _product(self) -> Product:
        return self.rng.choices(PRODUCTEN, [p.gewicht for p in PRODUCTEN])[0]
