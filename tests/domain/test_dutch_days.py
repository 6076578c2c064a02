"""A day is a Dutch day, wherever the process runs."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.answer.report import moment
from connectors.formats.model import FileContext
from domain.care.row_building import rows_of
from domain.care.rows import ScoreRow
from domain.field.dates import as_date, day, dutch_day, dutch_time, moment_ms
from tests.build import CLIENT, event, fact_set, score

MOMENTS = st.integers(-2_208_988_800_000, 4_133_980_800_000)  # 1900 to 2101


def ms(text: str) -> int:
    """Milliseconds of a moment in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


@pytest.fixture(params=["America/New_York", "UTC", "Asia/Tokyo"], autouse=True)
def zone(request: pytest.FixtureRequest) -> Iterator[str]:
    """The zone of the machine."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield request.param
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


AROUND = [
    ("2026-01-15T22:59:59", "2026-01-15", "23:59:59"),
    ("2026-01-15T23:00:00", "2026-01-16", "00:00:00"),
    ("2026-07-15T21:59:59", "2026-07-15", "23:59:59"),
    ("2026-07-15T22:00:00", "2026-07-16", "00:00:00"),
    ("2026-12-31T22:59:59", "2026-12-31", "23:59:59"),
    ("2026-12-31T23:00:00", "2027-01-01", "00:00:00"),
    ("2026-03-28T23:00:00", "2026-03-29", "00:00:00"),
    ("2026-03-29T00:59:59", "2026-03-29", "01:59:59"),
    ("2026-03-29T01:00:00", "2026-03-29", "03:00:00"),
    ("2026-03-29T22:00:00", "2026-03-30", "00:00:00"),
    ("2026-10-25T00:59:59", "2026-10-25", "02:59:59"),
    ("2026-10-25T01:00:00", "2026-10-25", "02:00:00"),
    ("2026-10-25T22:59:59", "2026-10-25", "23:59:59"),
    ("2026-10-25T23:00:00", "2026-10-26", "00:00:00"),
]


@pytest.mark.parametrize(("utc", "on", "clock"), AROUND)
def test_midnight_summer_time_and_new_year(utc: str, on: str, clock: str) -> None:
    at = ms(utc)
    assert as_date(dutch_day(at)) == date.fromisoformat(on)
    assert f"{dutch_time(at):%Y-%m-%d %H:%M:%S}" == f"{on} {clock}"
    assert moment(at) == f"{date.fromisoformat(on):%d-%m-%Y} {clock}"
    assert FileContext("", "", at).today == day(date.fromisoformat(on))


@pytest.mark.parametrize(("utc", "year"), [("2026-12-31T22:59:59", 2026), ("2026-12-31T23:00:00", 2027)])
def test_a_score_is_of_the_dutch_year_of_its_upload(utc: str, year: int) -> None:
    rows = rows_of(CLIENT, fact_set([event(score(tijd=ms(utc)))]))
    assert [key.jaar for key, row in rows.items() if isinstance(row, ScoreRow)] == [year]
    assert [as_date(row.sinds or 0).year for row in rows.values() if isinstance(row, ScoreRow)] == [year]


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-05-01", "2026-04-30T22:00:00"),
        ("2026-01-01T00:30", "2025-12-31T23:30:00"),
        ("2026-05-01T00:00:00Z", "2026-05-01T00:00:00"),
        ("2026-05-01T00:00:00-04:00", "2026-05-01T04:00:00"),
    ],
)
def test_a_moment_that_names_no_zone_is_dutch(text: str, utc: str) -> None:
    assert moment_ms(text) == ms(utc)


def test_what_is_no_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="isoformat"):
        moment_ms("gisteren")


@given(MOMENTS, MOMENTS)
def test_the_day_is_that_of_the_zone_and_never_goes_back(one: int, other: int) -> None:
    there = datetime.fromtimestamp(one // 1000, ZoneInfo("Europe/Amsterdam")).date()
    assert as_date(dutch_day(one)) == there
    assert (dutch_day(one) <= dutch_day(other)) or one > other
