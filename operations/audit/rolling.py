"""The process *audit*: the whole audit, a few buckets of clients at a time, for ever, with hardly any of the machine.

A *part* is some buckets of clients over all partitions of the log, a *round* all parts. Parts are spread over the time
that a round takes (``SOR_AUDIT_ROUND_MINUTES``), or longer: it works for a share of a core and rests for what is left.
A part of which nothing is proven, because a stage lags, is tried again and raises no alarm; only a round of which all
parts are proven counts.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

import structlog
from confluent_kafka import KafkaException

from monitoring import metrics
from operations.audit.check import Checker, Outcome, World
from operations.audit.comparison import MADE_BY, SORTS, TABLES
from operations.audit.full import KEPT, gathered, slices
from operations.audit.lives import Buckets
from operations.audit.states import STATE_SORTS
from operations.log_reader import LogMoved, LogSilent, log_ends
from sinks.clickhouse import UnavailableError
from transport.health import Health
from transport.loop import Stop
from transport.topics import TopicError

log = structlog.get_logger()
T = TypeVar("T")

STAGE: Final = "audit"
#: Share of a core that it may take.
SHARE: Final = 0.03
#: Events of one part: about 0.15 GB of memory.
EVENTS_AT_ONCE: Final = 250_000
#: Seconds that a part waits for the stages, and after which one that was not proven is tried again.
PATIENCE: Final = 60.0
AGAIN: Final = 60.0
#: Seconds in which there is a sign of life: a question to ClickHouse, or Kafka that is silent, may take so long.
LONGEST_TURN: Final = 300.0
#: Longest rest between two signs of life.
_NAP: Final = 1.0
#: Seconds of work below which a rest costs more than it gives.
_WORTH: Final = 0.02
#: What passes by itself.
_PASSING: Final = (UnavailableError, KafkaException, LogMoved, LogSilent, TopicError)
#: Place and sort of everything that is counted.
PLACES: Final = (
    *((place, sort) for place in TABLES for sort in (*SORTS, "former")),
    *((place, sort) for place in ("changelog", "store") for sort in STATE_SORTS),
)


class Interrupted(Exception):  # no error: an orderly stop while a part is at work
    """The process was asked to stop."""


class Rest:
    """Keeps the work at a share of a core: after so much work, so much rest."""

    def __init__(
        self, nap: Callable[[float], bool], share: float = SHARE, clock: Callable[[], float] = time.process_time
    ):
        self._nap, self._share, self._clock = nap, share, clock
        self._since = clock()

    def __call__(self) -> None:
        """Rest for the work since the last rest, if that is worth it. ``Interrupted`` when asked to stop."""
        worked = self._clock() - self._since
        if worked < _WORTH:
            return
        left = worked * (1 / self._share - 1)
        while left > 0:
            if self._nap(min(left, _NAP)):
                raise Interrupted
            left -= _NAP
        self._since = self._clock()


@dataclass
class Round:
    """What a round has found so far, and what the last one found of each part. Pure but for the gauges."""

    parts: list[Buckets] = field(default_factory=list)
    done: list[tuple[Buckets, Outcome]] = field(default_factory=list)
    seen: dict[Buckets, Counter[tuple[str, str]]] = field(default_factory=dict)

    def take(self, part: Buckets, outcome: Outcome) -> bool:
        """A part was checked; whether it was proven, and so counts."""
        if not outcome.proven or outcome.unsettled:
            return False
        self.done.append((part, outcome))
        self.seen[part] = counted(outcome)
        return True

    @property
    def found(self) -> Counter[tuple[str, str]]:
        """Place and sort -> how many differ, by the newest look at every part."""
        return sum(self.seen.values(), Counter())


def counted(outcome: Outcome) -> Counter[tuple[str, str]]:
    """Place and sort -> how many differ. A row that was made by other definitions counts as such and no more."""
    found: Counter[tuple[str, str]] = Counter()
    for row in outcome.rows:
        found[row.table, row.sort if MADE_BY.isdisjoint(row.columns) else "former"] += 1
    for state in outcome.states:
        found[state.where, state.sort] += 1
    return found


def show(found: Counter[tuple[str, str]]) -> None:
    """Set the gauges."""
    for place, sort in PLACES:
        metrics.AUDIT_FOUND.labels(place=place, sort=sort).set(found[place, sort])


class Rolling:
    """Checks part after part until it is asked to stop. ``world`` makes a new one, for what is in force may change."""

    def __init__(
        self, world: Callable[[], World], home: Path, stop: Stop, health: Health, seconds: float, share: float = SHARE
    ) -> None:
        self._world, self._home, self._stop, self._health = world, home, stop, health
        self._seconds, self._rest = seconds, Rest(self._nap, share)
        self._round = Round()

    def run(self) -> None:
        """Round after round."""
        kept = self._home / KEPT
        metrics.AUDIT_ROUND.set(kept.stat().st_mtime if kept.exists() else time.time())
        show(self._round.found)  # a gauge that is not there never alerts
        try:
            while not self._stop:
                self.one_round()
        except Interrupted:
            log.info("stopped while a part was being compared: it is compared anew")

    def one_round(self) -> None:
        """Every part once, each until it is proven."""
        began = time.monotonic()
        events = self._patiently(self._events)
        parts = list(slices(events, EVENTS_AT_ONCE))
        if parts != self._round.parts:
            self._round = Round(parts)
        self._round.done.clear()
        for number, part in enumerate(parts, 1):
            while not self._patiently(lambda part=part: self._part(part)):  # type: ignore[misc]
                self._until(time.monotonic() + AGAIN)
            self._until(began + self._seconds * number / len(parts))
        self._patiently(lambda: self._finish(events))

    def _events(self) -> int:
        world = self._world()
        world.client.close()
        return log_ends(world.cluster).events

    def _part(self, part: Buckets) -> bool:
        """Check one part; whether it is proven."""
        world = self._world()
        checker = Checker(world, lambda _number: self._rest(), self._rest, self._nap, PATIENCE)
        try:
            outcome = checker.check(part)
        finally:
            checker.close()
            world.client.close()
        metrics.AUDIT_PARTS.inc()
        after = self._world()
        after.client.close()
        if after.made_by != world.made_by or not self._round.take(part, outcome):
            metrics.AUDIT_UNPROVEN.inc()
            log.info("a part proves nothing yet", behind=outcome.behind, moving=outcome.unsettled)
            return False
        for name in TABLES:
            metrics.AUDIT_ROWS.labels(table=name).inc(outcome.expected[name])
        show(self._round.found)
        if found := counted(outcome):
            log.warning("the audit found differences", **{f"{place}_{sort}": n for (place, sort), n in found.items()})
        return True

    def _finish(self, events: int) -> bool:
        """The answer of the round, as ``sor audit`` keeps it."""
        world = self._world()
        try:
            report = gathered(world, events, self._round.done).report
        finally:
            world.client.close()
        keep(self._home, report.document())
        metrics.AUDIT_ROUND.set_to_current_time()
        return True

    def _patiently(self, work: Callable[[], T]) -> T:
        """Do it, again and again while Kafka or ClickHouse is away."""
        while True:
            try:
                return work()
            except _PASSING as problem:
                log.warning("the audit waits", problem=type(problem).__name__)
            self._until(time.monotonic() + AGAIN / 4)

    def _until(self, moment: float) -> None:
        while (left := moment - time.monotonic()) > 0:
            if self._nap(min(left, _NAP)):
                raise Interrupted

    def _nap(self, seconds: float) -> bool:
        """Wait; whether to stop."""
        self._health.turned()
        return self._stop.wait(seconds)


def keep(home: Path, document: str) -> None:
    """Write the answer whole or not at all. A folder that takes no file is told and does not spoil the audit."""
    path = home / KEPT
    try:
        half = path.with_suffix(".new")
        half.write_text(document + "\n", "utf-8")
        half.replace(path)
    except OSError as problem:
        log.warning("the answer could not be kept", problem=type(problem).__name__)
