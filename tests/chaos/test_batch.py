"""The crash table of the batch engine: what happens to events when workers are killed, stopped, paused and refused.

The scenarios wait much and compute little, so they run side by side: the first test starts those that were selected,
each test then waits for its own.
"""

from __future__ import annotations

import random
import shutil
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.batch_stage import Stage, until
from tests.chaos.batch_worker import CONTENT

pytestmark = pytest.mark.kafka

EVENTS = 30_000
STEPS = ["half-changelog", "changelog", "half-rows", "store", "commit"]


def killed_at_random(stage: Stage) -> None:
    stage.load(EVENTS, keys=200)
    chance = random.Random(7)
    for _ in range(4):
        worker = stage.start()
        worker.after(chance.randint(8, 30))
        worker.kill()
    stage.finish()
    stage.verify()


def killed_in_each_step(stage: Stage) -> None:
    stage.load(EVENTS, keys=200)  # 50 keys in a partition: from the second batch on, a batch takes rows back
    for step in STEPS:
        worker = stage.start(fault={"crash": step, "batch": 8})
        assert worker.ends() == -signal.SIGKILL, worker.log()
    stage.finish()
    stage.verify()
    stage.verify_monotonic()


def terminated(stage: Stage) -> None:
    stage.load(EVENTS)
    for batches in (3, 20):
        worker = stage.start().after(batches)
        assert worker.terminate() == 0, worker.log()
    worker = stage.start(fault={"hold": 1.0}).after(11)
    hold = worker.folder / "hold"
    hold.touch()
    until(lambda: not hold.exists(), 30, "the long batch")
    assert worker.terminate() == 0, worker.log()
    stage.finish()
    stage.verify()
    handled = sum(sum(worker.batches()) for worker in stage.workers)
    assert handled == EVENTS, "a stop by signal loses no work: nothing comes again"


def fetched_records_are_dropped(stage: Stage) -> None:
    stage.load(EVENTS)
    worker = stage.finish(stage.start(fault={"drop": 7}))
    stage.verify()
    assert sum(worker.batches()) == EVENTS, "what is dropped comes again, once"


def fold_raises(stage: Stage) -> None:
    stage.load(EVENTS)
    worker = stage.start(fault={"raise": 700})
    assert worker.ends() == 70
    assert "ValueError" in worker.log()
    assert "failing" in worker.log(), "the traceback names the function"
    assert CONTENT not in worker.log()
    assert sum(max(0, offset) for offset in stage.committed().values()) == sum(worker.batches())
    stage.finish()
    stage.verify()


def changelog_refused(stage: Stage) -> None:
    stage.load(EVENTS)
    worker = stage.start().after(5)
    stage.set_limit(stage.changelog, 200)
    assert worker.ends() == 70
    assert "max.message.bytes" in worker.log()
    before = stage.committed()
    assert sum(max(0, offset) for offset in before.values()) < EVENTS
    assert stage.start().ends() == 70
    assert stage.committed() == before, "what was refused is not committed"
    stage.set_limit(stage.changelog, 1_048_588)
    stage.finish()
    stage.verify()


def rows_refused(stage: Stage) -> None:
    stage.load(EVENTS)
    stage.set_limit(stage.rows, 200)
    worker = stage.start()
    assert worker.ends() == 70
    assert f"{stage.name}.rows" in worker.log()
    assert not any(offset > 0 for offset in stage.committed().values())
    stage.set_limit(stage.rows, 1_048_588)
    stage.finish()
    stage.verify()


def paused(stage: Stage) -> None:
    first, second = stage.start("w0"), stage.start("w1")
    stage.feed(lambda: first.batches() and second.batches(), "work for both")
    stage.load(EVENTS // 3)  # so that the first has a batch in hand
    first.process.send_signal(signal.SIGSTOP)
    stage.load(EVENTS // 3)
    until(stage.caught_up, 60, "the second worker's end of the source")
    first.process.send_signal(signal.SIGCONT)
    assert first.ends() == 75, first.log()
    stage.finish(second)
    stage.verify()
    stage.verify_monotonic()


def two_workers(stage: Stage) -> None:
    first = stage.start("w0")
    stage.feed(lambda: len(first.batches()) >= 5, "work for the first worker")
    second = stage.start("w1")
    stage.feed(second.batches, "work for the second worker")
    first.kill()
    again = stage.start("w0")
    stage.feed(again.batches, "work for the first worker's successor")
    assert again.terminate() == 0, again.log()
    stage.finish(second)
    stage.verify()
    stage.verify_monotonic()


def restored(stage: Stage) -> None:
    stage.load(EVENTS)
    stage.finish()
    shutil.rmtree(stage.home / stage.name / "w0" / "state")
    stage.load(2_000)
    cold = stage.finish()
    assert applied(cold.log()) >= len(stage.expected)
    stage.load(2_000)
    warm = stage.finish()
    assert applied(warm.log()) == 0
    stage.verify()


def killed_while_restoring(stage: Stage) -> None:
    stage.load(EVENTS)
    stage.finish()
    tables = stage.home / stage.name / "w0" / "state" / "v1" / "tables"
    shutil.rmtree(tables)
    stage.load(2_000)
    worker = stage.start()
    until(lambda: any(tables.glob("facts-*.db/*.log")), 30, "the first restored partition")
    worker.kill()
    stage.finish()
    stage.verify()


def blocks_a_rebalance(stage: Stage) -> None:
    stage.load(EVENTS)
    worker = stage.start(fault={"hold": 60.0}, batch_limit=4.0).after(3)
    (worker.folder / "hold").touch()
    until(lambda: not (worker.folder / "hold").exists(), 30, "the long fold")
    second = stage.start("w1")
    assert worker.ends(40) == 71, worker.log()
    stage.finish(second)
    stage.verify()


def applied(log: str) -> int:
    """Changelog records applied until ready, from the log."""
    line = next(line for line in log.splitlines() if "changelog records applied" in line)
    return int(line.rsplit(";", 1)[1].split()[0])


SCENARIOS: dict[str, Callable[[Stage], None]] = {
    scenario.__name__: scenario
    for scenario in (
        blocks_a_rebalance,
        paused,
        two_workers,
        killed_in_each_step,
        killed_at_random,
        restored,
        changelog_refused,
        rows_refused,
        terminated,
        fetched_records_are_dropped,
        fold_raises,
        killed_while_restoring,
    )
}


def play(scenario: Callable[[Stage], None], bootstrap: str, home: Path) -> None:
    """Run one scenario on a stage of its own."""
    stage = Stage(bootstrap, home)
    try:
        scenario(stage)
    finally:
        stage.stop()


@pytest.fixture(scope="module")
def results(
    request: pytest.FixtureRequest, broker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[None]]]:
    """The selected scenarios, under way."""
    home = tmp_path_factory.mktemp("batch")
    wanted = [item.callspec.params["name"] for item in request.session.items if item.path == request.path]  # type: ignore[attr-defined]
    with ThreadPoolExecutor(4) as pool:
        yield {name: pool.submit(play, SCENARIOS[name], broker.bootstrap, home) for name in wanted}


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENARIOS)
def test_nothing_is_lost_or_doubled(name: str, results: dict[str, Future[None]]) -> None:
    results[name].result(240)
