"""The life of a stage in one process: check, start, watch, drain, stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from confluent_kafka import Producer

from streams import batch_faust, batch_health, batch_topics
from streams.batch import EXIT_CLEAN, EXIT_FAULT, BatchStats, Fold, StageConfig, StageError, describe, end
from streams.batch_fence import Fence
from streams.batch_settings import producer_settings
from streams.batch_step import Step, stats

log = logging.getLogger(__name__)

STOP_LIMIT = 15.0  # seconds for Faust to leave, after the last batch is committed


class Worker:
    """One stage in one process.

    `run` returns the exit code of a clean stop and raises StageError for what an operator must mend.
    """

    def __init__(self, config: StageConfig, fold: Fold, on_batch: Callable[[BatchStats], None] | None) -> None:
        self._config = config
        self._on_batch = on_batch
        self._fence = Fence(config.pause_limit)
        self._stopping = asyncio.Event()
        self._ready_at = time.monotonic()
        self._told_at = self._ready_at
        self._reason: str | None = "starting"
        self._seen = {"seeks": 0, "restored": 0}
        self._largest = 0
        self._fold = fold
        self._app: Any = None

    async def run(self) -> int:
        """Serve until a signal; see `streams.batch.run`."""
        config, loop = self._config, asyncio.get_running_loop()
        stop_serving = batch_health.serve(config.health_port, lambda: self._reason) if config.health_port else None
        try:
            ids = await loop.run_in_executor(None, batch_topics.check, config)
            self._app, store = batch_faust.build(config, self._handle)
            batch_topics.claim(config, batch_faust.table_directory(self._app), ids)
            self._step = Step(
                config, self._fold, store, Producer(producer_settings(config), logger=log), self._fence.check
            )
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, self._stopping.set)
            await self._serve()
        finally:
            if stop_serving is not None:
                stop_serving()
        return EXIT_CLEAN

    async def _serve(self) -> None:
        self._fence.start()
        self._app.finalize()
        await self._app.start()
        while not self._stopping.is_set():
            self._watch()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), 0.5)
        await self._app.consumer.drain()
        try:
            await asyncio.wait_for(self._app.stop(), STOP_LIMIT)
        except TimeoutError:
            end(
                EXIT_CLEAN,
                f"Faust did not stop within {STOP_LIMIT:.0f} s; every batch is committed, so the process ends here",
            )
        self._fence.stop()

    async def _handle(self, source: Mapping[int, Sequence[Any]], commit: Callable[[Mapping[int, int]], Any]) -> None:
        name = self._config.name
        folded, seconds, committed = await self._step(source, commit)
        self._largest = max(self._largest, folded.largest)
        batch_health.LARGEST.labels(name).set(self._largest)
        if not committed:
            batch_health.REFUSED.labels(name).inc()
            return
        batch = stats(folded, seconds, self._lag())
        batch_health.count(name, batch)
        if self._on_batch is not None:
            self._on_batch(batch)

    def _lag(self) -> dict[int, int]:
        return {partition: at.end - at.position for partition, at in self._app.consumer.progress().items()}

    def _watch(self) -> None:
        """Twice a second:
        end a crashed app, show readiness and lag, and be loud about a stage that does not get ready.
        """
        if self._app.crashed:
            self._crashed(self._app.crash_reason)
        name, now = self._config.name, time.monotonic()
        self._reason = self._unready()
        if self._reason is None:
            self._ready_at = self._told_at = now
            batch_health.show_lag(name, self._lag(), self._config.partitions)
        elif now - self._told_at > self._config.not_ready_limit:
            self._told_at = now
            log.error("%s has not been ready for %.0f s: %s", name, now - self._ready_at, self._reason)
        batch_health.READY.labels(name).set(self._reason is None)
        batch_health.UNREADY.labels(name).set(now - self._ready_at)
        self._count("seeks", batch_health.SEEKS)
        self._count("restored", batch_health.RESTORED)

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

    def _count(self, name: str, counter: Any) -> None:
        value = getattr(self._app.consumer, name)
        counter.labels(self._config.name).inc(value - self._seen[name])
        self._seen[name] = value

    def _crashed(self, reason: BaseException | None) -> None:
        text = str(reason)
        tables = batch_faust.table_directory(self._app)
        if "Corruption" in text:
            batch_topics.discard(tables)
            end(
                EXIT_FAULT,
                f"the state in {tables} was damaged and is removed: start again, it is restored from the changelog",
            )
        if type(reason).__name__ == "ConsistencyError":
            end(
                EXIT_FAULT,
                f"the state in {tables} is ahead of {self._config.changelog}: the broker has lost the end of the "
                "changelog. What is on disk may be the only copy; keep it aside, remove it here, reset the group's "
                "offsets to the earliest and start again",
            )
        end(EXIT_FAULT, describe(reason or StageError("Faust has crashed and gives no reason")))
