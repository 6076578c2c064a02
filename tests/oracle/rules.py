"""Quality flags the long way: each rule of level 3 and 4 as its sentence says it, over the set of facts.

Part of the oracle: shares no code with the fold. Order of arrival has no meaning (OP080): where a rule speaks of what
was sent before, the day of signing decides, and what was signed on one day breaks no rule of order [R].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.facts.fact import Dubbel, Event, Prestatie, Start, Stop, Toewijzing
from domain.field.dates import as_date
from domain.field.geography import valid_on
from tests.oracle.care import PAUSE, REMOVED, Chain, Levering, Versions, orphans, standing, version_of

Lines = Mapping[tuple[str, bytes], Prestatie]
MINUTE, HOUR, EURO = "01", "04", "83"


@dataclass(frozen=True)
class World:
    """What the rules look at besides the traject itself."""

    leveringen: Sequence[Levering]
    versions: Versions
    lines: Lines
    sent: frozenset[tuple[str, bytes, bytes]]  # every declared line: provider, reference, message
    doubles: frozenset[tuple[str, str, str, bytes]]  # provider, rule, kind, number
    follow_up: int  # days after an end


def doubles(history: Sequence[Event]) -> frozenset[tuple[str, str, str, bytes]]:
    """What the register says was used twice."""
    found = [(event.aanbieder, event.fact) for event in history if isinstance(event.fact, Dubbel)]
    return frozenset((who, f.regel, f.soort, f.sleutel) for who, f in found)


def sent(history: Sequence[Event]) -> frozenset[tuple[str, bytes, bytes]]:
    """Every declared line, of a reference used twice each."""
    found = [(event.aanbieder, event.fact) for event in history if isinstance(event.fact, Prestatie)]
    return frozenset((who, f.referentie, f.bericht) for who, f in found)


# --- of one levering ----------------------------------------------------------------------------------------------


def _again(one: Levering) -> bool:
    """TR074: one key delivered again without a removal."""
    return any(standing(acts) > 1 for acts in (one.starts_sent, *one.stops_sent))


def _after_final(one: Levering) -> bool:
    """TR415: a further stop after a final one."""
    finals = [stop for stop in one.firsts if stop.reden_beeindiging != PAUSE]
    pauses = [stop for stop in one.stops if stop.reden_beeindiging == PAUSE]
    return len(finals) > 1 or any(p.dagtekening > f.dagtekening for p in pauses for f in finals)


def _pause(one: Levering) -> Stop | None:
    return next((stop for stop in one.stops if stop.reden_beeindiging == PAUSE), None)


def _before_pause(one: Levering) -> bool:
    """TR414: its current, final stop ends before the pause that was told before."""
    pause, stop = _pause(one), one.stop
    if pause is None or stop is None or stop is pause:
        return False
    return stop.einddatum < pause.einddatum and stop.dagtekening >= pause.dagtekening


def _removed_under_stop(one: Levering) -> bool:
    """TR071: its start was there and was removed, a stop stands."""
    return one.start is None and bool(one.stops) and any(act.status == 1 for act in one.starts_sent)


def _beside(one: Levering, world: World) -> list[Levering]:
    """Other leveringen on the same assignment; in taakgericht work (IV096) of the same product."""
    mine = one.start_key
    same = [
        other for other in world.leveringen if other.start_key != mine and other.start_key.decision == mine.decision
    ]
    if mine.toewijzing is None:
        same = [
            other for other in same if (other.start_key.categorie, other.start_key.code) == (mine.categorie, mine.code)
        ]
    return same


def _rank(one: Levering) -> tuple[int, str, str]:
    return one.start_key.begin, one.start_key.categorie, one.start_key.code


def _while_running(one: Levering, world: World) -> bool:
    """TR326: a start while the assignment has a running start. What was paused runs no more (OP379); on its last day
    another may begin [R]. Of two that begin on one day the second by product breaks the rule.
    """
    if one.start is None or one.start_key.toewijzing is None:
        return False
    before = [other for other in _beside(one, world) if other.start is not None and _rank(other) < _rank(one)]
    return any(
        all(stop.einddatum > one.start_key.begin for stop in other.stops if stop in (other.stop, _pause(other)))
        for other in before
    )


def _fits_no_start(one: Levering, world: World) -> bool:
    """TR382: a stop that fits no start, while the assignment has another start."""
    waits = one.start is None and bool(one.stops)
    return waits and any(other.start is not None for other in _beside(one, world))


def _unknown_gemeente(one: Levering) -> bool:
    """TR378: the code is not in the table on the day the assignment begins, as any of its messages gives it; on its own
    begin if none does [R].
    """
    acts: list[Start | Stop] = [*one.stops, *([one.start] if one.start else [])]
    days = {act.ingangsdatum for act in acts if act.ingangsdatum is not None} or {one.start_key.begin}
    return bool(acts) and not all(valid_on(one.start_key.ontvanger, day) for day in days)


def _paused_twice(one: Levering, world: World) -> bool:
    """TR413: a second reason 20 for the same assignment and begin; the second by product breaks the rule."""
    if any(acts[0].reden_beeindiging == PAUSE and standing(acts) > 1 for acts in one.stops_sent):
        return True
    if _pause(one) is None or one.start is None or one.start_key.toewijzing is None:
        return False
    before = [other for other in _beside(one, world) if other.start is not None and _rank(other) < _rank(one)]
    return any(other.start_key.begin == one.start_key.begin and _pause(other) is not None for other in before)


def _message_twice(one: Levering, world: World) -> bool:
    """TR056, of a start or stop message, or of the message that gave the current version of its assignment."""
    who = one.start_key.aanbieder
    version = version_of(world.versions, one.start_key.decision)
    if version is not None and (who, "TR056", "assignment", version.bericht) in world.doubles:
        return True
    sent = {(who, "TR056", "start" if isinstance(act, Start) else "stop", act.bericht) for act in one.acts}
    return not sent.isdisjoint(world.doubles)


def _of_levering(one: Levering, world: World) -> set[str]:
    rules = {
        "TR056": _message_twice(one, world),
        "TR071": _removed_under_stop(one),
        "TR074": _again(one),
        "TR326": _while_running(one, world),
        "TR378": _unknown_gemeente(one),
        "TR382": _fits_no_start(one, world),
        "TR413": _paused_twice(one, world),
        "TR414": _before_pause(one),
        "TR415": _after_final(one),
    }
    return {rule for rule, broken in rules.items() if broken}


# --- of one declared line -----------------------------------------------------------------------------------------


def _against_assignment(line: Prestatie, decision: Toewijzing) -> set[str]:
    first = as_date(line.begindatum).day == 1
    last = as_date(line.einddatum + 1).day == 1
    unit = decision.eenheid
    rules = {
        "TR339": decision.categorie not in ("", line.categorie),
        "TR340": decision.code not in ("", line.code),
        "TR341": unit not in ("", line.eenheid) and (unit, line.eenheid) != (HOUR, MINUTE),
        "TR307": line.begindatum < decision.ingangsdatum,
        "TR308": decision.einddatum is not None and line.einddatum > decision.einddatum,
        "TR387": not first and line.begindatum != decision.ingangsdatum,
        "TR388": not last and line.einddatum != decision.einddatum,
    }
    return {rule for rule, broken in rules.items() if broken}


def _credited(who: str, line: Prestatie, lines: Lines) -> int:
    """How many credits take a line back."""
    return sum(
        by == who and other.debet_credit == "C" and other.vorige_referentie == line.referentie
        for (by, _), other in lines.items()
    )


def _same_debit(who: str, line: Prestatie, lines: Lines) -> bool:
    """TR389: a second debit of the same assignment, product and period, the first not taken back."""
    what = (line.gemeente, line.toewijzing, line.categorie, line.code, line.begindatum, line.einddatum)
    same = [
        other
        for (by, _), other in lines.items()
        if by == who
        and other.debet_credit == "D"
        and (other.gemeente, other.toewijzing, other.categorie, other.code, other.begindatum, other.einddatum) == what
        and not _credited(who, other, lines)
    ]
    return line in same and len(same) > 1


def _of_debit(who: str, line: Prestatie, world: World) -> set[str]:
    """Of a debit that no credit takes back: its content."""
    rules = {
        "TR319": line.begindatum > line.dagtekening,
        "TR346": line.eenheid != EURO and line.tarief is not None and line.bedrag != line.volume * line.tarief,
        "TR389": _same_debit(who, line, world.lines),
    }
    found = {rule for rule, broken in rules.items() if broken}
    decision = version_of(world.versions, (who, line.gemeente, line.toewijzing))
    if decision is None:
        return found
    if decision.reden_wijziging != REMOVED:
        return found | _against_assignment(line, decision)
    # Signed before the removal, the removal should not have come; else the line should not.
    return found | {"TR385" if line.dagtekening < decision.toewijzingsdatum else "TR384"}


def _of_credit(who: str, line: Prestatie, lines: Lines) -> set[str]:
    assert line.vorige_referentie is not None
    debit = lines.get((who, line.vorige_referentie))
    others = [f for (by, _), f in lines.items() if by == who and f.vorige_referentie == line.vorige_referentie]
    rules = {
        "TR323": debit is None or debit.debet_credit != "D",
        "TR390": sum(f.debet_credit == "C" for f in others) > 1,
    }
    return {rule for rule, broken in rules.items() if broken}


def _of_line(who: str, line: Prestatie, world: World) -> set[str]:
    messages = [bericht for by, ref, bericht in world.sent if (by, ref) == (who, line.referentie)]
    rules = {
        "TR056": any((who, "TR056", "declaration", bericht) in world.doubles for bericht in messages),
        "TR314": (who, "TR314", "", line.referentie) in world.doubles,
        "TR333": (who, "TR333", "", line.declaratienummer) in world.doubles,
    }
    found = {rule for rule, broken in rules.items() if broken}
    if line.debet_credit == "C":
        return found | _of_credit(who, line, world.lines)
    return found if _credited(who, line, world.lines) else found | _of_debit(who, line, world)


# --- of a traject -------------------------------------------------------------------------------------------------


def flags(chain: Chain, world: World, lines: Sequence[tuple[str, Prestatie]]) -> tuple[str, ...]:
    """The flags of a traject and of the declared lines on it, in order."""
    found: set[str] = set()
    for one in chain.leveringen:
        found |= _of_levering(one, world)
    for who, line in lines:
        found |= _of_line(who, line, world)
    if chain.end is not None and chain.end.leeftijd is not None:
        # Whoever is 18 so many birthdays from now may have the first of them tomorrow.
        birthdays = 18 - chain.end.leeftijd
        if birthdays >= 1 and 1 + 365 * (birthdays - 1) <= world.follow_up:
            found.add("WORDT18")
    return tuple(sorted(found))


def waits(chain: Chain, versions: Versions) -> dict[str, int]:
    """What a traject waits for and since when: the earliest day of signing of what is waiting."""
    days: dict[str, list[int]] = {"toewijzing": [], "start": [], "levering": []}
    for one in chain.leveringen:
        stands = [acts for acts in (one.starts_sent, *one.stops_sent) if standing(acts) > 0]
        told = [act.dagtekening for acts in stands for act in acts if act.status == 1]
        version = version_of(versions, one.start_key.decision)
        if one.start_key.toewijzing is not None and (version is None or version.reden_wijziging == REMOVED):
            days["toewijzing"] += told  # a removal is checked on its key alone (TR063)
        if chain.status == "wacht_op_start":
            days["start"] += told
        days["levering"] += orphans(one)
    return {reason: min(some) for reason, some in days.items() if some}
