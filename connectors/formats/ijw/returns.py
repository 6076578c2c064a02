"""JW306, JW308 and JW325 to facts: which messages and which declared lines the municipality rejects.

A JW306 or JW308 gives one record, and nothing of a client: the register finds whom the message concerned. A JW325 gives
one record per rejected line, or one for the whole declaration.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

from connectors.formats.ijw.message import Message, records
from connectors.formats.ijw.returns_structure import JW306, JW308, JW325
from connectors.formats.ijw.xml_stream import Handler, Shape, Values
from connectors.formats.model import FileContext, FileRecord
from domain.facts.fact import BerichtRetour, PrestatieRetour
from domain.field.codes import RETOUR_ACCEPTS

#: A class that was not judged because the one above it was rejected (IV088).
_NOT_JUDGED: Final = "0233"


class _Codes:
    """The return codes of the class that is being read; the first that rejects is what counts."""

    def __init__(self) -> None:
        self._first = self._rejects = ""

    def hear(self, values: Values, _open: dict[str, Values]) -> None:
        """One RetourCode."""
        code = values["RetourCode"]
        self._first = self._first or code
        if not self._rejects and code not in RETOUR_ACCEPTS:
            self._rejects = code

    def take(self) -> tuple[str, str]:
        """The first code and the first that rejects (empty = none) since the last class ended."""
        taken = self._first, self._rejects
        self._first = self._rejects = ""
        return taken


class _Retour(Message):
    """JW306 and JW308: Afzender and Ontvanger are those of the message that is answered."""

    def __init__(self, context: FileContext, codes: _Codes, kind: str) -> None:
        super().__init__(context)
        self._codes, self._kind = codes, kind
        self._retour, self._code = 0, ""

    def header(self, values: Values, opened: dict[str, Values]) -> None:
        """As every message; the answer has a date of its own (TR135)."""
        super().header(values, opened)
        self._retour = values["DagtekeningRetour"]
        if self._retour > self.context.today:
            self.find("TR135", "DagtekeningRetour")
        _, self._code = self._codes.take()

    def client_end(self, _values: Values, _open: dict[str, Values]) -> None:
        """A client in the answer: only rejected ones are returned (OP065), and the whole message is (IV087)."""
        first, rejects = self._codes.take()
        self._code = self._code or rejects or first

    def end(self, _values: Values, _open: dict[str, Values]) -> None:
        """The one record of the message."""
        self.element = 1
        self.add(
            None,
            BerichtRetour(
                soort=self._kind,
                gemeente=self.gemeente,
                bericht=self.bericht,
                afgekeurd=bool(self._code),
                code=self._code,
                dagtekening=self._retour,
                bericht_dagtekening=self.dagtekening,
            ),
        )


class _ReturnedLine(NamedTuple):
    """A returned line that waits for the codes of its client."""

    element: int
    referentie: str
    code: str
    unjudged: bool
    amount: int


class _Antwoord(Message):
    """JW325: rejects the declaration as a whole (header, or its own class) or line by line."""

    of_gemeente = True

    def __init__(self, context: FileContext, codes: _Codes) -> None:
        super().__init__(context)
        self._codes = codes
        self._declaratie, self._code, self._rejected, self._sum = b"", "", 0, 0
        self._declared_on = 0
        self._lines: list[_ReturnedLine] = []
        self._references = set[str]()

    def header(self, values: Values, opened: dict[str, Values]) -> None:
        """As every message; DeclaratieIdentificatie names the JW323."""
        super().header(values, opened)
        declared = values["DeclaratieIdentificatie"]
        self._declaratie, self._declared_on = declared["Identificatie"].encode(), declared["Dagtekening"]
        _, self._code = self._codes.take()

    def line(self, values: Values, _open: dict[str, Values]) -> None:
        """One Prestatie; what its client's codes say comes after it."""
        self.element += 1
        reference = values["ProductReferentie"]["ReferentieNummer"]
        if reference in self._references:
            self.find("TR101", "ReferentieNummer")
        self._references.add(reference)
        self.category(values["ProductCategorie"], "ProductCategorie")
        first, rejects = self._codes.take()
        amount = _signed(values["IngediendBedrag"], "Bedrag")
        self._lines.append(_ReturnedLine(self.element, reference, rejects, first == _NOT_JUDGED, amount))

    def client_end(self, values: Values, _open: dict[str, Values]) -> None:
        """A rejected client rejects its lines that were not judged (IV088)."""
        self.bsn(values["Bsn"])
        _, rejects = self._codes.take()
        last = self.element
        for line in self._lines:
            code = line.code or (rejects if line.unjudged else "")
            if not code:
                continue
            self.element = line.element
            self._rejected, self._sum = self._rejected + 1, self._sum + line.amount
            fact = PrestatieRetour(
                gemeente=self.gemeente,
                referentie=line.referentie.encode(),
                bericht=self._declaratie,
                code=code,
                dagtekening=self.dagtekening,
                bericht_dagtekening=self._declared_on,
            )
            self.add(values["Bsn"], fact)
        self.element = last
        self._lines.clear()

    def answer(self, values: Values, _open: dict[str, Values]) -> None:
        """Sums, and the codes of the declaration itself."""
        _, rejects = self._codes.take()
        submitted, awarded = values["TotaalIngediendBedrag"], values["TotaalToegekendBedrag"]
        last, self.element = self.element, 0
        for total, element in ((submitted, "TotaalIngediendBedrag"), (awarded, "TotaalToegekendBedrag")):
            if not total["TotaalBedrag"] and total["DebetCredit"] == "C":
                self.find("CS325", element)
        difference = _signed(submitted, "TotaalBedrag") - _signed(awarded, "TotaalBedrag")
        self._code = self._code or rejects
        if not self._code and self._sum != difference:
            self.find("TR342", "TotaalToegekendBedrag")
        self.element = last

    def end(self, _values: Values, _open: dict[str, Values]) -> None:
        """One record for the whole declaration when it is rejected as such, or when no line is."""
        if self._rejected and not self._code:
            return
        self.element += 1
        self.add(
            None,
            BerichtRetour(
                soort="declaration",
                gemeente=self.gemeente,
                bericht=self._declaratie,
                afgekeurd=bool(self._code),
                code=self._code,
                dagtekening=self.dagtekening,
                bericht_dagtekening=self._declared_on,
            ),
        )


def _signed(values: Values, name: str) -> int:
    amount: int = values[name]
    return -amount if values["DebetCredit"] == "C" else amount


class _OneOf(Message):
    """Findings and records of whichever of the three messages it is."""

    def __init__(self, context: FileContext, messages: list[Message]) -> None:
        super().__init__(context)
        for message in messages:
            message.ready, message.findings = self.ready, self.findings


def returns(stream: BinaryIO, context: FileContext) -> Iterator[FileRecord]:
    """The records of a JW306, JW308 or JW325. ``FileFault`` when it is refused, at the latest after its last one."""
    codes = _Codes()
    start, stop, answer = _Retour(context, codes, "start"), _Retour(context, codes, "stop"), _Antwoord(context, codes)
    shapes = [
        Shape(root, _handlers(codes, message)) for root, message in ((JW306, start), (JW308, stop), (JW325, answer))
    ]
    yield from records(stream, _OneOf(context, [start, stop, answer]), *shapes)


def _handlers(codes: _Codes, message: _Retour | _Antwoord) -> dict[str, Handler]:
    handlers: dict[str, Handler] = {
        "Header": message.header,
        "RetourCode": codes.hear,
        "Client": message.client_end,
        "Bericht": message.end,
    }
    if isinstance(message, _Antwoord):
        handlers |= {"Prestatie": message.line, "DeclaratieAntwoord": message.answer}
    return handlers
