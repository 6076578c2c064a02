"""Guessing over the whole range of official test numbers: what a party could compute of a number, looked for in all
that it sees.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, Final

from crypto import oprf
from domain.field.bsn import official_numbers
from tests.attack.parties import Seen, decoded

RANGE: Final = tuple(official_numbers())
_HASHES: Final = (hashlib.sha256, hashlib.sha512, hashlib.sha1, hashlib.md5, hashlib.blake2b)
_WINDOW: Final = 8
#: What a party makes of a number and its point.
Spell = Callable[[str, bytes], Iterable[bytes]]


class Haystack:
    """Bytes to look in: the first eight bytes of a needle are looked up, the rest is compared."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._text = b"\x00".join(set(parts))
        self._begins = {self._text[at : at + _WINDOW] for at in range(len(self._text) - _WINDOW + 1)}

    def __contains__(self, needle: bytes) -> bool:
        if needle[:_WINDOW] not in self._begins:
            return False
        if not needle.isdigit():
            return needle in self._text
        # A keyed hash in hexadecimal may hold any nine digits by chance: a number in clear stands by itself
        return re.search(rb"(?<![0-9a-f])" + needle + rb"(?![0-9a-f])", self._text) is not None


def parts(seen: Seen) -> Iterator[bytes]:
    """Every value in every record, and of what has no contract every byte."""
    for topic, found in seen.items():
        for key, value in found:
            yield key
            record = decoded(topic, value)
            yield from leaves(record) if record is not None else (value,)


def leaves(node: Any) -> Iterator[bytes]:
    """Every value in a record, as bytes."""
    if isinstance(node, bytes):
        yield node
    elif isinstance(node, dict):
        for name, value in node.items():
            yield from leaves(name)
            yield from leaves(value)
    elif isinstance(node, list | tuple):
        for value in node:
            yield from leaves(value)
    elif node is not None:
        yield str(node).encode()


@cache
def point(bsn: str) -> bytes:
    """The point of a number."""
    return oprf.hash_to_group(oprf.bsn_input(bsn))


def plain(bsn: str, of: bytes) -> Iterator[bytes]:
    """What anybody can make of a number, without a key."""
    clear = bsn.encode()
    yield from (clear, of, of.hex().encode(), base64.b64encode(clear), base64.b64encode(of))
    for hashed in _HASHES:
        for told in (clear, oprf.bsn_input(bsn), of):
            digest = hashed(told).digest()
            yield from (digest[:16], digest.hex().encode()[:16], base64.urlsafe_b64encode(digest)[:21])


def keyed(*secrets: bytes) -> Spell:
    """What somebody makes who has secrets for keyed hashes."""

    def spell(bsn: str, of: bytes) -> Iterator[bytes]:
        for secret in secrets:
            for told in (bsn.encode(), oprf.bsn_input(bsn), of):
                digest = hmac.digest(secret, told, "sha256")
                yield from (digest[:8], digest.hex().encode()[:16], base64.urlsafe_b64encode(digest[:16])[:21])

    return spell


def named(seen: Iterable[bytes], *spells: Spell) -> set[str]:
    """The numbers that a party finds back in what it sees, over the whole range."""
    hay = Haystack(seen)
    return {bsn for bsn in RANGE if any(one in hay for spell in (plain, *spells) for one in spell(bsn, point(bsn)))}
