"""More faults in message traffic: assignments that are missing or removed, answers that reject, facts that wait.

Rejections: what the gemeente rejects counts as never sent, whichever of message and answer arrives first.
Waiting: what the other messages do not support yet stands in a row of its own, or on the row, with the day since when.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from tools.simulator.assignments import toegewezen, toewijzing
from tools.simulator.fault_kinds import SOORTEN as CORRECTIES
from tools.simulator.fault_kinds import Fout
from tools.simulator.messages import VOORAF, Bericht, klasse
from tools.simulator.model import Levering, Stop, Toewijzing, Traject, Versie
from tools.simulator.situation import Plan, Situatie
from tools.simulator.tables import huidig
from tools.simulator.xml import Klasse, Kop


def _gemeld(s: Situatie) -> list[tuple[Traject, int, str, date]]:
    """(traject, assignment, gemeente, first day of sending) of care whose start was told before its stops."""
    found = []
    for traject in s.client.trajecten:
        for nummer, ontvanger in {(x.toewijzingnummer, x.ontvanger) for x in traject.leveringen}:
            if nummer is None:
                continue
            dagen = {"JW305": list[date](), "JW307": list[date]()}
            for b in s.berichten:
                if b.kop.soort in dagen and any(int(k.nummer or 0) == nummer for k in b.klassen):
                    dagen[b.kop.soort].append(b.kop.dagtekening)
            if dagen["JW305"] and min(dagen["JW305"]) <= min(dagen["JW307"], default=s.grens):
                found.append((traject, nummer, ontvanger, min(dagen["JW305"])))
    return sorted(found, key=lambda f: f[1])


def toewijzing_ontbreekt(s: Situatie) -> Plan | None:
    """Care on an assignment that no JW301 told of (TR019): the row waits for it."""
    if not (gemeld := _gemeld(s)):
        return None
    traject, nummer, _, sinds = s.rng.choice(gemeld)
    traject.wacht["toewijzing"] = sinds
    over, betrokken = [], []
    for b in (_zonder(b, nummer) for b in s.berichten):
        if any(int(k.nummer or 0) == nummer for k in b.klassen):
            over.append(replace(b, vast=True))
            betrokken.append(over[-1])
        elif b.records:
            over.append(b)
    return Plan(over, betrokken)


def toewijzing_verwijderd(s: Situatie) -> Plan | None:
    """Care on an assignment that was removed afterwards (JZ002 13): as if it was never told."""
    if not (gemeld := _gemeld(s)):
        return None
    traject, nummer, ontvanger, sinds = s.rng.choice(gemeld)
    bron = next(t for t in s.client.toewijzingen if (t.nummer, t.gemeente) == (nummer, ontvanger))
    traject.wacht["toewijzing"] = sinds
    laatst = max(v.datum for v in bron.versies) + timedelta(days=1)
    weg = _toewijzingsbericht(s, traject.aanbieder, bron, Versie(laatst, "23:59:59", laatst, bron.ingangsdatum, "13"))
    zonder = [_zonder(b, nummer) if b.kop.dagtekening >= laatst else b for b in s.berichten]  # not repeated any more
    return Plan([*(b for b in zonder if b.records), weg], [weg])


def _zonder(b: Bericht, nummer: int) -> Bericht:
    return replace(b, producten=[p for p in b.producten if p.nummer != str(nummer)]) if b.producten else b


def _toewijzingsbericht(s: Situatie, agb: str, t: Toewijzing, versie: Versie, map_: str = "") -> Bericht:
    kop = Kop("JW301", agb, t.gemeente, s.ids.volgende("JW301", t.gemeente), versie.dagtekening)
    producten = [toegewezen(t, versie, versie.reden)]
    return Bericht(kop, s.client, s.client.bsn, [], producten, map_=map_, vast=True)


def _verzonnen(s: Situatie) -> tuple[Kop, Levering, Bericht] | None:
    """Care that never was, with the JW301 for it."""
    if (verzonnen := s.verzonnen()) is None:
        return None
    bij, levering = verzonnen
    t = toewijzing(s.rng, bij.kop.aanbieder, [levering], s.until, s.grens)
    t.versies = t.versies[:1]
    return bij.kop, levering, _toewijzingsbericht(s, bij.kop.aanbieder, t, t.versies[0])


def toewijzing_zonder_zorg(s: Situatie) -> Plan | None:
    """An assignment that is removed before anything was done with it; the removal arrives first."""
    if (verzonnen := s.verzonnen()) is None:
        return None
    bij, levering = verzonnen
    t = toewijzing(s.rng, bij.kop.aanbieder, [levering], s.until, s.grens)
    eerst = t.versies[0]
    dag = eerst.datum + timedelta(days=2)
    weg = Versie(dag, "12:00:00", dag, t.ingangsdatum, "13")
    twee = [
        _toewijzingsbericht(s, bij.kop.aanbieder, t, eerst),
        _toewijzingsbericht(s, bij.kop.aanbieder, t, weg, VOORAF),
    ]
    return Plan([*s.berichten, *twee], twee)


def _wachtend(s: Situatie, kop: Kop, levering: Levering, status: str, reden: str, dag: date) -> None:
    """A row that no start supports."""
    nummer = f"{next(s.nummers.beschikking):09d}"
    traject = Traject(kop.aanbieder, huidig(kop.ontvanger), levering.categorie, False, nummer, [levering])
    traject.alleen, traject.wacht = status, {reden: dag}
    s.client.trajecten.append(traject)


def stop_zonder_start(s: Situatie) -> Plan | None:
    """A stop whose start never comes (TR382 as a state)."""
    if (verzonnen := _verzonnen(s)) is None:
        return None
    kop, levering, bij = verzonnen
    einde = Stop(levering.begindatum + timedelta(days=s.rng.randint(5, 30)), s.rng.choice(("31", "32", "20")))
    stop = s.bericht(kop, "JW307", einde.einddatum + timedelta(days=2), [klasse(levering, einde)])
    _wachtend(s, kop, levering, "wacht_op_start", "start", stop.kop.dagtekening)
    return Plan([*s.berichten, bij, stop], [stop])


def verwijdering_zonder(s: Situatie) -> Plan | None:
    """The removal of a start that was never delivered (TR063)."""
    if (verzonnen := _verzonnen(s)) is None:
        return None
    kop, levering, bij = verzonnen
    weg = s.bericht(kop, "JW305", levering.begindatum + timedelta(days=4), [klasse(levering, status="3")])
    _wachtend(s, kop, levering, "wacht_op_levering", "levering", weg.kop.dagtekening)
    return Plan([*s.berichten, bij, weg], [weg])


def _afgekeurde_start(s: Situatie, code: str, niveau: int) -> Plan | None:
    if (verzonnen := s.verzonnen()) is None:
        return None
    bij, levering = verzonnen
    fout = s.bericht(bij.kop, "JW305", levering.begindatum + timedelta(days=3), [klasse(levering)])
    fout = replace(fout, antwoord=code, niveau=niveau, vooraf=s.rng.random() < 0.5)
    return Plan([*s.berichten, fout], [fout])


def afgekeurd_technisch(s: Situatie) -> Plan | None:
    """A start rejected at level 2: the answer is a header only and names no client."""
    return _afgekeurde_start(s, "0001", 2)


def afgekeurd_start(s: Situatie) -> Plan | None:
    """A start rejected at level 3: the answer returns the client."""
    return _afgekeurde_start(s, s.rng.choice(("9019", "9326", "9074")), 3)


def _stop_van_lopend(s: Situatie) -> tuple[Kop, list[Klasse]] | None:
    if (lopend := s.lopend()) is None:
        return None
    kop, levering = lopend
    dag = levering.begindatum + timedelta(days=s.rng.randint(3, (s.until - levering.begindatum).days))
    return kop, [klasse(levering, Stop(dag, s.rng.choice(("32", "33"))))]


def afgekeurd_stop(s: Situatie) -> Plan | None:
    """A stop of care that goes on, rejected at either level: it goes on."""
    if (stop := _stop_van_lopend(s)) is None:
        return None
    kop, klassen = stop
    code, niveau = s.rng.choice((("9415", 3), ("9069", 3), ("0001", 2)))
    dag = (klassen[0].einddatum or s.until) + timedelta(days=2)
    fout = s.bericht(kop, "JW307", dag, klassen)
    fout = replace(fout, antwoord=code, niveau=niveau, vooraf=s.rng.random() < 0.5)
    return Plan([*s.berichten, fout], [fout])


def afgekeurd_opnieuw(s: Situatie) -> Plan | None:
    """A sound message that is rejected and sent once more under another identification."""
    keuze = [b for b in s.berichten if b.klassen and (s.grens - b.kop.dagtekening).days >= 4]
    if not keuze:
        return None
    oud = s.rng.choice(keuze)
    code, niveau = s.rng.choice((("0001", 2), ("9019", 3)))
    fout = replace(oud, antwoord=code, niveau=niveau, vooraf=s.rng.random() < 0.5, vast=True)
    nieuw = s.bericht(oud.kop, oud.kop.soort, oud.kop.dagtekening + timedelta(days=3), oud.klassen)
    return Plan([*(fout if b is oud else b for b in s.berichten), nieuw], [fout, nieuw])


def identificatie_dubbel(s: Situatie) -> Plan | None:
    """A message under the identification of another client's message (TR056): both count, both are flagged."""
    for b in s.berichten:
        eerder = s.eerder.get((b.kop.soort, b.kop.aanbieder))
        if not b.klassen or eerder is None or eerder.client is s.client:
            continue
        kop = replace(b.kop, identificatie=eerder.kop.identificatie)
        zelfde = replace(b, kop=kop, naam="_zelfde", antwoord="-", vast=True)
        del s.eerder[b.kop.soort, b.kop.aanbieder]
        for bericht in (eerder, zelfde):
            for traject in _trajecten(bericht):
                traject.vlaggen.add("TR056")
        return Plan([zelfde if x is b else x for x in s.berichten], [eerder, zelfde])
    return None


def _trajecten(bericht: Bericht) -> list[Traject]:
    """The trajecten that the classes of a message belong to."""
    plaatsen = {(k.categorie, k.begindatum) for k in bericht.klassen}
    return [
        t
        for t in bericht.client.trajecten
        if t.aanbieder == bericht.kop.aanbieder and any((x.categorie, x.begindatum) in plaatsen for x in t.leveringen)
    ]


MEER: dict[str, Fout] = {
    "toewijzing_ontbreekt": Fout(toewijzing_ontbreekt, "Zorg op een toewijzing waarvan geen JW301 kwam."),
    "toewijzing_verwijderd": Fout(toewijzing_verwijderd, "Zorg op een toewijzing die later is verwijderd (13)."),
    "toewijzing_zonder_zorg": Fout(toewijzing_zonder_zorg, "Toewijzing, verwijderd voor er iets mee gebeurde."),
    "stop_zonder_start": Fout(stop_zonder_start, "Stop waarvan de start nooit komt."),
    "verwijdering_zonder": Fout(verwijdering_zonder, "Verwijdering van een start die er nooit was."),
    "afgekeurd_technisch": Fout(afgekeurd_technisch, "Start die er niet was, technisch afgekeurd (0001)."),
    "afgekeurd_start": Fout(afgekeurd_start, "Start die er niet was, inhoudelijk afgekeurd."),
    "afgekeurd_stop": Fout(afgekeurd_stop, "Stop van zorg die doorloopt, afgekeurd."),
    "afgekeurd_opnieuw": Fout(afgekeurd_opnieuw, "Juist bericht, afgekeurd en opnieuw verstuurd."),
    "identificatie_dubbel": Fout(identificatie_dubbel, "Identificatie van een bericht van een andere cliënt (TR056)."),
}
SOORTEN: dict[str, Fout] = {**CORRECTIES, **MEER}
