"""CSV as the field writes it: ``;``, ``,`` or tab, UTF-8 with or without BOM or Windows-1252, quoted or not.

No field of these formats holds a line end, so each physical line is a row by itself: a stray quote spoils one row and
never its neighbours, and a row number is the line number that an editor shows.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from io import TextIOWrapper
from typing import BinaryIO, Final, NamedTuple

from connectors.formats.model import FileContext, FileFault

SEPARATORS: Final = (";", ",", "\t")
#: Spellings of a column that mean the same: the slide writes one k, iJw writes no s [F S0, iJw].
SPELLING: Final = {
    "beschikingsnummer": "beschikkingsnummer",
    "beschikkingnummer": "beschikkingsnummer",
    "beschikingnummer": "beschikkingsnummer",
    "toewijzingnummer": "toewijzingsnummer",
}
#: A first line of some spreadsheets that names the separator; some put it between quotes.
HINT: Final = "sep="
#: What a line may be full of without holding anything.
BLANK: Final = ' \t\r\n;,"'
#: Characters that nobody sees: those without width are left out, and every other space is the common one.
UNSEEN: Final = str.maketrans(
    {**dict.fromkeys("\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"), **dict.fromkeys("\u00a0\u2007\u202f", " ")}
)


class Header(NamedTuple):
    """The header: separator, place of each known column, number of columns."""

    separator: str
    places: dict[str, int]
    width: int


class CsvRow(NamedTuple):
    """One data line: its number, its cells (None when they cannot be told apart), whether a line end closes it."""

    number: int
    cells: Sequence[str] | None
    closed: bool


def seen(text: str) -> str:
    """A text as its sender sees it: without characters of no width, no-break spaces as common ones."""
    return text if text.isascii() else text.translate(UNSEEN)


def is_hint(line: str) -> bool:
    """Whether a first line only names the separator."""
    return line.lstrip('" ').lower().startswith(HINT)


def split(line: str, separator: str) -> list[str] | None:
    """The cells of one line without its line end; None when its quotes do not pair up."""
    if '"' not in line:
        return line.split(separator)
    try:
        return next(csv.reader([line], delimiter=separator, strict=True), None)
    except csv.Error:
        return None


def column_names(line: str, separator: str) -> list[str]:
    """The names in a header line, in one spelling."""
    cells = split(seen(line).rstrip("\r\n"), separator) or []
    names = (cell.strip().strip('"').strip().lower() for cell in cells)
    return [SPELLING.get(name, name) for name in names]


def best_header(line: str, known: Sequence[str]) -> Header:
    """The header under the separator that shows most of the known columns."""
    found = (_header(line, separator, known) for separator in SEPARATORS)
    return max(found, key=lambda header: len(header.places))


def _header(line: str, separator: str, known: Sequence[str]) -> Header:
    names = column_names(line, separator)
    while names and not names[-1]:
        names.pop()
    return Header(separator, {name: names.index(name) for name in known if names.count(name) == 1}, len(names))


def is_blank(line: str) -> bool:
    """Nothing but white space, separators and quotes: spreadsheets write such lines."""
    return not line.strip(BLANK)


def rows(
    stream: BinaryIO, context: FileContext, known: Sequence[str], needed: Mapping[str, Sequence[str]]
) -> Iterator[Header | CsvRow]:
    """First the header, then every data line; counts lines into ``context.tally``.

    ``needed``: field name for the sender -> columns of which one must be there.

    Raises:
        FileFault: ``B06`` without a usable header, ``B01`` without data, ``B04`` for unreadable characters.
    """
    text = TextIOWrapper(stream, encoding=context.encoding, newline=None)
    try:
        yield from _rows(text, context, known, needed)
    except UnicodeDecodeError:
        raise FileFault("B04", context.name, context.tally.total + 1) from None
    finally:
        if not stream.closed:
            text.detach()


def _rows(
    text: TextIOWrapper, context: FileContext, known: Sequence[str], needed: Mapping[str, Sequence[str]]
) -> Iterator[Header | CsvRow]:
    count = context.tally
    header: Header | None = None
    separator, width = "", 0
    for line in text:
        count.total += 1
        line = seen(line)
        if is_blank(line) or (header is None and is_hint(line)):
            count.empty += 1
        elif header is None:
            header = _usable(best_header(line, known), context, needed)
            separator, width = header.separator, header.width
            count.header = 1
            yield header
        else:
            count.data += 1
            closed = line.endswith("\n")
            cells = split(line[:-1] if closed else line, separator)
            if cells is not None and len(cells) > width and not any(cells[width:]):
                del cells[width:]
            yield CsvRow(count.total, cells, closed)
    if header is None or not count.data:
        raise FileFault("B01", context.name)


def _usable(header: Header, context: FileContext, needed: Mapping[str, Sequence[str]]) -> Header:
    for field, columns in needed.items():
        if not any(column in header.places for column in columns):
            raise FileFault("B06", context.name, context.tally.total, field)
    return header
