"""Another scalar for ``evaluate`` under the same pseudonyms: the step that ``entry`` takes back to the first scalar.

The base of a pseudonym is ``U = k₀·P``. When ``evaluate`` multiplies with ``k₁`` instead, ``entry`` holds the step
``δ₁ = k₀/k₁`` and gets the same base: ``U = δ₁·r⁻¹·E₁``. The administration of ``evaluate`` publishes only the ratio
``k₀/k₁``, sealed to ``entry``; of a later scalar the ratio to the one before, for ``k₀`` is destroyed by then. A step
alone is a random number: it says something about ``k₀`` only to who also has ``k₁``.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

from crypto import oprf
from crypto.key_files import as_bytes, as_text
from crypto.seal import CannotOpen, PrivateKey, key_id, wrap

#: The step of the first scalar: none.
ONE: Final = (1).to_bytes(32, "little")


def scalar_id(public: bytes) -> bytes:
    """Eight bytes that name an evaluation scalar by its ``k·G``."""
    return hashlib.sha256(b"sor scalar id" + public).digest()[:8]


def sealed_step(before: bytes, after: bytes, entry: bytes) -> dict[str, str]:
    """The step from one scalar to the next, as it stands in the public file; ``entry``: its public sealing key."""
    old, new = (scalar_id(oprf.public_of(one)) for one in (before, after))
    ratio = oprf.times(before, oprf.inverse(after))
    wrapped = wrap(ratio, entry, _info(old, new))
    return {"from": old.hex(), "to": new.hex(), "key": key_id(entry).hex(), "wrapped": as_text(wrapped)}


def steps_of(public: dict[str, Any], entry: dict[str, Any], sealing: dict[bytes, PrivateKey]) -> dict[bytes, bytes]:
    """Id of a scalar -> step back to the first, of both files. Empty while there never was another scalar.

    A published step that cannot be opened, or follows one that is not held, is left out: its records do not open.
    """
    found = {bytes.fromhex(name): as_bytes(step) for name, step in entry.get("steps", {}).items()}
    published = public.get("steps", [])
    if published and not found:
        found[scalar_id(as_bytes(public["oprf_base"]))] = ONE
    for one in published:
        old, new = bytes.fromhex(one["from"]), bytes.fromhex(one["to"])
        key = sealing.get(bytes.fromhex(one["key"]))
        if new in found or old not in found or key is None:
            continue
        try:
            ratio = key.unwrap(as_bytes(one["wrapped"]), _info(old, new))
        except CannotOpen:
            continue
        found[new] = oprf.times(found[old], ratio)
    return found


def _info(old: bytes, new: bytes) -> bytes:
    return b"sor step" + old + new
