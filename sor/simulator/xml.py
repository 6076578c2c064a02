"""iJw 3.2 XML as it travels: JW305, JW307 and JW323, byte for byte as the standard has it (UTF-8 without BOM, CR/LF).

An element is `("m:Name", text or children)`: `m` the message namespace, `b` the base namespace (children of shared
CDT types).
Three writing styles exist side by side, since senders' software differs: prefixes, and a default namespace; compact
or one per line.
"""

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from sor.simulator.model import Client, eerste_dag, laatste_dag

Soort = Literal["JW305", "JW307", "JW323"]
CODES: dict[Soort, str] = {"JW305": "438", "JW307": "440", "JW323": "490"}
NAMESPACE = "http://www.istandaarden.nl/ijw/3_2/{}/schema"
BASE = NAMESPACE.format("basisschema")

Node = tuple[str, "str | list[Node]"]


@dataclass(frozen=True, slots=True)
class Kop:
    """Header fields of one message (3.3): sender AGB, receiving gemeente, identification, day of sending."""

    soort: Soort
    aanbieder: str
    ontvanger: str
    identificatie: str
    dagtekening: date


@dataclass(frozen=True, slots=True)
class Klasse:
    """One StartProduct (no `reden`) or StopProduct. `nummer` is text: leading zeros carry no meaning but occur."""

    nummer: str
    categorie: str
    code: str
    ingangsdatum: date
    begindatum: date
    status: str = "1"
    reden: str = ""
    einddatum: date | None = None


@dataclass(frozen=True, slots=True)
class Prestatie:
    """One declared line.

    `maand` is the month of its ProductPeriode, which starts at the assignment's `ingangsdatum` at the earliest.
    """

    bsn: str
    referentie: str
    vorige: str
    nummer: int
    categorie: str
    code: str
    ingangsdatum: date
    maand: int
    volume: int
    eenheid: str
    tarief: int

    @property
    def bedrag(self) -> int:
        """Eurocent: volume times tariff (TR346), or the volume itself where the unit is euros (CS339)."""
        return self.volume * self.tarief if self.tarief else self.volume


def regiebericht(kop: Kop, client: Client, bsn: str, klassen: Sequence[Klasse], stijl: int) -> bytes:
    """A JW305 or JW307 for one client (3.6). `bsn` apart, so that a fault can be planted."""
    groep = "Start" if kop.soort == "JW305" else "Stop"
    geboren: list[Node] = [("b:Datum", client.geboortedatum.isoformat())]
    if client.datum_gebruik:
        geboren.append(("b:DatumGebruik", client.datum_gebruik))
    body: Node = (
        "m:Client",
        [
            ("m:Bsn", bsn),
            ("m:Geboortedatum", geboren),
            ("m:Geslacht", client.geslacht),
            ("m:Naam", _naam(client)),
            (f"m:{groep}Producten", [(f"m:{groep}Product", _klasse(k)) for k in klassen]),
        ],
    )
    return _render(kop, [body], stijl)


def declaratie(kop: Kop, nummer: str, maand: int, regels: Sequence[Prestatie], stijl: int) -> bytes:
    """A JW323 of one provider to one gemeente for one month (3.7), lines grouped by client."""
    totaal = sum(-r.bedrag if r.vorige else r.bedrag for r in regels)
    per_client: dict[str, list[Node]] = {}
    for regel in regels:
        per_client.setdefault(regel.bsn, []).append(("m:Prestatie", _prestatie(regel)))
    body: Node = (
        "m:Declaratie",
        [
            ("m:DeclaratieNummer", nummer),
            ("m:DeclaratiePeriode", _periode(eerste_dag(maand), laatste_dag(maand))),
            ("m:DeclaratieDagtekening", kop.dagtekening.isoformat()),
            ("m:TotaalIngediendBedrag", _bedrag("b:TotaalBedrag", abs(totaal), credit=totaal < 0)),
            ("m:Clienten", [("m:Client", [("m:Bsn", bsn), ("m:Prestaties", ps)]) for bsn, ps in per_client.items()]),
        ],
    )
    return _render(kop, [body], stijl)


def _naam(client: Client) -> list[Node]:
    geslachtsnaam: list[Node] = [("b:Achternaam", client.achternaam)]
    if client.voorvoegsel:
        geslachtsnaam.append(("b:Voorvoegsel", client.voorvoegsel))
    naam: list[Node] = [("b:Geslachtsnaam", geslachtsnaam)]
    if client.voornamen:
        naam += [("b:Voornamen", client.voornamen), ("b:Voorletters", client.voornamen[:1])]
    return naam


def _klasse(k: Klasse) -> list[Node]:
    product: list[Node] = [("b:Categorie", k.categorie)]
    if k.code:
        product.append(("b:Code", k.code))
    nodes: list[Node] = [
        ("m:ToewijzingNummer", k.nummer),
        ("m:Product", product),
        ("m:ToewijzingIngangsdatum", k.ingangsdatum.isoformat()),
        ("m:Begindatum", k.begindatum.isoformat()),
    ]
    if k.einddatum:
        nodes += [("m:RedenBeeindiging", k.reden), ("m:Einddatum", k.einddatum.isoformat())]
    return [*nodes, ("m:StatusAanlevering", k.status)]


def _prestatie(p: Prestatie) -> list[Node]:
    referentie: list[Node] = [("b:ReferentieNummer", p.referentie)]
    if p.vorige:
        referentie.append(("b:VorigReferentieNummer", p.vorige))
    nodes: list[Node] = [
        ("m:ProductReferentie", referentie),
        ("m:ToewijzingNummer", str(p.nummer)),
        ("m:ProductCategorie", p.categorie),
        ("m:ProductCode", p.code),
        ("m:ProductPeriode", _periode(max(p.ingangsdatum, eerste_dag(p.maand)), laatste_dag(p.maand))),
        ("m:GeleverdVolume", str(p.volume)),
        ("m:Eenheid", p.eenheid),
    ]
    if p.tarief:
        nodes.append(("m:ProductTarief", str(p.tarief)))
    return [*nodes, ("m:IngediendBedrag", _bedrag("b:Bedrag", p.bedrag, credit=bool(p.vorige)))]


def _periode(begin: date, eind: date) -> list[Node]:
    return [("b:Begindatum", begin.isoformat()), ("b:Einddatum", eind.isoformat())]


def _bedrag(naam: str, bedrag: int, *, credit: bool) -> list[Node]:
    return [(naam, str(bedrag)), ("b:DebetCredit", "C" if credit else "D")]


def _header(kop: Kop) -> Node:
    return (
        "m:Header",
        [
            ("m:BerichtCode", CODES[kop.soort]),
            ("m:BerichtVersie", "3"),
            ("m:BerichtSubversie", "2"),
            ("m:Afzender", kop.aanbieder),
            ("m:Ontvanger", kop.ontvanger),
            (
                "m:BerichtIdentificatie",
                [("b:Identificatie", kop.identificatie), ("b:Dagtekening", kop.dagtekening.isoformat())],
            ),
            ("m:XsdVersie", [("b:BasisschemaXsdVersie", "1.0.0"), ("b:BerichtXsdVersie", "1.0.0")]),
        ],
    )


# (prefix of the message namespace, prefix of the base namespace, one element per line)
STIJLEN = (("m:", "b:", True), ("", "ijw:", True), ("jw:", "bs:", False))


def _render(kop: Kop, body: Iterable[Node], stijl: int) -> bytes:
    m, b, per_line = STIJLEN[stijl]
    attrs = "".join(
        f' xmlns{":" if p else ""}{p[:-1]}="{uri}"' for p, uri in ((m, NAMESPACE.format(kop.soort.lower())), (b, BASE))
    )
    parts = ['<?xml version="1.0" encoding="UTF-8"?>', "\r\n", f"<{m}Bericht{attrs}>"]
    prefixes = {"m:": m, "b:": b}
    for node in (_header(kop), *body):
        _write(parts, node, prefixes, "\r\n  " if per_line else "")
    parts += ["\r\n" if per_line else "", f"</{m}Bericht>\r\n"]
    return "".join(parts).encode()


def _write(parts: list[str], node: Node, prefixes: dict[str, str], lead: str) -> None:
    """One element; `lead` is the line break and indentation before it, empty in the compact style."""
    tag = prefixes[node[0][:2]] + node[0][2:]
    if isinstance(node[1], str):
        parts.append(f"{lead}<{tag}>{html.escape(node[1], quote=False)}</{tag}>")
        return
    parts.append(f"{lead}<{tag}>")
    for child in node[1]:
        _write(parts, child, prefixes, lead + "  " if lead else "")
    parts.append(f"{lead}</{tag}>")
