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
from connectors.formats.model import BestandFout

MEESTE_DELEN: Final = 1_000
MEESTE_UITGEPAKT: Final = 200_000_000
#: The library holds the shared texts in memory.
MEESTE_TEKSTEN: Final = 30_000_000
HOOGSTE_VERHOUDING: Final = 200
_VERHOUDING_VANAF: Final = 1_000_000
#: Rows (empty ones included) and columns read at most [P].
MEESTE_RIJEN: Final = 500_000
MEESTE_KOLOMMEN: Final = 200
_CHUNK: Final = 262_144
_VERBODEN: Final = tuple(
    text.encode(encoding) for text in ("<!DOCTYPE", "<!ENTITY") for encoding in ("ascii", "utf-16-le", "utf-16-be")
)
_LANGSTE_VERBODEN: Final = max(map(len, _VERBODEN))


def cells(data: bytes, sheet: str, naam: str) -> Iterator[tuple[int, Sequence[object]]]:
    """Row number and values of every row of a sheet (empty = the first one) that holds anything.

    Raises:
        BestandFout: ``B11`` too large when unpacked, ``B20`` damaged, encrypted or without that sheet.
    """
    _look_through(data, naam)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # styles and extensions that are not read
            yield from _rows(data, sheet, naam)
    except BestandFout:
        raise
    except Exception:  # noqa: BLE001 - damaged content makes the library raise anything: the file is refused
        raise BestandFout("B20", naam) from None


def _rows(data: bytes, sheet: str, naam: str) -> Iterator[tuple[int, Sequence[object]]]:
    book = openpyxl.load_workbook(BytesIO(data), read_only=True, data_only=True, keep_links=False)
    names = [page.title for page in book.worksheets]
    if not names or (sheet and sheet not in names):
        raise BestandFout("B20", naam)
    page = book[sheet or names[0]]
    page.reset_dimensions()  # what the file says of its own size is not believed
    for number, row in enumerate(page.iter_rows(max_col=MEESTE_KOLOMMEN, values_only=True), 1):
        if number > MEESTE_RIJEN:
            raise BestandFout("B11", naam)
        if row.count(None) < len(row):
            yield number, row


def _look_through(data: bytes, naam: str) -> None:
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            parts = archive.infolist()
            if len(parts) > MEESTE_DELEN or sum(part.file_size for part in parts) > MEESTE_UITGEPAKT:
                raise BestandFout("B11", naam)
            for part in parts:
                _part(archive, part, naam)
    except ZIP_ERRORS:
        raise BestandFout("B20", naam) from None


def _part(archive: zipfile.ZipFile, part: zipfile.ZipInfo, naam: str) -> None:
    size = part.file_size
    if size > _VERHOUDING_VANAF and size > HOOGSTE_VERHOUDING * max(1, part.compress_size):
        raise BestandFout("B11", naam)
    if part.filename.lower().endswith("sharedstrings.xml") and size > MEESTE_TEKSTEN:
        raise BestandFout("B11", naam)
    tail = b""
    with archive.open(part) as stream:
        while chunk := stream.read(_CHUNK):
            window = tail + chunk
            if any(text in window for text in _VERBODEN):
                raise BestandFout("B20", naam)
            tail = window[1 - _LANGSTE_VERBODEN :]
