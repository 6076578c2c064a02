"""Which numbers of a fact become keyed hashes, and within whom they are unique.

A ToewijzingNummer can be resolved by its municipality, an Identificatie or meting_id may hold anything a provider
chose to
put in: none of them leaves ``entry`` in clear. All are hashed within the provider: a number links the facts of one
provider and nothing else. The message reference is hashed per message type (TR056).
"""

from __future__ import annotations

from typing import Final

from crypto.pseudonym import References
from domain.questionnaires import informant
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
    },
    "score": {"toewijzing": b"toewijzing", "beschikking": b"beschikking"},
    "cem": {"meting": b"meting"},
}


def hashed(references: References, kind: str, aanbieder: str, content: Record) -> Record:
    """The content of a fact with its references hashed and its one free text reduced; absent references stay absent."""
    out = content | {
        field: references.hashed(reference, aanbieder, content[field])
        for field, reference in _FIELDS[kind].items()
        if content[field] is not None
    }
    if kind == "cem":
        out["informant"] = informant(content["informant"])
    return out
