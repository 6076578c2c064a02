"""One sheet of an Excel file, row by row, with bounds that hold against a bomb.

The file is looked through before the library sees it: number and unpacked size of its parts, and no document type
declaration in any of them (no entities, nothing fetched).
"""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Final

import openpyxl  # type: ignore[import-untyped]

from connectors.formats.files import ZIP_ERRORS
from connectors.formats.model import FileFault

MOST_PARTS: Final = 1_000
MOST_UNPACKED: Final = 200_000_000
#: The library holds the shared texts in memory.
MOST_TEXTS: Final = 30_000_000
HIGHEST_RATIO: Final = 200
_RATIO_FROM: Final = 1_000_000
#: Rows (empty ones included) and columns read at most [P].
MOST_ROWS: Final = 500_000
MOST_COLUMNS: Final = 200
_CHUNK: Final = 262_144
_FORBIDDEN: Final = tuple(
    text.encode(encoding) for text in ("<!DOCTYPE", "<!ENTITY") for encoding in ("ascii", "utf-16-le", "utf-16-be")
)
_LONGEST_FORBIDDEN: Final = max(map(len, _FORBIDDEN))


def cells(data: bytes, sheet: str, name: str) -> Iterator[tuple[int, Sequence[object]]]:
    """Row number and values of every row of a sheet (empty = the first one) that holds anything.

    Raises:
        FileFault: ``B11`` too large when unpacked, ``B20`` damaged, encrypted or without that sheet.
    """
    _look_through(data, name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # styles and extensions that are not read
            yield from _rows(data, sheet, name)
    except FileFault:
        raise
    except Exception:  # noqa: BLE001 - damaged content makes the library raise anything: the file is refused
        raise FileFault("B20", name) from None


def _rows(data: bytes, sheet: str, name: str) -> Iterator[tuple[int, Sequence[object]]]:
    book = openpyxl.load_workbook(BytesIO(data), read_only=True, data_only=True, keep_links=False)
    names = [page.title for page in book.worksheets]
    if not names or (sheet and sheet not in names):
        raise FileFault("B20", name)
    page = book[sheet or names[0]]
    page.reset_dimensions()  # what the file says of its own size is not believed
    for number, row in enumerate(page.iter_rows(max_col=MOST_COLUMNS, values_only=True), 1):
        if number > MOST_ROWS:
            raise FileFault("B11", name)
        if row.count(None) < len(row):
            yield number, row


def _look_through(data: bytes, name: str) -> None:
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            parts = archive.infolist()
            if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
                raise FileFault("B11", name)
            for part in parts:
                _part(archive, part, name)
    except ZIP_ERRORS:
        raise FileFault("B20", name) from None


def _part(archive: zipfile.ZipFile, part: zipfile.ZipInfo, name: str) -> None:
    size = part.file_size
    if size > _RATIO_FROM and size > HIGHEST_RATIO * max(1, part.compress_size):
        raise FileFault("B11", name)
    if part.filename.lower().endswith("sharedstrings.xml") and size > MOST_TEXTS:
        raise FileFault("B11", name)
    tail = b""
    with archive.open(part) as stream:
        while chunk := stream.read(_CHUNK):
            window = tail + chunk
            if any(text in window for text in _FORBIDDEN):
                raise FileFault("B20", name)
            tail = window[1 - _LONGEST_FORBIDDEN :]
