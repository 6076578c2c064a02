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
from connectors.formats.model import MOST_FINDINGS, FileContext, FileFault, FileRecord, Found
from domain.facts.fact import Content
from domain.field import codes
from domain.field.bsn import elfproef
from domain.field.dates import age, as_date, day

YEARS_OLD: Final = 120  # TR002
_UNKNOWN: Final = day(date(1900, 1, 1))


class Leeftijd(NamedTuple):
    """Completed years, None when unknown, and whether the birth date was partial."""

    years: int | None
    approximate: bool


def leeftijd(born: int, usage: str | None, on_day: int) -> Leeftijd:
    """Age on a day from a birth date by COD170: the known part only [P]."""
    if usage == "3":
        return Leeftijd(None, False)
    birth, on = as_date(born), as_date(on_day)
    if usage == "2":
        return Leeftijd(max(0, on.year - birth.year), True)
    return Leeftijd(age(birth, on), usage == "1")


def years_earlier(of_day: int, years: int) -> int:
    """The same day so many years before; 29 February becomes 28 February."""
    d = as_date(of_day)
    year = max(1, d.year - years)
    return day(d.replace(year=year, day=min(d.day, monthrange(year, d.month)[1])))


class Message:
    """What is shared by all messages: header, findings, and the records ready to be handed over."""

    #: Whether the municipality is the sender: the delivery concerns the provider, whoever sent the message.
    of_gemeente = False

    def __init__(self, context: FileContext) -> None:
        self.context, self.ready, self.findings = context, deque[FileRecord](), list[Found]()
        self.element = 0
        self.gemeente, self.bericht, self.dagtekening = "", b"", 0

    def find(self, code: str, veld: str) -> None:
        """One finding at the present element; never content."""
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Found(code, self.element, veld))

    def header(self, values: Values, _open: dict[str, Values]) -> None:
        """CS025, CS015, TR135, and the sender against whoever delivers."""
        if values["BerichtVersie"] != 3:
            self.find("CS025", "BerichtVersie")
        if values["BerichtSubversie"] != 2:
            self.find("CS015", "BerichtSubversie")
        aanbieder, gemeente = ("Ontvanger", "Afzender") if self.of_gemeente else ("Afzender", "Ontvanger")
        if values[aanbieder] != self.context.sender:
            self.find("B09", aanbieder)
        identification = values["BerichtIdentificatie"]
        self.gemeente, self.dagtekening = values[gemeente], identification["Dagtekening"]
        self.bericht = identification["Identificatie"].encode()
        if self.dagtekening > self.context.today:
            self.find("TR135", "Dagtekening")

    def add(self, bsn: str | None, fact: Content) -> None:
        """One record, unless the message is refused already."""
        if not self.findings:
            self.ready.append(FileRecord(self.element, 1, bsn, fact))

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
        agrees = {"1": d.day == 1, "2": d.day == d.month == 1, "3": born == _UNKNOWN}
        if not agrees.get(use, True):
            self.find("CS139", "Geboortedatum")
        elif use != "3" and born < years_earlier(self.dagtekening, YEARS_OLD):
            self.find("TR002", "Geboortedatum")
        if born > self.dagtekening:
            self.find("TR134", "Geboortedatum")


def records(stream: BinaryIO, message: Message, *shapes: Shape) -> Iterator[FileRecord]:
    """The records of a document of one of these shapes; ``FileFault`` when it is refused as a whole."""
    try:
        for _ in read(stream, *shapes):
            while message.ready:
                yield message.ready.popleft()
    except XmlFault as fault:
        place = fault.line or message.element
        raise FileFault(fault.code, message.context.name, place, fault.veld) from None
    if message.findings:
        first = message.findings[0]
        raise FileFault(first.code, message.context.name, first.place, first.veld, tuple(message.findings))
