"""The unit for one machine fits what the supervisor does."""

from __future__ import annotations

from configparser import ConfigParser
from pathlib import Path

from local import control
from local.timing import Timing
from sor.cli import COMMANDS

UNIT = Path(__file__).parents[2] / "deploy/systemd/sor.service"


def service() -> dict[str, str]:
    parser = ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(UNIT.read_text())
    assert parser["Unit"]["StartLimitIntervalSec"] == "0"
    return dict(parser["Service"])


def test_a_supervisor_that_ends_is_started_again_at_once() -> None:
    found = service()
    assert (found["Restart"], found["RestartSec"]) == ("always", "1")
    assert found["ExecStart"].endswith("/sor up"), "in the foreground"


def test_a_supervisor_that_hangs_is_ended_and_a_pause_of_it_is_not() -> None:
    found = service()
    assert (found["Type"], found["NotifyAccess"]) == ("notify", "main")
    assert int(found["WatchdogSec"]) > 20 + 4 * Timing().beat
    assert found["WatchdogSignal"] == "SIGKILL", "one that is stopped hears nothing else"


def test_the_month_is_looked_at_each_day_and_a_missed_day_is_made_up_for() -> None:
    text = UNIT.with_name("sor-schedule.service").read_text()
    assert "Type=oneshot" in text
    word = text.partition("ExecStart=")[2].split()[1]
    assert word in COMMANDS
    timer = UNIT.with_name("sor-schedule.timer").read_text()
    assert "Persistent=true" in timer
    assert "OnCalendar=*-*-* " in timer


def test_it_is_given_the_time_to_stop_in_order() -> None:
    found = service()
    assert found["KillMode"] == "mixed"
    assert int(found["TimeoutStopSec"]) == control._DOWN_SECONDS
