"""Sealing one line for one receiver: AES-256-GCM under a content key per delivery, wrapped with HPKE.

Suite ``sor-2``: KEM MLKEM768_X25519, KDF SHAKE256, AEAD AES_256_GCM (a BSN is for life, so harvest-now-decrypt-later
counts), Ed25519 over the context and both wrapped keys. The nonce is the line number: a content key is fresh for every
run and never reused. Only who holds the content keys can make lines under them, so one signature covers a delivery.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from functools import lru_cache
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import mlkem, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from faults import SenderFault

SUITE_ID: Final = "sor-2"
EVALUATE, ENTRY = "evaluate", "entry"
_SUITE: Final = Suite(KEM.MLKEM768_X25519, KDF.SHAKE256, AEAD.AES_256_GCM)
_MLKEM_PUBLIC: Final = 1184
_CONTENT_KEY_BYTES: Final = 32
#: Unwrapped content keys kept per process: one per delivery in flight, 32 bytes each.
_CACHE: Final = 4096


class CannotOpen(SenderFault):
    """A sealed part does not open: another receiver, another place, or changed on the way."""


class Context(NamedTuple):
    """What a sealed part is bound to; it travels in clear beside it."""

    topic: str
    delivery: str
    lines: int
    sender: str
    test: bool
    epoch: int

    def info(self, receiver: str) -> bytes:
        """The HPKE info of the wrapped content key."""
        return self._join("key", SUITE_ID, receiver)

    def aad(self, receiver: str) -> bytes:
        """The additional data of a sealed line, up to line number and moment of publication (eight bytes each)."""
        return self._join("line", SUITE_ID, receiver)

    def signed(self, evaluate_hash: bytes, entry_hash: bytes) -> bytes:
        """What the source signs: the context, and the SHA-256 of both wrapped keys."""
        return self._join("signature", SUITE_ID, "source") + evaluate_hash + entry_hash

    def _join(self, *parts: str) -> bytes:
        fields = (
            *parts,
            self.topic,
            self.delivery,
            str(self.lines),
            self.sender,
            str(int(self.test)),
            str(self.epoch),
        )
        return b"".join(len(p := f.encode()).to_bytes(2, "big") + p for f in fields)


class PrivateKey:
    """A receiver's private key: 64-byte ML-KEM seed and 32-byte X25519 key."""

    def __init__(self, raw: bytes) -> None:
        if len(raw) != 96:
            raise ValueError("a private sealing key has 96 bytes")
        self.raw = raw
        parts = mlkem.MLKEM768PrivateKey.from_seed_bytes(raw[:64]), x25519.X25519PrivateKey.from_private_bytes(raw[64:])
        self._key = MLKEM768X25519PrivateKey(*parts)
        self.public = parts[0].public_key().public_bytes_raw() + parts[1].public_key().public_bytes_raw()
        self.id = key_id(self.public)

    @classmethod
    def generate(cls) -> PrivateKey:
        """A fresh key from the operating system's randomness."""
        return cls(os.urandom(96))

    def unwrap(self, wrapped: bytes, info: bytes) -> bytes:
        """The content key; ``CannotOpen`` when it was wrapped for another key or another context."""
        try:
            content_key: bytes = _SUITE.decrypt(wrapped, self._key, info)
        except (InvalidTag, ValueError) as error:
            raise CannotOpen("the content key does not open") from error
        if len(content_key) != _CONTENT_KEY_BYTES:
            raise CannotOpen("the content key has a wrong size")
        return content_key


def key_id(public: bytes) -> bytes:
    """Eight bytes that name a public key in the envelope."""
    return hashlib.sha256(b"sor key id" + public).digest()[:8]


def wrap(content_key: bytes, public: bytes, info: bytes) -> bytes:
    """The content key sealed to a receiver: 1,168 bytes."""
    key = MLKEM768X25519PublicKey(
        mlkem.MLKEM768PublicKey.from_public_bytes(public[:_MLKEM_PUBLIC]),
        x25519.X25519PublicKey.from_public_bytes(public[_MLKEM_PUBLIC:]),
    )
    return bytes(_SUITE.encrypt(content_key, key, info))


def hash_of(wrapped: bytes) -> bytes:
    """What stands for a wrapped key in the signature: its SHA-256."""
    return hashlib.sha256(wrapped).digest()


def nonce(line: int) -> bytes:
    """The nonce of a line."""
    return line.to_bytes(12, "big")


def _place(line: int, published_at: int) -> bytes:
    return line.to_bytes(8, "big") + published_at.to_bytes(8, "big")


class Sealer:
    """Seals the lines of one run of one delivery for one receiver, under one fresh content key."""

    def __init__(self, receiver: str, public: bytes, context: Context) -> None:
        content_key = os.urandom(_CONTENT_KEY_BYTES)
        self._aad, self._aead = context.aad(receiver), AESGCM(content_key)
        self.key_id = key_id(public)
        self.wrapped = wrap(content_key, public, context.info(receiver))

    def seal(self, line: int, published_at: int, plaintext: bytes) -> bytes:
        """One line, published at that moment (ms); the caller seals each line number once."""
        return self._aead.encrypt(nonce(line), plaintext, self._aad + _place(line, published_at))


class Opener:
    """Opens lines for one receiver. Content keys are unwrapped once per delivery and kept in a bounded cache."""

    def __init__(self, receiver: str, keys: dict[bytes, PrivateKey]) -> None:
        self._receiver, self._keys = receiver, keys
        self._uses: Counter[bytes] = Counter()
        self._delivery = lru_cache(maxsize=_CACHE)(self._open_key)

    def _open_key(self, identifier: bytes, wrapped: bytes, context: Context) -> tuple[AESGCM, bytes]:
        key = self._keys.get(identifier)
        if key is None:
            raise CannotOpen("sealed to a key that this process does not hold")
        self._uses[identifier] += 1
        return AESGCM(key.unwrap(wrapped, context.info(self._receiver))), context.aad(self._receiver)

    def open(
        self, identifier: bytes, wrapped: bytes, sealed: bytes, context: Context, line: int, published_at: int
    ) -> bytes:
        """The plaintext; ``CannotOpen`` when key, place, moment, sender or content differ from what was sealed."""
        aead, aad = self._delivery(identifier, wrapped, context)
        try:
            return aead.decrypt(nonce(line), sealed, aad + _place(line, published_at))
        except InvalidTag as error:
            raise CannotOpen("the sealed part was changed or moved") from error

    def uses(self) -> Counter[bytes]:
        """Content keys unwrapped since the last call, by the id of the key that was used: about one per delivery."""
        done, self._uses = self._uses, Counter()
        return done
