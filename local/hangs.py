"""When does a process hang: what it must show again and again, and for how long that may be missing.

Nobody is judged by a time in which we did not look ourselves: whoever was stopped, or whose machine was, finds
everybody silent when he wakes up.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from local.health import SILENT, Check


@dataclass(frozen=True)
class Sign:
    """A check that a process in order passes again and again.

    ``silent``: seconds for which it may give no answer. ``spoken``: seconds for which it may answer that it is not
    well; None when any answer is a sign of life.
    """

    check: Check
    silent: float
    spoken: float | None = None


class Attention:
    """Since when our own loop has been turning without a ``gap`` (seconds)."""

    def __init__(self, gap: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._gap, self.clock = gap, clock
        self._last = self._since = clock()

    def turn(self) -> float:
        """The loop turns; returns the moment from which on it looked all the time."""
        now = self.clock()
        if now - self._last > self._gap:
            self._since = now
        self._last = now
        return self._since


class Look(NamedTuple):
    """What was seen: what is missing before the process is ready, and why it hangs (empty: it does not)."""

    missing: str | None
    hangs: str = ""


class Vigil:
    """Looks at one process from its start to its end.

    A sign counts from when it was seen for the first time; until then the process starts, for which it has ``start``
    seconds (None: as long as it likes, its data may be large).
    """

    def __init__(self, signs: Sequence[Sign], ready: Check | None, start: float | None, attention: Attention) -> None:
        self._signs, self._ready, self._start, self._attention = signs, ready, start, attention
        self._seen: set[Sign] = set()
        self._missing: dict[Sign, tuple[bool, float]] = {}

    async def look(self) -> Look:
        """Ask for every sign, then whether the process is ready."""
        answers: dict[Check, str | None] = {}
        for sign in self._signs:
            asked, missing = await asyncio.to_thread(self._ask, sign.check)
            answers[sign.check] = missing
            hangs = self.judge(sign, asked, missing)
            if missing is not None:
                return Look(missing, hangs)
        if self._ready is None or self._ready in answers:
            return Look(None)
        return Look((await asyncio.to_thread(self._ask, self._ready))[1])

    def judge(self, sign: Sign, asked: float, missing: str | None) -> str:
        """Why the process hangs, given an answer and when it was asked for; empty when it does not."""
        silent, looking = missing == SILENT, self._attention.turn()
        if missing is None or (not silent and sign.spoken is None):
            self._missing.pop(sign, None)
            self._seen.add(sign)
            return ""
        before = self._missing.get(sign)
        if before is None or before[0] != silent:  # first silence, then words: the words have their own time
            before = self._missing[sign] = (silent, asked)
        lasted = self._attention.clock() - max(before[1], looking)
        limit = (sign.silent if silent else sign.spoken) if sign in self._seen else self._start
        return f"{missing} for {lasted:.0f} s" if limit is not None and lasted >= limit else ""

    def _ask(self, check: Check) -> tuple[float, str | None]:
        return self._attention.clock(), check()
