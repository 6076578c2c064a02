"""The structure of the answers: JW306, JW308 and JW325 of iJw 3.2. Return codes stand at the end of each class.

Of a client in a JW306 or JW308 everything is checked for form and forgotten at once: the answer is on the message.
"""

from __future__ import annotations

from typing import Final

from connectors.formats.ijw.structure import BSN, MANY, VERSION, Names, datum, pattern, prestatie, text
from connectors.formats.ijw.xml_stream import Element


def _codes(n: Names, least: int = 1) -> Element:
    """RetourCodes: each is handed over by itself, so that a million of them cost nothing."""
    code = n.m("RetourCode", pattern("[0-9A-Z]{4}"), most=MANY, event=True)
    return n.m("RetourCodes", (code,), least, keep=False)


def _forgotten(element: Element) -> Element:
    children = tuple(_forgotten(child) for child in element.children)
    event = element.event and element.name == "RetourCode"
    return element._replace(children=children, keep=False, event=event)


def _client(n: Names, group: str, ending: bool) -> Element:
    client = n.client(group, (*n.product(ending), _codes(n)), _codes(n), least=0)
    return _forgotten(client)._replace(event=True)


def _retour(message: str, code: str, group: str, ending: bool) -> Element:
    n = Names(message)
    header = n.header(
        code,
        n.m("IdentificatieRetour", text(12)),
        n.m("DagtekeningRetour", datum),
        n.m("XsltVersie", VERSION, 0),
        n.xsd_version("XsdVersieRetour"),
        _codes(n, 0),
    )
    return n.m("Bericht", (header, _client(n, group, ending)), keep=False, event=True)


def _antwoord() -> Element:
    n = Names("jw325")
    m = n.m
    header = n.header(
        "491",
        n.identificatie("DeclaratieIdentificatie"),
        m("XsltVersie", VERSION, 0),
        n.xsd_version("XsdVersieDeclaratie"),
        _codes(n),
        of_gemeente=True,
    )
    lines = m("Prestaties", (prestatie(n, _codes(n)),), keep=False)
    client = m("Client", (m("Bsn", BSN), lines, _codes(n)), most=MANY, keep=False, event=True)
    answer = m(
        "DeclaratieAntwoord",
        (
            m("DeclaratieNummer", pattern("[a-zA-Z0-9]{1,12}"), keep=False),
            n.amount("TotaalIngediendBedrag", "TotaalBedrag", 999_999_999_999),
            n.amount("TotaalToegekendBedrag", "TotaalBedrag", 999_999_999_999),
            m("Clienten", (client,), 0, keep=False),
            _codes(n),
        ),
        0,
        event=True,
    )
    return m("Bericht", (header, answer), keep=False, event=True)


JW306: Final = _retour("jw306", "439", "Start", ending=False)
JW308: Final = _retour("jw308", "441", "Stop", ending=True)
JW325: Final = _antwoord()
