"""Excel sheets as they are read here, held against a library that reads all of them."""

from __future__ import annotations

import random
import warnings
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import partial
from io import BytesIO
from typing import Any

import openpyxl  # type: ignore[import-untyped]
import pytest
from openpyxl.styles import numbers  # type: ignore[import-untyped]

from connectors.formats.cbs.xlsx import cells
from connectors.formats.cbs.xlsx_parts import MOST_COLUMNS, is_day
from connectors.formats.model import FileFault
from tests.connectors.support import unzipped, zipped

moment = partial(datetime, tzinfo=None)  # a spreadsheet knows no zones
_NAME = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def saved(book: Any) -> bytes:
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def theirs(data: bytes, sheet: str = "") -> list[tuple[int, list[object]]]:
    """What the library reads, without rows that hold nothing."""
    book = openpyxl.load_workbook(BytesIO(data), read_only=True, data_only=True)
    page = book[sheet or book.worksheets[0].title]
    page.reset_dimensions()
    rows = enumerate(page.iter_rows(max_col=MOST_COLUMNS, values_only=True), 1)
    return [(number, list(row)) for number, row in rows if any(value is not None for value in row)]


def ours(data: bytes, sheet: str = "") -> list[tuple[int, list[object]]]:
    found = [(number, list(row)) for number, row in cells(data, sheet, "sheet.xlsx")]
    assert all(len(row) == MOST_COLUMNS for _, row in found)
    return [(number, _cut(row)) for number, row in found]


def _cut(row: list[object]) -> list[object]:
    while row and row[-1] is None:
        row.pop()
    return row


def same(data: bytes, sheet: str = "") -> None:
    expected = [(number, _cut(row)) for number, row in theirs(data, sheet)]
    assert expected
    assert ours(data, sheet) == expected


VALUES = [
    "999900006", "", "  spaces  ", "é €", "\U0001f600", "a\nb", 0, 7, -3, 10**11, 1.5, 1e-7, 2e20, True, False,
    date(2026, 5, 1), moment(2026, 5, 1, 13, 45, 30), date(1900, 2, 1), date(1900, 3, 1), "=1+1", None,
]  # fmt: skip


def test_every_kind_of_value() -> None:
    book = openpyxl.Workbook()
    for _ in range(3):
        book.active.append(VALUES)
    book.active["Z9"] = "far"
    same(saved(book))


def test_sheets_are_found_by_name_and_the_first_one_without() -> None:
    book = openpyxl.Workbook()
    book.active.append(["first"])
    for title in ("Blad & 2", "'Juni'"):
        book.create_sheet(title).append([title])
    data = saved(book)
    for sheet in ("", "Sheet", "Blad & 2", "'Juni'"):
        same(data, sheet)
    with pytest.raises(FileFault, match="B20"):
        ours(data, "Juli")


def test_days_are_counted_from_1904_where_the_book_says_so() -> None:
    book = openpyxl.Workbook()
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    book.active.append([date(2026, 5, 1), 5])
    same(saved(book))


@pytest.mark.parametrize(
    "code", ["dd-mm-yyyy", "yyyymmdd", "[$-413]d mmmm yyyy;@", "m/d/yy h:mm", '"dag" d', "mm-dd-yy", "d\\-m\\-yy"]
)
def test_a_format_of_a_day_makes_a_day(code: str) -> None:
    assert is_day(code)
    assert numbers.is_date_format(code)
    book = openpyxl.Workbook()
    book.active.append([46_143.5, 20_260_501])
    for cell in book.active[1]:
        cell.number_format = code
    same(saved(book))


@pytest.mark.parametrize(
    "code", ["General", "0", "0.00", "#,##0", "000000000", '0 "dagen"', "[Red]0", "0%", "@", "_d0"]
)
def test_a_format_of_a_number_does_not(code: str) -> None:
    assert not is_day(code)
    book = openpyxl.Workbook()
    book.active.append([46_143, 1.25])
    for cell in book.active[1]:
        cell.number_format = code
    same(saved(book))


def sheet(rows: str, texts: str = "") -> bytes:
    """A workbook of which the rows, and the texts that they point at, are written by hand."""
    parts = unzipped(saved(openpyxl.Workbook()))
    parts["xl/worksheets/sheet1.xml"] = f'<worksheet xmlns="{_NAME}"><sheetData>{rows}</sheetData></worksheet>'.encode()
    relations, types = parts["xl/_rels/workbook.xml.rels"].decode(), parts["[Content_Types].xml"].decode()
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
    part = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    relations = relations.replace("</Rel", f'<Relationship Type="{kind}" Target="sharedStrings.xml" Id="texts"/></Rel')
    types = types.replace("</Types>", f'<Override PartName="/xl/sharedStrings.xml" ContentType="{part}"/></Types>')
    parts["xl/_rels/workbook.xml.rels"], parts["[Content_Types].xml"] = relations.encode(), types.encode()
    parts["xl/sharedStrings.xml"] = f'<sst xmlns="{_NAME}">{texts}</sst>'.encode()
    return zipped(parts)


@pytest.mark.parametrize(
    "rows",
    [
        '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="C1" t="s"><v>1</v></c><c r="D1" t="s"><v>2</v></c></row>',
        "<row><c><v>1</v></c><c><v>2</v></c></row><row/><row><c/><c><v>3</v></c></row>",
        '<row r="3"><c r="B3"><v>1</v></c></row><row r="7"><c r="AA7"><v>2</v></c><c r="AB7" t="b"><v>0</v></c></row>',
        '<row r="1"><c r="A1" t="str"><f>"a"&amp;"b"</f><v>ab</v></c><c r="B1" t="e"><v>#N/A</v></c></row>',
        '<row r="1"><c r="A1" t="inlineStr"><is><r><t>rich </t></r><r><t>text</t></r></is></c></row>',
        '<row r="1"><c r="A1" t="inlineStr"><is><t>kanji</t><rPh sb="0" eb="1"><t>read so</t></rPh></is></c></row>',
        '<row r="1"><c r="A1" t="d"><v>2026-05-01T00:00:00</v></c><c r="B1"><v></v></c></row>',
        '<row r="1"><c r="A1"><f>1+1</f><v>2</v></c><c r="B1"><f>1+1</f></c></row>',
        '<row r="1"><c r="GR1"><v>1</v></c><c r="GS1"><v>2</v></c></row>',
    ],
)  # fmt: skip
def test_what_another_program_writes(rows: str) -> None:
    texts = (
        "<si><t>one</t></si><si><r><t>t</t></r><r><t>wo</t></r><rPh sb='0' eb='1'><t>zwei</t></rPh></si><si><t/></si>"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = [(number, _cut(row)) for number, row in theirs(sheet(rows, texts))]
    assert ours(sheet(rows, texts)) == expected


@pytest.mark.parametrize(
    "rows",
    [
        '<row r="1"><c r="A1" t="s"><v>9</v></c></row>',
        '<row r="1"><c r="A1" t="s"><v>x</v></c></row>',
        '<row r="1"><c r="1A"><v>1</v></c></row>',
        '<row r="1"><c r="A1"><v>geen</v></c></row>',
        '<row r="x"><c r="A1"><v>1</v></c></row>',
        '<row r="2"><c r="A2"><v>1</v></c></row><row r="1"><c r="A1"><v>2</v></c></row>',
        '<row r="1"><c r="A1"><v>1</v></c></row><row r="1"><c r="A1"><v>2</v></c></row>',
        '<row r="1"><c r="A1" t="d"><v>1 mei</v></c></row>',
        '<c r="A1"><v>1</v></c>',
    ],
)
def test_what_cannot_be_told_apart_is_refused(rows: str) -> None:
    with pytest.raises(FileFault, match="B20"):
        ours(sheet(rows))


def _anything(chance: random.Random) -> Iterator[object]:
    for _ in range(chance.randrange(30)):
        yield chance.choice([
            None, chance.randrange(-(10**9), 10**12), chance.random() * 10 ** chance.randrange(-5, 9),
            "".join(chance.choices("abc é<&>\"' 0123\u0301\U0001f600", k=chance.randrange(1, 40))),
            date(1905, 1, 1) + timedelta(chance.randrange(60_000)),
            moment(1999, 1, 1) + timedelta(seconds=chance.randrange(10**9)), chance.random() < 0.5,
        ])  # fmt: skip


@pytest.mark.parametrize("seed", range(15))
def test_any_sheet_is_read_as_the_library_reads_it(seed: int) -> None:
    chance = random.Random(seed)
    book = openpyxl.Workbook()
    for _ in range(chance.randrange(1, 25)):
        book.active.append(list(_anything(chance)))
    book.active.append(["end"])
    same(saved(book))


def test_a_time_of_day_is_no_day() -> None:
    book = openpyxl.Workbook()
    book.active.append([time(12, 30)])
    ((_, row),) = ours(saved(book))
    assert isinstance(row[0], float)
