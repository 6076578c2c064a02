"""Certificates for systems of a provider: the public key that it hands over, and what the authority made of it.

The portal issues none of these: the key of the root lies elsewhere and offline (docs/sources.md). It keeps what was
asked, and looks at what comes back as a stage would. Errors are sentences for people.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from django.core.exceptions import ValidationError

from crypto.certificates import MALFORMED, Source
from crypto.sources import NotTrusted, Trust
from portal.passes import KINDS
from portal.people.models import Sleutelaanvraag

#: Kinds that can be asked: those of a provider. Asking that a client is forgotten is not among them.
ASKED: Final = tuple(sorted(KINDS))
#: Letters of the text that somebody pastes: a public key has 113, a certificate of one provider some 700.
KEY_LETTERS, CERTIFICATE_LETTERS = 1_000, 6_000
_GROUP: Final = 4


class PublicKey(NamedTuple):
    """A public Ed25519 key, written in one way, and the SHA-256 of its DER in hexadecimal."""

    pem: str
    fingerprint: str


class Issued(NamedTuple):
    """A certificate that was checked, and when it ends."""

    pem: str
    ends: datetime


def public_key(text: str) -> PublicKey:
    """The key in a PEM text. ``ValidationError`` when it is none; a private key is named as such."""
    if "PRIVATE" in text.upper():
        raise ValidationError(
            "Dit is uw geheime sleutel. Die is nu niet bewaard, maar mag nooit naar een ander: maak een nieuwe, en "
            "plak hier alleen de openbare sleutel."
        )
    try:
        found = load_pem_public_key(text.strip().encode())
    except MALFORMED:
        raise ValidationError(
            "Dit is geen openbare sleutel. Plak de hele tekst, van BEGIN PUBLIC KEY tot en met END PUBLIC KEY."
        ) from None
    if not isinstance(found, Ed25519PublicKey):
        raise ValidationError("Deze sleutel is van een andere soort. Maak een sleutel van de soort Ed25519.")
    der = found.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    pem = found.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return PublicKey(pem.decode(), hashlib.sha256(der).hexdigest())


def spoken(fingerprint: str) -> str:
    """A fingerprint in groups, to read aloud."""
    return " ".join(fingerprint[start : start + _GROUP] for start in range(0, len(fingerprint), _GROUP))


def command(asked: Sleutelaanvraag) -> str:
    """What somebody types at the authority. Every word is of a closed form, so none of them needs quotes."""
    kinds = " ".join(f"--kind {kind}" for kind in asked.kinds.split())
    return (
        f"sor sources issue {asked} --for {asked.organisatie.code} {kinds} --public-key {asked}-sleutel.pem "
        "--out certificates"
    )


def checked(text: str, asked: Sleutelaanvraag, trust: Trust, now: int) -> Issued:
    """The certificate in a PEM text, when it is what was asked and counts at ``now``. ``ValidationError``."""
    try:
        found = x509.load_pem_x509_certificate(text.strip().encode())
        source = trust.source(found.public_bytes(Encoding.DER), now)
    except MALFORMED:
        raise ValidationError(
            "Dit is geen certificaat. Plak de hele tekst, van BEGIN CERTIFICATE tot en met END CERTIFICATE."
        ) from None
    except NotTrusted:
        raise ValidationError(
            "Dit certificaat telt niet: het is niet van de autoriteit van deze regio, het geldt nu niet, of het is "
            "ingetrokken. Geeft de autoriteit sinds kort anders uit? Zet dan eerst haar openbare bestanden hier."
        ) from None
    wrong = _differs(source, asked)
    if wrong:
        raise ValidationError(wrong)
    return Issued(found.public_bytes(Encoding.PEM).decode(), datetime.fromtimestamp(source.ends, UTC))


def _differs(source: Source, asked: Sleutelaanvraag) -> str:
    """What a certificate says that was not asked; empty when nothing."""
    pem = source.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    if pem != asked.public_key:
        return "Dit certificaat is van een andere sleutel dan die van de aanvraag."
    if source.sends_for != {asked.organisatie.code}:
        return f"Dit certificaat is niet alleen voor AGB-code {asked.organisatie.code}."
    if not _within(source.kinds, asked.kinds.split()):
        return "Dit certificaat is voor soorten die niet zijn gevraagd."
    if source.id != str(asked):
        return f"Dit certificaat heeft een andere naam dan {asked}: zo trekt de autoriteit later het verkeerde in."
    return ""


def _within(given: Collection[str], asked: Collection[str]) -> bool:
    return set(given) <= set(asked)
