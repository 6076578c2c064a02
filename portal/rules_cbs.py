"""The rules of CBS-structured files as JSON, out of the tables that the connector itself reads, and a layout for pages.

The browser reads these files by them (``portal/browser/src/cbs.js``); a test of random and damaged files compares both.
"""

from __future__ import annotations

import sys
from typing import Any

from connectors.formats import zips
from connectors.formats.cbs import fields, layout, reader, rows, xlsx, xlsx_parts
from connectors.formats.ijw import xml_stream
from domain.field import codes
from domain.field.geography import OLD_CODES
from domain.field.questionnaires import UNANSWERED


def told() -> dict[str, Any]:
    """What ``rules.json`` says of these files, whatever their layout."""
    return {
        "needed": layout.NEEDED,
        "bounds": {
            "bytes": rows.MOST_BYTES,
            "line": rows.LONGEST_LINE,
            "equal": reader.MOST_EQUAL,
            "years_old": fields.YEARS_OLD,
        },
        "days": rows.DAYS,
        "width": rows.WIDTH,
        "whole": rows.WHOLE,
        "postcode": fields.POSTCODE.pattern,
        "codes": {field: sorted(known) for field, known in fields.CODE_LISTS.items()},
        "geslacht": codes.CBS_GESLACHT,
        "old_codes": OLD_CODES,
        "unanswered": sorted(UNANSWERED),
        "unborn": reader.UNBORN,
        "of_both": reader.OF_BOTH,
        "sheet": _sheet(),
        "digits": "".join(chr(code) for code in range(sys.maxunicode + 1) if chr(code).isdigit()),
    }


def _sheet() -> dict[str, Any]:
    """Bounds of a workbook, and what makes a number a day."""
    return {
        "parts": xlsx.MOST_PARTS,
        "unpacked": xlsx.MOST_UNPACKED,
        "ratio": xlsx.HIGHEST_RATIO,
        "ratio_from": xlsx.RATIO_FROM,
        "directory": max(zips.LEAST, xlsx.MOST_PARTS * zips.PER_ENTRY),
        "heading_within": xlsx.HEADING_WITHIN,
        "sheets": xlsx.SHEETS,
        "texts": xlsx_parts.MOST_TEXTS,
        "rows": xlsx_parts.MOST_ROWS,
        "columns": xlsx_parts.MOST_COLUMNS,
        "text": xlsx_parts.LONGEST,
        "styles": xlsx_parts.MOST_STYLES,
        "named": xlsx_parts.MOST_SHEETS,
        "names": xml_stream.MOST_NAMES,
        "chunk": xml_stream.CHUNK,
        "piece": xml_stream.LONGEST_PIECE,
        "days": sorted(xlsx_parts.DAYS),
        "literal": xlsx_parts.LITERAL.pattern,
        "column": xlsx_parts.COLUMN.pattern,
    }


def layout_told(given: layout.Layout) -> dict[str, Any]:
    """A layout as the browser reads it: headings and places (from 0, end excluded) by field, in the order of the file.

    What is looked up in order is told as pairs: a browser sorts names that are numbers.
    """
    return {
        "columns": list(given.columns.items()),
        "places": [(field, place.start, place.stop) for field, place in given.places.items()],
        "gemeenten": list(given.gemeenten.items()),
        "informanten": given.informanten,
        "sheet": given.sheet,
    }
