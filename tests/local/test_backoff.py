"""The wait before a restart doubles up to a bound, and begins anew after good health."""

from __future__ import annotations

from local.timing import Backoff, Timing


def test_it_doubles_up_to_the_bound() -> None:
    backoff = Backoff(Timing())
    assert [backoff.after(0) for _ in range(7)] == [1, 2, 4, 8, 8, 8, 8]


def test_ten_seconds_in_good_health_begin_anew() -> None:
    backoff = Backoff(Timing())
    assert [backoff.after(healthy) for healthy in (0, 0, 9, 10, 0)] == [1, 2, 4, 1, 2]
