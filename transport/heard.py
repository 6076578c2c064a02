"""What librdkafka says of itself, in the log of the process: warnings and errors, each kind at most once in a while."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

import structlog

log = structlog.get_logger()

#: librdkafka's name for warnings; errors and worse have lower numbers.
_WARNING: Final = 4
#: Seconds in which one kind of line is written once; how many were not is told with the next.
EVERY: Final = 10.0
#: Kinds of lines that are kept apart; librdkafka has some dozens.
_MOST: Final = 100


class Heard:
    """A logger as confluent-kafka wants it. A line names a kind (``FAIL``, ``MAXPOLL``), a client and a place of a
    broker, and says what happened; it holds nothing of a record.
    """

    def __init__(self, every: float = EVERY, clock: Callable[[], float] = time.monotonic) -> None:
        self._every, self._clock = every, clock
        self._said: dict[str, float] = {}
        self._left_out: dict[str, int] = {}

    def log(self, level: int, words: str, *args: Any) -> None:
        """One line; ``args``: kind, client and text, as confluent-kafka gives them."""
        kind, now = str(args[0]) if args else words, self._clock()
        if now - self._said.get(kind, -self._every) < self._every:
            self._left_out[kind] = self._left_out.get(kind, 0) + 1
            return
        if len(self._said) < _MOST or kind in self._said:
            self._said[kind] = now
        log.log(level, words, *args, left_out=self._left_out.pop(kind, 0))


_HEARD: Final[dict[str, Any]] = {"log_level": _WARNING, "logger": Heard()}
UNHEARD: Final[dict[str, Any]] = {"log_level": 2}


def heard() -> dict[str, Any]:
    """Settings of a client: in a process that writes a log it is heard, on the screen of a command it is not."""
    return _HEARD if structlog.is_configured() else UNHEARD
