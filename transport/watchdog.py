"""A process that stands still ends itself, so that whoever keeps it running starts it again.

A container that is unhealthy is not started again; one that ended is. On one machine the supervisor is sooner. What was
stopped from outside cannot see that from inside: there a health check alone tells.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Final

import structlog

from faults import EXIT_HANGS
from monitoring import metrics

log = structlog.get_logger()

#: Seconds for which it may go on to stand still once that is seen: with ``health.TURN_LIMIT`` a minute in all.
LIMIT: Final = 15.0
#: Seconds between two looks.
EVERY: Final = 1.0
#: A look that comes so many seconds late: the whole process was stopped, and what it stood still counts anew.
GAP: Final = 5.0
_LAST_WORDS: Final = 2.0


def end(words: str) -> None:
    """Say it, and end this process now. Whoever hangs may hold the lock of the log: it gets two seconds."""
    speaker = threading.Thread(target=_say, args=(words,), daemon=True)
    speaker.start()
    speaker.join(_LAST_WORDS)
    os._exit(EXIT_HANGS)


def _say(words: str) -> None:
    log.critical(words, where=_main_thread())
    logging.shutdown()


def _main_thread() -> list[str]:
    """Where the main thread is: file, line and function, the innermost last."""
    frame = sys._current_frames().get(threading.main_thread().ident or 0)
    return [f"{one.filename}:{one.lineno} {one.name}" for one in traceback.extract_stack(frame)[-8:]] if frame else []


class Watchdog:
    """A thread that asks ``stuck`` every second: None while the work goes on, else a few words that say what stands.

    It shows the answer as the gauge ``sor_alive`` of its stage.
    """

    def __init__(
        self,
        stage: str,
        stuck: Callable[[], str | None],
        *,
        limit: float = LIMIT,
        every: float = EVERY,
        clock: Callable[[], float] = time.monotonic,
        ended: Callable[[str], None] = end,
    ) -> None:
        self._stuck, self._limit, self._every, self._clock, self._ended = stuck, limit, every, clock, ended
        self._alive = metrics.ALIVE.labels(stage=stage)
        self._alive.set(1)
        self._looked = clock()
        self._since: float | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        """Look from now on."""
        self._looked = self._clock()
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stop.set()

    def look(self) -> None:
        """One look; ends the process when it has stood still for longer than the limit."""
        now, words = self._clock(), self._stuck()
        self._alive.set(int(words is None))
        if words is None or now - self._looked > GAP:
            self._since = None
        self._looked = now
        if words is None:
            return
        if self._since is None:
            self._since = now
        elif now - self._since >= self._limit:
            self._ended(f"{words}: the process ends here and is started again")

    def _watch(self) -> None:
        while not self._stop.wait(self._every):
            self.look()
