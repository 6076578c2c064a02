"""Sets of line numbers: intervals and bitmap are the same set, and no set is large however its lines lie."""

from __future__ import annotations

import random
from time import perf_counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.facts import line_numbers
from domain.facts.answer import Line
from domain.facts.delivery import (
    MOST_CODES,
    MOST_FAULTS,
    MOST_LINES,
    MOST_PIECES,
    OTHER_CODES,
    Aanlevering,
    add,
)
from domain.facts.line_numbers import MOST_INTERVALS, LineNumbers, compact, count, mark, unmark

FEW = 3


@given(st.lists(st.tuples(st.integers(1, 90), st.sampled_from((mark, mark, mark, unmark)), st.booleans())))
def test_intervals_and_bitmap_are_the_same_set(changes: list[tuple[int, object, bool]]) -> None:
    """``mark`` and ``unmark`` say whether something changed; a set becomes a bitmap at any moment, or never."""
    numbers: LineNumbers = []
    known: set[int] = set()
    for line, change, batch_ends in changes:
        if change is mark:
            assert mark(numbers, line) == (line not in known)
            known.add(line)
        else:
            assert unmark(numbers, line) == (line in known)
            known.discard(line)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(line_numbers, "MOST_INTERVALS", FEW)
            numbers = compact(numbers) if batch_ends else numbers
        numbers = msgspec.msgpack.decode(msgspec.msgpack.encode(numbers), type=LineNumbers)
        assert count(numbers) == len(known)


@given(st.sets(st.integers(1, 200), min_size=1))
def test_a_bitmap_has_the_lines_of_the_intervals(lines: set[int]) -> None:
    intervals: LineNumbers = []
    for line in lines:
        mark(intervals, line)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line_numbers, "MOST_INTERVALS", 0)
        bits = compact(intervals)
    assert isinstance(bits, bytearray)
    assert {line for line in range(1, 300) if not mark(bits, line)} == lines


def test_few_intervals_stay_intervals() -> None:
    numbers: LineNumbers = [[line, line] for line in range(1, 2 * MOST_INTERVALS, 2)]
    assert compact(numbers) is numbers
    mark(numbers, MOST_LINES)
    assert isinstance(compact(numbers), bytearray)


def line(number: int, uitkomst: str, code: str, delivery: str = "d" * 32) -> Line:
    return Line(
        delivery=delivery, line=number, lines=MOST_LINES, kind="declaration", sender="99000001", test=False,
        published_at=1_790_000_000_000, regel=1_000_000, regels=1_000_000, uitkomst=uitkomst, code=code,
        veld="vorige_referentie_van_een_creditregel____",
    )  # fmt: skip


def packed(state: Aanlevering) -> int:
    return len(msgspec.msgpack.encode(state))


@pytest.fixture(scope="module")
def worst() -> Aanlevering:
    """As large as a source and a municipality together can make it: every second line of two million is refused,
    withdrawn with ever another code, and the rest waits here and there.
    """
    state = Aanlevering("declaration", "99000001", False, MOST_LINES, delivery="d" * 32, terug=2**42, newest=2**42)
    add(state, [line(number, "afgekeurd", "K01") for number in range(1, MOST_FAULTS + 2)])
    add(
        state,
        [line(2 * number, "wacht", f"waits{number % 3}") for number in range(MOST_LINES // 2, 0, -1)[:MOST_PIECES]],
    )
    add(state, [line(number, "ingetrokken", f"{number % 10_000:04}") for number in range(1, 40_000, 2)])
    scattered: LineNumbers = [[number, number] for number in range(1, MOST_LINES + 1, 2)]
    state.gezien, state.ingetrokken = compact(scattered), compact(scattered)
    return state


def test_the_worst_state_of_a_delivery_is_small(worst: Aanlevering) -> None:
    assert isinstance(worst.gezien, bytearray)
    assert sum(map(len, worst.waiting.values())) == MOST_PIECES
    assert len(worst.fouten) == len(worst.unreadable) == MOST_FAULTS
    assert len(worst.codes) == MOST_CODES + 1
    assert 700_000 < packed(worst) < 900_000


def test_the_worst_state_is_counted_on(worst: Aanlevering) -> None:
    state = msgspec.msgpack.decode(msgspec.msgpack.encode(worst), type=Aanlevering)
    assert state == worst
    before, began = state.count, perf_counter()
    add(state, [line(number, "geaccepteerd", "") for number in range(1, 1_001)])
    assert state.count == before + 500
    assert perf_counter() - began < 2


def test_codes_beyond_the_limit_are_counted_as_one_and_taken_back_as_one() -> None:
    state = Aanlevering("declaration", "99000001", False, MOST_LINES)
    codes = [f"{number:04}" for number in range(MOST_CODES + 20)]
    add(state, [line(number, "ingetrokken", code) for number, code in enumerate(codes, 1)])
    assert state.codes[OTHER_CODES] == 20
    assert sum(state.codes.values()) == len(codes)
    add(state, [line(number, "hersteld", code) for number, code in enumerate(codes, 1)])
    assert (state.codes, state.count_withdrawn) == ({}, 0)


def test_a_delivery_in_any_order_ends_as_one_interval_or_a_full_bitmap() -> None:
    order = list(range(1, 20_001))
    random.Random(7).shuffle(order)
    state = Aanlevering("score", "99000001", False, len(order))
    for at in range(0, len(order), 1_000):
        add(state, [line(number, "geaccepteerd", "") for number in order[at : at + 1_000]])
    assert (state.count, count(state.gezien), state.klaar) == (20_000, 20_000, True)


def test_a_state_with_intervals_is_read() -> None:
    """As every release before wrote it."""
    old = msgspec.msgpack.encode(
        ["score", "99000001", False, 9, 3, [[1, 2], [4, 4]], 3, 3, 3, 0, {}, [], 5, 5, [[2, 2]], 1]
    )
    state = msgspec.msgpack.decode(old, type=Aanlevering)
    add(state, [line(number, "geaccepteerd", "") for number in (2, 3)])
    assert (state.gezien, state.ingetrokken) == ([[1, 4]], [[2, 2]])
