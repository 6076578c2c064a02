"""JW323: monthly declarations of running care, one file per provider, gemeente and month, and credits."""

import itertools
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random

from sor.simulator.messages import Identificaties
from sor.simulator.model import Client, Levering, Traject, World, laatste_dag, maand_van
from sor.simulator.output import Output
from sor.simulator.tables import PRODUCT_VAN
from sor.simulator.xml import Kop, Prestatie, declaratie

CREDIT_SHARE = 0.02


@dataclass(slots=True)
class Toewijzing:
    """An assignment in use: the months in which care was given on it."""

    client: Client
    traject: Traject
    levering: Levering
    maanden: set[int]


@dataclass(slots=True)
class Declaraties:
    """Writes every JW323 and sets `Traject.declaraties`.

    `credits`: take some lines back a month later, most of them declared anew.
    """

    seed: int
    until: date
    credits: bool
    ids: Identificaties
    output: Output
    credit_paden: list[str] = field(default_factory=list)
    credit_regels: int = 0
    _ref: dict[str, Iterator[int]] = field(default_factory=lambda: defaultdict(lambda: itertools.count(1)))

    def write(self, world: World) -> Iterator[tuple[str, bytes, int]]:
        """Write all files; yields (path, bytes, lines) of each."""
        for (agb, ontvanger), toewijzingen in sorted(self._groepen(world).items()):
            per_maand = self._regels(agb, ontvanger, toewijzingen)
            for maand, regels in sorted(per_maand.items()):
                yield self._bestand(agb, ontvanger, maand, regels, world.aanbieders[agb].stijl)

    def _groepen(self, world: World) -> dict[tuple[str, str], list[Toewijzing]]:
        groepen: dict[tuple[str, str], list[Toewijzing]] = defaultdict(list)
        for client in world.clients:
            for traject in client.trajecten:
                for t in _toewijzingen(client, traject, self.until):
                    groepen[traject.aanbieder, t.levering.ontvanger].append(t)
        return groepen

    def _regels(self, agb: str, ontvanger: str, toewijzingen: list[Toewijzing]) -> dict[int, list[Prestatie]]:
        rng = Random(f"{self.seed}|declaraties|{agb}|{ontvanger}")
        per_maand: dict[int, list[Prestatie]] = defaultdict(list)
        laatste = max((m for t in toewijzingen for m in t.maanden), default=0)
        for t in toewijzingen:
            code = t.levering.code or PRODUCT_VAN[t.levering.categorie].codes[0]
            for maand in sorted(t.maanden):
                regel = self._regel(rng, agb, t, code, maand)
                per_maand[maand].append(regel)
                t.traject.declaraties += 1
                if self.credits and maand < laatste and (not self.credit_regels or rng.random() < CREDIT_SHARE):
                    self._credit(rng, agb, t.traject, regel, per_maand[maand + 1])
        return per_maand

    def _regel(self, rng: Random, agb: str, t: Toewijzing, code: str, maand: int) -> Prestatie:
        product = PRODUCT_VAN[t.levering.categorie]
        return Prestatie(
            bsn=t.client.bsn,
            referentie=self._referentie(agb),
            vorige="",
            nummer=t.levering.toewijzingnummer,
            categorie=product.categorie,
            code=code,
            ingangsdatum=t.levering.ingangsdatum,
            maand=maand,
            volume=rng.randint(2, 28) if product.tarief else rng.randint(20_000, 400_000),
            eenheid=product.eenheid,
            tarief=product.tarief,
        )

    def _credit(self, rng: Random, agb: str, traject: Traject, regel: Prestatie, doel: list[Prestatie]) -> None:
        """A copy with C that points to the line (IV085), and mostly a new debit, in the same message."""
        doel.append(replace(regel, referentie=self._referentie(agb), vorige=regel.referentie))
        traject.declaraties -= 1
        if rng.random() < 0.7:
            doel.append(replace(regel, referentie=self._referentie(agb), volume=regel.volume + 1))
            traject.declaraties += 1
        self.credit_regels += 1

    def _referentie(self, agb: str) -> str:
        return f"R{next(self._ref[agb]):08d}"

    def _bestand(
        self, agb: str, ontvanger: str, maand: int, regels: list[Prestatie], stijl: int
    ) -> tuple[str, bytes, int]:
        rng = Random(f"{self.seed}|dagtekening|{agb}|{ontvanger}|{maand}")
        dag = laatste_dag(maand) + timedelta(days=rng.randint(2, 10))
        id_ = self.ids.volgende("JW323", agb)
        pad = f"berichten/{dag:%Y-%m}/{dag:%Y%m%d}_JW323_{agb}_{ontvanger}_{id_}.xml"
        inhoud = declaratie(Kop("JW323", agb, ontvanger, id_, dag), f"D{id_}", maand, regels, stijl)
        self.output.good("JW323", pad, inhoud, len(regels))
        if any(r.vorige for r in regels):
            self.credit_paden.append(pad)
        return pad, inhoud, len(regels)


def _toewijzingen(client: Client, traject: Traject, until: date) -> list[Toewijzing]:
    """Assignments of a chain with the whole months (up to `until`) in which one of their leveringen ran."""
    made: dict[int, Toewijzing] = {}
    for x in traject.leveringen:
        t = made.setdefault(x.toewijzingnummer, Toewijzing(client, traject, x, set()))
        stop = x.pauze or x.einde
        tot = stop.einddatum if stop else until
        maanden = range(maand_van(x.begindatum), maand_van(tot) + 1)
        t.maanden.update(m for m in maanden if laatste_dag(m) <= until)
    return list(made.values())
