"""The number of a client as senders spoil it: what a cell may hold instead, and what to say of it."""

from __future__ import annotations

import re
from typing import Final

from domain.field.words import LOST_ZERO, ROUNDED

#: What programs that pseudonymise write for a BSN: a hash in hexadecimal or base64, longer than any number.
PSEUDONYM: Final = re.compile(r"[0-9A-Fa-f]{32,}|(?=.*[A-Za-z])[A-Za-z0-9+/_-]{22,}={0,2}")
EIGHT: Final = re.compile(r"[0-9]{8}")
NUMBER: Final = re.compile(r"[0-9]+[.,][0-9.,]*(?:[eE][+-]?[0-9]+)?")


def is_pseudonym(bsn: str) -> bool:
    """Whether a cell holds the output of a program that pseudonymises."""
    return PSEUDONYM.fullmatch(bsn) is not None


def hint(bsn: str) -> str:
    """What a refused BSN looks like (Dutch); empty when nothing can be said."""
    if EIGHT.fullmatch(bsn):
        return LOST_ZERO
    return ROUNDED if NUMBER.fullmatch(bsn) else ""
