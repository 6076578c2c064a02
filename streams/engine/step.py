"""One batch: steps 1 to 7 of ``streams.engine.stage``, on a store and producer shaped like those of Faust and Kafka."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Protocol, TypeVar

from confluent_kafka import KafkaException

from faults import OperatorFault
from streams.engine.stage import Fold, Out, Record, Scrubbed, Seconds, StageConfig, StageError

T = TypeVar("T")
Commit = Callable[[Mapping[int, int]], Awaitable[bool]]
Anew = Callable[[bytes, bytes], tuple[bytes, list[Out]]]
SLICE = 100  # keys that go out anew at once: a tenth of a second, which records of the source wait for at most
MANY = 250  # keys for which it is worth to read or write the store in a thread
BREATH = 25  # keys folded between two turns of the event loop, in which the batch before is delivered on
REPORTS_LIMIT = 30.0  # seconds; delivery.timeout.ms ends every record long before
PARTITION_BY_KEY = -1
LISTEN = 0.001  # seconds for which the event loop stands still for a delivery report, when there is nothing to fold


class Store(Protocol):
    """States of the assigned partitions."""

    offset_key: bytes

    def get(self, partition: int, keys: Sequence[bytes]) -> list[bytes | None]: ...

    def after(self, partition: int, key: bytes, most: int) -> list[tuple[bytes, bytes]]: ...

    def put(self, partition: int, states: Mapping[bytes, bytes | None], changelog_offset: int) -> None: ...

    def scrub(self, partition: int, keys: Sequence[bytes]) -> None: ...


class Producer(Protocol):
    """The part of ``confluent_kafka.Producer`` that a batch uses."""

    def produce(self, topic: str, value: bytes | None = None, key: bytes | None = None, **options: Any) -> None: ...

    def poll(self, timeout: float) -> int: ...


class Reports:
    """What Kafka says of the records of one step: how many it has not told of, what failed, where partitions end.

    It is told in the thread of the event loop, between two folds. A thread that flushes would need the interpreter for
    every single report, and beside a fold that takes 5 ms each time: the batch would wait until nothing is folded.
    """

    def __init__(self) -> None:
        self.missing = 0
        self.errors: list[tuple[str, Any]] = []
        self.ends: dict[int, int] = {}  # partition -> highest offset

    def acknowledged(self, error: Any, message: Any) -> None:
        """Of a record whose offset nobody needs."""
        self.missing -= 1
        if error is not None:
            self.errors.append((message.topic(), error))

    def placed(self, error: Any, message: Any) -> None:
        """Of a record of the changelog."""
        self.missing -= 1
        if error is not None:
            self.errors.append((message.topic(), error))
            return
        partition, offset = message.partition(), message.offset()
        if offset > self.ends.get(partition, -1):
            self.ends[partition] = offset


@dataclass
class Folded:
    """A folded batch: new states per partition and key, rows in order, and the next source offset per partition."""

    states: dict[int, dict[bytes, bytes | None]] = field(default_factory=dict)
    rows: list[Out] = field(default_factory=list)
    positions: dict[int, int] = field(default_factory=dict)
    events: int = 0
    seconds: float = 0.0  # spent on folding
    anew: bool = False  # without records: what the state holds goes out anew
    last: bytes | None = None  # of that: the key it ends with, None when there are no more


class Step:
    """Handles batches: one may be folded while the one before is delivered."""

    def __init__(
        self, config: StageConfig, fold: Fold, store: Store, producer: Producer, fence: Callable[[], None]
    ) -> None:
        self._config = config
        self._fold = fold
        self._store = store
        self._producer = producer
        self._fence = fence
        self._delivering: Mapping[int, Mapping[bytes, bytes | None]] = {}
        self._folding = 0

    async def fold(self, source: Mapping[int, Sequence[Any]]) -> Folded:
        """Steps 1 and 2 on ``source`` (partition → records); lets the event loop run every ``BREATH`` keys.

        While another batch is being delivered its states count, though the store does not have them yet.
        """
        began = time.perf_counter()
        folded = Folded()
        with self._at_work():
            for partition, records in source.items():
                await self._fold_partition(folded, partition, records)  # 1 and 2
                folded.positions[partition] = records[-1].offset + 1
                folded.events += len(records)
        folded.seconds = time.perf_counter() - began
        return folded

    async def anew(self, fold: Anew, partition: int, after: bytes | None) -> Folded:
        """Steps 1 and 2 on the next ``SLICE`` keys of the state, without any record: ``fold`` gives out anew what each
        yields. Positions are for whoever delivers it.
        """
        began, folded = time.perf_counter(), Folded(anew=True)
        if after is None:
            return replace(folded, last=b"")
        found, ahead = self._store.after(partition, after, SLICE), self._delivering.get(partition, {})  # at one moment
        states: dict[bytes, bytes | None] = {}
        with self._at_work():
            for count, (key, stored) in enumerate(found, 1):
                before = ahead.get(key, stored)
                if before is not None:  # else it is being taken out
                    states[key], rows = self._fold_anew(fold, partition, key, before)
                    folded.rows += rows
                if count % BREATH == 0:
                    await asyncio.sleep(0)
        folded.states |= {partition: states} if states else {}
        folded.last = found[-1][0] if len(found) == SLICE else None
        folded.seconds = time.perf_counter() - began
        return folded

    async def deliver(self, folded: Folded, commit: Commit) -> tuple[Seconds, bool]:
        """Steps 3 to 7. Returns the time of each and whether the batch is committed."""
        self._delivering = folded.states
        times = [time.perf_counter()]
        try:
            self._fence()  # 3
            ends = await self._changelog(folded)  # 4
            times.append(time.perf_counter())
            self._fence()
            rows = self._rows(folded)  # 5
            began = time.perf_counter()
            await self._put(folded, ends)  # 6
            stored = time.perf_counter() - began
            await self._scrub(folded)
            await rows
            times.append(time.perf_counter())
            committed = await commit(folded.positions)  # 7
            times.append(time.perf_counter())
        finally:
            self._delivering = {}
        changelog, row, last = (after - before for before, after in pairwise(times))
        return Seconds(folded.seconds, changelog, row - stored, stored, last), committed

    @contextlib.contextmanager
    def _at_work(self) -> Iterator[None]:
        """While something is folded nobody stands still for a delivery report."""
        self._folding += 1
        try:
            yield
        finally:
            self._folding -= 1

    async def _fold_partition(self, folded: Folded, partition: int, records: Sequence[Any]) -> None:
        groups = self._group(partition, records)
        if not groups:  # all of them are left out: the position moves on, and nothing else
            return
        states = folded.states[partition] = {}
        ahead = self._delivering.get(partition, {})  # before the store is read: what is delivered meanwhile is in both
        found = await self._beside(len(groups), self._store.get, partition, list(groups))
        for count, ((key, group), stored) in enumerate(zip(groups.items(), found, strict=True), 1):
            before = ahead.get(key, stored)
            try:
                states[key], rows = self._fold(key, before, group)
            except StageError:
                raise
            except OperatorFault as error:  # no record is the cause, and to leave one out would lose it
                raise StageError(f"{error}; nothing of this batch is committed") from None
            except Exception as error:
                raise StageError(self._failed(error, partition, key, before, group)) from error
            if self._too_large(key, states[key], rows):
                raise StageError(self._refused(partition, key, before, group, states[key], rows))
            folded.rows += rows
            if count % BREATH == 0:
                await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def _put(self, folded: Folded, ends: Mapping[int, int]) -> None:
        """Step 6."""
        for partition, states in folded.states.items():
            await self._beside(len(states), self._store.put, partition, states, ends[partition])

    @staticmethod
    async def _beside(keys: int, work: Callable[..., T], *arguments: Any) -> T:
        """What the store does for so many keys: beside the fold, for it needs no interpreter; little of it is done here
        and now.
        """
        if keys < MANY:
            return work(*arguments)
        return await asyncio.get_running_loop().run_in_executor(None, work, *arguments)

    async def _scrub(self, folded: Folded) -> None:
        """What was taken out of a state leaves the disk before the batch is committed; else it comes again."""
        for partition, states in folded.states.items():
            keys = [key for key, state in states.items() if state is None or isinstance(state, Scrubbed)]
            if keys:
                await asyncio.get_running_loop().run_in_executor(None, self._store.scrub, partition, keys)

    def _fold_anew(self, fold: Anew, partition: int, key: bytes, before: bytes) -> tuple[bytes, list[Out]]:
        try:
            state, rows = fold(key, before)
        except StageError:
            raise
        except OperatorFault as error:
            raise StageError(f"{error}; it is not out") from None
        except Exception as error:
            where = f"what key {hashed(key)} of partition {partition} yields"
            raise StageError(f"{where} could not be given out anew: {type(error).__name__}; it is not out") from error
        if problem := self._too_large(key, state, rows):
            raise StageError(f"given out anew, {problem}: {TOO_LARGE}")
        return state, rows

    def _failed(self, error: Exception, partition: int, key: bytes, before: bytes | None, group: list[Record]) -> str:
        """What to say of a fold that failed: where, and at which record, so that an operator can have it left out."""
        sentence = (
            f"the fold failed with {type(error).__name__} on {self._config.source} partition {partition}, "
            f"offsets {group[0].offset} to {group[-1].offset}, key {hashed(key)}; nothing of this batch is committed"
        )
        if not self._fails(key, before, group):  # this time it did not: no record alone is the cause
            return sentence
        most = bisect_left(range(1, len(group)), True, key=lambda count: self._fails(key, before, group[:count]))
        return f"{sentence}. It fails {self._from(partition, group[most])}"

    def _from(self, partition: int, record: Record) -> str:
        place = f"{self._config.source}/{partition}/{record.offset}"
        return f"from {place} on: `sor skip {self._config.stage} {place}` leaves that record out"

    def _fails(self, key: bytes, before: bytes | None, group: list[Record]) -> bool:
        try:
            self._fold(key, before, group)
        except Exception:  # noqa: BLE001  (whatever it is: it is looked for, and the stage stops either way)
            return True
        return False

    def _group(self, partition: int, records: Sequence[Any]) -> dict[bytes, list[Record]]:
        groups: dict[bytes, list[Record]] = {}
        skips = self._config.skips or None
        for record in records:
            if skips is not None and skips.leave_out(self._config.source, partition, record.offset):
                continue
            key, value = record.key, record.value
            if key is None or value is None or key == self._store.offset_key:
                raise StageError(
                    f"{self._config.source} partition {partition} offset {record.offset} has no key or value that a "
                    "stage can take: find its producer; the stage does not pass this record by itself (`sor skip`)"
                )
            group = groups.get(key)
            if group is None:
                group = groups[key] = []
            group.append(Record(record.offset, value, record.timestamp))
        return groups

    def _too_large(self, key: bytes, state: bytes | None, rows: Sequence[Out]) -> str:
        """Step 2: what is too large, and empty when nothing is. Nothing near Kafka's limit may go out, for a refused
        record would stop the stage halfway.
        """
        limit = self._config.record_limit
        size = len(key) + len(state or b"")
        if size > limit:
            return f"the state of key {hashed(key)} has {size} bytes, over the limit of {limit}"
        for row in rows:
            size = len(row.key) + len(row.value or b"")
            if size > limit:
                return f"a row of {row.topic}, key {hashed(row.key)}, has {size} bytes, over the limit of {limit}"
        return ""

    def _refused(
        self,
        partition: int,
        key: bytes,
        before: bytes | None,
        group: list[Record],
        state: bytes | None,
        rows: Sequence[Out],
    ) -> str:
        """What to say of a state or row that is too large, and which record made it so."""
        most = bisect_left(
            range(1, len(group)),
            True,
            key=lambda count: bool(self._too_large(key, *self._fold(key, before, group[:count]))),
        )
        return f"{self._too_large(key, state, rows)}: {TOO_LARGE}. It is so {self._from(partition, group[most])}"

    async def _changelog(self, folded: Folded) -> dict[int, int]:
        """Step 4. Returns the last changelog offset of each partition."""
        topic, reports, produce = self._config.changelog, Reports(), self._produce
        for partition, states in folded.states.items():
            reports.missing += len(states)
            for key, state in states.items():
                produce(topic, state, key, partition, reports.placed)
        await self._reported(reports)
        return reports.ends

    def _rows(self, folded: Folded) -> Awaitable[None]:
        """Step 5: sends the rows; await the result for their acknowledgement."""
        reports, produce = Reports(), self._produce
        reports.missing = len(folded.rows)
        for topic, key, value in folded.rows:
            produce(topic, value, key, PARTITION_BY_KEY, reports.acknowledged)
        return asyncio.ensure_future(self._reported(reports))

    def _produce(
        self, topic: str, value: bytes | None, key: bytes, partition: int, report: Callable[[Any, Any], None]
    ) -> None:
        """A record to the producer. When its queue is full (large states) it waits until some are delivered."""
        until = 0.0
        while True:
            try:
                self._producer.produce(topic, value, key, partition=partition, on_delivery=report)
            except KafkaException as error:
                raise StageError(f"{topic} does not take a record: {error}") from error
            except BufferError as error:
                until = until or time.monotonic() + REPORTS_LIMIT
                if time.monotonic() > until:
                    raise StageError(f"{topic} does not take a record: {error}") from error
                self._producer.poll(LISTEN)
            else:
                return

    async def _reported(self, reports: Reports) -> None:
        """Wait until every record is told of."""
        until = time.monotonic() + REPORTS_LIMIT
        while reports.missing and time.monotonic() < until:
            self._producer.poll(0.0 if self._folding else LISTEN)
            if reports.missing:
                await asyncio.sleep(0)
        if reports.errors:
            topic, error = reports.errors[0]
            raise StageError(
                f"Kafka refused or lost {len(reports.errors)} records, the first for {topic}: {error}. Nothing of this "
                "batch is committed; check the topic (`sor topics apply`), its max.message.bytes and the broker, then "
                "start again"
            )
        if reports.missing:
            raise StageError(
                f"{reports.missing} records were not acknowledged within {REPORTS_LIMIT:.0f} s; nothing of this batch "
                "is committed"
            )


TOO_LARGE = (
    "every part of a state has a limit (decision 0018), so this is a mistake of the program; nothing is committed"
)


def hashed(key: bytes) -> str:
    """A key as a log may show it: the same key gives the same text, and the text gives no key."""
    return hashlib.sha256(key).hexdigest()[:12]
