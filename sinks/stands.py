"""What the store says of itself: its identity, and up to where it was filled from which topic (tables ``opslag`` and
``standen``). Knows no Kafka.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from clickhouse_connect.driver.client import Client

from sinks import clickhouse
from sinks.access import Access

_COLUMNS: Final = ("topic", "topic_id", "partition", "offset")
_IDENTITY: Final = "SELECT toString(id) FROM opslag ORDER BY gemaakt_op, id LIMIT 1"


class Source(NamedTuple):
    """A partition of a topic, with the id by which Kafka knows the topic."""

    topic: str
    topic_id: str
    partition: int


class Said(NamedTuple):
    """What a store said: its identity, the next record of each source, the tables that hold no row."""

    store: str
    stands: Mapping[Source, int]
    empty: frozenset[str]

    def former(self, topic: str, topic_id: str) -> bool:
        """Whether it was also filled from another topic of this name."""
        return any(source.topic == topic and source.topic_id != topic_id for source in self.stands)


class Stands:
    """Reads and writes them. Connects when first needed, and again after an error."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._client: Client | None = None

    def read(self) -> Said:
        """All of it, now.

        Raises:
            UnavailableError: ask again later.
            RefusedError: a table is missing, or the user may not read it.
        """
        found = f"SELECT {', '.join(_COLUMNS)} FROM standen FINAL"  # noqa: S608 - our own names
        empty = "SELECT name FROM system.tables WHERE database = currentDatabase() AND total_rows = 0"
        try:
            client = self._connected()
            store = _identity(client)
            stands = {Source(*row[:3]): int(row[3]) for row in clickhouse.select(client, found)}
            return Said(store, stands, frozenset(r[0] for r in clickhouse.select(client, empty)))
        except BaseException:
            self.close()
            raise

    def write(self, stands: Mapping[Source, int]) -> str:
        """Say how far; on disk when it returns. The identity of the store that was told; errors as for ``read``."""
        rows: Sequence[Sequence[object]] = [(*source, offset) for source, offset in stands.items()]
        try:
            with clickhouse.told_apart("Writing how far the store was filled"):
                self._connected().insert("standen", rows, list(_COLUMNS), settings={"async_insert": 0})
            return _identity(self._connected())
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the connection."""
        if self._client is not None:
            self._client.close()
        self._client = None

    def _connected(self) -> Client:
        if self._client is None:
            self._client = clickhouse.connect(self._access, answer_seconds=clickhouse.INSERT_SECONDS)
        return self._client


def _identity(client: Client) -> str:
    found = clickhouse.select(client, _IDENTITY)
    return str(found[0][0]) if found else ""
