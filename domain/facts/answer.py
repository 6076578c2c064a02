"""What a sender hears: the outcome of one record (``Line``), and what became of a whole delivery (``Receipt``)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from msgspec import Struct, field
from msgspec.structs import replace

from domain.field.codes import is_return_code

#: Codes of what is refused after it was accepted: there are too many. They are counted with what is withdrawn.
TOO_MANY: Final = "K07"
TOO_OFTEN: Final = "K08"
_ACCEPTED: Final = "geaccepteerd"
_MOST_LATER: Final = 2**31 - 1  # what an int of the contract holds


class Line(Struct, frozen=True, kw_only=True, gc=False):
    """Outcome of one record of a delivery. Field meanings: ``schemas/avro/sor.lines.avsc``."""

    delivery: str  # empty in what is told after entry, which knows only the key
    line: int
    lines: int  # 0 when only waiting is told: the delivery itself knows
    kind: str
    sender: str
    test: bool
    published_at: int  # ms
    regel: int
    regels: int
    uitkomst: str  # one of the symbols of the contract
    code: str
    veld: str
    volgende: list[int] = field(default_factory=list)  # ms after ``published_at``, of each record behind it


def each(line: Line) -> Iterator[Line]:
    """The outcome of each record that a line stands for, in order: of a run of records there is one line."""
    if not line.volgende:
        yield line
        return
    yield replace(line, volgende=[])
    for place, later in enumerate(line.volgende, 1):
        yield replace(line, line=line.line + place, published_at=line.published_at + later, volgende=[])


def in_one(run: Sequence[Line]) -> Line:
    """One line for a run of records that ``follows``: ``each`` gives them back, but for the rows of the later ones."""
    first = run[0]
    if len(run) == 1:
        return first
    return replace(first, volgende=[line.published_at - first.published_at for line in run[1:]])


def follows(line: Line, before: Line, first: Line) -> bool:
    """Whether two outcomes of one delivery can be told in one line with the ``first`` of their run."""
    return (
        line.line == before.line + 1
        and line.uitkomst == before.uitkomst == _ACCEPTED
        and line.regels == before.regels
        and line.kind == before.kind
        and line.test == before.test
        and -_MOST_LATER <= line.published_at - first.published_at <= _MOST_LATER
    )


def withdraws(code: str) -> bool:
    """Whether a code says that the municipality rejected an accepted record, in a return message."""
    return is_return_code(code) is not None


class Fault(Struct, frozen=True, kw_only=True, gc=False):
    """One refused record, or one that was accepted and withdrawn (``withdraws(code)``)."""

    line: int
    regel: int
    regels: int
    code: str
    veld: str


class RecordRemark(Struct, frozen=True, kw_only=True, gc=False):
    """What a rule between messages says of one accepted record; it counts all the same."""

    line: int  # 0 = the delivery as a whole
    code: str


class Sums(NamedTuple):
    """What became of the records of a delivery: each that has an outcome is in one of the three."""

    accepted: int
    refused: int
    withdrawn: int


def sums(geaccepteerd: int, afgekeurd: int, ingetrokken: int, codes: dict[str, int]) -> Sums:
    """Of the counts of a receipt, in which a record that is withdrawn, or refused later, stays an accepted one."""
    late = min(ingetrokken, codes.get(TOO_MANY, 0) + codes.get(TOO_OFTEN, 0))
    return Sums(geaccepteerd - ingetrokken, afgekeurd + late, ingetrokken - late)


def counts_of(sums: Sums, codes: dict[str, int]) -> tuple[int, int, int]:
    """The counts ``geaccepteerd, afgekeurd, ingetrokken`` of a receipt that has these sums."""
    late = min(sums.refused, codes.get(TOO_MANY, 0) + codes.get(TOO_OFTEN, 0))
    return sums.accepted + sums.withdrawn + late, sums.refused - late, sums.withdrawn + late


class Receipt(Struct, frozen=True, kw_only=True, gc=False):
    """State of one delivery: counts that grow until every record has an outcome. Field meanings:
    ``schemas/avro/sor.receipts.avsc``.
    """

    delivery: str
    kind: str
    sender: str
    test: bool
    lines: int
    gezien: int = 0
    geaccepteerd: int = 0
    afgekeurd: int = 0
    regels_geaccepteerd: int = 0
    regels_afgekeurd: int = 0
    klaar: bool = False
    fouten: tuple[Fault, ...] = ()
    codes: dict[str, int] = {}
    eerste: int = 0  # ms
    laatste: int = 0  # ms
    version: int = 0
    ingetrokken: int = 0
    wacht: dict[str, int] = {}  # accepted records that wait, by what for
    teruggenomen: int = 0  # ms: when it was taken back; 0 = it counts
    opmerkingen: tuple[RecordRemark, ...] = ()
    opmerking_codes: dict[str, int] = {}

    @property
    def sums(self) -> Sums:
        """What its sender reads."""
        return sums(self.geaccepteerd, self.afgekeurd, self.ingetrokken, self.codes)


def receipt_key(sender: str, delivery: str, lines: int) -> str:
    """What a receipt is known by: a delivery is who sends it, its id, and how many records it has (trust T2)."""
    return f"{sender}|{delivery}|{lines}"
