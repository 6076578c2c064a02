"""What the oracle found in the fold, each as the shortest history that shows it; every one was wrong once."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from domain.care.fold import rows_of
from domain.care.rows import MetingRow, TrajectRow
from domain.facts.fact import Start, Stop
from domain.field.dates import iso_day
from tests import build
from tests.build import D, Told, cbs_record, event, events, fact_set, toewijzing
from tests.oracle.compare import difference, of_set

WEESP_DAY = iso_day("2022-01-08")  # its code was in the table then, on the first of 2026 no more


def start(begin: int = 0, **over: Any) -> Start:
    """A start that was signed after most of what these histories tell."""
    return build.start(begin, **{"signed": 100, **over})


def stop(reden: str, end: int, **over: Any) -> Stop:
    """A stop likewise."""
    return build.stop(0, end, reden, **{"signed": 100, **over})


def flags(told: list[Told]) -> dict[tuple[str, int], list[str]]:
    """Category and begin of each traject to its flags, the same in every order, and as the oracle has them."""
    history, found = events(told), []
    for order in permutations(history):
        table = of_set(order)
        assert difference(table, list(order)) == ""
        found.append({(r.categorie, r.begindatum - D): r.vlaggen for _, r in table if isinstance(r, TrajectRow)})
    assert all(each == found[0] for each in found)
    return found[0]


def test_two_stops_without_start_name_an_old_municipality_whatever_came_first() -> None:
    """TR378: the flag hung on the ingangsdatum of the stop that arrived first."""
    old = stop("31", 5, gemeente="0457", ingangsdatum=WEESP_DAY)
    new = stop("32", 6, gemeente="0457", ingangsdatum=D)
    assert "TR378" not in flags([old])[("45", 0)]
    assert "TR378" in flags([old, new])[("45", 0)]


def test_the_day_the_assignment_began_is_known_when_only_the_stop_tells_it() -> None:
    """TR378: a start without ingangsdatum was judged on its begin."""
    history = [start(gemeente="0457"), stop("31", 5, gemeente="0457", ingangsdatum=WEESP_DAY)]
    assert flags(history) == {("45", 0): []}
    assert flags(history[:1]) == {("45", 0): ["TR378"]}


@pytest.mark.parametrize(("begin", "broken"), [(9, True), (10, False), (15, False), (20, False)])
def test_a_start_during_a_pause_does_not_run_beside_it(begin: int, broken: bool) -> None:
    """TR326, OP379: a levering paused on day 10 and stopped for good on day 20 ran until day 10."""
    history = [start(), stop("20", 10, signed=30), stop("31", 20, signed=60), start(begin)]
    assert flags(history)[("45", 0)] == (["TR326"] if broken else [])


@pytest.mark.parametrize("final", [True, False])
def test_a_second_pause_of_one_assignment_and_begin_counts_under_a_final_stop_too(final: bool) -> None:
    """TR413: the first pause was overlooked once its levering had ended."""
    other = {"categorie": "54", "code": "54003"}
    history: list[Told] = [start(), stop("20", 10), start(**other), stop("20", 12, **other)]
    if final:
        history.append(stop("31", 20, signed=101))
    found = flags(history)
    assert "TR413" in found[("54", 0)]
    assert "TR413" not in found[("45", 0)]


@pytest.mark.parametrize("begin", range(1, 9))
def test_of_two_running_records_in_one_file_the_mark_of_the_one_begun_last_counts(begin: int) -> None:
    """CBS: datum and upload are equal; a number derived from the pseudonym chose between the two."""
    history = events([cbs_record(0, nut_jeugdige=3), event(cbs_record(begin, nut_jeugdige=8), line=2)])
    table = of_set(history)
    assert difference(table, history) == ""
    assert [r.nut_jeugdige for _, r in table if isinstance(r, TrajectRow)] == [8]
    assert sorted((r.nut, r.telt) for _, r in table if isinstance(r, MetingRow)) == [(3, False), (8, True)]


# --- what only these decide ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("old", "new", "waits"), [("13", "", True), ("", "13", False)])
def test_an_assignment_is_first_looked_up_under_the_code_as_received(old: str, new: str, waits: bool) -> None:
    """TR378 [R]: after a merger one number may come under both codes."""
    versions = [
        toewijzing(gemeente=gemeente, reden_wijziging=reden, einddatum=D if reden == "13" else None)
        for gemeente, reden in (("0457", old), ("0363", new))
    ]
    for order in permutations(events([start(gemeente="0457", ingangsdatum=WEESP_DAY), *versions])):
        assert difference(of_set(order), order) == ""
        (row,) = (row for _, row in of_set(order) if isinstance(row, TrajectRow))
        assert ("toewijzing" in row.wacht) == waits


@pytest.mark.parametrize(("first", "second", "reden"), [(b"m3", b"m4", "31"), (b"m4", b"m3", "32")])
def test_of_two_final_stops_of_one_day_the_lower_message_counts_also_when_one_came_twice(
    first: bytes, second: bytes, reden: str
) -> None:
    history = [start(), stop("31", 5, bericht=first), stop("31", 5, bericht=b"m9"), stop("32", 6, bericht=second)]
    assert flags(history) == {("45", 0): ["TR074", "TR415"]}
    (row,) = (row for _, row in of_set(events(history)) if isinstance(row, TrajectRow))
    assert row.reden_beeindiging == reden


@pytest.mark.parametrize(("first", "broken"), [(9, True), (10, False)])
def test_the_stop_that_counts_is_held_against_the_pause(first: int, broken: bool) -> None:
    """TR414 is about the current stop, the first: a later one, sent after the pause too, does not matter."""
    later = stop("31", 19 - first, signed=102)
    history = [start(), stop("20", 10), stop("32", first, signed=101), later]
    assert flags(history) == {("45", 0): ["TR414", "TR415"] if broken else ["TR415"]}


def test_a_long_pseudonym_names_rows_too() -> None:
    """The key of a hash has at most 64 bytes."""
    assert len(rows_of(b"p" * 70, fact_set([start()]))) == 1
