"""The process *schedule*: each day it closes the month that is due, by ``sor schedule``, and shows how that went.

What it starts takes a gigabyte and may be ended. The process itself stays small, so that it can be watched. A day on
which it did not run is made up for when it starts; where nothing ever ran, the first time is the next morning.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from domain.field.dates import as_date, dutch_day, dutch_time
from monitoring import metrics
from results.reports import periods
from results.reports.state import STATE, State
from settings.settings import Settings
from transport.health import Health, HealthConfig
from transport.loop import Stop

log = structlog.get_logger()

STAGE: Final = "schedule"
#: When it runs, on a Dutch clock.
_AT: Final = timedelta(hours=6, minutes=30)
#: Seconds that one run may take: a release of the region with its gate takes minutes.
LONGEST: Final = 7200.0
#: Seconds between two looks at what the last run came to: a person may have run it by hand.
_LOOK_EVERY: Final = 60.0
#: Seconds in which it ends when it is asked to.
_ENDS: Final = 20.0
COMMAND: Final = (sys.executable, "-m", "sor", "schedule")


def due_before(now: float) -> float:
    """The newest moment to run at, up to ``now`` (seconds since 1970)."""
    moment = _on_day(dutch_time(int(now * 1000)))
    return moment if moment <= now else _on_day(dutch_time(int(now * 1000)) - timedelta(days=1))


def due_after(now: float) -> float:
    """The next moment to run at."""
    moment = _on_day(dutch_time(int(now * 1000)))
    return moment if moment > now else _on_day(dutch_time(int(now * 1000)) + timedelta(days=1))


def _on_day(local: datetime) -> float:
    """Arithmetic of a clock on the wall: in summer and winter the same hour."""
    return (local.replace(hour=0, minute=0, second=0, microsecond=0) + _AT).timestamp()


def show(home: Path, closing_day: int, now: float) -> bool:
    """Set the gauges from what the last run wrote down; False when none ever did.

    Raises:
        ScheduleError: the file is none of ours.
    """
    state = State(home / STATE)
    last, done = state.last(), state.done()
    if last is None:
        return False
    target = periods.closed_before(as_date(dutch_day(int(now * 1000))), closing_day)
    metrics.SCHEDULE_OPEN.set(1 if last.problem else 0)
    metrics.SCHEDULE_REFUSED.set(int(last.refused))
    metrics.SCHEDULE_MONTHS.set(len(list(periods.months_after(done.month, target))) if done.month else 1)
    metrics.SCHEDULE_TIME.set(last.at)
    return True


class Daily:
    """Runs a command once a day. ``clock``: seconds since 1970."""

    def __init__(
        self,
        home: Path,
        closing_day: int,
        *,
        command: Sequence[str] = COMMAND,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._home, self._closing_day, self._command, self._clock = home, closing_day, command, clock
        self._running: subprocess.Popen[bytes] | None = None
        self._began = self._looked = 0.0
        self._broke = False
        now, last = clock(), State(home / STATE).last()
        self.next = now if last is not None and last.at < due_before(now) else due_after(now)

    def turn(self) -> None:
        """Start what is due, see what ended, show how it went. Waits for nothing."""
        now = self._clock()
        if self._running is None and now >= self.next:
            self.next = due_after(now)
            self._running, self._began = subprocess.Popen(self._command), now
        if self._running is not None:
            self._watch(self._running, now)
        if now - self._looked >= _LOOK_EVERY:
            self._show(now)

    def _watch(self, running: subprocess.Popen[bytes], now: float) -> None:
        code = running.poll()
        if code is None and now - self._began > LONGEST:
            log.error("sor schedule is ended: it takes too long", seconds=int(now - self._began))
            running.kill()
            code = running.wait()
        if code is None:
            return
        self._running = None
        self._broke = code != 0
        log.info("sor schedule ended", code=code, seconds=int(now - self._began))
        self._show(now)

    def _show(self, now: float) -> None:
        self._looked = now
        show(self._home, self._closing_day, now)
        if self._broke:  # also where it came to no note: a setting is wrong, or it was ended
            metrics.SCHEDULE_OPEN.set(1)

    def end(self) -> None:
        """End what is running; the next run goes on where it stopped."""
        if self._running is None:
            return
        self._running.terminate()
        try:
            self._running.wait(_ENDS)
        except subprocess.TimeoutExpired:
            self._running.kill()
            self._running.wait()
        self._running = None


def run(settings: Settings, page: HealthConfig, stop: Stop) -> int:
    """Look again and again until asked to stop. ``ScheduleError`` when the file with the state is none of ours."""
    daily = Daily(settings.home, settings.closing_day)
    health = Health(page, STAGE).start()
    stop.turned = health.turned
    health.ready = True
    try:
        while not stop:
            daily.turn()
            stop.wait(1.0)
    finally:
        daily.end()
        health.stop()
    return 0
