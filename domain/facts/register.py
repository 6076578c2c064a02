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

from domain.facts.delivery import mark
from domain.facts.fact import (
    BerichtRetour,
    CbsRecord,
    Dubbel,
    Inhoud,
    Intrekking,
    Prestatie,
    PrestatieRetour,
    Start,
    Stop,
    Toewijzing,
    Vervanging,
)

#: A declaration concerns up to tens of thousands of clients: its lines are spread over so many keys.
SPREIDING: Final = 16
#: Clients kept per content of a declaration for its flags (TR056, TR333); withdrawals are exact, whatever the number.
MEESTE_GEVLAGD: Final = 2_000
#: CBS deliveries of one provider and period whose clients are kept; of older ones only the id.
MEESTE_AANLEVERINGEN: Final = 2
_REGEL: Final = {"referentie": "TR314", "declaratienummer": "TR333"}


class Gebruik(NamedTuple):
    """One use of a number, or one answer on it. Field meanings: ``schemas/avro/sor.register.avsc``."""

    soort: str
    sleutel: bytes
    inhoud: bytes = b""
    bericht: bytes = b""
    retour: str = ""


class Record(NamedTuple):
    """A use as the register meets it: whose, and in which line of which delivery."""

    gebruik: Gebruik
    pseudonym: str | None
    delivery: str
    line: int
    lines: int
    tijd: int  # ms


def gebruiken(inhoud: Inhoud, kenmerk: bytes, regel: int) -> list[Gebruik]:
    """What the register must know of one line, its references being hashed. ``regel``: its place in the message."""
    match inhoud:
        case Start():
            return [Gebruik("bericht.start", inhoud.bericht, kenmerk, inhoud.bericht)]
        case Stop():
            return [Gebruik("bericht.stop", inhoud.bericht, kenmerk, inhoud.bericht)]
        case Toewijzing():
            return [Gebruik("bericht.assignment", inhoud.bericht, kenmerk, inhoud.bericht)]
        case Prestatie():
            return _van_prestatie(inhoud, kenmerk, regel)
        case PrestatieRetour():
            return [Gebruik("referentie", inhoud.referentie, b"", inhoud.bericht, inhoud.code)]
        case BerichtRetour() if inhoud.afgekeurd:
            soort = "regels.declaration" if inhoud.soort == "declaration" else f"bericht.{inhoud.soort}"
            return [Gebruik(soort, inhoud.bericht, b"", inhoud.bericht, inhoud.code)]
        case CbsRecord():
            return [Gebruik("cbs", inhoud.periode.encode())]
        case _:
            return []


def _van_prestatie(p: Prestatie, kenmerk: bytes, regel: int) -> list[Gebruik]:
    gevonden = [
        Gebruik("regels.declaration", p.bericht, kenmerk, p.bericht),
        Gebruik("bericht.declaration", p.bericht, kenmerk, p.bericht),
        Gebruik("referentie", p.referentie, p.bericht + regel.to_bytes(4, "big"), p.bericht),
    ]
    if p.declaratienummer:
        gevonden.append(Gebruik("declaratienummer", p.declaratienummer, p.bericht, p.bericht))
    return gevonden


#: Kinds of which one use per client is enough: entry need not repeat them for every line.
EENMALIG: Final = frozenset({"bericht.declaration", "declaratienummer"})


def sleutels(gebruik: Gebruik, aanbieder: str, pseudonym: str | None) -> Iterator[str]:
    """The keys under which a use is kept: one, or for an answer on a spread message all of them."""
    vast = f"{gebruik.soort}|{aanbieder}|{gebruik.sleutel.hex()}"
    if gebruik.soort != "regels.declaration":
        yield f"{vast}|0"
    elif pseudonym is None:
        yield from (f"{vast}|{deel}" for deel in range(SPREIDING))
    else:
        yield f"{vast}|{zlib.crc32(pseudonym.encode()) % SPREIDING}"


class Regels(Struct, array_like=True):
    """The lines of one delivery that used the number: closed intervals, ascending."""

    lines: int
    tijd: int
    gezien: list[list[int]] = field(default_factory=list)


class Gebruikers(Struct, array_like=True):
    """Everybody who used the number with one content (for cbs: in one delivery)."""

    bericht: bytes = b""
    clienten: dict[str, None] = field(default_factory=dict)
    regels: dict[str, Regels] = field(default_factory=dict)


class Nummer(Struct, array_like=True):
    """The packed state of one number. ``per_inhoud``: content -> users; for cbs the id of the delivery -> users."""

    versie: int = -1
    per_inhoud: dict[bytes, Gebruikers] = field(default_factory=dict)
    retour: dict[bytes, str] = field(default_factory=dict)  # message -> code that rejects it


class Gevolg(NamedTuple):
    """A fact for one client, or (``fact`` None) a line of a delivery that was withdrawn."""

    pseudonym: str
    fact: Intrekking | Dubbel | Vervanging | None
    delivery: str = ""
    line: int = 0
    lines: int = 0
    code: str = ""


def neem_op(nummer: Nummer, record: Record) -> None:
    """Join one use or answer into the state, in place."""
    g = record.gebruik
    if g.retour:
        nummer.retour[g.bericht] = max(g.retour, nummer.retour.get(g.bericht, ""))
        return
    plaats = record.delivery.encode() if g.soort == "cbs" else g.inhoud
    users = nummer.per_inhoud.setdefault(plaats, Gebruikers(g.bericht))
    if g.soort not in EENMALIG:
        regels = users.regels.setdefault(record.delivery, Regels(record.lines, record.tijd))
        regels.tijd = min(regels.tijd, record.tijd)
        mark(regels.gezien, record.line)
    if record.pseudonym is not None and (g.soort not in EENMALIG or len(users.clienten) < MEESTE_GEVLAGD):
        users.clienten[record.pseudonym] = None


def gevolgen(soort: str, sleutel: bytes, nummer: Nummer) -> Iterator[Gevolg]:
    """Everything that the state yields."""
    if soort == "cbs":
        yield from _vervangen(sleutel.decode(), nummer)
        return
    if nummer.retour:
        yield from _ingetrokken(soort, nummer)
    if len(nummer.per_inhoud) > 1 and soort != "regels.declaration":
        yield from _dubbel(soort, sleutel, nummer)


def _ingetrokken(soort: str, nummer: Nummer) -> Iterator[Gevolg]:
    for users in nummer.per_inhoud.values():
        code = nummer.retour.get(users.bericht)
        if code is None:
            continue
        if soort != "referentie":  # a rejected line is withdrawn by its own fact, which names its client
            fact = Intrekking(soort.partition(".")[2], users.bericht, code)
            yield from (Gevolg(client, fact) for client in users.clienten)
        for delivery, regels in users.regels.items():
            for eerste, laatste in regels.gezien:
                for line in range(eerste, laatste + 1):
                    yield Gevolg("", None, delivery, line, regels.lines, code)


def _dubbel(soort: str, sleutel: bytes, nummer: Nummer) -> Iterator[Gevolg]:
    fact = Dubbel(_REGEL.get(soort, "TR056"), "" if soort in _REGEL else soort.partition(".")[2], sleutel)
    for users in nummer.per_inhoud.values():
        yield from (Gevolg(client, fact) for client in users.clienten)


def _volgorde(nummer: Nummer) -> list[tuple[int, bytes]]:
    """The CBS deliveries in order of upload."""
    return sorted((u.regels[d.decode()].tijd, d) for d, u in nummer.per_inhoud.items())


def _compleet(users: Gebruikers) -> bool:
    return all(sum(tot - van + 1 for van, tot in r.gezien) >= r.lines for r in users.regels.values())


def _vervangen(periode: str, nummer: Nummer) -> Iterator[Gevolg]:
    """A delivery that is cut off half-way replaces nothing; a complete one replaces every earlier one."""
    volgorde = _volgorde(nummer)
    compleet = [plaats for plaats in volgorde if _compleet(nummer.per_inhoud[plaats[1]])]
    for plaats in volgorde:
        if compleet and plaats < compleet[-1]:
            fact = Vervanging(periode, plaats[1].decode())
            yield from (Gevolg(client, fact) for client in nummer.per_inhoud[plaats[1]].clienten)


def vouw(nummer: Nummer, records: Iterable[Record], soort: str, sleutel: bytes, *, alles: bool) -> list[Gevolg]:
    """Join records into the state (in place) and give what follows now and did not before; ``alles``: all of it."""
    if soort == "cbs" and not alles:
        _vergeet(sleutel.decode(), nummer)
    eerder = set() if alles else set(gevolgen(soort, sleutel, nummer))
    for record in records:
        neem_op(nummer, record)
    return [gevolg for gevolg in gevolgen(soort, sleutel, nummer) if gevolg not in eerder]


def _vergeet(periode: str, nummer: Nummer) -> None:
    """Of CBS deliveries replaced in an earlier batch only the id is kept: a line that comes again is replaced too."""
    feiten = (gevolg.fact for gevolg in _vervangen(periode, nummer))
    vervangen = {fact.aanlevering for fact in feiten if isinstance(fact, Vervanging)}
    for _, delivery in _volgorde(nummer)[:-MEESTE_AANLEVERINGEN]:
        if delivery.decode() in vervangen:
            nummer.per_inhoud[delivery].clienten.clear()
