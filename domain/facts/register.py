"""The register: numbers that must be unique, and answers that name a message but no client. Pure.

A header-only return (0001) names no client, a number used twice shows only when both uses are seen, a CBS redelivery
says nothing of whom it leaves out: none of this is known to one client's facts. The register keeps, per number, who
used it, and yields facts for those clients. State and yield are sets: order, repetition, restarts leave no trace.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from msgspec import Struct, field

from domain.facts.fact import (
    BerichtRetour,
    CbsRecord,
    Content,
    Dubbel,
    Intrekking,
    Prestatie,
    PrestatieRetour,
    Start,
    Stop,
    Toewijzing,
    Vervanging,
)
from domain.facts.line_numbers import mark

#: A declaration concerns up to tens of thousands of clients: its lines are spread over so many keys.
SPREAD: Final = 16
#: Clients kept per content of a declaration for its flags (TR056, TR333); withdrawals are exact, whatever the number.
MOST_FLAGGED: Final = 2_000
#: CBS deliveries of one provider and period whose clients are kept; of older ones only the id.
MOST_AANLEVERINGEN: Final = 2
_ROW: Final = {"referentie": "TR314", "declaratienummer": "TR333"}


class Usage(NamedTuple):
    """One use of a number, or one answer on it. Field meanings: ``schemas/avro/sor.register.avsc``."""

    soort: str
    sleutel: bytes
    inhoud: bytes = b""
    bericht: bytes = b""
    retour: str = ""


class Record(NamedTuple):
    """A use as the register meets it: whose, and in which line of which delivery."""

    usage: Usage
    pseudonym: str | None
    delivery: str
    line: int
    lines: int
    tijd: int  # ms


def uses_of(content: Content, kenmerk: bytes, row: int) -> list[Usage]:
    """What the register must know of one line, its references being hashed. ``row``: its place in the message."""
    match content:
        case Start():
            return [Usage("bericht.start", content.bericht, kenmerk, content.bericht)]
        case Stop():
            return [Usage("bericht.stop", content.bericht, kenmerk, content.bericht)]
        case Toewijzing():
            return [Usage("bericht.assignment", content.bericht, kenmerk, content.bericht)]
        case Prestatie():
            return _of_prestatie(content, kenmerk, row)
        case PrestatieRetour():
            return [Usage("referentie", content.referentie, b"", content.bericht, content.code)]
        case BerichtRetour() if content.afgekeurd:
            kind = "regels.declaration" if content.soort == "declaration" else f"bericht.{content.soort}"
            return [Usage(kind, content.bericht, b"", content.bericht, content.code)]
        case CbsRecord():
            return [Usage("cbs", content.periode.encode())]
        case _:
            return []


def _of_prestatie(p: Prestatie, kenmerk: bytes, row: int) -> list[Usage]:
    found = [
        Usage("regels.declaration", p.bericht, kenmerk, p.bericht),
        Usage("bericht.declaration", p.bericht, kenmerk, p.bericht),
        Usage("referentie", p.referentie, p.bericht + row.to_bytes(4, "big"), p.bericht),
    ]
    if p.declaratienummer:
        found.append(Usage("declaratienummer", p.declaratienummer, p.bericht, p.bericht))
    return found


#: Kinds of which one use per client is enough: entry need not repeat them for every line.
ONCE: Final = frozenset({"bericht.declaration", "declaratienummer"})


def keys(usage: Usage, aanbieder: str, pseudonym: str | None) -> Iterator[str]:
    """The keys under which a use is kept: one, or for an answer on a spread message all of them."""
    fixed = f"{usage.soort}|{aanbieder}|{usage.sleutel.hex()}"
    if usage.soort != "regels.declaration":
        yield f"{fixed}|0"
    elif pseudonym is None:
        yield from (f"{fixed}|{part}" for part in range(SPREAD))
    else:
        yield f"{fixed}|{zlib.crc32(pseudonym.encode()) % SPREAD}"


class LineSet(Struct, array_like=True):
    """The lines of one delivery that used the number: closed intervals, ascending."""

    lines: int
    tijd: int
    gezien: list[list[int]] = field(default_factory=list)


class Users(Struct, array_like=True):
    """Everybody who used the number with one content (for cbs: in one delivery)."""

    bericht: bytes = b""
    clienten: dict[str, None] = field(default_factory=dict)
    regels: dict[str, LineSet] = field(default_factory=dict)


class Number(Struct, array_like=True):
    """The packed state of one number. ``per_content``: content -> users; for cbs the id of the delivery -> users."""

    version: int = -1
    per_content: dict[bytes, Users] = field(default_factory=dict)
    retour: dict[bytes, str] = field(default_factory=dict)  # message -> code that rejects it


class Effect(NamedTuple):
    """A fact for one client, or (``fact`` None) a line of a delivery that was withdrawn."""

    pseudonym: str
    fact: Intrekking | Dubbel | Vervanging | None
    delivery: str = ""
    line: int = 0
    lines: int = 0
    code: str = ""


def take_in(number: Number, record: Record) -> None:
    """Join one use or answer into the state, in place."""
    usage = record.usage
    if usage.retour:
        number.retour[usage.bericht] = max(usage.retour, number.retour.get(usage.bericht, ""))
        return
    content = record.delivery.encode() if usage.soort == "cbs" else usage.inhoud
    users = number.per_content.setdefault(content, Users(usage.bericht))
    if usage.soort not in ONCE:
        line_set = users.regels.setdefault(record.delivery, LineSet(record.lines, record.tijd))
        line_set.tijd = min(line_set.tijd, record.tijd)
        mark(line_set.gezien, record.line)
    if record.pseudonym is not None and (usage.soort not in ONCE or len(users.clienten) < MOST_FLAGGED):
        users.clienten[record.pseudonym] = None


def effects(kind: str, key: bytes, number: Number) -> Iterator[Effect]:
    """Everything that the state yields."""
    if kind == "cbs":
        yield from _replaced(key.decode(), number)
        return
    if number.retour:
        yield from _withdrawn(kind, number)
    if len(number.per_content) > 1 and kind != "regels.declaration":
        yield from _dubbel(kind, key, number)


def _withdrawn(kind: str, number: Number) -> Iterator[Effect]:
    for users in number.per_content.values():
        code = number.retour.get(users.bericht)
        if code is None:
            continue
        if kind != "referentie":  # a rejected line is withdrawn by its own fact, which names its client
            fact = Intrekking(soort=kind.partition(".")[2], bericht=users.bericht, code=code)
            yield from (Effect(client, fact) for client in users.clienten)
        for delivery, line_set in users.regels.items():
            for first, last in line_set.gezien:
                for line in range(first, last + 1):
                    yield Effect("", None, delivery, line, line_set.lines, code)


def _dubbel(kind: str, key: bytes, number: Number) -> Iterator[Effect]:
    message_kind = "" if kind in _ROW else kind.partition(".")[2]
    fact = Dubbel(regel=_ROW.get(kind, "TR056"), soort=message_kind, sleutel=key)
    for users in number.per_content.values():
        yield from (Effect(client, fact) for client in users.clienten)


def _order(number: Number) -> list[tuple[int, bytes]]:
    """The CBS deliveries in order of upload."""
    return sorted((u.regels[d.decode()].tijd, d) for d, u in number.per_content.items())


def _complete(users: Users) -> bool:
    return all(sum(last - first + 1 for first, last in r.gezien) >= r.lines for r in users.regels.values())


def _replaced(periode: str, number: Number) -> Iterator[Effect]:
    """A delivery that is cut off half-way replaces nothing; a complete one replaces every earlier one."""
    order = _order(number)
    complete = [place for place in order if _complete(number.per_content[place[1]])]
    for place in order:
        if complete and place < complete[-1]:
            fact = Vervanging(periode=periode, aanlevering=place[1].decode())
            yield from (Effect(client, fact) for client in number.per_content[place[1]].clienten)


def fold(number: Number, records: Iterable[Record], kind: str, key: bytes, *, everything: bool) -> list[Effect]:
    """Join records into the state (in place) and give what is new to follow; ``everything``: all of it."""
    if kind == "cbs" and not everything:
        _forget(key.decode(), number)
    earlier = set() if everything else set(effects(kind, key, number))
    for record in records:
        take_in(number, record)
    return [effect for effect in effects(kind, key, number) if effect not in earlier]


def _forget(periode: str, number: Number) -> None:
    """Of CBS deliveries replaced in an earlier batch only the id is kept: a line that comes again is replaced too."""
    facts = (effect.fact for effect in _replaced(periode, number))
    replaced = {fact.aanlevering for fact in facts if isinstance(fact, Vervanging)}
    for _, delivery in _order(number)[:-MOST_AANLEVERINGEN]:
        if delivery.decode() in replaced:
            number.per_content[delivery].clienten.clear()
