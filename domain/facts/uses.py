"""What a line uses of the numbers that must be unique, and the keys under which the register keeps that. Pure."""

from __future__ import annotations

import zlib
from typing import Final, NamedTuple

from domain.facts.fact import (
    BerichtRetour,
    CbsRecord,
    Content,
    Prestatie,
    PrestatieRetour,
    Start,
    Stop,
    Toewijzing,
)

#: A declaration or a CBS delivery concerns up to tens of thousands of clients: they are spread over so many keys.
SPREAD: Final = 16
#: Places of a message that stay together: so two contents under one identification meet, if only at its beginning.
CHUNK: Final = 1_024
#: Places of a message whose contents are compared one by one (TR056); no real message has more.
MOST_COMPARED: Final = 32_768
CBS: Final = "cbs"
REFERENTIE: Final = "referentie"
#: Told once per client and delivery; the lines are kept elsewhere.
DECLARATIENUMMER: Final = "declaratienummer"
_LINES: Final = "regels.declaration"
_PLACE: Final = 4  # bytes
#: Bytes of a dagtekening behind a message.
DAY: Final = 4


class Usage(NamedTuple):
    """One use of a number, or one answer on it. Field meanings: ``schemas/avro/sor.register.avsc``."""

    soort: str
    sleutel: bytes
    inhoud: bytes = b""
    bericht: bytes = b""
    retour: str = ""
    records: int = 0
    plaats: int = 0
    dagtekening: int = 0  # of the message, or of the one that is answered; 0 = unknown

    @property
    def message(self) -> bytes:
        """What names the message: its identification and its dagtekening, for identifications are reused (3.8)."""
        return message_of_day(self.bericht, self.dagtekening)


def message_of_day(bericht: bytes, dagtekening: int) -> bytes:
    """A message and its dagtekening in one; the message alone when the day is not known."""
    return bericht + dagtekening.to_bytes(DAY, "big", signed=True) if dagtekening else bericht


def day_behind(bericht: bytes, message: bytes) -> int | None:
    """The dagtekening behind a message of this identification; None when it is not known."""
    return int.from_bytes(message[len(bericht) :], "big", signed=True) if len(message) > len(bericht) else None


def uses_of(content: Content, inhoud: bytes, records: int, plaats: int, row: int) -> list[Usage]:
    """What the register must know of one line, its references being hashed.

    ``inhoud``: keyed hash of what it says and of whom; ``records``, ``plaats``: size of its message and place in it,
    0 = unknown; ``row``: place in the file, for lines whose place is unknown.
    """
    match content:
        case Start():
            return [_of_message("start", content, inhoud, records, plaats)]
        case Stop():
            return [_of_message("stop", content, inhoud, records, plaats)]
        case Toewijzing():
            return [_of_message("assignment", content, inhoud, records, plaats)]
        case Prestatie():
            return _of_prestatie(content, inhoud, records, plaats or row)
        case PrestatieRetour():
            day = content.bericht_dagtekening or 0
            return [Usage(REFERENTIE, content.referentie, b"", content.bericht, content.code, dagtekening=day)]
        case BerichtRetour() if content.afgekeurd:
            kind = _LINES if content.soort == "declaration" else f"bericht.{content.soort}"
            day = content.bericht_dagtekening or 0
            return [Usage(kind, content.bericht, b"", content.bericht, content.code, dagtekening=day)]
        case CbsRecord():
            return [Usage(CBS, content.periode.encode())]
        case _:
            return []


def _of_message(kind: str, content: Start | Stop | Toewijzing, inhoud: bytes, records: int, plaats: int) -> Usage:
    bericht, day = content.bericht, content.dagtekening
    return Usage(f"bericht.{kind}", bericht, inhoud, bericht, "", records, plaats, day)


def _of_prestatie(p: Prestatie, inhoud: bytes, records: int, plaats: int) -> list[Usage]:
    found = [
        Usage(_LINES, p.bericht, inhoud, p.bericht, "", records, plaats, p.dagtekening),
        Usage(
            REFERENTIE,
            p.referentie,
            p.bericht + plaats.to_bytes(_PLACE, "big"),
            p.bericht,
            dagtekening=p.dagtekening,
        ),
    ]
    if p.declaratienummer and plaats <= MOST_COMPARED:
        found.append(Usage(DECLARATIENUMMER, p.declaratienummer, p.bericht, p.bericht, "", 0, plaats))
    return found


def keys(usage: Usage, aanbieder: str, pseudonym: str | None) -> list[tuple[str, str | None]]:
    """The keys under which a use is kept, with whom it names there: one key, or for an answer on a spread message and
    for a CBS record all of them. A CBS record names its client under one: the others need to know that it came.
    """
    fixed = f"{usage.soort}|{aanbieder}|{usage.sleutel.hex()}"
    if usage.soort == CBS:
        own = zlib.crc32((pseudonym or "").encode()) % SPREAD
        return [(f"{fixed}|{part}", pseudonym if part == own else None) for part in range(SPREAD)]
    if usage.soort not in (_LINES, DECLARATIENUMMER):
        return [(f"{fixed}|0", pseudonym)]
    if usage.retour:
        return [(f"{fixed}|{part}", None) for part in range(SPREAD)]
    return [(f"{fixed}|{max(0, usage.plaats - 1) // CHUNK % SPREAD}", pseudonym)]
