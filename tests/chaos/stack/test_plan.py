"""The plan of faults, and how recovery is counted: without a process."""

from __future__ import annotations

from itertools import islice

import pytest

from tests.chaos.stack import run
from tests.chaos.stack.acts import Blow, note, settle
from tests.chaos.stack.plan import HOWS, LONGEST, SHORTEST, SUPERVISOR, VICTIMS, Fault, plan
from tests.chaos.stack.probe import Place

_MANY = 40 * len(VICTIMS)


def _faults(seed: int, number: int = _MANY) -> list[Fault]:
    return list(islice(plan(seed), number))


def test_a_seed_is_a_plan() -> None:
    assert _faults(1) == _faults(1)
    assert _faults(1) != _faults(2)


def test_everybody_is_struck_in_every_way() -> None:
    faults = _faults(7, 3 * len(VICTIMS))
    for start in range(0, len(faults), len(VICTIMS)):
        assert {fault.whom for fault in faults[start : start + len(VICTIMS)]} == set(VICTIMS)
    assert {(fault.how, fault.whom) for fault in faults} == {(how, whom) for how in HOWS for whom in VICTIMS}


def test_only_what_is_stopped_stands_still() -> None:
    faults = _faults(3)
    assert all(SHORTEST <= fault.seconds <= LONGEST for fault in faults if fault.how == "STOP")
    assert all(fault.seconds == 0 for fault in faults if fault.how != "STOP")


def test_a_second_fault_is_on_another_and_within_half_a_minute() -> None:
    pairs = [(fault, fault.then) for fault in _faults(3) if fault.then is not None]
    assert len(pairs) > _MANY / 10
    for first, second in pairs:
        assert first.whom != second.whom
        assert SUPERVISOR not in (first.whom, second.whom)
        assert 0 <= second.rest <= 30


def _blow(whom: str = "sink", since: float = 100.0) -> Blow:
    return Blow(1, Fault("KILL", whom), since, since, 1)


def test_recovery_counts_from_the_last_thing_wrong() -> None:
    blow = _blow()
    note([blow], {"sink": "is gone"}, 101.0)
    note([blow], {"entry": "starting"}, 104.0)
    assert (blow.own, blow.every) == (104.0, None)
    note([blow], {}, 106.0)
    note([blow], {"sink": "stands still"}, 107.0)
    assert (blow.own, blow.every) == (None, None)
    note([blow], {}, 131.0)
    note([blow], {}, 140.0)
    assert blow.longest() == 31.0
    assert blow.why == {"sink": "stands still"}


def test_who_never_came_back_was_endlessly_away() -> None:
    blow = _blow()
    note([blow], {"entry": "starting"}, 104.0)
    assert blow.longest() == float("inf")


def test_a_second_fault_leaves_the_first_alone_that_was_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """And one that was not over is counted from the second: it has two causes."""
    clock = iter(x / 2 for x in range(1000))
    monkeypatch.setattr("tests.chaos.stack.acts.time.monotonic", lambda: next(clock))
    monkeypatch.setattr("tests.chaos.stack.acts.time.sleep", lambda _seconds: None)
    over, open_one, second = _blow(since=-10.0), _blow("entry", since=-10.0), _blow("kafka", since=-1.0)
    over.own = over.every = -5.0
    open_one.own = -6.0
    assert settle([over, open_one, second], lambda _before, _old: {}, {})
    assert (over.longest(), over.since) == (5.0, -10.0)
    assert open_one.since == second.since == -1.0
    assert open_one.longest() == second.longest() < 2.0


def test_a_second_fault_comes_at_its_time_also_when_all_was_well_before(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, dealt = [100.0], list[tuple[str, float]]()

    def deal(number: int, fault: Fault, _stack: object) -> Blow:
        dealt.append((fault.whom, clock[0]))
        return Blow(number, fault, clock[0], clock[0], number)

    def well_after_a_second(*_: object, **__: object) -> bool:
        clock[0] += 1.0
        return True

    monkeypatch.setattr(run, "_deal", deal)
    monkeypatch.setattr(run, "settle", well_after_a_second)
    monkeypatch.setattr("tests.chaos.stack.run.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("tests.chaos.stack.run.time.sleep", lambda seconds: clock.__setitem__(0, clock[0] + seconds))
    pair = Fault("KILL", "kafka", then=Fault("STOP", "evaluate", 13.0, rest=28.0))
    _, well = run._strike(1, pair, None, type("P", (), {"missing": None})())  # type: ignore[arg-type]
    assert dealt == [("kafka", 100.0), ("evaluate", 128.0)]
    assert well


def test_who_has_work_must_do_some() -> None:
    before = Place(done=10, lag=3)
    assert before.still(before)
    assert not Place(done=11, lag=3).still(before)
    assert not Place(done=10, lag=0).still(before)
