"""Overlapping leveringen of one client, provider, municipality and category (*stapeling*) are one traject, whatever
their products; a meting at the end of one of them belongs to it while another runs on [P].
"""

from __future__ import annotations

import itertools

import pytest

from domain.care.row_building import rows_of
from domain.care.rows import MetingRow, TrajectRow
from domain.field.definitions import SHIPPED
from tests.build import CLIENT, D, Told, event, events, fact_set, levering, meting, start, stop, toewijzing
from tests.oracle.compare import difference, of_set

LONG = levering(0, 500, toewijzing=b"long0001", code="45A02")
SHORT = levering(20, 200, toewijzing=b"short001")


def rows(*told: Told) -> tuple[list[TrajectRow], list[MetingRow]]:
    """The rows, the same in every order and those of the oracle."""
    history = events(told)
    found = rows_of(CLIENT, fact_set(history))
    assert difference(of_set(history), history) == ""
    for order in itertools.islice(itertools.permutations(history), 0, None, 7):
        assert rows_of(CLIENT, fact_set(order)) == found
    trajecten = [row for row in found.values() if isinstance(row, TrajectRow)]
    return trajecten, [row for row in found.values() if isinstance(row, MetingRow)]


def at(day: int, number: bytes = b"meting01", nut: int = 7) -> Told:
    """A meting of a parent at the end, filled in on a day."""
    told = meting(meting=number, datum=D + day, antwoorden={"VR09A": nut})
    return event(told, line=int(number[-1:]))


def paused(day: int) -> list[Told]:
    """Other care, interrupted on a day."""
    return [start(0, toewijzing=b"other001"), stop(0, day, "20", b"other001")]


def links(day: int, *told: Told) -> bool:
    _, (row,) = rows(*told, at(day))
    return bool(row.traject)


def test_a_meting_at_the_end_of_one_belongs_to_the_traject_that_runs_on() -> None:
    (traject,), (row,) = rows(LONG[0], *SHORT, at(205))
    assert (traject.status, traject.leveringen, traject.metingen, traject.metingen_einde) == ("lopend", 2, 1, 1)
    assert (row.telt, row.wacht, traject.nut_ouder) == (True, "", 7)


def test_at_each_end_one_of_them_counts_once_and_the_last_is_the_figure() -> None:
    (traject,), found = rows(*LONG, *SHORT, at(205), at(505, b"meting02", nut=9))
    assert (traject.status, traject.metingen_einde, traject.nut_ouder) == ("beeindigd", 2, 9)
    assert {row.datum - D: row.telt for row in found} == {205: False, 505: True}


@pytest.mark.parametrize(
    ("day", "linked"),
    [
        (200 - SHIPPED.meting_before_end - 1, False),
        (200 - SHIPPED.meting_before_end, True),
        (200 + SHIPPED.meting_after_end, True),
        (200 + SHIPPED.meting_after_end + 1, False),
    ],
)
def test_the_window_lies_around_the_end_of_that_levering(day: int, linked: bool) -> None:
    assert links(day, LONG[0], *SHORT) is linked
    assert links(day, *LONG, *SHORT) is linked


@pytest.mark.parametrize(
    ("other", "linked"),
    [
        pytest.param([start(200, toewijzing=b"other001")], True, id="begun on its last day"),
        pytest.param([start(201, toewijzing=b"other001")], False, id="begun a day later: one after the other"),
        pytest.param(paused(199), False, id="paused the day before"),
        pytest.param(paused(200), False, id="paused that day"),
        pytest.param(paused(201), True, id="paused a day later"),
        pytest.param([], False, id="none"),
    ],
)
def test_another_runs_on_while_it_ends(other: list[Told], linked: bool) -> None:
    """Care that goes on keeps the traject open, so that its own end gives no window."""
    assert links(205, *SHORT, *other, start(225, toewijzing=b"after001")) is linked


def test_what_a_merger_of_municipalities_interrupts_has_no_end() -> None:
    merged = [*levering(20, 200, "36", toewijzing=b"toew0001"), toewijzing(300, reden_wijziging="11")]
    assert not links(205, *merged, LONG[0])


def test_of_two_ends_the_nearest() -> None:
    other = levering(210, 240, toewijzing=b"other001", categorie="43", code="43A10")
    for day, categorie in ((219, "45"), (221, "43")):
        trajecten, _ = rows(LONG[0], *SHORT, *other, at(day))
        assert [one.categorie for one in trajecten if one.metingen] == [categorie]
