"""The poison guard: a source that goes wrong is set aside, many at once are a bug of ours, nobody counts twice."""

from __future__ import annotations

import pytest
from prometheus_client import REGISTRY

from streams.poison import BUG_SECONDS, PoisonGuard, TooMuchPoison


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def guard(clock: Clock) -> PoisonGuard:
    return PoisonGuard("evaluate", clock=clock)


def feed(guard: PoisonGuard, source: str, *, good: int = 0, bad: int = 0) -> None:
    """Records of one source, the good ones first, and the end of the batch."""
    for poison in [False] * good + [True] * bad:
        guard.seen(source, bad=poison)
    guard.end_batch()


def shown(name: str) -> float | None:
    return REGISTRY.get_sample_value(name, {"stage": "evaluate"})


def test_a_few_bad_records_set_nobody_aside(guard: PoisonGuard) -> None:
    feed(guard, "a", bad=199)
    for _ in range(20):
        feed(guard, "b", good=500, bad=500)
    assert not guard.aside("a")
    assert not guard.aside("b")


def test_a_source_over_the_limit_is_set_aside_and_the_others_are_not(guard: PoisonGuard) -> None:
    feed(guard, "good", good=10)
    feed(guard, "bad", bad=200)
    assert guard.aside("bad")
    assert not guard.aside("good")
    assert not guard.aside("never seen")
    assert shown("sor_quarantined_sources") == 1


def test_it_is_set_aside_within_the_batch(guard: PoisonGuard) -> None:
    """Not first after it: a batch holds a thousand records."""
    for _ in range(200):
        assert not guard.aside("bad")
        guard.seen("bad", bad=True)
    assert guard.aside("bad")


def test_good_records_of_long_ago_count_no_more(guard: PoisonGuard) -> None:
    feed(guard, "a", good=5000)
    feed(guard, "a", bad=1000)
    assert not guard.aside("a"), "half of its last 2000 is not more than half"
    feed(guard, "a", bad=1)
    assert guard.aside("a")


def test_poison_of_long_ago_counts_no_more(guard: PoisonGuard) -> None:
    feed(guard, "a", good=1000, bad=900)
    feed(guard, "a", good=2000)
    feed(guard, "a", bad=300)
    assert not guard.aside("a")


def test_a_released_source_begins_anew(guard: PoisonGuard) -> None:
    feed(guard, "a", bad=200)
    guard.release("a")
    guard.release("never aside")
    assert not guard.aside("a")
    feed(guard, "a", bad=199)
    assert not guard.aside("a")
    assert shown("sor_quarantined_sources") == 0
    feed(guard, "a", bad=1)
    assert guard.aside("a")


@pytest.mark.parametrize("sources", [1, 2])
def test_one_or_two_sources_never_stop_the_stage(guard: PoisonGuard, sources: int) -> None:
    for number in range(sources):
        feed(guard, f"s{number}", bad=2000)
    assert shown("sor_quarantined_sources") == sources


def test_poison_of_most_sources_at_once_is_a_bug_of_ours(guard: PoisonGuard) -> None:
    feed(guard, "a", bad=200)
    feed(guard, "b", bad=200)
    with pytest.raises(TooMuchPoison, match=r"evaluate: .* 3 of the 3 sources .* Nothing of this batch is committed"):
        feed(guard, "c", bad=200)


def test_three_among_many_are_their_own_fault(guard: PoisonGuard) -> None:
    """Else three senders that agree could stop the stream for everybody."""
    for number in range(3):
        feed(guard, f"good{number}", good=1)
    for source in ("a", "b", "c"):
        feed(guard, source, bad=2000)
    with pytest.raises(TooMuchPoison):
        feed(guard, "good0", bad=200)


def test_sources_that_went_wrong_one_after_the_other_are_no_bug_of_ours(guard: PoisonGuard, clock: Clock) -> None:
    for source in ("a", "b", "c", "d"):
        feed(guard, source, bad=200)
        clock.now += BUG_SECONDS
    assert shown("sor_quarantined_sources") == 4


def test_the_share_of_all_sources_is_shown_and_what_counts_for_nobody_leaves_it(guard: PoisonGuard) -> None:
    feed(guard, "a", good=150, bad=50)
    assert shown("sor_poison_share") == 0.25
    for _ in range(3):
        guard.end_batch()
    assert shown("sor_poison_share") == 0.25
    feed(guard, "b", good=2000)
    assert shown("sor_poison_share") == 0
