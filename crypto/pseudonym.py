"""Pseudonyms and references: keyed, separated by domain, labelled with version and epoch.

``p₀ = HMAC-SHA-256(K₀, domain ‖ U)`` and ``pₙ₊₁ = HMAC-SHA-256(Kₙ₊₁, pₙ)``: stored pseudonyms can be renewed without
any BSN, and new events run the whole chain. All keys come from one root by HKDF; only ``entry`` can read the root.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VERSION: Final = "p1"
_BYTES: Final = 16
_REFERENCE_BYTES: Final = 8


def derive(root: bytes, purpose: str) -> bytes:
    """A 32-byte key for one purpose (HKDF-SHA-256, no salt, the purpose as info)."""
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"sor|" + purpose.encode()).derive(root)


def prepared_hmac(key: bytes) -> Callable[[bytes], bytes]:
    """HMAC-SHA-256 with a prepared key: copying the prepared state is three times as fast as starting anew."""
    prepared = hmac.new(key, digestmod=hashlib.sha256)

    def run(message: bytes) -> bytes:
        state = prepared.copy()
        state.update(message)
        return state.digest()

    return run


class Pseudonyms:
    """Names unblinded elements in one domain, up to one epoch."""

    def __init__(self, root: bytes, domain: str, epoch: int) -> None:
        if not domain.isascii() or not domain.isalnum():
            raise ValueError("a pseudonym domain is letters and digits only")
        self.prefix = f"{VERSION}.{domain}.{epoch}.".encode()
        self._domain = domain.encode() + b"\x00"
        self._chain = [prepared_hmac(derive(root, f"pseudonym|{domain}|{n}")) for n in range(epoch + 1)]

    def name(self, element: bytes) -> bytes:
        """The label of an unblinded element: ``p1.<domain>.<epoch>.<22 characters>``."""
        value = self._chain[0](self._domain + element)
        for step in self._chain[1:]:
            value = step(value)
        return self.prefix + base64.urlsafe_b64encode(value[:_BYTES]).rstrip(b"=")


class References:
    """Keyed hashes of numbers and references, so that they link facts and say nothing else."""

    def __init__(self, root: bytes) -> None:
        self._run = prepared_hmac(derive(root, "reference"))

    def hashed(self, kind: bytes, owner: str, clear: bytes, size: int = _REFERENCE_BYTES) -> bytes:
        """``size`` bytes for a reference of one kind within one owner (provider or message type and sender)."""
        return self._run(kind + b"|" + owner.encode() + b"|" + clear)[:size]
