"""The receipts of those who may come in, for lookup, search and streams. Bounded memory; lives on the event loop.

A receipt is kept as the bytes it came in, with the few fields that are searched. Every provider has an equal share of
the memory; its receipt that moved longest ago leaves first. A delivery is known by provider, id and number of records;
an id is a keyed hash under a secret of its source, so that only who made it can ask for it.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from msgspec import Struct

from connectors.intake.jobs import Done
from connectors.intake.tokens import ANY, Caller
from domain.facts.answer import Receipt

#: What an entry costs beside the bytes of its receipt.
_OVERHEAD: Final = 700
#: Providers that no entry of the token file names, while a hub sends for any.
_MOST_OTHERS: Final = 2_000
#: Deliveries of a hub for any that it can search: those that it made itself, here.
_MOST_MADE: Final = 20_000
#: Deliveries of which is known that they were announced already.
_MOST_TOLD: Final = 20_000
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
    withdrawn: int = 0

    @property
    def status(self) -> str:
        """One of ``STATUSES``."""
        if not self.final:
            return BUSY if self.raw else RECEIVED
        if not self.bad + self.withdrawn:
            return GOOD
        return PARTLY if self.good else BAD

    @property
    def key(self) -> tuple[str, int]:
        """What it is known by among those of its provider."""
        return (self.id, self.lines)

    @property
    def place(self) -> tuple[int, str]:
        """Where it stands in a search, the newest first."""
        return (-self.first, self.id)


def entry(receipt: Receipt, raw: bytes) -> Entry:
    """The entry of a receipt."""
    r = receipt
    return Entry(
        r.delivery, r.sender, r.kind, r.test, r.lines, r.eerste, r.version,
        r.gezien, r.sums.accepted, r.sums.refused, r.klaar, raw, r.sums.withdrawn,
    )  # fmt: skip


class Wanted(Struct, frozen=True):
    """A search; ``before`` is the place of the last delivery of the page before."""

    status: str = ""
    since: int = 0  # ms
    kind: str = ""
    test: bool | None = None
    before: tuple[int, str] | None = None
    limit: int = 50
    sender: str = ""

    def fits(self, one: Entry) -> bool:
        """Whether an entry is asked for."""
        return (
            (not self.status or one.status == self.status)
            and one.first >= self.since
            and (not self.kind or one.kind == self.kind)
            and (self.test is None or one.test is self.test)
            and (not self.sender or one.sender == self.sender)
            and (self.before is None or one.place > self.before)
        )


Made = tuple[str, str, int]  # provider, id, records


class Index:
    """Entries by provider, id and number of records."""

    def __init__(self, most_bytes: int, told: Callable[[int], None] = lambda _number: None) -> None:
        self._most, self._told = most_bytes, told
        self._named: frozenset[str] = frozenset()
        self._held: dict[str, dict[tuple[str, int], Entry]] = {}
        self._lines: dict[str, dict[str, list[int]]] = {}  # of an id, the last one moved last
        self._bytes: dict[str, int] = {}
        self._made: defaultdict[str, dict[Made, None]] = defaultdict(dict)
        self._announced: dict[Made, None] = {}
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)

    def serve(self, providers: Iterable[str]) -> bool:
        """Keep these providers, with ``ANY`` all of them, and forget the others; True when one of them is new here."""
        named = frozenset(providers)
        new = named - self._named - self._held.keys()
        self._named = named
        for agb in () if ANY in named else self._held.keys() - named:
            self._forget(agb)
        for agb in named - {ANY} - self._held.keys():
            self._begin(agb)
        self._count()
        return bool(new)

    def _begin(self, agb: str) -> None:
        self._held[agb], self._lines[agb], self._bytes[agb] = {}, {}, 0

    def _forget(self, agb: str) -> None:
        del self._held[agb], self._lines[agb], self._bytes[agb]
        self._announced = {made: None for made in self._announced if made[0] != agb}

    def put(self, entries: Iterable[Entry]) -> None:
        """Take in receipts; one that is older than what is known changes nothing."""
        for one in entries:
            if not self._serves(one.sender):
                continue
            before = self._held[one.sender].get(one.key)
            if before is None or one.version > before.version:
                self._set(one, before)
                for event in self._waiting.get(one.id, ()):
                    event.set()
        self._count()

    def _serves(self, agb: str) -> bool:
        """Whether entries of this provider are kept; among the unnamed the oldest leaves for a new one."""
        if agb in self._held:
            return True
        if ANY not in self._named:
            return False
        others = [one for one in self._held if one not in self._named]
        if len(others) >= _MOST_OTHERS:
            self._forget(others[0])
        self._begin(agb)
        return True

    def _count(self) -> None:
        self._told(sum(map(len, self._held.values())))

    def _set(self, one: Entry, before: Entry | None) -> None:
        held = self._held[one.sender]
        if before is not None:
            self._drop(before)  # it goes to the end: it moved last
        held[one.key] = one
        self._lines[one.sender].setdefault(one.id, []).append(one.lines)
        self._bytes[one.sender] += _size(one)
        share = self._most // max(1, len(self._held))
        while self._bytes[one.sender] > share and len(held) > 1:
            self._drop(next(iter(held.values())))

    def _drop(self, one: Entry) -> None:
        lines = self._lines[one.sender]
        lines[one.id].remove(one.lines)
        if not lines[one.id]:
            del lines[one.id]
        del self._held[one.sender][one.key]
        self._bytes[one.sender] -= _size(one)

    def announce(self, done: Done, caller: Caller) -> bool:
        """A delivery that was just published; True when it was never seen before."""
        made = (done.sender, done.id, done.lines)
        before = made in self._announced
        _keep(self._announced, made, _MOST_TOLD)
        if ANY in caller.sends_for:
            _keep(self._made[caller.id], made, _MOST_MADE)
        known = self._held.get(done.sender, {}).get((done.id, done.lines))
        if known is None:
            self.put([Entry(done.id, done.sender, done.kind, done.test, done.lines, done.time)])
            return True
        # Its receipt may be here before the answer to its sender: then its first record is of just now.
        return bool(known.raw) and known.first >= done.time and not before

    def get(self, caller: Caller, delivery: str, lines: int = 0, sender: str = "") -> Entry | None:
        """A delivery of those whom the caller sends for, or None; the one that moved last when more is not said."""
        senders: Iterable[str] = (sender,) if sender else caller.sends_for
        for agb in self._held if not sender and ANY in caller.sends_for else senders:
            if caller.may_send(agb) and (found := self._lines.get(agb, {}).get(delivery)):
                return self._held[agb].get((delivery, lines or found[-1]))
        return None

    def search(self, caller: Caller, wanted: Wanted) -> tuple[list[Entry], bool]:
        """One page, newest first, and whether there is more. A hub for any provider finds what it delivered itself."""
        found = sorted((one for one in self._own(caller) if wanted.fits(one)), key=lambda e: e.place)
        return found[: wanted.limit], len(found) > wanted.limit

    def _own(self, caller: Caller) -> Iterator[Entry]:
        if ANY not in caller.sends_for:
            for agb in caller.sends_for:
                yield from self._held.get(agb, {}).values()
            return
        for sender, delivery, lines in self._made.get(caller.id, ()):
            if (one := self._held.get(sender, {}).get((delivery, lines))) is not None:
                yield one

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


def _keep(table: dict[Made, None], made: Made, most: int) -> None:
    """The newest last; the oldest leaves."""
    table.pop(made, None)
    table[made] = None
    if len(table) > most:
        del table[next(iter(table))]


def _size(one: Entry) -> int:
    return len(one.raw) + _OVERHEAD
