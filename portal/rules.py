"""The rules of a row of scores as JSON, out of the tables that the connector itself reads: nothing is written twice.

The browser checks by them before it sends (``portal/browser/src/checks.js``); a test of random rows compares both.
"""

from __future__ import annotations

import csv
import json
import sys
from typing import Any

from connectors.formats import csv_lines, numbers, rap
from domain.field import bsn
from domain.field.codes import TAKEBACK_REASONS
from domain.field.messages import MESSAGES, over_http
from domain.field.words import LOST_ZERO, ROUNDED, TAKE_BACK_QUESTION, TAKEN_BACK


def document() -> bytes:
    """``rules.json``, ready to be served: the same bytes for the same tables."""
    told = {
        "bsn": {"weights": bsn.WEIGHTS, "specials": sorted(bsn.SPECIALS)},
        "columns": rap.COLUMNS,
        "needed": rap.NEEDED,
        "types": rap.TYPES,
        "gas": rap.GAS_VALUES,
        "probleem": rap.PROBLEEM_VALUES,
        "beschikking": rap.LONGEST_BESCHIKKING,
        "patterns": _patterns(),
        "proposals": _proposals(),
        "csv": _csv(),
        "messages": _messages(),
        "takeback": {"reasons": TAKEBACK_REASONS, "question": TAKE_BACK_QUESTION, "done": TAKEN_BACK},
    }
    return (json.dumps(told, ensure_ascii=True, indent=1) + "\n").encode()


def _patterns() -> dict[str, str]:
    """Regular expressions that Python and a browser read alike; each is meant for a whole cell."""
    return {
        "number": rap.INTEGER.pattern,
        "pseudonym": numbers.PSEUDONYM.pattern,
        "lost_zero": numbers.EIGHT.pattern,
        "rounded": numbers.NUMBER.pattern,
    }


def _proposals() -> dict[str, str]:
    """A code that is none -> what it may have meant, for every bare goal of up to three digits."""
    return {kind: said for number in range(1_000) if (said := rap.proposal(kind := f"D{number}"))}


def _csv() -> dict[str, Any]:
    return {
        "separators": csv_lines.SEPARATORS,
        "spelling": csv_lines.SPELLING,
        "hint": csv_lines.HINT,
        "unseen": {chr(code): instead or "" for code, instead in csv_lines.UNSEEN.items()},
        "white": "".join(chr(code) for code in range(sys.maxunicode + 1) if chr(code).isspace()),
        "blank": csv_lines.BLANK,
        "cell_characters": csv.field_size_limit(),
    }


def _messages() -> dict[str, str]:
    """Sentences of the codes that a file of scores or a receipt of it may bring, and what a spoiled number means."""
    codes = {code: over_http(code) for code in MESSAGES if code[0] in "RKBV"}
    return {**codes, "lost_zero": LOST_ZERO, "rounded": ROUNDED}
