"""JW323: monthly declarations of running care, one file per provider, gemeente and month, and JW325 on each of them.

Without faults every line is approved. With them: credits and new debits, lines and whole declarations that the gemeente
rejects, numbers used twice. What is left of a line is decided when its group is written.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random

from tools.simulator.manifest import Manifest
from tools.simulator.messages import NA_ALLES, VOORAF, Identificaties
from tools.simulator.model import Client, Levering, Traject, World, laatste_dag, maand_van
from tools.simulator.output import Output
from tools.simulator.tables import PRODUCT_VAN
from tools.simulator.xml import Kop, Prestatie, declaratie
from tools.simulator.xml_retour import Antwoord, declaratie_antwoord

CREDIT_SHARE, AFKEUR_SHARE, GEHEEL_SHARE = 0.02, 0.015, 0.03
REGEL_CODES = ("9338", "9321", "0611")
DUBBEL = ("TR314", "TR333")


@dataclass(slots=True)
class Inzet:
    """An assignment in use: the months in which care was given on it, and the last day it covers (None = open)."""

    client: Client
    traject: Traject
    levering: Levering
    maanden: set[int]
    tot: date | None


@dataclass(slots=True)
class Regel:
    """A declared line, the traject it belongs to, and the code that rejects it ('' = approved)."""

    prestatie: Prestatie
    traject: Traject
    code: str = ""


@dataclass(slots=True)
class Bestand:
    """One declaration: where it goes, its header and number, its lines; `code` and `niveau` reject it as a whole."""

    pad: str
    kop: Kop
    nummer: str
    maand: int
    regels: list[Regel]
    code: str = ""
    niveau: int = 3

    @property
    def prestaties(self) -> list[Prestatie]:
        """The lines as declared."""
        return [r.prestatie for r in self.regels]


@dataclass(slots=True)
class Declaraties:
    """Writes every JW323 and JW325 and sets `Traject.declaraties`.

    `fouten`: take some lines back a month later, most of them declared anew; reject; use numbers twice.
    """

    seed: int
    until: date
    fouten: bool
    ids: Identificaties
    output: Output
    manifest: Manifest
    credit_paden: list[str] = field(default_factory=list)
    _gedaan: set[str] = field(default_factory=set)
    _eerder: dict[str, Bestand] = field(default_factory=dict)
    _ref: dict[str, Iterator[int]] = field(default_factory=lambda: defaultdict(lambda: itertools.count(1)))

    def write(self, world: World) -> Iterator[tuple[str, bytes, int]]:
        """Write all files; yields (path, bytes, lines) of each declaration."""
        for (agb, ontvanger), inzetten in sorted(self._groepen(world).items()):
            stijl, bestanden = world.aanbieders[agb].stijl, self._bestanden(agb, ontvanger, inzetten)
            for bestand in bestanden:
                yield self._schrijf(bestand, stijl)
            _tel(bestanden)

    def _groepen(self, world: World) -> dict[tuple[str, str], list[Inzet]]:
        groepen: dict[tuple[str, str], list[Inzet]] = defaultdict(list)
        for client in world.clients:
            for traject in client.trajecten:
                for inzet in _inzetten(client, traject, self.until):
                    groepen[traject.aanbieder, inzet.levering.ontvanger].append(inzet)
        return groepen

    def _bestanden(self, agb: str, ontvanger: str, inzetten: list[Inzet]) -> list[Bestand]:
        rng = Random(f"{self.seed}|declaraties|{agb}|{ontvanger}")
        per_maand = self._regels(rng, agb, inzetten)
        made = []
        for maand, regels in sorted(per_maand.items()):
            bestand = self._bestand(agb, ontvanger, maand, regels)
            made.append(bestand)
            if self.fouten:
                made += self._oordeel(rng, bestand, last=maand == max(per_maand))
                self._dubbel(rng, bestand)
        return made

    def _regels(self, rng: Random, agb: str, inzetten: list[Inzet]) -> dict[int, list[Regel]]:
        per_maand: dict[int, list[Regel]] = defaultdict(list)
        laatste = max((m for t in inzetten for m in t.maanden), default=0)
        for t in inzetten:
            code = t.levering.code or PRODUCT_VAN[t.levering.categorie].codes[0]
            for maand in sorted(t.maanden):
                regel = Regel(self._regel(rng, agb, t, code, maand), t.traject)
                per_maand[maand].append(regel)
                if self.fouten and maand < laatste and self._kans(rng, "jw323_credit", CREDIT_SHARE):
                    per_maand[maand + 1] += self._credit(rng, agb, regel)
        return per_maand

    def _regel(self, rng: Random, agb: str, t: Inzet, code: str, maand: int) -> Prestatie:
        product = PRODUCT_VAN[t.levering.categorie]
        return Prestatie(
            bsn=t.client.bsn,
            referentie=self._referentie(agb),
            vorige="",
            nummer=t.levering.toewijzingnummer or 0,
            categorie=product.categorie,
            code=code,
            ingangsdatum=t.levering.ingangsdatum,
            maand=maand,
            volume=rng.randint(2, 28) if product.tarief else rng.randint(20_000, 400_000),
            eenheid=product.eenheid,
            tarief=product.tarief,
            tot=t.tot,
        )

    def _credit(self, rng: Random, agb: str, regel: Regel) -> list[Regel]:
        """A copy with C that points to the line (IV085), and mostly a new debit, in the same message."""
        oud = regel.prestatie
        made = [Regel(replace(oud, referentie=self._referentie(agb), vorige=oud.referentie), regel.traject)]
        if rng.random() < 0.7:
            nieuw = replace(oud, referentie=self._referentie(agb), volume=oud.volume + 1)
            made.append(Regel(nieuw, regel.traject))
        elif self._kans(rng, "jw325_credit", 0.3):
            made[0].code = REGEL_CODES[0]  # a rejected credit leaves the debit as it was
        return made

    def _oordeel(self, rng: Random, bestand: Bestand, *, last: bool) -> list[Bestand]:
        """What the gemeente rejects: single lines; or, of the last month, the whole, sent anew under other numbers."""
        geschoond = all(not r.prestatie.vorige and not r.code for r in bestand.regels)
        if last and geschoond:
            for soort, code, niveau in (("jw325_technisch", "0001", 2), ("jw325_geheel", "9333", 3)):
                if self._kans(rng, soort, GEHEEL_SHARE):
                    bestand.code, bestand.niveau = code, niveau
                    self.manifest.add(soort, [bestand.pad])
                    return [self._opnieuw(bestand)]
        for regel in bestand.regels if last else ():
            if not regel.prestatie.vorige and self._kans(rng, "jw325_regel", AFKEUR_SHARE * 4):
                regel.code = rng.choice(REGEL_CODES)
        afgekeurd = any(r.code for r in bestand.regels)
        self.manifest.add("jw325_regel", [bestand.pad] if afgekeurd else [])
        return []

    def _opnieuw(self, bestand: Bestand) -> Bestand:
        agb, kop = bestand.kop.aanbieder, bestand.kop
        regels = [Regel(replace(r.prestatie, referentie=self._referentie(agb)), r.traject) for r in bestand.regels]
        return self._bestand(agb, kop.ontvanger, bestand.maand, regels, later=3)

    def _dubbel(self, rng: Random, bestand: Bestand) -> None:
        """Use a number of an earlier declaration of this provider once more: of a line (TR314), or its own (TR333)."""
        agb = bestand.kop.aanbieder
        eerder = self._eerder.pop(agb, None)
        if bestand.code or any(r.prestatie.vorige or r.code for r in bestand.regels):
            return
        self._eerder[agb] = bestand
        if eerder is None or eerder.maand == bestand.maand:
            return
        soort = next((s for s in DUBBEL if s not in self._gedaan), rng.choice(DUBBEL))
        if not self._kans(rng, soort, 0.04):
            return
        if soort == "TR333":
            bestand.nummer = eerder.nummer
            betrokken = [*eerder.regels, *bestand.regels]
        else:
            betrokken = self._zelfde_referentie(eerder, bestand)
        for regel in betrokken:
            regel.traject.vlaggen.add(soort)
        self.manifest.add(soort.lower(), [eerder.pad, bestand.pad] if betrokken else [])
        if not betrokken:
            self._gedaan.discard(soort)

    def _zelfde_referentie(self, eerder: Bestand, bestand: Bestand) -> list[Regel]:
        """Give a line the reference of another client's line."""
        al = {r.prestatie.vorige for b in (eerder, bestand) for r in b.regels}
        een = eerder.regels[0]
        for regel in bestand.regels:
            if regel.prestatie.bsn != een.prestatie.bsn and een.prestatie.referentie not in al:
                regel.prestatie = replace(regel.prestatie, referentie=een.prestatie.referentie)
                return [een, regel]
        return []

    def _kans(self, rng: Random, soort: str, share: float) -> bool:
        """By lot, but the first chance of each kind is taken."""
        raak = rng.random() < share or soort not in self._gedaan
        if raak:
            self._gedaan.add(soort)
        return raak

    def _referentie(self, agb: str) -> str:
        return f"R{next(self._ref[agb]):08d}"

    def _bestand(self, agb: str, ontvanger: str, maand: int, regels: list[Regel], later: int = 0) -> Bestand:
        rng = Random(f"{self.seed}|dagtekening|{agb}|{ontvanger}|{maand}")
        dag = laatste_dag(maand) + timedelta(days=rng.randint(2, 10) + later)
        id_ = self.ids.volgende("JW323", agb)
        pad = f"berichten/{dag:%Y-%m}/{dag:%Y%m%d}_JW323_{agb}_{ontvanger}_{id_}.xml"
        return Bestand(pad, Kop("JW323", agb, ontvanger, id_, dag), f"D{id_}", maand, regels)

    def _schrijf(self, b: Bestand, stijl: int) -> tuple[str, bytes, int]:
        inhoud = declaratie(b.kop, b.nummer, b.maand, b.prestaties, stijl)
        self.output.good("JW323", b.pad, inhoud, len(b.regels))
        if any(p.vorige for p in b.prestaties):
            self.credit_paden.append(b.pad)
        self._antwoord(b, stijl)
        return b.pad, inhoud, len(b.regels)

    def _antwoord(self, b: Bestand, stijl: int) -> None:
        """The JW325; with faults some of them arrive before the declaration, some after everything."""
        rng = Random(f"{self.seed}|antwoord|{b.pad}")
        dag = b.kop.dagtekening + timedelta(days=rng.randint(1, 10))
        antwoord = Antwoord(self.ids.volgende("JW325", b.kop.ontvanger), dag, b.code, b.niveau)
        codes = {r.prestatie.referentie: r.code for r in b.regels if r.code}
        inhoud = declaratie_antwoord(b.kop, antwoord, b.nummer, b.prestaties, codes, stijl)
        maand = f"berichten/{dag:%Y-%m}"
        map_ = rng.choices((maand, VOORAF, NA_ALLES), (80, 10, 10))[0] if self.fouten else maand
        pad = f"{map_}/{dag:%Y%m%d}_JW325_{b.kop.aanbieder}_{b.kop.ontvanger}_{b.kop.identificatie}.xml"
        self.output.good("JW325", pad, inhoud, max(1, len(codes)))


def _tel(bestanden: list[Bestand]) -> None:
    """Net declared lines: approved debits that no approved credit takes back (IV085, IV091)."""
    geldig = [r for b in bestanden if not b.code for r in b.regels if not r.code]
    terug = {r.prestatie.vorige for r in geldig if r.prestatie.vorige}
    for regel in geldig:
        if not regel.prestatie.vorige and regel.prestatie.referentie not in terug:
            regel.traject.declaraties += 1


def _inzetten(client: Client, traject: Traject, until: date) -> list[Inzet]:
    """Assignments of a chain with the whole months (up to `until`) in which one of their leveringen ran.

    Taakgericht work has no assignment, and a JW323 cannot do without.
    """
    eind = {(t.gemeente, t.nummer): t.versies[-1].einddatum for t in client.toewijzingen}
    made: dict[int, Inzet] = {}
    for x in traject.leveringen:
        if x.toewijzingnummer is None or traject.alleen:
            continue
        plaats = x.ontvanger, x.toewijzingnummer
        t = made.setdefault(x.toewijzingnummer, Inzet(client, traject, x, set(), eind.get(plaats)))
        stop = x.pauze or x.einde
        tot = stop.einddatum if stop else until
        maanden = range(maand_van(x.begindatum), maand_van(tot) + 1)
        t.maanden.update(m for m in maanden if laatste_dag(m) <= until)
    return list(made.values())
