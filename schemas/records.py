"""Facts to Avro records and back."""

from __future__ import annotations

from typing import Final, cast

from msgspec.structs import asdict

from domain.facts.fact import (
    BerichtRetour,
    CbsRecord,
    Content,
    Dubbel,
    Event,
    Fact,
    Intrekking,
    Meting,
    Prestatie,
    PrestatieRetour,
    Score,
    Start,
    Stop,
    Teruggenomen,
    Terugname,
    Toewijzing,
    Vervanging,
    Wisverzoek,
)
from schemas.codec import Record

_CLASSES: Final[tuple[type[Content], ...]] = (
    *(Start, Stop, Prestatie, Score, Meting, Toewijzing, BerichtRetour, PrestatieRetour, CbsRecord),
    *(Intrekking, Dubbel, Vervanging, Terugname, Teruggenomen, Wisverzoek),
)
#: Class of a fact -> its full name in Avro.
NAME: Final[dict[type, str]] = {cls: f"nl.sor.{cls.__name__}" for cls in _CLASSES}
_CLASS: Final[dict[str, type[Content]]] = {name: cls for cls, name in NAME.items()}


def fact_to_record(fact: Content) -> tuple[str, Record]:
    """``(full name, record)`` of a fact, as a union of records wants it."""
    return NAME[type(fact)], asdict(fact)


def record_to_fact(named: tuple[str, Record]) -> Content:
    """The fact of a named record. The decoder has checked the types."""
    return _CLASS[named[0]](**named[1])


def event_to_record(event: Event) -> Record:
    """An event as ``sor.events`` holds it."""
    return {
        "delivery": event.delivery,
        "line": event.line,
        "aanbieder": event.aanbieder,
        "published_at": event.published_at,
        "fact": fact_to_record(event.fact),
    }


def record_to_event(record: Record) -> Event:
    """An event from a decoded record of ``sor.events``."""
    return Event(
        delivery=record["delivery"],
        line=record["line"],
        aanbieder=record["aanbieder"],
        published_at=record["published_at"],
        fact=cast("Fact", record_to_fact(record["fact"])),
    )
