"""More faults in message traffic: assignments that are missing or removed, answers that reject, facts that wait.

Rejections: what the gemeente rejects counts as never sent, whichever of message and answer arrives first.
Waiting: what the other messages do not support yet stands in a row of its own, or on the row, with the day since when.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from tools.simulator.assignments import assigned, toewijzing
from tools.simulator.fault_kinds import KINDS as CORRECTIONS
from tools.simulator.fault_kinds import Fault
from tools.simulator.messages import BEFOREHAND, Bericht, product_class
from tools.simulator.model import Levering, Stop, Toewijzing, Traject, Version
from tools.simulator.situation import Plan, Situation
from tools.simulator.tables import current
from tools.simulator.xml import Header, ProductClass


def _told(s: Situation) -> list[tuple[Traject, int, str, date]]:
    """(traject, assignment, gemeente, first day of sending) of care whose start was told before its stops."""
    found = []
    for traject in s.client.trajecten:
        for number, ontvanger in {(x.toewijzingnummer, x.ontvanger) for x in traject.leveringen}:
            if number is None:
                continue
            days = {"JW305": list[date](), "JW307": list[date]()}
            for b in s.berichten:
                if b.header.kind in days and any(int(k.toewijzingnummer or 0) == number for k in b.classes):
                    days[b.header.kind].append(b.header.dagtekening)
            if days["JW305"] and min(days["JW305"]) <= min(days["JW307"], default=s.bound):
                found.append((traject, number, ontvanger, min(days["JW305"])))
    return sorted(found, key=lambda f: f[1])


def toewijzing_missing(s: Situation) -> Plan | None:
    """Care on an assignment that no JW301 told of (TR019): the row waits for it."""
    if not (told := _told(s)):
        return None
    traject, number, _, since = s.rng.choice(told)
    traject.wacht["toewijzing"] = since
    left, concerned = [], []
    for b in (_without(b, number) for b in s.berichten):
        if any(int(k.toewijzingnummer or 0) == number for k in b.classes):
            left.append(replace(b, fixed=True))
            concerned.append(left[-1])
        elif b.records:
            left.append(b)
    return Plan(left, concerned)


def toewijzing_removed(s: Situation) -> Plan | None:
    """Care on an assignment that was removed afterwards (JZ002 13): as if it was never told."""
    if not (told := _told(s)):
        return None
    traject, number, ontvanger, since = s.rng.choice(told)
    origin = next(t for t in s.client.toewijzingen if (t.toewijzingnummer, t.gemeente) == (number, ontvanger))
    traject.wacht["toewijzing"] = since
    last = max(v.datum for v in origin.versions) + timedelta(days=1)
    removal = _toewijzingsbericht(
        s, traject.aanbieder, origin, Version(last, "23:59:59", last, origin.ingangsdatum, "13")
    )
    without = [_without(b, number) if b.header.dagtekening >= last else b for b in s.berichten]  # not repeated any more
    return Plan([*(b for b in without if b.records), removal], [removal])


def _without(b: Bericht, number: int) -> Bericht:
    return replace(b, products=[p for p in b.products if p.toewijzingnummer != str(number)]) if b.products else b


def _toewijzingsbericht(s: Situation, agb: str, t: Toewijzing, version: Version, folder: str = "") -> Bericht:
    header = Header("JW301", agb, t.gemeente, s.ids.next("JW301", t.gemeente), version.dagtekening)
    products = [assigned(t, version, version.reden)]
    return Bericht(header, s.client, s.client.bsn, [], products, folder=folder, fixed=True)


def _invented(s: Situation) -> tuple[Header, Levering, Bericht] | None:
    """Care that never was, with the JW301 for it."""
    if (invented := s.invented()) is None:
        return None
    at, levering = invented
    t = toewijzing(s.rng, at.header.aanbieder, [levering], s.until, s.bound)
    t.versions = t.versions[:1]
    return at.header, levering, _toewijzingsbericht(s, at.header.aanbieder, t, t.versions[0])


def toewijzing_without_care(s: Situation) -> Plan | None:
    """An assignment that is removed before anything was done with it; the removal arrives first."""
    if (invented := s.invented()) is None:
        return None
    at, levering = invented
    t = toewijzing(s.rng, at.header.aanbieder, [levering], s.until, s.bound)
    first = t.versions[0]
    day = first.datum + timedelta(days=2)
    removal = Version(day, "12:00:00", day, t.ingangsdatum, "13")
    two = [
        _toewijzingsbericht(s, at.header.aanbieder, t, first),
        _toewijzingsbericht(s, at.header.aanbieder, t, removal, BEFOREHAND),
    ]
    return Plan([*s.berichten, *two], two)


def _waiting(s: Situation, header: Header, levering: Levering, status: str, reden: str, day: date) -> None:
    """A row that no start supports."""
    number = f"{next(s.numbers.beschikking):09d}"
    traject = Traject(header.aanbieder, current(header.ontvanger), levering.categorie, False, number, [levering])
    traject.alone, traject.wacht = status, {reden: day}
    s.client.trajecten.append(traject)


def stop_without_start(s: Situation) -> Plan | None:
    """A stop whose start never comes (TR382 as a state)."""
    if (invented := _invented(s)) is None:
        return None
    header, levering, at = invented
    end = Stop(levering.begindatum + timedelta(days=s.rng.randint(5, 30)), s.rng.choice(("31", "32", "20")))
    stop = s.bericht(header, "JW307", end.einddatum + timedelta(days=2), [product_class(levering, end)])
    _waiting(s, header, levering, "wacht_op_start", "start", stop.header.dagtekening)
    return Plan([*s.berichten, at, stop], [stop])


def removal_without_start(s: Situation) -> Plan | None:
    """The removal of a start that was never delivered (TR063)."""
    if (invented := _invented(s)) is None:
        return None
    header, levering, at = invented
    removal = s.bericht(header, "JW305", levering.begindatum + timedelta(days=4), [product_class(levering, status="3")])
    _waiting(s, header, levering, "wacht_op_levering", "levering", removal.header.dagtekening)
    return Plan([*s.berichten, at, removal], [removal])


def _rejected_start(s: Situation, code: str, level: int) -> Plan | None:
    if (invented := s.invented()) is None:
        return None
    at, levering = invented
    fault = s.bericht(at.header, "JW305", levering.begindatum + timedelta(days=3), [product_class(levering)])
    fault = replace(fault, antwoord=code, level=level, beforehand=s.rng.random() < 0.5)
    return Plan([*s.berichten, fault], [fault])


def rejected_technical(s: Situation) -> Plan | None:
    """A start rejected at level 2: the answer is a header only and names no client."""
    return _rejected_start(s, "0001", 2)


def rejected_start(s: Situation) -> Plan | None:
    """A start rejected at level 3: the answer returns the client."""
    return _rejected_start(s, s.rng.choice(("9019", "9326", "9074")), 3)


def _stop_of_running(s: Situation) -> tuple[Header, list[ProductClass]] | None:
    if (running := s.running()) is None:
        return None
    header, levering = running
    day = levering.begindatum + timedelta(days=s.rng.randint(3, (s.until - levering.begindatum).days))
    return header, [product_class(levering, Stop(day, s.rng.choice(("32", "33"))))]


def rejected_stop(s: Situation) -> Plan | None:
    """A stop of care that goes on, rejected at either level: it goes on."""
    if (stop := _stop_of_running(s)) is None:
        return None
    header, classes = stop
    code, level = s.rng.choice((("9415", 3), ("9069", 3), ("0001", 2)))
    day = (classes[0].einddatum or s.until) + timedelta(days=2)
    fault = s.bericht(header, "JW307", day, classes)
    fault = replace(fault, antwoord=code, level=level, beforehand=s.rng.random() < 0.5)
    return Plan([*s.berichten, fault], [fault])


def rejected_again(s: Situation) -> Plan | None:
    """A sound message that is rejected and sent once more under another identification."""
    choice = [b for b in s.berichten if b.classes and (s.bound - b.header.dagtekening).days >= 4]
    if not choice:
        return None
    old = s.rng.choice(choice)
    code, level = s.rng.choice((("0001", 2), ("9019", 3)))
    fault = replace(old, antwoord=code, level=level, beforehand=s.rng.random() < 0.5, fixed=True)
    new = s.bericht(old.header, old.header.kind, old.header.dagtekening + timedelta(days=3), old.classes)
    return Plan([*(fault if b is old else b for b in s.berichten), new], [fault, new])


def identificatie_twice(s: Situation) -> Plan | None:
    """A message under the identification of another client's message (TR056): both count, both are flagged."""
    for b in s.berichten:
        earlier = s.earlier.get((b.header.kind, b.header.aanbieder))
        if not b.classes or earlier is None or earlier.client is s.client:
            continue
        header = replace(b.header, identificatie=earlier.header.identificatie)
        same = replace(b, header=header, name="_zelfde", antwoord="-", fixed=True)
        del s.earlier[b.header.kind, b.header.aanbieder]
        for bericht in (earlier, same):
            for traject in _trajecten(bericht):
                traject.vlaggen.add("TR056")
        return Plan([same if x is b else x for x in s.berichten], [earlier, same])
    return None


def _trajecten(bericht: Bericht) -> list[Traject]:
    """The trajecten that the classes of a message belong to."""
    places = {(k.categorie, k.begindatum) for k in bericht.classes}
    return [
        t
        for t in bericht.client.trajecten
        if t.aanbieder == bericht.header.aanbieder and any((x.categorie, x.begindatum) in places for x in t.leveringen)
    ]


MORE: dict[str, Fault] = {
    "toewijzing_ontbreekt": Fault(toewijzing_missing, "Zorg op een toewijzing waarvan geen JW301 kwam."),
    "toewijzing_verwijderd": Fault(toewijzing_removed, "Zorg op een toewijzing die later is verwijderd (13)."),
    "toewijzing_zonder_zorg": Fault(toewijzing_without_care, "Toewijzing, verwijderd voor er iets mee gebeurde."),
    "stop_zonder_start": Fault(stop_without_start, "Stop waarvan de start nooit komt."),
    "verwijdering_zonder": Fault(removal_without_start, "Verwijdering van een start die er nooit was."),
    "afgekeurd_technisch": Fault(rejected_technical, "Start die er niet was, technisch afgekeurd (0001)."),
    "afgekeurd_start": Fault(rejected_start, "Start die er niet was, inhoudelijk afgekeurd."),
    "afgekeurd_stop": Fault(rejected_stop, "Stop van zorg die doorloopt, afgekeurd."),
    "afgekeurd_opnieuw": Fault(rejected_again, "Juist bericht, afgekeurd en opnieuw verstuurd."),
    "identificatie_dubbel": Fault(identificatie_twice, "Identificatie van een bericht van een andere cliënt (TR056)."),
}
KINDS: dict[str, Fault] = {**CORRECTIONS, **MORE}
