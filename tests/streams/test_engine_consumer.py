"""The consumer of the batch engine, without Kafka: what it hands on, what it throws away, where it goes back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from aiokafka.structs import OffsetAndMetadata
from faust.types import TP
from structlog.testing import capture_logs

from faults import EXIT_FAULT
from streams.engine import app
from streams.engine.app import GAP_PROOFS, LARGE, BatchConsumer
from streams.engine.stage import StageError


class Fetched(NamedTuple):
    """A record; only its offset matters here."""

    offset: int


PLACE = TP("in", 0)


class Calm:
    """A fence that nobody needs."""

    def hurry(self) -> None: ...

    def calm(self) -> None: ...

    def check(self) -> None: ...


class Lone(BatchConsumer):
    """The consumer with Faust's part of it played by attributes."""

    source = "in"
    fence = Calm()  # type: ignore[assignment]

    def __init__(self) -> None:
        recovery = SimpleNamespace(active_tps=set(), active_offsets={})
        self._app = SimpleNamespace(
            rebalancing=False,
            rebalancing_count=1,
            tables=SimpleNamespace(actives_ready=True, recovery=recovery),
        )
        self.flow_active = True
        self.stopping = False
        self._busy, self._idle, self._delivery = 0, asyncio.Event(), None
        self._idle.set()
        self._next, self._gaps, self._round, self._draining, self._held = {PLACE: 10}, {}, 1, False, 0.0
        self._due = 0.0
        self._committed_offset: dict[TP, int | None] = {PLACE: None}
        self.sought: list[int] = []
        self.at, self.first, self.end = 10, 0, 1000
        self.folded: list[Any] = []
        self.delivered: list[Any] = []
        self.during_fold: Callable[[], None] = lambda: None
        self.batches = self
        self.notes, self.sweeps, self.halted = {}, {}, False
        self.committed: list[dict[int, tuple[int, str]]] = []
        self.accepts = False

    app = property(lambda self: self._app)
    should_stop = property(lambda self: self.stopping)

    async def fold(self, source: Any) -> Any:
        self.folded.append(source)
        self.during_fold()
        return source

    async def deliver(self, folded: Any, commit: Callable[..., Awaitable[bool]]) -> None:  # noqa: ARG002
        await asyncio.sleep(0)
        self.delivered.append(folded)

    def assignment(self) -> set[TP]:
        return {PLACE}

    async def earliest_offsets(self, *tps: TP) -> dict[TP, int]:
        return dict.fromkeys(tps, self.first)

    async def highwaters(self, *tps: TP) -> dict[TP, int]:
        return dict.fromkeys(tps, self.end)

    async def position(self, tp: TP) -> int:  # noqa: ARG002
        return self.at

    async def seek_wait(self, partitions: dict[TP, int]) -> None:
        self.sought += partitions.values()

    async def _commit_noted(self, offsets: Mapping[TP, OffsetAndMetadata]) -> bool:
        self.committed.append({tp.partition: (at.offset, at.metadata) for tp, at in offsets.items()})
        return self.accepts


async def take(consumer: Lone, *offsets: int) -> None:
    """Fetch these and let what began finish."""
    await consumer._take({PLACE: [Fetched(offset) for offset in offsets]} if offsets else {})
    await consumer.wait_empty()


async def test_what_continues_is_handed_on() -> None:
    consumer = Lone()
    await take(consumer, 10, 11)
    await take(consumer, 12)
    assert consumer.delivered == [{0: [Fetched(10), Fetched(11)]}, {0: [Fetched(12)]}]
    assert consumer._next[PLACE] == 13


def waits(consumer: Lone) -> bool:
    """Whether the next look for records is put off."""
    pause = consumer._pace()
    try:
        pause.send(None)
    except StopIteration:
        return False
    pause.close()
    return True


async def test_records_of_a_flow_gather_before_they_are_looked_for() -> None:
    consumer = Lone()
    assert not waits(consumer)  # a record that comes alone is handled at once
    await take(consumer, 10)
    assert waits(consumer)
    consumer._draining = True  # a stop waits for nothing
    assert not waits(consumer)


async def test_what_lies_ready_in_large_batches_is_not_put_off() -> None:
    consumer = Lone()
    await take(consumer, *range(10, 10 + LARGE))
    assert not waits(consumer)


async def test_a_jump_goes_back() -> None:
    consumer = Lone()
    await take(consumer, 12, 13)
    assert consumer.sought == [10]
    assert consumer.delivered == []


async def test_what_was_handled_is_left_out() -> None:
    consumer = Lone()
    await take(consumer, 8, 9, 10)
    assert consumer.delivered == [{0: [Fetched(10)]}]


async def test_a_gap_counts_only_after_it_was_found_again_and_again() -> None:
    consumer = Lone()
    for _ in range(GAP_PROOFS):
        await take(consumer, 12)
    assert consumer.delivered == []
    assert consumer.sought == [10] * GAP_PROOFS
    await take(consumer, 12)
    assert consumer.delivered == [{0: [Fetched(12)]}]


async def test_a_gap_is_proven_anew_when_records_were_dropped_in_between() -> None:
    consumer = Lone()
    for _ in range(GAP_PROOFS):
        await take(consumer, 12)
    consumer.app.rebalancing = True
    await take(consumer, 11)
    consumer.app.rebalancing = False
    await take(consumer, 12)
    assert consumer.delivered == []


async def test_a_quiet_partition_whose_last_records_were_dropped_goes_back() -> None:
    consumer = Lone()
    consumer.at = 14
    await take(consumer)
    assert consumer.sought == [10]


async def test_a_position_past_the_end_stops_with_a_sentence() -> None:
    consumer = Lone()
    consumer._next, consumer._committed_offset[PLACE] = {}, 5000
    with pytest.raises(StageError, match="committed offset 5000"):
        await take(consumer, 12)


@pytest.mark.parametrize(("committed", "first", "want"), [(None, 0, 0), (None, 7, 7), (9, 7, 9), (3, 7, 7)])
async def test_an_assignment_begins_where_the_group_is(committed: int | None, first: int, want: int) -> None:
    consumer = Lone()
    consumer._next, consumer._committed_offset[PLACE], consumer.first = {}, committed, first
    with capture_logs() as logged:
        await take(consumer, want)
    assert consumer.delivered == [{0: [Fetched(want)]}]
    lost = committed is not None and committed < first
    assert any("retention of in removed offsets 3 to 6" in line["event"] for line in logged) == lost


def unready(consumer: Lone, name: str) -> None:
    """Make one of the conditions false."""
    app = consumer.app
    changes: dict[str, Callable[[], None]] = {
        "flow": lambda: setattr(consumer, "flow_active", False),
        "draining": lambda: setattr(consumer, "_draining", True),
        "stopping": lambda: setattr(consumer, "stopping", True),
        "rebalancing": lambda: setattr(app, "rebalancing", True),
        "another rebalance": lambda: setattr(app, "rebalancing_count", 2),
        "restoring": lambda: setattr(app.tables, "actives_ready", False),
    }
    changes[name]()


CONDITIONS = ["flow", "draining", "stopping", "rebalancing", "another rebalance", "restoring"]


@pytest.mark.parametrize("name", CONDITIONS)
async def test_nothing_is_folded_unless_settled(name: str) -> None:
    consumer = Lone()
    unready(consumer, name)
    await take(consumer, 10)
    assert consumer.folded == []


@pytest.mark.parametrize("name", [*CONDITIONS, "new assignment"])
async def test_a_fold_is_thrown_away_when_the_assignment_goes_meanwhile(name: str) -> None:
    consumer = Lone()
    if name == "new assignment":
        consumer.during_fold = lambda: setattr(consumer, "_next", {})
    else:
        consumer.during_fold = lambda: unready(consumer, name)
    positions = consumer._next
    await take(consumer, 10)
    assert consumer.folded
    assert consumer.delivered == []
    assert positions == {PLACE: 10}


async def test_batches_are_delivered_one_after_the_other_while_the_next_is_folded() -> None:
    consumer = Lone()
    order: list[str] = []
    release = asyncio.Event()

    async def deliver(folded: Any, commit: Any) -> None:
        order.append(f"begin {folded[0][0].offset}")
        await release.wait()
        order.append(f"end {folded[0][0].offset}")

    consumer.deliver = deliver  # type: ignore[method-assign]
    await consumer._take({PLACE: [Fetched(10)]})
    second = asyncio.create_task(consumer._take({PLACE: [Fetched(11)]}))
    for _ in range(5):
        await asyncio.sleep(0)
    assert order == ["begin 10"]
    assert len(consumer.folded) == 2
    waiting = asyncio.create_task(consumer.wait_empty())
    release.set()
    await second
    await waiting
    assert order == ["begin 10", "end 10", "begin 11", "end 11"]


async def test_cancelling_the_loop_does_not_cancel_a_delivery() -> None:
    consumer = Lone()
    release = asyncio.Event()

    async def deliver(folded: Any, commit: Any) -> None:
        await release.wait()
        consumer.delivered.append(folded)

    consumer.deliver = deliver  # type: ignore[method-assign]
    await consumer._take({PLACE: [Fetched(10)]})
    second = asyncio.create_task(consumer._take({PLACE: [Fetched(11)]}))
    for _ in range(5):
        await asyncio.sleep(0)
    second.cancel()
    release.set()
    await consumer.wait_empty()
    assert consumer.delivered == [{0: [Fetched(10)]}]


async def test_a_refused_commit_ends_the_work_until_the_next_assignment() -> None:
    consumer = Lone()
    assert not await consumer.commit_batch({0: 12})
    await take(consumer, 10)
    assert consumer.folded == []


async def test_a_question_without_an_answer_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "QUESTION_LIMIT", 0.01)
    consumer = Lone()
    consumer._next = {}
    consumer.earliest_offsets = never  # type: ignore[method-assign]
    with pytest.raises(StageError, match="did not say within"):
        await take(consumer, 10)


async def never(*_tps: TP) -> dict[TP, int]:
    await asyncio.Event().wait()
    raise AssertionError


async def test_what_fails_after_a_pause_fails_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Records that were in flight during a pause die of age: the fence speaks first (exit 75), the fault after it."""
    ended: list[str] = []
    monkeypatch.setattr(app, "end", lambda code, _message: ended.append(str(code)))

    class Paused(Calm):
        def check(self) -> None:
            ended.append("fence")

    async def lost(_folded: Any, _commit: Any) -> None:
        raise StageError("records were lost")

    consumer = Lone()
    consumer.fence = Paused()  # type: ignore[assignment]
    consumer.deliver = lost  # type: ignore[assignment]
    await take(consumer, 10)
    assert ended == ["fence", str(EXIT_FAULT)]
