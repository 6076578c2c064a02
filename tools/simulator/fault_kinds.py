"""The kinds of fault in JW305 and JW307 traffic.

Each is a function of a client's situation that plants one, or gives None if it cannot.

Corrections: what was first sent wrong is removed (status 3) and sent anew; in the end the world is told truly.
Refusals: messages that must be refused as a whole; accepting one class of them would show in the figures.
Arrival: copies, halves, and files that sort before or after the one they refer to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple

from tools.simulator.bsn import broken
from tools.simulator.messages import NA_ALLES, VOORAF, Bericht, klasse
from tools.simulator.model import Stop
from tools.simulator.situation import Plan, Situatie
from tools.simulator.xml import Klasse, Kop, Soort

Maker = Callable[[Situatie], Plan | None]


class Fout(NamedTuple):
    """A kind of fault: how it is made, and what it is (Dutch, for the manifest)."""

    maak: Maker
    toelichting: str


def _met(bericht: Bericht, i: int, nieuw: Klasse) -> Bericht:
    """The message with one class replaced."""
    return replace(bericht, klassen=[nieuw if n == i else k for n, k in enumerate(bericht.klassen)], vast=True)


def _vervang(s: Situatie, oud: Bericht, nieuw: Bericht, *erbij: Bericht) -> Plan:
    """Plan in which a message is replaced and others are added; all of them are concerned."""
    return Plan([nieuw if b is oud else b for b in s.berichten] + list(erbij), [nieuw, *erbij])


def _dag(kop: Kop, dagen: int) -> date:
    return kop.dagtekening + timedelta(days=dagen)


def _verkeerd_einde(s: Situatie) -> tuple[Bericht, int, Klasse] | None:
    """A stop message, the index of a class, and that class with a wrong Einddatum (possible, but not the true one)."""
    gekozen = s.kies("JW307")
    if gekozen is None:
        return None
    bericht, i = gekozen
    k = bericht.klassen[i]
    if k.einddatum is None or k.einddatum - timedelta(days=4) <= k.begindatum:
        return None
    return bericht, i, replace(k, einddatum=k.einddatum - timedelta(days=s.rng.randint(1, 3)))


def correctie_later(s: Situatie) -> Plan | None:
    """Wrong Einddatum; removal and new delivery in two files on two later days."""
    if (fout := _verkeerd_einde(s)) is None:
        return None
    bericht, i, verkeerd = fout
    weg = s.bericht(bericht.kop, "JW307", _dag(bericht.kop, 2), [replace(verkeerd, status="3")])
    goed = s.bericht(bericht.kop, "JW307", _dag(bericht.kop, 5), [bericht.klassen[i]])
    return _vervang(s, bericht, _met(bericht, i, verkeerd), weg, goed)


def correctie_zelfde_dag(s: Situatie) -> Plan | None:
    """Wrong Einddatum; removal and new delivery of one day, the new delivery's file sometimes first."""
    if (fout := _verkeerd_einde(s)) is None:
        return None
    bericht, i, verkeerd = fout
    klassen = [replace(verkeerd, status="3"), bericht.klassen[i]]
    if s.rng.random() < 0.5:
        klassen.reverse()
    twee = [s.bericht(bericht.kop, "JW307", _dag(bericht.kop, 4), [k]) for k in klassen]
    return _vervang(s, bericht, _met(bericht, i, verkeerd), *twee)


def drie_op_een_dag(s: Situatie) -> Plan | None:
    """Delivery, removal and delivery of the same stop, all dated the same day: one delivery is left."""
    if (gekozen := s.kies("JW307")) is None:
        return None
    bericht, i = gekozen
    k = bericht.klassen[i]
    twee = [s.bericht(bericht.kop, "JW307", _dag(bericht.kop, 0), [x]) for x in (replace(k, status="3"), k)]
    return _vervang(s, bericht, replace(bericht, vast=True), *twee)


def correctie_reden(s: Situatie) -> Plan | None:
    """Wrong reason: a key element, so one later message removes the wrong one and delivers the right one."""
    if (gekozen := s.kies("JW307")) is None:
        return None
    bericht, i = gekozen
    k = bericht.klassen[i]
    verkeerd = replace(k, reden=s.rng.choice([r for r in ("31", "32", "33", "34") if r != k.reden]))
    beide = s.bericht(bericht.kop, "JW307", _dag(bericht.kop, 3), [replace(verkeerd, status="3"), k])
    return _vervang(s, bericht, _met(bericht, i, verkeerd), beide)


def correctie_begindatum(s: Situatie) -> Plan | None:
    """Wrong Begindatum of a start: removed and delivered anew in one later message."""
    if (gekozen := s.kies("JW305")) is None:
        return None
    bericht, i = gekozen
    k = bericht.klassen[i]
    verkeerd = replace(k, begindatum=k.begindatum - timedelta(days=1))
    bezet = {(int(x.nummer or 0), x.begindatum) for b in s.berichten for x in b.klassen}
    if (int(k.nummer or 0), verkeerd.begindatum) in bezet or verkeerd.begindatum < s.first:
        return None
    beide = s.bericht(bericht.kop, "JW305", _dag(bericht.kop, 3), [replace(verkeerd, status="3"), k])
    return _vervang(s, bericht, _met(bericht, i, verkeerd), beide)


def _verzonnen_start(s: Situatie, *, later: int, map_: str = "") -> Plan | None:
    """A start that never was, removed `later` days after; `map_` is the folder of the removal."""
    if (verzonnen := s.verzonnen()) is None:
        return None
    bij, levering = verzonnen
    dag = levering.begindatum + timedelta(days=2)
    start = s.bericht(bij.kop, "JW305", dag, [klasse(levering)])
    weg = s.bericht(bij.kop, "JW305", dag + timedelta(days=later), [klasse(levering, status="3")], map_=map_)
    return Plan([*s.berichten, start, weg], [start, weg])


def start_weg_zelfde_dag(s: Situatie) -> Plan | None:
    """A start delivered and removed on one day: gone."""
    return _verzonnen_start(s, later=0)


def start_weg_later(s: Situatie) -> Plan | None:
    """A start removed on a later day: gone."""
    return _verzonnen_start(s, later=s.rng.randint(1, 9))


def verwijdering_eerst(s: Situatie) -> Plan | None:
    """A removal that arrives before the start it removes."""
    return _verzonnen_start(s, later=3, map_=VOORAF)


def start_en_stop_weg(s: Situatie) -> Plan | None:
    """A start and its stop, the stop removed and then the start (TR071): gone."""
    if (verzonnen := s.verzonnen()) is None:
        return None
    bij, levering = verzonnen
    stop = Stop(levering.begindatum + timedelta(days=10), "33")
    dag = stop.einddatum + timedelta(days=1)
    gestuurd: list[tuple[Soort, Klasse]] = [
        ("JW305", klasse(levering)),
        ("JW307", klasse(levering, stop)),
        ("JW307", klasse(levering, stop, status="3")),
        ("JW305", klasse(levering, status="3")),
    ]
    vier = [s.bericht(bij.kop, soort, dag + timedelta(days=n), [k]) for n, (soort, k) in enumerate(gestuurd)]
    return Plan([*s.berichten, *vier], vier)


def bsn_fout(s: Situatie) -> Plan | None:
    """A start with a BSN that fails the elfproef (CS002)."""
    if (verzonnen := s.verzonnen()) is None:
        return None
    bij, levering = verzonnen
    fout = s.bericht(bij.kop, "JW305", levering.begindatum + timedelta(days=3), [klasse(levering)])
    fout = replace(fout, bsn=broken(s.client.bsn), lot="afgewezen", code="CS002")
    return Plan([*s.berichten, fout], [fout])


def categorie_fout(s: Situatie) -> Plan | None:
    """A start in product category 39, which does not exist (JZ020)."""
    if (verzonnen := s.verzonnen()) is None:
        return None
    bij, levering = verzonnen
    verkeerd = replace(klasse(levering), categorie="39", code="39A01")
    fout = s.bericht(bij.kop, "JW305", levering.begindatum + timedelta(days=3), [verkeerd])
    fout = replace(fout, lot="afgewezen", code="JZ020")
    return Plan([*s.berichten, fout], [fout])


def _stop_geweigerd(s: Situatie, code: str, maak: Callable[[Klasse], Klasse]) -> Plan | None:
    """Two stops in one message: a sound one of care that goes on, and a wrong one. Neither may count."""
    lopend, verzonnen = s.lopend(), s.verzonnen()
    if lopend is None or verzonnen is None:
        return None
    kop, levering = lopend
    dag = levering.begindatum + timedelta(days=s.rng.randint(3, (s.until - levering.begindatum).days))
    ander = replace(verzonnen[1], begindatum=levering.begindatum, ontvanger=kop.ontvanger)
    klassen = [klasse(levering, Stop(dag, "32")), maak(klasse(ander, Stop(dag, "31")))]
    fout = s.bericht(kop, "JW307", dag + timedelta(days=2), klassen)
    fout = replace(fout, lot="afgewezen", code=code)
    return Plan([*s.berichten, fout], [fout])


def reden_fout(s: Situatie) -> Plan | None:
    """A reason that is not in JZ588."""
    return _stop_geweigerd(s, "JZ588", lambda k: replace(k, reden=s.rng.choice(("19", "21", "23"))))


def status_fout(s: Situatie) -> Plan | None:
    """StatusAanlevering 2, which exists and may not be used (CS058)."""
    return _stop_geweigerd(s, "CS058", lambda k: replace(k, status="2"))


def eind_voor_begin(s: Situatie) -> Plan | None:
    """An Einddatum before the Begindatum (TR018)."""
    return _stop_geweigerd(s, "TR018", lambda k: replace(k, einddatum=k.begindatum - timedelta(days=1)))


def kopie(s: Situatie) -> Plan | None:
    """An exact copy of a file under another name, beside it or after everything."""
    origineel = s.rng.choice(s.berichten)
    dubbel = replace(origineel, naam="_kopie", lot="dubbel", map_=s.rng.choice(("", NA_ALLES)), vast=True)
    return Plan([*s.berichten, dubbel], [dubbel])


def half(s: Situatie) -> Plan | None:
    """A copy that breaks off halfway."""
    stuk = replace(s.rng.choice(s.berichten), naam="_half", lot="half", code="B03", vast=True)
    return Plan([*s.berichten, stuk], [stuk])


def leeg(s: Situatie) -> Plan | None:
    """An empty file."""
    niets = replace(s.rng.choice(s.berichten), naam="_leeg", lot="leeg", code="B01", vast=True)
    return Plan([*s.berichten, niets], [niets])


def stop_voor_start(s: Situatie) -> Plan | None:
    """A stop whose file comes before the one with its start."""
    stops = [b for b in s.berichten if b.kop.soort == "JW307"]
    if not stops:
        return None
    stop = s.rng.choice(stops)
    vooraf = replace(stop, map_=VOORAF, vast=True)
    return Plan([vooraf if b is stop else b for b in s.berichten], [vooraf])


SOORTEN: dict[str, Fout] = {
    "kopie": Fout(kopie, "Hetzelfde bericht nog eens, onder een andere bestandsnaam."),
    "correctie_later": Fout(correctie_later, "Stop met verkeerde einddatum; later verwijderd en opnieuw aangeleverd."),
    "correctie_zelfde_dag": Fout(correctie_zelfde_dag, "Als correctie_later, maar beide op één dag."),
    "drie_op_een_dag": Fout(drie_op_een_dag, "Stop, verwijdering en dezelfde stop met één dagtekening."),
    "start_weg_zelfde_dag": Fout(start_weg_zelfde_dag, "Start die er niet was, dezelfde dag verwijderd."),
    "start_weg_later": Fout(start_weg_later, "Start die er niet was, later verwijderd."),
    "verwijdering_eerst": Fout(verwijdering_eerst, "Verwijdering die eerder komt dan de start die zij verwijdert."),
    "start_en_stop_weg": Fout(start_en_stop_weg, "Start en stop die er niet waren, beide verwijderd."),
    "stop_voor_start": Fout(stop_voor_start, "Stop die eerder komt dan de start."),
    "correctie_reden": Fout(correctie_reden, "Verkeerde reden, in één bericht verwijderd en verbeterd."),
    "correctie_begindatum": Fout(correctie_begindatum, "Verkeerde begindatum, in één bericht verwijderd en verbeterd."),
    "bsn_fout": Fout(bsn_fout, "BSN die niet aan de elfproef voldoet: heel het bericht geweigerd."),
    "reden_fout": Fout(reden_fout, "Reden die niet bestaat: heel het bericht geweigerd."),
    "eind_voor_begin": Fout(eind_voor_begin, "Einddatum voor de begindatum: heel het bericht geweigerd."),
    "status_fout": Fout(status_fout, "StatusAanlevering 2: heel het bericht geweigerd."),
    "categorie_fout": Fout(categorie_fout, "Productcategorie die niet bestaat: heel het bericht geweigerd."),
    "half": Fout(half, "Bericht dat halverwege ophoudt; het hele bericht is er ook."),
    "leeg": Fout(leeg, "Leeg bestand."),
}
