"""Faust, bent into the batch shape: the only module that knows Faust's private names (``PRIVATE``; a test guards them).

Faust's own loop hands every record through tasks and queues, drops records that arrive while it is not ready and
acknowledges what a handler failed on. Here the loop is ours: changelog records go to the store in bulk, source records
go to one handler as they came, per partition in order, never over a gap, and only while the assignment is settled.
Longer than other modules, so that what must be read again with every new version of Faust lies in one place.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

import faust
import rocksdict
import structlog
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError, UnsupportedCodecError
from aiokafka.structs import OffsetAndMetadata
from faust.stores.rocksdb import RocksDBOptions
from faust.stores.rocksdb import Store as RocksStore
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.transport.consumer import Consumer, ThreadDelegateConsumer
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from faults import EXIT_FAULT
from streams.engine import disk as batch_disk
from streams.engine.fence import Fence
from streams.engine.options import app_settings, store_options
from streams.engine.stage import StageConfig, StageError, describe, end

log = structlog.get_logger()

VERSIONS = {"faust-streaming": "0.15.3", "aiokafka": "0.14.0", "mode-streaming": "0.7.1", "rocksdict": "0.3.29"}

# What this module replaces, calls or leans on beyond Faust's documented interface.
PRIVATE: tuple[Callable[..., Any], ...] = (
    Consumer._drain_messages,
    Consumer._wait_next_records,
    Consumer.wait_empty,
    Consumer.perform_seek,
    Consumer.on_partitions_assigned,
    Consumer.verify_all_partitions_active,
    ThreadDelegateConsumer.seek_wait,
    ThreadDelegateConsumer._getmany,
    driver.AIOKafkaConsumerThread.call_thread,
    driver.AIOKafkaConsumerThread._ensure_consumer,
    driver.AIOKafkaConsumerThread.position,
    driver.AIOKafkaConsumerThread._commit,
    driver.AIOKafkaConsumerThread._fetch_records,
    driver.AIOKafkaConsumerThread._seek_wait,
    driver.ConsumerRebalanceListener.on_partitions_revoked,
    driver.ConsumerRebalanceListener.on_partitions_assigned,
    TableManager.on_rebalance,
    Recovery.on_rebalance,
    Recovery._restart_recovery.fun,
    Recovery._set_recovery_ended,
    Recovery.need_recovery,
    Recovery.on_recovery_completed,
    RocksStore.persisted_offset,
    RocksStore.revoke_partitions,
    RocksStore._db_for_partition,
    RocksStore.__init__,
    RocksDBOptions.as_options,
    faust.App._on_partitions_revoked,
    faust.App._on_partitions_assigned,
    faust.App._stop_consumer,
    faust.App.on_rebalance_start,
    faust.App.on_rebalance_end,
)

GAP_PROOFS = 3  # so often a seek must lead to the same later offset before the offsets between count as non-existent

HOLD_EVERY = 1.0  # seconds
#: Seconds for a question to the broker. A question that was under way when the broker was killed may find no answer
#: long after it is back (aiokafka 0.14): ending the process then costs three seconds, waiting on cost thirty.
QUESTION_LIMIT = 15.0
PACE = 0.04  # seconds between the beginnings of two batches, at least, unless the first was large:
LARGE = 200  # records
NOWHERE = TP("", -1)  # asked for alone: nothing (asked for nothing, aiokafka gives everything)

T = TypeVar("T")
FetchedRecord = Any  # aiokafka.structs.ConsumerRecord: key, value bytes or None, offset, timestamp
Commit = Callable[[Mapping[int, int]], Awaitable[bool]]


class Batches(Protocol):
    """What is done with a batch (partition → records in order of offset, without gaps)."""

    async def fold(self, source: Mapping[int, Sequence[FetchedRecord]]) -> Any:
        """Steps 1 and 2, nothing leaves the process: the result may be thrown away. Called while the batch before is
        delivered, never while another is folded.
        """

    @property
    def begun(self) -> str:
        """Note of a partition of which everything is going out anew."""

    @property
    def done(self) -> str:
        """Note of one of which everything did, or nothing has to."""

    async def notes(self, partitions: Sequence[int]) -> dict[int, str]:
        """What is noted beside the committed offsets of the source."""

    async def anew(self, partition: int, after: bytes | None) -> Any:
        """As ``fold``, for the next keys of the state after this one (None: for none, only to note that it begins).
        ``last`` of the result is the key that it ends with, None when there are no more.
        """

    async def deliver(self, folded: Any, commit: Commit) -> None:
        """Steps 3 to 7 of one batch at a time, in order."""


class Progress(NamedTuple):
    """What the operator sees of a partition: the next offset to read and the end of the source."""

    position: int
    end: int


class Uncompressed(RocksDBOptions):  # type: ignore[misc]
    """RocksDB's options as Faust makes them, without compression: to pack and unpack blocks took 5 of the 47 µs of an
    event (Snappy, its default), as much as the rest of the store. Files of before are read as they are.
    """

    def as_options(self) -> rocksdict.Options:
        """Where Faust opens a partition."""
        options = super().as_options()
        options.set_compression_type(rocksdict.DBCompressionType.none())
        return options


class Store:
    """The states of the partitions assigned to this process: Faust's RocksDB table, read and written per partition."""

    def __init__(self, table: Any) -> None:
        self._data = table.data
        self.offset_key: bytes = self._data.offset_key

    def get(self, partition: int, keys: Sequence[bytes]) -> list[bytes | None]:
        """Packed states of ``keys``, None where there is none yet."""
        found: list[bytes | None] = self._data._db_for_partition(partition).get(list(keys))
        return found

    def after(self, partition: int, key: bytes, most: int) -> list[tuple[bytes, bytes]]:
        """At most so many keys that come after ``key``, in their order, with their packed states."""
        found: list[tuple[bytes, bytes]] = []
        at = self._data._db_for_partition(partition).iter()
        at.seek(key + b"\0")
        while at.valid() and len(found) < most:
            if at.key() != self.offset_key:
                found.append((at.key(), at.value()))
            at.next()
        return found

    def scrub(self, partition: int, keys: Sequence[bytes]) -> None:
        """Have what stood under these keys before leave the files of the store: those that hold it are written anew."""
        table = self._data._db_for_partition(partition)
        for key in keys:
            table.compact_range(key, key + b"\0")

    def put(self, partition: int, states: Mapping[bytes, bytes | None], changelog_offset: int) -> None:
        """Write ``states`` (None deletes) and the changelog offset that they are level with, at once."""
        batch = rocksdict.WriteBatch(raw_mode=True)
        for key, state in states.items():
            if state is None:
                batch.delete(key)
            else:
                batch.put(key, state)
        batch.put(self.offset_key, str(changelog_offset).encode())
        self._data._db_for_partition(partition).write(batch)


class BatchConsumer(driver.Consumer):  # type: ignore[misc]
    """Faust's consumer with a loop of our own."""

    logger = driver.logger  # mode would log what a service does under the name of this module

    batches: Batches  # these five are set by ``build``, on a subclass
    source: str
    store: Store
    fence: Fence
    halted = False  # no source record is taken until definitions are handed over (decision 0022)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._busy = 0  # batches being folded or delivered: at most one each
        self._idle = asyncio.Event()
        self._idle.set()
        self._delivery: asyncio.Task[None] | None = None
        self._next: dict[TP, int] = {}  # next offset to handle, per partition, within this assignment
        self._gaps: dict[TP, tuple[int, int]] = {}  # offset found after a seek, and how often in a row
        self._due = 0.0  # when the next batch may be taken up
        self._held = 0.0  # when the positions of quiet partitions were last looked at
        self._round = -1  # the rebalance whose assignment is complete
        self._draining = False
        self.restored = 0  # changelog records applied
        self.notes: dict[int, str] = {}  # what stands beside the committed offset of a partition
        self.sweeps: dict[int, bytes | None] = {}  # of which all goes out anew -> key after which it goes on

    @property
    def settled(self) -> bool:
        """Whether source records may be handled: assigned, restored, and no rebalance or stop has begun."""
        app = self.app
        return bool(
            self.flow_active
            and not self._draining
            and not self.should_stop
            and not app.rebalancing
            and app.rebalancing_count == self._round
            and app.tables.actives_ready
        )

    @property
    def takes(self) -> bool:
        """Whether a batch may be begun."""
        return self.settled and not self.halted

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Forget the positions of the former assignment; the committed offsets are what counts now."""
        rebalance = self.app.rebalancing_count
        self._next, self._gaps = {}, {}  # new ones: who still works on the old must be able to tell
        self.notes, self.sweeps = {}, {}
        await super().on_partitions_assigned(assigned, generation_id)
        await self._check_store()
        partitions = sorted(tp.partition for tp in assigned if tp.topic == self.source)
        self.notes = await self._asked(self.batches.notes(partitions))
        self.sweeps = dict.fromkeys(one for one in partitions if self.notes.get(one, "") != self.batches.done)
        self._round = rebalance

    async def _asked(self, question: Awaitable[T]) -> T:
        """The answer of the broker; ``StageError`` when it takes too long."""
        try:
            async with asyncio.timeout(QUESTION_LIMIT):
                return await question
        except TimeoutError:
            raise StageError(
                f"Kafka did not say within {QUESTION_LIMIT:.0f} s where {self.source} begins or ends: start again"
            ) from None

    async def _check_store(self) -> None:
        """A state that is ahead of its changelog is more than the changelog can give back: at the next start it is
        built anew from the log (``streams.epochs``).
        """
        have = self.app.tables.recovery.active_offsets
        ends = await self._asked(self.highwaters(*have))
        for tp, offset in have.items():
            if offset is not None and offset >= (ends[tp] or 0):
                batch_disk.mark_ahead(Path(self.app.conf.datadir))
                end(
                    EXIT_FAULT,
                    f"the state on disk of partition {tp.partition} is at offset {offset} of {tp.topic}, which ends at "
                    f"{ends[tp]}: the broker has lost the end of the changelog. Started again, the stage builds its "
                    "states anew from the log, under a higher epoch",
                )

    async def _drain_messages(self, fetcher: Any) -> None:
        try:
            while not (self._stopped.is_set() or fetcher._stopped.is_set()):
                await self._pace()
                records, _ = await self._wait_next_records(timeout=0.0 if self.sweeps and self.takes else 0.2)
                if not self.should_stop:
                    await self._take({TP(tp.topic, tp.partition): found for tp, found in (records or {}).items()})
                    await self._go_on_anew()
        except asyncio.CancelledError:
            if not self.app.should_stop:
                raise
        except UnsupportedCodecError:
            end(
                EXIT_FAULT,
                f"{self.source} or its changelog is compressed and aiokafka lacks the codec: install `aiokafka[lz4]`",
            )
        except BaseException as error:  # noqa: BLE001  (Faust would log it and go on)
            if not self.app.should_stop:
                self._fails(error)

    async def _pace(self) -> None:
        """Let records gather: a flow is handled in batches of some size, for each pays for two flushes and a commit.
        What comes after a pause is handled at once, and so is what lies ready in large batches.
        """
        left = self._due - time.monotonic()
        if left > 0 and self.takes:
            await asyncio.sleep(left)

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:
        """While halted the source is left where it is, and asked for all the same: who asks for nothing for long leaves
        its group.
        """
        if self.halted and active_partitions:
            active_partitions = {tp for tp in active_partitions if tp.topic != self.source} or {NOWHERE}
        return await super()._getmany(active_partitions, timeout)

    async def _take(self, records: dict[TP, list[FetchedRecord]]) -> None:
        """Changelog records are always applied, source records only when settled: else they come again."""
        for tp in [tp for tp in records if tp.topic != self.source]:
            self._restore(tp, records.pop(tp))
            await asyncio.sleep(0)
        if not self.takes:
            self._gaps.clear()  # what is dropped here proves nothing about the log
            return
        positions = self._next
        try:
            await self._place(positions)
            ready = await self._in_order(records, positions)
            await self._hold(positions, records)
        except IllegalStateError:  # a rebalance took a partition while we looked
            return
        if ready and self.takes and positions is self._next:
            await self._handle(ready, positions)

    async def _handle(self, ready: dict[TP, list[FetchedRecord]], positions: dict[TP, int]) -> None:
        """Fold while the batch before is delivered, then deliver; a rebalance or stop between throws the fold away."""
        self._due = time.monotonic() + PACE if sum(map(len, ready.values())) < LARGE else 0.0
        next_ones = {tp: found[-1].offset + 1 for tp, found in ready.items()}
        fold = self.batches.fold({tp.partition: found for tp, found in ready.items()})
        await self._through(fold, lambda _: positions.update(next_ones))

    async def _through(self, fold: Awaitable[Any], begins: Callable[[Any], None]) -> None:
        """One batch: ``begins`` is told when nothing can keep it from being delivered any more."""
        positions = self._next
        self._begin()  # with no await since the last check: a rebalance that begins now waits for us
        try:
            folded = await fold
            if self._delivery is not None:
                await asyncio.wait([self._delivery])  # not ``await``: who cancels us must not cancel the delivery
            if self.takes and positions is self._next:
                begins(folded)
                self._begin()
                self._delivery = asyncio.create_task(self._deliver(folded))
                await asyncio.sleep(0)  # it begins: what is folded next builds on its states
        finally:
            self._end()

    async def _go_on_anew(self) -> None:
        """One slice of what goes out anew, between two batches of the source. Positions stay, notes tell how it stands:
        a partition is noted before its first slice, and as done with its last.
        """
        positions, partition = self._next, next(iter(self.sweeps), None)
        if partition is None or not self.takes:
            return
        try:
            await self._place(positions)
        except IllegalStateError:
            return
        place, after = TP(self.source, partition), self.sweeps.get(partition)
        if not self.takes or positions is not self._next or place not in positions:
            return

        def begins(slice_: Any) -> None:
            slice_.positions[partition] = positions[place]
            if after is not None and slice_.last is None:
                self.sweeps.pop(partition)
                self.notes[partition] = self.batches.done
            else:
                self.sweeps[partition] = slice_.last or b""
                self.notes[partition] = self.batches.begun

        await self._through(self.batches.anew(partition, after), begins)

    async def _deliver(self, folded: Any) -> None:
        try:
            await self.batches.deliver(folded, self.commit_batch)
        except Exception as error:  # noqa: BLE001  (nobody but us may decide what becomes of a failed batch)
            self._fails(error)
        finally:
            self._end()

    def _fails(self, error: BaseException) -> None:
        """End the process. What fails after a pause fails by it (records in flight die of age): that is no fault."""
        self.fence.check()
        end(EXIT_FAULT, describe(error))

    def _begin(self) -> None:
        self._busy += 1
        self._idle.clear()

    def _end(self) -> None:
        self._busy -= 1
        if not self._busy:
            self._idle.set()
            self.fence.calm()

    async def commit_batch(self, positions: Mapping[int, int], noted: Callable[[str], str] = str) -> bool:
        """Commit ``positions`` (partition → next offset), each with what ``noted`` makes of its note.

        False when the group has moved on: nothing more is handled until partitions are assigned again.
        """
        offsets = {TP(self.source, partition): offset for partition, offset in positions.items()}
        notes = {tp: noted(self.notes.get(tp.partition, "")) for tp in offsets}
        done = bool(await self._commit_noted({tp: OffsetAndMetadata(at, notes[tp]) for tp, at in offsets.items()}))
        if done:
            self._committed_offset.update(offsets)
        else:
            self._round = -1
        return done

    async def _commit_noted(self, offsets: Mapping[TP, OffsetAndMetadata]) -> bool:
        """As Faust's ``_commit``, which takes no notes."""
        return bool(await self._thread.call_thread(_commit_in_thread, self._thread, offsets))

    @property
    def assigned(self) -> object:
        """Another object after every assignment."""
        return self._next

    async def halt(self) -> None:
        """Begin no batch more, and wait for what is in flight; the group goes on to see a member."""
        self.halted = True
        await self._idle.wait()

    def begin_anew(self) -> None:
        """Everything that the state holds is to go out anew. Only while halted."""
        mine = [tp.partition for tp in self.assignment() if tp.topic == self.source]
        self.sweeps, self.notes = dict.fromkeys(mine), dict.fromkeys(mine, self.batches.begun)

    async def tell(self, noted: Callable[[str], str] = str) -> bool:
        """Commit where every partition of ours stands, as ``commit_batch``. Only while halted; False: not now."""
        positions = self._next
        if not self.settled:
            return False
        try:
            await self._place(positions)
        except IllegalStateError:
            return False
        if not self.settled or positions is not self._next:
            return False
        places = {tp.partition: offset for tp, offset in positions.items()}
        return not places or await self.commit_batch(places, noted)

    async def _place(self, positions: dict[TP, int]) -> None:
        """Where this assignment begins: at the committed offset, or where the source begins."""
        unknown = [tp for tp in self.assignment() if tp.topic == self.source and tp not in positions]
        if unknown:
            earliest = await self._asked(self.earliest_offsets(*unknown))
            positions.update({tp: self._first(tp, earliest[tp] or 0) for tp in unknown})

    async def _in_order(
        self, records: dict[TP, list[FetchedRecord]], positions: dict[TP, int]
    ) -> dict[TP, list[FetchedRecord]]:
        """The position guard: keep what continues where we are, go back where records were jumped over."""
        ready = {}
        for tp, found in records.items():
            want = positions[tp]
            rest = found if found[0].offset >= want else [record for record in found if record.offset >= want]
            if rest and (rest[0].offset == want or self._proven_gap(tp, rest[0].offset)):
                self._gaps.pop(tp, None)
                ready[tp] = rest
            else:
                await self._go_back(tp, want)
        return ready

    async def _hold(self, positions: dict[TP, int], fetched: Mapping[TP, Any]) -> None:
        """Once a second: a partition whose last records were dropped brings no record that would show it."""
        if time.monotonic() - self._held < HOLD_EVERY:
            return
        self._held = time.monotonic()
        for tp in [tp for tp in positions if tp not in fetched]:
            at = await self._asked(self.position(tp))
            if at is None or at == positions[tp]:
                continue
            if at > positions[tp] and self._proven_gap(tp, at):
                positions[tp] = at
            else:
                await self._go_back(tp, positions[tp])

    def _first(self, tp: TP, earliest: int) -> int:
        committed = self._committed_offset[tp]
        if committed is not None and committed < earliest:
            log.error(
                "retention of %s removed offsets %d to %d of partition %d before this stage had read them",
                tp.topic, committed, earliest - 1, tp.partition,
            )  # fmt: skip
        return max(committed or 0, earliest)

    def _proven_gap(self, tp: TP, offset: int) -> bool:
        """Whether going back led to this same later offset GAP_PROOFS times in a row: those before it do not exist."""
        before, times = self._gaps.get(tp, (offset, 0))
        times = times if before == offset else 0
        self._gaps[tp] = (offset, times + 1)
        return times >= GAP_PROOFS

    async def _go_back(self, tp: TP, want: int) -> None:
        log_end = (await self._asked(self.highwaters(tp)))[tp] or 0
        if want > log_end:
            raise StageError(
                f"the group has committed offset {want} of {tp.topic} partition {tp.partition}, which ends at "
                f"{log_end}: the topic was recreated or cut off. Started again, the stage builds its states anew from "
                "it, under a higher epoch"
            )
        await self.seek_wait({tp: want})

    def _restore(self, tp: TP, found: list[FetchedRecord]) -> None:
        """Apply changelog records in bulk and end the recovery when the last partition is level with its changelog."""
        recovery = self.app.tables.recovery
        if tp not in recovery.active_tps:
            return
        have = recovery.active_offsets.get(tp)
        fresh = [record for record in found if have is None or record.offset > have]
        if fresh:
            self.store.put(tp.partition, {record.key: record.value for record in fresh}, fresh[-1].offset)
            recovery.active_offsets[tp] = fresh[-1].offset
            self.restored += len(fresh)
        if recovery.in_recovery and not recovery.need_recovery():
            recovery._set_recovery_ended()
            recovery.signal_recovery_end.set()

    async def wait_empty(self) -> None:
        """Called by Faust when a rebalance or stop begins: let the batch in flight finish and commit."""
        if not self._idle.is_set():
            self.fence.hurry()
        await self._idle.wait()
        self.fence.calm()

    async def drain(self) -> None:
        """Take no further batch and wait for what is in flight."""
        self._draining = True
        await self.wait_empty()

    async def verify_all_partitions_active(self) -> None:
        """Faust's livelock detector watches its streams, which see no records here; the worker has its own monitor."""

    def progress(self) -> dict[int, Progress]:
        """Position and end of the source per assigned partition, as far as known."""
        found = {}
        for tp in [tp for tp in self.assignment() if tp.topic == self.source]:
            position = self._next.get(tp, self._committed_offset[tp])
            log_end = self.highwater(tp)
            if position is not None and log_end is not None:
                found[tp.partition] = Progress(position, max(log_end, position))
        return found

    def remaining(self) -> int:
        """Changelog records still to be applied before the assigned partitions can be served."""
        return int(self.app.tables.recovery.active_remaining_total())


async def _commit_in_thread(thread: Any, offsets: Mapping[TP, OffsetAndMetadata]) -> bool:
    """In the consumer's thread; what Faust does with the errors of a commit."""
    consumer, mine = thread._ensure_consumer(), thread.assignment()
    try:
        await consumer.commit({driver.ensure_aiokafka_TP(tp): at for tp, at in offsets.items() if tp in mine})
    except CommitFailedError as error:
        if "already rebalanced" not in str(error):
            await thread.crash(error)
        return False
    except KafkaError as error:
        await thread.crash(error)
        return False
    return True


def build(config: StageConfig, batches: Batches, fence: Fence, *, halted: bool = False) -> tuple[Any, Store]:
    """The Faust app of a stage (not started) and its store. Call it inside the running event loop."""

    class StageConsumer(BatchConsumer):
        pass

    class StageTransport(driver.Transport):  # type: ignore[misc]
        Consumer = StageConsumer

    class StageApp(faust.App):  # type: ignore[misc]
        logger = driver.logger

        def _new_transport(self) -> Any:
            return StageTransport(self.conf.broker_consumer, self)

        def on_rebalance_start(self) -> None:
            """In the consumer's thread: a fold that holds the event loop keeps no group waiting for ever."""
            if not self.consumer._idle.is_set():
                fence.hurry()
            super().on_rebalance_start()

    app = StageApp(config.name, **app_settings(config))
    table = app.Table(config.table, key_type=bytes, value_type=bytes, partitions=config.partitions,
                      options={"driver": "rocksdict"})  # fmt: skip
    table.data.rocksdb_options = Uncompressed(use_rocksdict=True, **store_options(config.partitions))
    store = Store(table)

    async def subscribes(
        stream: Any,
    ) -> None:  # gets no record: makes Faust subscribe the source and assign it with the table
        async for _ in stream:
            raise RuntimeError("unreachable: source records go to the batch handler")

    app.agent(app.topic(config.source, key_type=bytes, value_type=bytes, value_serializer="raw"))(subscribes)
    StageConsumer.batches = batches
    StageConsumer.source = config.source
    StageConsumer.store = store
    StageConsumer.fence = fence
    StageConsumer.halted = halted
    return app, store


def table_directory(app: Any) -> Path:
    """Where Faust keeps the table's databases."""
    return Path(app.conf.tabledir)
