"""Which numbers of a fact become keyed hashes, and within whom they are unique.

A ToewijzingNummer can be resolved by its municipality, an Identificatie or meting_id may hold anything a provider chose
to put in: none of them leaves ``entry`` in clear. All are hashed within the provider: a number links the facts of one
provider and nothing else. The message reference is hashed per message type (TR056).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from crypto.pseudonym import References
from domain.field.questionnaires import informant
from schemas.codec import Record

#: Field -> kind of reference. A credit's VorigReferentieNummer must equal the debit's ReferentieNummer.
_FIELDS: Final[dict[str, dict[str, bytes]]] = {
    "start": {"toewijzing": b"toewijzing", "bericht": b"bericht.start"},
    "stop": {"toewijzing": b"toewijzing", "bericht": b"bericht.stop"},
    "declaration": {
        "toewijzing": b"toewijzing",
        "bericht": b"bericht.declaration",
        "referentie": b"referentie",
        "vorige_referentie": b"referentie",
        "declaratienummer": b"declaratienummer",
    },
    "score": {"toewijzing": b"toewijzing", "beschikking": b"beschikking"},
    "cem": {"meting": b"meting"},
    "assignment": {"toewijzing": b"toewijzing", "bericht": b"bericht.assignment"},
    "return": {"referentie": b"referentie", "bericht": b"bericht.declaration"},
    "cbs": {},
    "takeback": {},
    "erasure": {},
}


#: Kinds that one fact alone has: remembering them would push out the numbers that many facts share.
_OF_ONE_FACT: Final = frozenset({b"referentie", b"meting"})
_REMEMBERED: Final = 10_000


class Remembered:
    """The hashes of ``References``; numbers that many lines share, such as the message's own, are reckoned once."""

    def __init__(self, references: References) -> None:
        self._fresh, self._shared = references.hashed, lru_cache(maxsize=_REMEMBERED)(references.hashed)

    def hashed(self, kind: bytes, owner: str, clear: bytes) -> bytes:
        """As ``References.hashed``."""
        return (self._fresh if kind in _OF_ONE_FACT else self._shared)(kind, owner, clear)


#: Kinds whose reference or its owner depends on what else the fact says.
_BY_CONTENT: Final = frozenset({"assignment", "return"})


def hashed(references: Remembered, kind: str, aanbieder: str, content: Record) -> Record:
    """The content of a fact with its references hashed and its one free text reduced; absent references stay absent."""
    out = content.copy()
    for field, reference in _FIELDS[kind].items():
        clear = content.get(field)
        if clear is None:
            continue
        if kind in _BY_CONTENT:
            reference, clear = _reference(kind, field, reference, content), _clear(kind, field, content)
        out[field] = references.hashed(reference, aanbieder, clear)
    if kind == "cem":
        out["informant"] = informant(content["informant"])
    return out


def _reference(kind: str, field: str, reference: bytes, content: Record) -> bytes:
    """An answer on a whole message refers to a message of the kind that it names."""
    if kind == "return" and field == "bericht" and "soort" in content:
        return b"bericht." + str(content["soort"]).encode()
    return reference


def _clear(kind: str, field: str, content: Record) -> bytes:
    """The number itself; a JW301 comes from a municipality, whose identifications are its own (TR056)."""
    clear: bytes = content[field]
    return content["gemeente"].encode() + b"|" + clear if (kind, field) == ("assignment", "bericht") else clear
