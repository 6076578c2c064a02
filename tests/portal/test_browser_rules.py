"""The browser reads and checks a file of scores exactly as the connector does."""

from __future__ import annotations

import base64
import io
import json
import random
from pathlib import Path
from typing import Any

import pytest

from connectors.delivery.reading import prepare
from connectors.formats import csv_lines, rap
from connectors.formats.files import InputFile
from connectors.formats.model import Afwijzing, FileContext, FileFault, FileRecord
from domain.facts.checks import check
from domain.facts.fact import Score
from domain.field import bsn
from portal import rules
from tests.portal.browser import browser_sources, run

__all__ = ["browser_sources"]

ROWS, FILES = 20_000, 400
NUMBERS = bsn.official_numbers()
#: What cells hold that are not right, or only look so.
ODD = (
    *("", " ", "x", "X", "-1", "0", "3", "4", "٣", "１", "1.0", "01", "d1o", "D1O ", "D10", "D11O", "D0O", "pb", "PX"),
    *("é" * 51, "A" * 50, "A" * 51, "😀" * 50, "😀" * 51, "000000000", "999999999", "12345678", "1234567890"),
    *(
        "constructor",
        "__proto__",
        "\u00a01",
        "ſ",
        "ß",
        "\u2028x",
        "İ",
        "\ufeff1",
        "\x1c1",
        "\u200b1",
        "\x85",
        "1\u00ad",
    ),
    *('"', '""', 'a"b', '"a', '"a"b', "0123456789abcdef" * 2, "Ab9/" * 6 + "==", "1,5E+08", "12345678.0", "\u3000PB"),
)
HEADERS = (
    ("BSN", "Beschikkingsnummer", "Toewijzingsnummer", "Type", "Waarde"),
    ("bsn", "Beschikingsnummer", "toewijzingnummer", "type", "waarde"),
    ("\u00a0BSN", '"Toewijzingsnummer"', " TYPE ", "Waarde\u200b", "Naam"),
    ("Waarde", "Type", "Toewijzingsnummer", "BSN"),
    ("BSN", "BSN", "Toewijzingsnummer", "Type", "Waarde"),
    ("BSN", "Type", "Waarde"),
)


class Writer:
    """Random files as the field writes them, and worse."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def _cell(self, column: str) -> str:
        pick = self._random.choice
        if self._random.random() < 0.1:
            return pick(ODD)
        good = {
            "b": lambda: pick(NUMBERS[:40]),
            "d": lambda: pick(("", "A1", "123456")),
            "t": lambda: pick(("", "18634", "007", "7")),
            "k": lambda: pick(("D1O", "D2C", "PB", "po", "D10C")),
            "v": lambda: pick(("1", "2", "x", "-1", "3")),
        }[column]()
        return self._random.choice((good, good, good, f'"{good}"', f" {good}\t", f"{good}\u00a0"))

    def file(self, rows: int) -> bytes:
        pick, chance = self._random.choice, self._random.random
        names, separator, end = pick(HEADERS), pick(csv_lines.SEPARATORS), pick(("\n", "\r\n", "\r"))
        columns = ["".join(c for c in name.lower() if c.isalpha())[:1] for name in names]
        kinds = [{"b": "b", "t": "t", "w": "v", "n": "d"}.get(column, "k") for column in columns]
        kinds = ["d" if "sch" in n.lower() or "schik" in n.lower() else k for n, k in zip(names, kinds, strict=True)]
        kinds = ["k" if "type" in n.lower() else k for n, k in zip(names, kinds, strict=True)]
        lines = [separator.join(names)]
        for _ in range(rows):
            cells = [self._cell(kind) for kind in kinds]
            cells += [""] * (chance() < 0.02) + ["te veel"] * (chance() < 0.01)
            lines.append(separator.join(cells[:-1] if chance() < 0.01 else cells))
            lines += ["", ";;;", ' "" '][: int(chance() < 0.02) * 3]
        if chance() < 0.2:
            lines.insert(0, pick((f"sep={separator}", f'"sep={separator}"', "")))
        text = end.join(lines) + pick((end, end, end, ""))
        encoding = pick(("utf-8", "utf-8-sig", "cp1252"))
        return text.encode(encoding, "replace" if encoding == "cp1252" else "strict")


def outcome(record: FileRecord) -> list[Any]:
    """A record as the script in the browser tells it."""
    told = record.inhoud
    if isinstance(told, Afwijzing):
        return [record.regel, told.code, told.veld]
    assert isinstance(told, Score)
    assert check(told) is None
    numbers = ((told.toewijzing or b"").decode(), (told.beschikking or b"").decode())
    return [record.regel, record.bsn, *numbers, told.doel, told.beoordelaar, told.waarde]


def by_connector(content: bytes) -> list[Any]:
    """The rows of a file, or its fault, as the connector reads it."""
    try:
        read = prepare(InputFile("x.csv", "x.csv", len(content), content=content), b"secret", 10**8)
        if not read.encoding:
            return ["B04", 0, ""]
        context = FileContext("x.csv", "94000001", 1_767_225_600_000, encoding=read.encoding, rows=read.rows)
        return [outcome(record) for record in rap.scores(io.BytesIO(content), context)]
    except FileFault as fault:
        return [fault.code, fault.row, fault.veld]


def by_browser(folder: Path, files: list[bytes]) -> list[Any]:
    """The same as the browser reads it."""
    given = {"rules": json.loads(rules.document()), "files": [base64.b64encode(one).decode() for one in files]}
    told = run(folder, "parse.mjs", given)
    assert isinstance(told, list)
    return told


def test_random_files_are_read_alike(browser_sources: Path) -> None:
    writer = Writer(14)
    files = [writer.file(ROWS // FILES) for _ in range(FILES)]
    ours = [by_connector(content) for content in files]
    assert [place for place, theirs in enumerate(by_browser(browser_sources, files)) if theirs != ours[place]] == []
    codes = {row[1] for rows in ours for row in rows if isinstance(row, list) and len(row) == 3}
    assert {"R01", "R02", "R03", "R04", "R05", "R06", "R07", "R08", "R09"} <= codes
    assert sum(isinstance(row, list) and len(row) == 7 for rows in ours for row in rows) > ROWS // 10
    assert {rows[0] for rows in ours if isinstance(rows[0], str)} >= {"B03", "B06"}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b" \n;;\n",
        b"BSN;Type;Waarde;Toewijzingsnummer\n",
        b"BSN;Toewijzingsnummer;Type;Waarde\n999900006;7;D1O;\xe9\n",
        b"BSN;Toewijzingsnummer;Type;Waarde\n999900006;7;D1O;\x81\n",
        b"BSN;Toewijzingsnummer;Type;Waarde\n999900006;7;D1O;\xe2\x82",
        b"BSN;Toewijzingsnummer;Type;Waarde\n999900006;7;D1O;1",
        b"Toewijzingsnummer;Waarde;Type;BSN\n7;1;D1O;999900006",
        b"Toewijzingsnummer;Waarde;BSN;Type\n7;1;999900006;d1",
    ],
)
def test_files_at_the_edge_are_read_alike(browser_sources: Path, content: bytes) -> None:
    assert by_browser(browser_sources, [content]) == [by_connector(content)]


def test_the_rules_are_the_same_bytes_each_time() -> None:
    assert rules.document() == rules.document()
    assert json.loads(rules.document())["types"]["D10O"] == [10, "O"]
