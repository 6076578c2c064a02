"""What may be shown of a group: numbers, the window that a reader is left with, noise and periods."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from results.release import periods
from results.release.model import Shown
from results.release.noise import as_ids, group_digest, noise
from results.release.rules import RULES, mean, moved, nearest, share

SEEN = st.integers(20, 200).flatmap(lambda counted: st.tuples(st.just(counted), st.integers(0, counted)))


@settings(deadline=None, max_examples=40)
@given(SEEN, st.integers(-2, 2))
def test_a_reader_is_left_with_every_number_that_another_noise_would_have_given(
    seen: tuple[int, int], drawn: int
) -> None:
    counted, numerator = seen
    figure = share(counted, numerator, 0, drawn)
    possible = {
        other
        for other in range(counted + 1)
        for its in range(-RULES.noise, RULES.noise + 1)
        if share(counted, other, 0, its).shown == figure.shown
    }
    assert possible == set(range(figure.low, figure.high + 1))
    assert numerator in possible
    assert len(possible) >= 3


@settings(deadline=None, max_examples=40)
@given(SEEN)
def test_the_mean_leaves_the_sum_a_window_of_the_range_of_one_mark(seen: tuple[int, int]) -> None:
    counted, more = seen
    total = counted + more % (9 * counted)
    figure = mean(counted, total, 0)
    assert figure.low <= total <= figure.high
    for edge in (figure.low, figure.high):
        assert mean(counted, edge, 0).shown == figure.shown
    for beyond in (figure.low - 1, figure.high + 1):
        if counted <= beyond <= 10 * counted:
            assert mean(counted, beyond, 0).shown != figure.shown
    if counted < total < 10 * counted - 9 and counted < figure.low and figure.high < 10 * counted:
        assert figure.high - figure.low + 1 >= 9


def test_numbers_as_they_are_shown() -> None:
    assert [nearest(number, 5) for number in (0, 2, 3, 7, 8, 22, 23)] == [0, 0, 5, 5, 10, 20, 25]
    assert [moved(number, -2) for number in (0, 4, 5, 9)] == [0, 0, 5, 5]
    assert share(40, 8, 3, 0).shown == Shown(40, 10, "=", 25, None, 5)
    assert share(40, 2, 2, 0).shown == Shown(40, 5, "<=", 13, None, 0)
    assert share(40, 39, 12, 0).shown == Shown(40, 35, ">=", 88, None, 10)
    assert mean(25, 200, 0).shown == Shown(25, None, "=", None, 8.0, 0)
    assert mean(60, 412, 0).shown.gemiddelde == 6.8  # 6.87 on a grid of 0.2
    assert mean(120, 824, 0).shown.gemiddelde == 6.9
    for wrong in ((40, 41, 0, 0), (40, 8, 0, 3)):
        with pytest.raises(ValueError):
            share(*wrong)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=40), st.randoms(use_true_random=False))
def test_order_and_repetition_of_the_rows_change_no_noise(ids: list[int], dice: object) -> None:
    again = [*ids, *ids]
    dice.shuffle(again)  # type: ignore[attr-defined]
    assert group_digest(as_ids(ids)) == group_digest(as_ids(again))


def test_noise_is_of_key_version_indicator_and_group_and_of_nothing_else() -> None:
    groups = [group_digest(np.arange(size, dtype=np.int64)) for size in range(20, 520)]
    drawn = [noise(b"k" * 32, 3, "uitval", group) for group in groups]
    assert set(drawn) == {-2, -1, 0, 1, 2}
    assert all(80 <= drawn.count(one) <= 120 for one in set(drawn))  # each a fifth
    for other in (
        [noise(b"o" * 32, 3, "uitval", group) for group in groups],
        [noise(b"k" * 32, 4, "uitval", group) for group in groups],
        [noise(b"k" * 32, 3, "nut_laag", group) for group in groups],
    ):
        assert 50 <= sum(one == two for one, two in zip(drawn, other, strict=True)) <= 150


def test_a_period_is_closed_two_weeks_after_its_end() -> None:
    labels = {(one.kind, one.label) for one in periods.closed(date(2026, 7, 15))}
    assert ("maand", "2026-06") in labels
    assert ("kwartaal", "2026-K2") in labels
    early = {(one.kind, one.label) for one in periods.closed(date(2026, 7, 14))}
    assert labels - early == {("maand", "2026-06"), ("kwartaal", "2026-K2"), ("vier_kwartalen", "2026-K2")}
    late = periods.closed(date(2026, 7, 15), later=365)
    assert max(one.last for one in late) == date(2025, 6, 30)
    assert not [one for one in periods.closed(date(2026, 7, 15)) if one.last >= date(2026, 7, 1)]


def test_a_period_becomes_final_a_year_after_its_end() -> None:
    quarter = periods.period_of("vier_kwartalen", "2025-K2")
    assert (quarter.first, quarter.last) == (date(2024, 7, 1), date(2025, 6, 30))
    assert periods.status(quarter, date(2025, 7, 15), shown_before=False) == "voorlopig"
    assert periods.status(quarter, date(2026, 6, 30), shown_before=True) == "nader voorlopig"
    assert periods.status(quarter, date(2026, 7, 1), shown_before=True) == "definitief"
    for one in periods.closed(date(2026, 7, 15)):
        assert periods.period_of(one.kind, one.label) == one
