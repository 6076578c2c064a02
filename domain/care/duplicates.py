"""Numbers used twice (TR056, TR314, TR333): which trajecten rest on them. Pure; only for clients who have any.

Every message and line is looked at once, however many numbers there are: a sender decides how many.
"""

from __future__ import annotations

from collections.abc import Iterator

from domain.care import declarations
from domain.care.links import ByToewijzing, Linked
from domain.care.toewijzingen import Toewijzingen
from domain.care.trajecten import Traject
from domain.facts.act import PrestatieAct, PrestatieKey, StartKey
from domain.facts.fact_set import FactSet
from domain.facts.identity import message_of

#: Provider, rule and kind of message -> the numbers used twice.
_Numbers = dict[tuple[str, str, str], set[bytes]]
_NONE: frozenset[bytes] = frozenset()


def attach(
    facts: FactSet,
    trajecten: list[Traject],
    by_toewijzing: ByToewijzing,
    known: Toewijzingen,
    linked: dict[bytes, Linked],
) -> None:
    """Flag every traject that rests on a number used twice (in place)."""
    numbers: _Numbers = {}
    for dubbel in facts.dubbel:
        numbers.setdefault((dubbel.aanbieder, dubbel.regel, dubbel.soort), set()).add(dubbel.sleutel)
    stops: dict[StartKey, list[bytes]] = {}
    for key, acts in facts.stops.items():
        stops.setdefault(key.start_key, []).extend(map(message_of, acts))
    for traject in trajecten:
        if any(_rests_on(facts, start_key, numbers, stops, known) for start_key in _start_keys(traject)):
            linked[traject.number].vlaggen.add("TR056")
    for line, act in declarations.declared_lines(facts).items():
        rules = _rules(facts, line, act, numbers)
        target = declarations.linked_of(by_toewijzing, line, act, linked) if rules else None
        if target is not None:
            target.vlaggen.update(rules)


def _start_keys(traject: Traject) -> Iterator[StartKey]:
    return (levering.start_key for levering in traject.leveringen)


def _rests_on(
    facts: FactSet, start_key: StartKey, numbers: _Numbers, stops: dict[StartKey, list[bytes]], known: Toewijzingen
) -> bool:
    """Whether a message that told of the start, its stops or its assignment has such a number."""
    of_starts, of_stops, of_versions = (
        numbers.get((start_key.aanbieder, "TR056", kind), _NONE) for kind in ("start", "stop", "assignment")
    )
    if of_starts and any(message_of(name) in of_starts for name in facts.starts.get(start_key, ())):
        return True
    if of_stops and any(bericht in of_stops for bericht in stops.get(start_key, ())):
        return True
    version = known.newest(start_key.aanbieder, start_key.gemeente, start_key.toewijzing) if of_versions else None
    return version is not None and version.bericht in of_versions


def _rules(facts: FactSet, line: PrestatieKey, act: PrestatieAct, numbers: _Numbers) -> list[str]:
    """The rules that a line breaks: by its reference (TR314), its declaration (TR333) or its message (TR056)."""
    aanbieder, found = line.aanbieder, []
    if line.referentie in numbers.get((aanbieder, "TR314", ""), _NONE):
        found.append("TR314")
    if act.declaratienummer in numbers.get((aanbieder, "TR333", ""), _NONE):
        found.append("TR333")
    of_messages = numbers.get((aanbieder, "TR056", "declaration"), _NONE)
    if of_messages and any(message_of(name) in of_messages for name in facts.prestaties[line]):
        found.append("TR056")
    return found
