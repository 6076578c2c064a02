"""The structure of JW301, JW305, JW307 and JW323 of iJw 3.2: elements, order, cardinality, types and namespaces.

Written by hand from the standard's tables (level 1 of its checks); equal to its schema for what the monitor accepts.
XSD versions are read and never compared. Names are checked for form and forgotten at once. Whatever else a JW301 says
of a person and those around it is not even looked at, but for the postcode of the client's own address, in whose place
its area comes; so there a JW301 may be made more loosely than its schema allows.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from connectors.formats.ijw.address import LOOK
from connectors.formats.ijw.xml_stream import Element, XmlFault
from domain.field import codes
from domain.field.dates import iso_day

_NS: Final = "http://www.istandaarden.nl/ijw/3_2/{}/schema"
_BASE: Final = _NS.format("basisschema")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FIRST, _LAST = iso_day("1900-01-01"), iso_day("2100-12-31")
_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9]):([0-5][0-9])(?:\.[0-9]{1,12})?")
MANY: Final = float("inf")

Reader = Callable[[str], Any]


def pattern(regex: str) -> Reader:
    match = re.compile(regex).fullmatch

    def read(text: str) -> str:
        if match(text) is None:
            raise ValueError
        return text

    return read


def text(longest: int) -> Reader:
    def read(text: str) -> str:
        if not text.strip() or len(text) > longest:
            raise ValueError
        return text

    return read


def integer(highest: int) -> Reader:
    def read(text: str) -> int:
        digits = text.strip(" \t\r\n")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 20) or int(digits) > highest:
            raise ValueError
        return int(digits)

    return read


def one_of(allowed: object) -> Reader:
    known = frozenset(allowed)  # type: ignore[call-overload]

    def read(text: str) -> str:
        if text not in known:
            raise ValueError
        return text

    return read


def _any_day(text: str) -> int:
    text = text.strip(" \t\r\n")
    if _DATE.fullmatch(text) is None:
        raise ValueError
    try:
        return iso_day(text)
    except ValueError:
        raise XmlFault("TR134") from None


def datum(text: str) -> int:
    """A day that can be reckoned with: 1900 to 2100, as entry wants it."""
    found = _any_day(text)
    if not _FIRST <= found <= _LAST:
        raise XmlFault("TR134")
    return found


def _open_end(text: str) -> int | None:
    """The last day of an assignment; one beyond all reckoning, such as 9999-12-31, says that it is open [R]."""
    found = _any_day(text)
    return None if found > _LAST else datum(text)


def _time(text: str) -> int:
    """Seconds since midnight of ``hh:mm:ss``, with or without a fraction, without time zone (RS034)."""
    found = _TIME.fullmatch(text.strip(" \t\r\n"))
    if found is None:
        raise ValueError
    hours, minutes, seconds = (int(part) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds


BSN = pattern("[0-9]{9}")
NUMBER = integer(999_999_999)
VERSION = pattern(r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)")
_CODE_2 = pattern("[0-9]{2}")


class Names:
    """Elements of one message: ``m`` in its own namespace, ``b`` in the base namespace."""

    def __init__(self, message: str) -> None:
        self._ns = _NS.format(message)

    def m(self, name: str, what: Reader | tuple[Element, ...], least: int = 1, **more: Any) -> Element:
        return _element(self._ns, name, what, least, **more)

    def b(self, name: str, what: Reader | tuple[Element, ...], least: int = 1, **more: Any) -> Element:
        return _element(_BASE, name, what, least, **more)

    def header(self, code: str, *more: Element, of_gemeente: bool = False) -> Element:
        m = self.m
        aanbieder, gemeente = pattern("[0-9]{8}"), pattern("[0-9]{4}")
        afzender, ontvanger = (gemeente, aanbieder) if of_gemeente else (aanbieder, gemeente)
        return m(
            "Header",
            (
                m("BerichtCode", pattern(code)),
                m("BerichtVersie", integer(99)),
                m("BerichtSubversie", integer(99)),
                m("Afzender", afzender),
                m("Ontvanger", ontvanger),
                self.identificatie("BerichtIdentificatie"),
                self.xsd_version("XsdVersie"),
                *more,
            ),
            event=True,
        )

    def identificatie(self, name: str) -> Element:
        return self.m(name, (self.b("Identificatie", text(12)), self.b("Dagtekening", datum)))

    def xsd_version(self, name: str) -> Element:
        return self.m(name, (self.b("BasisschemaXsdVersie", VERSION), self.b("BerichtXsdVersie", VERSION)))

    def skipped(self, name: str, least: int = 0, look: tuple[tuple[str, ...], ...] = ()) -> Element:
        return Element(name, f"{{{self._ns}}}{name}", None, (), least, keep=False, skip=True, look=look)

    def geboortedatum(self) -> Element:
        parts = (self.b("Datum", _any_day), self.b("DatumGebruik", one_of(codes.DATUM_USAGE), 0))
        return self.m("Geboortedatum", parts)

    def client(self, group: str, product: tuple[Element, ...], *more: Element, least: int = 1) -> Element:
        m, b = self.m, self.b
        family = (b("Achternaam", text(200)), b("Voorvoegsel", text(10), 0))
        names = (
            b("Geslachtsnaam", family),
            b("Voornamen", text(200), 0),
            b("Voorletters", pattern(r"[^\W\d_]{1,6}"), 0),
        )
        return m(
            "Client",
            (
                m("Bsn", BSN),
                self.geboortedatum(),
                m("Geslacht", one_of(codes.GESLACHT)),
                m("Naam", names, keep=False),
                m(f"{group}Producten", (m(f"{group}Product", product, most=MANY, event=True),), keep=False),
                *more,
            ),
            least,
            keep=False,
        )

    def product(self, ending: bool) -> tuple[Element, ...]:
        m, b = self.m, self.b
        return (
            m("ToewijzingNummer", NUMBER, 0),
            m("Product", (b("Categorie", _CODE_2), b("Code", text(5), 0)), 0),
            m("ToewijzingIngangsdatum", datum, 0),
            m("Begindatum", datum),
            *((m("RedenBeeindiging", _CODE_2), m("Einddatum", datum)) if ending else ()),
            m("StatusAanlevering", one_of("1239")),
        )

    def period(self, name: str) -> Element:
        return self.m(name, (self.b("Begindatum", datum), self.b("Einddatum", datum)))

    def amount(self, name: str, inner: str, highest: int) -> Element:
        return self.m(name, (self.b(inner, integer(highest)), self.b("DebetCredit", one_of(codes.DEBET_CREDIT))))


def _element(namespace: str, name: str, what: Reader | tuple[Element, ...], least: int = 1, **more: Any) -> Element:
    tag = f"{{{namespace}}}{name}"
    return (
        Element(name, tag, None, what, least, **more)
        if isinstance(what, tuple)
        else Element(name, tag, what, (), least, **more)
    )


def _regie(message: str, code: str, group: str, ending: bool) -> Element:
    n = Names(message)
    return n.m("Bericht", (n.header(code), n.client(group, n.product(ending))), keep=False)


def _assigned(n: Names) -> Element:
    """ToegewezenProduct; the free text and the provider's own reference are not looked at."""
    m, b = n.m, n.b
    omvang = (
        b("Volume", integer(99_999_999)),
        b("Eenheid", one_of(codes.EENHEDEN)),
        b("Frequentie", one_of(codes.FREQUENTIES)),
    )
    product = (
        m("ToewijzingNummer", NUMBER),
        n.skipped("ReferentieAanbieder"),
        m("Product", (b("Categorie", _CODE_2), b("Code", text(5), 0)), 0),
        m("Toewijzingsdatum", datum),
        m("Toewijzingstijd", _time),
        m("Ingangsdatum", datum),
        m("Einddatum", _open_end, 0),
        m("RedenWijziging", _CODE_2, 0),
        m("Omvang", omvang, 0),
        m("Budget", integer(99_999_999), 0),
        n.skipped("Commentaar"),
    )
    return m("ToegewezenProduct", product, most=MANY, event=True)


def _toewijzing() -> Element:
    n = Names("jw301")
    m = n.m
    client = (
        m("Bsn", BSN),
        n.geboortedatum(),
        m("Geslacht", one_of(codes.GESLACHT), keep=False),
        n.skipped("Naam", 1),
        *(n.skipped(name) for name in ("Communicatie", "JuridischeStatus", "WettelijkeVertegenwoordiging")),
        n.skipped("Commentaar"),
        n.skipped("Relaties"),
        n.skipped("Contactgegevens", 1, LOOK),
        m("ToegewezenProducten", (_assigned(n),), keep=False),
    )
    return m("Bericht", (n.header("436", of_gemeente=True), m("Client", client, keep=False)), keep=False)


def prestatie(n: Names, *more: Element) -> Element:
    m, b = n.m, n.b
    reference = (b("ReferentieNummer", text(20)), b("VorigReferentieNummer", text(20), 0))
    return m(
        "Prestatie",
        (
            m("ProductReferentie", reference),
            m("ToewijzingNummer", NUMBER),
            m("ProductCategorie", _CODE_2),
            m("ProductCode", text(5)),
            n.period("ProductPeriode"),
            m("GeleverdVolume", integer(99_999_999)),
            m("Eenheid", one_of(codes.EENHEDEN)),
            m("ProductTarief", integer(99_999_999), 0),
            n.amount("IngediendBedrag", "Bedrag", 99_999_999),
            *more,
        ),
        most=MANY,
        event=True,
    )


def _declaratie() -> Element:
    n = Names("jw323")
    m = n.m
    client = m("Client", (m("Bsn", BSN), m("Prestaties", (prestatie(n),), keep=False)), most=MANY, keep=False)
    declaration = m(
        "Declaratie",
        (
            m("DeclaratieNummer", pattern("[a-zA-Z0-9]{1,12}")),
            n.period("DeclaratiePeriode"),
            m("DeclaratieDagtekening", datum),
            n.amount("TotaalIngediendBedrag", "TotaalBedrag", 999_999_999_999),
            m("Clienten", (client,), keep=False),
        ),
        event=True,
    )
    return m("Bericht", (n.header("490"), declaration), keep=False)


JW301: Final = _toewijzing()
JW305: Final = _regie("jw305", "438", "Start", ending=False)
JW307: Final = _regie("jw307", "440", "Stop", ending=True)
JW323: Final = _declaratie()
