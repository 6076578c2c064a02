"""A stage as a process: its loop, its logs, its exit code."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog
import uvloop

from faults import EXIT_FAULT, OperatorFault
from monitoring import logs
from streams.engine.handing import Changing
from streams.engine.stage import BatchStats, Fold, StageConfig
from streams.engine.worker import Worker

log = structlog.get_logger()


def run(
    config: StageConfig,
    fold: Fold,
    on_batch: Callable[[BatchStats], None] | None = None,
    changing: Changing | None = None,
) -> int:
    """Run the stage until SIGTERM or SIGINT; the exit code: EXIT_CLEAN, or EXIT_FAULT after a logged sentence.

    A fault inside a batch, a pause past the fence and a batch that blocks a rebalance end the process at once with
    EXIT_FAULT, EXIT_PAUSED or EXIT_SLOW_BATCH and never return. Call it from the main thread, once per process; the
    caller configures logging. ``on_batch`` is called in the event loop after each commit and must not block.
    ``changing``: of a stage whose definitions may be handed over while it runs.
    """
    # Before Faust: its threads make their loops from the policy.
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    logs.quiet("WARNING", "faust", "mode", "aiokafka")
    try:
        return asyncio.run(Worker(config, fold, on_batch, changing).run())
    except OperatorFault as error:
        log.error("%s stops: %s", config.name, error)  # noqa: TRY400  (a sentence for an operator, no traceback)
        return EXIT_FAULT
