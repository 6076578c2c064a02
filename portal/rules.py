"""The rules of what a browser may deliver as JSON, out of the tables that the connector itself reads: nothing is
written twice.

The browser checks by them before it sends (``checks.js``, ``cem.js``, ``ijw.js`` and ``cbs.js`` of
``portal/browser/src``); tests of random rows and files compare both.
"""

from __future__ import annotations

import csv
import json
import sys
from typing import Any

from connectors.delivery import bystanders, recognise
from connectors.delivery.reading import CHUNK
from connectors.formats import cem, csv_lines, files, numbers, rap, zips
from connectors.formats.model import Choices
from domain.facts import checks
from domain.field import bsn, dates
from domain.field.codes import TAKEBACK_REASONS
from domain.field.geography import OLD_CODES
from domain.field.messages import MESSAGES, text
from domain.field.questionnaires import QUESTIONS, UNANSWERED, VRAGENLIJSTEN
from domain.field.words import LOST_ZERO, ROUNDED, TAKE_BACK_QUESTION, TAKEN_BACK
from portal import rules_cbs, rules_ijw
from schemas.codec import load


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
        "recognise": _recognise(),
        "cem": _cem(),
        "ijw": rules_ijw.told(),
        "cbs": rules_cbs.told(),
        "facts": facts(),
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
        "written": dates.WRITTEN.pattern,
        "agb": cem.AGB.pattern,
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


def _recognise() -> dict[str, Any]:
    """What tells files apart by their first bytes; those of a beginning as characters of the same number."""
    return {
        "head": recognise.HEAD,
        "longest_line": CHUNK,
        "title_lines": recognise.TITLE_LINES,
        "litter": {
            "names": sorted(bystanders.NAMES),
            "begin": bystanders.NAMES_BEGIN,
            "end": bystanders.NAMES_END,
            "bytes": [one.decode("latin-1") for one in bystanders.BEGIN],
        },
        "packed": [one.decode("latin-1") for one in bystanders.PACKED_BEGIN],
        "page": bystanders.PAGE.pattern.decode().removeprefix("(?i)"),
        "zip": _zip(),
    }


def _zip() -> dict[str, Any]:
    """What a zip file may hold, and the parts that make it a document of an Office program."""
    limits = files.Limits()
    return {
        "sheet": files.SHEET,
        "texts": sorted(files.TEXTS),
        "office": sorted(files.OFFICE),
        "parts": limits.zip_entries,
        "directory": max(zips.LEAST, limits.zip_entries * zips.PER_ENTRY),
        "ratio": limits.zip_ratio,
        "ratio_from": files.RATIO_FROM,
    }


def _cem() -> dict[str, Any]:
    """Questionnaires, questions and bounds of a CEM+ file. ``others``: municipalities whose metingen do not pass."""
    return {
        "columns": cem.COLUMNS,
        "core": cem.CORE,
        "needed": cem.NEEDED,
        "recognised": recognise.CEM_RECOGNISED,
        "open": cem.OPEN,
        "meting_id": cem.METING_ID,
        "vragenlijsten": list(VRAGENLIJSTEN),
        "questions": {code: (question.lowest, question.highest) for code, question in QUESTIONS.items()},
        "unanswered": sorted(UNANSWERED),
        "which": _letters(cem.WHICH.pattern),
        "informant": _letters(checks.INFORMANT.pattern),
        "first_day": checks.FIRST_DAY,
        "gemeenten": sorted(Choices().gemeenten),
        "names": cem.CODE_OF_NAME,
        "old_codes": OLD_CODES,
    }


def _letters(pattern: str) -> str:
    """A pattern of Python as a browser reads it: what is a letter, whatever its alphabet, is written in another way."""
    return pattern.replace(r"[^\W\d_]", r"[\p{L}\p{Nl}\p{No}]")


def facts() -> dict[str, Any]:
    """Name of a fact -> its place in the union of what is sealed, and its fields in their order, from the contract.

    A type is the name that Avro has for it, behind ``null`` where there may be nothing, and ``map`` of numbers.
    """
    (branches,) = (field["type"] for field in load("sor.sealed")["fields"] if field["name"] == "inhoud")
    return {
        branch["name"].rpartition(".")[2]: {
            "branch": place,
            "fields": [(field["name"], _type(field["type"])) for field in branch["fields"]],
        }
        for place, branch in enumerate(branches)
    }


def _type(told: Any) -> Any:
    """A type without what a program may make of it: a day is a number."""
    if isinstance(told, list):
        return [_type(one) for one in told]
    return told["type"] if isinstance(told, dict) else told


def _messages() -> dict[str, str]:
    """Sentences of the codes that a file or a receipt of it may bring, and what a spoiled number means."""
    codes = {code: text(code) for code in MESSAGES}
    return {**codes, "lost_zero": LOST_ZERO, "rounded": ROUNDED}
