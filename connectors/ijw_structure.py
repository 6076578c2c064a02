"""The structure of JW305, JW307 and JW323 of iJw 3.2: elements, order, cardinality, types and namespaces.

Written by hand from the standard's tables (level 1 of its checks); equal to its schema for what the monitor accepts.
XSD versions are read and never compared. Names are checked for form and forgotten at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from connectors.xml_stream import Element, XmlFault
from domain import codes
from domain.dates import iso_day

_NS: Final = "http://www.istandaarden.nl/ijw/3_2/{}/schema"
_BASE: Final = _NS.format("basisschema")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MANY: Final = float("inf")

Reader = Callable[[str], Any]


def _pattern(regex: str) -> Reader:
    match = re.compile(regex).fullmatch

    def read(text: str) -> str:
        if match(text) is None:
            raise ValueError
        return text

    return read


def _text(longest: int) -> Reader:
    def read(text: str) -> str:
        if not text.strip() or len(text) > longest:
            raise ValueError
        return text

    return read


def _integer(highest: int) -> Reader:
    def read(text: str) -> int:
        digits = text.strip(" \t\r\n")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 20) or int(digits) > highest:
            raise ValueError
        return int(digits)

    return read


def _one_of(allowed: object) -> Reader:
    known = frozenset(allowed)  # type: ignore[call-overload]

    def read(text: str) -> str:
        if text not in known:
            raise ValueError
        return text

    return read


def _date(text: str) -> int:
    text = text.strip(" \t\r\n")
    if _DATE.fullmatch(text) is None:
        raise ValueError
    try:
        return iso_day(text)
    except ValueError:
        raise XmlFault("TR134") from None


_BSN = _pattern("[0-9]{9}")
_NUMMER = _integer(999_999_999)
_VERSION = _pattern(r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)")
_CODE_2 = _pattern("[0-9]{2}")


class _Names:
    """Elements of one message: ``m`` in its own namespace, ``b`` in the base namespace."""

    def __init__(self, message: str) -> None:
        self._ns = _NS.format(message)

    def m(self, naam: str, what: Reader | tuple[Element, ...], least: int = 1, **more: Any) -> Element:
        return _element(self._ns, naam, what, least, **more)

    def b(self, naam: str, what: Reader | tuple[Element, ...], least: int = 1, **more: Any) -> Element:
        return _element(_BASE, naam, what, least, **more)

    def header(self, code: str) -> Element:
        m, b = self.m, self.b
        return m(
            "Header",
            (
                m("BerichtCode", _pattern(code)),
                m("BerichtVersie", _integer(99)),
                m("BerichtSubversie", _integer(99)),
                m("Afzender", _pattern("[0-9]{8}")),
                m("Ontvanger", _pattern("[0-9]{4}")),
                m("BerichtIdentificatie", (b("Identificatie", _text(12)), b("Dagtekening", _date))),
                m("XsdVersie", (b("BasisschemaXsdVersie", _VERSION), b("BerichtXsdVersie", _VERSION))),
            ),
            event=True,
        )

    def client(self, group: str, product: tuple[Element, ...]) -> Element:
        m, b = self.m, self.b
        family = (b("Achternaam", _text(200)), b("Voorvoegsel", _text(10), 0))
        names = (
            b("Geslachtsnaam", family),
            b("Voornamen", _text(200), 0),
            b("Voorletters", _pattern(r"[^\W\d_]{1,6}"), 0),
        )
        return m(
            "Client",
            (
                m("Bsn", _BSN),
                m("Geboortedatum", (b("Datum", _date), b("DatumGebruik", _one_of(codes.DATUM_GEBRUIK), 0))),
                m("Geslacht", _one_of(codes.GESLACHT)),
                m("Naam", names, keep=False),
                m(f"{group}Producten", (m(f"{group}Product", product, most=_MANY, event=True),), keep=False),
            ),
            keep=False,
        )

    def product(self, ending: bool) -> tuple[Element, ...]:
        m, b = self.m, self.b
        return (
            m("ToewijzingNummer", _NUMMER, 0),
            m("Product", (b("Categorie", _CODE_2), b("Code", _text(5), 0)), 0),
            m("ToewijzingIngangsdatum", _date, 0),
            m("Begindatum", _date),
            *((m("RedenBeeindiging", _CODE_2), m("Einddatum", _date)) if ending else ()),
            m("StatusAanlevering", _one_of("1239")),
        )

    def period(self, naam: str) -> Element:
        return self.m(naam, (self.b("Begindatum", _date), self.b("Einddatum", _date)))

    def amount(self, naam: str, inner: str, highest: int) -> Element:
        return self.m(naam, (self.b(inner, _integer(highest)), self.b("DebetCredit", _one_of(codes.DEBET_CREDIT))))


def _element(namespace: str, naam: str, what: Reader | tuple[Element, ...], least: int = 1, **more: Any) -> Element:
    tag = f"{{{namespace}}}{naam}"
    return (
        Element(naam, tag, None, what, least, **more)
        if isinstance(what, tuple)
        else Element(naam, tag, what, (), least, **more)
    )


def _regie(message: str, code: str, group: str, ending: bool) -> Element:
    n = _Names(message)
    return n.m("Bericht", (n.header(code), n.client(group, n.product(ending))), keep=False)


def _prestatie(n: _Names) -> Element:
    m, b = n.m, n.b
    reference = (b("ReferentieNummer", _text(20)), b("VorigReferentieNummer", _text(20), 0))
    return m(
        "Prestatie",
        (
            m("ProductReferentie", reference),
            m("ToewijzingNummer", _NUMMER),
            m("ProductCategorie", _CODE_2),
            m("ProductCode", _text(5)),
            n.period("ProductPeriode"),
            m("GeleverdVolume", _integer(99_999_999)),
            m("Eenheid", _one_of(codes.EENHEDEN)),
            m("ProductTarief", _integer(99_999_999), 0),
            n.amount("IngediendBedrag", "Bedrag", 99_999_999),
        ),
        most=_MANY,
        event=True,
    )


def _declaratie() -> Element:
    n = _Names("jw323")
    m = n.m
    client = m("Client", (m("Bsn", _BSN), m("Prestaties", (_prestatie(n),), keep=False)), most=_MANY, keep=False)
    declaration = m(
        "Declaratie",
        (
            m("DeclaratieNummer", _pattern("[a-zA-Z0-9]{1,12}")),
            n.period("DeclaratiePeriode"),
            m("DeclaratieDagtekening", _date),
            n.amount("TotaalIngediendBedrag", "TotaalBedrag", 999_999_999_999),
            m("Clienten", (client,), keep=False),
        ),
        event=True,
    )
    return m("Bericht", (n.header("490"), declaration), keep=False)


JW305: Final = _regie("jw305", "438", "Start", ending=False)
JW307: Final = _regie("jw307", "440", "Stop", ending=True)
JW323: Final = _declaratie()
