"""Quality flags of declared lines and of numbers used twice: pure, and silent on what the facts cannot tell.

A flag rejects nothing and changes no figure. What each code means: ``domain.kwaliteit``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from domain.codes import EENHEID_EURO, WIJZIGING_VERWIJDERD
from domain.daden import DubbelSleutel, PrestatieDaad, ToewijzingDaad
from domain.dates import is_eerste, is_laatste
from domain.feiten import Feiten
from domain.koppeling import Regel
from domain.toewijzingen import Toewijzingen
from domain.trajecten import Traject

_UUR, _MINUUT = "04", "01"


def van_regels(regels: list[Regel], bekend: Toewijzingen) -> Iterator[tuple[Traject, str]]:
    """Traject and code of every rule that a declared line breaks. Only net debits are judged on their content."""
    credits = Counter((r.sleutel.aanbieder, r.daad.vorige_referentie) for r in regels if r.daad.debet_credit == "C")
    debets = {r.sleutel for r in regels if r.daad.debet_credit == "D"} if credits else set()
    gelijk = Counter(_gelijk(r) for r in regels if r.netto)
    for regel in regels:
        traject = regel.traject
        if traject is None:
            continue
        if regel.netto:
            if gelijk[_gelijk(regel)] > 1:
                yield traject, "TR389"
            yield from ((traject, code) for code in _debet(regel, bekend))
        elif regel.daad.debet_credit == "C":
            van = (regel.sleutel.aanbieder, regel.daad.vorige_referentie)
            if van not in debets:
                yield traject, "TR323"
            if credits[van] > 1:
                yield traject, "TR390"


def _gelijk(regel: Regel) -> tuple[object, ...]:
    """What two debits of one period have in common (as TR416)."""
    d = regel.daad
    return regel.sleutel.aanbieder, d.gemeente, d.toewijzing, d.begindatum, d.einddatum, d.categorie, d.code


def _debet(regel: Regel, bekend: Toewijzingen) -> Iterator[str]:
    d = regel.daad
    if d.tarief is not None and d.eenheid != EENHEID_EURO and d.bedrag != d.volume * d.tarief:
        yield "TR346"
    if d.begindatum > d.dagtekening:
        yield "TR319"
    toewijzing = bekend.nieuwste(regel.sleutel.aanbieder, d.gemeente, d.toewijzing)
    if toewijzing is None:
        return
    if toewijzing.reden_wijziging == WIJZIGING_VERWIJDERD:
        yield "TR385" if d.dagtekening < toewijzing.toewijzingsdatum else "TR384"
    else:
        yield from _tegen_toewijzing(d, toewijzing)


def _tegen_toewijzing(d: PrestatieDaad, t: ToewijzingDaad) -> Iterator[str]:
    """The line beside its assignment; what the assignment leaves open (aspecifiek, generiek, budget) is not judged."""
    if t.categorie and t.categorie != d.categorie:
        yield "TR339"
    if t.code and t.code != d.code:
        yield "TR340"
    if t.eenheid and t.eenheid != d.eenheid and (t.eenheid, d.eenheid) != (_UUR, _MINUUT):
        yield "TR341"
    if d.begindatum < t.ingangsdatum:
        yield "TR307"
    if t.einddatum is not None and d.einddatum > t.einddatum:
        yield "TR308"
    if d.begindatum != t.ingangsdatum and not is_eerste(d.begindatum):
        yield "TR387"
    if d.einddatum != t.einddatum and not is_laatste(d.einddatum):
        yield "TR388"


def van_dubbel(
    feiten: Feiten, trajecten: list[Traject], regels: list[Regel], bekend: Toewijzingen
) -> Iterator[tuple[Traject, str]]:
    """Traject and code of every number that was used twice and that the traject rests on."""
    for dubbel in feiten.dubbel:
        if dubbel.regel == "TR056" and dubbel.soort != "declaration":
            yield from ((t, "TR056") for t in trajecten if _rust_op(feiten, t, dubbel, bekend))
        else:
            yield from ((r.traject, dubbel.regel) for r in regels if r.traject is not None and _is(feiten, r, dubbel))


def _rust_op(feiten: Feiten, traject: Traject, dubbel: DubbelSleutel, bekend: Toewijzingen) -> bool:
    """Whether the message told of a start, stop or assignment of the traject."""
    if traject.aanbieder != dubbel.aanbieder:
        return False
    sporen = [levering.spoor for levering in traject.leveringen]
    if dubbel.soort == "start":
        return any(dubbel.sleutel in feiten.starts.get(spoor, ()) for spoor in sporen)
    if dubbel.soort == "stop":
        return any(dubbel.sleutel in daden for sleutel, daden in feiten.stops.items() if sleutel.spoor in sporen)
    versies = (bekend.nieuwste(s.aanbieder, s.gemeente, s.toewijzing) for s in sporen)
    return any(versie is not None and versie.bericht == dubbel.sleutel for versie in versies)


def _is(feiten: Feiten, regel: Regel, dubbel: DubbelSleutel) -> bool:
    """Whether a declared line has the number: its reference (TR314), its declaration (TR333) or its message (TR056)."""
    if regel.sleutel.aanbieder != dubbel.aanbieder:
        return False
    if dubbel.regel == "TR314":
        return regel.sleutel.referentie == dubbel.sleutel
    if dubbel.regel == "TR333":
        return regel.daad.declaratienummer == dubbel.sleutel
    return dubbel.sleutel in feiten.prestaties[regel.sleutel]
