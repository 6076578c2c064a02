"""iJw 3.2 XML as it travels: JW305, JW307 and JW323, byte for byte as the standard has it (UTF-8 without BOM, CR/LF).

JW301 and the answers stand in ``xml_toewijzing`` and ``xml_retour``.

An element is ``("m:Name", text or children)``: ``m`` the message namespace, ``b`` the base namespace (children of
shared CDT types). Three writing styles exist side by side, since senders' software differs: prefixes, and a default
namespace; compact or one per line.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from tools.simulator.model import Client, first_day, last_day

Kind = Literal["JW301", "JW305", "JW306", "JW307", "JW308", "JW323", "JW325"]
CODES: dict[Kind, str] = {
    "JW301": "436",
    "JW305": "438",
    "JW306": "439",
    "JW307": "440",
    "JW308": "441",
    "JW323": "490",
    "JW325": "491",
}
OF_GEMEENTE: frozenset[Kind] = frozenset({"JW301", "JW325"})  # the others name the provider as their sender (3.2)
NAMESPACE = "http://www.istandaarden.nl/ijw/3_2/{}/schema"
BASE = NAMESPACE.format("basisschema")

Node = tuple[str, "str | list[Node]"]


@dataclass(frozen=True, slots=True)
class Header:
    """Header fields of one message (3.3): the provider and the gemeente, identification, day of sending."""

    kind: Kind
    aanbieder: str
    ontvanger: str
    identificatie: str
    dagtekening: date


@dataclass(frozen=True, slots=True)
class ProductClass:
    """One StartProduct (no ``reden``) or StopProduct. ``toewijzingnummer`` is text, '' in taakgericht work: leading
    zeros carry no meaning but occur.
    """

    toewijzingnummer: str
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

    ``month``: of its ProductPeriode, cut by the assignment's ``ingangsdatum`` and end (``up_to``, None: open).
    """

    bsn: str
    referentie: str
    previous: str
    toewijzingnummer: int
    categorie: str
    code: str
    ingangsdatum: date
    month: int
    volume: int
    eenheid: str
    tarief: int
    up_to: date | None = None

    @property
    def bedrag(self) -> int:
        """Eurocent: volume times tariff (TR346), or the volume itself where the unit is euros (CS339)."""
        return self.volume * self.tarief if self.tarief else self.volume


def regiebericht(header: Header, client: Client, bsn: str, classes: Sequence[ProductClass], style: int) -> bytes:
    """A JW305 or JW307 for one client (3.6). ``bsn`` apart, so that a fault can be planted."""
    group = "Start" if header.kind == "JW305" else "Stop"
    products: Node = (f"m:{group}Producten", [(f"m:{group}Product", class_nodes(k)) for k in classes])
    return render(header, [("m:Client", [*person(client, bsn), products])], style)


def person(client: Client, bsn: str) -> list[Node]:
    """Bsn, birth date, sex and name of a client, all of which must be dropped."""
    born: list[Node] = [("b:Datum", client.geboortedatum.isoformat())]
    if client.datum_usage:
        born.append(("b:DatumGebruik", client.datum_usage))
    return [("m:Bsn", bsn), ("m:Geboortedatum", born), ("m:Geslacht", client.geslacht), ("m:Naam", short_name(client))]


def total(prestaties: Sequence[Prestatie]) -> int:
    """Signed sum in eurocent: debit plus, credit minus (TR358)."""
    return sum(-r.bedrag if r.previous else r.bedrag for r in prestaties)


def declaratie(header: Header, number: str, month: int, prestaties: Sequence[Prestatie], style: int) -> bytes:
    """A JW323 of one provider to one gemeente for one month (3.7), lines grouped by client."""
    per_client: dict[str, list[Node]] = {}
    for prestatie in prestaties:
        per_client.setdefault(prestatie.bsn, []).append(("m:Prestatie", prestatie_nodes(prestatie)))
    body: Node = (
        "m:Declaratie",
        [
            ("m:DeclaratieNummer", number),
            ("m:DeclaratiePeriode", _periode(first_day(month), last_day(month))),
            ("m:DeclaratieDagtekening", header.dagtekening.isoformat()),
            ("m:TotaalIngediendBedrag", totaalbedrag(total(prestaties))),
            ("m:Clienten", [("m:Client", [("m:Bsn", bsn), ("m:Prestaties", ps)]) for bsn, ps in per_client.items()]),
        ],
    )
    return render(header, [body], style)


def short_name(client: Client) -> list[Node]:
    """The elements of a name as all messages but a JW301 have it (VerkorteNaam, 3.4)."""
    family_name: list[Node] = [("b:Achternaam", client.surname)]
    if client.prefix:
        family_name.append(("b:Voorvoegsel", client.prefix))
    name: list[Node] = [("b:Geslachtsnaam", family_name)]
    if client.first_names:
        name += [("b:Voornamen", client.first_names), ("b:Voorletters", client.first_names[:1])]
    return name


def class_nodes(k: ProductClass) -> list[Node]:
    """The elements of a StartProduct or StopProduct."""
    product: list[Node] = [("b:Categorie", k.categorie)]
    if k.code:
        product.append(("b:Code", k.code))
    nodes: list[Node] = [("m:Product", product), ("m:Begindatum", k.begindatum.isoformat())]
    if k.toewijzingnummer:
        nodes.insert(0, ("m:ToewijzingNummer", k.toewijzingnummer))
        nodes.insert(2, ("m:ToewijzingIngangsdatum", k.ingangsdatum.isoformat()))
    if k.einddatum:
        nodes += [("m:RedenBeeindiging", k.reden), ("m:Einddatum", k.einddatum.isoformat())]
    return [*nodes, ("m:StatusAanlevering", k.status)]


def prestatie_nodes(p: Prestatie) -> list[Node]:
    """The elements of a Prestatie."""
    referentie: list[Node] = [("b:ReferentieNummer", p.referentie)]
    if p.previous:
        referentie.append(("b:VorigReferentieNummer", p.previous))
    last = last_day(p.month)
    nodes: list[Node] = [
        ("m:ProductReferentie", referentie),
        ("m:ToewijzingNummer", str(p.toewijzingnummer)),
        ("m:ProductCategorie", p.categorie),
        ("m:ProductCode", p.code),
        ("m:ProductPeriode", _periode(max(p.ingangsdatum, first_day(p.month)), min(p.up_to or last, last))),
        ("m:GeleverdVolume", str(p.volume)),
        ("m:Eenheid", p.eenheid),
    ]
    if p.tarief:
        nodes.append(("m:ProductTarief", str(p.tarief)))
    return [*nodes, ("m:IngediendBedrag", _bedrag("b:Bedrag", p.bedrag, credit=bool(p.previous)))]


def _periode(begin: date, end: date) -> list[Node]:
    return [("b:Begindatum", begin.isoformat()), ("b:Einddatum", end.isoformat())]


def totaalbedrag(bedrag: int) -> list[Node]:
    """A TotaalBedragMetDC; zero is D (CS325)."""
    return _bedrag("b:TotaalBedrag", abs(bedrag), credit=bedrag < 0)


def versions(name: str) -> Node:
    """A pair of XSD versions."""
    return (name, [("b:BasisschemaXsdVersie", "1.0.0"), ("b:BerichtXsdVersie", "1.0.0")])


def _bedrag(name: str, bedrag: int, *, credit: bool) -> list[Node]:
    return [(name, str(bedrag)), ("b:DebetCredit", "C" if credit else "D")]


def _header(header: Header, further: Sequence[Node]) -> Node:
    parties = (
        (header.ontvanger, header.aanbieder) if header.kind in OF_GEMEENTE else (header.aanbieder, header.ontvanger)
    )
    return (
        "m:Header",
        [
            ("m:BerichtCode", CODES[header.kind]),
            ("m:BerichtVersie", "3"),
            ("m:BerichtSubversie", "2"),
            ("m:Afzender", parties[0]),
            ("m:Ontvanger", parties[1]),
            (
                "m:BerichtIdentificatie",
                [("b:Identificatie", header.identificatie), ("b:Dagtekening", header.dagtekening.isoformat())],
            ),
            versions("m:XsdVersie"),
            *further,
        ],
    )


# (prefix of the message namespace, prefix of the base namespace, one element per line)
STYLES = (("m:", "b:", True), ("", "ijw:", True), ("jw:", "bs:", False))


def render(header: Header, body: Iterable[Node], style: int, further: Sequence[Node] = ()) -> bytes:
    """The bytes of a message; ``further`` follows the common fields of its header."""
    m, b, per_line = STYLES[style]
    attrs = "".join(
        f' xmlns{":" if p else ""}{p[:-1]}="{uri}"'
        for p, uri in ((m, NAMESPACE.format(header.kind.lower())), (b, BASE))
    )
    parts = ['<?xml version="1.0" encoding="UTF-8"?>', "\r\n", f"<{m}Bericht{attrs}>"]
    prefixes = {"m:": m, "b:": b}
    for node in (_header(header, further), *body):
        _write(parts, node, prefixes, "\r\n  " if per_line else "")
    parts += ["\r\n" if per_line else "", f"</{m}Bericht>\r\n"]
    return "".join(parts).encode()


def _write(parts: list[str], node: Node, prefixes: dict[str, str], lead: str) -> None:
    """One element; ``lead`` is the line break and indentation before it, empty in the compact style."""
    tag = prefixes[node[0][:2]] + node[0][2:]
    if isinstance(node[1], str):
        parts.append(f"{lead}<{tag}>{html.escape(node[1], quote=False)}</{tag}>")
        return
    parts.append(f"{lead}<{tag}>")
    for child in node[1]:
        _write(parts, child, prefixes, lead + "  " if lead else "")
    parts.append(f"{lead}</{tag}>")
