"""Fair shares: rates, memory and turns of each provider. Everything here belongs to the event loop; nothing blocks."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

from faults import SenderFault

#: When a sender may come back after "full": other uploads take about as long.
COME_BACK: Final = 5


class TooFast(SenderFault):
    """A provider asks more often than it may, or too much at once; ``seconds`` until it may again."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


class Full(SenderFault):
    """There is no memory for another upload."""


class Rates:
    """A bucket of requests per provider: ``per_minute`` flow in; it holds a quarter of that, and four at least."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._flow, self._most, self._clock = per_minute / 60, max(4.0, per_minute / 4), clock
        self._buckets: dict[str, tuple[float, float]] = {}  # one per provider with a token

    def take(self, agb: str) -> None:
        """One request. ``TooFast`` when the bucket is empty."""
        now = self._clock()
        level, at = self._buckets.get(agb, (self._most, now))
        level = min(self._most, level + (now - at) * self._flow)
        if level < 1:
            self._buckets[agb] = (level, now)
            raise TooFast((1 - level) / self._flow)
        self._buckets[agb] = (level - 1, now)


class Held:
    """Memory that one upload has reserved."""

    def __init__(self, memory: Memory, agb: str) -> None:
        self._memory, self._agb, self.bytes = memory, agb, 0

    def reach(self, size: int) -> None:
        """Reserve up to ``size`` bytes in all. ``Full``, or ``TooFast`` when the provider's own share is used up."""
        if size > self.bytes:
            self._memory.reserve(self._agb, size - self.bytes)
            self.bytes = size


class Memory:
    """How much the bodies of all uploads may take, and those of one provider."""

    def __init__(self, total: int, share: int, told: Callable[[int], None] = lambda _bytes: None) -> None:
        self._total, self._share, self._told = total, share, told
        self._used: Counter[str] = Counter()

    def reserve(self, agb: str, size: int) -> None:
        """Take ``size`` bytes."""
        if self._used[agb] + size > self._share:
            raise TooFast(COME_BACK)
        if self._used.total() + size > self._total:
            raise Full
        self._used[agb] += size
        self._told(self._used.total())

    @contextmanager
    def upload(self, agb: str) -> Iterator[Held]:
        """The memory of one upload, given back at its end."""
        held = Held(self, agb)
        try:
            yield held
        finally:
            self._used[agb] -= held.bytes
            if not self._used[agb]:
                del self._used[agb]
            self._told(self._used.total())


class Lanes:
    """One upload of a provider at a time, in order; any worker that is free takes the next provider.

    Of each provider at most one upload stands in line for a worker, so that a busy provider delays no other.
    """

    def __init__(self, workers: int, most: int) -> None:
        self._workers, self._most = asyncio.Semaphore(workers), most
        self._inside: Counter[str] = Counter()
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @contextmanager
    def enter(self, agb: str) -> Iterator[None]:
        """An upload that begins. ``TooFast`` when the provider has as many as it may."""
        if self._inside[agb] >= self._most:
            raise TooFast(COME_BACK)
        self._inside[agb] += 1
        try:
            yield
        finally:
            self._inside[agb] -= 1
            if not self._inside[agb]:
                del self._inside[agb]
                self._locks.pop(agb, None)

    @asynccontextmanager
    async def turn(self, agb: str) -> AsyncIterator[None]:
        """The provider's turn at a worker; between ``enter`` and its end."""
        async with self._locks[agb], self._workers:
            yield

    def open(self) -> int:
        """Uploads that have begun and not ended."""
        return self._inside.total()
