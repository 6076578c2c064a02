"""Numbers used twice (TR056, TR314, TR333): which trajecten rest on them. Pure; only for clients who have any."""

from __future__ import annotations

from collections.abc import Iterator

from domain.care import declarations as declaraties
from domain.care.links import Oogst, Plaats
from domain.care.toewijzingen import Toewijzingen
from domain.care.trajecten import Traject
from domain.facts.act import DubbelSleutel, PrestatieDaad, PrestatieSleutel
from domain.facts.fact_set import Feiten


def hang_op(
    feiten: Feiten, trajecten: list[Traject], plaats: Plaats, bekend: Toewijzingen, oogst: dict[bytes, Oogst]
) -> None:
    """Flag every traject that rests on a number used twice (in place)."""
    for dubbel in feiten.dubbel:
        if dubbel.regel == "TR056" and dubbel.soort != "declaration":
            for traject in trajecten:
                if _rust_op(feiten, traject, dubbel, bekend):
                    oogst[traject.nummer].vlaggen.add(dubbel.regel)
        else:
            for plek in _plekken(feiten, dubbel, plaats, oogst):
                plek.vlaggen.add(dubbel.regel)


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


def _plekken(feiten: Feiten, dubbel: DubbelSleutel, plaats: Plaats, oogst: dict[bytes, Oogst]) -> Iterator[Oogst]:
    """The trajecten of the declared lines that have the number."""
    for sleutel, daad in declaraties.regels(feiten).items():
        if sleutel.aanbieder == dubbel.aanbieder and _is(feiten, sleutel, daad, dubbel):
            plek = declaraties.van(plaats, sleutel, daad, oogst)
            if plek is not None:
                yield plek


def _is(feiten: Feiten, sleutel: PrestatieSleutel, daad: PrestatieDaad, dubbel: DubbelSleutel) -> bool:
    """Whether a line has the number: its reference (TR314), its declaration (TR333) or its message (TR056)."""
    if dubbel.regel == "TR314":
        return sleutel.referentie == dubbel.sleutel
    if dubbel.regel == "TR333":
        return daad.declaratienummer == dubbel.sleutel
    return dubbel.sleutel in feiten.prestaties[sleutel]
