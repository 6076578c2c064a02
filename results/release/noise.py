"""The noise of a figure: of the whole group behind it, never of the children in its numerator.

Keyed by the numerator, a figure that changes would say that the newcomer is in it; keyed by everybody in the
denominator it says no more than that somebody came or went. The same group has the same noise in every table of every
audience, so that repetition averages nothing out.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import numpy as np
import numpy.typing as npt

from results.release.rules import RULES, Rules

#: Text that no other use of a key begins with.
_DOMAIN = b"sor release noise 1"


def group_digest(ids: npt.NDArray[np.int64]) -> bytes:
    """SHA-256 of the ids of a group, sorted and each once."""
    in_order = bool((ids[1:] > ids[:-1]).all())
    return hashlib.sha256((ids if in_order else np.unique(ids)).astype(">i8").tobytes()).digest()


def noise(key: bytes, version: int, indicator: str, digest: bytes, rules: Rules = RULES) -> int:
    """From ``-rules.noise`` to ``rules.noise``: of the key, the version of the definitions, indicator and group."""
    text = b"|".join((_DOMAIN, str(version).encode(), indicator.encode(), digest))
    drawn = int.from_bytes(hmac.digest(key, text, "sha256")[:16], "big")
    return drawn % (2 * rules.noise + 1) - rules.noise


def as_ids(numbers: Any) -> npt.NDArray[np.int64]:
    """Row ids as an array."""
    return np.asarray(numbers, dtype=np.int64)
