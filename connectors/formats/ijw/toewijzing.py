"""JW301 to facts: the assignments of one client at one provider, and nothing of the person.

Of all that the message says of the client only the BSN goes on, to be blinded; the birth date is held against its rules
and forgotten; names, relations and free text are passed over unread. Of the client's own address the postcode is looked
up in the table of areas, where the source has one, and forgotten: the area goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from connectors.formats.ijw.address import postcode
from connectors.formats.ijw.message import Message, records
from connectors.formats.ijw.structure import JW301
from connectors.formats.ijw.xml_stream import Shape, Values
from connectors.formats.model import FileContext, FileRecord
from domain.facts.fact import Toewijzing
from domain.field import codes

_LAPSED = "01"


class _Toewijzingen(Message):
    """One client with assignments; the municipality sends, the provider is whom it concerns."""

    of_gemeente = True

    def __init__(self, context: FileContext) -> None:
        super().__init__(context)
        self._numbers = set[int]()
        self._areas, self._area = context.choices.areas, ""

    def product(self, values: Values, opened: dict[str, Values]) -> None:
        """One ToegewezenProduct; the client stands before its products."""
        client = opened["Client"]
        self.element += 1
        if self.element == 1:
            self.client(client)
            if self._areas is not None:
                self._area = self._areas.of(postcode(client.pop("Contactgegevens", ()), self.dagtekening))
        number = values["ToewijzingNummer"]
        if number in self._numbers:
            self.find("TR101", "ToewijzingNummer")
        self._numbers.add(number)
        product = values.get("Product", {})
        self.category(product.get("Categorie", ""), "Categorie")
        self._content(values)
        self.add(client["Bsn"], self._fact(values, product.get("Categorie", ""), product.get("Code", "")))

    def _content(self, values: Values) -> None:
        start, end, reason = values["Ingangsdatum"], values.get("Einddatum"), values.get("RedenWijziging", "")
        if end is not None and end < start:
            self.find("CS003", "Einddatum")
        if reason == _LAPSED:
            self.find("CS336", "RedenWijziging")
        elif reason and reason not in codes.REDENEN_CHANGE:
            self.find("JZ002", "RedenWijziging")
        if reason == codes.CHANGE_REMOVED and end != start:
            self.find("CS335", "RedenWijziging")
        if "Product" not in values and "Budget" not in values:
            self.find("CD079", "Product")
        if "Omvang" in values and "Budget" in values:
            self.find("CD077", "Omvang")

    def _fact(self, values: Values, category: str, code: str) -> Toewijzing:
        size = values.get("Omvang", {})
        return Toewijzing(
            gemeente=self.gemeente,
            toewijzing=str(values["ToewijzingNummer"]).encode(),
            categorie=category,
            code=code,
            toewijzingsdatum=values["Toewijzingsdatum"],
            toewijzingstijd=values["Toewijzingstijd"],
            ingangsdatum=values["Ingangsdatum"],
            einddatum=values.get("Einddatum"),
            reden_wijziging=values.get("RedenWijziging", ""),
            volume=size.get("Volume"),
            eenheid=size.get("Eenheid", ""),
            frequentie=size.get("Frequentie", ""),
            budget=values.get("Budget"),
            dagtekening=self.dagtekening,
            bericht=self.bericht,
            postcodegebied=self._area,
        )


def assignments(stream: BinaryIO, context: FileContext) -> Iterator[FileRecord]:
    """The ToegewezenProducten of a JW301. ``FileFault`` when it is refused, at the latest after its last record."""
    message = _Toewijzingen(context)
    return records(stream, message, Shape(JW301, {"Header": message.header, "ToegewezenProduct": message.product}))
