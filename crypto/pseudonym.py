"""Pseudonyms and references: keyed, separated by domain, labelled with version and epoch.

``p₀ = HMAC-SHA-256(K₀, domain ‖ U)`` and ``pₙ₊₁ = HMAC-SHA-256(Kₙ₊₁, pₙ)``, each cut to 16 bytes: that is what is
stored, so stored pseudonyms can be renewed without any BSN, and new events run the whole chain. The keys come by HKDF
from one root, or each later one from a secret of its own; only ``entry`` can read them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Iterable
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VERSION: Final = "p1"
_BYTES: Final = 16
_REFERENCE_BYTES: Final = 8
_FORM: Final = re.compile(rb"p1\.[A-Za-z0-9]+\.[0-9]+\.[A-Za-z0-9_-]{22}")


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

    def __init__(self, root: bytes, domain: str, epoch: int, labels: Iterable[tuple[int, bytes]] = ()) -> None:
        """``labels``: secrets of later epochs that do not come of the root."""
        if not domain.isascii() or not domain.isalnum():
            raise ValueError("a pseudonym domain is letters and digits only")
        self._domain = domain.encode() + b"\x00"
        fresh = dict(labels)
        self._chain = [(_prefix(domain, n), _step(fresh.get(n, root), domain, n)) for n in range(epoch + 1)]

    def names(self, element: bytes) -> tuple[bytes, ...]:
        """Every label that an unblinded element ever had, of the first epoch to this one:
        ``p1.<domain>.<epoch>.<22 characters>``. The last is its name; the others are never stored.
        """
        value, found = self._domain + element, []
        for prefix, step in self._chain:
            value = step(value)[:_BYTES]
            found.append(prefix + _written(value))
        return tuple(found)

    def name(self, element: bytes) -> bytes:
        """Its label of this epoch."""
        return self.names(element)[-1]


class Renewal:
    """Stored pseudonyms of one epoch under the names of the next: no BSN and no element is needed."""

    def __init__(self, secret: bytes, domain: str, epoch: int) -> None:
        """``epoch``: the next one; ``secret``: the root, or the secret of that epoch."""
        self._before, self._after = _prefix(domain, epoch - 1), _prefix(domain, epoch)
        self._step = _step(secret, domain, epoch)

    def renew(self, pseudonym: bytes) -> bytes:
        """The name of the same client; ``ValueError`` for a label of another domain or epoch, or none at all."""
        if not pseudonym.startswith(self._before):
            raise ValueError("no pseudonym of the epoch before")
        value = base64.urlsafe_b64decode(pseudonym.removeprefix(self._before) + b"==")
        if len(value) != _BYTES or self._before + _written(value) != pseudonym:
            raise ValueError("no pseudonym")
        return self._after + _written(self._step(value))

    def renewed(self, pseudonym: bytes) -> bytes:
        """The same, and a name of the next epoch as it is: what was renewed already may come once more."""
        return pseudonym if self.is_renewed(pseudonym) else self.renew(pseudonym)

    def is_renewed(self, pseudonym: bytes) -> bool:
        """Whether it is a name of the next epoch."""
        return pseudonym.startswith(self._after)


def is_pseudonym(text: bytes) -> bool:
    """Whether it looks like ``p1.<domain>.<epoch>.<22 characters>``; of whom, or of nobody, it does not say."""
    return _FORM.fullmatch(text) is not None


def _prefix(domain: str, epoch: int) -> bytes:
    return f"{VERSION}.{domain}.{epoch}.".encode()


def _step(secret: bytes, domain: str, epoch: int) -> Callable[[bytes], bytes]:
    return prepared_hmac(derive(secret, f"pseudonym|{domain}|{epoch}"))


def _written(value: bytes) -> bytes:
    return base64.urlsafe_b64encode(value[:_BYTES]).rstrip(b"=")


class References:
    """Keyed hashes of numbers and references, so that they link facts and say nothing else."""

    def __init__(self, root: bytes) -> None:
        self._run = prepared_hmac(derive(root, "reference"))

    def hashed(self, kind: bytes, owner: str, clear: bytes, size: int = _REFERENCE_BYTES) -> bytes:
        """``size`` bytes for a reference of one kind within one owner (provider or message type and sender)."""
        return self._run(kind + b"|" + owner.encode() + b"|" + clear)[:size]
