"""What a screen, a mail or a table may show of what others wrote: no BSN, nothing long, nothing that acts.

Files, file names and answers of servers are written by others. Whatever of them is shown passes ``plain`` (a line),
``json_text`` (a document) or ``csv_line`` (a table that a person opens).
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from domain.field.bsn import elfproef, masked

_LONG: Final = re.compile(r"[0-9]{8,}")
_NINE: Final = re.compile(r"(?<![0-9])[0-9]{9}(?![0-9])")
_DAY: Final = re.compile(r"20[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])")
_LENGTH: Final = 24
#: Where a spreadsheet takes a text for a formula. A quote within a text is doubled, so that this one begins a cell.
_FORMULA: Final = re.compile(r'(?:(?<=^")|(?<=,"))(?=[=+\-@])')


def plain(text: str) -> str:
    """One line of what others wrote, with a question mark for every character that is not seen as itself.

    Such are those that steer a terminal (C0, C1, and with ESC what follows it), end a line, turn the direction of
    writing, have no width, or stand for bytes that are no text (file names).
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else "?" for char in text)


def json_text(document: Any) -> str:
    """A document as JSON, with every character that ``plain`` replaces written as its number: nothing is lost."""
    return escaped(json.dumps(document, ensure_ascii=False, indent=2))


def escaped(text: str) -> str:
    """JSON that was written elsewhere, in the same way; line ends and tabs stand between its values."""
    return "".join(char if char.isprintable() or char in "\n\t" else json.dumps(char)[1:-1] for char in text)


def csv_line(text: str) -> str:
    """A line of CSV that a person opens, its texts between quotes: plain, and no text is the beginning of a formula."""
    return _FORMULA.sub("'", plain(text))


def name(text: str) -> str:
    """A file name, plain; nine digits that could be a BSN become stars and the last three."""
    return _NINE.sub(_if_bsn, plain(text))


def _if_bsn(found: re.Match[str]) -> str:
    return masked(found.group()) if elfproef(found.group()) else found.group()


def cell(text: str) -> str:
    """A cell other than a number column: any run of eight or more digits is masked, for columns get shifted."""
    clean = _LONG.sub(lambda found: masked(found.group()), plain(text))
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
