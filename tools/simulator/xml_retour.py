"""The answers as they travel (3.8): JW306 on a start, JW308 on a stop, JW325 on a declaration.

JW306 and JW308 copy the header of the message they answer, sender and receiver included.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from tools.simulator.model import Client
from tools.simulator.xml import (
    Klasse,
    Kop,
    Node,
    Prestatie,
    Soort,
    klasse_nodes,
    persoon,
    prestatie_nodes,
    render,
    totaal,
    totaalbedrag,
    versies,
)

ANTWOORD_OP: dict[Soort, Soort] = {"JW305": "JW306", "JW307": "JW308"}
TECHNISCH, GEEN_OPMERKING, NIET_BEOORDEELD, TOEGEKEND = "0001", "0200", "0233", "8001"


@dataclass(frozen=True, slots=True)
class Antwoord:
    """An answer on a message: its own identification and day; `code` '' = approved, `niveau` 2 = header only."""

    identificatie: str
    dagtekening: date
    code: str = ""
    niveau: int = 3


def regie_antwoord(
    kop: Kop, antwoord: Antwoord, client: Client, bsn: str, klassen: Sequence[Klasse], stijl: int
) -> bytes:
    """A JW306 or JW308. Rejected at level 3: the client comes back with the code at the first class."""
    verder: list[Node] = [
        ("m:IdentificatieRetour", antwoord.identificatie),
        ("m:DagtekeningRetour", antwoord.dagtekening.isoformat()),
    ]
    header: list[Node] = []
    body: list[Node] = []
    if antwoord.code and antwoord.niveau == 2:
        verder.append(("m:XsltVersie", "1.0.1"))
        header.append(_codes(TECHNISCH))
    elif antwoord.code:
        header.append(_codes(GEEN_OPMERKING))
        groep = "Start" if kop.soort == "JW305" else "Stop"
        codes = [antwoord.code, *[NIET_BEOORDEELD] * (len(klassen) - 1)]
        producten: list[Node] = [
            (f"m:{groep}Product", [*klasse_nodes(k), _codes(c)]) for k, c in zip(klassen, codes, strict=True)
        ]
        nodes = [*persoon(client, bsn), (f"m:{groep}Producten", producten), _codes(GEEN_OPMERKING)]
        body.append(("m:Client", nodes))
    verder += [versies("m:XsdVersieRetour"), *header]
    heen = Kop(ANTWOORD_OP[kop.soort], kop.aanbieder, kop.ontvanger, kop.identificatie, kop.dagtekening)
    return render(heen, body, stijl, verder)


def declaratie_antwoord(
    heen: Kop,
    antwoord: Antwoord,
    nummer: str,
    regels: Sequence[Prestatie],
    afgekeurd: Mapping[str, str],
    stijl: int,
) -> bytes:
    """A JW325. `afgekeurd` maps the references of rejected lines to their code; `antwoord.code` rejects all.

    At level 2 the header alone says so; at level 3 DeclaratieAntwoord does, and nothing is awarded.
    """
    technisch = bool(antwoord.code) and antwoord.niveau == 2
    verder: list[Node] = [
        (
            "m:DeclaratieIdentificatie",
            [("b:Identificatie", heen.identificatie), ("b:Dagtekening", heen.dagtekening.isoformat())],
        ),
        *([("m:XsltVersie", "1.0.1")] if technisch else []),
        versies("m:XsdVersieDeclaratie"),
        _codes(TECHNISCH if technisch else GEEN_OPMERKING),
    ]
    terug = [r for r in regels if r.referentie in afgekeurd]
    toegekend = 0 if antwoord.code else totaal(regels) - totaal(terug)
    body: list[Node] = [
        ("m:DeclaratieNummer", nummer),
        ("m:TotaalIngediendBedrag", totaalbedrag(totaal(regels))),
        ("m:TotaalToegekendBedrag", totaalbedrag(toegekend)),
    ]
    if terug:
        body.append(("m:Clienten", _clienten(terug, afgekeurd)))
    body.append(_codes(antwoord.code or (GEEN_OPMERKING if terug else TOEGEKEND)))
    kop = Kop("JW325", heen.aanbieder, heen.ontvanger, antwoord.identificatie, antwoord.dagtekening)
    return render(kop, [] if technisch else [("m:DeclaratieAntwoord", body)], stijl, verder)


def _clienten(regels: Sequence[Prestatie], codes: Mapping[str, str]) -> list[Node]:
    per_client: dict[str, list[Node]] = {}
    for r in regels:
        node: Node = ("m:Prestatie", [*prestatie_nodes(r), _codes(codes[r.referentie])])
        per_client.setdefault(r.bsn, []).append(node)
    return [
        ("m:Client", [("m:Bsn", bsn), ("m:Prestaties", nodes), _codes(GEEN_OPMERKING)])
        for bsn, nodes in per_client.items()
    ]


def _codes(code: str) -> Node:
    return ("m:RetourCodes", [("m:RetourCode", code)])
