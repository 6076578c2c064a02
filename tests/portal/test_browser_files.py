"""The browser tells whole files apart and reads them exactly as the connector does."""

from __future__ import annotations

import base64
import io
import json
import random
import zipfile
from pathlib import Path
from typing import Any, Final

import pytest
from msgspec.structs import asdict

from connectors.delivery.deliveries import Run, candidates, check
from connectors.formats import csv_lines
from connectors.formats.files import InputFile, Limits, find
from connectors.formats.model import Afwijzing, FileFault, FileRecord
from domain.field import bsn
from domain.field.dates import dutch_day
from domain.field.questionnaires import QUESTIONS, VRAGENLIJSTEN
from portal import rules
from tests.portal.browser import browser_sources, run

__all__ = ["browser_sources"]

AGB, NOW = "94000001", 1_782_892_800_000  # 1 July 2026
ROWS, FILES = 16_000, 400
NUMBERS = bsn.official_numbers()
SAMPLES: Final = Path(__file__).parents[1] / "connectors" / "samples"
CORE: Final = (
    *("zorgaanbieder_id", "bsn", "meting_id", "datum_meting", "informant", "vragenlijst", "vraag", "antwoord"),
)
#: What cells hold that are not right, or only look so; by column.
ODD: Final[dict[str, tuple[str, ...]]] = {
    "zorgaanbieder_id": ("94000002", "9400001", "", "９４000001", "A4000001"),
    "bsn": ("999999999", "000000000", "12345678", "", "999900007", "Ab9/" * 6 + "==", "0123456789abcdef" * 2),
    "meting_id": ("", "m" * 64, "m" * 65, "😀" * 64, "😀" * 65, "constructor", "1-1"),
    "datum_meting": ("1-6-2026", "01/06/2026", "31-02-2026", "29-02-2024", "29-2-2026", "02-07-2026", "1-7-2026",
                     "2026-06-01", "31-12-1899", "01-01-1900", "1-1-0000", "1-6-26", "٣-6-2026", "1.6.2026", ""),
    "informant": ("", "Vader 2", "Moeder 1", "moeder", "Ouder/verzorger(s)", "Vader 3", "123", "x" * 30, "x" * 31,
                  "x" * 31 + " 2", "José", "Ⅷ", "²", "_", "a_b", "Ouder’s", "ж", "A\u0301", " 1", "1 2", "½"),
    "vragenlijst": ("cem+_2018_oe_V1", "CEM_2018_OE_v1", "CEM+_2018_DE_v1", "", "constructor", "CEM+_2018_JD_v1 "),
    "vraag": ("vr01", "VR08", "", "__proto__", "toString", "VR10", "vr09a", "VR01"),
    "antwoord": ("", "0", "5", "10", "11", "n.v.t.", "N.V.T", "nvt", "NVT ", "2,0", "²", "01", "00001", "-1", "x", "٢"),
    "gemeente": ("363", "0363", "Amsterdam", "AMSTERDAM", "amſterdam", "0457", "Almere", "0034", "", "Utrecht", "384",
                 "Dıemen", "DİEMEN", "constructor", "oostzaan "),
    "client_ref": ("ref-7", "", "1"),
}  # fmt: skip


class Writer:
    """Random CEM+ files as the field writes them, and worse."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def _meting(self, number: int) -> list[dict[str, str]]:
        pick, chance = self._random.choice, self._random.random
        shared = {
            "zorgaanbieder_id": AGB, "bsn": pick(NUMBERS[:60]), "meting_id": f"{number}-{pick('12')}",
            "datum_meting": f"{self._random.randint(1, 28):02}-0{self._random.randint(1, 6)}-2026",
            "informant": pick(("Moeder", "Vader", "Jeugdige")), "vragenlijst": pick(tuple(VRAGENLIJSTEN)),
            "client_ref": "ref", "gemeente": pick(("0363", "Diemen", "0439")),
        }  # fmt: skip
        if chance() < 0.2:
            column = pick((*CORE[:6], "gemeente", "gemeente"))
            shared[column] = pick(ODD[column])
        questions = self._random.sample(tuple(QUESTIONS), self._random.randint(1, 5))
        made, silent = [], chance() < 0.03
        for question in questions:
            answer = "nvt" if silent else str(self._random.randint(1, QUESTIONS[question].highest))
            made.append({**shared, "vraag": question, "antwoord": answer})
            if chance() < 0.02:  # the same day, as another program writes it
                made[-1]["datum_meting"] = made[-1]["datum_meting"].replace("-0", "-").replace("-", "/")
            if chance() < 0.04:
                column = pick(tuple(ODD))
                made[-1][column] = pick(ODD[column])
        return made

    def _rows(self, rows: int) -> list[dict[str, str]]:
        chance = self._random.random
        made: list[dict[str, str]] = []
        while len(made) < rows:
            made += self._meting(len(made))
            if chance() < 0.05 and len(made) > 4:  # a row that stands elsewhere
                made.insert(self._random.randrange(len(made)), made.pop())
        if chance() < 0.1:
            self._random.shuffle(made)
        return made

    def _written(self, cell: str) -> str:
        chance = self._random.random()
        if chance < 0.05:
            return f'"{cell}"'
        return f" {cell}\u00a0" if chance < 0.06 else f'"{cell}' if chance < 0.062 else cell

    def file(self, rows: int) -> bytes:
        pick, chance = self._random.choice, self._random.random
        columns = list(CORE) + ["client_ref"] * (chance() < 0.5) + ["gemeente"] * (chance() < 0.5)
        if chance() < 0.5:
            self._random.shuffle(columns)
        if chance() < 0.03:
            columns.remove(pick(columns))
        separator, end = pick(csv_lines.SEPARATORS), pick(("\n", "\r\n", "\r"))
        lines = [separator.join(name.upper() if chance() < 0.1 else name for name in columns)]
        for row in self._rows(rows):
            cells = [self._written(row[name]) for name in columns]
            cells += [""] * (chance() < 0.02) + ["te veel"] * (chance() < 0.01)
            lines.append(separator.join(cells[:-1] if chance() < 0.01 else cells))
            lines += ["", ";;;"][: int(chance() < 0.02)]
        for mark, of in ((f"sep={separator}", 0.1), ("Uitvoer van het systeem", 0.02)):
            lines[:0] = [mark] * (chance() < of)
        del lines[: int(chance() < 0.02)]
        text = end.join(lines)
        text = text[: -self._random.randint(1, 4)] if chance() < 0.1 else text + pick((end, end, end, ""))
        encoding = pick(("utf-8", "utf-8-sig", "cp1252"))
        return text.encode(encoding, "replace" if encoding == "cp1252" else "strict")


def outcome(record: FileRecord) -> list[Any]:
    """A record of the connector as the script in the browser tells it."""
    told = record.inhoud
    if isinstance(told, Afwijzing):
        return [record.regel, record.regels, told.code, told.veld, "", "", None]
    fact = {name: one.decode() if isinstance(one, bytes) else one for name, one in asdict(told).items()}
    fact.pop("tijd", None)
    return [record.regel, record.regels, "", "", record.bsn or "", record.fallback,
            {"soort": type(told).__name__, **fact}]  # fmt: skip


def by_connector(content: bytes, name: str = "x.csv") -> Any:
    """The kind, what was dropped and the records of a file, or its faults, as the connector delivers it."""
    refused: list[FileFault] = []
    given, how = (
        InputFile(name, name.rpartition("/")[2], len(content), content=content),
        Run(b"secret", AGB, False, NOW, keep_accepted=True),
    )
    group = next(iter(candidates([given], how, refused.append).values()), None)
    delivery = check(group, how, refused.append) if group else None
    fault = refused[0] if delivery is None else delivery.files[0].fault
    if delivery is None or fault is not None:
        assert fault is not None
        return {"fault": [fault.code, fault.row, fault.veld], "found": [[*one] for one in fault.found]}
    (file,) = delivery.files
    kept = [[record.regel, told.code, told.veld] if delivery.kind == "score" else outcome(record)
            for record in file.shown
            for told in (record.inhoud if isinstance(record.inhoud, Afwijzing) else Afwijzing("", ""),)]  # fmt: skip
    return {"kind": delivery.kind, "outside": file.context.tally.outside, "records": kept}


def by_browser(folder: Path, files: list[tuple[str, bytes]]) -> list[Any]:
    """The same as the browser reads it, and the cells that it shows apart."""
    given = {
        "rules": json.loads(rules.document()), "sender": AGB, "today": dutch_day(NOW), "layout": None, "periode": "",
        "files": [{"name": name, "raw": base64.b64encode(raw).decode()} for name, raw in files],
    }  # fmt: skip
    told: list[Any] = run(folder, "read.mjs", given)
    for one in told:
        for record in one.get("records", ()):
            del record[7:]
    return told


def differing(folder: Path, files: list[tuple[str, bytes]]) -> list[Any]:
    """Number, what the browser says and what the connector says, where both differ."""
    pairs = zip(by_browser(folder, files), (by_connector(raw, name) for name, raw in files), strict=True)
    return [(place, theirs, ours) for place, (theirs, ours) in enumerate(pairs) if theirs != ours]


def test_random_questionnaires_are_read_alike(browser_sources: Path) -> None:
    writer = Writer(14)
    files = [("cem.csv", writer.file(ROWS // FILES)) for _ in range(FILES)]
    files += [("large.csv", writer.file(400)) for _ in range(20)]  # more metingen than are open at once
    assert differing(browser_sources, files) == []
    ours = [by_connector(raw) for _, raw in files]
    records = [record for one in ours for record in one.get("records", ())]
    assert {record[2] for record in records} >= {"", *(f"C{number:02}" for number in range(1, 15))}
    assert sum(record[2] == "" for record in records) > ROWS // 20
    assert {one["fault"][0] for one in ours if "fault" in one} >= {"B03", "B06"}
    assert sum(one.get("outside", 0) for one in ours) > 50


CEM: Final = (SAMPLES / "cem_plus.csv").read_bytes()
START: Final = (SAMPLES / "jw305_start.xml").read_bytes()
SCORES: Final = (SAMPLES / "94000001_rap_scores.csv").read_bytes()
APART: Final[tuple[tuple[str, bytes], ...]] = (
    *(("x.csv", content) for content in (CEM, SCORES, b"", b"\xef\xbb\xbf \r\n", b";;;\n", b"hallo\n", b"a\x00b")),
    ("x.csv", b"Overzicht\n" + CEM),
    ("x.csv", b"Overzicht\n\nsep=;\n" + SCORES),
    *(("x.csv", b"Overzicht\n" * lines + CEM) for lines in (19, 20)),
    ("x.csv", CEM.partition(b"\n")[2]),
    ("x.csv", SCORES.partition(b"\n")[2]),
    ("x.csv", CEM.replace(b"94000001", b"94000002")),
    ("x.csv", CEM.replace(b"zorgaanbieder_id", b"aanbieder").replace(b"vraag;", b"v;").replace(b"bsn", b"b")),
    ("x.csv", CEM.splitlines()[0]),
    ("x.csv", b"BSN;Type\n999900006;D1O\n"),
    ("x.csv", CEM + b"x" * 600_000 + b"\n"),
    ("x.csv", CEM.replace(b"Moeder", b"Mo\xe9der")),
    ("x.csv", CEM.replace(b"Moeder", b"Mo\x81der")),
    ("x.csv", CEM + b"\xc3"),
    ("x.csv", CEM.rstrip()),
    ("x.csv", CEM.rstrip()[:-1] + b"n.v.t"),
    ("x.csv", CEM.replace(b"client_ref", b"gemeente").replace(b";123456;", b";Utrecht;")),
    ("x.csv", CEM.replace(b"antwoord", b"antwoord;gemeente").replace(b"\r\n", b";Diemen\r\n")),
    *((name, CEM) for name in ("Thumbs.db", "in.zip/Thumbs.db", "~$x.csv", "x.pdf", "X.DOCX", "x.xls", "layout.toml")),
    *(("x.csv", begin + b"0" * 40)
      for begin in (b"PK\x03\x04", b"%PDF-", b"\x1f\x8b", b"Rar!\x1a\x07", b"7z\xbc\xaf'\x1c")),
    *((name, b"\xd0\xcf\x11\xe0" + more) for name in ("x.xls", "x.bin")
      for more in (b"", "Workbook".encode("utf-16-le"), "EncryptedPackage".encode("utf-16-le"))),
    *(("x.xls", page) for page in (b"<html><body>", b"\xef\xbb\xbf\n<TABLE border=1>", b"<!doctype  html>")),
    *((path.name, path.read_bytes()) for path in sorted(SAMPLES.glob("*.xml"))),
    *(("x.xml", text) for text in (b"<x/>", b"<?xml version='1.0'?><a", b" <a xmlns='http://x'/>")),
    ("x.xml", START.replace(b"999900006", b"999900007").replace(b"2011-05", b"1811-05")),
    ("x.xml", START.replace(b"94000001", b"94000002")),
    ("x.xml", START.replace(b"jw305/schema", b"jw302/schema")),
    ("x.xml", (SAMPLES / "jw323_declaratie.xml").read_bytes()[:-20]),
    ("x.xml", (SAMPLES / "jw323_declaratie.xml").read_bytes().decode().encode("utf-16")),
)  # fmt: skip


def test_files_are_told_apart(browser_sources: Path) -> None:
    assert differing(browser_sources, list(APART)) == []
    codes = {told["fault"][0] for told in (by_connector(raw, name) for name, raw in APART) if "fault" in told}
    assert codes >= {"B01", "B02", "B03", "B04", "B06", "B09", "B14", "B16", "B21", "B23", "B26", "B27"}


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_text_that_a_spreadsheet_calls_unicode_is_read(browser_sources: Path, encoding: str) -> None:
    """The connector refuses it (B04); the browser has no reason to."""
    mark = "\ufeff".encode(encoding)
    (told,) = by_browser(browser_sources, [("x.txt", mark + CEM.decode().replace(";", "\t").encode(encoding))])
    assert told["records"] == by_connector(CEM)["records"]


def zipped(members: dict[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip file of these."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", how) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return made.getvalue()


def broken(content: bytes, place: int) -> bytes:
    """With one byte changed."""
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


def test_zip_files_are_unpacked_alike(browser_sources: Path, tmp_path: Path) -> None:
    inside = {"b/JW305.xml": START, "a.csv": CEM, ".hidden": b"x", "__MACOSX/a.csv": b"x", "b/": b"", "leeg.csv": b""}
    whole = zipped(inside)
    files = {
        "plain.csv": CEM, "deflated.zip": whole, "stored.zip": zipped(inside, zipfile.ZIP_STORED),
        "nested.zip": zipped({"in.zip": whole, "c.csv": CEM}), "empty.zip": zipped({}), "cut.zip": whole[:-30],
        "bomb.zip": zipped({"bom.csv": bytes(3_000_000), "a.csv": CEM}), "lzma.zip": zipped(inside, zipfile.ZIP_LZMA),
        "x.xlsx": zipped({"xl/workbook.xml": b"x", "[Content_Types].xml": b"x"}),
        "brief.odt": zipped({"META-INF/manifest.xml": b"x"}),
        "body.zip": broken(whole, 60), "directory.zip": broken(whole, len(whole) - 200),
    }  # fmt: skip
    given = [{"name": name, "raw": base64.b64encode(raw).decode()} for name, raw in files.items()]
    theirs = run(browser_sources, "unzip.mjs", {"rules": json.loads(rules.document()), "files": given})
    for (name, content), told in zip(files.items(), theirs, strict=True):
        place = tmp_path / name
        place.write_bytes(content)
        faults: list[FileFault] = []
        found = {
            one.shown: base64.b64encode(one.open().read()).decode() for one in find([place], Limits(), faults.append)
        }
        assert dict(told) == found | {one.file: one.code for one in faults}, name
