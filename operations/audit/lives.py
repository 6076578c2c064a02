"""What the log tells of the clients of some buckets: their events, and who moved since they were read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from crypto.client_names import ClientNames
from domain.care.fold import Person, fold
from domain.care.rows import CareRow, RowKey
from domain.facts.fact import Event
from domain.field.definitions import Definitions
from operations.log_reader import Log, Reader, Span
from schemas.codec import IdSource
from schemas.typed import EventCodec
from streams.erased import NOBODY, Ledger
from streams.versions import version
from transport.orders import Skips

#: Buckets of clients (``ClientNames.bucket``); None: all of them.
Buckets = frozenset[int] | None
Tell = Callable[[int], None]


@dataclass(slots=True)
class Life:
    """The records of one client: their values, in order, and the offset of the last."""

    partition: int
    bucket: int
    values: list[bytes] = field(default_factory=list)
    first: int = -1
    last: int = -1
    looked: bool = False  # its last word is that the stage is to look at the ledger
    split: bool = False  # in two partitions: the log is being laid out anew


class Told(NamedTuple):
    """What the log yields of one client: its rows, its whole state (None: it has none), the highest version that a row
    can have, and the publication (ms) of the newest event of each provider.
    """

    rows: dict[RowKey, CareRow]
    person: Person | None
    top: int
    moments: dict[str, int]


class Yield:
    """Folds a life as the stage ``trajectories`` does, at once: the same pure function, without state or batches."""

    def __init__(
        self,
        names: ClientNames,
        definitions: Definitions,
        ids: IdSource | None = None,
        epoch: int = 0,
        ledger: Ledger | None = None,
    ) -> None:
        self._names, self._definitions, self._epoch = names, definitions, epoch
        self._ledger = Ledger.empty() if ledger is None else ledger
        self._codec = EventCodec(ids)

    def __call__(self, client: bytes, life: Life) -> Told:
        """The rows and the state of one client; of what was published before it was forgotten nothing counts."""
        events, forgotten = self._events(life), self._ledger.moment(client)
        events = [event for event in events if event.published_at >= forgotten]
        person, top = Person(), version(self._epoch, life.last)
        if not events:
            return Told({}, None, top, {})
        secret, first = self._names.secret(client), version(self._epoch, life.first)
        given = fold(secret, person, events, top, first, definitions=self._definitions)
        moments: dict[str, int] = {}
        for event in events:
            moments[event.aanbieder] = max(moments.get(event.aanbieder, 0), event.published_at)
        return Told({key: row for key, row in given.issued if row is not None}, person, top, moments)

    def forgetting(self, client: bytes, life: Life) -> bool:
        """Whether the client was forgotten and its stage was not told yet: then what it has proves nothing."""
        forgotten = self._ledger.moment(client)
        return bool(forgotten and not life.looked and any(one.published_at < forgotten for one in self._events(life)))

    def _events(self, life: Life) -> list[Event]:
        return [self._codec.decode(value) for value in life.values]


class Lives:
    """The lives of the clients of some buckets, up to where the log was read. About 300 bytes per event."""

    def __init__(self, reader: Reader, names: ClientNames, buckets: Buckets, skips: Skips, tell: Tell) -> None:
        self._reader, self._names, self._buckets, self._skips, self._tell = reader, names, buckets, skips, tell
        self._outside: set[bytes] = set()  # of the partition at hand: clients of other buckets
        self.ends: dict[int, int] = {}
        self.all: dict[bytes, Life] = {}

    def read(self, log: Log) -> set[bytes]:
        """Read on to the ends of ``log``; whose events came. Errors as ``Reader.batches``."""
        came: set[bytes] = set()
        for partition, span in log.spans.items():
            begin = max(self.ends.get(partition, span.first), span.first)
            came |= self._span(partition, Span(begin, span.end))
            self.ends[partition] = span.end
        return came

    def _span(self, partition: int, span: Span) -> set[bytes]:
        came: set[bytes] = set()
        for messages in self._reader.batches(partition, span, self._skips, self._tell):
            for message in messages:
                client, value = message.key() or b"", message.value()
                if client == NOBODY:
                    continue
                life = self.all.get(client) or self._new(client, partition)
                if life is None:
                    continue
                offset = int(message.offset() or 0)
                life.split |= life.partition != partition
                if value:
                    life.values.append(value)
                life.looked = not value
                life.first, life.last = offset if life.first < 0 else life.first, offset
                came.add(client)
        self._outside.clear()
        return came

    def _new(self, client: bytes, partition: int) -> Life | None:
        if client in self._outside:
            return None
        bucket = self._names.bucket(client)
        if self._buckets is not None and bucket not in self._buckets:
            self._outside.add(client)
            return None
        life = self.all[client] = Life(partition, bucket)
        return life

    def of(self, partition: int, buckets: Buckets = None) -> Iterator[tuple[bytes, Life]]:
        """The lives of a partition, of all buckets that were read or of some."""
        for client, life in self.all.items():
            if life.partition == partition and (buckets is None or life.bucket in buckets):
                yield client, life

    def names_at(self, clients: set[bytes], provider: str) -> set[str]:
        """What rows of a provider call these clients."""
        return {self._names.of(client, provider) for client in clients}
