"""What every message has: its header, its client, the rules of both, and one finding that refuses the whole message.

One finding refuses the whole message (iJw IV032); all findings are shown to the sender. Nothing is compared with other
messages: that is left to the fold (OP080).
"""

from __future__ import annotations

from calendar import monthrange
from collections import deque
from collections.abc import Iterator
from datetime import date
from typing import BinaryIO, Final, NamedTuple

from connectors.formats.ijw.xml_stream import Shape, Values, XmlFault, read
from connectors.formats.model import MEESTE_BEVINDINGEN, BestandFout, Gevonden, Invoer, Regel
from domain.facts.fact import Inhoud
from domain.field import codes
from domain.field.bsn import elfproef
from domain.field.dates import age, as_date, day

_JAREN_OUD: Final = 120  # TR002
_ONBEKEND: Final = day(date(1900, 1, 1))


class Leeftijd(NamedTuple):
    """Completed years, None when unknown, and whether the birth date was partial."""

    jaren: int | None
    benaderd: bool


def leeftijd(geboren: int, gebruik: str | None, op: int) -> Leeftijd:
    """Age on a day from a birth date by COD170: the known part only [P]."""
    if gebruik == "3":
        return Leeftijd(None, False)
    birth, on = as_date(geboren), as_date(op)
    if gebruik == "2":
        return Leeftijd(max(0, on.year - birth.year), True)
    return Leeftijd(age(birth, on), gebruik == "1")


def jaren_eerder(dag: int, jaren: int) -> int:
    """The same day so many years before; 29 February becomes 28 February."""
    d = as_date(dag)
    year = max(1, d.year - jaren)
    return day(d.replace(year=year, day=min(d.day, monthrange(year, d.month)[1])))


class Message:
    """What is shared by all messages: header, findings, and the records ready to be handed over."""

    #: Whether the municipality is the sender: the delivery concerns the provider, whoever sent the message.
    van_gemeente = False

    def __init__(self, invoer: Invoer) -> None:
        self.invoer, self.ready, self.findings = invoer, deque[Regel](), list[Gevonden]()
        self.element = 0
        self.gemeente, self.bericht, self.dagtekening = "", b"", 0

    def find(self, code: str, veld: str) -> None:
        """One finding at the present element; never content."""
        if len(self.findings) < MEESTE_BEVINDINGEN:
            self.findings.append(Gevonden(code, self.element, veld))

    def header(self, values: Values, _open: dict[str, Values]) -> None:
        """CS025, CS015, TR135, and the sender against whoever delivers."""
        if values["BerichtVersie"] != 3:
            self.find("CS025", "BerichtVersie")
        if values["BerichtSubversie"] != 2:
            self.find("CS015", "BerichtSubversie")
        aanbieder, gemeente = ("Ontvanger", "Afzender") if self.van_gemeente else ("Afzender", "Ontvanger")
        if values[aanbieder] != self.invoer.afzender:
            self.find("B09", aanbieder)
        identification = values["BerichtIdentificatie"]
        self.gemeente, self.dagtekening = values[gemeente], identification["Dagtekening"]
        self.bericht = identification["Identificatie"].encode()
        if self.dagtekening > self.invoer.vandaag:
            self.find("TR135", "Dagtekening")

    def add(self, bsn: str | None, fact: Inhoud) -> None:
        """One record, unless the message is refused already."""
        if not self.findings:
            self.ready.append(Regel(self.element, 1, bsn, fact))

    def category(self, category: str, veld: str) -> None:
        """JZ020."""
        if category and category not in codes.PRODUCTCATEGORIEEN:
            self.find("JZ020", veld)

    def bsn(self, bsn: str) -> None:
        """CS002."""
        if not elfproef(bsn):
            self.find("CS002", "Bsn")

    def client(self, client: Values) -> None:
        """CS002, CS139, TR002 and TR134 of a client; its birth date goes no further."""
        self.bsn(client["Bsn"])
        born, use = client["Geboortedatum"]["Datum"], client["Geboortedatum"].get("DatumGebruik")
        d = as_date(born)
        agrees = {"1": d.day == 1, "2": d.day == d.month == 1, "3": born == _ONBEKEND}
        if not agrees.get(use, True):
            self.find("CS139", "Geboortedatum")
        elif use != "3" and born < jaren_eerder(self.dagtekening, _JAREN_OUD):
            self.find("TR002", "Geboortedatum")
        if born > self.dagtekening:
            self.find("TR134", "Geboortedatum")


def records(stream: BinaryIO, message: Message, *shapes: Shape) -> Iterator[Regel]:
    """The records of a document of one of these shapes; ``BestandFout`` when it is refused as a whole."""
    try:
        for _ in read(stream, *shapes):
            while message.ready:
                yield message.ready.popleft()
    except XmlFault as fault:
        place = message.element or fault.line
        raise BestandFout(fault.code, message.invoer.naam, place, fault.veld) from None
    if message.findings:
        first = message.findings[0]
        raise BestandFout(first.code, message.invoer.naam, first.regel, first.veld, tuple(message.findings))
