"""What one insert will hold: the newest row of every key, and the offsets that the insert covers."""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from typing import Any, NamedTuple

from schemas.codec import Record
from sinks.tables import Table


class Place(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int


class Batch:
    """Rows by table, partition and key. A key lives in one partition, so giving a partition up takes its rows along."""

    def __init__(self, tables: Iterable[Table]) -> None:
        self._tables = {table.topic: table for table in tables}
        self._key = {table.topic: itemgetter(*table.key) for table in self._tables.values()}
        self._rows: dict[Place, dict[Any, Record]] = {}
        self.offsets: dict[Place, int] = {}  # next offset to read
        self.records = 0

    def add(self, place: Place, offset: int, row: Record) -> None:
        """Take a row in. Of rows with one key the highest version stays; of equal versions the later one."""
        rows = self._rows.setdefault(place, {})
        key = self._key[place.topic](row)
        version = self._tables[place.topic].version
        known = rows.get(key)
        if known is None or known[version] <= row[version]:
            rows[key] = row
        self.offsets[place] = offset + 1
        self.records += 1

    def give_up(self, places: Iterable[Place]) -> None:
        """Forget partitions that another process reads from now on: it gets their records from Kafka."""
        for place in places:
            self._rows.pop(place, None)
            self.offsets.pop(place, None)

    def rows(self, table: Table) -> list[Record]:
        """The rows of a table."""
        return [row for place, rows in self._rows.items() if place.topic == table.topic for row in rows.values()]
