"""What the oracle found in the fold, each as the shortest history that shows it; every one was wrong once."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from domain.care.fold import rows_of
from domain.care.rows import MetingRow, TrajectRow
from domain.facts.fact import CbsRecord, Event, Fact, Start, Stop, Toewijzing
from domain.facts.fact_set import FactSet, add
from domain.field.dates import iso_day
from tests.oracle.compare import difference, of_set

AGB = "12345678"
DAY = iso_day("2026-01-01")
WEESP_WAS = iso_day("2022-01-08")  # its code was in the table then, on DAG no more
WHAT: dict[str, Any] = {
    "gemeente": "0363",
    "toewijzing": b"toew0001",
    "categorie": "45",
    "code": "45A01",
    "begindatum": DAY,
}
WHO: dict[str, Any] = {"leeftijd": 12, "leeftijd_benaderd": False, "geslacht": "1", "ingangsdatum": None, "status": 1}


def event(fact: Fact, line: int = 1) -> Event:
    return Event("a" * 32, line, AGB, 0, fact)


def start(day: int = 100, **over: Any) -> Event:
    return event(Start(**WHAT | WHO | {"dagtekening": DAY + day, "bericht": b"start"} | over))


def stop(reden: str, end: int, day: int = 100, **over: Any) -> Event:
    what = WHAT | WHO | {"dagtekening": DAY + day, "bericht": b"stop" + reden.encode()} | over
    return event(Stop(**what, reden_beeindiging=reden, einddatum=DAY + end))


def flags(history: list[Event]) -> dict[tuple[str, int], list[str]]:
    """Category and begin of each traject to its flags, the same in every order, and as the oracle has them."""
    found = []
    for order in permutations(history):
        table = of_set(list(order))
        assert difference(table, list(order)) == ""
        found.append({(r.categorie, r.begindatum - DAY): r.vlaggen for _, r in table if isinstance(r, TrajectRow)})
    assert all(each == found[0] for each in found)
    return found[0]


def test_two_stops_without_start_name_an_old_municipality_whatever_came_first() -> None:
    """TR378: the flag hung on the ingangsdatum of the stop that arrived first."""
    old = stop("31", 5, gemeente="0457", ingangsdatum=WEESP_WAS)
    new = stop("32", 6, gemeente="0457", ingangsdatum=DAY)
    assert "TR378" not in flags([old])[("45", 0)]
    assert "TR378" in flags([old, new])[("45", 0)]


def test_the_day_the_assignment_began_is_known_when_only_the_stop_tells_it() -> None:
    """TR378: a start without ingangsdatum was judged on its begin."""
    history = [start(gemeente="0457"), stop("31", 5, gemeente="0457", ingangsdatum=WEESP_WAS)]
    assert flags(history) == {("45", 0): []}
    assert flags(history[:1]) == {("45", 0): ["TR378"]}


@pytest.mark.parametrize(("begin", "broken"), [(9, True), (10, False), (15, False), (20, False)])
def test_a_start_during_a_pause_does_not_run_beside_it(begin: int, broken: bool) -> None:
    """TR326, OP379: a levering paused on day 10 and stopped for good on day 20 ran until day 10."""
    history = [start(), stop("20", 10, day=30), stop("31", 20, day=60), start(begindatum=DAY + begin, bericht=b"again")]
    assert flags(history)[("45", 0)] == (["TR326"] if broken else [])


@pytest.mark.parametrize("final", [True, False])
def test_a_second_pause_of_one_assignment_and_begin_counts_under_a_final_stop_too(final: bool) -> None:
    """TR413: the first pause was overlooked once its levering had ended."""
    other = {"categorie": "54", "code": "54003"}
    history = [start(), stop("20", 10), start(**other), stop("20", 12, **other)]
    if final:
        history.append(stop("31", 20, day=101))
    found = flags(history)
    assert "TR413" in found[("54", 0)]
    assert "TR413" not in found[("45", 0)]


@pytest.mark.parametrize("begin", range(1, 9))
def test_of_two_running_records_in_one_file_the_mark_of_the_one_begun_last_counts(begin: int) -> None:
    """CBS: datum and upload are equal; a number derived from the pseudonym chose between the two."""
    what: dict[str, Any] = {
        "gemeente": "0034", "hulpvorm": "02", "verwijzer": "", "crisis": "", "einddatum": None, "reden": "",
        "geslacht": "1", "leeftijd": 9, "leeftijd_benaderd": False, "nut_ouder": None, "zonder_hulp_jeugdige": None,
        "zonder_hulp_ouder": None, "periode": "2026-1", "tijd": (DAY + 50) * 86_400_000,
    }  # fmt: skip
    history = [
        event(CbsRecord(begindatum=DAY, nut_jeugdige=3, **what), 1),
        event(CbsRecord(begindatum=DAY + begin, nut_jeugdige=8, **what), 2),
    ]
    table = of_set(history)
    assert difference(table, history) == ""
    assert [r.nut_jeugdige for _, r in table if isinstance(r, TrajectRow)] == [8]
    assert sorted((r.nut, r.telt) for _, r in table if isinstance(r, MetingRow)) == [(3, False), (8, True)]


# --- what only these decide ---------------------------------------------------------------------------------------


def assigned(gemeente: str, reden: str) -> Event:
    end = DAY if reden == "13" else None
    return event(
        Toewijzing(gemeente, b"toew0001", "45", "45A01", DAY, 0, DAY, end, reden, None, "", "", None, DAY, b"301")
    )


@pytest.mark.parametrize(("old", "new", "waits"), [("13", "", True), ("", "13", False)])
def test_an_assignment_is_first_looked_up_under_the_code_as_received(old: str, new: str, waits: bool) -> None:
    """TR378 [R]: after a merger one number may come under both codes."""
    history = [start(gemeente="0457", ingangsdatum=WEESP_WAS), assigned("0457", old), assigned("0363", new)]
    for order in permutations(history):
        assert difference(of_set(list(order)), list(order)) == ""
        (row,) = (row for _, row in of_set(list(order)) if isinstance(row, TrajectRow))
        assert ("toewijzing" in row.wacht) == waits


@pytest.mark.parametrize(("first", "second", "reden"), [(b"m3", b"m4", "32"), (b"m4", b"m3", "31")])
def test_of_two_final_stops_of_one_day_the_higher_message_counts_also_when_one_came_twice(
    first: bytes, second: bytes, reden: str
) -> None:
    history = [start(), stop("31", 5, bericht=first), stop("31", 5, bericht=b"m1"), stop("32", 6, bericht=second)]
    assert flags(history) == {("45", 0): ["TR074", "TR415"]}
    (row,) = (row for _, row in of_set(history) if isinstance(row, TrajectRow))
    assert row.reden_beeindiging == reden


@pytest.mark.parametrize(("latest", "broken"), [(9, True), (10, False)])
def test_the_stop_that_counts_is_held_against_the_pause(latest: int, broken: bool) -> None:
    """TR414 is about the current stop: an earlier one, sent after the pause too, does not matter."""
    earlier = stop("32", 19 - latest, day=101)
    history = [start(), stop("20", 10, day=100), earlier, stop("31", latest, day=102)]
    assert flags(history) == {("45", 0): ["TR414", "TR415"] if broken else ["TR415"]}


def test_a_long_pseudonym_names_rows_too() -> None:
    """The key of a hash has at most 64 bytes."""
    facts = FactSet()
    add(facts, start())
    assert len(rows_of(b"p" * 70, facts)) == 1
