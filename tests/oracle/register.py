"""What stands in the end of everything that one key of the register was told, the long way.

Part of the oracle: shares no code with the fold. It keeps every record and looks everything up again; the definitions:

- A delivery counts as never sent when the latest moment of taking back is later than the latest of coming again (T9).
- A message that an answer rejects counts as never sent (OP286, IV087) while one such answer counts; its lines too.
- TR056: two uses of one message whose sizes differ, or whose contents differ at the same place. TR314, TR333: two uses
  of one number for different things. Both uses must count; a use whose message has an unknown size is not compared.
- CBS: of one provider and period a complete delivery replaces every earlier one, while it counts.
- Bound (decision 0016): deliveries by rank, while what they say takes no more than so many bytes. What the rest said
  counts as never sent, is told so line by line, and everybody who ever used that number is flagged.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from domain.facts.fact import Dubbel, Intrekking, PrestatieRetour, Vervanging
from domain.facts.number import Record
from domain.facts.register import Effect
from domain.facts.uses import Usage

ROWS = ("referentie", "declaratienummer")


@dataclass
class Standing:
    """What holds: clients whose message is withdrawn, with the code; clients flagged; clients whose record in a CBS
    delivery is replaced; outcome and code of lines that have one; lines of note, by rule (0: a whole delivery).
    """

    withdrawn: dict[str, str] = field(default_factory=dict)
    flagged: set[str] = field(default_factory=set)
    replaced: set[tuple[str, str]] = field(default_factory=set)
    lines: dict[tuple[str, int], tuple[str, str]] = field(default_factory=dict)
    remarks: set[tuple[str, int, str]] = field(default_factory=set)


def taken_back(records: Iterable[Record]) -> set[str]:
    """The deliveries that count as never sent."""
    told = [r for r in records if r.terug or r.opnieuw]
    return {
        r.delivery
        for r in told
        if max(o.terug for o in told if o.delivery == r.delivery)
        > max(o.opnieuw for o in told if o.delivery == r.delivery)
    }


def settled(effects: Iterable[Effect], dead: set[str], records: Sequence[Record]) -> Standing:
    """What a reader of all that was given out, in order, is left with: facts fall with the deliveries they name, and
    the rejection of a message concerns who sent one of that dagtekening (``records``).
    """
    found = Standing()
    for effect in effects:
        if effect.uitkomst in ("opmerking", "vervallen"):
            found.remarks.discard(place := (effect.delivery, effect.line, effect.code))
            found.remarks |= {place} if effect.uitkomst == "opmerking" else set()
        elif effect.fact is None:
            found.lines[effect.delivery, effect.line] = effect.uitkomst, effect.code
        elif effect.delivery not in dead and _concerns(effect, records):
            _stands(found, effect, dead)
    found.lines = {where: outcome for where, outcome in found.lines.items() if outcome[0] != "hersteld"}
    return found


def _concerns(effect: Effect, records: Sequence[Record]) -> bool:
    if not isinstance(effect.fact, Intrekking) or effect.fact.bericht_dagtekening is None:
        return True
    days = {r.usage.dagtekening for r in records if r.pseudonym == effect.pseudonym}
    return bool(days & {0, effect.fact.bericht_dagtekening})


def _stands(found: Standing, effect: Effect, dead: set[str]) -> None:
    match effect.fact:
        case Dubbel(aanlevering=own):
            if own not in dead:
                found.flagged.add(effect.pseudonym)
        case Intrekking(code=code) | PrestatieRetour(code=code):
            found.withdrawn[effect.pseudonym] = max(code, found.withdrawn.get(effect.pseudonym, ""))
        case Vervanging(aanlevering=replaced):
            found.replaced.add((effect.pseudonym, replaced))


def standing(kind: str, records: Sequence[Record], most: int = 1 << 60) -> Standing:
    """What the definitions make of the records of one key. ``most``: bytes that its uses may take."""
    dead = taken_back(records)
    answers = [r for r in records if r.usage.retour and not r.terug and not r.opnieuw]
    every = [r for r in records if not (r.usage.retour or r.terug or r.opnieuw)]
    out = left_out(kind, every, most)
    uses = [r for r in every if r.delivery not in out]
    found = Standing()
    if kind == "cbs":
        found.replaced = {(c, r.delivery) for r in uses if (c := r.pseudonym) and _is_replaced(r, uses, dead)}
        found.replaced |= {(r.pseudonym, r.delivery) for r in every if r.delivery in out and r.pseudonym}
    else:
        _answered(found, kind, uses, [a for a in answers if a.delivery not in dead])
        found.flagged = {c for r in uses if (c := r.pseudonym) and _is_double(kind, r, uses, dead)}
    if out and kind != "cbs":
        found.flagged |= {r.pseudonym for r in every if r.pseudonym and r.delivery not in dead}
        refused = {r.pseudonym: "K08" for r in every if r.pseudonym and r.delivery in out - dead}
        found.withdrawn |= refused if kind != "declaratienummer" else {}
    found.remarks = _remarks(kind, every, out, dead) if kind != "cbs" else set()
    if kind != "declaratienummer":
        mine = [r for r in every if r.delivery in out and (r.pseudonym or kind != "cbs")]
        found.lines |= {(r.delivery, r.line): ("afgekeurd", "K08") for r in mine}
    return found


def _remarks(kind: str, every: Sequence[Record], out: set[str], dead: set[str]) -> set[tuple[str, int, str]]:
    """Every line of a delivery of which a use is doubled says so; with uses left out, of each that counts."""
    uses = [r for r in every if r.delivery not in out]
    of_note = {r.delivery for r in uses if r.pseudonym and r.delivery not in dead and out}
    of_note |= {r.delivery for r in uses if r.pseudonym and _is_double(kind, r, uses, dead)}
    rule = {"referentie": "TR314", "declaratienummer": "TR333"}.get(kind, "TR056")
    whole = kind == "declaratienummer"
    return {(r.delivery, 0 if whole else r.line, rule) for r in uses if r.delivery in of_note}


def _answered(found: Standing, kind: str, uses: Sequence[Record], answers: Sequence[Record]) -> None:
    for use in uses:
        codes = [a.usage.retour for a in answers if _answers(a.usage, use.usage)]
        if codes and kind != "declaratienummer":
            before = found.lines.get((use.delivery, use.line), ("", ""))[1]
            found.lines[use.delivery, use.line] = "ingetrokken", max(*codes, before)
        if codes and kind not in ROWS and use.pseudonym:
            found.withdrawn[use.pseudonym] = max(*codes, found.withdrawn.get(use.pseudonym, ""))


def _answers(answer: Usage, use: Usage) -> bool:
    """An answer names a message by identification and dagtekening (3.8); 0 = not known."""
    days = {answer.dagtekening, use.dagtekening}
    return answer.bericht == use.bericht and (0 in days or len(days) == 1)


def _is_double(kind: str, use: Record, uses: Sequence[Record], dead: set[str]) -> bool:
    if use.delivery in dead:
        return False
    mine, others = use.usage, [r.usage for r in uses if r.pseudonym and r.delivery not in dead]
    if kind in ROWS:
        return any(other.inhoud != mine.inhoud for other in others)
    return any(
        other.records != mine.records or (other.plaats == mine.plaats and other.inhoud != mine.inhoud)
        for other in others
        if other.records and mine.records
    )


def _is_replaced(use: Record, uses: Sequence[Record], dead: set[str]) -> bool:
    def when(delivery: str) -> tuple[int, str]:
        return min(r.tijd for r in uses if r.delivery == delivery), delivery

    def complete(delivery: str) -> bool:
        lines = {r.lines for r in uses if r.delivery == delivery}
        return lines == {len({r.line for r in uses if r.delivery == delivery})}

    later = {r.delivery for r in uses if r.delivery not in dead and when(r.delivery) > when(use.delivery)}
    return any(complete(delivery) for delivery in later)


def left_out(kind: str, uses: Sequence[Record], most: int) -> set[str]:
    """The deliveries beyond the bound."""
    order = sorted({r.delivery for r in uses}, key=lambda delivery: _rank(kind, delivery, uses))
    for number in range(1, len(order) + 1):
        if size([r for r in uses if r.delivery in order[:number]]) > most:
            return set(order[number - 1 :])
    return set()


def _rank(kind: str, delivery: str, uses: Sequence[Record]) -> tuple[int, bytes]:
    handle = bytes.fromhex(delivery)
    if kind == "cbs":  # the latest first
        return -min(r.tijd for r in uses if r.delivery == delivery), bytes(255 - byte for byte in handle)
    return 0, blake2b(handle, digest_size=8, key=uses[0].usage.sleutel).digest() + handle


def size(uses: Sequence[Record]) -> int:
    """Bytes that the uses of one key take, by the sizes of decision 0016."""
    named = {(*_content(r), r.pseudonym, r.delivery) for r in uses if r.pseudonym}
    of_cbs = bool(uses) and uses[0].usage.soort == "cbs"
    lines = {(r.delivery, _message(r), r.line) for r in uses if r.usage.soort != "declaratienummer"}
    if of_cbs:  # those of its own clients are kept apart
        lines |= {(r.delivery, ("own",), r.line) for r in uses if r.pseudonym}
    parts = {
        80: {line[:2] for line in lines} | {(r.delivery, _message(r)) for r in uses},
        16: {(*line[:2], line[2] // 64) for line in lines},
        2: set() if of_cbs else lines,
        32: {name[:-2] for name in named},
        48: {name[:-1] for name in named},
        18: named,
    }
    return sum(size * len(some) for size, some in parts.items())


def _message(use: Record) -> tuple[object, ...]:
    return use.usage.bericht, use.usage.dagtekening


def _content(use: Record) -> tuple[object, ...]:
    """What a use tells of the number, as far as that is ever compared."""
    kind, records, place = use.usage.soort, use.usage.records, use.usage.plaats
    if kind in ROWS or records:
        return (use.usage.inhoud, place, records) if place <= 32_768 else (records,)
    return ()
