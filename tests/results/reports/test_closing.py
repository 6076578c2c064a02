"""A month closes by itself: once, in order, and what fails changes nothing that is published."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from results.reports import periods
from results.reports.closing import close
from results.reports.run import Tally
from results.reports.state import STATE, Done, GateRefuses, Last, ScheduleError, State

DAY = date(2026, 11, 15)


class Releases:
    """A register of releases: day, and whether it is approved and published."""

    def __init__(self) -> None:
        self.days: list[date] = []
        self.passed: set[int] = set()
        self.out: list[int] = []
        self.rejected: list[int] = []
        self.refuses = self.breaks = self.changed = False
        self.steps: list[str] = []

    def published(self, since: date) -> int:
        return next((one for one in reversed(self.out) if self.days[one - 1] >= since), 0)

    def approved(self, since: date) -> int:
        waiting = self.passed - set(self.out)
        return next((one for one in sorted(waiting) if self.days[one - 1] >= since), 0)

    def refused(self, since: date) -> int:
        found = [one for one in self.rejected if self.days[one - 1] >= since]
        return 0 if self.changed else max(found, default=0)

    def build(self, on: date) -> int:
        self.days.append(on)
        self.steps.append("build")
        return len(self.days)

    def audit(self, number: int) -> bool:
        self.steps.append("audit")
        if self.refuses:
            self.rejected.append(number)
        else:
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
        self.apart: list[str] = []
        self.failed = 0

    def __call__(self, month: str, *, averages: bool) -> Tally:
        (self.months if averages else self.apart).append(month)
        return Tally(made=3, sent=3 - self.failed, failed=self.failed, problem="refused" if self.failed else "")


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / STATE)


def run(state: State, releases: Releases, reports: Reports, on: date = DAY, *, again: bool = False) -> list[str]:
    return close(on, 15, state, releases, reports, lambda _line: None, again=again)


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


@pytest.fixture
def refused(state: State) -> tuple[Releases, Reports]:
    """October went out; of November the gate refused release 2."""
    releases, reports = Releases(), Reports()
    run(state, releases, reports)
    releases.refuses = True
    with pytest.raises(GateRefuses, match="refuses release 2"):
        run(state, releases, reports, date(2026, 12, 15))
    releases.steps.clear()
    return releases, reports


def last(state: State) -> Last:
    found = state.last()
    assert found is not None
    return found


def test_a_refused_release_is_not_published_and_only_what_has_no_average_is_sent(
    state: State, refused: tuple[Releases, Reports]
) -> None:
    releases, reports = refused
    assert (releases.out, reports.months, reports.apart) == ([1], ["2026-10"], ["2026-11"])
    assert last(state).refused
    assert state.done() == Done("2026-10", 1, "2026-11")


def test_a_month_that_was_refused_waits_and_says_so_each_day(state: State, refused: tuple[Releases, Reports]) -> None:
    releases, reports = refused
    releases.refuses = False  # the gate would let another one through: nobody asked it
    for day in (16, 17):
        with pytest.raises(GateRefuses, match=r"2026-11 waits.*--again"):
            run(state, releases, reports, date(2026, 12, day))
    assert releases.steps == []
    assert (last(state).refused, "refused release 2" in last(state).problem) == (True, True)
    assert (reports.months, reports.apart) == (["2026-10"], ["2026-11"])  # once, not each day


@pytest.mark.parametrize("how", ["changed", "again", "approved", "next month"])
def test_it_goes_on_when_something_changed_or_somebody_says_so(
    state: State, refused: tuple[Releases, Reports], how: str
) -> None:
    releases, reports = refused
    releases.refuses, releases.changed = False, how == "changed"
    on, expected = (date(2027, 1, 15) if how == "next month" else date(2026, 12, 16)), ["build", "audit", "publish"]
    if how == "approved":  # by sor release build and sor release audit
        releases.audit(releases.build(on))
        releases.steps, expected = [], ["publish"]
    closed = run(state, releases, reports, on, again=how == "again")
    assert closed == (["2026-11", "2026-12"] if how == "next month" else ["2026-11"])
    assert releases.steps == expected
    assert (last(state).problem, last(state).refused, last(state).at > 1_700_000_000) == ("", False, True)
    assert reports.months == ["2026-10", *closed]
    assert state.done().month == closed[-1]


def test_mails_without_averages_that_were_not_taken_go_out_the_next_day(state: State) -> None:
    releases, reports = Releases(), Reports()
    releases.refuses, reports.failed = True, 1
    for day in (15, 16):
        with pytest.raises(GateRefuses):
            run(state, releases, reports, date(2026, 11, day))
    assert (reports.apart, state.done().apart) == (["2026-10", "2026-10"], "")
    reports.failed = 0
    with pytest.raises(GateRefuses):
        run(state, releases, reports, date(2026, 11, 17))
    assert (len(reports.apart), state.done()) == (3, Done("", 0, "2026-10"))
    assert releases.steps == ["build", "audit"]


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
    assert [periods.half_year_closed_by(month) for month in ("2026-05", "2026-06", "2026-12", "2026-01")] == [
        "", "2026-H1", "2026-H2", ""
    ]  # fmt: skip
