"""The life of a stage in one process: check, start, watch, drain, stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog

from faults import EXIT_CLEAN, EXIT_FAULT
from monitoring import metrics
from streams.engine import app as batch_faust
from streams.engine import disk as batch_disk
from streams.engine import topics as batch_topics
from streams.engine.fence import Fence
from streams.engine.handing import Changing, Handing
from streams.engine.options import producer
from streams.engine.stage import BatchStats, Fold, StageConfig, StageError, describe, end
from streams.engine.step import Commit, Folded, Step
from transport.clients import Cluster
from transport.health import Health
from transport.progress import Progress

log = structlog.get_logger()

STOP_LIMIT = 8.0  # seconds for Faust to leave, after the last batch is committed
SIZE_EVERY = 30.0  # seconds between two looks at the size of the state on disk


#: Objects made more than freed before the collector looks at the youngest, and so often before it looks at older ones.
#: Python's 700 are reached some times in every batch, though nothing of a batch forms a cycle.
COLLECT_AFTER = (10_000, 20, 50)


class Worker:
    """One stage in one process.

    ``run`` returns the exit code of a clean stop and raises an ``OperatorFault`` for what an operator must mend.
    """

    def __init__(
        self,
        config: StageConfig,
        fold: Fold,
        on_batch: Callable[[BatchStats], None] | None,
        changing: Changing | None = None,
    ) -> None:
        self._config, self._changing = config, changing
        self._handing: Handing | None = None
        self._fold = fold
        self._on_batch = on_batch
        self._fence = Fence(config.pause_limit, config.batch_limit)
        self._health = Health(config.health, config.stage)
        self._places: list[tuple[str, int]] = []  # of the source, that it has; as of half a second ago
        self._stopping = asyncio.Event()
        self._ready_at = self._told_at = time.monotonic()
        self._sized_at = 0.0
        self._served = False
        self._app: Any = None

    async def run(self) -> int:
        """Serve until a signal; see ``streams.engine.stage.run``."""
        config, loop = self._config, asyncio.get_running_loop()
        try:
            self._health.start()
            lock = batch_disk.occupy(config.datadir)
            ids = await loop.run_in_executor(None, batch_topics.check, config)
            if self._changing is not None:
                standing = await loop.run_in_executor(None, self._changing.look)
                self._changing.switch(standing)
                self._handing = Handing(config, self._changing, standing)
            halted = self._handing is not None and bool(self._handing.held)
            self._app, store = batch_faust.build(config, self, self._fence, halted=halted)
            batch_disk.claim(config, batch_faust.table_directory(self._app), ids)
            self._step = Step(config, self._fold, store, producer(config), self._fence.check)
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, self._stopping.set)
            await self._serve()
        finally:
            self._health.stop()
        lock.close()
        return EXIT_CLEAN

    async def _serve(self) -> None:
        config = self._config
        cluster = Cluster(config.bootstrap, config.client)
        handing = self._handing
        resting = (lambda: bool(handing.held)) if handing is not None else (lambda: False)
        self._health.follow(Progress(cluster, config.name, [config.source], lambda: self._places, resting))
        self._fence.start()
        self._app.finalize()
        await self._app.start()
        _spare_the_collector()
        following = asyncio.create_task(handing.follow(self._app.consumer)) if handing is not None else None
        while not self._stopping.is_set():
            self._health.turned()
            self._watch()
            if following is not None and following.done():
                end(EXIT_FAULT, describe(following.exception() or StageError("it hears of no definitions any more")))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), 0.5)
        if following is not None:
            following.cancel()
        await self._app.consumer.drain()
        # Not ``wait_for``, which waits for what it cancels, and Faust waits on: uvloop takes thirty seconds to close an
        # encrypted connection when the broker says nothing to it.
        leaving = asyncio.ensure_future(self._app.stop())
        done, _ = await asyncio.wait({leaving}, timeout=STOP_LIMIT)
        if not done:
            end(
                EXIT_CLEAN,
                f"Faust did not stop within {STOP_LIMIT:.0f} s; every batch is committed, so the process ends here",
            )
        leaving.result()
        self._fence.stop()

    async def fold(self, source: Mapping[int, Sequence[Any]]) -> Folded:
        """Steps 1 and 2, for the consumer."""
        return await self._step.fold(source)

    @property
    def begun(self) -> str:
        """For the consumer: note of a partition of which everything goes out anew."""
        return self._handing.begun if self._handing is not None else ""

    @property
    def done(self) -> str:
        """For the consumer: note of one of which everything did; empty for a stage whose definitions do not change."""
        return self._handing.done if self._handing is not None else ""

    async def notes(self, partitions: Sequence[int]) -> dict[int, str]:
        """For the consumer: what is noted beside the committed offsets."""
        return await self._handing.notes(partitions) if self._handing is not None else {}

    async def anew(self, partition: int, after: bytes | None) -> Folded:
        """Steps 1 and 2 without records, for the consumer."""
        assert self._handing is not None  # noqa: S101 - nothing else is noted as not done
        return await self._step.anew(self._handing.anew, partition, after)

    async def deliver(self, folded: Folded, commit: Commit) -> None:
        """Steps 3 to 7, for the consumer, and what they cost."""
        seconds, committed = await self._step.deliver(folded, commit)
        if not committed:
            log.warning("%s: the group moved on before a batch was committed; it comes again", self._config.name)
            return
        keys = sum(len(states) for states in folded.states.values())
        if self._handing is not None and folded.anew:
            self._handing.went(keys, len(self._app.consumer.sweeps))
            return
        batch = BatchStats(folded.events, keys, len(folded.rows), seconds, self._lag(), time.time())
        self._measure(batch)
        if self._on_batch is not None:
            self._on_batch(batch)

    def _measure(self, batch: BatchStats) -> None:
        name, seconds = self._config.stage, batch.seconds
        metrics.RECORDS.labels(stage=name, outcome="accepted").inc(batch.events)
        metrics.BATCH_RECORDS.labels(stage=name).observe(batch.events)
        metrics.LAST_COMMIT.labels(stage=name).set(batch.committed_at)
        flush = seconds.changelog + seconds.rows
        for step, spent in (
            ("fold", seconds.fold),
            ("flush", flush),
            ("write", seconds.store),
            ("commit", seconds.commit),
        ):
            metrics.BATCH_SECONDS.labels(stage=name, step=step).observe(spent)

    def _lag(self) -> dict[int, int]:
        return {partition: at.end - at.position for partition, at in self._app.consumer.progress().items()}

    def _watch(self) -> None:
        """Twice a second: end a crashed app, show readiness, lag and size, and be loud when the stage is not ready."""
        if self._app.crashed:
            self._crashed(self._app.crash_reason)
        name, now = self._config.name, time.monotonic()
        reason = self._unready()
        self._health.ready = reason is None
        if self._handing is not None:
            self._health.note = "held" if self._handing.held else ""
            self._handing.show(len(self._app.consumer.sweeps), len(self._places))
        if reason is None:
            if not self._served:
                self._served = True
                applied = self._app.consumer.restored
                log.info("%s is ready after %.1f s; %d changelog records applied", name, now - self._ready_at, applied)
            self._ready_at = self._told_at = now
            lag = self._lag()
            self._places = [(self._config.source, partition) for partition in lag]
            metrics.LAG.labels(stage=self._config.stage, topic=self._config.source).set(sum(lag.values()))
        elif now - self._told_at > self._config.not_ready_limit:
            self._told_at = now
            log.error("%s has not been ready for %.0f s: %s", name, now - self._ready_at, reason)
        if now - self._sized_at > SIZE_EVERY:
            self._sized_at = now
            metrics.STATE_BYTES.labels(stage=self._config.stage).set(
                batch_disk.size(batch_faust.table_directory(self._app))
            )

    def _unready(self) -> str | None:
        app, consumer = self._app, self._app.consumer
        if app.crashed:
            return "crashed"
        if app.rebalancing:
            left = consumer.remaining()
            return f"restoring, {left} changelog records to go" if left else "waiting for the group to settle"
        if not app.tables.actives_ready:
            return "waiting for an assignment"
        return None if consumer.settled else "between two assignments"

    def _crashed(self, reason: BaseException | None) -> None:
        text = str(reason)
        tables = batch_faust.table_directory(self._app)
        if "Corruption" in text:
            batch_disk.discard(tables)
            end(
                EXIT_FAULT,
                f"the state in {tables} was damaged and is removed: start again, it is restored from the changelog",
            )
        end(EXIT_FAULT, describe(reason or StageError("Faust has crashed and gives no reason")))


def _spare_the_collector() -> None:
    """What stands now, modules and clients, stays as long as the process: the collector need not go through it again
    and again. It took a thirtieth of the time of a batch.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
