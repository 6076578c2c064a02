"""Who was forgotten (``sor.erasures``): what was published of such a client before that moment is refused.

A record may come late: it waited before ``entry``, an operator has it read again, a backup is put back. So ``entry``,
``register``, ``trajectories`` and everything that reads the log anew ask the ledger. It names nobody: a keyed hash of
the pseudonym and a moment (``crypto.erasures``).

An empty value in ``sor.events`` or ``sor.register`` is no fact. It tells the stage that reads it to look at the ledger
once more for what it keeps under that key (decision 0027).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from confluent_kafka import Message, TopicPartition

from crypto import erasures
from crypto.erasures import Name
from schemas.codec import IdSource, Undecodable
from schemas.erased import Erased
from schemas.topics import ERASURES
from schemas.typed import StructCodec
from transport.clients import ANSWER_SECONDS, Cluster
from transport.orders import assigned_reader, readable
from transport.topics import TopicError

_PARTITION: Final = 0  # the topic has one
_LOOK_EVERY: Final = 1.0  # seconds between two looks for new entries
#: Value of a record that says: look at the ledger. A key that is nobody's begins a new file of a log.
LOOK: Final = b""
NOBODY: Final = b"nobody"

News = Callable[[], Iterable[Erased]]


class Ledger:
    """Who was forgotten, and from when on what is published of them counts again. False when nobody was."""

    def __init__(self, name: Callable[[], Name], entries: Iterable[Erased] = (), news: News = tuple) -> None:
        """``name`` is asked for when there is an entry: who never forgot anybody needs no key."""
        self._make_name, self._news, self._due = name, news, 0.0
        self._name: Name | None = None
        self._moments: dict[str, int] = {}
        self._take(entries)

    @classmethod
    def opened(cls, cluster: Cluster, keys: Path, ids: IdSource | None = None) -> Ledger:
        """The ledger of a process, which goes on hearing of new entries.

        Raises:
            TopicError: ``sor.erasures`` is not there, cannot be read to its end, or holds what is no entry: who does
                not know who was forgotten may not go on.
            KeysError: somebody was forgotten and the key folder is missing.
            KafkaException: the broker does not answer.
        """
        entries = _Entries(cluster, ids)
        return cls(lambda: erasures.load(keys), entries.read(), entries.news)

    @classmethod
    def empty(cls) -> Ledger:
        """Nobody was forgotten."""
        return cls(_no_name)

    def __bool__(self) -> bool:
        self.refresh()
        return bool(self._moments)

    def __contains__(self, pseudonym: bytes) -> bool:
        return self.moment(pseudonym) > 0

    def moment(self, pseudonym: bytes) -> int:
        """When a client was forgotten last (ms); 0: never."""
        if not self or self._name is None:
            return 0
        return self._moments.get(self._name(pseudonym), 0)

    def forgets(self, pseudonym: bytes, published_at: int) -> bool:
        """Whether what was published of a client at that moment (ms) is to be refused."""
        return published_at < self.moment(pseudonym)

    def refresh(self) -> None:
        """Take in what is new; looks at most once a second. ``KeysError`` and ``TopicError`` as ``opened``."""
        now = time.monotonic()
        if now >= self._due:
            self._due = now + _LOOK_EVERY
            self._take(self._news())

    def _take(self, entries: Iterable[Erased]) -> None:
        for entry in entries:
            if self._name is None:
                self._name = self._make_name()
            self._moments[entry.naam] = max(entry.moment, self._moments.get(entry.naam, 0))


def _no_name() -> Name:
    raise RuntimeError("an empty ledger names nobody")


class _Entries:
    """``sor.erasures`` from its beginning."""

    def __init__(self, cluster: Cluster, ids: IdSource | None) -> None:
        self._codec, self._reader, self._next = StructCodec(Erased, ids), assigned_reader(cluster, "sor-erasures"), 0

    def read(self) -> list[Erased]:
        """All entries up to now."""
        there = self._reader.list_topics(ERASURES, timeout=ANSWER_SECONDS).topics[ERASURES]
        if there.error is not None or not there.partitions:
            raise TopicError(f"topic {ERASURES} does not exist: run `sor topics apply`")
        place = TopicPartition(ERASURES, _PARTITION)
        self._next, end = self._reader.get_watermark_offsets(place, timeout=ANSWER_SECONDS)
        self._reader.assign([TopicPartition(ERASURES, _PARTITION, self._next)])
        found, until = list[Erased](), time.monotonic() + ANSWER_SECONDS
        while self._next < end:
            if time.monotonic() > until:
                raise TopicError(f"{ERASURES} could not be read to its end: is the broker up?")
            found += self._taken(self._reader.consume(1000, 0.5))
        return found

    def news(self) -> Iterator[Erased]:
        """Entries that came since; what is not here yet comes with the next call."""
        return self._taken(self._reader.consume(1000, 0))

    def _taken(self, messages: Sequence[Message]) -> Iterator[Erased]:
        for message in readable(messages):
            self._next = int(message.offset() or 0) + 1
            try:
                yield self._codec.decode(message.value() or b"")
            except Undecodable as problem:
                raise TopicError(
                    f"who was forgotten cannot be read ({ERASURES} offset {message.offset()}, {problem}): has this "
                    "process the schema registry (SOR_REGISTRY) and the release of who ran `sor forget`?"
                ) from None
