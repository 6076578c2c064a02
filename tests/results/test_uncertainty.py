"""The interval beside a figure: what it may never do, and values that others computed."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.uncertainty import Interval, student, student_quantile, student_sql, wilson, wilson_sql
from sinks import clickhouse
from sinks.access import Access
from tests.conftest import RunningGateway

SCALE = Interval(1.0, 10.0)
COUNTS = st.integers(1, 5000)
MARKS = st.lists(st.integers(1, 10), min_size=1, max_size=60)


def share(numerator: float, n: float) -> Interval:
    found = wilson(numerator, n, n)
    assert found is not None
    return found


def mean(marks: list[int], clients: int | None = None) -> Interval:
    n = len(marks)
    found = student(sum(marks), sum(mark * mark for mark in marks), n, clients or n, SCALE)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("numerator", "n", "low", "high"),
    # the last one is an example of Newcombe (1998), score method without correction
    [(0, 10, 0.0, 27.7533), (1, 10, 1.7876, 40.4150), (5, 10, 23.6593, 76.3407), (81, 263, 25.5271, 36.6229)],
)
def test_wilson_as_others_compute_it(numerator: int, n: int, low: float, high: float) -> None:
    assert share(numerator, n) == pytest.approx((low, high), abs=0.02)


@given(COUNTS, st.data())
def test_a_share_lies_inside_its_interval_and_that_inside_the_scale(n: int, data: st.DataObject) -> None:
    numerator = data.draw(st.integers(0, n))
    found = share(numerator, n)
    assert 0 <= found.low <= 100 * numerator / n <= found.high <= 100
    assert found.low < found.high, "no figure of a sample is certain"


@given(COUNTS, st.data())
def test_a_share_and_its_rest_mirror_each_other(n: int, data: st.DataObject) -> None:
    numerator = data.draw(st.integers(0, n))
    found, rest = share(numerator, n), share(n - numerator, n)
    assert (found.low, found.high) == pytest.approx((100 - rest.high, 100 - rest.low), abs=1e-9)


@given(st.integers(1, 500), st.integers(2, 9), st.data())
def test_more_of_the_same_is_more_certain(n: int, times: int, data: st.DataObject) -> None:
    numerator = data.draw(st.integers(0, n))
    few, many = share(numerator, n), share(numerator * times, n * times)
    assert many.high - many.low < few.high - few.low


@given(st.integers(2, 300), st.integers(1, 300), st.data())
def test_many_scores_of_few_children_say_no_more_than_the_children(n: int, clients: int, data: st.DataObject) -> None:
    numerator = data.draw(st.integers(0, n))
    found = wilson(numerator, n, clients)
    same = wilson(numerator / n * min(n, clients), min(n, clients), min(n, clients))
    assert found is not None
    assert same is not None
    assert found == pytest.approx(same, abs=1e-6)


def test_nothing_counted_has_no_interval() -> None:
    assert wilson(0, 0, 0) is None
    assert student(0, 0, 0, 0, SCALE) is None


@given(MARKS)
def test_a_mean_lies_inside_its_interval_and_that_inside_the_scale(marks: list[int]) -> None:
    found = mean(marks)
    assert 1 <= found.low <= sum(marks) / len(marks) <= found.high <= 10
    assert found.low < found.high


@given(st.lists(st.integers(1, 10), min_size=2, max_size=60), st.randoms())
def test_order_of_marks_changes_nothing(marks: list[int], dice: object) -> None:
    assert mean(marks) == mean(sorted(marks))


@given(st.lists(st.integers(2, 9), min_size=3, max_size=60))
def test_fewer_children_behind_the_same_marks_are_less_certain(marks: list[int]) -> None:
    all_, two = mean(marks), mean(marks, 2)
    assert two.low <= all_.low
    assert two.high >= all_.high


def test_a_mean_of_one_child_may_be_anything() -> None:
    assert mean([8]) == SCALE
    assert mean([8, 8, 8], clients=1) == SCALE


def test_a_mean_as_others_compute_it() -> None:
    """Mean 7.875, standard deviation 1.2464, t of 7 degrees 2.3646; equal marks are not without width."""
    found = mean([7, 8, 9, 6, 8, 10, 7, 8])
    assert found == pytest.approx((6.8330, 8.9170), abs=0.0005)
    equal = mean([8] * 25)
    assert equal.high - equal.low == pytest.approx(2 * student_quantile(24) * math.sqrt(1 / 12 / 25), abs=1e-9)


@pytest.mark.parametrize(
    ("freedom", "quantile"), [(1, 12.706), (2, 4.303), (10, 2.228), (11, 2.201), (30, 2.042), (120, 1.980)]
)
def test_quantiles_of_student_are_those_of_the_tables(freedom: int, quantile: float) -> None:
    assert student_quantile(freedom) == pytest.approx(quantile, abs=0.001)


@pytest.mark.clickhouse
def test_sql_and_python_agree(gateway: RunningGateway) -> None:
    """Over every kind of group: nobody, one child, more scores than children, all alike, and many."""
    dice = random.Random(5)
    sums = [(0, 0, 0, 0), (1, 8, 1, 64), (1, 24, 3, 192), (25, 200, 25, 1600)]
    for n in (2, 3, 9, 10, 11, 12, 40, 700):
        marks = [dice.randint(1, 10) for _ in range(n)]
        sums.append((dice.randint(max(n // 2, 1), n), sum(marks), n, sum(mark**2 for mark in marks)))
    shares = [(clients, sum(dice.random() < 0.3 for _ in range(n)), n, 0) for clients, _, n, _ in sums]
    expressions = ", ".join(f"ifNull({both}[{at}], -1)" for both in (wilson_sql(), student_sql(SCALE)) for at in (1, 2))
    columns = "clienten UInt64, teller Float64, noemer UInt64, kwadraten UInt64"
    client = clickhouse.connect(Access(gateway.url, "admin", gateway.users["admin"], "default"))
    try:
        for rows, which in ((shares, slice(0, 2)), (sums, slice(2, 4))):
            query = f"SELECT {expressions} FROM values('{columns}', {', '.join(map(str, rows))})"
            for found, (clients, total, n, squares) in zip(clickhouse.select(client, query), rows, strict=True):
                wanted = wilson(total, n, clients) if which.start == 0 else student(total, squares, n, clients, SCALE)
                assert found[which] == pytest.approx(wanted or (-1, -1), abs=1e-6)
    finally:
        client.close()
