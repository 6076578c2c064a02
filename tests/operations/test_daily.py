"""The process *schedule*: when it runs, what it makes up for, what it shows, and that it ends what it began."""

from __future__ import annotations

import signal
import sys
import time
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from prometheus_client import REGISTRY

from operations import daily
from operations.daily import Daily, due_after, due_before
from results.reports.state import STATE, Done, State

DUTCH = ZoneInfo("Europe/Amsterdam")
DAY = 86_400.0


def at(text: str) -> float:
    """A moment on a Dutch clock."""
    return datetime.fromisoformat(text).replace(tzinfo=DUTCH).timestamp()


def shown(name: str) -> float | None:
    return REGISTRY.get_sample_value(f"sor_schedule_{name}")


class World:
    """A clock that stands still, and a command that writes a line and ends with a number."""

    def __init__(self, home: Path, begins: str) -> None:
        self.home, self.now, self.ran = home, at(begins), home / "ran"
        self.code, self.seconds = 0, 0.0

    def daily(self) -> Daily:
        script = "import sys, time; open(sys.argv[1], 'a').write('x'); time.sleep(float(sys.argv[3])); " + (
            "sys.exit(int(sys.argv[2]))"
        )
        command = (sys.executable, "-c", script, str(self.ran), str(self.code), str(self.seconds))
        return Daily(self.home, 15, command=command, clock=lambda: self.now)

    def done(self, found: Daily) -> int:
        """Turn until nothing runs; how often the command ran so far."""
        found.turn()
        if found._running is not None:
            found._running.wait(30)
            found.turn()
        return len(self.ran.read_text()) if self.ran.exists() else 0

    def note(self, month: str, problem: str = "", *, refused: bool = False, on: str) -> None:
        """What a run left behind on a moment."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(time, "time", lambda: at(on))
            State(self.home / STATE).note(Done(month, 1), problem, refused=refused)


@pytest.mark.parametrize(
    ("now", "before", "after"),
    [
        ("2026-11-28T06:29:59", "2026-11-27T06:30", "2026-11-28T06:30"),
        ("2026-11-28T06:30:00", "2026-11-28T06:30", "2026-11-29T06:30"),
        ("2026-10-25T12:00:00", "2026-10-25T06:30", "2026-10-26T06:30"),  # the clock went back that night
        ("2026-03-28T23:59:00", "2026-03-28T06:30", "2026-03-29T06:30"),  # it goes forward in the next
    ],
)
def test_it_runs_at_the_same_hour_on_the_wall(now: str, before: str, after: str) -> None:
    assert due_before(at(now)) == at(before)
    assert due_after(at(now)) == at(after)


def test_it_runs_once_a_day(tmp_path: Path) -> None:
    world = World(tmp_path, "2026-11-28T05:00")
    found = world.daily()
    assert world.done(found) == 0
    world.now = at("2026-11-28T06:31")
    assert world.done(found) == 1
    assert world.done(found) == 1
    world.now += DAY
    assert world.done(found) == 2


def test_where_nothing_ran_yet_it_waits_for_the_morning(tmp_path: Path) -> None:
    assert World(tmp_path, "2026-11-28T12:00").daily().next == at("2026-11-29T06:30")


def test_a_day_that_was_missed_is_made_up_for_at_the_start(tmp_path: Path) -> None:
    world = World(tmp_path, "2026-11-28T12:00")
    world.note("2026-10", on="2026-11-26T06:31")
    assert world.done(world.daily()) == 1
    world.note("2026-10", on="2026-11-28T06:31")
    assert world.done(world.daily()) == 1, "it ran today"


def test_it_shows_how_far_the_months_are_and_that_a_gate_refused(tmp_path: Path) -> None:
    world = World(tmp_path, "2026-11-28T12:00")
    world.note("2026-08", "The gate refuses release 2.", refused=True, on="2026-11-28T06:31")
    assert daily.show(tmp_path, 15, world.now)
    assert (shown("open"), shown("refused"), shown("due_months")) == (1, 1, 2)
    assert shown("timestamp_seconds") == at("2026-11-28T06:31")
    world.note("2026-10", on="2026-11-28T06:32")
    assert daily.show(tmp_path, 15, world.now)
    assert (shown("open"), shown("refused"), shown("due_months")) == (0, 0, 0)
    world.note("", "no such table", on="2026-11-28T06:33")
    assert daily.show(tmp_path, 15, world.now)
    assert (shown("open"), shown("refused"), shown("due_months")) == (1, 0, 1)


def test_a_run_that_noted_nothing_is_shown_as_failed_until_one_goes_well(tmp_path: Path) -> None:
    world = World(tmp_path, "2026-11-28T06:00")
    world.note("2026-10", on="2026-11-28T05:00")
    world.code = 2
    found = world.daily()
    world.now = at("2026-11-28T06:30")
    world.done(found)
    assert shown("open") == 1
    found._command = (sys.executable, "-c", "")
    world.now += DAY
    world.done(found)
    assert shown("open") == 0


def test_what_runs_too_long_is_ended_and_what_runs_at_a_stop_too(tmp_path: Path) -> None:
    world = World(tmp_path, "2026-11-28T06:00")
    world.seconds = 60.0
    found = world.daily()
    world.now = at("2026-11-28T06:30")
    found.turn()
    running = found._running
    assert running is not None
    world.now += daily.LONGEST + 1
    found.turn()
    assert found._running is None
    assert running.returncode == -signal.SIGKILL
    assert shown("open") == 1
    world.now += DAY
    found.turn()
    running = found._running
    assert running is not None
    found.end()
    assert running.returncode == -signal.SIGTERM


def test_what_it_starts_is_the_command(tmp_path: Path) -> None:
    assert daily.COMMAND[1:] == ("-m", "sor", "schedule")
    assert daily.COMMAND[0] == sys.executable
