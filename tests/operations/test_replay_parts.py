"""The parts of a replay by themselves: spilling, scope, what goes on and what is caught up with, the page."""

from __future__ import annotations

import errno
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from domain.field.dates import iso_day
from domain.field.definitions import SHIPPED
from operations.log_reader import Log, LogMoved, Span
from operations.replay import engine, page, spill, swap
from operations.replay.difference import Moved
from operations.replay.errors import ReplayError
from operations.replay.handover import HandOverError
from operations.replay.manifest import Done, Manifest, Remembered
from operations.replay.report import Made, Report
from operations.replay.run import require_copied
from operations.replay.scope import Scope, scope_of
from operations.replay.spill import Spill, bucket_of, buckets_for
from results.disclosure import live
from tests.build import AGB, OTHER, D, by, events, start, toewijzing

DAY_MS = 86_400_000


# --- spilling -----------------------------------------------------------------------------------------------------


def test_every_record_comes_back_in_the_bucket_of_its_client_in_order(tmp_path: Path) -> None:
    told = [(b"client %d" % (number % 37), number, b"x" * (number % 91)) for number in range(2_000)]
    made = Spill(tmp_path, 5)
    for key, offset, value in told:
        made.add(key, offset, value)
    found: dict[bytes, list[tuple[int, bytes]]] = {}
    for bucket in range(5):
        grouped = made.grouped(bucket)
        assert all(bucket_of(key, 5) == bucket for key in grouped)
        found |= grouped
    assert found == {
        key: [(offset, value) for other, offset, value in told if other == key] for key in {key for key, _, _ in told}
    }
    made.close()


def test_what_is_spilled_has_no_name_on_the_disk(tmp_path: Path) -> None:
    made = Spill(tmp_path, 3)
    made.add(b"client", 1, b"fact")
    assert list(tmp_path.iterdir()) == []
    assert made.grouped(bucket_of(b"client", 3)) == {b"client": [(1, b"fact")]}
    made.close()


def test_little_waits_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spill, "_WAITING", 1_000)
    made = Spill(tmp_path, 2)
    for number in range(500):
        made.add(b"%d" % number, number, b"x" * 50)
        assert sum(len(part) for waiting in made._waiting for part in waiting) < 1_200
    assert sum(len(made.grouped(bucket)) for bucket in range(2)) == 500
    made.close()


def test_a_full_disk_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    made = Spill(tmp_path, 1)
    made.add(b"client", 1, b"fact")
    monkeypatch.setattr(spill, "_write_all", full)
    with pytest.raises(ReplayError, match="is full: make room"):
        made.grouped(0)
    made.close()


@pytest.mark.parametrize(("records", "buckets"), [(0, 1), (150_000, 1), (150_001, 2), (3_000_000, 20), (10**9, 500)])
def test_as_many_buckets_as_keep_one_small(records: int, buckets: int) -> None:
    assert buckets_for(records) == buckets


# --- scope --------------------------------------------------------------------------------------------------------


def test_a_client_is_in_a_scope_by_any_of_its_events() -> None:
    told = [*events([toewijzing(gemeente="0384"), start()]), *by(OTHER, start(200))]
    assert Scope().wants(told)
    assert Scope(provider=OTHER).wants(told)
    assert not Scope(provider="11111111").wants(told)
    assert Scope(municipality="0384").wants(told)
    assert not Scope(municipality="0439").wants(told)
    late = [msgspec.structs.replace(told[0], published_at=(D + 10) * DAY_MS), *told[1:]]
    assert Scope(since=D + 10).wants(late)
    assert not Scope(since=D + 11).wants(late)


def test_only_one_client_is_kept_by_its_key() -> None:
    one = Scope(pseudonym=b"p1.jeugd.0.A")
    assert one.wants_key(b"p1.jeugd.0.A")
    assert not one.wants_key(b"p1.jeugd.0.B")
    assert "jeugd" not in one.words + one.sql("sor")


def test_a_scope_that_is_none_is_refused() -> None:
    asked: dict[str, Any] = {"since": None, "provider": "", "municipality": "", "pseudonym": b""}
    assert scope_of(**asked).everything
    for wrong in ({"provider": "1"}, {"municipality": "9999"}, {"provider": AGB, "since": iso_day("2026-01-01")}):
        with pytest.raises(ReplayError):
            scope_of(**{**asked, **wrong})


# --- going on, catching up ----------------------------------------------------------------------------------------


def a_plan(*ends: int, definitions: str = "", **over: Any) -> Manifest:
    log = Log({partition: Span(0, end) for partition, end in enumerate(ends)})
    made = engine.plan(
        log, definitions=SHIPPED._replace(id=definitions), names="names", scope=Scope(), epoch=0, skips=0,
        bucket_records=10,
    )  # fmt: skip
    return msgspec.structs.replace(made, **over)


def test_it_goes_on_when_the_log_still_holds_what_it_reads_and_only_then() -> None:
    earlier = a_plan(30, 10)
    assert engine.goes_on(earlier, a_plan(30, 12))
    assert not engine.goes_on(None, a_plan(30, 12))
    assert not engine.goes_on(earlier, a_plan(29, 12)), "the log ends before"
    assert not engine.goes_on(earlier, a_plan(30, 12, 1)), "another partition"
    assert not engine.goes_on(earlier, a_plan(30, 12, definitions="other"))
    assert not engine.goes_on(earlier, msgspec.structs.replace(earlier, spans={0: Span(5, 30), 1: Span(0, 12)}))
    for other in ({"scope": "x"}, {"names": "x"}, {"epoch": 1}, {"skips": 1}):
        assert not engine.goes_on(earlier, a_plan(30, 12, **other)), other
    assert not engine.goes_on(a_plan(30, 10, exchanged=True), a_plan(30, 12))


@pytest.mark.parametrize("noted", [{"repartition": "3"}, {"copying": "10 6", "epoch": "5"}])
def test_while_the_log_gets_more_partitions_there_is_no_replay(noted: dict[str, str]) -> None:
    log = Log({0: Span(10, 20), 1: Span(5, 9), 2: Span(0, 3)})
    with pytest.raises(ReplayError, match="given 3 partitions"):
        require_copied(log, noted)
    require_copied(Log({**log.spans, 1: Span(6, 9)}), {"copying": "10 6"})


def test_what_is_done_is_not_a_task_any_more() -> None:
    plan = a_plan(30, 10)
    assert plan.buckets == {0: 3, 1: 1}
    plan.done = {1: {0: Done(10, 2, 3)}, 0: {1: Done(10, 2, 3)}}
    (task,) = engine.tasks_of(plan)
    assert (task.partition, task.buckets, task.done) == (0, 3, frozenset({1}))
    assert not plan.complete
    plan.done[0] |= {0: Done(5, 1, 1), 2: Done(5, 1, 1)}
    assert engine.tasks_of(plan) == []
    assert plan.complete
    assert plan.total == Done(30, 6, 8)


def test_who_got_an_event_since_is_made_anew_of_all_events() -> None:
    (task,) = engine.catching_up(a_plan(30, 10), {0: 30, 1: 14})
    assert (task.partition, task.span, task.tail) == (1, Span(0, 14), Span(10, 14))
    with pytest.raises(LogMoved):
        engine.catching_up(a_plan(30), {0: 30, 1: 1})


def test_what_is_remembered_is_read_again_and_what_is_damaged_is_nothing(tmp_path: Path) -> None:
    remembered, plan = Remembered(tmp_path / "replay"), a_plan(30, 10)
    assert remembered.load() is None
    plan.done = {0: {1: Done(10, 2, 3)}}
    remembered.save(plan)
    assert remembered.load() == plan
    (remembered.folder / "manifest.json").write_text('{"definitions": 1}')
    assert remembered.load() is None
    remembered.forget()
    assert remembered.load() is None


# --- the page -----------------------------------------------------------------------------------------------------


def a_report(**over: Any) -> Report:
    moved = Moved("trajecten", equal=100, changed=12, columns=Counter({"status": 12}))
    moved.classes = Counter({("uitval_klasse", "<b>gepland", "client"): 9, ("status", "lopend", "beeindigd"): 12})
    made = Report(
        scope="everybody", now=Made(3, "a" * 16), other=Made(4, "b" * 16), events=1, clients=1, rows=1, seconds=2.0,
        memory=(1.0,), moved_on=False, tables=[moved], pairs=[], rule=live(),
    )  # fmt: skip
    return made._replace(**over)


def test_the_page_is_whole_escaped_and_hides_what_is_small() -> None:
    text = page.whole(a_report())
    assert "&lt;b&gt;gepland" in text
    assert "<b>" not in text
    assert "http" not in text
    assert "<script" not in text
    assert [line[2:] for line in page.reason_lines(a_report())] == [
        ["", "", "12"], ["lopend", "beeindigd", "12"], ["<b>gepland", "client", "<10"]
    ]  # fmt: skip


def test_the_document_says_by_which_definitions_and_whether_anything_differs() -> None:
    document = a_report().as_json()
    assert document["definities_herberekend"] == {"versie": 4, "id": "b" * 16}
    assert not document["equal"]
    assert {one["rows"] for one in document["reasons"]} == {"12", "<10"}
    assert a_report(tables=[Moved("trajecten", equal=3)]).same


# --- the swap -----------------------------------------------------------------------------------------------------


class Noted:
    """A replay and a handing over that note what is asked of them; ``fails`` at a step."""

    def __init__(self, fails: str = "", *, went: bool = False) -> None:
        self.steps: list[str] = []
        self._fails, self.went = fails, went

    def _step(self, name: str) -> None:
        self.steps.append(name)
        if name == self._fails:
            raise HandOverError(name)

    def catch_up(self, ends: Any = None) -> None:
        self._step(f"catch up {ends or 'now'}")

    def exchange(self) -> None:
        self._step("exchange")

    def exchange_back(self) -> None:
        self._step("exchange back")

    def handed(self) -> None:
        self._step("handed")

    def __enter__(self) -> Noted:
        return self

    def __exit__(self, *_error: object) -> None:
        self._step("leave")

    def hold(self) -> dict[int, int]:
        self._step("hold")
        return {0: 7}

    def drained(self) -> None:
        self._step("drained")

    def check(self) -> None:
        self._step("check")

    def go(self) -> None:
        self._step("go")


IN_ORDER = ["catch up now", "hold", "catch up {0: 7}", "drained", "check", "exchange", "go", "leave", "handed"]


def test_a_swap_does_its_steps_in_order() -> None:
    one = Noted()
    swap.swap(one, one, lambda _sentence: None)
    assert one.steps == IN_ORDER


@pytest.mark.parametrize("fails", ["hold", "catch up {0: 7}", "drained", "check"])
def test_a_swap_that_cannot_be_done_exchanges_nothing(fails: str) -> None:
    one = Noted(fails)
    with pytest.raises(HandOverError):
        swap.swap(one, one, lambda _sentence: None)
    assert "exchange" not in one.steps
    assert one.steps[-1] == "leave"


def test_when_the_stage_does_not_go_on_the_former_rows_come_back_while_it_stands() -> None:
    one = Noted("go")
    with pytest.raises(HandOverError):
        swap.swap(one, one, lambda _sentence: None)
    assert one.steps[-4:] == ["exchange", "go", "exchange back", "leave"]


def test_what_fails_when_the_stage_has_the_word_takes_nothing_back() -> None:
    one = Noted("go", went=True)
    with pytest.raises(HandOverError):
        swap.swap(one, one, lambda _sentence: None)
    assert "exchange back" not in one.steps


def test_a_swap_that_was_cut_off_is_told_until_it_is_done_again() -> None:
    assert "Run sor replay --swap again" in swap.interrupted(exchanged=True, handed=False)
    assert not swap.interrupted(exchanged=True, handed=True)
    assert not swap.interrupted(exchanged=False, handed=False)
