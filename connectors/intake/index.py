"""The receipts of the providers with a token, for lookup, search and streams. Bounded memory; lives on the event loop.

A receipt is kept as the bytes it came in, with the few fields that are searched. Every provider has an equal share of
the memory; its receipt that moved longest ago leaves first.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from msgspec import Struct

from connectors.intake.work import Done
from domain.facts.answer import Receipt

#: What an entry costs beside the bytes of its receipt.
_OVERHEAD: Final = 700
RECEIVED, BUSY, GOOD, PARTLY, BAD = "ontvangen", "in_verwerking", "goedgekeurd", "deels_afgekeurd", "afgekeurd"
STATUSES: Final = (RECEIVED, BUSY, GOOD, PARTLY, BAD)


class Entry(Struct, frozen=True, gc=False):
    """One delivery as far as it is known; ``raw`` is empty as long as no receipt has come."""

    id: str
    sender: str
    kind: str
    test: bool
    lines: int
    first: int  # ms: when its first record was published
    version: int = -1
    seen: int = 0
    good: int = 0
    bad: int = 0
    final: bool = False
    raw: bytes = b""

    @property
    def status(self) -> str:
        """One of ``STATUSES``."""
        if not self.final:
            return BUSY if self.raw else RECEIVED
        if not self.bad:
            return GOOD
        return PARTLY if self.good else BAD

    @property
    def place(self) -> tuple[int, str]:
        """Where it stands in a search, the newest first."""
        return (-self.first, self.id)


def entry(receipt: Receipt, raw: bytes) -> Entry:
    """The entry of a receipt."""
    r = receipt
    return Entry(
        r.delivery, r.sender, r.kind, r.test, r.lines, r.eerste, r.version,
        r.gezien, r.geaccepteerd, r.afgekeurd, r.klaar, raw,
    )  # fmt: skip


class Wanted(Struct, frozen=True):
    """A search; ``before`` is the place of the last delivery of the page before."""

    status: str = ""
    since: int = 0  # ms
    kind: str = ""
    test: bool | None = None
    before: tuple[int, str] | None = None
    limit: int = 50

    def fits(self, one: Entry) -> bool:
        """Whether an entry is asked for."""
        return (
            (not self.status or one.status == self.status)
            and one.first >= self.since
            and (not self.kind or one.kind == self.kind)
            and (self.test is None or one.test is self.test)
            and (self.before is None or one.place > self.before)
        )


class Index:
    """Entries by provider and id."""

    def __init__(self, most_bytes: int, told: Callable[[int], None] = lambda _number: None) -> None:
        self._most, self._told = most_bytes, told
        self._held: dict[str, dict[str, Entry]] = {}
        self._bytes: dict[str, int] = {}
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)

    def serve(self, providers: Iterable[str]) -> bool:
        """Keep these providers and forget the others; True when one of them is new here."""
        wanted = set(providers)
        for agb in self._held.keys() - wanted:
            del self._held[agb], self._bytes[agb]
        new = wanted - self._held.keys()
        for agb in new:
            self._held[agb], self._bytes[agb] = {}, 0
        self._count()
        return bool(new)

    def put(self, entries: Iterable[Entry]) -> None:
        """Take in receipts; one that is older than what is known changes nothing."""
        for one in entries:
            held = self._held.get(one.sender)
            if held is None:
                continue
            before = held.get(one.id)
            if before is None or one.version > before.version:
                self._set(held, one, before)
                for event in self._waiting.get(one.id, ()):
                    event.set()
        self._count()

    def _count(self) -> None:
        self._told(sum(map(len, self._held.values())))

    def _set(self, held: dict[str, Entry], one: Entry, before: Entry | None) -> None:
        if before is not None:
            del held[one.id]  # it goes to the end: it moved last
            self._bytes[one.sender] -= _size(before)
        held[one.id] = one
        self._bytes[one.sender] += _size(one)
        share = self._most // max(1, len(self._held))
        while self._bytes[one.sender] > share and len(held) > 1:
            self._bytes[one.sender] -= _size(held.pop(next(iter(held))))

    def announce(self, done: Done) -> bool:
        """A delivery that was just published; True when it was never seen before."""
        known = self.get(done.sender, done.id)
        if known is None:
            self.put([Entry(done.id, done.sender, done.kind, done.test, done.lines, done.time)])
            return True
        # Its receipt may be here before the answer to its sender: then its first record is of just now.
        return bool(known.raw) and known.first >= done.time

    def get(self, agb: str, delivery: str) -> Entry | None:
        """A delivery of this provider, or None."""
        return self._held.get(agb, {}).get(delivery)

    def search(self, agb: str, wanted: Wanted) -> tuple[list[Entry], bool]:
        """One page, newest first, and whether there is more."""
        found = sorted((one for one in self._held.get(agb, {}).values() if wanted.fits(one)), key=lambda e: e.place)
        return found[: wanted.limit], len(found) > wanted.limit

    @contextmanager
    def watch(self, delivery: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever a receipt of this delivery moves."""
        event = asyncio.Event()
        self._waiting[delivery].add(event)
        try:
            yield event
        finally:
            self._waiting[delivery].discard(event)
            if not self._waiting[delivery]:
                del self._waiting[delivery]

    def wake(self) -> None:
        """Set every event: the process ends."""
        for events in self._waiting.values():
            for event in events:
                event.set()


def _size(one: Entry) -> int:
    return len(one.raw) + _OVERHEAD
