"""A month closes by itself: once, in order, and what fails changes nothing that is published."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from results.reports import periods
from results.reports.closing import close
from results.reports.run import Tally
from results.reports.state import STATE, Done, ScheduleError, State

DAY = date(2026, 11, 15)


class Releases:
    """A register of releases: day, and whether it is approved and published."""

    def __init__(self) -> None:
        self.days: list[date] = []
        self.passed: set[int] = set()
        self.out: list[int] = []
        self.refuses = self.breaks = False
        self.steps: list[str] = []

    def published(self, since: date) -> int:
        return next((one for one in reversed(self.out) if self.days[one - 1] >= since), 0)

    def approved(self, since: date) -> int:
        waiting = self.passed - set(self.out)
        return next((one for one in sorted(waiting) if self.days[one - 1] >= since), 0)

    def build(self, on: date) -> int:
        self.days.append(on)
        self.steps.append("build")
        return len(self.days)

    def audit(self, number: int) -> bool:
        self.steps.append("audit")
        if not self.refuses:
            self.passed.add(number)
        return not self.refuses

    def publish(self, number: int) -> None:
        if self.breaks:
            raise ScheduleError("ClickHouse is away")
        self.steps.append("publish")
        self.out.append(number)


class Reports:
    def __init__(self) -> None:
        self.months: list[str] = []
        self.failed = 0

    def __call__(self, month: str) -> Tally:
        self.months.append(month)
        return Tally(made=3, sent=3 - self.failed, failed=self.failed, problem="refused" if self.failed else "")


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / STATE)


def run(state: State, releases: Releases, reports: Reports, on: date = DAY) -> list[str]:
    return close(on, 15, state, releases, reports, lambda _line: None)


def test_a_month_closes_once_in_order(state: State) -> None:
    releases, reports = Releases(), Reports()
    assert run(state, releases, reports) == ["2026-10"]
    assert (releases.steps, reports.months) == (["build", "audit", "publish"], ["2026-10"])
    assert run(state, releases, reports, date(2026, 12, 14)) == []
    assert (len(releases.steps), reports.months) == (3, ["2026-10"])
    assert state.done() == Done("2026-10", 1)


def test_what_was_missed_is_caught_up_with_one_release(state: State) -> None:
    releases, reports = Releases(), Reports()
    run(state, releases, reports)
    assert run(state, releases, reports, date(2027, 2, 20)) == ["2026-11", "2026-12", "2027-01"]
    assert releases.out == [1, 2]


def test_before_the_fixed_day_the_month_before_is_the_newest(state: State) -> None:
    assert run(state, Releases(), Reports(), date(2026, 11, 14)) == ["2026-09"]


def test_a_refused_release_is_not_published_and_nothing_is_sent(state: State) -> None:
    releases, reports = Releases(), Reports()
    run(state, releases, reports)
    releases.refuses = True
    with pytest.raises(ScheduleError, match="refuses release 2"):
        run(state, releases, reports, date(2026, 12, 15))
    assert (releases.out, reports.months) == ([1], ["2026-10"])
    last = state.last()
    assert last is not None
    assert "refuses" in last.problem
    assert last.refused
    assert state.done().month == "2026-10"
    releases.refuses = False
    assert run(state, releases, reports, date(2026, 12, 16)) == ["2026-11"]
    last = state.last()
    assert last is not None
    assert (last.problem, last.refused, last.at > 1_700_000_000) == ("", False, True)


def test_one_that_was_approved_is_published_and_not_built_again(state: State) -> None:
    releases, reports = Releases(), Reports()
    releases.breaks = True
    with pytest.raises(ScheduleError, match="away"):
        run(state, releases, reports)
    releases.breaks = False
    run(state, releases, reports, date(2026, 11, 16))
    assert releases.steps == ["build", "audit", "publish"]
    assert releases.out == [1]


def test_a_mail_that_is_not_taken_keeps_the_month_open(state: State) -> None:
    releases, reports = Releases(), Reports()
    reports.failed = 1
    with pytest.raises(ScheduleError, match="not taken: refused"):
        run(state, releases, reports)
    reports.failed = 0
    assert run(state, releases, reports) == ["2026-10"]
    assert releases.out == [1]


def test_a_state_that_is_none_is_said(state: State) -> None:
    state.path.write_text("[]")
    with pytest.raises(ScheduleError, match="cannot be read"):
        run(state, Releases(), Reports())


@pytest.mark.parametrize(
    ("month", "last", "quarter"),
    [("2026-10", 31, "2026-K3"), ("2026-09", 30, "2026-K3"), ("2026-02", 28, "2025-K4"), ("2024-02", 29, "2023-K4")],
)
def test_periods(month: str, last: int, quarter: str) -> None:
    assert periods.last_day(month).day == last
    found = periods.quarters(month)
    assert (found[-1], len(found)) == (quarter, periods.QUARTERS)
    first, end = periods.days_of_quarters(found)
    assert (end.year - first.year) * 12 + end.month - first.month == 23
    assert periods.later(periods.later(month, 13), -13) == month


def test_the_newest_periods_that_are_over() -> None:
    assert (periods.newest_month(date(2026, 1, 31)), periods.newest_month(date(2026, 11, 1))) == ("2025-12", "2026-10")
    assert periods.newest_half_year(date(2026, 6, 30)) == "2025-H2"
    assert periods.newest_half_year(date(2026, 7, 1)) == "2026-H1"


def test_half_years() -> None:
    assert periods.days_of_half_year("2026-H2") == (date(2026, 7, 1), date(2026, 12, 31))
    assert periods.is_half_year("2026-H1")
    assert not periods.is_half_year("2026-H3")
    assert not periods.is_month("2026-13")
