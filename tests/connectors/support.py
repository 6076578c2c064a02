"""Writers of the field's formats, and a third party in memory: the real stages as functions, without a broker."""

from __future__ import annotations

import csv
import io
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from random import Random
from typing import Any, Literal
from xml.sax.saxutils import quoteattr

from openpyxl import Workbook  # type: ignore[import-untyped]
from structlog.testing import capture_logs

from connectors.delivery.connector import Connector
from connectors.delivery.recognise import PARSERS
from connectors.formats.cbs.layout import layout_of
from connectors.formats.model import Choices, FileContext, FileFault, FileRecord, Tally
from crypto import keys
from crypto.sources import Trust
from domain.facts.answer import Line, Receipt, receipt_key
from domain.field.bsn import official_numbers
from domain.field.dates import as_date
from schemas.typed import ReceiptCodec, StructCodec
from streams.admission import Admission
from streams.deliveries import Deliveries
from streams.engine.stage import Record as LogRecord
from streams.evaluate import Evaluator
from tests.trusted import admit, evaluate, with_authority
from transport.clients import Cluster
from transport.publisher import NotDelivered

BSNS = official_numbers()
BSN = BSNS[0]
AGB = "94000001"
#: 22 June 2026, 12:00 UTC: "now" of the tests.
NOW = 1_782_129_600_000
NS = "http://www.istandaarden.nl/ijw/3_2/{}/schema"

Node = tuple[str, Any]


def xml(message: str, body: list[Node], eol: str = "\r\n") -> bytes:
    """A message; an element is ``("m:Name", text or children)``; children that are None are left out."""
    names = f"xmlns:m={quoteattr(NS.format(message))} xmlns:b={quoteattr(NS.format('basisschema'))}"
    parts = [f'<?xml version="1.0" encoding="UTF-8"?>{eol}<m:Bericht {names}>']
    for node in body:
        _write(parts, node, eol)
    return "".join([*parts, eol, f"</m:Bericht>{eol}"]).encode()


def _write(parts: list[str], node: Node, eol: str) -> None:
    name, content = node
    if isinstance(content, list):
        parts.append(f"{eol}<{name}>")
        for child in content:
            if child[1] is not None:
                _write(parts, child, eol)
        parts.append(f"</{name}>")
    else:
        parts.append(f"<{name}>{escape(str(content), quote=False)}</{name}>")


def header(code: str, **changed: Any) -> Node:
    """A header; every value can be replaced, None leaves an element out."""
    v = {
        "code": code,
        "version": 3,
        "subversie": 2,
        "afzender": AGB,
        "ontvanger": "0363",
        "id": "000000001",
        "dagtekening": "2026-06-20",
        "basis": "1.0.0",
        "bericht": "1.0.0",
    } | changed
    return (
        "m:Header",
        [
            ("m:BerichtCode", v["code"]),
            ("m:BerichtVersie", v["version"]),
            ("m:BerichtSubversie", v["subversie"]),
            ("m:Afzender", v["afzender"]),
            ("m:Ontvanger", v["ontvanger"]),
            ("m:BerichtIdentificatie", [("b:Identificatie", v["id"]), ("b:Dagtekening", v["dagtekening"])]),
            ("m:XsdVersie", [("b:BasisschemaXsdVersie", v["basis"]), ("b:BerichtXsdVersie", v["bericht"])]),
        ],
    )


def product(ending: bool = False, **changed: Any) -> Node:
    """One StartProduct or StopProduct."""
    v = {
        "toewijzingnummer": 4711,
        "categorie": "45",
        "code": "45A99",
        "ingangsdatum": "2026-01-01",
        "begin": "2026-01-05",
        "reden": "31",
        "end": "2026-03-01",
        "status": "1",
    } | changed
    children: list[Node] = [
        ("m:ToewijzingNummer", v["toewijzingnummer"]),
        ("m:Product", [("b:Categorie", v["categorie"]), ("b:Code", v["code"])] if v["categorie"] else None),
        ("m:ToewijzingIngangsdatum", v["ingangsdatum"]),
        ("m:Begindatum", v["begin"]),
    ]
    if ending:
        children += [("m:RedenBeeindiging", v["reden"]), ("m:Einddatum", v["end"])]
    return ("m:StopProduct" if ending else "m:StartProduct", [*children, ("m:StatusAanlevering", v["status"])])


@dataclass
class Regie:
    """A JW305 or JW307 in the making."""

    ending: bool = False
    bsn: str = BSN
    born: str = "2011-05-01"
    usage: str | None = None
    geslacht: str = "2"
    products: list[Node] = field(default_factory=list)
    header: dict[str, Any] = field(default_factory=dict)
    eol: str = "\r\n"

    def bytes(self) -> bytes:
        """The message."""
        group = "Stop" if self.ending else "Start"
        products = self.products or [product(self.ending)]
        client = [
            ("m:Bsn", self.bsn),
            ("m:Geboortedatum", [("b:Datum", self.born), ("b:DatumGebruik", self.usage)]),
            ("m:Geslacht", self.geslacht),
            ("m:Naam", [("b:Geslachtsnaam", [("b:Achternaam", "Test"), ("b:Voorvoegsel", "van")])]),
            (f"m:{group}Producten", products),
        ]
        code = "440" if self.ending else "438"
        body = [header(code, **self.header), ("m:Client", client)]
        return xml("jw307" if self.ending else "jw305", body, self.eol)


def prestatie(**changed: Any) -> dict[str, Any]:
    """The values of one declared line."""
    return {
        "bsn": BSN,
        "ref": "R1",
        "previous": None,
        "toewijzingnummer": 4711,
        "categorie": "45",
        "code": "45A99",
        "begin": "2026-05-01",
        "end": "2026-05-31",
        "volume": 10,
        "eenheid": "04",
        "tarief": 100,
        "bedrag": 1000,
        "dc": "D",
    } | changed


@dataclass
class Declaratie:
    """A JW323 in the making. ``total`` None = the signed sum of the lines."""

    prestaties: list[dict[str, Any]] = field(default_factory=lambda: [prestatie()])
    periode: tuple[str, str] = ("2026-05-01", "2026-05-31")
    dagtekening: str = "2026-06-19"
    total: int | None = None
    dc: str | None = None
    header: dict[str, Any] = field(default_factory=dict)

    def bytes(self) -> bytes:
        """The message."""
        summed = sum(-r["bedrag"] if r["dc"] == "C" else r["bedrag"] for r in self.prestaties)
        total = abs(summed) if self.total is None else self.total
        clients: dict[str, list[Node]] = {}
        for r in self.prestaties:
            clients.setdefault(r["bsn"], []).append(_prestatie(r))
        body = [
            ("m:DeclaratieNummer", "D1"),
            ("m:DeclaratiePeriode", _periode(*self.periode)),
            ("m:DeclaratieDagtekening", self.dagtekening),
            ("m:TotaalIngediendBedrag", _bedrag("b:TotaalBedrag", total, self.dc or ("C" if summed < 0 else "D"))),
            ("m:Clienten", [("m:Client", [("m:Bsn", bsn), ("m:Prestaties", ps)]) for bsn, ps in clients.items()]),
        ]
        return xml("jw323", [header("490", **self.header), ("m:Declaratie", body)])


def _periode(begin: str, end: str) -> list[Node]:
    return [("b:Begindatum", begin), ("b:Einddatum", end)]


def _bedrag(name: str, bedrag: int, dc: str) -> list[Node]:
    return [(name, bedrag), ("b:DebetCredit", dc)]


def _prestatie(r: dict[str, Any]) -> Node:
    return (
        "m:Prestatie",
        [
            ("m:ProductReferentie", [("b:ReferentieNummer", r["ref"]), ("b:VorigReferentieNummer", r["previous"])]),
            ("m:ToewijzingNummer", r["toewijzingnummer"]),
            ("m:ProductCategorie", r["categorie"]),
            ("m:ProductCode", r["code"]),
            ("m:ProductPeriode", _periode(r["begin"], r["end"])),
            ("m:GeleverdVolume", r["volume"]),
            ("m:Eenheid", r["eenheid"]),
            ("m:ProductTarief", r["tarief"]),
            ("m:IngediendBedrag", _bedrag("b:Bedrag", r["bedrag"], r["dc"])),
        ],
    )


RAP_HEADER = ("BSN", "Beschikingsnummer", "Toewijzingsnummer", "Type", "Waarde")
CEM_HEADER = (
    *("zorgaanbieder_id", "bsn", "client_ref", "meting_id"),
    *("datum_meting", "informant", "vragenlijst", "vraag", "antwoord"),
)


def table(
    header: tuple[str, ...],
    rows: list[tuple[str, ...]],
    separator: str = ";",
    encoding: str = "utf-8",
    eol: str = "\r\n",
    *,
    quote_all: bool = False,
) -> bytes:
    """A CSV file."""
    out = io.StringIO()
    quoting: Literal[0, 1] = csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL
    writer = csv.writer(out, delimiter=separator, lineterminator=eol, quoting=quoting)
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue().encode(encoding)


def cem_rows(meting: str = "1-1", answers: dict[str, str] | None = None, **changed: str) -> list[tuple[str, ...]]:
    """The rows of one meting; every other column can be changed."""
    answers = {"VR01": "2", "VR09A": "8", "VR10": "1"} if answers is None else answers
    v = {"provider": AGB, "bsn": BSN, "ref": "ref-7", "when": "01-06-2026", "informant": "Moeder"}
    v = v | {"vragenlijst": "CEM+_2018_OE_v1"} | changed
    head = (v["provider"], v["bsn"], v["ref"], meting, v["when"], v["informant"], v["vragenlijst"])
    return [(*head, question, answer) for question, answer in answers.items()]


def iso(day: int) -> str:
    """A day number as text."""
    return as_date(day).isoformat()


def parse(kind: str, data: bytes, encoding: str = "utf-8-sig", **more: Any) -> list[FileRecord]:
    """The records of a file; ``FileFault`` as the parser raises it."""
    context = FileContext("bestand", more.pop("afzender", AGB), NOW, encoding, data.count(b"\n") + 1, **more)
    return list(PARSERS[kind](io.BytesIO(data), context))


def refusal(kind: str, data: bytes, **more: Any) -> FileFault:
    """Why a file is refused as a whole."""
    try:
        parse(kind, data, **more)
    except FileFault as fault:
        return fault
    raise AssertionError("accepted")


def _key(receipt: Receipt) -> str:
    return receipt_key(receipt.sender, receipt.delivery, receipt.lines)


class ThirdParty:
    """Evaluate, entry and deliveries in this process, in the place of the broker; can break on demand."""

    def __init__(self, folder: Path) -> None:
        trust = Trust(folder)
        self._evaluate = Evaluator(keys.load_evaluate(folder), trust)
        self._admit = Admission(keys.load_entry(folder), trust)
        self._deliveries, self._receipts = Deliveries(), ReceiptCodec()
        self.sent: list[tuple[str, bytes, bytes]] = []
        self.state: dict[bytes, bytes] = {}
        self.events: list[bytes] = []
        self.taken: list[bytes] = []  # for sor.terugnames
        self.asked: list[tuple[bytes, bytes]] = []  # for sor.wisverzoeken
        self.fail_at: int | None = None
        self.fail_with: BaseException = NotDelivered("no broker")
        self.silent_after: int | None = None
        self._new: list[Receipt] = []
        self.last_receipt = b""

    def send(self, topic: str, key: bytes, value: bytes | None) -> None:
        assert value is not None
        if self.fail_at is not None and len(self.sent) >= self.fail_at:
            raise self.fail_with
        self.sent.append((topic, key, value))
        if self.silent_after is not None and len(self.sent) > self.silent_after:
            return
        now = time.time_ns() // 1_000_000
        admitted = admit(self._admit, evaluate(self._evaluate, topic, value, now), now)
        if admitted.event:
            self.events.append(admitted.event)
        self._receipt(admitted.handle, StructCodec(Line).encode(admitted.line))
        if admitted.asked:
            self.asked.append(admitted.asked)
        if admitted.taken:
            handle, taken, line = admitted.taken
            self.taken.append(taken)
            self._receipt(handle, StructCodec(Line).encode(line))

    def _receipt(self, handle: bytes, line: bytes) -> None:
        record = LogRecord(len(self.sent), line, 0)
        with capture_logs():  # the stage's own log is not the sender's screen
            self.state[handle], out = self._deliveries(handle, self.state.get(handle), [record])
        if not out:
            return  # what is taken back was never sent: there is no receipt of it
        assert out[0].value is not None
        self.last_receipt = out[0].value
        self._new.append(self._receipts.decode(out[0].value))

    def tell(self, handle: bytes, line: int, uitkomst: str, code: str) -> None:
        """What another stage says later of a record of a delivery that it knows by its handle alone."""
        told = Line(
            delivery="", line=line, lines=0, kind="start", sender=AGB, test=False, published_at=1, regel=0, regels=0,
            uitkomst=uitkomst, code=code, veld="",
        )  # fmt: skip
        self._receipt(handle, StructCodec(Line).encode(told))

    def poll(self) -> None:
        """Nothing is waiting."""

    def flush(self, timeout: float = 30.0) -> None:
        """Everything has arrived."""

    def abandon(self) -> None:
        """Nothing is queued."""

    def mark(self, delivery: str) -> None:
        self._new = [receipt for receipt in self._new if _key(receipt) != delivery]

    def wait(
        self, delivery: str, _seconds: float, seen: Callable[[Receipt], None], pulse: Callable[[], None]
    ) -> Receipt | None:
        found = [receipt for receipt in self._new if _key(receipt) == delivery]
        for receipt in found:
            pulse()
            seen(receipt)
        return found[-1] if found else None

    def close(self) -> None:
        """Nothing is open."""


@contextmanager
def connected(folder: Path) -> Iterator[tuple[Connector, ThirdParty]]:
    """A connector whose third party is in this process."""
    third = ThirdParty(folder)
    with Connector(folder, Cluster("nowhere"), publisher=third, receipts=third) as connector:
        yield connector, third


def attempt(kind: str, data: bytes, **more: Any) -> tuple[str, list[FileRecord]]:
    """Parse what may be damaged: the code of the refusal ("" = none) and the records; no text of either holds a BSN."""
    try:
        records = parse(kind, data, **more)
    except FileFault as fault:
        text = f"{fault} {fault!r} {fault.found}"
        assert BSN not in text
        assert "Test" not in text
        return fault.code, []
    assert all(BSN not in repr(record) for record in records)
    return "", records


def damaged(whole: bytes, rng: Random, times: int) -> Iterator[bytes]:
    """The bytes with one to three of them replaced."""
    for _ in range(times):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 3)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        yield bytes(data)


def make_keys(folder: Path) -> Path:
    """A fresh folder of keys, of a source that may send everything."""
    keys.init(folder)
    with_authority(folder)
    return folder


def assigned(**changed: Any) -> Node:
    """One ToegewezenProduct."""
    v = {
        "toewijzingnummer": 4711,
        "referentie": "Jansen-17",
        "categorie": "45",
        "code": "45A99",
        "datum": "2026-01-02",
        "tijd": "10:20:30",
        "ingangsdatum": "2026-01-01",
        "end": "2026-12-31",
        "reden": None,
        "omvang": (12, "04", "2"),
        "budget": None,
        "commentaar": "belt liever moeder Jansen",
    } | changed
    product: list[Node] | None = [("b:Categorie", v["categorie"]), ("b:Code", v["code"])] if v["categorie"] else None
    names = ("b:Volume", "b:Eenheid", "b:Frequentie")
    size: list[Node] | None = list(zip(names, v["omvang"], strict=True)) if v["omvang"] else None  # type: ignore[call-overload]
    return (
        "m:ToegewezenProduct",
        [
            ("m:ToewijzingNummer", v["toewijzingnummer"]),
            ("m:ReferentieAanbieder", v["referentie"]),
            ("m:Product", product),
            ("m:Toewijzingsdatum", v["datum"]),
            ("m:Toewijzingstijd", v["tijd"]),
            ("m:Ingangsdatum", v["ingangsdatum"]),
            ("m:Einddatum", v["end"]),
            ("m:RedenWijziging", v["reden"]),
            ("m:Omvang", size),
            ("m:Budget", v["budget"]),
            ("m:Commentaar", v["commentaar"]),
        ],
    )


_ADDRESS: list[Node] = [
    ("m:Contact", [("m:Soort", "01"), ("m:Adres", [("b:Huisnummer", 7), ("b:Postcode", "1315AB")])])
]


@dataclass
class Toewijzingen:
    """A JW301 in the making, with everything personal that the standard knows."""

    products: list[Node] = field(default_factory=lambda: [assigned()])
    bsn: str = BSN
    born: str = "2011-05-01"
    usage: str | None = None
    header: dict[str, Any] = field(default_factory=dict)

    def bytes(self) -> bytes:
        """The message."""
        family = [("b:Achternaam", "Jansen"), ("b:Voorvoegsel", "van")]
        name = [("b:Geslachtsnaam", family), ("b:Voornamen", "Jan"), ("b:NaamGebruik", "1")]
        client = [
            ("m:Bsn", self.bsn),
            ("m:Geboortedatum", [("b:Datum", self.born), ("b:DatumGebruik", self.usage)]),
            ("m:Geslacht", "1"),
            ("m:Naam", name),
            ("m:Communicatie", [("b:Vorm", "1"), ("b:Taal", "Frans")]),
            ("m:JuridischeStatus", "01"),
            ("m:Commentaar", "gescheiden ouders Jansen"),
            ("m:Relaties", [("m:Relatie", [("m:Nummer", "1"), ("m:Naam", name), *_ADDRESS])]),
            ("m:Contactgegevens", _ADDRESS),
            ("m:ToegewezenProducten", self.products),
        ]
        head = header("436", **({"afzender": "0363", "ontvanger": AGB} | self.header))
        return xml("jw301", [head, ("m:Client", client)])


def _retourcodes(codes: tuple[str, ...]) -> Node:
    return ("m:RetourCodes", [("m:RetourCode", code) for code in codes] or None)


def _version(name: str) -> Node:
    return (name, [("b:BasisschemaXsdVersie", "1.0.0"), ("b:BerichtXsdVersie", "1.0.0")])


@dataclass
class Retour:
    """A JW306 or JW308 in the making; LF only, as the official examples."""

    ending: bool = False
    codes: tuple[str, ...] = ()
    client_codes: tuple[str, ...] | None = None  # the codes of the client; None = no client block
    class_codes: tuple[str, ...] = ("9326",)
    dagtekening: str = "2026-06-21"
    header: dict[str, Any] = field(default_factory=dict)

    def bytes(self) -> bytes:
        """The message."""
        name, parts = header("441" if self.ending else "439", **self.header)
        xslt = "1.2.3" if "0001" in self.codes else None
        parts += [("m:IdentificatieRetour", "R1"), ("m:DagtekeningRetour", self.dagtekening), ("m:XsltVersie", xslt)]
        body = [(name, [*parts, _version("m:XsdVersieRetour"), _retourcodes(self.codes)])]
        if self.client_codes is not None:
            body.append(self._client(self.client_codes))
        return xml("jw308" if self.ending else "jw306", body, "\n")

    def _client(self, codes: tuple[str, ...]) -> Node:
        group = "Stop" if self.ending else "Start"
        name, content = product(self.ending)
        client = [
            ("m:Bsn", BSN),
            ("m:Geboortedatum", [("b:Datum", "2011-05-01")]),
            ("m:Geslacht", "2"),
            ("m:Naam", [("b:Geslachtsnaam", [("b:Achternaam", "Test")])]),
            (f"m:{group}Producten", [(name, [*content, _retourcodes(self.class_codes)])]),
            _retourcodes(codes),
        ]
        return ("m:Client", client)


@dataclass
class Antwoord:
    """A JW325 in the making: rejected lines by client with the codes of each. ``awarded`` None = what adds up."""

    prestaties: list[tuple[dict[str, Any], tuple[str, ...]]] = field(default_factory=list)
    client_codes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    header_codes: tuple[str, ...] = ("0200",)
    codes: tuple[str, ...] | None = None  # None = 8001 without lines, else 0200
    header_only: bool = False
    submitted: int = 10_000
    awarded: int | None = None
    header: dict[str, Any] = field(default_factory=dict)

    def bytes(self) -> bytes:
        """The message."""
        name, parts = header("491", **({"afzender": "0363", "ontvanger": AGB} | self.header))
        declared = [("b:Identificatie", "D-000000001"), ("b:Dagtekening", "2026-06-01")]
        parts += [
            ("m:DeclaratieIdentificatie", declared),
            _version("m:XsdVersieDeclaratie"),
            _retourcodes(self.header_codes),
        ]
        body = [(name, parts)]
        if not self.header_only:
            body.append(("m:DeclaratieAntwoord", self._antwoord()))
        return xml("jw325", body, "\n")

    def _antwoord(self) -> list[Node]:
        clients: dict[str, list[Node]] = {}
        for values, codes in self.prestaties:
            name, content = _prestatie(values)
            clients.setdefault(values["bsn"], []).append((name, [*content, _retourcodes(codes)]))
        summed = sum(-r["bedrag"] if r["dc"] == "C" else r["bedrag"] for r, _ in self.prestaties)
        over = self.submitted - summed if self.awarded is None else self.awarded
        blocks = [
            ("m:Client", [("m:Bsn", bsn), ("m:Prestaties", lines), _retourcodes(self.client_codes.get(bsn, ("0200",)))])
            for bsn, lines in clients.items()
        ]
        return [
            ("m:DeclaratieNummer", "D1"),
            ("m:TotaalIngediendBedrag", _bedrag("b:TotaalBedrag", self.submitted, "D")),
            ("m:TotaalToegekendBedrag", _bedrag("b:TotaalBedrag", abs(over), "C" if over < 0 else "D")),
            ("m:Clienten", blocks or None),
            _retourcodes(self.codes or (("0200",) if blocks else ("8001",))),
        ]


LAYOUT = b"""
[velden]
bsn = {kolom = "BSN", plaats = 1, breedte = 9}
geboortedatum = {kolom = "Geboortedatum", plaats = 10, breedte = 8}
geslacht = {kolom = "Geslacht", plaats = 18, breedte = 1}
postcode = {kolom = "Postcode", plaats = 19, breedte = 6}
verwijzer = {kolom = "Verwijzer", plaats = 25, breedte = 2}
hulpvorm = {kolom = "Hulpvorm", plaats = 27, breedte = 2}
crisis = {kolom = "Crisis", plaats = 29, breedte = 2}
begindatum = {kolom = "Datum aanvang", plaats = 31, breedte = 8}
einddatum = {kolom = "Datum einde", plaats = 39, breedte = 8}
reden = {kolom = "Reden", plaats = 47, breedte = 2}
nut_1 = {kolom = "Nut", plaats = 49, breedte = 2}
zonder_hulp_1 = {kolom = "Zonder hulp", plaats = 51, breedte = 2}
informant_1 = {kolom = "Informant", plaats = 53, breedte = 1}
meerling = {kolom = "Meerling", plaats = 54, breedte = 1}
[informanten]
1 = "jeugdige"
2 = "ouder"
[gemeenten]
"0034" = ["1300-1379"]
"""
CBS_HEADER = (
    *("BSN", "Geboortedatum", "Geslacht", "Postcode", "Verwijzer", "Hulpvorm", "Crisis", "Datum aanvang"),
    *("Datum einde", "Reden", "Nut", "Zonder hulp", "Informant", "Meerling"),
)
_CBS_WIDTH = (9, 8, 1, 6, 2, 2, 2, 8, 8, 2, 2, 2, 1, 1)


def cbs_row(**changed: str) -> tuple[str, ...]:
    """One line of a CBS file as cells in the order of ``CBS_HEADER``."""
    v = {
        "bsn": BSN,
        "born": "20110501",
        "geslacht": "V",
        "postcode": "1315AB",
        "verwijzer": "02",
        "hulpvorm": "02",
        "crisis": "02",
        "begin": "20260105",
        "end": "20260301",
        "reden": "01",
        "nut": "8",
        "zonder_hulp": "04",
        "informant": "1",
        "twin": "",
    } | changed
    return tuple(v.values())


def cbs_ascii(rows: list[tuple[str, ...]], eol: str = "\r\n") -> bytes:
    """The lines in fixed places."""
    lines = ("".join(c.ljust(w) for c, w in zip(row, _CBS_WIDTH, strict=True)) for row in rows)
    return "".join(line + eol for line in lines).encode()


def cbs_xlsx(rows: list[tuple[Any, ...]], header: tuple[str, ...] = CBS_HEADER, sheet: str = "Blad1") -> bytes:
    """The lines as an Excel sheet."""
    book = Workbook()
    page = book.active
    page.title = sheet
    for row in (header, *rows):
        page.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def zipped(parts: dict[str, bytes]) -> bytes:
    """A zip file in memory."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def unzipped(data: bytes) -> dict[str, bytes]:
    """Its parts."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def cbs_choices(periode: str = "2026-1", layout: bytes = LAYOUT) -> Choices:
    """The choices with which a CBS file is read."""
    return Choices(layout=layout_of(layout), periode=periode)


def parse_twice(kind: str, data: bytes, **more: Any) -> list[FileRecord]:
    """The records after a second pass, as a delivery reads them: what the first pass found is known."""
    context = FileContext("bestand", AGB, NOW, more.pop("encoding", "utf-8-sig"), data.count(b"\n") + 1, **more)
    for _ in range(2):
        context.tally = Tally()
        found = list(PARSERS[kind](io.BytesIO(data), context))
    return found
