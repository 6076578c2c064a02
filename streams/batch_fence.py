"""The fence: a process that was stopped for a while ends itself before it writes anything more.

A worker that wakes up after its session expired still holds a batch, and the keys in it belong to another worker by
now. Its commit would be refused, its changelog records would not: they would lie behind newer ones and win. Time is
CLOCK_BOOTTIME where the system has it, so a suspended machine counts as a pause too.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from streams.batch import EXIT_PAUSED, end

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def now() -> float:
    """Seconds on a clock that also runs while the machine is suspended (on Linux)."""
    return time.clock_gettime(_CLOCK)


class Fence:
    """A thread ticks every `tick` seconds; whoever sees that the last tick is more than `limit` seconds old ends the
    process.

    The thread needs no event loop, so a long fold is no pause, and after a pause it wakes within milliseconds.
    """

    def __init__(self, limit: float, tick: float = 0.1, ended: Callable[[int, str], None] = end) -> None:
        self._limit = limit
        self._tick = tick
        self._ended = ended
        self._last = now()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="fence", daemon=True)

    def start(self) -> None:
        """Begin to tick; `check` is valid from here on."""
        self._last = now()
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        self._thread.join()

    def check(self) -> None:
        """End the process when it was paused; cheap, call it right before anything is sent."""
        gap = now() - self._last
        if gap > self._limit:
            self._ended(
                EXIT_PAUSED,
                f"paused for {gap:.1f} s, over the fence of {self._limit} s: ending before anything is sent",
            )

    def _watch(self) -> None:
        while not self._stop.wait(self._tick):
            self.check()
            self._last = now()
