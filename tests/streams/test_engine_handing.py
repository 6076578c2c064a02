"""Definitions handed over to a worker of the batch engine, without Kafka: holds, slices between batches, notes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from faust.types import TP

from streams.engine import handing as engine_handing
from streams.engine import step as steps
from streams.engine.handing import Handing, Standing, held_for, without_hold
from streams.engine.stage import Out, StageConfig, StageError
from streams.engine.step import Folded
from tests.streams.test_engine_consumer import PLACE, Fetched, Lone, take
from tests.streams.test_engine_step import Fetched as Keyed
from tests.streams.test_engine_step import Recorder, step

CONFIG = StageConfig("st", "in", "facts", 2, "nowhere:1", Path("unused"), "w0")


class Sliced(Lone):
    """The consumer with a state of keys a, b, ... in partition 0, of which two go out anew at once."""

    begun, done = "under new", "swept new"  # type: ignore[assignment]

    def __init__(self, keys: str = "abc") -> None:
        super().__init__()
        self.accepts = True
        self.keys = [bytes([key]) for key in keys.encode()]

    async def anew(self, partition: int, after: bytes | None) -> Folded:
        folded = Folded(anew=True, last=b"")
        if after is not None:
            rest = [key for key in self.keys if key > after][:2]
            folded.states[partition] = dict.fromkeys(rest, b"new")
            folded.last = rest[-1] if len(rest) == 2 else None
        return folded

    async def deliver(self, folded: Any, commit: Any) -> None:
        await super().deliver(folded, commit)
        if isinstance(folded, Folded):
            await commit(folded.positions)

    async def turn(self, *offsets: int) -> None:
        """One turn of the loop."""
        await take(self, *offsets)
        await self._go_on_anew()
        await self.wait_empty()


def went(consumer: Sliced) -> list[Any]:
    """Keys of the slices and offsets of the batches that were delivered, in order."""
    return [
        [key.decode() for states in one.states.values() for key in states] if isinstance(one, Folded)
        else [record.offset for record in one[0]]
        for one in consumer.delivered
    ]  # fmt: skip


async def test_slices_go_out_between_the_batches_and_positions_stay() -> None:
    consumer = Sliced()
    consumer.begin_anew()
    for offset in (10, 11, 12):
        await consumer.turn(offset)
    assert went(consumer) == [[10], [], [11], ["a", "b"], [12], ["c"]]
    assert consumer.committed == [
        {0: (11, "under new")},
        {0: (12, "under new")},
        {0: (13, "swept new")},
    ], "noted before the first slice, and as done with the last"
    assert consumer.sweeps == {}


async def test_what_is_held_takes_neither_records_nor_slices() -> None:
    consumer = Sliced()
    await take(consumer, 10)
    await consumer.halt()
    consumer.begin_anew()
    await consumer.turn(11)
    assert went(consumer) == [[10]]
    assert await consumer.tell(lambda note: f"held, {note}")
    assert consumer.committed == [{0: (11, "held, under new")}]
    consumer.halted = False
    await consumer.turn(11)
    assert went(consumer) == [[10], [11], []]


async def test_a_hold_waits_for_the_batch_in_flight_and_throws_the_next_away() -> None:
    consumer, release = Sliced(), asyncio.Event()

    async def deliver(folded: Any, commit: Any) -> None:
        await release.wait()
        consumer.delivered.append(folded)

    consumer.deliver = deliver  # type: ignore[method-assign]
    await consumer._take({PLACE: [Fetched(10)]})
    second = asyncio.create_task(consumer._take({PLACE: [Fetched(11)]}))
    await asyncio.sleep(0)
    hold = asyncio.create_task(consumer.halt())
    for _ in range(5):
        await asyncio.sleep(0)
    assert not hold.done()
    release.set()
    await second
    await hold
    assert went(consumer) == [[10]]
    assert consumer._next[PLACE] == 11, "what it says it stands at is what is out"


async def test_while_halted_the_group_still_sees_who_asks_and_the_source_stays_where_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Any] = []

    async def fetched(_self: Any, active: Any, timeout: float) -> dict[Any, Any]:
        asked.append(active)
        return {}

    monkeypatch.setattr("faust.transport.consumer.ThreadDelegateConsumer._getmany", fetched)
    consumer, changelog = Sliced(), TP("changelog", 0)
    await consumer._getmany({PLACE, changelog}, 0.2)
    consumer.halted = True
    await consumer._getmany({PLACE, changelog}, 0.2)
    await consumer._getmany({PLACE}, 0.2)
    assert asked[:2] == [{PLACE, changelog}, {changelog}]
    assert asked[2], "asked for nothing it would be given everything"
    assert PLACE not in asked[2]


async def test_a_slice_that_a_rebalance_overtakes_is_thrown_away_and_comes_again() -> None:
    consumer = Sliced()
    consumer.begin_anew()
    await consumer.turn()
    anew = consumer.anew

    async def overtaken(partition: int, after: bytes | None) -> Folded:
        consumer.app.rebalancing = True
        return await anew(partition, after)

    consumer.anew = overtaken  # type: ignore[method-assign]
    await consumer.turn()
    consumer.app.rebalancing, consumer.anew = False, anew  # type: ignore[method-assign]
    await consumer.turn()
    assert went(consumer) == [[], ["a", "b"]]


async def test_nothing_is_told_while_the_assignment_is_not_settled() -> None:
    consumer = Sliced()
    consumer.app.rebalancing = True
    assert not await consumer.tell()
    assert consumer.committed == []


# --- steps 1 and 2 of a slice -----------------------------------------------------------------------------------------


def renewed(key: bytes, packed: bytes) -> tuple[bytes, list[Out]]:
    return packed + b"!", [Out("rows", key, packed)]


async def test_a_slice_goes_through_the_steps_in_their_order() -> None:
    recorder = Recorder()
    recorder.states |= {b"a": b"1", b"b": b"2"}
    one = step(recorder)
    folded = await one.anew(renewed, 0, b"")
    assert recorder.steps == []
    folded.positions[0] = 7
    await one.deliver(folded, recorder.commit)
    assert [entry[0] for entry in recorder.steps] == [
        *("fence", "produce", "produce", "reports", "fence", "produce", "produce", "store", "reports", "commit")
    ]
    assert recorder.steps[-1] == ("commit", {0: 7})
    assert recorder.states == {b"a": b"1!", b"b": b"2!"}
    assert folded.last is None


async def test_a_state_is_gone_through_slice_by_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "SLICE", 2)
    recorder = Recorder()
    recorder.states |= dict.fromkeys((b"a", b"b", b"c", b"d"), b"")
    one, seen, after = step(recorder), [], None
    for _ in range(4):
        folded = await one.anew(renewed, 0, after)
        seen.append(sorted(folded.states.get(0, {})))
        after = folded.last
    assert seen == [[], [b"a", b"b"], [b"c", b"d"], []]
    assert after is None


async def test_a_slice_is_made_of_the_states_that_are_being_delivered() -> None:
    recorder = Recorder()
    recorder.states[b"a"] = b"1"
    one = step(recorder)
    batch = await one.fold({0: [Keyed(b"a", b"1", 5)]})
    made: list[bytes] = []

    async def commit_late(positions: Any) -> bool:
        recorder.states[b"a"] = b"1"  # as if the store did not have the batch yet
        made.append((await one.anew(renewed, 0, b"")).states[0][b"a"])
        return await recorder.commit(positions)

    await one.deliver(batch, commit_late)
    assert made == [b"2!"]


async def test_a_client_that_cannot_be_given_out_anew_stops_the_stage_and_is_not_shown() -> None:
    recorder = Recorder()
    recorder.states[b"secret"] = b"content"

    def failing(key: bytes, packed: bytes) -> tuple[bytes, list[Out]]:
        raise ValueError(packed)

    with pytest.raises(StageError, match="could not be given out anew: ValueError") as caught:
        await step(recorder).anew(failing, 0, b"")
    assert "secret" not in str(caught.value)
    assert recorder.steps == []


# --- what is heard ----------------------------------------------------------------------------------------------------


class Desk:
    """Plays who hears, and the consumer; writes down what it is told to do."""

    def __init__(self, *heard: Standing | Exception) -> None:
        self.heard, self.done = list(heard), list[str]()
        self.halted, self.sweeps, self.settled = False, dict[int, bytes | None](), True
        self.assigned: object = object()

    def look(self) -> Standing:
        found = self.heard.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    def switch(self, to: Standing) -> None:
        self.done.append(f"switch {to.id}")

    def anew(self, key: bytes, packed: bytes) -> tuple[bytes, list[Out]]:
        return renewed(key, packed)

    async def halt(self) -> None:
        self.halted = True

    async def tell(self, noted: Callable[[str], str] = str) -> bool:
        self.done += [f"tell {noted('')}".strip()] if self.settled else []
        return self.settled

    def begin_anew(self) -> None:
        self.done.append("begin anew")


TOLD = 'tell {"held":"h1"}'
OLD, HELD, NEW = Standing("old"), Standing("old", "h1"), Standing("new")


def handing(desk: Desk) -> Handing:
    return Handing(CONFIG, desk, OLD)


async def test_a_hold_is_told_once_and_at_a_switch_everything_begins_anew() -> None:
    desk = Desk()
    one = handing(desk)
    for heard in (OLD, HELD, HELD):
        await one.act(desk, heard)
    assert desk.done == [TOLD]
    assert one.held == "h1"
    for heard in (NEW, NEW):
        await one.act(desk, heard)
    assert desk.done[1:] == ["switch new", "begin anew", "tell"]
    assert (one.held, one.id, desk.halted) == ("", "new", False)
    assert (one.begun, one.done) == ('{"under":"new"}', '{"swept":"new"}')


async def test_partitions_that_come_during_a_hold_are_held_too() -> None:
    desk = Desk()
    one = handing(desk)
    await one.act(desk, HELD)
    desk.assigned = object()
    await one.act(desk, HELD)
    assert desk.done == [TOLD] * 2


async def test_what_cannot_be_told_now_is_told_when_it_is_heard_again() -> None:
    desk = Desk()
    one = handing(desk)
    desk.settled = False
    await one.act(desk, HELD)
    assert desk.done == []
    desk.settled = True
    await one.act(desk, HELD)
    assert desk.done == [TOLD]


async def test_a_hold_that_is_over_goes_on_with_the_old_definitions() -> None:
    desk = Desk()
    one = handing(desk)
    for heard in (HELD, OLD):
        await one.act(desk, heard)
    assert desk.done == [TOLD, "tell"]
    assert not desk.halted


async def test_who_hears_nothing_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_handing, "_AGAIN", 0.0)
    desk = Desk(HELD, KafkaException(KafkaError(KafkaError._TRANSPORT)), StageError("the end of the test"))
    one = handing(desk)
    with pytest.raises(StageError, match="the end of the test"):
        await one.follow(desk)
    assert desk.halted
    assert one.held == "h1"


SWEPT = '{"swept":"a"}'


@pytest.mark.parametrize(
    ("note", "rest", "hold"),
    [
        *((None, "", ""), ("", "", ""), (SWEPT, SWEPT, ""), ('{"held":"h1"}', "", "h1")),
        *(('{"held":"h1","swept":"a"}', SWEPT, "h1"), ("{damaged", "", "")),
    ],
)
def test_notes(note: str | None, rest: str, hold: str) -> None:
    assert without_hold(note) == rest
    assert held_for(note) == hold
