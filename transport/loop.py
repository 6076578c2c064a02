"""Consume, handle, publish, flush, commit: the loop of the stateless stages.

1. consume a batch; 2. handle it, which publishes; 3. flush and look at every delivery report; 4. commit. Only step 4
moves offsets. Dying after 1, 2 or 3 repeats the batch, which changes nothing: every effect downstream counts once.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from monitoring import metrics
from transport.publisher import Publisher

log = structlog.get_logger()

#: Errors of a commit that time heals: the partitions went to another member, who starts at the last commit, or no
#: broker answers. What the batch wrote is there; where it comes again that changes nothing.
NOT_COMMITTED: Final = frozenset(
    {
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.REBALANCE_IN_PROGRESS,
        KafkaError.UNKNOWN_MEMBER_ID,
        KafkaError._ASSIGNMENT_LOST,
        KafkaError._MAX_POLL_EXCEEDED,
        KafkaError._NO_OFFSET,
        KafkaError._STATE,
        KafkaError._TIMED_OUT,
        KafkaError._TRANSPORT,
        KafkaError._WAIT_COORD,
        KafkaError.REQUEST_TIMED_OUT,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.NOT_COORDINATOR,
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    }
)
_LAG_SECONDS: Final = 5.0
#: Seconds between two looks at the stop signal while nothing comes.
_IDLE: Final = 0.1
#: Least seconds between the beginnings of two batches; three stages in a row make a flow wait so long each, at most.
PACE: Final = 0.04


class Stop:
    """Set by SIGTERM or SIGINT; loops look at it between batches. ``turned`` hears of every look."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self.turned: Callable[[], None] = lambda: None

    def listen(self) -> Stop:
        """Stop on SIGTERM and SIGINT (main thread only)."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.set())
        return self

    def set(self) -> None:
        """Ask for an orderly stop."""
        self._event.set()

    def __bool__(self) -> bool:
        self.turned()
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait, at most so long; True when asked to stop."""
        return self._event.wait(seconds)


Handle = Callable[[Sequence[Message]], None]


def offsets(messages: Sequence[Message]) -> list[TopicPartition]:
    """The next offset of every partition in a batch."""
    following: dict[tuple[str, int], int] = {}
    for message in messages:
        place = (message.topic(), message.partition())
        following[place] = max(following.get(place, 0), message.offset() + 1)
    return [TopicPartition(topic, partition, offset) for (topic, partition), offset in following.items()]


class Loop:
    """One stage's loop over one consumer and one publisher."""

    def __init__(self, stage: str, consumer: Consumer, publisher: Publisher, batch: int = 1000) -> None:
        self.stage, self._consumer, self._publisher, self._batch = stage, consumer, publisher, batch
        self._lag_due = self._began = 0.0
        self.assigned = False
        self.places: frozenset[tuple[str, int]] = frozenset()  # that it has; as of some seconds ago

    def run(self, topics: list[str], handle: Handle, ready: Callable[[], None], stop: Stop) -> None:
        """Run until asked to stop. Any exception leaves with the offset of the batch uncommitted."""
        try:
            self._join(topics, ready)
            while not stop:
                messages = self._consume()
                if messages:
                    self._one(messages, handle)
                self._lag()
        finally:
            self._consumer.close()

    def _join(self, topics: list[str], ready: Callable[[], None]) -> None:
        """Take part in the group, which shares the partitions out."""
        self._consumer.subscribe(topics, on_assign=lambda *_: self._on_assign(ready))

    def _on_assign(self, ready: Callable[[], None]) -> None:
        self.assigned = True
        ready()

    def _consume(self) -> list[Message]:
        """What is there, but no sooner than ``PACE`` after the batch before.

        A record that comes alone is handled at once; a flow is handled in batches of some size, for each batch pays
        for a flush and a commit. A batch that is full, or took longer than ``PACE``, is followed without a pause.
        """
        left = self._began + PACE - time.monotonic()
        messages = self._consumer.consume(self._batch, left) if left > 0 else []
        if not messages:
            messages = self._consumer.consume(1, _IDLE)
            messages += self._consumer.consume(self._batch - 1, 0) if messages else []
        self._began = time.monotonic()
        for message in messages:
            error = message.error()
            if error is not None and error.code() != KafkaError._MAX_POLL_EXCEEDED:
                raise KafkaException(error)
        return [message for message in messages if message.error() is None]

    def _one(self, messages: list[Message], handle: Handle) -> None:
        begin = time.perf_counter()
        handle(messages)
        handled = time.perf_counter()
        self._publisher.flush()
        flushed = time.perf_counter()
        self._commit(messages)
        for step, seconds in (("handle", handled - begin), ("flush", flushed - handled)):
            metrics.BATCH_SECONDS.labels(stage=self.stage, step=step).observe(seconds)
        metrics.BATCH_RECORDS.labels(stage=self.stage).observe(len(messages))

    def _commit(self, messages: list[Message]) -> None:
        try:
            self._consumer.commit(offsets=offsets(messages), asynchronous=False)
        except KafkaException as failure:
            error: Any = failure.args[0]
            if error.code() not in NOT_COMMITTED:
                raise
            log.warning("offsets not committed; records may come again", stage=self.stage, reason=error.name())
            return
        metrics.LAST_COMMIT.labels(stage=self.stage).set_to_current_time()

    def _lag(self) -> None:
        if time.monotonic() < self._lag_due:
            return
        self._lag_due = time.monotonic() + _LAG_SECONDS
        lag: dict[str, int] = {}
        assignment = self._consumer.assignment()
        self.places = frozenset((place.topic, place.partition) for place in assignment)
        for place in self._consumer.position(assignment):
            _, high = self._consumer.get_watermark_offsets(place, cached=True)
            if high >= 0 and place.offset >= 0:
                lag[place.topic] = lag.get(place.topic, 0) + max(0, high - place.offset)
        for topic, records in lag.items():
            metrics.LAG.labels(stage=self.stage, topic=topic).set(records)
