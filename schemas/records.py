"""Facts to Avro records and back."""

from __future__ import annotations

from typing import Final

from msgspec.structs import asdict

from domain.facts import Event, Fact, Meting, Prestatie, Score, Start, Stop
from schemas.codec import Record

_NAME: Final[dict[type, str]] = {cls: f"nl.sor.{cls.__name__}" for cls in (Start, Stop, Prestatie, Score, Meting)}
_CLASS: Final[dict[str, type[Fact]]] = {
    "nl.sor.Start": Start,
    "nl.sor.Stop": Stop,
    "nl.sor.Prestatie": Prestatie,
    "nl.sor.Score": Score,
    "nl.sor.Meting": Meting,
}


def fact_to_record(fact: Fact) -> tuple[str, Record]:
    """``(full name, record)`` of a fact, as a union of records wants it."""
    return _NAME[type(fact)], asdict(fact)


def record_to_fact(named: tuple[str, Record]) -> Fact:
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
        record["delivery"],
        record["line"],
        record["aanbieder"],
        record["published_at"],
        record_to_fact(record["fact"]),
    )
