"""How much memory a file takes while it is read: at most a stated factor of its size, whatever is in it.

Each file is read in a process of its own, as a worker of the intake or as ``sor deliver`` does it. Measured is the
highest resident size since the program began (``VmHWM``), less that after small files: what Python and its packages
take. ``docs/intake.md`` states the factor.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Callable
from io import BytesIO
from itertools import count
from pathlib import Path

import pytest

from connectors.intake.jobs import Job
from tests.connectors.support import (
    AGB,
    BSN,
    CBS_HEADER,
    CEM_HEADER,
    LAYOUT,
    Declaratie,
    Regie,
    Toewijzingen,
    assigned,
    cbs_ascii,
    cbs_row,
    cbs_xlsx,
    make_keys,
    prestatie,
    table,
    unzipped,
    zipped,
)

SIZE = 5_000_000
#: Of an upload, and in all of a file that is unpacked: a zip file or a workbook [P].
FACTOR, UNPACKED = 8, 120_000_000
_RESULT = """
def highest():
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
class Nowhere:
    def send(self, *_): pass
    poll = flush = abandon = mark = wait = close = send
"""
WORKER = (
    "import pathlib, pickle, sys\n"
    + _RESULT
    + """
from connectors.delivery.connector import Connector
from connectors.intake.jobs import Refused
from connectors.intake.work import handle
from transport.clients import Cluster
connector = Connector(pathlib.Path(sys.argv[1]), Cluster("nowhere"), publisher=Nowhere(), receipts=Nowhere())
small, large = map(int, sys.argv[2:])
for job in pickle.loads(sys.stdin.buffer.read(small)):
    handle(connector, job, 1_000_000)
before = highest()
found = handle(connector, pickle.loads(sys.stdin.buffer.read(large)), 1_000_000)
print(highest() - before, found.code if isinstance(found, Refused) else found.lines)
"""
)
DELIVER = (
    "import pathlib, sys\n"
    + _RESULT
    + """
from connectors.delivery.connector import Connector
from connectors.formats.cbs.layout import read
from connectors.formats.files import Limits, find
from connectors.formats.model import Choices
from transport.clients import Cluster
keys, small, large, layout = map(pathlib.Path, sys.argv[1:])
choices = Choices(layout=read(layout), periode="2026-1")
def deliver(path):
    refused, limits = [], Limits()
    with Connector(keys, Cluster("nowhere"), publisher=Nowhere(), receipts=Nowhere(), choices=choices) as connector:
        run = connector.run("94000001")
        made = list(connector.deliveries(find([path], limits, refused.append), run, refused.append))
        faults = [file.fault.code if file.fault else "good" for one in made for file in one.files]
    return [fault.code for fault in refused] + faults
deliver(small)
before = highest()
found = deliver(large)
print(highest() - before, *set(found))
"""
)


def repeated(head: bytes, unit: bytes, tail: bytes = b"", size: int = SIZE) -> bytes:
    """As often as the size allows."""
    return head + unit * ((size - len(head) - len(tail)) // len(unit)) + tail


def numbered(head: bytes, unit: bytes, tail: bytes = b"", size: int = SIZE) -> bytes:
    """As ``repeated``, every one with a number of its own."""
    found, length = [head], len(head) + len(tail)
    for number in count():
        found.append(unit.replace(b"%", b"%d" % number))
        length += len(found[-1])
        if length > size:
            return b"".join([*found, tail])
    raise AssertionError


def skipped(inside: Callable[[int], bytes]) -> bytes:
    """A JW301 with something in a part that is passed over."""
    whole = Toewijzingen([assigned()]).bytes()
    start, end = whole.index(b"<m:Naam>") + len(b"<m:Naam>"), whole.index(b"</m:Naam>")
    return whole[:start] + inside(SIZE - len(whole)) + whole[end:]


START = Regie().bytes()
ROOT = START[: START.index(b">", START.index(b"Bericht"))]
OPEN = START[: START.index(b"<m:Header")]
RAP = b"BSN;Beschikingsnummer;Toewijzingsnummer;Type;Waarde\r\n"
CEM = (";".join(CEM_HEADER) + "\r\n").encode()
WIDE = "\U0001f600".encode()
#: Rows take time.
MANY_ROWS = 2_000_000
COMING = numbered(CEM, b";;;%;;;;;\n", size=MANY_ROWS // 2)
#: What is uploaded -> the content.
UPLOADS: dict[str, Callable[[], bytes]] = {
    "attributes of the root": lambda: numbered(ROOT, b" a%=''", b"/>"),
    "attributes of an element": lambda: numbered(OPEN + b"<m:Header", b" a%=''", b"/>"),
    "one long attribute": lambda: repeated(OPEN + b"<m:Header a='", b"x", b"'/>"),
    "namespaces of the root": lambda: numbered(ROOT, b" xmlns:a%='u%'", b"/>"),
    "namespaces of an element": lambda: numbered(OPEN + b"<m:Header", b" xmlns:a%='u%'", b"/>"),
    "elements in elements": lambda: repeated(OPEN, b"<a>"),
    "instructions": lambda: numbered(ROOT + b">", b"<?n%?>"),
    "comments": lambda: numbered(ROOT + b">", b"<!-- % -->"),
    "one comment": lambda: repeated(ROOT + b"><!--", b"<x ", b"-->"),
    "one section": lambda: repeated(ROOT + b"><![CDATA[", b"<x ", b"]]>"),
    "one instruction": lambda: repeated(ROOT + b"><?a ", b"<x ", b"?>"),
    "white space": lambda: repeated(ROOT + b">", b"  "),
    "references": lambda: repeated(ROOT + b">", b"&#32;"),
    "one long name": lambda: repeated(ROOT + b"><", b"x"),
    "passed over: elements in elements": lambda: skipped(lambda size: repeated(b"", b"<a>", size=size)),
    "passed over: names": lambda: skipped(lambda size: numbered(b"", b"<n%/>", size=size)),
    "passed over: namespaces": lambda: skipped(lambda size: numbered(b"", b"<n xmlns='u%'/>", size=size)),
    "passed over: prefixes": lambda: skipped(lambda size: numbered(b"", b"<n xmlns:p%='u'/>", size=size)),
    "passed over: one section": lambda: skipped(lambda size: repeated(b"<![CDATA[", b"<x ", b"]]>", size=size)),
    "a good message": lambda: Declaratie([prestatie(ref=f"R{n}", toewijzingnummer=n) for n in range(6_000)]).bytes(),
    "a million line ends": lambda: RAP + b"\n" * 999_990,
    "lines with wide text": lambda: repeated(RAP, WIDE + b"x" * 250_000 + b";;;;\n"),
    "lines of separators": lambda: repeated(RAP, b";" * 250_000 + b"\n"),
    "lines of quoted cells": lambda: repeated(RAP, b'"a";' * 60_000 + b"x\n"),
    "short rows": lambda: numbered(RAP, f"{BSN};;%;PB;1\n".encode(), size=MANY_ROWS),
    "metingen that come back": lambda: COMING + COMING.removeprefix(CEM),
    "no text": lambda: bytes(range(256)) * (SIZE // 256),
}  # fmt: skip


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_keys(tmp_path_factory.mktemp("footprint") / "keys")


@pytest.mark.parametrize("what", UPLOADS)
def test_a_worker_takes_a_stated_factor_of_an_upload(keys: Path, what: str) -> None:
    content = UPLOADS[what]()
    small = pickle.dumps([Job(AGB, "a", False, one) for one in (START, RAP + f"{BSN};;1;PB;1\n".encode())])
    large = pickle.dumps(Job(AGB, "large", False, content))
    done = subprocess.run(
        [sys.executable, "-c", WORKER, str(keys), str(len(small)), str(len(large))],
        input=small + large, capture_output=True, check=True, timeout=120,
    )  # fmt: skip
    taken = int(done.stdout.split()[0])
    assert taken < FACTOR * max(len(content), 1_000_000), done.stdout


LINE = cbs_ascii([cbs_row()])
BOOK = unzipped(cbs_xlsx([cbs_row()]))
RELATIONS, SHEET = "xl/_rels/workbook.xml.rels", "xl/worksheets/sheet1.xml"
UNPACKED_SIZE = 10_000_000


def book(**parts: bytes) -> bytes:
    """A workbook with other parts."""
    places = {"book": "xl/workbook.xml", "styles": "xl/styles.xml", "words": "xl/words.bin"}
    return zipped(BOOK | {places[name]: content for name, content in parts.items()})


def texts(unit: bytes, size: int) -> bytes:
    """A workbook with texts in a part under another name."""
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
    more = f'<Relationship Type="{kind}" Target="words.bin" Id="more"/></Relationships>'.encode()
    words = numbered(b"<sst>", b"<si><t>" + unit + b"</t></si>", b"</sst>", size)
    return zipped(BOOK | {RELATIONS: BOOK[RELATIONS].replace(b"</Relationships>", more), "xl/words.bin": words})


def sheet(rows: bytes) -> bytes:
    """A workbook with other rows."""
    name = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    return zipped(BOOK | {SHEET: name + rows + b"</sheetData></worksheet>"})


def styles(head: bytes, unit: bytes, tail: bytes = b"") -> bytes:
    """A workbook with other styles."""
    return book(styles=numbered(b"<styleSheet>" + head, unit, tail + b"</styleSheet>", UNPACKED_SIZE))


def entries(number: int, name: str = "{:x}") -> bytes:
    """A zip file of which almost nothing is files: entries without content, under short names or under one."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for turn in range(number):
            archive.writestr(zipfile.ZipInfo(name.format(turn)), b"")
    return out.getvalue()


def packed(method: int) -> bytes:
    """A zip file with much of nothing."""
    out = BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("zeros.csv", b"0" * 200_000_000)
    return out.getvalue()


#: What is delivered as a file -> its content, and what becomes of it.
FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "formats": (lambda: styles(b"<numFmts>", b"<numFmt numFmtId='%' formatCode='d'/>", b"</numFmts>"), "B20"),
    "styles": (lambda: styles(b"<cellXfs>", b"<xf numFmtId='14' x='%'/>", b"</cellXfs>"), "B20"),
    "styles of nothing": (lambda: styles(b"<fonts>", b"<font><sz val='%'/></font>", b"</fonts>"), "good"),
    "names in styles": (lambda: styles(b"", b"<n%/>"), "B20"),
    "texts": (lambda: texts(b"%", 20_000_000), "good"),
    "too many texts": (lambda: texts(b"%", 50_000_000), "B11"),
    "long texts": (lambda: texts(WIDE * 2_000 + b"%" * 2_000, 120_000_000), "B11"),
    "a long text": (lambda: texts(b"% " * 40_000, 200_000), "B20"),
    "many sheets": (lambda: book(book=numbered(b"<workbook>", b"<sheet name='%' id='rId1'/>", b"</workbook>")), "B20"),
    "a long row": (lambda: sheet(numbered(b"<row>", b"<c><v>%</v></c>", b"</row>", UNPACKED_SIZE)), "B06"),
    "rows without cells": (lambda: sheet(numbered(b"", b"<row x='%'/>", size=UNPACKED_SIZE)), "B11"),
    "a huge dimension": (lambda: sheet(b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'), "B11"),
    "elements in a cell": (lambda: sheet(numbered(b"<row><c>", b"<n%>", size=UNPACKED_SIZE)), "B20"),
    "one cell": (lambda: sheet(numbered(b"<row><c t='str'><v>", b"%&#65;", b"</v></c></row>", UNPACKED_SIZE)), "B20"),
    "attributes of a cell": (lambda: sheet(numbered(b"<row><c ", b" a%=''", b"/></row>", UNPACKED_SIZE)), "B20"),
    "wide lines": (lambda: repeated(LINE + WIDE + b"\n", b" " * 9_000 + b"\n", size=20_000_000), "good"),
    "many lines": (lambda: table(CBS_HEADER, [cbs_row()] * 60_000), "B19"),
    "twins": (lambda: entries(9_000, "start.xml"), "B10"),
    "entries": (lambda: entries(50_000), "B11"),
    "a directory": (lambda: entries(200_000), "B11"),
    "zeros": (lambda: packed(zipfile.ZIP_DEFLATED), "B11"),
    "zeros, packed better": (lambda: packed(zipfile.ZIP_BZIP2), "B10"),
}  # fmt: skip


@pytest.mark.parametrize("what", FILES)
def test_what_is_unpacked_takes_no_more_than_a_stated_sum(keys: Path, tmp_path: Path, what: str) -> None:
    make, outcome = FILES[what]
    layout, small, large = (tmp_path / name for name in ("layout.toml", "small.xlsx", "large.xlsx"))
    layout.write_bytes(LAYOUT)
    small.write_bytes(cbs_xlsx([cbs_row()]))
    large.write_bytes(make())
    done = subprocess.run(
        [sys.executable, "-c", DELIVER, str(keys), str(small), str(large), str(layout)],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    taken, *found = done.stdout.split()
    assert int(taken) < UNPACKED, done.stdout
    assert found == [outcome]
