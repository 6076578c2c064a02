"""Numbers used twice (TR056, TR314, TR333): which trajecten rest on them. Pure; only for clients who have any."""

from __future__ import annotations

from collections.abc import Iterator

from domain.care import declarations
from domain.care.links import ByToewijzing, Linked
from domain.care.toewijzingen import Toewijzingen
from domain.care.trajecten import Traject
from domain.facts.act import DubbelKey, PrestatieAct, PrestatieKey
from domain.facts.fact_set import FactSet


def attach(
    facts: FactSet,
    trajecten: list[Traject],
    by_toewijzing: ByToewijzing,
    known: Toewijzingen,
    linked: dict[bytes, Linked],
) -> None:
    """Flag every traject that rests on a number used twice (in place)."""
    for dubbel in facts.dubbel:
        if dubbel.regel == "TR056" and dubbel.soort != "declaration":
            for traject in trajecten:
                if _rests_on(facts, traject, dubbel, known):
                    linked[traject.number].vlaggen.add(dubbel.regel)
        else:
            for target in _targets(facts, dubbel, by_toewijzing, linked):
                target.vlaggen.add(dubbel.regel)


def _rests_on(facts: FactSet, traject: Traject, dubbel: DubbelKey, known: Toewijzingen) -> bool:
    """Whether the message told of a start, stop or assignment of the traject."""
    if traject.aanbieder != dubbel.aanbieder:
        return False
    start_keys = [levering.start_key for levering in traject.leveringen]
    if dubbel.soort == "start":
        return any(dubbel.sleutel in facts.starts.get(start_key, ()) for start_key in start_keys)
    if dubbel.soort == "stop":
        return any(dubbel.sleutel in acts for key, acts in facts.stops.items() if key.start_key in start_keys)
    versions = (known.newest(s.aanbieder, s.gemeente, s.toewijzing) for s in start_keys)
    return any(version is not None and version.bericht == dubbel.sleutel for version in versions)


def _targets(
    facts: FactSet, dubbel: DubbelKey, by_toewijzing: ByToewijzing, linked: dict[bytes, Linked]
) -> Iterator[Linked]:
    """The trajecten of the declared lines that have the number."""
    for key, act in declarations.declared_lines(facts).items():
        if key.aanbieder == dubbel.aanbieder and _has_number(facts, key, act, dubbel):
            target = declarations.linked_of(by_toewijzing, key, act, linked)
            if target is not None:
                yield target


def _has_number(facts: FactSet, key: PrestatieKey, act: PrestatieAct, dubbel: DubbelKey) -> bool:
    """Whether a line has the number: its reference (TR314), its declaration (TR333) or its message (TR056)."""
    if dubbel.regel == "TR314":
        return key.referentie == dubbel.sleutel
    if dubbel.regel == "TR333":
        return act.declaratienummer == dubbel.sleutel
    return dubbel.sleutel in facts.prestaties[key]
