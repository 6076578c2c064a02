"""Tables as CSV for a Dutch spreadsheet: semicolons, decimal commas, and no cell that it would take for a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from typing import Final

from django.http import HttpResponse

from results.reports.content import Table

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
_NUMBER: Final = re.compile(r"[-−]?\d[\d.]*(,\d+)?%?")
#: Excel reads UTF-8 only where this stands first.
_BOM: Final = "\ufeff"


def cell(text: str) -> str:
    """A cell as it may stand in a spreadsheet: what could be a formula begins with an apostrophe."""
    if text.lstrip().startswith(_FORMULA) and not _NUMBER.fullmatch(text):
        return "'" + text
    return text


def csv_text(tables: Iterable[Table], head: Iterable[tuple[str, str]] = ()) -> str:
    """All tables below each other, each with its title; ``head``: lines that say what they are of."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerows([cell(name), cell(value)] for name, value in head)
    for table in tables:
        writer.writerow([])
        writer.writerow([cell(table.title)])
        writer.writerow([cell(one) for one in table.heads])
        writer.writerows([cell(one) for one in row] for row in table.rows)
    return _BOM + out.getvalue()


def download(name: str, text: str) -> HttpResponse:
    """A file to save. ``name``: letters, digits and dashes."""
    response = HttpResponse(text.encode(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response
