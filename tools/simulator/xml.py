"""iJw 3.2 XML as it travels: JW305, JW307 and JW323, byte for byte as the standard has it (UTF-8 without BOM, CR/LF).

JW301 and the answers stand in `xml_toewijzing` and `xml_retour`.

An element is `("m:Name", text or children)`: `m` the message namespace, `b` the base namespace (children of shared
CDT types).
Three writing styles exist side by side, since senders' software differs: prefixes, and a default namespace; compact
or one per line.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from tools.simulator.model import Client, eerste_dag, laatste_dag

Soort = Literal["JW301", "JW305", "JW306", "JW307", "JW308", "JW323", "JW325"]
CODES: dict[Soort, str] = {
    "JW301": "436",
    "JW305": "438",
    "JW306": "439",
    "JW307": "440",
    "JW308": "441",
    "JW323": "490",
    "JW325": "491",
}
VAN_GEMEENTE: frozenset[Soort] = frozenset({"JW301", "JW325"})  # the others name the provider as their sender (3.2)
NAMESPACE = "http://www.istandaarden.nl/ijw/3_2/{}/schema"
BASE = NAMESPACE.format("basisschema")

Node = tuple[str, "str | list[Node]"]


@dataclass(frozen=True, slots=True)
class Kop:
    """Header fields of one message (3.3): the provider and the gemeente, identification, day of sending."""

    soort: Soort
    aanbieder: str
    ontvanger: str
    identificatie: str
    dagtekening: date


@dataclass(frozen=True, slots=True)
class Klasse:
    """One StartProduct (no `reden`) or StopProduct. `nummer` is text: leading zeros carry no meaning but occur.

    `nummer` '' in taakgericht work.
    """

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

    `maand` is the month of its ProductPeriode, cut by the assignment's `ingangsdatum` and end (`tot`, None = open).
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
    tot: date | None = None

    @property
    def bedrag(self) -> int:
        """Eurocent: volume times tariff (TR346), or the volume itself where the unit is euros (CS339)."""
        return self.volume * self.tarief if self.tarief else self.volume


def regiebericht(kop: Kop, client: Client, bsn: str, klassen: Sequence[Klasse], stijl: int) -> bytes:
    """A JW305 or JW307 for one client (3.6). `bsn` apart, so that a fault can be planted."""
    groep = "Start" if kop.soort == "JW305" else "Stop"
    producten: Node = (f"m:{groep}Producten", [(f"m:{groep}Product", klasse_nodes(k)) for k in klassen])
    return render(kop, [("m:Client", [*persoon(client, bsn), producten])], stijl)


def persoon(client: Client, bsn: str) -> list[Node]:
    """Bsn, birth date, sex and name of a client, all of which must be dropped."""
    geboren: list[Node] = [("b:Datum", client.geboortedatum.isoformat())]
    if client.datum_gebruik:
        geboren.append(("b:DatumGebruik", client.datum_gebruik))
    return [("m:Bsn", bsn), ("m:Geboortedatum", geboren), ("m:Geslacht", client.geslacht), ("m:Naam", _naam(client))]


def totaal(regels: Sequence[Prestatie]) -> int:
    """Signed sum in eurocent: debit plus, credit minus (TR358)."""
    return sum(-r.bedrag if r.vorige else r.bedrag for r in regels)


def declaratie(kop: Kop, nummer: str, maand: int, regels: Sequence[Prestatie], stijl: int) -> bytes:
    """A JW323 of one provider to one gemeente for one month (3.7), lines grouped by client."""
    per_client: dict[str, list[Node]] = {}
    for regel in regels:
        per_client.setdefault(regel.bsn, []).append(("m:Prestatie", prestatie_nodes(regel)))
    body: Node = (
        "m:Declaratie",
        [
            ("m:DeclaratieNummer", nummer),
            ("m:DeclaratiePeriode", _periode(eerste_dag(maand), laatste_dag(maand))),
            ("m:DeclaratieDagtekening", kop.dagtekening.isoformat()),
            ("m:TotaalIngediendBedrag", totaalbedrag(totaal(regels))),
            ("m:Clienten", [("m:Client", [("m:Bsn", bsn), ("m:Prestaties", ps)]) for bsn, ps in per_client.items()]),
        ],
    )
    return render(kop, [body], stijl)


def _naam(client: Client) -> list[Node]:
    geslachtsnaam: list[Node] = [("b:Achternaam", client.achternaam)]
    if client.voorvoegsel:
        geslachtsnaam.append(("b:Voorvoegsel", client.voorvoegsel))
    naam: list[Node] = [("b:Geslachtsnaam", geslachtsnaam)]
    if client.voornamen:
        naam += [("b:Voornamen", client.voornamen), ("b:Voorletters", client.voornamen[:1])]
    return naam


def klasse_nodes(k: Klasse) -> list[Node]:
    """The elements of a StartProduct or StopProduct."""
    product: list[Node] = [("b:Categorie", k.categorie)]
    if k.code:
        product.append(("b:Code", k.code))
    nodes: list[Node] = [("m:Product", product), ("m:Begindatum", k.begindatum.isoformat())]
    if k.nummer:
        nodes.insert(0, ("m:ToewijzingNummer", k.nummer))
        nodes.insert(2, ("m:ToewijzingIngangsdatum", k.ingangsdatum.isoformat()))
    if k.einddatum:
        nodes += [("m:RedenBeeindiging", k.reden), ("m:Einddatum", k.einddatum.isoformat())]
    return [*nodes, ("m:StatusAanlevering", k.status)]


def prestatie_nodes(p: Prestatie) -> list[Node]:
    """The elements of a Prestatie."""
    referentie: list[Node] = [("b:ReferentieNummer", p.referentie)]
    if p.vorige:
        referentie.append(("b:VorigReferentieNummer", p.vorige))
    laatste = laatste_dag(p.maand)
    nodes: list[Node] = [
        ("m:ProductReferentie", referentie),
        ("m:ToewijzingNummer", str(p.nummer)),
        ("m:ProductCategorie", p.categorie),
        ("m:ProductCode", p.code),
        ("m:ProductPeriode", _periode(max(p.ingangsdatum, eerste_dag(p.maand)), min(p.tot or laatste, laatste))),
        ("m:GeleverdVolume", str(p.volume)),
        ("m:Eenheid", p.eenheid),
    ]
    if p.tarief:
        nodes.append(("m:ProductTarief", str(p.tarief)))
    return [*nodes, ("m:IngediendBedrag", _bedrag("b:Bedrag", p.bedrag, credit=bool(p.vorige)))]


def _periode(begin: date, eind: date) -> list[Node]:
    return [("b:Begindatum", begin.isoformat()), ("b:Einddatum", eind.isoformat())]


def totaalbedrag(bedrag: int) -> list[Node]:
    """A TotaalBedragMetDC; zero is D (CS325)."""
    return _bedrag("b:TotaalBedrag", abs(bedrag), credit=bedrag < 0)


def versies(naam: str) -> Node:
    """A pair of XSD versions."""
    return (naam, [("b:BasisschemaXsdVersie", "1.0.0"), ("b:BerichtXsdVersie", "1.0.0")])


def _bedrag(naam: str, bedrag: int, *, credit: bool) -> list[Node]:
    return [(naam, str(bedrag)), ("b:DebetCredit", "C" if credit else "D")]


def _header(kop: Kop, verder: Sequence[Node]) -> Node:
    partijen = (kop.ontvanger, kop.aanbieder) if kop.soort in VAN_GEMEENTE else (kop.aanbieder, kop.ontvanger)
    return (
        "m:Header",
        [
            ("m:BerichtCode", CODES[kop.soort]),
            ("m:BerichtVersie", "3"),
            ("m:BerichtSubversie", "2"),
            ("m:Afzender", partijen[0]),
            ("m:Ontvanger", partijen[1]),
            (
                "m:BerichtIdentificatie",
                [("b:Identificatie", kop.identificatie), ("b:Dagtekening", kop.dagtekening.isoformat())],
            ),
            versies("m:XsdVersie"),
            *verder,
        ],
    )


# (prefix of the message namespace, prefix of the base namespace, one element per line)
STIJLEN = (("m:", "b:", True), ("", "ijw:", True), ("jw:", "bs:", False))


def render(kop: Kop, body: Iterable[Node], stijl: int, verder: Sequence[Node] = ()) -> bytes:
    """The bytes of a message; `verder` follows the common fields of its header."""
    m, b, per_line = STIJLEN[stijl]
    attrs = "".join(
        f' xmlns{":" if p else ""}{p[:-1]}="{uri}"' for p, uri in ((m, NAMESPACE.format(kop.soort.lower())), (b, BASE))
    )
    parts = ['<?xml version="1.0" encoding="UTF-8"?>', "\r\n", f"<{m}Bericht{attrs}>"]
    prefixes = {"m:": m, "b:": b}
    for node in (_header(kop, verder), *body):
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
