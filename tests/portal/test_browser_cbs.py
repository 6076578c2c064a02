"""The browser reads CBS-structured files exactly as the connector does: records, keys, places and refusals."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import random
import zipfile
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

from msgspec.structs import asdict
from openpyxl import Workbook  # type: ignore[import-untyped]

from connectors.delivery.reading import prepare
from connectors.delivery.recognise import PARSERS
from connectors.formats.cbs.layout import layout_of
from connectors.formats.cbs.rows import is_csv, is_fixed
from connectors.formats.csv_lines import seen
from connectors.formats.files import InputFile
from connectors.formats.model import Afwijzing, Choices, FileContext, FileFault, FileRecord, Tally
from domain.field.dates import dutch_day
from portal import rules, rules_cbs
from tests.connectors.support import AGB, BSNS, CBS_HEADER, LAYOUT, NOW, cbs_ascii, cbs_row, table, unzipped
from tests.connectors.test_fuzz import _cut, _double, _flip, _swap, _swell
from tests.portal.browser import browser_sources, run
from tools.simulator.almere import LAYOUT as SIMULATED
from tools.simulator.almere import cbs_files, make_almere
from tools.simulator.config import SimulationConfig
from tools.simulator.run import build_world

__all__ = ["browser_sources"]

FILES, ROWS, DAMAGED, SHEETS = 250, 20, 400, 90
PERIODE = "2026-1"
#: Headings alone, places alone, both, and what a simulation declares.
LAYOUTS = {
    "both": LAYOUT,
    "simulated": SIMULATED.encode(),
    "headings": b"\n".join(
        line.partition(b", plaats")[0] + b"}" if b"plaats" in line else line for line in LAYOUT.split(b"\n")
    ),
    "wide": LAYOUT.replace(
        b'"0034" = ["1300-1379"]', b'"0363" = ["1000-1109"]\n"0034" = ["1300-1379", "1000"]\n"9999" = ["1315"]'
    ),
}


class Sample(NamedTuple):
    """A file with how it is read."""

    data: bytes
    layout: str = "both"
    periode: str = PERIODE


def record(one: FileRecord) -> list[Any]:
    """A record as the browser tells it."""
    cells = list(one.cells) or ["", "", ""]
    if isinstance(one.inhoud, Afwijzing):
        return [one.regel, one.regels, cells, one.inhoud.code, one.inhoud.veld]
    fact = {"soort": type(one.inhoud).__name__} | asdict(one.inhoud)
    del fact["tijd"]
    return [one.regel, one.regels, cells, one.bsn or "", one.fallback, fact]


def by_connector(sample: Sample) -> list[Any]:
    """Whether it is of this layout; its records, or its refusal, in the last pass; and how many lines were dropped."""
    layout = layout_of(LAYOUTS[sample.layout]) if sample.layout else None
    head = seen(sample.data[:65_536].decode("utf-8-sig", errors="replace"))
    recognised = layout is not None and (is_csv(head, layout) or is_fixed(head, layout))
    try:
        read = prepare(InputFile("x", "x", len(sample.data), content=sample.data), b"secret", 10**8)
        choices = Choices(layout=layout, periode=sample.periode)
        context = FileContext("x", AGB, NOW, encoding=read.encoding, rows=read.rows, choices=choices)
        scattered = -1
        while len(context.scattered) != scattered:
            scattered, context.tally = len(context.scattered), Tally()
            found = [record(one) for one in PARSERS["cbs"](io.BytesIO(sample.data), context)]
    except FileFault as fault:
        return [recognised, [fault.code, fault.row, fault.veld], 0]
    return [recognised, found, context.tally.outside]


def _theirs(told: dict[str, Any]) -> list[Any]:
    if told["records"] and isinstance(told["records"][0], str):
        return [told["recognised"], told["records"], 0]
    found = []
    for one in told["records"]:
        common = [one["regel"], one["regels"], one["cells"]]
        right = [one["bsn"], one.get("fallback"), one["fact"]]
        found.append([*common, one["code"], one["veld"]] if one["code"] else [*common, *right])
    return [told["recognised"], found, told["outside"]]


def differences(folder: Path, samples: list[Sample]) -> tuple[list[Any], list[Any]]:
    """What is read otherwise, and all that the connector reads."""
    told = json.loads(rules.document())
    layouts = {name: rules_cbs.layout_told(layout_of(content)) for name, content in LAYOUTS.items()}
    files = [{"layout": s.layout, "periode": s.periode, "file": base64.b64encode(s.data).decode()} for s in samples]
    given = {"rules": told, "layouts": layouts, "today": dutch_day(NOW), "files": files}
    theirs = [_theirs(one) for one in run(folder, "cbs.mjs", given)]
    ours = [by_connector(sample) for sample in samples]
    pairs = zip(samples, ours, theirs, strict=True)
    return [(sample, we, they) for sample, we, they in pairs if we != they], ours


ODD = (
    *("", " ", "1", "01", "001", "x", "nvt", "n.v.t.", "N.V.T", "\u0660\u0661", "\u00b2", "-1", "+1"),
    *("constructor", "\u00a0", "A\u00ad", "\u2028x", "\U0001f600", '"', '"a"b', "99", "00", "1.0", "\u00df"),
    *("\x1a", "\u200b"),
)
VALUES: dict[str, tuple[str, ...]] = {
    "bsn": (*BSNS[:4], "999999999", "000000000", "999900007", "12345678", "1234567890"),
    "born": (
        "20110501",
        "20110500",
        "20110000",
        "00000000",
        "000000000",
        "20260701",
        "19050101",
        "2011",
        "1-5-2011",
        "20110230",
        "19000131",
        "19000101",
    ),
    "geslacht": ("V", "v", "M", "O", "1", "VM"),
    "postcode": (
        "1315AB",
        "1315 ab",
        "1300ZZ",
        "1379AA",
        "1380AA",
        "0034",
        "34",
        "363",
        "0457",
        "1011AB",
        "0315AB",
        "1315\u00df",
        "12345",
    ),
    "verwijzer": ("02", "2", "07", "08", "8"),
    "hulpvorm": ("02", "2", "11", "05", "14"),
    "crisis": ("02", "1", "03"),
    "begin": (
        "20260105",
        "5-1-2026",
        "05/01/2026",
        "20260701",
        "20200105",
        "20260230",
        "18991231",
        "20260623",
        "20260622",
    ),
    "end": ("20260301", "", "1-3-2026", "20251231", "20260104", "20260623", "20260210", "20260611"),
    "reden": ("01", "1", "", "06"),
    "nut": ("8", "", "10", "11", "0", "8.0", "N.V.T."),
    "zonder_hulp": ("04", "4", "", "5", "nvt"),
    "informant": ("1", "2", "3", ""),
    "twin": ("", "1", "2", "02", "123", "x"),
}


class Writer:
    """Files as providers write them, and worse."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def pick(self, given: Sequence[Any]) -> Any:
        """One of them."""
        return self._random.choice(given)

    def row(self) -> tuple[str, ...]:
        """One line: mostly of few clients, so that keys meet."""
        changed = {}
        for field, values in VALUES.items():
            chance = self._random.random()
            if chance < 0.12:
                changed[field] = self._random.choice(values)
            elif chance < 0.13:
                changed[field] = self._random.choice(ODD)
        changed.setdefault("bsn", self._random.choice((*BSNS[:12], "999999999", "999999999", "000000000")))
        return cbs_row(**changed)

    def file(self, rows: int) -> Sample:
        """A file in one of the forms."""
        pick, lines = self._random.choice, [self.row() for _ in range(rows)]
        layout = pick(("both", "both", "wide", "headings"))
        periode = pick((PERIODE,) * 12 + ("2025-2", "2024-1", ""))
        if layout != "headings" and pick((True, False)):
            data = cbs_ascii(lines, pick(("\r\n", "\n", "\r")))
            encoding = "utf-8"
        else:
            header = tuple(pick((name, name, name, name.upper(), f" {name}\u00a0", f'"{name}"')) for name in CBS_HEADER)
            encoding = pick(("utf-8", "utf-8-sig", "cp1252", "utf-16"))
            header = pick((header,) * 8 + (header[1:], (*header[:5], *header[6:], "BSN"), (*header, "Naam")))
            data = table(
                header, [line[: len(header)] for line in lines], pick((";", ",", "\t")), eol=pick(("\r\n", "\n", "\r"))
            )
            text = data.decode()
            text = pick(("", "", "", "sep=;\r\n", "\r\n;;\r\n")) + pick(
                (text, text, text, text.rstrip(), text + "\r\n;;;\r\n")
            )
            data = text.encode(encoding, "replace")
        return Sample(data, layout, periode)

    def damaged(self, many: int) -> list[Sample]:
        """So many files with some bytes flipped, cut, swapped, doubled or much put in between."""
        made = []
        for _ in range(many):
            data, layout, periode = self.file(self._random.randrange(1, 8))
            for _ in range(self._random.choice((1, 1, 2, 3))):
                how = self._random.choice((_flip, _flip, _flip, _swap, _cut, _double, _swell) if data else (_double,))
                value = self._random.randrange(256)
                how = _flip if how is _swell and self._random.random() < 0.8 else how
                data = how(data, self._random.randrange(2**20), value) or b"x"
            made.append(Sample(data, layout, periode))
        return made


def test_what_the_simulator_writes_is_read_alike(browser_sources: Path) -> None:
    world, _ = build_world(SimulationConfig(clients=60, months=12, seed=5), lambda *_: None)
    until, files = date(2026, 6, 30), list[Sample]()
    for seed in range(4):
        almere = make_almere(seed, until, world.clients)
        files += [Sample(file.content, "simulated") for file in cbs_files(seed, until, almere, faults=True)]
    wrong, ours = differences(browser_sources, files)
    assert wrong == []
    assert sum(isinstance(one, list) for _, read, _ in ours for one in read) > 60
    assert "B03" in {read[0] for _, read, _ in ours if isinstance(read[0], str)}


def test_random_files_are_read_alike(browser_sources: Path) -> None:
    writer = Writer(34)
    samples = [writer.file(ROWS) for _ in range(FILES)]
    wrong, ours = differences(browser_sources, samples)
    assert wrong == []
    read = [one for _, found, _ in ours for one in found if isinstance(one, list)]
    assert {one[3] for one in read if len(one) == 5} >= {f"G{number:02d}" for number in range(1, 12)}
    assert {found[0] for _, found, _ in ours if found and isinstance(found[0], str)} >= {
        "B03",
        "B04",
        "B06",
        "B17",
        "B18",
    }
    right = [one for one in read if len(one) == 6]
    assert len(right) > FILES
    assert any(one[1] > 1 for one in right)
    assert any(one[4].endswith("|2") for one in right)
    assert sum(outside for *_, outside in ours) > FILES // 10


def test_damaged_files_are_read_alike(browser_sources: Path) -> None:
    wrong, _ = differences(browser_sources, Writer(35).damaged(DAMAGED))
    assert wrong == []


def test_files_at_the_edge_are_read_alike(browser_sources: Path) -> None:
    one = cbs_ascii([cbs_row()])
    many = cbs_ascii([cbs_row(bsn=BSNS[number % 2], nut=str(1 + number % 9)) for number in range(20_001)])
    cut = table(CBS_HEADER, [cbs_row()]).rstrip()
    data = (
        b"",
        b"\n",
        b";;\n",
        one,
        one[:-2],
        one[:-3],
        one * 2,
        one + b"\x1a",
        one + b"\n\n",
        one[:20] + b"\n",
        b"x" * 10_001,
        many,
        table(CBS_HEADER, []),
        cut,
        cut[:-1],
        cut + b"1",
        one + b"\xe2\x82",
        one + b"\x81\n",
        b"\xff" + one,
        b"\x00" + one,
    )
    samples = [
        Sample(content, layout)
        for content in data
        for layout in ("both", "headings", "")[: 1 if content is many else 3]
    ]
    wrong, ours = differences(browser_sources, samples)
    assert wrong == []
    assert {read[0] for _, read, _ in ours if read and isinstance(read[0], str)} >= {"B01", "B02", "B03", "B14", "B19"}


def _cell(text: str, pick: random.Random) -> Any:
    """A value of a line as a spreadsheet may hold it."""
    chance = pick.random()
    if text.isascii() and text.isdigit() and chance < 0.5:
        return pick.choice((int(text), float(text)))
    if len(text) == 8 and text[:2] in ("19", "20") and chance < 0.7:
        with contextlib.suppress(ValueError):
            return pick.choice((date, datetime))(int(text[:4]), int(text[4:6]), int(text[6:]))
    if chance > 0.99:
        return pick.choice((True, 8.5, 1e-7, -5, 10**13, "=1+1", "#REF!", date(1900, 1, 31), 0.25))
    return text.replace("\x1a", "") or None


def packed(parts: dict[str, bytes]) -> bytes:
    """A zip file, the same bytes for the same parts at any time."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            told = b"<x/>" if name == "docProps/core.xml" else content  # when it was made
            archive.writestr(zipfile.ZipInfo(name), told, zipfile.ZIP_DEFLATED)
    return out.getvalue()


class Sheets(Writer):
    """Workbooks as providers write them, and worse."""

    def workbook(self, rows: int) -> bytes:
        """One workbook: titles above the heading, other sheets, empty lines."""
        pick, book = self._random.choice, Workbook()
        page = book.active
        for _ in range(pick((0, 0, 0, 1, 2))):
            page.append(["Toelichting", 1])
            page = book.create_sheet(pick(("Blad2", "Gegevens & meer", "x")))
        for _ in range(pick((0, 0, 1, 3, 25))):
            page.append(pick((["Titel"], [None, "x"], [])))
        header = [pick((name, name, name.upper(), f" {name}\u00a0")) for name in CBS_HEADER]
        page.append(pick((header,) * 6 + (header[1:], [*header, "BSN"], [None, *header])))
        shifted = [None] if page.cell(page.max_row, 1).value is None else []
        for _ in range(rows):
            page.append([*shifted, *(_cell(text, self._random) for text in self.row()[: len(header)])])
            if self._random.random() < 0.05:
                page.append(pick(([], ["", None], [" "])))
        out = io.BytesIO()
        book.save(out)
        return packed(unzipped(out.getvalue()))

    def broken(self, data: bytes) -> bytes:
        """The same with one part of it damaged, missing, or said otherwise."""
        pick, parts = self._random.choice, unzipped(data)
        names = [name for name in parts if name.startswith("xl/") and "theme" not in name]
        name = pick([*names, "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml"])
        if name not in parts or self._random.random() < 0.05:
            parts.pop(name, None)
            return packed(parts)
        how: Any = pick((_flip, _flip, _swap, _cut, _double, "word", "edit"))
        content = parts[name]
        if how == "word":
            at = pick([place for place, byte in enumerate(content) if byte in b"<>"] or [0])
            content = content[:at] + pick(PIECES) + content[at:]
        elif how == "edit":
            content = content.replace(*pick(EDITS))
        else:
            content = how(content, self._random.randrange(2**20), self._random.randrange(256)) or b"x"
        return packed(parts | {name: content})


PIECES = (
    *(b"<!DOCTYPE x>", "<!DOCTYPE x>".encode("utf-16-le"), b"<!ENTITY a 'b'>", b"&amp;", b"&a;", b"<x/>"),
    *(b"<x>", b"<!-- y -->", b"\x00", b"<c r='A2'><v>7</v></c>", b"<row r='2'/>", b"<row/>"),
    *(b"<rPh><t>x</t></rPh>", b"<?x y?>", b"<![CDATA[1]]>"),
)
EDITS = (
    *((b' t="s"', b""), (b' t="s"', b' t="str"'), (b' t="n"', b""), (b' t="n"', b' t="d"')),
    *((b' r="A2"', b' r="2A"'), (b' r="A2"', b""), (b'<row r="3"', b'<row r="600000"')),
    *((b'<row r="3"', b'<row r="2"'), (b'<row r="3"', b"<row"), (b"<v>0</v>", b"<v>-1</v>")),
    *((b"<v>1</v>", b"<v> 1_0 </v>"), (b"<v>2</v>", b"<v>2.0e0</v>"), (b"<v>2</v>", b"<v>9999999</v>")),
    *((b' s="1"', b' s="2"'), (b' s="1"', b' s="x"'), (b'numFmtId="14"', b'numFmtId="0"'), (b"yyyy", b"x")),
    *((b"General", b"dd"), (b"sheet1.xml", b"sheet9.xml"), (b"rId1", b"rId9"), (b"worksheet", b"chartsheet")),
    *((b"workbookPr", b'workbookPr date1904="1"'), (b"<t>", b"<t>\xc2\xa0"), (b"http://schemas", b"http://x")),
    *((b'Target="/', b'Target="'), (b"<sheets>", b""), (b"inlineStr", b"str")),
)


def test_sheets_are_read_alike(browser_sources: Path) -> None:
    writer = Sheets(36)
    whole = [writer.workbook(12) for _ in range(24)]
    broken = [writer.broken(writer.pick(whole)) for _ in range(SHEETS)]
    flipped = [_flip(data, writer.pick(range(2**20)), 7) for data in whole[:12]] + [data[:-40] for data in whole[:5]]
    listed = [place for place in range(len(whole[0])) if whole[0].startswith(b"PK\x01\x02", place)]
    flipped += [_flip(whole[0], writer.pick(listed) + 4 + place, 7 + place) for place in range(42)]
    bomb = packed({"xl/workbook.xml": b"0" * 30_000_000})
    edge = [packed({"xl/x": b""}), bomb, b"PK\x03\x04", whole[0] + b"x"]
    samples = [Sample(data) for data in (*whole, *broken, *flipped, *edge)]
    wrong, ours = differences(browser_sources, samples)
    assert wrong == []
    assert {found[0] for _, found, _ in ours if found and isinstance(found[0], str)} >= {"B06", "B11", "B20"}
    assert sum(len(one) == 6 for _, found, _ in ours for one in found if isinstance(one, list)) > 100
