"""What an operator may ask of a stage (``sor.orders``), and the coordinates of a record."""

from __future__ import annotations

from typing import Final, NamedTuple

from msgspec import Struct

REQUEUE: Final = "requeue"
SKIP: Final = "skip"
RELEASE: Final = "release"
#: A stage builds its states anew from the first record of its source, under an epoch of at least ``offset``.
REBUILD: Final = "rebuild"


class Place(NamedTuple):
    """Coordinates of a record in its own topic."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"

    @classmethod
    def of(cls, text: str) -> Place:
        """From ``topic/partition/offset``; ``ValueError`` for anything else."""
        topic, partition, offset = text.split("/")
        return cls(topic, int(partition), int(offset))


class Order(Struct, frozen=True, kw_only=True, gc=False):
    """``sor.orders``: requeue or skip one record, release one source, rebuild one stage. Coordinates, never content."""

    action: str
    stage: str
    topic: str
    partition: int
    offset: int
    source: str
    reason: str
    by: str
    at: int  # ms

    @property
    def place(self) -> Place:
        """The record that it is about."""
        return Place(self.topic, self.partition, self.offset)

    @property
    def key(self) -> bytes:
        """Key of the record of this order: the source, else the coordinates."""
        return (self.source or str(self.place)).encode()


def order_for(action: str, stage: str, place: Place, *, reason: str, by: str, at: int) -> Order:
    """An order about a record."""
    return Order(
        action=action,
        stage=stage,
        topic=place.topic,
        partition=place.partition,
        offset=place.offset,
        source="",
        reason=reason,
        by=by,
        at=at,
    )


def rebuild_of(stage: str, source: str, epoch: int, *, reason: str, by: str, at: int) -> Order:
    """An order to build the states of a stage anew from its source topic, under a higher epoch."""
    return order_for(REBUILD, stage, Place(source, 0, epoch), reason=reason, by=by, at=at)


def release_of(source: str, stage: str, *, reason: str, by: str, at: int) -> Order:
    """An order to take a source in again."""
    return Order(
        action=RELEASE, stage=stage, topic="", partition=0, offset=0, source=source, reason=reason, by=by, at=at
    )
