"""The answers as they travel (3.8): JW306 on a start, JW308 on a stop, JW325 on a declaration.

JW306 and JW308 copy the header of the message they answer, sender and receiver included.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from tools.simulator.model import Client
from tools.simulator.xml import (
    Header,
    Kind,
    Node,
    Prestatie,
    ProductClass,
    class_nodes,
    person,
    prestatie_nodes,
    render,
    totaalbedrag,
    total,
    versions,
)

ANSWERED_BY: dict[Kind, Kind] = {"JW305": "JW306", "JW307": "JW308"}
TECHNICAL, NO_REMARK, NOT_JUDGED, AWARDED = "0001", "0200", "0233", "8001"


@dataclass(frozen=True, slots=True)
class Antwoord:
    """An answer on a message: its own identification and day; ``code`` '' = approved, ``level`` 2 = header only."""

    identificatie: str
    dagtekening: date
    code: str = ""
    level: int = 3


def regie_antwoord(
    answered: Header, antwoord: Antwoord, client: Client, bsn: str, classes: Sequence[ProductClass], style: int
) -> bytes:
    """A JW306 or JW308. Rejected at level 3: the client comes back with the code at the first class."""
    further: list[Node] = [
        ("m:IdentificatieRetour", antwoord.identificatie),
        ("m:DagtekeningRetour", antwoord.dagtekening.isoformat()),
    ]
    of_header: list[Node] = []
    body: list[Node] = []
    if antwoord.code and antwoord.level == 2:
        further.append(("m:XsltVersie", "1.0.1"))
        of_header.append(_codes(TECHNICAL))
    elif antwoord.code:
        of_header.append(_codes(NO_REMARK))
        group = "Start" if answered.kind == "JW305" else "Stop"
        codes = [antwoord.code, *[NOT_JUDGED] * (len(classes) - 1)]
        products: list[Node] = [
            (f"m:{group}Product", [*class_nodes(k), _codes(c)]) for k, c in zip(classes, codes, strict=True)
        ]
        nodes = [*person(client, bsn), (f"m:{group}Producten", products), _codes(NO_REMARK)]
        body.append(("m:Client", nodes))
    further += [versions("m:XsdVersieRetour"), *of_header]
    return render(replace(answered, kind=ANSWERED_BY[answered.kind]), body, style, further)


def declaratie_antwoord(
    answered: Header,
    antwoord: Antwoord,
    number: str,
    prestaties: Sequence[Prestatie],
    rejected: Mapping[str, str],
    style: int,
) -> bytes:
    """A JW325. ``rejected`` maps the references of rejected lines to their code; ``antwoord.code`` rejects all.

    At level 2 the header alone says so; at level 3 DeclaratieAntwoord does, and nothing is awarded.
    """
    technical = bool(antwoord.code) and antwoord.level == 2
    further: list[Node] = [
        (
            "m:DeclaratieIdentificatie",
            [("b:Identificatie", answered.identificatie), ("b:Dagtekening", answered.dagtekening.isoformat())],
        ),
        *([("m:XsltVersie", "1.0.1")] if technical else []),
        versions("m:XsdVersieDeclaratie"),
        _codes(TECHNICAL if technical else NO_REMARK),
    ]
    rejected_lines = [r for r in prestaties if r.referentie in rejected]
    awarded = 0 if antwoord.code else total(prestaties) - total(rejected_lines)
    body: list[Node] = [
        ("m:DeclaratieNummer", number),
        ("m:TotaalIngediendBedrag", totaalbedrag(total(prestaties))),
        ("m:TotaalToegekendBedrag", totaalbedrag(awarded)),
    ]
    if rejected_lines:
        body.append(("m:Clienten", _clienten(rejected_lines, rejected)))
    body.append(_codes(antwoord.code or (NO_REMARK if rejected_lines else AWARDED)))
    header = Header("JW325", answered.aanbieder, answered.ontvanger, antwoord.identificatie, antwoord.dagtekening)
    return render(header, [] if technical else [("m:DeclaratieAntwoord", body)], style, further)


def _clienten(prestaties: Sequence[Prestatie], codes: Mapping[str, str]) -> list[Node]:
    per_client: dict[str, list[Node]] = {}
    for r in prestaties:
        node: Node = ("m:Prestatie", [*prestatie_nodes(r), _codes(codes[r.referentie])])
        per_client.setdefault(r.bsn, []).append(node)
    return [
        ("m:Client", [("m:Bsn", bsn), ("m:Prestaties", nodes), _codes(NO_REMARK)]) for bsn, nodes in per_client.items()
    ]


def _codes(code: str) -> Node:
    return ("m:RetourCodes", [("m:RetourCode", code)])
