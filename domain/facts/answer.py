"""What a sender hears: the outcome of one record (``Line``), and what became of a whole delivery (``Receipt``)."""

from __future__ import annotations

from msgspec import Struct


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
    uitkomst: str  # geaccepteerd, afgekeurd, ingetrokken, wacht, gekoppeld, teruggenomen or hersteld
    code: str
    veld: str


class Fault(Struct, frozen=True, kw_only=True, gc=False):
    """One refused record."""

    line: int
    regel: int
    regels: int
    code: str
    veld: str


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


def receipt_key(sender: str, delivery: str, lines: int) -> str:
    """What a receipt is known by: a delivery is who sends it, its id, and how many records it has (trust T2)."""
    return f"{sender}|{delivery}|{lines}"
