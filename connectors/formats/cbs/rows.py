"""The lines of a CBS file as fields: ASCII in fixed places, CSV, or an Excel sheet, by the declared layout."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from io import BytesIO, TextIOWrapper
from typing import BinaryIO, Final, NamedTuple

from connectors.formats.cbs.layout import NEEDED, Layout
from connectors.formats.csv_lines import CsvRow, Header, best_header, is_blank, is_hint, rows, seen
from connectors.formats.model import FileContext, FileFault
from domain.field.dates import written_digits

XLSX: Final = b"PK\x03\x04"
#: Largest CBS file: it is held in memory while it is read. Hundreds of thousands of records.
MOST_BYTES: Final = 32_000_000
#: Longest line of an ASCII or CSV file.
LONGEST_LINE: Final = 10_000
_LINE: Final = re.compile(rb"[^\r\n]+")
#: Width of fields of which a spreadsheet, holding them as numbers, forgets the leading zeros.
DAYS: Final = ("geboortedatum", "begindatum", "einddatum")
WIDTH: Final = {"bsn": 9, **dict.fromkeys(DAYS, 8)}
#: Fields whose last character on an unclosed last line cannot be followed by another.
WHOLE: Final = {**WIDTH, **dict.fromkeys(("verwijzer", "hulpvorm", "crisis", "reden"), 2), "geslacht": 1}


class Line(NamedTuple):
    """One line: its number, its fields (None when it has not the form of the layout)."""

    number: int
    texts: dict[str, str] | None


def lines(stream: BinaryIO, context: FileContext, layout: Layout) -> Iterator[Line]:
    """Every data line; counts lines into ``context.tally``. ``FileFault`` when the file as a whole is refused."""
    data = stream.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise FileFault("B05", context.name)
    if data.startswith(XLSX):
        yield from _sheet(data, context, layout)
        return
    if not context.encoding:
        raise FileFault("B04", context.name)
    if any(line.end() - line.start() > LONGEST_LINE for line in _LINE.finditer(data)):
        raise FileFault("B02", context.name)
    head = data[:65_536].decode(context.encoding, errors="replace")
    if is_csv(head, layout):
        yield from _csv(data, context, layout)
    else:
        yield from _fixed(data, context, layout)


def is_csv(head: str, layout: Layout) -> bool:
    """Whether the first line holds most of the headings that are needed."""
    wanted = layout.columns
    line = next((line for line in head.splitlines() if not is_blank(line) and not is_hint(line)), "")
    names = [wanted[field] for field in NEEDED] if wanted else []
    return bool(names) and len(best_header(line, names).places) * 2 > len(names)


def is_fixed(head: str, layout: Layout) -> bool:
    """Whether one of the first lines has a BSN and a first day in their places."""
    places = layout.places
    if not places:
        return False
    first = [line for line in head.splitlines() if not is_blank(line)][:5]
    return any(
        len(bsn := line[places["bsn"]]) == 9 and bsn.isdigit() and line[places["begindatum"]].strip().isdigit()
        for line in first
    )


def _csv(data: bytes, context: FileContext, layout: Layout) -> Iterator[Line]:
    wanted = layout.columns
    reader = rows(BytesIO(data), context, tuple(wanted.values()), {field: (wanted[field],) for field in NEEDED})
    header = next(reader)
    assert isinstance(header, Header)  # noqa: S101 - rows gives the header first
    places = {field: header.places[column] for field, column in wanted.items() if column in header.places}
    last = next((field for field, place in places.items() if place == header.width - 1), "")
    for row in reader:
        assert isinstance(row, CsvRow)  # noqa: S101
        cells = row.cells
        whole = cells if cells is not None and len(cells) == header.width else None
        if not row.closed and (whole is None or len(whole[-1].strip()) < WHOLE.get(last, LONGEST_LINE)):
            raise FileFault("B03", context.name, row.number)
        if whole is None:
            context.tally.wrong += 1
            yield Line(row.number, None)
        else:
            yield Line(row.number, {field: written(whole[place].strip(), field) for field, place in places.items()})


def _fixed(data: bytes, context: FileContext, layout: Layout) -> Iterator[Line]:
    places, count = layout.places, context.tally
    if not places:
        raise FileFault("B06", context.name)
    width = max(place.stop for place in places.values())
    least = min(places["hulpvorm"].stop, places["begindatum"].stop)
    for line in _text_lines(data, context):
        count.total += 1
        content = line.rstrip("\n\x1a")
        if not content.strip():
            count.empty += 1
            continue
        count.data += 1
        if not line.endswith("\n") and len(content) < width:
            raise FileFault("B03", context.name, count.total)
        if len(content) < least:
            count.wrong += 1
            yield Line(count.total, None)
        else:
            yield Line(count.total, {field: content[place].strip() for field, place in places.items()})
    if not count.data:
        raise FileFault("B01", context.name)


def _text_lines(data: bytes, context: FileContext) -> Iterator[str]:
    """The lines, decoded as they come: one sign of four bytes would make all of a text four times as large."""
    try:
        yield from TextIOWrapper(BytesIO(data), encoding=context.encoding, newline=None)
    except UnicodeDecodeError:
        raise FileFault("B04", context.name) from None


def _sheet(data: bytes, context: FileContext, layout: Layout) -> Iterator[Line]:
    from connectors.formats.cbs.xlsx import cells  # the library behind it is loaded only for such a file

    wanted, count = layout.columns, context.tally
    places: dict[str, int] = {}
    for number, row in cells(data, layout.sheet, context.name, lambda row: not _missing(_places(row, wanted))):
        count.total = number
        if all(cell in (None, "") for cell in row):
            continue
        if not places:
            places = _heading(row, wanted, context, number)
            count.header = 1
            continue
        count.data += 1
        yield Line(number, {field: _text(row[place], field) for field, place in places.items()})
    count.empty = count.total - count.header - count.data
    if not count.data:
        raise FileFault("B01", context.name)


def _heading(row: Sequence[object], wanted: dict[str, str], context: FileContext, number: int) -> dict[str, int]:
    places = _places(row, wanted)
    missing = _missing(places)
    if missing:
        raise FileFault("B06", context.name, number, missing)
    return places


def _places(row: Sequence[object], wanted: dict[str, str]) -> dict[str, int]:
    names = [seen(str(cell)).strip().lower() if cell is not None else "" for cell in row]
    return {field: names.index(column) for field, column in wanted.items() if names.count(column) == 1}


def _missing(places: dict[str, int]) -> str:
    return next((field for field in NEEDED if field not in places), "")


def _text(cell: object, field: str) -> str:
    """A cell as an ASCII file would hold it: days as JJJJMMDD, numbers with their leading zeros."""
    if cell is None:
        return ""
    if isinstance(cell, date):
        return cell.strftime("%Y%m%d")
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    if isinstance(cell, int) and not isinstance(cell, bool):
        return str(cell).zfill(WIDTH.get(field, 0)) if abs(cell) < 10**12 else "?"
    return written(seen(str(cell)).strip(), field)


def written(text: str, field: str) -> str:
    """A day that a person wrote as d-m-jjjj or dd-mm-jjjj as JJJJMMDD; anything else as it is."""
    return (written_digits(text) if field in DAYS else None) or text
