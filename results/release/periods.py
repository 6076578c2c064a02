"""Closed periods: which a release of a day shows, and with which status. No free dates and no year to date."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

from results.release.model import PeriodKind, Status
from results.release.rules import RULES, Rules


class Period(NamedTuple):
    """A month, a quarter, or the four quarters that end with one; both days are in it."""

    kind: PeriodKind
    label: str
    first: date
    last: date


def closed(on: date, rules: Rules = RULES, *, later: int = 0) -> tuple[Period, ...]:
    """The periods that are closed on a day and ended at most ``months_back`` before it, oldest first.

    ``later``: so many days more must have passed, for what is known only some time after the event.
    """
    found = []
    for first in _months(on, rules.months_back + later // 30):
        last = _month_later(first, 1) - timedelta(days=1)
        if last + timedelta(days=rules.closed_days + later) >= on:
            continue
        found.append(Period("maand", f"{first:%Y-%m}", first, last))
        if first.month % 3 == 0:
            label = f"{first.year}-K{first.month // 3}"
            found.append(Period("kwartaal", label, _month_later(first, -2), last))
            found.append(Period("vier_kwartalen", label, _month_later(first, -11), last))
    return tuple(found)


def status(period: Period, on: date, *, shown_before: bool, rules: Rules = RULES) -> Status:
    """How far the figures of a period may still change."""
    if on > _month_later(period.last.replace(day=1), rules.final_months + 1) - timedelta(days=1):
        return "definitief"
    return "nader voorlopig" if shown_before else "voorlopig"


def period_of(kind: PeriodKind, label: str) -> Period:
    """The period of its name. ``ValueError`` for a name that is none."""
    year, _, rest = label.partition("-")
    month = int(rest) if kind == "maand" else 3 * int(rest.removeprefix("K"))
    first = date(int(year), month, 1)
    last = _month_later(first, 1) - timedelta(days=1)
    return Period(kind, label, _month_later(first, {"maand": 0, "kwartaal": -2, "vier_kwartalen": -11}[kind]), last)


def _months(on: date, back: int) -> Iterator[date]:
    for months in range(-back, 0):
        yield _month_later(on.replace(day=1), months)


def _month_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, 1)
