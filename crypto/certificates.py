"""The certificate of a source: what stands in it, and reading one that anybody may have made.

X.509 with Ed25519 keys (RFC 5280, RFC 8410). Who it is, for whom it may send and which kinds stand as names of the
certificate: ``urn:sor:source:ID``, ``urn:sor:for:AGB`` and ``urn:sor:kind:KIND``, the last two once or more, ``*`` for
any but the kinds of ``NAMED``. The common name of every certificate of a development authority begins with
``DEVELOPMENT``.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.x509.oid import NameOID

from faults import SenderFault

ANY: Final = "*"
#: Kinds that a certificate has to name: who may deliver everything may not for that reason ask that somebody is
#: forgotten (decision 0029).
NAMED: Final = frozenset({"erasure"})
DEVELOPMENT: Final = "DEVELOPMENT"
#: A certificate of a source is some 400 bytes, with 170 providers in it 4,096.
CERTIFICATE_BYTES: Final = 4096
#: What an intermediate issues lasts at most so long: what is stolen from a machine that is online ends by itself.
SHORT_SECONDS: Final = 86400
#: A certificate begins so long before it was issued, for clocks that are behind.
EARLIER_SECONDS: Final = 300
#: Everything that ``cryptography`` raises about a certificate, a list or a signature that is wrong.
MALFORMED: Final = (
    ValueError,
    TypeError,
    OverflowError,
    InvalidSignature,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.ExtensionNotFound,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")  # it names a folder as well
_FOR: Final = re.compile(r"[0-9]{8}|\*")
_KIND: Final = re.compile(r"[a-z]+|\*")
_LATER: Final = re.compile(r" root \d+$")
_FORMS: Final = {"source": _ID, "for": _FOR, "kind": _KIND}


class NotTrusted(SenderFault):
    """Nobody whom the authority knows signed this, or not for this provider and kind, or not at this time."""


class Source(NamedTuple):
    """Who delivers, as its certificate says. ``begins`` and ``ends``: first and last second at which it counts."""

    id: str
    sends_for: frozenset[str]
    kinds: frozenset[str]
    serial: int
    begins: int
    ends: int
    public: Ed25519PublicKey

    def may_send(self, provider: str, kind: str) -> bool:
        """True for what the certificate names."""
        kinds = {kind} if kind in NAMED else {ANY, kind}
        return bool({ANY, provider} & self.sends_for) and bool(kinds & self.kinds)


def uris(identifier: str, sends_for: frozenset[str], kinds: frozenset[str]) -> list[str]:
    """The names of a certificate. ``ValueError`` when one of them has a wrong form, or one list is empty."""
    found = [("source", identifier), *(("for", one) for one in sorted(sends_for))]
    found += [("kind", one) for one in sorted(kinds)]
    for what, text in found:
        if _FORMS[what].fullmatch(text) is None:
            raise ValueError(f"{text!r} is no {'provider' if what == 'for' else what}")
    if not sends_for or not kinds:
        raise ValueError("a source sends for somebody, and something")
    return [f"urn:sor:{what}:{text}" for what, text in found]


def source_of(certificate: x509.Certificate) -> Source:
    """What the certificate says; whether it is true is the question of ``Trust``.

    Raises:
        ValueError and the others of ``MALFORMED``: it is no certificate of a source.
    """
    if is_authority(certificate):
        raise ValueError("an authority does not send")
    named: dict[str, list[str]] = {"source": [], "for": [], "kind": []}
    for name in certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value:
        what, text = _named(name)
        named[what].append(text)
    (identifier,) = named["source"]
    sends_for, kinds = frozenset(named["for"]), frozenset(named["kind"])
    uris(identifier, sends_for, kinds)  # the forms of all of them
    if common_name(certificate).removeprefix(f"{DEVELOPMENT} ") != identifier:
        raise ValueError("the certificate has two names")
    return Source(identifier, sends_for, kinds, certificate.serial_number, *span(certificate), ed25519(certificate))


def _named(name: Any) -> tuple[str, str]:
    if not isinstance(name, x509.UniformResourceIdentifier):
        raise TypeError("a name of another kind")
    what, _, text = name.value.removeprefix("urn:sor:").partition(":")
    if what not in _FORMS or name.value != f"urn:sor:{what}:{text}":
        raise ValueError("a name that is not ours")
    return what, text


def is_authority(certificate: x509.Certificate) -> bool:
    """True when it may issue others. ``ExtensionNotFound`` when it does not say."""
    return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def is_of_development(certificate: x509.Certificate) -> bool:
    """True when the word stands in its common name."""
    return common_name(certificate).startswith(DEVELOPMENT)


def common_name(certificate: x509.Certificate) -> str:
    """The one common name. ``ValueError`` when there are none or several."""
    (attribute,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(attribute.value)


def region_name(root: x509.Certificate) -> str:
    """The name of an authority by one of its roots: a later root has a number behind it."""
    return _LATER.sub("", common_name(root))


def ed25519(certificate: x509.Certificate) -> Ed25519PublicKey:
    """Its public key. ``TypeError`` when that is of another kind."""
    key = certificate.public_key()
    if not isinstance(key, Ed25519PublicKey):
        raise TypeError("another kind of key")
    return key


def span(certificate: x509.Certificate) -> tuple[int, int]:
    """First and last second since 1970 at which it counts."""
    return int(certificate.not_valid_before_utc.timestamp()), int(certificate.not_valid_after_utc.timestamp())
