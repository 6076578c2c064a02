"""Blind evaluation of a BSN: RFC 9497, suite ristretto255-SHA512, mode OPRF (0x00).

The source blinds (``blind_message``), ``evaluate`` multiplies with its secret (``evaluate``), ``entry`` takes the
blinding off (``unblind``). The RFC's Finalize hashes the input as well; here the party that unblinds does not know the
input, so the pseudonym is a keyed hash of the unblinded element instead (``crypto.pseudonym``).
"""

from __future__ import annotations

import contextlib
import hashlib
import sys
from pathlib import Path
from typing import Final

from faults import OperatorFault, SenderFault


class CannotLoad(OperatorFault):
    """Libsodium cannot be loaded where temporary files are."""


try:
    import rbcl
except OSError as problem:
    raise CannotLoad(
        f"libsodium is loaded from the folder of temporary files and that was refused ({problem}): have TMPDIR name a "
        "folder with room for 3 MB on a file system that is not mounted noexec"
    ) from problem

SUITE: Final = b"OPRFV1-\x00-ristretto255-SHA512"
_DST: Final = b"HashToGroup-" + SUITE
POINT_BYTES: Final = 32
#: The neutral element encodes as zeros; it is a valid encoding that must never be accepted.
IDENTITY: Final = bytes(POINT_BYTES)

# rbcl writes its library to a temporary file (2.8 MB), loads it and leaves the file there: one for every process that
# ever began. What is loaded needs it no longer.
with contextlib.suppress(FileNotFoundError):
    Path(sys.modules["rbcl._sodium"].lib_path).unlink()


class InvalidPoint(SenderFault):
    """A foreign group element is no valid, non-neutral point of ristretto255."""


def expand_message(message: bytes, dst: bytes, length: int) -> bytes:
    """``expand_message_xmd`` with SHA-512 (RFC 9380, 5.3.1); at most 255 blocks of 64 bytes."""
    blocks = -(-length // 64)
    if blocks > 255 or len(dst) > 255:
        raise ValueError("expand_message: too long")
    suffix = dst + bytes([len(dst)])
    first = hashlib.sha512(bytes(128) + message + length.to_bytes(2, "big") + b"\x00" + suffix).digest()
    block = hashlib.sha512(first + b"\x01" + suffix).digest()
    out = block
    for index in range(2, blocks + 1):
        mixed = bytes(a ^ b for a, b in zip(first, block, strict=True))
        block = hashlib.sha512(mixed + bytes([index]) + suffix).digest()
        out += block
    return out[:length]


def hash_to_group(message: bytes) -> bytes:
    """The point of a message. Whoever holds it can guess its message: it never leaves the process."""
    return bytes(rbcl.crypto_core_ristretto255_from_hash(expand_message(message, _DST, 64)))


def bsn_input(bsn: str) -> bytes:
    """The message that stands for a BSN of the Netherlands."""
    return b"NL|BSN|" + bsn.encode("ascii")


def cbs_input(key: str) -> bytes:
    """The message that stands for a client without a BSN: the key of CBS in its place, under a prefix of its own."""
    return b"NL|CBS|" + key.encode("ascii")


def random_scalar() -> bytes:
    """A fresh random scalar, never zero."""
    return bytes(rbcl.crypto_core_ristretto255_scalar_random())


def inverse(scalar: bytes) -> bytes:
    """The multiplicative inverse of a scalar."""
    return bytes(rbcl.crypto_core_ristretto255_scalar_invert(scalar))


def times(one: bytes, other: bytes) -> bytes:
    """The product of two scalars."""
    return bytes(rbcl.crypto_core_ristretto255_scalar_mul(one, other))


def multiply(scalar: bytes, point: bytes) -> bytes:
    """``scalar · point``; ``InvalidPoint`` when the point is none, or the result is the neutral element."""
    if len(point) != POINT_BYTES:
        raise InvalidPoint("not a valid point of ristretto255")
    try:
        return bytes(rbcl.crypto_scalarmult_ristretto255(scalar, point))
    except RuntimeError as error:
        raise InvalidPoint("not a valid point of ristretto255, or the product is the neutral element") from error


def blind_message(message: bytes) -> tuple[bytes, bytes]:
    """``(B, r⁻¹)``: the blinded element and what takes the blinding off, with a fresh ``r``.

    The message stands for a client: ``bsn_input`` or ``cbs_input``.
    """
    scalar = random_scalar()
    return multiply(scalar, hash_to_group(message)), inverse(scalar)


def checked(point: bytes) -> bytes:
    """The point itself when it is valid and not neutral, else ``InvalidPoint``; for one that is not multiplied."""
    if len(point) != POINT_BYTES or point == IDENTITY or not rbcl.crypto_core_ristretto255_is_valid_point(point):
        raise InvalidPoint("not a valid point of ristretto255")
    return point


def evaluate(secret: bytes, blinded: bytes) -> bytes:
    """``E = k·B``; refuses a ``B`` that is no valid point: the multiplication decodes it by the rules of ``checked``,
    so a check in front would do that work, a tenth of the whole, twice.
    """
    return multiply(secret, blinded)


def unblind(inverse_scalar: bytes, evaluated: bytes) -> bytes:
    """``U = r⁻¹·E = k·P``; refuses an ``E`` that is no valid point."""
    return multiply(inverse_scalar, evaluated)


def public_of(secret: bytes) -> bytes:
    """``k·G``: what ``evaluate`` publishes, so that it can be seen to use the same secret."""
    return bytes(rbcl.crypto_scalarmult_ristretto255_base(secret))
