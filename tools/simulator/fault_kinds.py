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
from tools.simulator.messages import AFTER_EVERYTHING, BEFOREHAND, Bericht, product_class
from tools.simulator.model import Stop
from tools.simulator.situation import Plan, Situation
from tools.simulator.xml import Header, Kind, ProductClass

Maker = Callable[[Situation], Plan | None]


class Fault(NamedTuple):
    """A kind of fault: how it is made, and what it is (Dutch, for the manifest)."""

    make: Maker
    explanation: str


def _with(bericht: Bericht, i: int, new: ProductClass) -> Bericht:
    """The message with one class replaced."""
    return replace(bericht, classes=[new if n == i else k for n, k in enumerate(bericht.classes)], fixed=True)


def _replace(s: Situation, old: Bericht, new: Bericht, *added: Bericht) -> Plan:
    """Plan in which a message is replaced and others are added; all of them are concerned."""
    return Plan([new if b is old else b for b in s.berichten] + list(added), [new, *added])


def _day(header: Header, days: int) -> date:
    return header.dagtekening + timedelta(days=days)


def _wrong_end(s: Situation) -> tuple[Bericht, int, ProductClass] | None:
    """A stop message, the index of a class, and that class with a wrong Einddatum (possible, but not the true one)."""
    chosen = s.choose("JW307")
    if chosen is None:
        return None
    bericht, i = chosen
    k = bericht.classes[i]
    if k.einddatum is None or k.einddatum - timedelta(days=4) <= k.begindatum:
        return None
    return bericht, i, replace(k, einddatum=k.einddatum - timedelta(days=s.rng.randint(1, 3)))


def correction_later(s: Situation) -> Plan | None:
    """Wrong Einddatum; removal and new delivery in two files on two later days."""
    if (fault := _wrong_end(s)) is None:
        return None
    bericht, i, wrong = fault
    removal = s.bericht(bericht.header, "JW307", _day(bericht.header, 2), [replace(wrong, status="3")])
    good = s.bericht(bericht.header, "JW307", _day(bericht.header, 5), [bericht.classes[i]])
    return _replace(s, bericht, _with(bericht, i, wrong), removal, good)


def correction_same_day(s: Situation) -> Plan | None:
    """Wrong Einddatum; removal and new delivery of one day, the new delivery's file sometimes first."""
    if (fault := _wrong_end(s)) is None:
        return None
    bericht, i, wrong = fault
    classes = [replace(wrong, status="3"), bericht.classes[i]]
    if s.rng.random() < 0.5:
        classes.reverse()
    two = [s.bericht(bericht.header, "JW307", _day(bericht.header, 4), [k]) for k in classes]
    return _replace(s, bericht, _with(bericht, i, wrong), *two)


def three_on_one_day(s: Situation) -> Plan | None:
    """Delivery, removal and delivery of the same stop, all dated the same day: one delivery is left."""
    if (chosen := s.choose("JW307")) is None:
        return None
    bericht, i = chosen
    k = bericht.classes[i]
    two = [s.bericht(bericht.header, "JW307", _day(bericht.header, 0), [x]) for x in (replace(k, status="3"), k)]
    return _replace(s, bericht, replace(bericht, fixed=True), *two)


def correction_reden(s: Situation) -> Plan | None:
    """Wrong reason: a key element, so one later message removes the wrong one and delivers the right one."""
    if (chosen := s.choose("JW307")) is None:
        return None
    bericht, i = chosen
    k = bericht.classes[i]
    wrong = replace(k, reden=s.rng.choice([r for r in ("31", "32", "33", "34") if r != k.reden]))
    both = s.bericht(bericht.header, "JW307", _day(bericht.header, 3), [replace(wrong, status="3"), k])
    return _replace(s, bericht, _with(bericht, i, wrong), both)


def correction_begindatum(s: Situation) -> Plan | None:
    """Wrong Begindatum of a start: removed and delivered anew in one later message."""
    if (chosen := s.choose("JW305")) is None:
        return None
    bericht, i = chosen
    k = bericht.classes[i]
    wrong = replace(k, begindatum=k.begindatum - timedelta(days=1))
    taken = {(int(x.toewijzingnummer or 0), x.begindatum) for b in s.berichten for x in b.classes}
    if (int(k.toewijzingnummer or 0), wrong.begindatum) in taken or wrong.begindatum < s.first:
        return None
    both = s.bericht(bericht.header, "JW305", _day(bericht.header, 3), [replace(wrong, status="3"), k])
    return _replace(s, bericht, _with(bericht, i, wrong), both)


def _invented_start(s: Situation, *, later: int, folder: str = "") -> Plan | None:
    """A start that never was, removed ``later`` days after; ``folder`` is that of the removal."""
    if (invented := s.invented()) is None:
        return None
    at, levering = invented
    day = levering.begindatum + timedelta(days=2)
    start = s.bericht(at.header, "JW305", day, [product_class(levering)])
    removal = s.bericht(
        at.header, "JW305", day + timedelta(days=later), [product_class(levering, status="3")], folder=folder
    )
    return Plan([*s.berichten, start, removal], [start, removal])


def start_removed_same_day(s: Situation) -> Plan | None:
    """A start delivered and removed on one day: gone."""
    return _invented_start(s, later=0)


def start_removed_later(s: Situation) -> Plan | None:
    """A start removed on a later day: gone."""
    return _invented_start(s, later=s.rng.randint(1, 9))


def removal_first(s: Situation) -> Plan | None:
    """A removal that arrives before the start it removes."""
    return _invented_start(s, later=3, folder=BEFOREHAND)


def start_and_stop_removed(s: Situation) -> Plan | None:
    """A start and its stop, the stop removed and then the start (TR071): gone."""
    if (invented := s.invented()) is None:
        return None
    at, levering = invented
    stop = Stop(levering.begindatum + timedelta(days=10), "33")
    day = stop.einddatum + timedelta(days=1)
    sent: list[tuple[Kind, ProductClass]] = [
        ("JW305", product_class(levering)),
        ("JW307", product_class(levering, stop)),
        ("JW307", product_class(levering, stop, status="3")),
        ("JW305", product_class(levering, status="3")),
    ]
    four = [s.bericht(at.header, kind, day + timedelta(days=n), [k]) for n, (kind, k) in enumerate(sent)]
    return Plan([*s.berichten, *four], four)


def bsn_fault(s: Situation) -> Plan | None:
    """A start with a BSN that fails the elfproef (CS002)."""
    if (invented := s.invented()) is None:
        return None
    at, levering = invented
    fault = s.bericht(at.header, "JW305", levering.begindatum + timedelta(days=3), [product_class(levering)])
    fault = replace(fault, bsn=broken(s.client.bsn), fate="refused", code="CS002")
    return Plan([*s.berichten, fault], [fault])


def categorie_fault(s: Situation) -> Plan | None:
    """A start in product category 39, which does not exist (JZ020)."""
    if (invented := s.invented()) is None:
        return None
    at, levering = invented
    wrong = replace(product_class(levering), categorie="39", code="39A01")
    fault = s.bericht(at.header, "JW305", levering.begindatum + timedelta(days=3), [wrong])
    fault = replace(fault, fate="refused", code="JZ020")
    return Plan([*s.berichten, fault], [fault])


def _stop_refused(s: Situation, code: str, make: Callable[[ProductClass], ProductClass]) -> Plan | None:
    """Two stops in one message: a sound one of care that goes on, and a wrong one. Neither may count."""
    running, invented = s.running(), s.invented()
    if running is None or invented is None:
        return None
    header, levering = running
    day = levering.begindatum + timedelta(days=s.rng.randint(3, (s.until - levering.begindatum).days))
    other = replace(invented[1], begindatum=levering.begindatum, ontvanger=header.ontvanger)
    classes = [product_class(levering, Stop(day, "32")), make(product_class(other, Stop(day, "31")))]
    fault = s.bericht(header, "JW307", day + timedelta(days=2), classes)
    fault = replace(fault, fate="refused", code=code)
    return Plan([*s.berichten, fault], [fault])


def reden_fault(s: Situation) -> Plan | None:
    """A reason that is not in JZ588."""
    return _stop_refused(s, "JZ588", lambda k: replace(k, reden=s.rng.choice(("19", "21", "23"))))


def status_fault(s: Situation) -> Plan | None:
    """StatusAanlevering 2, which exists and may not be used (CS058)."""
    return _stop_refused(s, "CS058", lambda k: replace(k, status="2"))


def end_before_begin(s: Situation) -> Plan | None:
    """An Einddatum before the Begindatum (TR018)."""
    return _stop_refused(s, "TR018", lambda k: replace(k, einddatum=k.begindatum - timedelta(days=1)))


def copy(s: Situation) -> Plan | None:
    """An exact copy of a file under another name, beside it or after everything."""
    original = s.rng.choice(s.berichten)
    double = replace(original, name="_kopie", fate="double", folder=s.rng.choice(("", AFTER_EVERYTHING)), fixed=True)
    return Plan([*s.berichten, double], [double])


def half(s: Situation) -> Plan | None:
    """A copy that breaks off halfway."""
    piece = replace(s.rng.choice(s.berichten), name="_half", fate="half", code="B03", fixed=True)
    return Plan([*s.berichten, piece], [piece])


def empty(s: Situation) -> Plan | None:
    """An empty file."""
    nothing = replace(s.rng.choice(s.berichten), name="_leeg", fate="empty", code="B01", fixed=True)
    return Plan([*s.berichten, nothing], [nothing])


def stop_before_start(s: Situation) -> Plan | None:
    """A stop whose file comes before the one with its start."""
    stops = [b for b in s.berichten if b.header.kind == "JW307"]
    if not stops:
        return None
    stop = s.rng.choice(stops)
    early = replace(stop, folder=BEFOREHAND, fixed=True)
    return Plan([early if b is stop else b for b in s.berichten], [early])


KINDS: dict[str, Fault] = {
    "kopie": Fault(copy, "Hetzelfde bericht nog eens, onder een andere bestandsnaam."),
    "correctie_later": Fault(
        correction_later, "Stop met verkeerde einddatum; later verwijderd en opnieuw aangeleverd."
    ),
    "correctie_zelfde_dag": Fault(correction_same_day, "Als correctie_later, maar beide op één dag."),
    "drie_op_een_dag": Fault(three_on_one_day, "Stop, verwijdering en dezelfde stop met één dagtekening."),
    "start_weg_zelfde_dag": Fault(start_removed_same_day, "Start die er niet was, dezelfde dag verwijderd."),
    "start_weg_later": Fault(start_removed_later, "Start die er niet was, later verwijderd."),
    "verwijdering_eerst": Fault(removal_first, "Verwijdering die eerder komt dan de start die zij verwijdert."),
    "start_en_stop_weg": Fault(start_and_stop_removed, "Start en stop die er niet waren, beide verwijderd."),
    "stop_voor_start": Fault(stop_before_start, "Stop die eerder komt dan de start."),
    "correctie_reden": Fault(correction_reden, "Verkeerde reden, in één bericht verwijderd en verbeterd."),
    "correctie_begindatum": Fault(
        correction_begindatum, "Verkeerde begindatum, in één bericht verwijderd en verbeterd."
    ),
    "bsn_fout": Fault(bsn_fault, "BSN die niet aan de elfproef voldoet: heel het bericht geweigerd."),
    "reden_fout": Fault(reden_fault, "Reden die niet bestaat: heel het bericht geweigerd."),
    "eind_voor_begin": Fault(end_before_begin, "Einddatum voor de begindatum: heel het bericht geweigerd."),
    "status_fout": Fault(status_fault, "StatusAanlevering 2: heel het bericht geweigerd."),
    "categorie_fout": Fault(categorie_fault, "Productcategorie die niet bestaat: heel het bericht geweigerd."),
    "half": Fault(half, "Bericht dat halverwege ophoudt; het hele bericht is er ook."),
    "leeg": Fault(empty, "Leeg bestand."),
}
