"""What one insert will hold: the records of every partition as they came, and the offsets that the insert covers."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Final, NamedTuple

from sinks.tables import Table

#: A batch with as many bytes takes no more: receipts of large deliveries are a hundred times as long as other rows.
MOST_BYTES: Final = 64 << 20


class Place(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int


class Held(NamedTuple):
    """Records of one partition in the order of the log: the value at an index has the offset at that index."""

    place: Place
    offsets: list[int]
    values: list[bytes]


class Batch:
    """Records by partition. A key lives in one partition, so giving a partition up takes all rows of its keys along."""

    def __init__(self) -> None:
        self._held: dict[Place, Held] = {}
        self.offsets: dict[Place, int] = {}  # next offset to read
        self.records = 0
        self._bytes = 0
        self.since = 0.0  # of the monotonic clock, when its first record came

    def add(self, place: Place, offset: int, value: bytes) -> None:
        """Take a record in."""
        held = self._held.get(place)
        if held is None:
            held = self._held[place] = Held(place, [], [])
            self.since = self.since or time.monotonic()
        held.offsets.append(offset)
        held.values.append(value)
        self.offsets[place] = offset + 1
        self.records += 1
        self._bytes += len(value)

    def passed(self, place: Place, offset: int) -> None:
        """A record that is left out: only the position moves on."""
        self.offsets[place] = offset + 1

    def room(self, records: int) -> int:
        """How many more it takes of at most ``records``; none when it is large enough for the memory of a process."""
        return max(0, records - self.records) if self._bytes < MOST_BYTES else 0

    def give_up(self, places: Iterable[Place]) -> None:
        """Forget partitions that another process reads from now on: it gets their records from Kafka.

        An insert that is under way keeps what it was given: rows that come twice change nothing.
        """
        for place in places:
            self._held.pop(place, None)
            self.offsets.pop(place, None)

    def held(self, table: Table) -> list[Held]:
        """The records of a table."""
        return [held for place, held in self._held.items() if place.topic == table.topic]
