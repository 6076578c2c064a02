"""Declared lines: which count on which traject, and the rules they break. Pure, recomputed from the set.

A line is a sign of activity, never a date of care (OP364). A flag rejects nothing and changes no figure; what each code
means: ``domain.field.rules``. Only net debits are judged on their content: what was credited was taken back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from domain.care.links import ByToewijzing, Linked
from domain.care.toewijzingen import Toewijzingen
from domain.facts.act import PrestatieAct, PrestatieKey, ToewijzingAct
from domain.facts.fact_set import FactSet
from domain.facts.identity import message_of
from domain.facts.standing import by_message
from domain.field.codes import CHANGE_REMOVED, EENHEID_EURO
from domain.field.dates import is_first_of_month, is_last_of_month
from domain.field.geography import OLD_CODES

_HOUR, _MINUTE = "04", "01"
#: A line that breaks a rule, and where it belongs.
_Broken = tuple[Linked, PrestatieAct, str]


def _last_line(acts: dict[bytes, PrestatieAct]) -> PrestatieAct:
    """Of a reference used twice (TR314) the line that counts: the latest by dagtekening, then message."""
    return max(by_message(acts).items(), key=lambda pair: (pair[1].dagtekening, message_of(pair[0])))[1]


def declared_lines(facts: FactSet) -> dict[PrestatieKey, PrestatieAct]:
    """Every declared line as it counts."""
    return {
        key: _last_line(acts) if len(acts) > 1 else next(iter(acts.values())) for key, acts in facts.prestaties.items()
    }


def linked_of(
    by_toewijzing: ByToewijzing, key: PrestatieKey, act: PrestatieAct, linked: dict[bytes, Linked]
) -> Linked | None:
    """Where a line belongs: at the traject of its assignment."""
    gemeente = OLD_CODES.get(act.gemeente, act.gemeente)
    traject = by_toewijzing.get((key.aanbieder, gemeente, act.toewijzing))
    return linked[traject.number] if traject is not None else None


def attach(
    facts: FactSet, by_toewijzing: ByToewijzing, known: Toewijzingen, linked: dict[bytes, Linked]
) -> list[tuple[PrestatieAct, str]]:
    """Count the debit lines that no credit takes back (IV085, IV091) on their trajecten, and flag them (in place);
    gives the lines that break a rule, and which.
    """
    broken: list[_Broken] = []
    valid = declared_lines(facts)
    credits = {key: act for key, act in valid.items() if act.debet_credit == "C"}
    credited = Counter((key.aanbieder, act.vorige_referentie) for key, act in credits.items())
    are_known, periods, net = bool(known), set[tuple[bytes, str, int]](), 0
    for key, act in valid.items():
        if act.debet_credit == "C" or key in credited:
            continue
        target = linked_of(by_toewijzing, key, act, linked)
        if target is None:
            continue
        target.declaraties += 1
        net += 1
        periods.add((act.toewijzing, act.code, act.begindatum))
        if act.tarief is not None and act.bedrag != act.volume * act.tarief and act.eenheid != EENHEID_EURO:
            broken.append((target, act, "TR346"))
        if act.begindatum > act.dagtekening:
            broken.append((target, act, "TR319"))
        if are_known:
            broken.extend((target, act, code) for code in _against_toewijzing(key.aanbieder, act, known))
    if len(periods) < net:
        uncredited = {s: d for s, d in valid.items() if d.debet_credit == "D" and s not in credited}
        broken.extend(_second_debet(uncredited, by_toewijzing, linked))
    for key, act in credits.items():
        target = linked_of(by_toewijzing, key, act, linked)
        if target is not None:
            broken.extend((target, act, code) for code in _credit(key.aanbieder, act, valid, credited))
    for target, _, code in broken:
        target.vlaggen.add(code)
    return [(act, code) for _, act, code in broken]


def _second_debet(
    net: dict[PrestatieKey, PrestatieAct], by_toewijzing: ByToewijzing, linked: dict[bytes, Linked]
) -> Iterator[_Broken]:
    """Two debits of one assignment, product and period (as TR416) that no credit takes back: all but the first, by
    dagtekening, then what is arbitrary but stable.
    """
    seen: set[tuple[object, ...]] = set()
    for key, act in sorted(net.items(), key=lambda pair: (pair[1].dagtekening, pair[0].referentie)):
        equal = (key.aanbieder, *act[:4], act.begindatum, act.einddatum)
        target = linked_of(by_toewijzing, key, act, linked)
        if equal in seen and target is not None:
            yield target, act, "TR389"
        seen.add(equal)


def _credit(
    aanbieder: str,
    credit: PrestatieAct,
    valid: dict[PrestatieKey, PrestatieAct],
    credited: Counter[tuple[str, bytes | None]],
) -> Iterator[str]:
    if credit.vorige_referentie is None:
        return
    debet = valid.get(PrestatieKey(aanbieder=aanbieder, referentie=credit.vorige_referentie))
    if debet is None or debet.debet_credit != "D":
        yield "TR323"
    if credited[aanbieder, credit.vorige_referentie] > 1:
        yield "TR390"


def _against_toewijzing(aanbieder: str, d: PrestatieAct, known: Toewijzingen) -> Iterator[str]:
    """The line beside its assignment; what the assignment leaves open (aspecifiek, generiek, budget) is not judged."""
    t = known.newest(aanbieder, d.gemeente, d.toewijzing)
    if t is None:
        return
    if t.reden_wijziging == CHANGE_REMOVED:
        yield "TR385" if d.dagtekening < t.toewijzingsdatum else "TR384"
        return
    if t.categorie and t.categorie != d.categorie:
        yield "TR339"
    if t.code and t.code != d.code:
        yield "TR340"
    if t.eenheid and t.eenheid != d.eenheid and (t.eenheid, d.eenheid) != (_HOUR, _MINUTE):
        yield "TR341"
    yield from _periode(d, t)


def _periode(d: PrestatieAct, t: ToewijzingAct) -> Iterator[str]:
    if d.begindatum < t.ingangsdatum:
        yield "TR307"
    if t.einddatum is not None and d.einddatum > t.einddatum:
        yield "TR308"
    if d.begindatum != t.ingangsdatum and not is_first_of_month(d.begindatum):
        yield "TR387"
    if d.einddatum != t.einddatum and not is_last_of_month(d.einddatum):
        yield "TR388"
