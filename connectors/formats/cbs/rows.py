"""The lines of a CBS file as fields: ASCII in fixed places, CSV, or an Excel sheet, by the declared layout."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from io import BytesIO, StringIO
from typing import BinaryIO, Final, NamedTuple

from connectors.formats.cbs.layout import NODIG, Indeling
from connectors.formats.csv_lines import Kop, Rij, best_header, is_blank, rows
from connectors.formats.model import BestandFout, Invoer

XLSX: Final = b"PK\x03\x04"
#: Largest CBS file: it is held in memory while it is read. Hundreds of thousands of records.
MEESTE_BYTES: Final = 32_000_000
#: Longest line of an ASCII or CSV file.
_LANGSTE: Final = 10_000
#: Width of fields of which a spreadsheet, holding them as numbers, forgets the leading zeros.
_BREEDTE: Final = {"bsn": 9, **dict.fromkeys(("geboortedatum", "begindatum", "einddatum"), 8)}
#: Fields whose last character on an unclosed last line cannot be followed by another.
_HEEL: Final = {**_BREEDTE, **dict.fromkeys(("verwijzer", "hulpvorm", "crisis", "reden"), 2), "geslacht": 1}


class Lijn(NamedTuple):
    """One line: its number, its fields (None when it has not the form of the layout)."""

    regel: int
    velden: dict[str, str] | None


def lijnen(stream: BinaryIO, invoer: Invoer, layout: Indeling) -> Iterator[Lijn]:
    """Every data line; counts lines into ``invoer.telling``. ``BestandFout`` when the file as a whole is refused."""
    data = stream.read(MEESTE_BYTES + 1)
    if len(data) > MEESTE_BYTES:
        raise BestandFout("B05", invoer.naam)
    if data.startswith(XLSX):
        yield from _blad(data, invoer, layout)
        return
    if not invoer.codering:
        raise BestandFout("B04", invoer.naam)
    if max(map(len, data.splitlines()), default=0) > _LANGSTE:
        raise BestandFout("B02", invoer.naam)
    head = data[:65_536].decode(invoer.codering, errors="replace")
    if is_csv(head, layout):
        yield from _csv(data, invoer, layout)
    else:
        yield from _vast(data, invoer, layout)


def is_csv(head: str, layout: Indeling) -> bool:
    """Whether the first line holds most of the headings that are needed."""
    wanted = layout.kolommen
    line = next((line for line in head.splitlines() if not is_blank(line)), "")
    names = [wanted[veld] for veld in NODIG] if wanted else []
    return bool(names) and len(best_header(line, names).plaats) * 2 > len(names)


def is_vast(head: str, layout: Indeling) -> bool:
    """Whether one of the first lines has a BSN and a first day in their places."""
    places = layout.plaatsen
    if not places:
        return False
    first = [line for line in head.splitlines() if not is_blank(line)][:5]
    return any(
        len(bsn := line[places["bsn"]]) == 9 and bsn.isdigit() and line[places["begindatum"]].strip().isdigit()
        for line in first
    )


def _csv(data: bytes, invoer: Invoer, layout: Indeling) -> Iterator[Lijn]:
    wanted = layout.kolommen
    reader = rows(BytesIO(data), invoer, tuple(wanted.values()), {veld: (wanted[veld],) for veld in NODIG})
    header = next(reader)
    assert isinstance(header, Kop)  # noqa: S101 - rows gives the header first
    places = {veld: header.plaats[kolom] for veld, kolom in wanted.items() if kolom in header.plaats}
    last = next((veld for veld, place in places.items() if place == header.breedte - 1), "")
    for row in reader:
        assert isinstance(row, Rij)  # noqa: S101
        cells = row.cellen
        whole = cells is not None and len(cells) == header.breedte
        if not row.af and not (whole and cells is not None and len(cells[-1].strip()) >= _HEEL.get(last, _LANGSTE)):
            raise BestandFout("B03", invoer.naam, row.regel)
        if not whole or cells is None:
            invoer.telling.fouten += 1
            yield Lijn(row.regel, None)
        else:
            yield Lijn(row.regel, {veld: cells[place].strip() for veld, place in places.items()})


def _vast(data: bytes, invoer: Invoer, layout: Indeling) -> Iterator[Lijn]:
    places, count = layout.plaatsen, invoer.telling
    if not places:
        raise BestandFout("B06", invoer.naam)
    width = max(place.stop for place in places.values())
    least = min(places["hulpvorm"].stop, places["begindatum"].stop)
    try:
        text = data.decode(invoer.codering)
    except UnicodeDecodeError:
        raise BestandFout("B04", invoer.naam) from None
    for line in StringIO(text, newline=None):
        count.totaal += 1
        content = line.rstrip("\n\x1a")
        if not content.strip():
            count.leeg += 1
            continue
        count.gegevens += 1
        if not line.endswith("\n") and len(content) < width:
            raise BestandFout("B03", invoer.naam, count.totaal)
        if len(content) < least:
            count.fouten += 1
            yield Lijn(count.totaal, None)
        else:
            yield Lijn(count.totaal, {veld: content[place].strip() for veld, place in places.items()})
    if not count.gegevens:
        raise BestandFout("B01", invoer.naam)


def _blad(data: bytes, invoer: Invoer, layout: Indeling) -> Iterator[Lijn]:
    from connectors.formats.cbs.xlsx import cells  # the library behind it is loaded only for such a file

    wanted, count = layout.kolommen, invoer.telling
    places: dict[str, int] = {}
    for number, row in cells(data, layout.blad, invoer.naam):
        count.totaal = number
        if all(cell in (None, "") for cell in row):
            continue
        if not places:
            places = _heading(row, wanted, invoer, number)
            count.kop = 1
            continue
        count.gegevens += 1
        yield Lijn(number, {veld: _text(row[place], veld) for veld, place in places.items()})
    count.leeg = count.totaal - count.kop - count.gegevens
    if not count.gegevens:
        raise BestandFout("B01", invoer.naam)


def _heading(row: Sequence[object], wanted: dict[str, str], invoer: Invoer, number: int) -> dict[str, int]:
    names = [str(cell).strip().lower() if cell is not None else "" for cell in row]
    places = {veld: names.index(kolom) for veld, kolom in wanted.items() if names.count(kolom) == 1}
    for veld in NODIG:
        if veld not in places:
            raise BestandFout("B06", invoer.naam, number, veld)
    return places


def _text(cell: object, veld: str) -> str:
    """A cell as an ASCII file would hold it: days as JJJJMMDD, numbers with their leading zeros."""
    if cell is None:
        return ""
    if isinstance(cell, date):
        return cell.strftime("%Y%m%d")
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    if isinstance(cell, int) and not isinstance(cell, bool):
        return str(cell).zfill(_BREEDTE.get(veld, 0)) if abs(cell) < 10**12 else "?"
    return str(cell).strip()
