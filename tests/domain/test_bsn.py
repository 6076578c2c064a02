"""The elfproef, the specials and the official test range."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.field.bsn import SPECIALS, TEST_FIRST, TEST_LAST, elfproef, masked, official_numbers


@pytest.mark.parametrize("number", ["999900006", "999900018", "999999990"])
def test_valid(number: str) -> None:
    assert elfproef(number)


@pytest.mark.parametrize(
    "number", ["999900007", "999999999", "000000000", "99990001", "9999000188", "99990001a", "", "٩٩٩٩٠٠٠١٨"]
)
def test_invalid(number: str) -> None:
    assert not elfproef(number)


def test_the_official_range_has_9091_numbers() -> None:
    numbers = official_numbers()
    assert (len(numbers), numbers[0], numbers[-1]) == (9091, f"{TEST_FIRST:09d}", f"{TEST_LAST:09d}")


@given(st.sampled_from(official_numbers()), st.integers(0, 8), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(number: str, place: int, step: int) -> None:
    """The weights are all prime to 11, so a change of one digit never leaves a multiple of 11."""
    digit = (int(number[place]) + step) % 10
    wrong = number[:place] + str(digit) + number[place + 1 :]
    assert not elfproef(wrong)


@given(st.sampled_from(official_numbers()), st.integers(0, 7))
def test_two_neighbours_swapped_are_found(number: str, place: int) -> None:
    a, b = number[place], number[place + 1]
    swapped = number[:place] + b + a + number[place + 2 :]
    weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
    if (weights[place] - weights[place + 1]) * (int(a) - int(b)) % 11:
        assert not elfproef(swapped)


def test_specials_are_refused_though_one_passes_the_arithmetic() -> None:
    assert not any(elfproef(special) for special in SPECIALS)


def test_a_masked_number_shows_three_digits() -> None:
    assert masked("999900018") == "******018"
