"""The browser reads JW305, JW307 and JW323 exactly as the connector does: facts, places and findings."""

from __future__ import annotations

import base64
import io
import json
import random
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from msgspec.structs import asdict

from connectors.delivery.reading import prepare
from connectors.delivery.recognise import PARSERS, recognise
from connectors.formats.files import InputFile
from connectors.formats.model import FileContext, FileFault, FileRecord
from domain.field.dates import dutch_day
from portal import rules
from tests.connectors.support import AGB, BSN, BSNS, NOW, Declaratie, Regie, prestatie, product
from tests.connectors.test_fuzz import _HUGE, _cut, _double, _flip, _swap, _swell
from tests.portal.browser import browser_sources, run
from tools.simulator import SimulationConfig, simulate

__all__ = ["browser_sources"]

CHANGED, DAMAGED, EDITED = 1_200, 900, 700
DECLARED = re.compile(rb"""xmlns(?::\w+)?="http://www\.istandaarden\.nl/ijw/._./\w+/schema["]""")
KINDS = {"305": "start", "307": "stop", "323": "declaration"}


class Sample(NamedTuple):
    """A file, read as a kind, delivered by a sender."""

    kind: str
    data: bytes
    sender: str = AGB


def _value(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


def record(one: FileRecord) -> list[Any]:
    """A record as the browser tells it."""
    fact = {"soort": type(one.inhoud).__name__} | {name: _value(value) for name, value in asdict(one.inhoud).items()}
    return [one.regel, one.regels, one.bsn, fact]


def outcome(fault: FileFault) -> list[Any]:
    """A refusal; of what is not well-formed the line counts, for a column has no meaning to people."""
    found = [list(one) for one in fault.found]
    return [fault.code, fault.row, "", []] if fault.code == "B25" else [fault.code, fault.row, fault.veld, found]


def by_connector(sample: Sample) -> list[Any]:
    """What recognises it, and its records or its refusal, as the connector reads them."""
    try:
        kind = list(recognise(sample.data[:65_536], "bestand", "bestand"))
    except FileFault as fault:
        kind = outcome(fault)[:3]
    try:
        read = prepare(InputFile("x", "x", len(sample.data), content=sample.data), b"secret", 10**8)
        context = FileContext("x", sample.sender, NOW, encoding=read.encoding, rows=read.rows)
        return [kind, [record(one) for one in PARSERS[sample.kind](io.BytesIO(sample.data), context)]]
    except FileFault as fault:
        return [kind, outcome(fault)]


def _theirs(told: dict[str, Any]) -> list[Any]:
    read, kind = told["read"], told["recognised"]
    if kind and "fault" in kind:
        kind = [kind["fault"][0], kind["fault"][1], "" if kind["fault"][0] == "B25" else kind["fault"][2]]
    elif kind:
        kind = [kind["kind"], kind["sender"]]
    if isinstance(read, dict):
        code, row, field = read["fault"]
        return [kind, [code, row, "", []] if code == "B25" else [code, row, field, read["found"]]]
    return [kind, [[one["regel"], one["regels"], one["bsn"], one["fact"]] for one in read]]


def by_browser(folder: Path, samples: list[Sample]) -> list[Any]:
    """The same as the browser reads it."""
    told = json.loads(rules.document())
    files = [{"kind": s.kind, "sender": s.sender, "file": base64.b64encode(s.data).decode()} for s in samples]
    given = {"rules": told, "today": dutch_day(NOW), "files": files}
    return [_theirs(one) for one in run(folder, "ijw.mjs", given)]


def differences(folder: Path, samples: list[Sample]) -> tuple[list[Any], list[Any]]:
    """What is read otherwise, and all that the connector reads."""
    ours = [by_connector(sample) for sample in samples]
    theirs = by_browser(folder, samples)
    for we, they in zip(ours, theirs, strict=True):
        if len(we[0]) == 3 and we[0][0] not in ("B21", "B25"):
            before = we[0][0] != "B02"  # refused before anybody asks whether it is a message
            we[0], they[0] = None, None if before else they[0]
    for sample, *both in zip(samples, ours, theirs, strict=True):
        if len(DECLARED.findall(sample.data)) != 2:  # the parser counts from a namespace that is none
            for kind, read in both:
                for fault in (kind, read):
                    if fault and fault[0] == "B25":
                        fault[1] = 0
    pairs = zip(samples, ours, theirs, strict=True)
    return [(sample.data, we, they) for sample, we, they in pairs if we != they], ours


def _kinds(samples: list[Sample]) -> set[str]:
    return {sample.kind for sample in samples}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    """Every JW305, JW307 and JW323 that the simulator writes, with planted errors."""
    folder = tmp_path_factory.mktemp("wereld")
    simulate(SimulationConfig(clients=140, months=14, seed=3, faults=True), folder)
    found = []
    for path in sorted(folder.glob("*/**/*.xml")):
        data = path.read_bytes()
        kind = KINDS.get((re.search(rb"/jw(\d{3})/", data) or [b"", b""])[1].decode())
        sender = re.search(rb"Afzender>(\d{8})<", data)
        if kind:
            found.append(Sample(kind, data, sender[1].decode() if sender else AGB))
    return found


def test_what_the_simulator_writes_is_read_alike(browser_sources: Path, written: list[Sample]) -> None:
    wrong, ours = differences(browser_sources, written)
    assert wrong == []
    assert _kinds(written) == set(KINDS.values())
    assert sum(len(read) for _, read in ours if not read or isinstance(read[0], list)) > 1_000
    assert {read[0] for _, read in ours if read and isinstance(read[0], str)} >= {"CS002", "B03"}


DAYS = (
    *("2026-05-01", "2026-05-31", "2026-06-20", "2026-06-21", "2026-06-23", "2020-02-29", "1906-06-19"),
    *("1906-06-20", "2026-02-30", "1899-12-31", "1900-01-01", "2101-01-01", "0000-01-01", "2026-1-1"),
    *(" 2026-05-02\n", "", "2011-05-01", "2021-06-20", "2021-05-31", "2020-12-01", "2026-06-30"),
)
BSN_VALUES = (
    *BSNS[:4],
    *("999900007", "000000000", "999999999", "12345678", "", "٩" * 9),
)
CODES = ("45", "39", "4", "", "31", "٤٥", "55", "constructor")
ODD = (
    *("x" * 12, "x" * 13, "😀" * 12, "😀" * 13, " ", "\u00a0", "é", "R1", "R2", "R0", "&", "a<b", "\u2028"),
    "x" * 1_001,
)
NUMBERS = (*(1, 0, 83, 100, 1000, -1, 99_999_999, 100_000_000, "007", "1.0", " 12\t", "1" * 21, "0" * 20, "٣", ""),)


class Writer:
    """Messages whose values are right, wrong, or only look so."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def _pick(self, good: Any, *lists: tuple[Any, ...], chance: float = 0.12) -> Any:
        if self._random.random() > chance:
            return good
        return self._random.choice(self._random.choice((*lists, (None,))) if lists else (None,))

    def _header(self) -> dict[str, Any]:
        return {
            "version": self._pick(3, NUMBERS, chance=0.03),
            "subversie": self._pick(2, NUMBERS, chance=0.03),
            "afzender": self._pick(AGB, ("94000002", "9"), chance=0.03),
            "ontvanger": self._pick("0363", ("0034", "363", ""), chance=0.05),
            "id": self._pick("000000001", ODD, chance=0.1),
            "dagtekening": self._pick("2026-06-20", DAYS, chance=0.08),
            "basis": self._pick("1.0.0", ("01.0.0", "1.0"), chance=0.02),
        }

    def _product(self, ending: bool) -> Any:
        return product(
            ending,
            toewijzingnummer=self._pick(self._random.choice((1, 2, 3, 4711)), NUMBERS),
            categorie=self._pick("45", CODES),
            code=self._pick("45A99", ODD, chance=0.05),
            ingangsdatum=self._pick("2026-01-01", DAYS, chance=0.06),
            begin=self._pick("2026-01-05", DAYS, chance=0.06),
            reden=self._pick("31", ("32", "20", "99", "3"), chance=0.2),
            end=self._pick("2026-03-01", DAYS, chance=0.06),
            status=self._pick("1", ("3", "2", "9", "4", "13", ""), chance=0.2),
        )

    def regie(self) -> Sample:
        """A JW305 or JW307 of some products."""
        ending = self._random.random() < 0.5
        many = self._random.choice((1, 1, 2, 3, 4))
        message = Regie(
            ending,
            bsn=self._pick(BSN, BSN_VALUES, chance=0.1),
            born=self._pick("2011-05-01", DAYS, chance=0.2),
            usage=self._pick(None, ("1", "2", "3", "4", ""), chance=0.3),
            geslacht=self._pick("2", ("0", "1", "3", "V"), chance=0.1),
            products=[self._product(ending) for _ in range(many)],
            header=self._header(),
            eol=self._random.choice(("\r\n", "\n", "")),
        )
        return Sample("stop" if ending else "start", message.bytes())

    def declaration(self) -> Sample:
        """A JW323 of some lines, that mostly adds up."""
        lines = []
        for number in range(self._random.choice((1, 2, 3, 5, 8))):
            credit, volume, tarief = (
                self._random.random() < 0.2,
                self._random.randrange(1, 90),
                self._random.randrange(1, 900),
            )
            euros = self._random.random() < 0.1
            lines.append(
                prestatie(
                    bsn=self._pick(self._random.choice(BSNS[:3]), BSN_VALUES, chance=0.02),
                    ref=self._pick(f"A{number}", ODD, chance=0.04),
                    previous=self._pick(f"R{number}" if credit else None, ("R0", "A0", ""), chance=0.03),
                    dc="C" if credit else "D",
                    toewijzingnummer=self._pick(4711 + number, NUMBERS, chance=0.03),
                    categorie=self._pick("45", CODES, chance=0.04),
                    code=self._pick("45A99", ODD, chance=0.02),
                    begin=self._pick("2026-05-01", DAYS, chance=0.04),
                    end=self._pick("2026-05-31", DAYS, chance=0.04),
                    volume=volume,
                    eenheid="83" if euros else self._pick("04", ("83", "02"), chance=0.03),
                    tarief=None if euros else self._pick(tarief, (None, *NUMBERS), chance=0.03),
                    bedrag=volume if euros else volume * tarief,
                )
            )
        periode = (
            ("2026-05-01", "2026-05-31")
            if self._random.random() < 0.9
            else (self._random.choice(DAYS), self._random.choice(DAYS))
        )
        total = self._pick(None, (0, 1, 999_999_999_999, 1_000_000_000_000), chance=0.05)
        message = Declaratie(
            lines,
            periode,
            self._pick("2026-06-19", DAYS, chance=0.05),
            total,
            self._pick(None, ("C", "D", "X"), chance=0.05),
            self._header(),
        )
        return Sample("declaration", message.bytes())

    def changed(self, many: int) -> list[Sample]:
        """So many messages."""
        return [self._random.choice((self.regie, self.declaration))() for _ in range(many)]

    def damaged(self, given: list[Sample], many: int) -> list[Sample]:
        """Messages with bytes flipped, cut, swapped, doubled, or much put in between."""
        made = []
        for _ in range(many):
            sample = self._random.choice(given)
            data = sample.data
            for _ in range(self._random.choice((1, 1, 1, 2, 3))):
                how = self._random.choice((_flip, _flip, _swap, _cut, _double, _swell))
                value = self._random.randrange(256)
                if how is _swell and len(_HUGE[value % len(_HUGE)]) > 10_000 and self._random.random() < 0.8:
                    how = _flip
                data = how(data, self._random.randrange(2**20), value) or b"x"
            made.append(Sample(sample.kind, data, sample.sender))
        return made

    def _edit(self, data: bytes) -> bytes:
        """Elements left out, doubled, moved or renamed, another namespace, words of XML where text was."""
        pick = self._random.choice
        elements = [found.span() for found in re.finditer(rb"<[\w:]+>[^<]*</[\w:]+>", data)]
        first, last = pick(elements)
        other = data[slice(*pick(elements))]
        text = data.index(b">", first) + 1
        return pick(
            (
                data[:first] + data[last:],
                data[:last] + data[first:last] + data[last:],
                data[:first] + other + data[last:],
                data[:last] + other + data[last:],
                data.replace(
                    pick((b"3_2", b"basisschema", b"/ijw/", b"Bericht ", b"xmlns:m", b"m:Client", b"m:Header")),
                    pick(WORDS),
                ),
                data[:text] + pick(WORDS) + data[text:],
                data[:first] + pick(WORDS) + data[first:],
                data[: last - 1] + pick(WORDS) + data[last - 1 :],
                data[: first + 1] + pick(WORDS) + data[first + 1 :],
                pick(WORDS) + data,
                data + pick(WORDS),
                data[:text],
                data.decode("utf-8").encode(pick(("utf-16", "utf-16-le", "cp1252", "utf-8-sig", "utf-32")), "replace"),
                data.replace(b"UTF-8", pick((b"UTF-16", b"ISO-8859-1", b"us-ascii", b"!"))),
                data.replace(b"Test", "é€\u00ad".encode(pick(("utf-8", "cp1252")), "replace")),
            )
        )

    def edited(self, given: list[Sample], many: int) -> list[Sample]:
        """So many messages, each with some edits."""
        made = []
        for _ in range(many):
            sample = self._random.choice(given)
            data = sample.data
            for _ in range(self._random.choice((1, 1, 2))):
                if re.search(rb"<[\w:]+>[^<]*</[\w:]+>", data) and _is_utf8(data):
                    data = self._edit(data)
            made.append(Sample(sample.kind, data, sample.sender))
        return made


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


#: Pieces of XML, of attacks, and of what only looks like XML.
WORDS: tuple[bytes, ...] = (
    *(b"<!DOCTYPE x [<!ENTITY a 'b'>]>", b"<!DOCTYPE x SYSTEM 'http://x/y'>", b"<!doctype x>"),
    *(b"<!ENTITY a 'b'>", b"&a;", b"&amp;", b"&lt;", b"&", b"& ", b"&#65;", b"&#x41;", b"&#0;", b"&#xD800;"),
    *(b"&#1114112;", b"&#65", b"<![CDATA[x]]>", b"<![CDATA[", b"]]>", b"<![CDATA[ ]]>", b"<!-- x -->"),
    *(b"<!-- -- -->", b"<!--->", b"<!--", b"<?x y?>", b"<?x", b"<?xml version='1.0'?>", b"<?XML x?>"),
    *(b"<?x:y z?>", b"<?1?>", b"<", b">", b"</", b"/>", b"<x>", b"<x/>", b"</x>", b"<m:x/>", b"<b:x a='1'/>"),
    *(b" a='1'", b" a='<'", b" a='&a;'", b" a=1", b" xmlns='q'", b" xmlns:m='q'", b" xmlns:q=''"),
    *(b" xsi:schemaLocation='a b'", b"m:", b":", b"q:", b"m:m:", b"3_1", b"3_3", b"jw999", b"\x00", b"\x01"),
    *(b"\x1f", b"\xff", b"\xc3", b"\xef\xbf\xbe", b"\xef\xbb\xbf", b"\r", b"\n", b"\t", b" ", b"x"),
    *(b"\xc2\xa0", b"\xe2\x80\xa8", b"1", b"-1", b"+1", b"0", b"<m:Onbekend>x</m:Onbekend>", b'"', b"'", b"xx"),
    *(b"<x xmlns='http://www.istandaarden.nl/ijw/3_2/jw305/schema'>", b"\xf0\x9f\x98\x80" * 3),
)


#: Every rule of one message.
FOUND = (
    *("CS002", "CS015", "CS025", "CS058", "CS100", "CS139", "CS325", "CS337", "CS339", "CS340"),
    *("CD060", "CD087", "JZ020", "JZ588", "TR002", "TR018", "TR101", "TR134", "TR135", "TR137"),
    *("TR315", "TR316", "TR335", "TR358", "TR416", "B09", "XSD"),
)
PARTIAL = (("2011-05-01", "1"), ("2011-01-01", "2"), ("1900-01-01", "3"), ("2026-06-20", None))
#: What chance does not write.
EDGES = (
    Sample("start", Regie(header={"dagtekening": "2026-06-23"}).bytes()),
    *(Sample("start", Regie(born=born, usage=usage).bytes()) for born, usage in PARTIAL),
    *(
        Sample("start", Regie().bytes().replace(b"<m:Client>", b"<m:Client>" + word))
        for word in (b"<?XML x?>", b"</m:\n\n>")
    ),
    Sample("start", Regie().bytes().replace(b"xmlns:b", b"xmlns:m")),
    Sample("declaration", Declaratie([prestatie(bedrag=0)], dc="C").bytes()),
    Sample(
        "declaration",
        Declaratie([prestatie(dc="C", previous="R0"), prestatie(ref="R2", dc="C", previous="R0")]).bytes(),
    ),
    Sample("declaration", Declaratie([prestatie(), prestatie(ref="R2")]).bytes()),
    Sample("start", Regie().bytes(), "94000002"),
    Sample("start", Regie(True).bytes()),
    Sample("start", Regie(products=[product(status="2") for _ in range(120)]).bytes()),
    *(
        Sample("start", data)
        for data in (b"", b"<", b"<a>", b"xx", b"\xef\xbb\xbf<?xml", b"<m:Bericht>", b"<?xml version='2.0'?><a/>")
    ),
    Sample("start", Regie().bytes().replace(b"</m:Client>", b"<?a b?>" * 2_000 + b"</m:Client>")),
    Sample(
        "start",
        Regie().bytes().replace(b"</m:Client>", b"".join(b"<?a%d?>" % n for n in range(1_001)) + b"</m:Client>"),
    ),
    Sample("start", Regie().bytes().replace(b"<m:Client>", b"<!-- " + b"x" * 140_000 + b" --><m:Client>")),
    Sample("start", Regie().bytes().replace(b"<m:Client>", b"<m:" + b"C" * 50_001 + b">")),
    Sample("start", Regie().bytes().replace(b"Test", b"T" * 70_000)),
    *(Sample("start", b" " * (65_536 - cut) + Regie().bytes().partition(b"?>")[2]) for cut in range(0, 1_300, 17)),
)


def test_messages_with_changed_values_are_read_alike(browser_sources: Path) -> None:
    samples = [*Writer(305).changed(CHANGED), *EDGES]
    wrong, ours = differences(browser_sources, samples)
    assert wrong == []
    codes = {found[0] for _, read in ours if read and isinstance(read[0], str) for found in read[3]}
    assert codes >= set(FOUND)
    assert sum(not read or isinstance(read[0], list) for _, read in ours) > CHANGED // 20


@pytest.mark.parametrize("how", ["damaged", "edited"])
def test_messages_that_are_broken_are_refused_alike(browser_sources: Path, written: list[Sample], how: str) -> None:
    writer = Writer(len(how))
    good = [Writer(1).regie() for _ in range(6)] + [s for s in written if len(s.data) < 9_000][:60]
    good += [
        Sample("start", Regie().bytes()),
        Sample("declaration", Declaratie().bytes()),
        Sample("stop", Regie(True).bytes()),
    ]
    samples = writer.damaged(good, DAMAGED) if how == "damaged" else writer.edited(good, EDITED)
    wrong, ours = differences(browser_sources, samples)
    assert wrong == []
    codes = {read[0] for _, read in ours if read and isinstance(read[0], str)}
    assert codes >= {"XSD", "B03", "B04", "B25"}
    if how == "edited":
        assert any(read[:3] == ["XSD", read[1], "DOCTYPE"] for _, read in ours)
