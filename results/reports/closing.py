"""The month by itself: on its fixed day a month closes, a release is built, proven and published, and reports go out.

Each step looks first at what is there: a run twice does nothing the second time, and one that broke off goes on:

1. *release*: a published one of the closing day or later is enough; one that its gate approved is published; else one
   is built and proven. What the gate refuses is not published, and nothing that is published changes. It is not built
   again day after day until one slips through: only when what it was built from is another, or somebody says so.
2. *reports* of every month since the last one that went out whole. Those with averages wait for the release, for the
   averages are of it; those about deliveries have none and go out although the gate refuses.
3. *noted*: the month is done when every mail was taken.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Final, Protocol

from faults import OperatorFault
from results.reports import periods
from results.reports.run import Tally
from results.reports.state import Done, GateRefuses, ScheduleError, State

#: So many months that were missed are caught up with at once, the newest ones.
MOST: Final = 12


class Releasing(Protocol):
    """What closing a month asks of releases (``results.release``)."""

    def published(self, since: date) -> int:
        """Number of the release that readers see, when it was built on or after a day; 0 = none."""
        ...

    def approved(self, since: date) -> int:
        """Number of one that its gate approved and that can still be published; 0 = none."""
        ...

    def refused(self, since: date) -> int:
        """Number of one that its gate refused, when another one would be built from the same: no other release came
        out or was withdrawn since, and the rows have the same definitions. 0 = none.
        """
        ...

    def build(self, on: date) -> int:
        """Build one; its number."""
        ...

    def audit(self, number: int) -> bool:
        """Ask the gate; whether it approves."""
        ...

    def publish(self, number: int) -> None:
        """Show it to its readers."""
        ...


class Reporting(Protocol):
    """Makes and sends the reports of a month; without ``averages`` only those that have none."""

    def __call__(self, month: str, *, averages: bool) -> Tally:
        """What became of them."""
        ...


def close(
    on: date,
    closing_day: int,
    state: State,
    releasing: Releasing,
    reports: Reporting,
    tell: Callable[[str], None],
    *,
    again: bool = False,
) -> list[str]:
    """Close what is to be closed on a day; the months whose reports went out. ``again``: build another release although
    the gate refused one and nothing it was built from has changed.

    Raises:
        GateRefuses: the month waits; reports without averages went out.
        OperatorFault: a step failed; the state says which, and the next run goes on there.
    """
    target, done = periods.closed_before(on, closing_day), state.done()
    if done.month >= target:
        state.note(done)
        return []
    try:
        try:
            number = _released(on, target, closing_day, releasing, tell, again=again)
        except GateRefuses:
            done = _apart(done, target, reports, tell)
            raise
        done = done._replace(release=number)
        closed = []
        for month in _missed(done.month, target):
            _reported(month, reports, tell)
            done = done._replace(month=month)
            state.note(done)
            closed.append(month)
    except OperatorFault as problem:
        state.note(done, str(problem), refused=isinstance(problem, GateRefuses))
        raise
    return closed


def _missed(done: str, target: str) -> list[str]:
    """The months to report after one; before the first run only the newest."""
    return list(periods.months_after(done, target))[-MOST:] if done else [target]


def _released(
    on: date, month: str, closing_day: int, releasing: Releasing, tell: Callable[[str], None], *, again: bool
) -> int:
    since = periods.first_day(periods.later(month, 1)).replace(day=closing_day)
    if number := releasing.published(since):
        tell(f"Release {number} is published.")
        return number
    number = releasing.approved(since)
    if not number:
        number = _approved(on, month, since, releasing, tell, again=again)
    releasing.publish(number)
    tell(f"Release {number} is published.")
    return number


def _approved(
    on: date, month: str, since: date, releasing: Releasing, tell: Callable[[str], None], *, again: bool
) -> int:
    """Build a release and ask the gate. ``GateRefuses`` when it does, and when it did and nothing has changed."""
    if not again and (before := releasing.refused(since)):
        raise GateRefuses(
            f"The gate refused release {before}, and what it was built from is the same: {month} waits. When somebody "
            "has looked at it, build another one with: sor schedule --again"
        )
    number = releasing.build(on)
    tell(f"Release {number} is built.")
    if not releasing.audit(number):
        raise GateRefuses(
            f"The gate refuses release {number}, so it is not published and no reports with averages of {month} went "
            "out. Look at it with: sor release list"
        )
    return number


def _apart(done: Done, target: str, reports: Reporting, tell: Callable[[str], None]) -> Done:
    """Send what needs no release, once; what was not taken goes out with the next run."""
    for month in _missed(max(done.month, done.apart), target):
        tally = reports(month, averages=False)
        tell(f"{month}: {tally.made} reports without averages made, {tally.sent} sent.")
        if tally.failed:
            return done
        done = done._replace(apart=month)
    return done


def _reported(month: str, reports: Reporting, tell: Callable[[str], None]) -> None:
    tally = reports(month, averages=True)
    tell(f"{month}: {tally.made} reports made, {tally.sent} sent.")
    if tally.failed:
        raise ScheduleError(f"{tally.failed} mails of {month} were not taken: {tally.problem}")
