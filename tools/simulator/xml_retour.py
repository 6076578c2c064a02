"""The answers as they travel (3.8): JW306 on a start, JW308 on a stop, JW325 on a declaration.

JW306 and JW308 copy the header of the message they answer, sender and receiver included.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from tools.simulator.model import Client
from tools.simulator.xml import (
    Header,
    Kind,
    Klasse,
    Node,
    Prestatie,
    klasse_nodes,
    person,
    prestatie_nodes,
    render,
    totaalbedrag,
    total,
    versions,
)

ANTWOORD_ON: dict[Kind, Kind] = {"JW305": "JW306", "JW307": "JW308"}
TECHNICAL, NO_REMARK, NEGATED_JUDGED, TOEGEKEND = "0001", "0200", "0233", "8001"


@dataclass(frozen=True, slots=True)
class Antwoord:
    """An answer on a message: its own identification and day; ``code`` '' = approved, ``level`` 2 = header only."""

    identificatie: str
    dagtekening: date
    code: str = ""
    level: int = 3


def regie_antwoord(
    head: Header, antwoord: Antwoord, client: Client, bsn: str, classes: Sequence[Klasse], style: int
) -> bytes:
    """A JW306 or JW308. Rejected at level 3: the client comes back with the code at the first class."""
    further: list[Node] = [
        ("m:IdentificatieRetour", antwoord.identificatie),
        ("m:DagtekeningRetour", antwoord.dagtekening.isoformat()),
    ]
    header: list[Node] = []
    body: list[Node] = []
    if antwoord.code and antwoord.level == 2:
        further.append(("m:XsltVersie", "1.0.1"))
        header.append(_codes(TECHNICAL))
    elif antwoord.code:
        header.append(_codes(NO_REMARK))
        group = "Start" if head.soort == "JW305" else "Stop"
        codes = [antwoord.code, *[NEGATED_JUDGED] * (len(classes) - 1)]
        products: list[Node] = [
            (f"m:{group}Product", [*klasse_nodes(k), _codes(c)]) for k, c in zip(classes, codes, strict=True)
        ]
        nodes = [*person(client, bsn), (f"m:{group}Producten", products), _codes(NO_REMARK)]
        body.append(("m:Client", nodes))
    further += [versions("m:XsdVersieRetour"), *header]
    forth = Header(ANTWOORD_ON[head.soort], head.aanbieder, head.ontvanger, head.identificatie, head.dagtekening)
    return render(forth, body, style, further)


def declaratie_antwoord(
    forth: Header,
    antwoord: Antwoord,
    number: str,
    regels: Sequence[Prestatie],
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
            [("b:Identificatie", forth.identificatie), ("b:Dagtekening", forth.dagtekening.isoformat())],
        ),
        *([("m:XsltVersie", "1.0.1")] if technical else []),
        versions("m:XsdVersieDeclaratie"),
        _codes(TECHNICAL if technical else NO_REMARK),
    ]
    back = [r for r in regels if r.referentie in rejected]
    toegekend = 0 if antwoord.code else total(regels) - total(back)
    body: list[Node] = [
        ("m:DeclaratieNummer", number),
        ("m:TotaalIngediendBedrag", totaalbedrag(total(regels))),
        ("m:TotaalToegekendBedrag", totaalbedrag(toegekend)),
    ]
    if back:
        body.append(("m:Clienten", _clienten(back, rejected)))
    body.append(_codes(antwoord.code or (NO_REMARK if back else TOEGEKEND)))
    head = Header("JW325", forth.aanbieder, forth.ontvanger, antwoord.identificatie, antwoord.dagtekening)
    return render(head, [] if technical else [("m:DeclaratieAntwoord", body)], style, further)


def _clienten(regels: Sequence[Prestatie], codes: Mapping[str, str]) -> list[Node]:
    per_client: dict[str, list[Node]] = {}
    for r in regels:
        node: Node = ("m:Prestatie", [*prestatie_nodes(r), _codes(codes[r.referentie])])
        per_client.setdefault(r.bsn, []).append(node)
    return [
        ("m:Client", [("m:Bsn", bsn), ("m:Prestaties", nodes), _codes(NO_REMARK)]) for bsn, nodes in per_client.items()
    ]


def _codes(code: str) -> Node:
    return ("m:RetourCodes", [("m:RetourCode", code)])
