"""A number used twice is a flag while both uses stand: take one delivery back, and it is none."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from domain.care.withdrawals import valid
from domain.facts.fact import Event
from tests.build import dubbel, event, fact_set, teruggenomen

ONE, OTHER, THIRD = "a" * 32, "b" * 32, "c" * 32


def used_twice() -> list[Event]:
    """What the register tells a client who used the number in both deliveries."""
    fact = dubbel("TR056", b"m1", "start")
    return [event(replace(fact, aanlevering=own), delivery=cause) for own, cause in ((ONE, OTHER), (OTHER, ONE))]


@pytest.mark.parametrize("gone", [ONE, OTHER])
def test_it_is_no_flag_when_one_of_both_was_taken_back(gone: str) -> None:
    assert valid(fact_set(used_twice())).dubbel
    assert not valid(fact_set([*used_twice(), teruggenomen(gone)])).dubbel


def test_it_stays_one_when_another_was_taken_back_or_it_came_again() -> None:
    assert valid(fact_set([*used_twice(), teruggenomen(THIRD)])).dubbel
    assert valid(fact_set([*used_twice(), teruggenomen(ONE, 1, 2)])).dubbel


def test_where_the_own_use_is_not_known_the_cause_alone_decides() -> None:
    before = event(dubbel("TR056", b"m1", "start"), delivery=OTHER)
    assert valid(fact_set([before, teruggenomen(ONE)])).dubbel
    assert not valid(fact_set([before, teruggenomen(OTHER)])).dubbel
