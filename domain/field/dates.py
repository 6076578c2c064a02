"""Dates as day numbers (days since 1970-01-01), the unit of every date inside the core.

A day number compares, subtracts and packs as a small integer. ``date`` objects exist only at the edges.
"""

from __future__ import annotations

from datetime import date

_EPOCH = date(1970, 1, 1).toordinal()


def day(value: date) -> int:
    """Day number of a date."""
    return value.toordinal() - _EPOCH


def iso_day(text: str) -> int:
    """Day number of ``YYYY-MM-DD``; ``ValueError`` for any other form, also for the other ISO 8601 forms."""
    if len(text) != 10 or text[4] != "-" or text[7] != "-":
        raise ValueError("not YYYY-MM-DD")
    return date.fromisoformat(text).toordinal() - _EPOCH


def as_date(number: int) -> date:
    """Date of a day number."""
    return date.fromordinal(number + _EPOCH)


def year(number: int) -> int:
    """Calendar year of a day number."""
    return date.fromordinal(number + _EPOCH).year


def is_first_of_month(number: int) -> bool:
    """Whether a day is the first of its month."""
    return date.fromordinal(number + _EPOCH).day == 1


def is_last_of_month(number: int) -> bool:
    """Whether a day is the last of its month."""
    return is_first_of_month(number + 1)


def age(birth: date, on: date) -> int:
    """Completed years on a day; never negative (an unborn child is 0)."""
    return max(0, on.year - birth.year - ((on.month, on.day) < (birth.month, birth.day)))
