"""What the sender's own screen may show of a file: no BSN, no control characters, nothing long."""

from __future__ import annotations

import re
from typing import Final

from domain.field.bsn import elfproef, masked

_LONG: Final = re.compile(r"[0-9]{8,}")
_NINE: Final = re.compile(r"(?<![0-9])[0-9]{9}(?![0-9])")
_INVISIBLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_DAY: Final = re.compile(r"20[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])")
_LENGTH: Final = 24


def name(text: str) -> str:
    """A file name without control characters; nine digits that could be a BSN become stars and the last three."""
    return _NINE.sub(_if_bsn, _INVISIBLE.sub("?", text))


def _if_bsn(found: re.Match[str]) -> str:
    return masked(found.group()) if elfproef(found.group()) else found.group()


def cell(text: str) -> str:
    """A cell other than a number column: any run of eight or more digits is masked, for columns get shifted."""
    clean = _LONG.sub(lambda found: masked(found.group()), _INVISIBLE.sub("?", text))
    return clean if len(clean) <= _LENGTH else clean[: _LENGTH - 1] + "…"


def number(text: str, bsn: str) -> str:
    """A number column: shown, unless it could be a BSN (one number of nine digits in eleven passes the elfproef)."""
    if text == bsn or elfproef(text) or not (text.isascii() and text.isdigit() and len(text) <= 9):
        return cell(text)
    return text


def bsn(text: str) -> str:
    """A BSN column: stars and the last three [P]; what is no number shows no character at all."""
    return masked(text) if text.isascii() and text.isdigit() else "*" * min(len(text), 9)


def day(text: str) -> str:
    """A column of days: JJJJMMDD of this century is shown, anything else as a cell."""
    return text if _DAY.fullmatch(text) else cell(text)
