"""The fence: a process that was stopped for a while, or keeps its group waiting, ends itself before it writes more.

A worker that wakes up after its session expired still holds a batch, and the keys in it belong to another worker by
now. Its commit would be refused, its changelog records would not: they would lie behind newer ones and win. Time is
CLOCK_BOOTTIME where the system has it, so a suspended machine counts as a pause too.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from faults import EXIT_PAUSED, EXIT_SLOW_BATCH
from streams.engine.stage import end

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def now() -> float:
    """Seconds on a clock that also runs while the machine is suspended (on Linux)."""
    return time.clock_gettime(_CLOCK)


class Fence:
    """A thread ticks every ``tick`` seconds; whoever sees that the last tick is more than ``limit`` seconds old ends
    the process.

    The thread needs no event loop, so a long fold is no pause, and after a pause it wakes within milliseconds.
    """

    def __init__(
        self, limit: float, batch_limit: float, tick: float = 0.1, ended: Callable[[int, str], None] = end
    ) -> None:
        self._limit = limit
        self._batch_limit = batch_limit
        self._tick = tick
        self._ended = ended
        self._last = now()
        self._deadline: float | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="fence", daemon=True)

    def start(self) -> None:
        """Begin to tick; ``check`` is valid from here on."""
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

    def hurry(self) -> None:
        """A rebalance or stop waits for the batch in flight: end the process if ``calm`` is not called within
        ``batch_limit`` seconds. Works from any thread, and against a fold that never returns to the event loop.
        """
        self._deadline = now() + self._batch_limit

    def calm(self) -> None:
        """No batch is in flight any more."""
        self._deadline = None

    def _watch(self) -> None:
        while not self._stop.wait(self._tick):
            self.check()
            self._last = now()
            deadline = self._deadline
            if deadline is not None and self._last > deadline:
                self._ended(
                    EXIT_SLOW_BATCH,
                    f"the group waited {self._batch_limit:.0f} s for a batch: ending, the batch is not committed",
                )
