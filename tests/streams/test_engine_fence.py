"""The fence: who was paused, or keeps the group waiting, ends."""

from __future__ import annotations

import threading

import pytest

from faults import EXIT_PAUSED, EXIT_SLOW_BATCH
from streams.engine import fence as batch_fence
from streams.engine.fence import Fence


class Clock:
    """A clock that stands still until told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at = 1000.0
        monkeypatch.setattr(batch_fence, "now", lambda: self.at)


class Ended:
    """Takes the place of the end of the process."""

    def __init__(self) -> None:
        self.codes: list[int] = []
        self.called = threading.Event()

    def __call__(self, code: int, message: str) -> None:  # noqa: ARG002
        self.codes.append(code)
        self.called.set()


def test_a_gap_within_the_limit_is_no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, ended = Clock(monkeypatch), Ended()
    fence = Fence(3.0, 20.0, ended=ended)
    clock.at += 2.9
    fence.check()
    assert ended.codes == []


def test_whoever_checks_first_after_a_pause_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, ended = Clock(monkeypatch), Ended()
    fence = Fence(3.0, 20.0, ended=ended)
    clock.at += 3.1
    fence.check()
    assert ended.codes == [EXIT_PAUSED]


def test_the_thread_sees_a_pause_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, ended = Clock(monkeypatch), Ended()
    fence = Fence(3.0, 20.0, tick=0.01, ended=ended)
    fence.start()
    clock.at += 3.1
    assert ended.called.wait(5)
    fence.stop()
    assert ended.codes[0] == EXIT_PAUSED


def test_a_batch_that_blocks_the_group_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, ended = Clock(monkeypatch), Ended()
    fence = Fence(1e9, 20.0, tick=0.01, ended=ended)
    fence.start()
    fence.hurry()
    clock.at += 20.1
    assert ended.called.wait(5)
    fence.stop()
    assert set(ended.codes) == {EXIT_SLOW_BATCH}


def test_a_batch_that_ends_in_time_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, ended = Clock(monkeypatch), Ended()
    fence = Fence(1e9, 20.0, tick=0.01, ended=ended)
    fence.start()
    fence.hurry()
    fence.calm()
    clock.at += 100
    assert not ended.called.wait(0.1)
    fence.stop()
