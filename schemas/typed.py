"""Codecs that give and take the structs of their contract: the one place where a record becomes a struct and back.

A struct has the fields of its Avro schema: same names, same order, same types (``tests/schemas/test_typed.py``).
"""

from __future__ import annotations

from typing import Final, Generic, Protocol, TypeVar, cast

from msgspec import Struct
from msgspec.structs import asdict

from domain.facts.answer import Fault, Line, Receipt, RecordRemark
from domain.facts.fact import Event
from schemas.asked import Asked
from schemas.codec import HEADER, Codec, IdSource, compiled, full_name, load
from schemas.compiled import ODD
from schemas.erased import Erased
from schemas.handed import Handed
from schemas.orders import Order
from schemas.records import NAME, event_to_record, record_to_event
from schemas.structs import Envelope, Evaluated, Rejected, Sealed, Use
from schemas.taken import Taken
from schemas.topics import (
    DEFINITIONS,
    ERASURES,
    EVALUATED,
    EVENTS,
    LINES,
    ORDERS,
    RECEIPTS,
    REGISTER,
    REJECTED,
    TERUGNAMES,
    WISVERZOEKEN,
)

S = TypeVar("S", bound=Struct)
D = TypeVar("D")
#: Type of a record -> its contract in ``schemas/avro``.
CONTRACT: Final[dict[type, str]] = {
    Envelope: "sor.in",
    Evaluated: EVALUATED,
    Sealed: "sor.sealed",
    Line: LINES,
    Use: REGISTER,
    Receipt: RECEIPTS,
    Rejected: REJECTED,
    Order: ORDERS,
    Taken: TERUGNAMES,
    Handed: DEFINITIONS,
    Erased: ERASURES,
    Asked: WISVERZOEKEN,
}


class StructCodec(Generic[S]):
    """A codec of one contract; for a flat struct. Errors as ``Codec``."""

    def __init__(self, struct: type[S], ids: IdSource | None = None) -> None:
        name = CONTRACT[struct]
        codec = Codec(name, ids)
        self._struct, self._encode, self._decode, self._header = struct, codec.encode, codec.decode, codec.header
        self._read = compiled(name, (full_name(load(name)), struct))

    def encode(self, value: S) -> bytes:
        """The struct in wire format."""
        return self._encode(asdict(value))

    def decode(self, data: bytes) -> S:
        """The struct; ``Undecodable`` for anything else."""
        if data[:HEADER] == self._header:
            try:
                found: S = self._read(data, HEADER)
            except ODD:
                pass
            else:
                return found
        return self._struct(**self._decode(data))


class ReceiptCodec(StructCodec[Receipt]):
    """The codec of receipts, whose refused records and remarks are structs too."""

    def __init__(self, ids: IdSource | None = None) -> None:
        super().__init__(Receipt, ids)

    def encode(self, value: Receipt) -> bytes:
        """The receipt in wire format."""
        record = asdict(value)
        if value.fouten:
            record["fouten"] = [
                {"line": f.line, "regel": f.regel, "regels": f.regels, "code": f.code, "veld": f.veld}
                for f in value.fouten
            ]
        if value.opmerkingen:
            record["opmerkingen"] = [{"line": one.line, "code": one.code} for one in value.opmerkingen]
        return self._encode(record)

    def decode(self, data: bytes) -> Receipt:
        """The receipt; ``Undecodable`` for anything else."""
        record = self._decode(data)
        record["fouten"] = tuple(Fault(**fault) for fault in record["fouten"])
        record["opmerkingen"] = tuple(RecordRemark(**one) for one in record["opmerkingen"])
        return Receipt(**record)


class EventCodec:
    """The codec of events. Their records become structs as they are read, without a dict in between: on this path, of
    replay and of every stage that reads the log, that took a fifth of the time of decoding.
    """

    def __init__(self, ids: IdSource | None = None) -> None:
        codec = Codec(EVENTS, ids)
        self._header, self._encode, self._decode = codec.header, codec.encode, codec.decode
        self._read = compiled(EVENTS, *((name, struct) for struct, name in {**NAME, Event: "nl.sor.Event"}.items()))

    def encode(self, event: Event) -> bytes:
        """The event in wire format."""
        return self._encode(event_to_record(event))

    def decode(self, data: bytes) -> Event:
        """The event; ``Undecodable`` for anything else."""
        if data[:HEADER] == self._header:
            try:
                found: Event = self._read(data, HEADER)
            except ODD:
                pass
            else:
                return found
        return record_to_event(self._decode(data))


class DictCodec(Protocol[D]):
    """A codec of one contract whose records stay dicts, with the keys and types of ``D``."""

    def encode(self, record: D) -> bytes:
        """As ``Codec.encode``."""

    def decode(self, data: bytes) -> D:
        """As ``Codec.decode``."""


def dict_codec(record: type[D], ids: IdSource | None = None, subject: str | None = None) -> DictCodec[D]:
    """The codec of a contract that has a typed dict; it costs nothing over a ``Codec``, which it is."""
    return cast("DictCodec[D]", Codec(CONTRACT[record], ids, subject))
