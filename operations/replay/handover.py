"""Handing definitions over to the live stage *trajectories* while it runs (decision 0022): hold, go or drop.

``hold`` lets the stage stand still, at offsets that are known exactly, until a deadline. Whoever hands over does within
it what must have no event in between, and then says ``go``: from those offsets on the stage makes rows by the new
definitions, and gives out anew what it holds. Without a ``go`` it goes on at the deadline as if nothing had been.

    >>> with HandOver(Desk(cluster), definitions) as over:      # doctest: +SKIP
    ...     upto = over.hold()
    ...     replay.catch_up(upto)
    ...     over.drained()
    ...     over.check()
    ...     replay.exchange()
    ...     over.go()      # when it raises, exchange them back: the stage goes on with the former definitions

Everything is asked of the broker: how many workers the stage has, and where they run, does not matter.
"""

from __future__ import annotations

import getpass
import secrets
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

import structlog
from confluent_kafka import KafkaException

from domain.field.definitions import Definitions
from faults import OperatorFault
from operations.replay.desk import STAGE, Asked
from schemas.handed import DROP, GO, HOLD, Handed, pack
from schemas.topics import EVENTS, METINGEN, SCORES, TRAJECTEN, groups
from streams.engine.handing import held_for
from transport.publisher import NotDelivered

log = structlog.get_logger()

SINK: Final = "sink"
ROWS: Final = (TRAJECTEN, METINGEN, SCORES)
#: Seconds that a hold lasts; the stream stands still for as long at most.
HOLD_SECONDS: Final = 120.0
#: Seconds of it that must be left to say ``go``: for the word itself, and for clocks that differ.
REMAINDER: Final = 10.0
#: Seconds until every partition is held: a worker that was killed is a member for ten, its partitions then move.
HELD_LIMIT: Final = 45.0
#: Seconds until the stage shows that it goes on.
GONE_LIMIT: Final = 30.0
_POLL: Final = 0.2


class HandOverError(OperatorFault):
    """Definitions were not handed over: the stage goes on with those that it has. The sentence says what to do."""


class TooLate(HandOverError):
    """Too little of the hold is left to go on safely."""


class HandOver:
    """One handing over. ``clock``: seconds since 1970; ``sleep``: waits."""

    def __init__(
        self,
        asked: Asked,
        definitions: Definitions,
        *,
        seconds: float = HOLD_SECONDS,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._asked, self._definitions, self._seconds = asked, definitions, seconds
        self._clock, self._sleep = clock, sleep
        self.id = secrets.token_hex(8)
        self._deadline = 0.0
        self._held: dict[int, int] = {}
        self._open = False  # a hold was said, and neither go nor drop
        self.went = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """A hold that nobody ended is dropped; what cannot be said lapses."""
        if self._open:
            try:
                self.drop()
            except (NotDelivered, KafkaException) as problem:
                log.warning("a hold could not be dropped: it lapses by itself", problem=str(problem))

    @property
    def remaining(self) -> float:
        """Seconds of the hold that are left."""
        return self._deadline - self._clock()

    def hold(self) -> dict[int, int]:
        """Let the stage stand still. Partition of the log -> the next offset that it would handle.

        Raises:
            HandOverError: another handing over is under way, or not every partition stands still; the hold is dropped.
        """
        self._refuse_second()
        self._deadline = self._clock() + self._seconds
        self._say(HOLD)
        self._open = True
        self._refuse_second()
        places = self._asked.partitions([EVENTS])
        until = self._clock() + min(HELD_LIMIT, self._seconds - REMAINDER)
        while True:
            found = self._asked.standing(groups()[STAGE], places)
            missing = [number for _, number in places if held_for(found[EVENTS, number].note) != self.id]
            if not missing:
                self._held = {number: at.offset for (_, number), at in found.items()}
                return dict(self._held)
            if self._clock() > until:
                self.drop()
                raise HandOverError(
                    f"partitions {', '.join(map(str, missing))} of {EVENTS} do not stand still. Is every worker of "
                    f"{STAGE} up (`sor status`), and of this release? The hold is dropped; then try again"
                )
            self._sleep(_POLL)

    def drained(self, sink: str | None = None) -> None:
        """Wait until the sink has every row that the stage gave out before it stood still.

        Raises:
            TooLate: it takes longer than the hold lasts.
        """
        group = groups()[SINK] if sink is None else sink
        ends = self._asked.ends(self._asked.partitions(ROWS))
        wanted = {place: end for place, (first, end) in ends.items() if end > first}
        while wanted:
            found = self._asked.standing(group, list(wanted))
            wanted = {place: end for place, end in wanted.items() if found[place].offset < end}
            if wanted and self.remaining < REMAINDER:
                raise TooLate(
                    f"the sink has not read {', '.join(sorted({topic for topic, _ in wanted}))} to the end within the "
                    "hold: is it up (`sor status`)? Let it come level, then try again"
                )
            self._sleep(_POLL if wanted else 0)

    def check(self) -> None:
        """Just before what cannot be undone: the stage still stands where it stood, and enough of the hold is left.

        Raises:
            TooLate, HandOverError: it is not so; nothing was handed over.
        """
        if not self._open:
            raise HandOverError("there is no hold: begin with it")
        if self.remaining < REMAINDER:
            raise TooLate(
                f"{max(0.0, self.remaining):.0f} s of the hold are left and {REMAINDER:.0f} are wanted: try again, "
                "at a quieter hour or with more processes"
            )
        found = self._asked.standing(groups()[STAGE], [(EVENTS, number) for number in self._held])
        moved = [
            number
            for number, offset in self._held.items()
            if found[EVENTS, number].offset != offset or held_for(found[EVENTS, number].note) != self.id
        ]
        if moved:
            raise HandOverError(
                f"partitions {', '.join(map(str, moved))} of {EVENTS} moved during the hold: see the log of {STAGE}, "
                "then try again"
            )

    def go(self) -> None:
        """From here on the stage makes rows by these definitions; ``went`` says so to who is interrupted, too.

        Raises:
            TooLate, HandOverError: it does not, and goes on with the former ones. What was put in use must be put back.
        """
        self.check()
        try:
            self._say(GO, self.remaining - REMAINDER / 2)
        except NotDelivered as problem:
            self._after_doubt(problem)
        self._open, self.went = False, True
        try:
            self._await_going()
            self._say(DROP)  # the hold is over: nothing of it needs to be kept
        except (NotDelivered, KafkaException) as problem:
            log.warning("the stage has the word to go on; whether it does is not known", problem=str(problem))

    def drop(self) -> None:
        """The stage goes on with the definitions that it has; ``NotDelivered`` when that cannot be said."""
        self._say(DROP)
        self._open = False

    def _after_doubt(self, problem: NotDelivered) -> None:
        """A go of which nobody knows whether it arrived: what stands in the topic is what the stage heard."""
        try:
            self.drop()  # after it no go of ours is under way any more
            in_force = self._asked.said().in_force
        except (NotDelivered, KafkaException) as worse:
            raise HandOverError(
                f"it is not known whether the definitions were handed over, for Kafka does not answer ({worse}). "
                "When it does, hand the same definitions over once more (`sor replay --swap`): that is right either way"
            ) from worse
        if in_force is None or in_force.id != self._definitions.id:
            raise HandOverError(f"Kafka did not take the word to go on ({problem}): try again") from problem

    def _await_going(self) -> None:
        """Until no partition is held for us. Who is down goes on when it is up: the word stands."""
        places, until = [(EVENTS, number) for number in self._held], self._clock() + GONE_LIMIT
        while self._clock() < until:
            found = self._asked.standing(groups()[STAGE], places)
            if not any(held_for(at.note) == self.id for at in found.values()):
                return
            self._sleep(_POLL)
        log.warning("some partitions do not go on yet: is every worker up?", stage=STAGE, hand_over=self.id)

    def _refuse_second(self) -> None:
        hold = self._asked.said().hold
        if hold is not None and hold.said.hand_over != self.id and 1000 * self._clock() < hold.lapses:
            self._open = False
            left = hold.lapses / 1000 - self._clock()
            raise HandOverError(
                f"{hold.said.by} is handing over other definitions: wait for that, {left:.0f} s at most, then try again"
            )

    def _say(self, phase: str, seconds: float = 30.0) -> None:
        empty = phase == DROP
        word = Handed(
            phase=phase,
            hand_over=self.id,
            id="" if empty else self._definitions.id,
            version=0 if empty else self._definitions.version,
            document=b"" if empty else pack(self._definitions),
            deadline=int(1000 * self._deadline),
            by=getpass.getuser(),
            at=int(1000 * self._clock()),
        )
        self._asked.say(word, seconds)
