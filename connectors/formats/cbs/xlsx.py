"""An Excel sheet, row by row, in memory that the size of the file does not decide.

A library that reads workbooks builds what it reads: styles, and one row of a million cells, as a tree. Here every part
passes as a stream and only two things are kept: the texts that cells point at, and which styles are dates. What a
file says of its own size is not believed, and of a cell only its value counts (of a formula the value it last had).
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from io import BytesIO
from typing import Final

from lxml import etree

from connectors.formats.cbs.xlsx_parts import (
    EPOCH,
    EPOCH_1904,
    Part,
    Relations,
    Row,
    Sheet,
    Styles,
    Texts,
    Workbook,
)
from connectors.formats.files import ZIP_ERRORS
from connectors.formats.ijw.xml_stream import XmlFault, chunks, hardened
from connectors.formats.model import FileFault
from connectors.formats.zips import is_readable, open_zip

MOST_PARTS: Final = 1_000
MOST_UNPACKED: Final = 200_000_000
HIGHEST_RATIO: Final = 200
RATIO_FROM: Final = 1_000_000
_CHUNK: Final = 262_144
#: Titles and an explanation stand above a heading, or on a sheet before it; ``B06`` names both numbers.
HEADING_WITHIN, SHEETS = 20, 10
IsHeading = Callable[[Sequence[object]], bool]
_FORBIDDEN: Final = tuple(
    text.encode(encoding) for text in ("<!DOCTYPE", "<!ENTITY") for encoding in ("ascii", "utf-16-le", "utf-16-be")
)
_LONGEST_FORBIDDEN: Final = max(map(len, _FORBIDDEN))
_WORKBOOK, _RELATIONS, _STYLES = "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml"


def _any_row(_values: Sequence[object]) -> bool:
    return True


def cells(data: bytes, sheet: str, name: str, is_heading: IsHeading = _any_row) -> Iterator[Row]:
    """Row number and values of every row that holds anything, from the heading on.

    The heading is looked for in the first rows of the sheet (empty = of each of the first sheets); where none is found
    these are the first rows of the first sheet.

    Raises:
        FileFault: ``B11`` too large when unpacked, ``B20`` damaged, encrypted or without that sheet.
    """
    try:
        with open_zip(BytesIO(data), MOST_PARTS, name) as archive:
            yield from _Book(archive, name).rows(sheet, is_heading)
    except (XmlFault, etree.XMLSyntaxError, KeyError, *ZIP_ERRORS):  # ValueError too: no number where one must be
        raise FileFault("B20", name) from None


class _Book:
    """The parts of one workbook."""

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self._archive, self._name = archive, name
        parts = archive.infolist()
        if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
            raise FileFault("B11", name)
        for part in parts:
            if part.file_size > RATIO_FROM and part.file_size > HIGHEST_RATIO * max(1, part.compress_size):
                raise FileFault("B11", name)
            if not is_readable(part):
                raise FileFault("B20", name)
            self._look_through(part)

    def _look_through(self, part: zipfile.ZipInfo) -> None:
        """No document type declaration in any part, read or not, whatever its encoding."""
        tail = b""
        with self._archive.open(part) as stream:
            while chunk := stream.read(_CHUNK):
                window = tail + chunk
                if any(text in window for text in _FORBIDDEN):
                    raise FileFault("B20", self._name)
                tail = window[1 - _LONGEST_FORBIDDEN :]

    def rows(self, sheet: str, is_heading: IsHeading) -> Iterator[Row]:
        """See ``cells``."""
        looked_at: list[Row] = []
        for page in self._pages(sheet):
            head: list[Row] = []
            with closing(page):
                for row in page:
                    if is_heading(row[1]):
                        yield row
                        yield from page
                        return
                    head.append(row)
                    if len(head) == HEADING_WITHIN:
                        break
            looked_at = looked_at or head
        yield from looked_at

    def _pages(self, sheet: str) -> Iterator[Generator[Row]]:
        book, relations, styles = Workbook(), Relations(), Styles()
        for part, target in ((_WORKBOOK, book), (_RELATIONS, relations)):
            self._read(part, target)
        if _STYLES in self._archive.namelist():
            self._read(_STYLES, styles)
        texts = Texts(self._name)
        if relations.texts:
            self._read(relations.texts, texts)
        places = {title: relations.sheets[key] for title, key in book.sheets if key in relations.sheets}
        if not places or (sheet and sheet not in places):
            raise FileFault("B20", self._name)
        epoch = EPOCH_1904 if book.from_1904 else EPOCH
        for part in [places[sheet]] if sheet else list(places.values())[:SHEETS]:
            yield self._page(part, Sheet(self._name, texts.all, styles.days, epoch))

    def _page(self, part: str, page: Sheet) -> Generator[Row]:
        for _ in self._parts(part, page):
            yield from page.ready
            page.ready.clear()

    def _read(self, part: str, target: Part) -> None:
        for _ in self._parts(part, target):
            pass

    def _parts(self, part: str, target: Part) -> Iterator[None]:
        parser = hardened(target)
        with self._archive.open(part) as stream:
            for chunk in chunks(stream):  # type: ignore[arg-type]  # a zip member is read like any other file
                parser.feed(chunk)
                yield
        parser.close()
        yield
