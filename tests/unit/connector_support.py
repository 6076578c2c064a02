"""Writers of the field's formats, and a third party in memory: the real stages as functions, without a broker."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from random import Random
from typing import Any
from xml.sax.saxutils import quoteattr

from connectors.connector import Connector
from connectors.model import BestandFout, Invoer, Regel
from connectors.receipts import Receipt, from_record
from connectors.recognise import PARSERS
from crypto import keys
from domain.bsn import official_numbers
from domain.dates import as_date
from schemas.codec import Codec
from streams.batch import Record as LogRecord
from streams.deliveries import Deliveries
from streams.entry import Admission
from streams.evaluate import Evaluator
from transport.clients import Cluster
from transport.publisher import NotDelivered

BSNS = official_numbers()
BSN = BSNS[0]
AGB = "94000001"
#: 22 June 2026, 12:00 UTC: "now" of the tests.
NU = 1_782_129_600_000
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
        "versie": 3,
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
            ("m:BerichtVersie", v["versie"]),
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
        "nummer": 4711,
        "categorie": "45",
        "code": "45A99",
        "ingang": "2026-01-01",
        "begin": "2026-01-05",
        "reden": "31",
        "eind": "2026-03-01",
        "status": "1",
    } | changed
    children: list[Node] = [
        ("m:ToewijzingNummer", v["nummer"]),
        ("m:Product", [("b:Categorie", v["categorie"]), ("b:Code", v["code"])] if v["categorie"] else None),
        ("m:ToewijzingIngangsdatum", v["ingang"]),
        ("m:Begindatum", v["begin"]),
    ]
    if ending:
        children += [("m:RedenBeeindiging", v["reden"]), ("m:Einddatum", v["eind"])]
    return ("m:StopProduct" if ending else "m:StartProduct", [*children, ("m:StatusAanlevering", v["status"])])


@dataclass
class Regie:
    """A JW305 or JW307 in the making."""

    ending: bool = False
    bsn: str = BSN
    geboren: str = "2011-05-01"
    gebruik: str | None = None
    geslacht: str = "2"
    producten: list[Node] = field(default_factory=list)
    kop: dict[str, Any] = field(default_factory=dict)
    eol: str = "\r\n"

    def bytes(self) -> bytes:
        """The message."""
        group = "Stop" if self.ending else "Start"
        products = self.producten or [product(self.ending)]
        client = [
            ("m:Bsn", self.bsn),
            ("m:Geboortedatum", [("b:Datum", self.geboren), ("b:DatumGebruik", self.gebruik)]),
            ("m:Geslacht", self.geslacht),
            ("m:Naam", [("b:Geslachtsnaam", [("b:Achternaam", "Test"), ("b:Voorvoegsel", "van")])]),
            (f"m:{group}Producten", products),
        ]
        code = "440" if self.ending else "438"
        body = [header(code, **self.kop), ("m:Client", client)]
        return xml("jw307" if self.ending else "jw305", body, self.eol)


def prestatie(**changed: Any) -> dict[str, Any]:
    """The values of one declared line."""
    return {
        "bsn": BSN,
        "ref": "R1",
        "vorige": None,
        "nummer": 4711,
        "categorie": "45",
        "code": "45A99",
        "begin": "2026-05-01",
        "eind": "2026-05-31",
        "volume": 10,
        "eenheid": "04",
        "tarief": 100,
        "bedrag": 1000,
        "dc": "D",
    } | changed


@dataclass
class Declaratie:
    """A JW323 in the making. ``totaal`` None = the signed sum of the lines."""

    regels: list[dict[str, Any]] = field(default_factory=lambda: [prestatie()])
    periode: tuple[str, str] = ("2026-05-01", "2026-05-31")
    dagtekening: str = "2026-06-19"
    totaal: int | None = None
    dc: str | None = None
    kop: dict[str, Any] = field(default_factory=dict)

    def bytes(self) -> bytes:
        """The message."""
        som = sum(-r["bedrag"] if r["dc"] == "C" else r["bedrag"] for r in self.regels)
        totaal = abs(som) if self.totaal is None else self.totaal
        clients: dict[str, list[Node]] = {}
        for r in self.regels:
            clients.setdefault(r["bsn"], []).append(_prestatie(r))
        body = [
            ("m:DeclaratieNummer", "D1"),
            ("m:DeclaratiePeriode", _periode(*self.periode)),
            ("m:DeclaratieDagtekening", self.dagtekening),
            ("m:TotaalIngediendBedrag", _bedrag("b:TotaalBedrag", totaal, self.dc or ("C" if som < 0 else "D"))),
            ("m:Clienten", [("m:Client", [("m:Bsn", bsn), ("m:Prestaties", ps)]) for bsn, ps in clients.items()]),
        ]
        return xml("jw323", [header("490", **self.kop), ("m:Declaratie", body)])


def _periode(begin: str, eind: str) -> list[Node]:
    return [("b:Begindatum", begin), ("b:Einddatum", eind)]


def _bedrag(name: str, bedrag: int, dc: str) -> list[Node]:
    return [(name, bedrag), ("b:DebetCredit", dc)]


def _prestatie(r: dict[str, Any]) -> Node:
    return (
        "m:Prestatie",
        [
            ("m:ProductReferentie", [("b:ReferentieNummer", r["ref"]), ("b:VorigReferentieNummer", r["vorige"])]),
            ("m:ToewijzingNummer", r["nummer"]),
            ("m:ProductCategorie", r["categorie"]),
            ("m:ProductCode", r["code"]),
            ("m:ProductPeriode", _periode(r["begin"], r["eind"])),
            ("m:GeleverdVolume", r["volume"]),
            ("m:Eenheid", r["eenheid"]),
            ("m:ProductTarief", r["tarief"]),
            ("m:IngediendBedrag", _bedrag("b:Bedrag", r["bedrag"], r["dc"])),
        ],
    )


RAP_KOP = ("BSN", "Beschikingsnummer", "Toewijzingsnummer", "Type", "Waarde")
CEM_KOP = (
    *("zorgaanbieder_id", "bsn", "client_ref", "meting_id"),
    *("datum_meting", "informant", "vragenlijst", "vraag", "antwoord"),
)


def table(
    kop: tuple[str, ...],
    rows: list[tuple[str, ...]],
    sep: str = ";",
    codering: str = "utf-8",
    eol: str = "\r\n",
    *,
    quote_all: bool = False,
) -> bytes:
    """A CSV file."""
    out = io.StringIO()
    quoting = csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL
    writer = csv.writer(out, delimiter=sep, lineterminator=eol, quoting=quoting)
    writer.writerow(kop)
    writer.writerows(rows)
    return out.getvalue().encode(codering)


def cem_rows(meting: str = "1-1", answers: dict[str, str] | None = None, **changed: str) -> list[tuple[str, ...]]:
    """The rows of one meting; every other column can be changed."""
    answers = {"VR01": "2", "VR09A": "8", "VR10": "1"} if answers is None else answers
    v = {"provider": AGB, "bsn": BSN, "ref": "ref-7", "when": "01-06-2026", "informant": "Moeder"}
    v = v | {"lijst": "CEM+_2018_OE_v1"} | changed
    head = (v["provider"], v["bsn"], v["ref"], meting, v["when"], v["informant"], v["lijst"])
    return [(*head, question, answer) for question, answer in answers.items()]


def iso(day: int) -> str:
    """A day number as text."""
    return as_date(day).isoformat()


def parse(kind: str, data: bytes, codering: str = "utf-8-sig", **more: Any) -> list[Regel]:
    """The records of a file; ``BestandFout`` as the parser raises it."""
    invoer = Invoer("bestand", more.pop("afzender", AGB), NU, codering, data.count(b"\n") + 1, **more)
    return list(PARSERS[kind](io.BytesIO(data), invoer))


def refusal(kind: str, data: bytes, **more: Any) -> BestandFout:
    """Why a file is refused as a whole."""
    try:
        parse(kind, data, **more)
    except BestandFout as fault:
        return fault
    raise AssertionError("accepted")


class ThirdParty:
    """Evaluate, entry and deliveries in this process, in the place of the broker; can break on demand."""

    def __init__(self, folder: Path) -> None:
        self._evaluate = Evaluator(keys.load_evaluate(folder))
        self._admit = Admission(keys.load_entry(folder))
        self._deliveries, self._receipts = Deliveries(), Codec("sor.receipts")
        self.sent: list[tuple[str, bytes, bytes]] = []
        self.state: dict[bytes, bytes] = {}
        self.events: list[bytes] = []
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
        admitted = self._admit(self._evaluate(topic, value))
        if admitted.event:
            self.events.append(admitted.event)
        record = LogRecord(len(self.sent), admitted.line, 0)
        self.state[key], out = self._deliveries(key, self.state.get(key), [record])
        assert out[0].value is not None
        self.last_receipt = out[0].value
        self._new.append(from_record(self._receipts.decode(out[0].value)))

    def poll(self) -> None:
        """Nothing is waiting."""

    def flush(self, timeout: float = 30.0) -> None:
        """Everything has arrived."""

    def abandon(self) -> None:
        """Nothing is queued."""

    def mark(self, delivery: str) -> None:
        self._new = [receipt for receipt in self._new if receipt.delivery != delivery]

    def wait(
        self, delivery: str, _seconds: float, seen: Callable[[Receipt], None], pulse: Callable[[], None]
    ) -> Receipt | None:
        found = [receipt for receipt in self._new if receipt.delivery == delivery]
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


def attempt(kind: str, data: bytes) -> tuple[str, list[Regel]]:
    """Parse what may be damaged: the code of the refusal ("" = none) and the records; no text of either holds a BSN."""
    try:
        records = parse(kind, data)
    except BestandFout as fault:
        text = f"{fault} {fault!r} {fault.gevonden}"
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
    """A fresh folder of keys."""
    keys.init(folder)
    return folder
