"""What the portal gives to a browser that somebody logged in with: public keys, a certificate of hours and a token.

The browser makes its own key and shows the public half; the intermediate of the authority, which stands beside the
portal, certifies it for one provider (decision 0014, ``trust.md`` T1). The token says to the intake for whom it comes.
"""

from __future__ import annotations

import base64
import binascii
import json
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from connectors.intake.visitors import Pass, issued
from crypto import authority, files
from crypto.grants import Grant
from crypto.key_files import FILE
from crypto.keys import PUBLIC
from faults import OperatorFault, SenderFault
from schemas.codec import Codec, IdSource
from schemas.form import is_sender
from schemas.topics import IN_TOPIC

__all__ = ["Pass", "PassesError", "WrongKey", "certificate", "public_document", "token", "token_key"]

#: How long a browser may deliver without asking anew: a working day.
CERTIFICATE_SECONDS: Final = 8 * 3600
#: What a browser may send: what a provider reports, and taking that back. Asking for erasure is not among it.
KINDS: Final = frozenset({"score", "cem", "cbs", "start", "stop", "declaration", "takeback"})
KEY, PUBLIC_KEY = "token.key", "public.pem"
_CONTRACTS: Final = {"sealed": "sor.sealed", "compact": "sor.compact"}


class PassesError(OperatorFault):
    """The portal cannot give certificates or tokens; the message says what to do."""


class WrongKey(SenderFault):
    """What a browser showed is no public Ed25519 key."""


def token_key(folder: Path) -> Ed25519PrivateKey:
    """The key under which tokens are signed, made at the first use, with the public half beside it.

    The intake reads that half (``SOR_INTAKE_VISITORS``). ``PassesError`` when the key cannot be read.
    """
    place = folder / KEY
    files.make_private(folder)
    if not place.exists():
        made = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        with suppress(FileExistsError):  # two processes at their first start: that of the first stays
            files.write_new(place, made, mode=files.PRIVATE)
    try:
        key = load_pem_private_key(place.read_bytes(), None)
    except (OSError, ValueError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise PassesError(f"{place} holds no Ed25519 key; move it away and a new one is made.")
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    if not (folder / PUBLIC_KEY).exists() or (folder / PUBLIC_KEY).read_bytes() != public:
        files.write(folder / PUBLIC_KEY, public, mode=files.PUBLIC)
    return key


def token(key: Ed25519PrivateKey, *, agb: str, subject: str, now: float) -> Pass:
    """A token for the intake, of 15 minutes. ``subject`` names somebody to the portal alone; ``now`` in seconds."""
    return issued(key, agb, subject, now)


def certificate(folder: Path, keys: Path, *, agb: str, subject: str, public_key: bytes, now: int) -> tuple[bytes, int]:
    """Certificate (DER) of a browser for one provider, and the second at which it ends.

    ``folder``: the authority's, of which the intermediate's pair is enough; ``subject``: a random name that the portal
    can trace to a person. It may not say more of the person: certificates are public.

    Raises:
        WrongKey: 32 bytes that are no key, or not 32. ValueError: no AGB code.
        AuthorityError, KeysError: the authority is not usable here.
    """
    if not is_sender(agb):  # a list of all providers is no provider
        raise ValueError("An AGB code has eight digits.")
    try:
        public = Ed25519PublicKey.from_public_bytes(public_key)
    except ValueError:
        raise WrongKey("A public Ed25519 key has 32 bytes.") from None
    grant = Grant(f"browser-{subject}", frozenset({agb}), KINDS, CERTIFICATE_SECONDS)
    der = authority.issue(folder, keys, grant, public, short=True, at=now)
    return der, now + CERTIFICATE_SECONDS


def public_document(keys: Path, ids: IdSource | None, *, agb: str, intake: str) -> dict[str, Any]:
    """What a browser needs to seal for a provider (docs/envelope.md), as JSON. ``PassesError``.

    ``ids``: where the ids of contracts come from, None without a registry; ``intake``: its address for a browser.
    """
    place = keys / PUBLIC / FILE
    try:
        known = json.loads(place.read_bytes())
        shown = {name: known[name] for name in ("suite", "epoch", "evaluate", "entry")}
        base64.b64decode(shown["evaluate"], validate=True)
    except (OSError, ValueError, KeyError, binascii.Error):
        raise PassesError(f"{place} cannot be read; copy the public keys of the region there.") from None
    if "next" in known:
        shown["next"] = known["next"]
    numbers = {name: Codec(contract, ids).id for name, contract in _CONTRACTS.items()}
    return {**shown, "ids": numbers, "sender": agb, "intake": intake, "kinds": sorted(KINDS & IN_TOPIC.keys())}
