"""Dates as day numbers (days since 1970-01-01), the unit of every date inside the core.

A day number compares, subtracts and packs as a small integer. ``date`` objects exist only at the edges. Moments are
milliseconds since 1970 in UTC; the day and the time that people read of them are those of the Netherlands, wherever the
process runs. What machines read (JSON, logs, metrics) stays in UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

_EPOCH = date(1970, 1, 1).toordinal()
_MOMENT_ZERO: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DUTCH: Final = ZoneInfo("Europe/Amsterdam")
_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS
WRITTEN: Final = re.compile(r"([0-9]{1,2})[-/]([0-9]{1,2})[-/]([0-9]{4})")


def day(value: date) -> int:
    """Day number of a date."""
    return value.toordinal() - _EPOCH


def iso_day(text: str) -> int:
    """Day number of ``YYYY-MM-DD``; ``ValueError`` for any other form, also for the other ISO 8601 forms."""
    if len(text) != 10 or text[4] != "-" or text[7] != "-":
        raise ValueError("not YYYY-MM-DD")
    return date.fromisoformat(text).toordinal() - _EPOCH


def written_digits(text: str) -> str | None:
    """``YYYYMMDD`` of a day as people and their spreadsheets write it, or None: d-m-yyyy, dd-mm-yyyy, also with ``/``.

    The day comes first, as everywhere in the Netherlands; a year of two digits is none. Whether the day exists is not
    looked at.
    """
    found = WRITTEN.fullmatch(text)
    return f"{found[3]}{found[2]:0>2}{found[1]:0>2}" if found else None


@lru_cache(maxsize=8192)  # the days of a stream are those of some years
def as_date(number: int) -> date:
    """Date of a day number."""
    return date.fromordinal(number + _EPOCH)


def dutch_time(ms: int) -> datetime:
    """A moment (milliseconds since 1970, UTC) on the clock of the Netherlands, with its zone."""
    return (_MOMENT_ZERO + timedelta(milliseconds=ms)).astimezone(_DUTCH)


def dutch_day(ms: int) -> int:
    """Day number of the Dutch day in which a moment (milliseconds since 1970, UTC) falls."""
    return (ms + _ahead(ms // _HOUR_MS)) // _DAY_MS


@lru_cache(maxsize=4096)  # asked for every row, and the uploads of a time lie close together
def _ahead(hour: int) -> int:
    """By how many milliseconds the Dutch clock is ahead of UTC in an hour since 1970: it changes on whole hours."""
    ahead = dutch_time(hour * _HOUR_MS).utcoffset()
    assert ahead is not None  # noqa: S101 - it has a zone
    return ahead // timedelta(milliseconds=1)


def moment_ms(text: str) -> int:
    """Milliseconds since 1970 of a day or moment in ISO 8601: Dutch time unless it names a zone. ``ValueError``."""
    read = datetime.fromisoformat(text)
    return int((read if read.tzinfo else read.replace(tzinfo=_DUTCH)).timestamp() * 1000)


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
