"""One batch of the batch engine: order of the steps, what is refused, what an error may say."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from confluent_kafka import KafkaError

from crypto.key_files import KeysError
from schemas.orders import Place
from streams.engine import step as steps
from streams.engine.stage import Fold, Out, Record, Scrubbed, StageConfig, StageError, describe
from streams.engine.step import Step, hashed
from transport.orders import Skips


class Fetched(NamedTuple):
    """A record as aiokafka gives it."""

    key: bytes | None
    value: bytes | None
    offset: int
    timestamp: int = 0


class FakeMessage(NamedTuple):
    """A delivered record as librdkafka reports it."""

    at: int
    to: str
    part: int

    def offset(self) -> int:
        return self.at

    def topic(self) -> str:
        return self.to

    def partition(self) -> int:
        return self.part


class Recorder:
    """A store, a producer and a commit that write down what is asked of them, in order."""

    offset_key = b"__offset__"

    def __init__(self, fail: str = "") -> None:
        self.steps: list[tuple[Any, ...]] = []
        self.states: dict[bytes, bytes | None] = {}
        self._fail = fail
        self.waits: list[float] = []  # for reports
        self.most = -1  # records that the queue takes
        self._queued: list[tuple[str, int, int, Any]] = []

    def get(self, partition: int, keys: Sequence[bytes]) -> list[bytes | None]:  # noqa: ARG002
        return [self.states.get(key) for key in keys]

    def after(self, partition: int, key: bytes, most: int) -> list[tuple[bytes, bytes]]:  # noqa: ARG002
        there = sorted((found, state) for found, state in self.states.items() if found > key and state is not None)
        return there[:most]

    def put(self, partition: int, states: Mapping[bytes, bytes | None], changelog_offset: int) -> None:
        self.states.update(states)
        self.steps.append(("store", partition, changelog_offset))

    def scrub(self, partition: int, keys: Sequence[bytes]) -> None:
        self.steps.append(("scrub", partition, *keys))

    def produce(self, topic: str, value: bytes | None = None, key: bytes | None = None, **options: Any) -> None:  # noqa: ARG002
        if len(self._queued) == self.most:
            raise BufferError("Local: Queue full")
        self.steps.append(("produce", topic, key))
        self._queued.append((topic, options.get("partition", 0), 100 + len(self._queued), options["on_delivery"]))

    def poll(self, timeout: float) -> int:
        """All reports at once; of ``left`` none, of ``late`` one at a time."""
        self.waits.append(timeout)
        told = {"left": 0, "late": 1}.get(self._fail, len(self._queued))
        if told:
            self.steps.append(("reports",))
        for _ in range(told):
            topic, partition, offset, report = self._queued.pop(0)
            refused = topic == self._fail and offset == 100
            error = KafkaError(KafkaError.MSG_SIZE_TOO_LARGE) if refused else None
            report(error, FakeMessage(offset, topic, partition))
        return told

    async def commit(self, positions: Mapping[int, int]) -> bool:
        self.steps.append(("commit", dict(positions)))
        return True

    def fence(self) -> None:
        self.steps.append(("fence",))


def count(key: bytes, packed: bytes | None, records: Sequence[Record]) -> tuple[bytes, list[Out]]:
    """A fold that counts, with one row per key."""
    total = int(packed or 0) + len(records)
    return str(total).encode(), [Out("rows", key, str(total).encode())]


def step(recorder: Recorder, fold: Fold = count, **options: Any) -> Step:
    config = StageConfig("st", "in", "facts", 2, "nowhere:1", Path("unused"), "w0", **options)
    return Step(config, fold, recorder, recorder, recorder.fence)


async def handle(one: Step, source: Mapping[int, Sequence[Fetched]], recorder: Recorder) -> None:
    """One batch, all steps."""
    await one.deliver(await one.fold(source), recorder.commit)


BATCH = {0: [Fetched(b"a", b"1", 5), Fetched(b"b", b"1", 6), Fetched(b"a", b"2", 7)], 1: [Fetched(b"c", b"1", 40)]}


async def test_the_steps_come_in_their_order() -> None:
    recorder = Recorder()
    one = step(recorder)
    folded = await one.fold(BATCH)
    assert recorder.steps == [], "folding leaves no trace"
    _, committed = await one.deliver(folded, recorder.commit)
    changelog = "st-facts-changelog"
    assert recorder.steps == [
        ("fence",),
        *[("produce", changelog, key) for key in (b"a", b"b", b"c")],
        ("reports",),
        ("fence",),
        *[("produce", "rows", key) for key in (b"a", b"b", b"c")],
        ("store", 0, 101),
        ("store", 1, 102),
        ("reports",),
        ("commit", {0: 8, 1: 41}),
    ]
    assert committed
    assert recorder.states == {b"a": b"2", b"b": b"1", b"c": b"1"}
    assert folded.events == 4


async def test_a_key_is_folded_once_with_its_state_and_its_records_in_order() -> None:
    recorder, seen = Recorder(), []
    recorder.states[b"a"] = b"before"

    def fold(key: bytes, packed: bytes | None, records: Sequence[Record]) -> tuple[bytes, list[Out]]:
        seen.append((key, packed, list(records)))
        return b"after", []

    await handle(step(recorder, fold), {0: [Fetched(b"a", b"1", 5, 11), Fetched(b"a", b"2", 6, 12)]}, recorder)
    assert seen == [(b"a", b"before", [Record(5, b"1", 11), Record(6, b"2", 12)])]


async def test_the_next_batch_is_folded_on_the_states_of_the_one_being_delivered() -> None:
    recorder = Recorder()
    one = step(recorder)
    first = await one.fold({0: [Fetched(b"a", b"1", 5)]})
    states: list[bytes] = []

    async def commit_late(positions: Mapping[int, int]) -> bool:
        recorder.states.clear()  # as if the store had nothing of it yet
        states.append((await one.fold({0: [Fetched(b"a", b"1", 6)]})).states[0][b"a"])
        return await recorder.commit(positions)

    await one.deliver(first, commit_late)
    assert states == [b"2"]
    after = await one.fold({0: [Fetched(b"a", b"1", 6)]})
    assert after.states[0][b"a"] == b"1", "what is delivered counts no longer: the store has it, or another worker"


@pytest.mark.parametrize(("fail", "produced"), [("st-facts-changelog", 3), ("rows", 6), ("left", 3)])
async def test_what_is_not_acknowledged_is_not_committed(
    fail: str, produced: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "REPORTS_LIMIT", 0.02)
    recorder = Recorder(fail)
    with pytest.raises(StageError, match=r"not acknowledged|refused or lost"):
        await handle(step(recorder), BATCH, recorder)
    assert sum(entry[0] == "produce" for entry in recorder.steps) == produced
    assert not any(entry[0] == "commit" for entry in recorder.steps)
    if fail != "rows":
        assert not recorder.states, "the store never holds what the changelog does not"


async def test_every_report_is_waited_for_one_by_one() -> None:
    recorder = Recorder("late")
    await handle(step(recorder), BATCH, recorder)
    assert [entry for entry in recorder.steps if entry[0] in {"reports", "store", "commit"}] == [
        *[("reports",)] * 3,
        *[("store", 0, 101), ("store", 1, 102)],
        *[("reports",)] * 3,
        ("commit", {0: 8, 1: 41}),
    ]


async def test_a_batch_is_delivered_on_while_the_next_is_folded_and_the_fold_waits_for_no_report(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(steps, "BREATH", 1)
    recorder = Recorder("late")
    one = step(recorder)
    first = await one.fold(BATCH)
    begun = asyncio.create_task(one.deliver(first, recorder.commit))
    many = [Fetched(b"%d" % number, b"1", 41 + number) for number in range(50)]
    recorder.waits.clear()
    second = await one.fold({1: many})
    assert recorder.steps[-1] == ("commit", {0: 8, 1: 41}), "six reports fit between fifty keys"
    assert set(recorder.waits) == {0.0}
    await begun
    recorder.waits.clear()
    await one.deliver(second, recorder.commit)
    assert set(recorder.waits) == {steps.LISTEN}, "with nothing to fold it waits"


async def test_many_states_are_read_and_written_beside_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when the batch before is delivered between the reading and the fold."""
    monkeypatch.setattr(steps, "MANY", 2)
    began, delivered, threads = threading.Event(), threading.Event(), set()

    class Elsewhere(Recorder):
        def get(self, partition: int, keys: Sequence[bytes]) -> list[bytes | None]:
            threads.add(threading.get_ident())
            found = super().get(partition, keys)
            began.set()
            assert delivered.wait(10)
            return found

        def put(self, partition: int, states: Mapping[bytes, bytes | None], changelog_offset: int) -> None:
            threads.add(threading.get_ident())
            assert began.wait(10)
            super().put(partition, states, changelog_offset)

    recorder = Elsewhere()
    one = step(recorder)
    delivered.set()
    first = await one.fold({0: [Fetched(b"a", b"1", 5), Fetched(b"b", b"1", 6)]})
    began.clear()
    delivered.clear()
    delivery = asyncio.create_task(one.deliver(first, recorder.commit))
    await asyncio.sleep(0)
    folding = asyncio.create_task(one.fold({0: [Fetched(b"a", b"1", 7), Fetched(b"b", b"1", 8)]}))
    await delivery
    delivered.set()
    assert (await folding).states[0] == {b"a": b"2", b"b": b"2"}
    assert threads
    assert threading.get_ident() not in threads


async def test_what_is_more_than_the_queue_of_the_producer_takes_goes_out_in_turns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recorder = Recorder()
    recorder.most = 2
    await handle(step(recorder), BATCH, recorder)
    assert recorder.steps[-1] == ("commit", {0: 8, 1: 41})
    assert [entry[2] for entry in recorder.steps if entry[0] == "produce"] == [b"a", b"b", b"c"] * 2
    monkeypatch.setattr(steps, "REPORTS_LIMIT", 0.02)
    stuck = Recorder("left")
    stuck.most = 2
    with pytest.raises(StageError, match="does not take a record"):
        await handle(step(stuck), BATCH, stuck)


@pytest.mark.parametrize("large", ["state", "row"])
async def test_what_is_too_large_stops_before_anything_is_sent(large: str) -> None:
    recorder = Recorder()

    def fold(key: bytes, packed: bytes | None, records: Sequence[Record]) -> tuple[bytes, list[Out]]:
        big = b"x" * 1000
        return (big, []) if large == "state" else (b"", [Out("rows", key, big)])

    with pytest.raises(StageError, match="over the limit of 999") as caught:
        await handle(step(recorder, fold, record_limit=999), {0: [Fetched(b"secret", b"1", 5)]}, recorder)
    assert recorder.steps == []
    assert "secret" not in str(caught.value)
    assert hashed(b"secret") in str(caught.value)
    assert "`sor skip st in/0/5`" in str(caught.value)


async def test_the_record_that_made_a_state_too_large_is_named() -> None:
    recorder = Recorder()

    def fold(_key: bytes, packed: bytes | None, records: Sequence[Record]) -> tuple[bytes, list[Out]]:
        return (packed or b"") + b"".join(record.value for record in records), []

    batch = {0: [Fetched(b"a", b"x" * size, offset) for offset, size in ((5, 300), (6, 300), (8, 500), (9, 1))]}
    with pytest.raises(StageError, match=r"over the limit of 999.* `sor skip st in/0/8` leaves that record out"):
        await handle(step(recorder, fold, record_limit=999), batch, recorder)
    assert recorder.steps == []


@pytest.mark.parametrize("record", [Fetched(None, b"1", 5), Fetched(b"a", None, 5), Fetched(b"__offset__", b"1", 5)])
async def test_a_record_no_stage_can_take_stops_it(record: Fetched) -> None:
    recorder = Recorder()
    with pytest.raises(StageError, match="partition 0 offset 5"):
        await handle(step(recorder), {0: [record]}, recorder)
    assert recorder.steps == []


async def test_a_failing_fold_is_reported_with_its_place_and_without_content() -> None:
    recorder = Recorder()

    def fold(key: bytes, packed: bytes | None, records: Sequence[Record]) -> tuple[bytes, list[Out]]:
        raise ValueError(records[0].value)

    with pytest.raises(StageError) as caught:
        await handle(step(recorder, fold), {0: [Fetched(b"secret", b"content", 5)]}, recorder)
    text = describe(caught.value)
    assert "ValueError on in partition 0, offsets 5 to 5" in text
    assert "in fold" in text, "the traceback is there"
    assert "secret" not in text
    assert "content" not in text.replace("without_content", "")


async def test_what_an_operator_can_mend_names_no_record_to_leave_out() -> None:
    def without_keys(_key: bytes, _state: bytes | None, _records: Sequence[Record]) -> tuple[bytes, list[Out]]:
        raise KeysError("erasures.json is missing: put it back")

    with pytest.raises(StageError, match="put it back") as told:
        await step(Recorder(), without_keys).fold({0: [Fetched(b"k", b"1", 5)]})
    assert "sor skip" not in describe(told.value)


async def test_a_fold_may_stop_the_stage_with_its_own_sentence() -> None:
    recorder = Recorder()

    def fold(key: bytes, packed: bytes | None, records: Sequence[Record]) -> tuple[bytes, list[Out]]:
        raise StageError("the definitions changed: run `sor replay`")

    with pytest.raises(StageError, match=r"^the definitions changed"):
        await handle(step(recorder, fold), BATCH, recorder)


def test_an_unknown_error_is_described_without_its_text() -> None:
    nobody: dict[str, str] = {}
    wanted = "".join(("9999", "00006"))
    with pytest.raises(KeyError) as caught:
        nobody[wanted]
    text = describe(caught.value)
    assert "KeyError" in text
    assert "test_engine_step.py" in text
    assert wanted not in text


def poisoned(key: bytes, packed: bytes | None, records: Sequence[Record]) -> tuple[bytes, list[Out]]:
    """A fold with a fault that one record brings out."""
    if any(record.value == b"poison" for record in records):
        raise ValueError("content-of-a-record")
    return count(key, packed, records)


POISONED = {
    0: [Fetched(b"a", b"1", 5), Fetched(b"a", b"poison", 6), Fetched(b"a", b"2", 7), Fetched(b"b", b"1", 8)],
    1: [Fetched(b"c", b"poison", 40)],
}


async def test_an_error_names_the_record_it_begins_with_and_what_to_type() -> None:
    with pytest.raises(StageError, match=r"offsets 5 to 7.* It fails from in/0/6 on: `sor skip st in/0/6`") as caught:
        await handle(step(Recorder(), poisoned), POISONED, Recorder())
    assert "content-of-a-record" not in str(caught.value)


async def test_what_is_left_out_by_order_is_not_folded_and_the_position_moves_on() -> None:
    recorder = Recorder()
    skips = Skips("st", [Place("in", 0, 6), Place("in", 1, 40), Place("other", 0, 8)])
    await handle(step(recorder, poisoned, skips=skips), POISONED, recorder)
    assert recorder.states == {b"a": b"2", b"b": b"1"}
    assert recorder.steps[-1] == ("commit", {0: 9, 1: 41}), "a partition of which nothing is left moves on too"
    assert [entry for entry in recorder.steps if entry[0] == "store"] == [("store", 0, 101)]


async def test_a_record_without_a_key_can_be_left_out() -> None:
    recorder = Recorder()
    skips = Skips("st", [Place("in", 0, 5)])
    await handle(step(recorder, skips=skips), {0: [Fetched(None, b"1", 5), Fetched(b"a", b"1", 6)]}, recorder)
    assert recorder.states == {b"a": b"1"}


async def test_who_is_forgotten_leaves_store_and_changelog_before_the_commit() -> None:
    """And what a state held before leaves the disk, also when the batch comes again."""

    def lets_go(key: bytes, _packed: bytes | None, _records: Sequence[Record]) -> tuple[bytes | None, list[Out]]:
        return {b"a": None, b"b": Scrubbed(b"less")}.get(key, b"state"), []

    recorder = Recorder()
    recorder.states = {b"a": b"all", b"b": b"more"}
    one = step(recorder, lets_go)
    for _ in range(2):
        await handle(one, BATCH, recorder)
        assert recorder.states == {b"a": None, b"b": b"less", b"c": b"state"}
        names = [name for name, *_ in recorder.steps]
        assert names.index("store") < names.index("scrub") < names.index("commit")
        assert [one for one in recorder.steps if one[0] == "scrub"] == [("scrub", 0, b"a", b"b")]
        recorder.steps.clear()
