"""JW301 as it travels (3.5): the assignments of one client at one provider, with all the personal data it carries.

What the monitor keeps is in ToegewezenProduct. Name, address, telephone, relations and remarks are made up and must
be dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from tools.simulator.model import Client
from tools.simulator.xml import Header, Node, person, render, short_name

#: NaamGebruik: the person goes by the own name.
_OWN_NAME = "1"


@dataclass(frozen=True, slots=True)
class Assigned:
    """One ToegewezenProduct; ``einddatum`` None = open, ``reden`` '' = first or unchanged. Omvang or Budget."""

    toewijzingnummer: str
    categorie: str
    code: str
    datum: date
    tijd: str
    ingangsdatum: date
    einddatum: date | None
    reden: str
    volume: int | None
    eenheid: str
    frequentie: str
    budget: int | None


def toewijzingsbericht(header: Header, client: Client, bsn: str, products: Sequence[Assigned], style: int) -> bytes:
    """A JW301 of one gemeente to one provider about one client."""
    nodes: list[Node] = [
        *person(client, bsn)[:-1],
        ("m:Naam", _full(short_name(client))),
        ("m:Commentaar", f"Bel {client.surname} na vier uur"),
        ("m:Relaties", [("m:Relatie", _relation(client))]),
        ("m:Contactgegevens", [("m:Contact", _contact(client))]),
        ("m:ToegewezenProducten", [("m:ToegewezenProduct", _product(p)) for p in products]),
    ]
    return render(header, [("m:Client", nodes)], style)


def _full(name: list[Node]) -> list[Node]:
    """A name as a JW301 has it (VolledigeNaam): it ends with how it is used, which may not be absent."""
    return [*name, ("b:NaamGebruik", _OWN_NAME)]


def _relation(client: Client) -> list[Node]:
    return [
        ("m:Nummer", "1"),
        ("m:Soort", "20"),
        ("m:Naam", _full([("b:Geslachtsnaam", [("b:Achternaam", client.surname)]), ("b:Voornamen", "Testouder")])),
        ("m:Contact", _contact(client)),
    ]


def _contact(client: Client) -> list[Node]:
    house_number = str(1 + int(client.bsn) % 90)
    address: list[Node] = [
        ("b:Huisnummer", house_number),
        ("b:Postcode", f"{1000 + int(client.bsn) % 900}TS"),
        ("b:Straatnaam", "Teststraat"),
        ("b:Plaatsnaam", "Teststad"),
    ]
    telephone: list[Node] = [("b:Telefoon01", [("b:Telefoonnummer", "0200000000"), ("b:Landnummer", "+31")])]
    return [
        ("m:Soort", "01"),
        ("m:Adres", address),
        ("m:Telefoon", telephone),
        ("m:Emailadres", "test@voorbeeld.example"),
    ]


def _product(p: Assigned) -> list[Node]:
    product: list[Node] = [("b:Categorie", p.categorie)]
    if p.code:
        product.append(("b:Code", p.code))
    nodes: list[Node] = [
        ("m:ToewijzingNummer", p.toewijzingnummer),
        ("m:Product", product),
        ("m:Toewijzingsdatum", p.datum.isoformat()),
        ("m:Toewijzingstijd", p.tijd),
        ("m:Ingangsdatum", p.ingangsdatum.isoformat()),
    ]
    if p.einddatum:
        nodes.append(("m:Einddatum", p.einddatum.isoformat()))
    if p.reden:
        nodes.append(("m:RedenWijziging", p.reden))
    if p.volume is not None:
        omvang: list[Node] = [("b:Volume", str(p.volume)), ("b:Eenheid", p.eenheid), ("b:Frequentie", p.frequentie)]
        nodes.append(("m:Omvang", omvang))
    elif p.budget is not None:
        nodes.append(("m:Budget", str(p.budget)))
    return nodes
