"""The periods of reports: a month, the twelve that end with it, the quarters closed by then, a half year. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

#: Quarters that a trend runs over.
QUARTERS = 8


def is_month(text: str) -> bool:
    """Whether it is a month such as ``2026-10``."""
    return re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", text) is not None


def is_half_year(text: str) -> bool:
    """Whether it is a half year such as ``2026-H1``."""
    return re.fullmatch(r"20\d\d-H[12]", text) is not None


def first_day(month: str) -> date:
    """The first day of a month."""
    return date(int(month[:4]), int(month[5:]), 1)


def last_day(month: str) -> date:
    """The last day of a month."""
    return first_day(later(month, 1)) - timedelta(days=1)


def later(month: str, months: int) -> str:
    """The month so many later; earlier with a negative number."""
    year, zero_based = divmod(int(month[:4]) * 12 + int(month[5:]) - 1 + months, 12)
    return f"{year}-{zero_based + 1:02d}"


def months_after(month: str, until: str) -> Iterator[str]:
    """The months after one, up to and including another."""
    while month < until:
        month = later(month, 1)
        yield month


def newest_month(on: date) -> str:
    """The newest month that is over on a day."""
    return later(f"{on:%Y-%m}", -1)


def newest_half_year(on: date) -> str:
    """The newest half year that is over on a day."""
    return f"{on.year - 1}-H2" if on.month <= 6 else f"{on.year}-H1"


def half_year_closed_by(month: str) -> str:
    """The half year that ends with a month; empty for a month within one."""
    return {"06": f"{month[:4]}-H1", "12": f"{month[:4]}-H2"}.get(month[5:], "")


def closed_before(on: date, fixed_day: int) -> str:
    """The newest month that is closed: a month closes on a fixed day of the month after it."""
    return later(f"{on:%Y-%m}", -1 if on.day >= fixed_day else -2)


def quarters(month: str) -> tuple[str, ...]:
    """The last quarters that are over by the end of a month, oldest first: ``2026-K3``."""
    ended = later(month, -(int(month[5:]) % 3))
    found = (later(ended, -3 * back) for back in range(QUARTERS - 1, -1, -1))
    return tuple(f"{one[:4]}-K{int(one[5:]) // 3}" for one in found)


def days_of_quarters(names: tuple[str, ...]) -> tuple[date, date]:
    """First and last day of quarters that follow each other."""
    first, last = names[0], names[-1]
    begin = f"{first[:4]}-{int(first[6]) * 3 - 2:02d}"
    return first_day(begin), last_day(f"{last[:4]}-{int(last[6]) * 3:02d}")


def days_of_half_year(half_year: str) -> tuple[date, date]:
    """First and last day of ``2026-H1``."""
    year, second = int(half_year[:4]), half_year.endswith("2")
    return date(year, 7 if second else 1, 1), date(year, 12, 31) if second else date(year, 6, 30)
