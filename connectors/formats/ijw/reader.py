"""JW305, JW307 and JW323 to facts: level 1 by structure, level 2 (inside one message) here."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import date
from typing import Any, BinaryIO, Final

from connectors.formats.ijw.message import Message, leeftijd, records, years_earlier
from connectors.formats.ijw.structure import JW305, JW307, JW323
from connectors.formats.ijw.xml_stream import Handler, Shape, Values
from connectors.formats.model import FileContext, FileRecord
from domain.facts.fact import Prestatie, Start, Stop
from domain.field import codes
from domain.field.dates import as_date, day

CS100: Final = day(date(2021, 1, 1))
YEARS_BACK: Final = 5  # TR335


class _Regie(Message):
    """JW305 and JW307: one client with starts or stops."""

    def __init__(self, context: FileContext, ending: bool) -> None:
        super().__init__(context)
        self._ending = ending
        self._keys = set[tuple[Any, ...]]()

    def product(self, values: Values, opened: dict[str, Values]) -> None:
        """One StartProduct or StopProduct; the client stands before its products."""
        client = opened["Client"]
        self.element += 1
        if self.element == 1:
            self.client(client)
        product = values.get("Product", {})
        category, code = product.get("Categorie", ""), product.get("Code", "")
        number = values.get("ToewijzingNummer")
        key = (number, category, code, values["Begindatum"], values.get("RedenBeeindiging"))
        if key in self._keys:
            self.find("TR101", "ToewijzingNummer")
        self._keys.add(key)
        self.category(category, "Categorie")
        self._content(values)
        toewijzing = None if number is None else str(number).encode()
        self.add(client["Bsn"], self._fact(values, client, toewijzing=toewijzing, categorie=category, code=code))

    def _content(self, values: Values) -> None:
        """Checks of one class. A removal is checked on its key alone (TR063)."""
        status = values["StatusAanlevering"]
        if status not in "13":
            self.find("CS058", "StatusAanlevering")
        if self._ending and values["RedenBeeindiging"] not in codes.REDENEN:
            self.find("JZ588", "RedenBeeindiging")
        if status == "3":
            return
        if values["Begindatum"] > self.dagtekening:
            self.find("TR134", "Begindatum")
        if self._ending and values["Einddatum"] < values["Begindatum"]:
            self.find("TR018", "Einddatum")
        if self._ending and values["Einddatum"] > self.dagtekening:
            self.find("TR134", "Einddatum")

    def _fact(self, values: Values, client: Values, **product: Any) -> Start | Stop:
        begin, born = values["Begindatum"], client["Geboortedatum"]
        years, roughly = leeftijd(
            born["Datum"], born.get("DatumGebruik"), values["Einddatum"] if self._ending else begin
        )
        common: dict[str, Any] = {
            **product,
            "gemeente": self.gemeente,
            "begindatum": begin,
            "status": int(values["StatusAanlevering"]),
            "dagtekening": self.dagtekening,
            "bericht": self.bericht,
            "ingangsdatum": values.get("ToewijzingIngangsdatum"),
            "leeftijd": years,
            "leeftijd_benaderd": roughly,
            "geslacht": client["Geslacht"],
        }
        if not self._ending:
            return Start(**common)
        return Stop(**common, reden_beeindiging=values["RedenBeeindiging"], einddatum=values["Einddatum"])


class _Declaration(Message):
    """JW323: many clients with many lines; only references, keys and the sum are kept."""

    def __init__(self, context: FileContext) -> None:
        super().__init__(context)
        self._references, self._earlier, self._debits = set[str](), set[str](), set[tuple[Any, ...]]()
        self._sum = 0

    def line(self, values: Values, opened: dict[str, Values]) -> None:
        """One Prestatie; the declaration's head and the client stand before it."""
        declaration, bsn = opened["Declaratie"], opened["Client"]["Bsn"]
        self.element += 1
        if self.element == 1:
            self._period(declaration)
        self.bsn(bsn)
        self.category(values["ProductCategorie"], "ProductCategorie")
        period, amount = values["ProductPeriode"], values["IngediendBedrag"]
        self._dates(period, declaration["DeclaratieDagtekening"])
        self._amounts(values, amount)
        self._references_of(values, period, amount["DebetCredit"])
        self.add(bsn, self._fact(values, period, amount, declaration["DeclaratieNummer"]))

    def _period(self, declaration: Values) -> None:
        first, last = declaration["DeclaratiePeriode"]["Begindatum"], declaration["DeclaratiePeriode"]["Einddatum"]
        d = as_date(first)
        if d.day != 1 or last != day(d.replace(day=monthrange(d.year, d.month)[1])):
            self.find("CS340", "DeclaratiePeriode")
        if first < CS100:
            self.find("CS100", "DeclaratiePeriode")

    def _dates(self, period: Values, signed: int) -> None:
        begin, end = period["Begindatum"], period["Einddatum"]
        if end < begin or end > self.dagtekening:
            self.find("TR137", "ProductPeriode")
        first, last = as_date(begin), as_date(end)
        if (first.year, first.month) != (last.year, last.month):
            self.find("CS337", "ProductPeriode")
        if end < years_earlier(signed, YEARS_BACK):
            self.find("TR335", "ProductPeriode")

    def _amounts(self, values: Values, amount: Values) -> None:
        euros = values["Eenheid"] == codes.EENHEID_EURO
        if euros == ("ProductTarief" in values):
            self.find("CD087", "ProductTarief")
        if euros and amount["Bedrag"] != values["GeleverdVolume"]:
            self.find("CS339", "IngediendBedrag")
        self._sum += -amount["Bedrag"] if amount["DebetCredit"] == "C" else amount["Bedrag"]

    def _references_of(self, values: Values, period: Values, debit_credit: str) -> None:
        reference = values["ProductReferentie"]["ReferentieNummer"]
        earlier = values["ProductReferentie"].get("VorigReferentieNummer")
        if (debit_credit == "C") != (earlier is not None):
            self.find("CD060", "VorigReferentieNummer")
        if reference in self._references:
            self.find("TR101", "ReferentieNummer")
        self._references.add(reference)
        if earlier is not None:
            if earlier in self._earlier:
                self.find("TR315", "VorigReferentieNummer")
            self._earlier.add(earlier)
        if debit_credit == "D":
            key = (values["ToewijzingNummer"], *period.values(), values["ProductCategorie"], values["ProductCode"])
            if key in self._debits:
                self.find("TR416", "ToewijzingNummer")
            self._debits.add(key)

    def _fact(self, values: Values, period: Values, amount: Values, number: str) -> Prestatie:
        earlier = values["ProductReferentie"].get("VorigReferentieNummer")
        return Prestatie(
            gemeente=self.gemeente,
            toewijzing=str(values["ToewijzingNummer"]).encode(),
            categorie=values["ProductCategorie"],
            code=values["ProductCode"],
            referentie=values["ProductReferentie"]["ReferentieNummer"].encode(),
            vorige_referentie=None if earlier is None else earlier.encode(),
            debet_credit=amount["DebetCredit"],
            begindatum=period["Begindatum"],
            einddatum=period["Einddatum"],
            volume=values["GeleverdVolume"],
            eenheid=values["Eenheid"],
            bedrag=amount["Bedrag"],
            dagtekening=self.dagtekening,
            bericht=self.bericht,
            declaratienummer=number.encode(),
            tarief=values.get("ProductTarief"),
        )

    def end(self, values: Values, _open: dict[str, Values]) -> None:
        """What needs all lines: sum, and credits of lines of this same message."""
        total = values["TotaalIngediendBedrag"]
        signed = -total["TotaalBedrag"] if total["DebetCredit"] == "C" else total["TotaalBedrag"]
        self.element = 0
        if not total["TotaalBedrag"] and total["DebetCredit"] == "C":
            self.find("CS325", "TotaalIngediendBedrag")
        if signed != self._sum:
            self.find("TR358", "TotaalIngediendBedrag")
        if not self._references.isdisjoint(self._earlier):
            self.find("TR316", "VorigReferentieNummer")


def starts(stream: BinaryIO, context: FileContext) -> Iterator[FileRecord]:
    """The StartProducten of a JW305. ``FileFault`` when it is refused, at the latest after its last record."""
    message = _Regie(context, ending=False)
    return records(stream, message, Shape(JW305, {"Header": message.header, "StartProduct": message.product}))


def stops(stream: BinaryIO, context: FileContext) -> Iterator[FileRecord]:
    """The StopProducten of a JW307. Errors as ``starts``."""
    message = _Regie(context, ending=True)
    return records(stream, message, Shape(JW307, {"Header": message.header, "StopProduct": message.product}))


def declarations(stream: BinaryIO, context: FileContext) -> Iterator[FileRecord]:
    """The Prestaties of a JW323, with memory for references only. Errors as ``starts``."""
    message = _Declaration(context)
    handlers: dict[str, Handler] = {
        "Header": message.header,
        "Prestatie": message.line,
        "Declaratie": message.end,
    }
    return records(stream, message, Shape(JW323, handlers))
