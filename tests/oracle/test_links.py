"""Which traject a meting, a score or a declared line belongs to, bound by bound; and the rows that come of it.

Written out by hand, and each history given to the oracle as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from domain.care.fold import Issued, Person, fold_rows, rows_of
from domain.care.rows import CareRow, MetingRow, RowKey, ScoreRow, TrajectRow
from domain.facts.fact import Event, Fact
from tests.build import (
    AGB,
    CLIENT,
    DAY_MS,
    DELIVERY,
    NUMBER,
    OTHER,
    OTHER_DELIVERY,
    D,
    Told,
    by,
    event,
    events,
    fact_set,
    levering,
    meting,
    prestatie,
    score,
)
from tests.oracle.compare import difference, of_set
from tests.oracle.shape import dutch_day

NEW_YEAR_MS = D * DAY_MS - 3_600_000  # in the Netherlands


def rows(told: Sequence[Told]) -> dict[RowKey, CareRow]:
    """The rows of a history, after the oracle agreed."""
    history = events(told)
    table = of_set(history)
    assert difference(table, history) == ""
    return dict(table)


def begin_of_link(history: list[Told]) -> int | None:
    """The begin of the traject that the one meting or score of a history hangs on."""
    table = rows(history)
    (linked,) = (row for row in table.values() if isinstance(row, MetingRow | ScoreRow))
    begins = {key.number.hex(): row.begindatum - D for key, row in table.items() if isinstance(row, TrajectRow)}
    return begins[linked.traject] if linked.traject else None


def traject(history: list[Told], begin: int = 0) -> TrajectRow:
    (row,) = (r for r in rows(history).values() if isinstance(r, TrajectRow) and r.begindatum == D + begin)
    return row


# --- metingen at the end ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("datum", "linked"), [(69, False), (70, True), (99, True), (100, True), (101, True), (190, True), (191, False)]
)
@pytest.mark.parametrize("form", ["OE", "JE"])
def test_at_the_end_from_30_days_before_to_90_days_after(datum: int, linked: bool, form: str) -> None:
    assert begin_of_link([*levering(0, 100), meting(datum, form)]) == (0 if linked else None)


@pytest.mark.parametrize("history", [levering(0), levering(0, 100, "20"), levering(0, 100)[1:]])
def test_at_the_end_needs_an_end(history: list[Told]) -> None:
    assert begin_of_link([*history, meting(100)]) is None


@pytest.mark.parametrize(("datum", "begin"), [(114, 0), (115, 0), (116, 10), (140, 10)])
def test_at_the_end_the_nearest_end_counts(datum: int, begin: int) -> None:
    """Ends on day 100 and day 130; in the middle the one that began first."""
    history = [*levering(0, 100), *levering(10, 130, toewijzing=b"toew0002", categorie="54")]
    assert begin_of_link([*history, meting(datum)]) == begin
    assert begin_of_link([*reversed(history), meting(datum)]) == begin


def test_of_two_trajecten_that_end_on_one_day_the_first_begun() -> None:
    history = [*levering(10, 100, toewijzing=b"toew0002", categorie="54"), *levering(0, 100)]
    assert begin_of_link([*history, meting(100)]) == 0


def test_a_meting_is_of_one_provider() -> None:
    assert begin_of_link([*levering(0, 100), event(meting(100), aanbieder=OTHER)]) is None
    history = [*levering(0, 100), *by(OTHER, *levering(5, 120))]
    assert begin_of_link([*history, event(meting(100), aanbieder=OTHER)]) == 5


# --- metingen while running ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("datum", "linked"), [(-1, False), (0, True), (50, True), (100, True), (101, False)])
@pytest.mark.parametrize("form", ["OD", "JD"])
def test_while_running_on_the_day(datum: int, linked: bool, form: str) -> None:
    assert begin_of_link([*levering(0, 100), meting(datum, form)]) == (0 if linked else None)


@pytest.mark.parametrize(
    ("history", "linked"), [(levering(0), True), (levering(0, 100, "20"), True), (levering(0, 100)[1:], False)]
)
def test_while_running_a_pause_runs_and_a_stop_without_start_does_not(history: list[Told], linked: bool) -> None:
    assert begin_of_link([*history, meting(400, "OD")]) == (0 if linked else None)


@pytest.mark.parametrize("turn", [1, -1])
def test_of_two_running_the_last_begun(turn: int) -> None:
    history = [*levering(0), *levering(10, toewijzing=b"toew0002", categorie="54")][::turn]
    assert begin_of_link([*history, meting(20, "OD")]) == 10
    assert begin_of_link([*history, meting(9, "OD")]) == 0


# --- which meting counts ------------------------------------------------------------------------------------------


def counting(*uploads: Told) -> tuple[int | None, int | None, int]:
    row = traject([*levering(0, 100), *uploads])
    return row.nut_ouder, row.nut_jeugdige, row.metingen


def marked(
    nut: int, datum: int = 100, number: bytes = b"m1", tijd: int = 50, form: str = "OE",
    *, delivery: str = DELIVERY, line: int = 1,
) -> Event:  # fmt: skip
    filled_in = meting(datum, form, meting=number, tijd=tijd, antwoorden={"VR09A": nut})
    return event(filled_in, delivery=delivery, line=line)


@pytest.mark.parametrize("turn", [1, -1])
@pytest.mark.parametrize(
    ("one", "two"),
    [
        pytest.param(marked(1, 101), marked(2, 102, number=b"m2", line=2), id="later datum"),
        pytest.param(marked(1, 101, b"m2", 99), marked(2, 102, b"m1", 50, line=2), id="datum before upload time"),
        pytest.param(marked(1, tijd=50, number=b"m2"), marked(2, tijd=51, line=2), id="later upload"),
        pytest.param(marked(1), marked(2, number=b"m2", line=2), id="higher number"),
    ],
)
def test_of_one_group_the_latest_meting_counts(one: Event, two: Event, turn: int) -> None:
    assert counting(*[one, two][::turn]) == (2, None, 2)


@pytest.mark.parametrize("turn", [1, -1])
@pytest.mark.parametrize(
    ("one", "two"),
    [
        pytest.param(
            marked(1, 101, tijd=99), marked(2, 102, delivery=OTHER_DELIVERY), id="later datum, upload earlier"
        ),
        pytest.param(marked(1, tijd=50, line=9), marked(2, tijd=51, delivery=OTHER_DELIVERY), id="later upload"),
        pytest.param(marked(1, line=1, delivery=OTHER_DELIVERY), marked(2, line=2), id="later line"),
        pytest.param(marked(1, delivery=DELIVERY), marked(2, delivery=OTHER_DELIVERY), id="other delivery"),
    ],
)
def test_of_one_meting_the_latest_delivery_counts(one: Event, two: Event, turn: int) -> None:
    assert counting(*[one, two][::turn]) == (2, None, 1)


def test_parent_and_youth_count_apart_and_the_older_one_does_not_count() -> None:
    history = [marked(1, 101), marked(2, 102, b"m2", line=2), marked(3, 101, b"m3", form="JE", line=3)]
    assert counting(*history) == (2, 3, 3)
    found = {r.nut: r.telt for r in rows([*levering(0, 100), *history]).values() if isinstance(r, MetingRow)}
    assert found == {1: False, 2: True, 3: True}


def test_at_the_end_and_while_running_are_one_group() -> None:
    assert counting(marked(1, 95), marked(2, 99, b"m2", form="OD", line=2)) == (2, None, 2)


def test_a_counting_meting_without_a_mark_leaves_the_mark_open() -> None:
    empty = event(meting(102, meting=b"m2", antwoorden={"VR10": 3}), line=2)
    row = traject([*levering(0, 100), marked(7, 101), empty])
    assert (row.nut_ouder, row.zonder_hulp_ouder, row.nut_jeugdige, row.zonder_hulp_jeugdige) == (None, 3, None, None)
    younger = event(meting(101, "JE", meting=b"m3", antwoorden={"VR09A": 6, "VR10": 2}), line=3)
    row = traject([*levering(0, 100), empty, younger])
    assert (row.nut_ouder, row.zonder_hulp_ouder, row.nut_jeugdige, row.zonder_hulp_jeugdige) == (None, 3, 6, 2)


def test_a_meting_that_waits_does_not_count() -> None:
    ((key, row),) = rows([meting(-1, "JD", antwoorden={"VR01": 2, "VR09A": 9})]).items()
    assert (key.aanbieder, key.gemeente, key.jaar) == (AGB, "", 2025)
    assert row == MetingRow(
        vragenlijst="CEM+_2018_JD_v1", groep="jeugdige", soort="duurzaam", informant="Moeder", datum=D - 1, nut=9,
        zonder_hulp=None, antwoorden={"VR01": 2, "VR09A": 9}, traject="", telt=False, wacht="traject", sinds=D,
        aanlevering=DELIVERY, record=1,
    )  # fmt: skip


def test_an_unknown_questionnaire_has_no_group_and_no_traject() -> None:
    """Entry refuses it; a log of another version may hold it."""
    table = of_set(events([*levering(0, 100), meting(100, "XX")]))
    (row,) = (row for _, row in table if isinstance(row, MetingRow))
    assert (row.vragenlijst, row.groep, row.soort, row.traject, row.telt) == ("CEM+_2018_XX_v1", "", "", "", False)


# --- scores -------------------------------------------------------------------------------------------------------


def waiting(doel: int, beoordelaar: str, waarde: int | None, tijd: int) -> ScoreRow:
    """The row of a score in the first line of its delivery, whose assignment is not known."""
    return ScoreRow(
        doel=doel, beoordelaar=beoordelaar, waarde=waarde, tijd=tijd, traject="", wacht="toewijzing",
        sinds=dutch_day(tijd), aanlevering=DELIVERY, record=1,
    )  # fmt: skip


def test_a_score_hangs_on_its_assignment_of_its_provider() -> None:
    assert begin_of_link([*levering(0), score()]) == 0
    assert begin_of_link([*levering(0), score(b"toew0009")]) is None
    assert begin_of_link([*levering(0), event(score(), aanbieder=OTHER)]) is None
    assert begin_of_link([*levering(0), score(None, b"b")]) is None
    assert begin_of_link([*levering(0, 100)[1:], score()]) is None


def test_of_two_trajecten_of_one_assignment_the_last_begun() -> None:
    history = [*levering(200), *levering(0, 100)]
    assert begin_of_link([*history, score()]) == 200
    assert begin_of_link([*reversed(history), score()]) == 200


def test_every_assignment_of_a_chain_is_its_own() -> None:
    history = [*levering(0, 100), *levering(110, toewijzing=b"toew0002")]
    row = traject([*history, score(), event(score(b"toew0002", doel=2, waarde=1), line=2)])
    assert (row.gas, row.scores) == ({"1O": 2, "2O": 1}, 2)


@pytest.mark.parametrize("turn", [1, -1])
@pytest.mark.parametrize(
    ("one", "two"),
    [
        pytest.param(
            event(score(waarde=0, tijd=50), line=9),
            event(score(waarde=2, tijd=51), delivery=OTHER_DELIVERY),
            id="later upload",
        ),
        pytest.param(event(score(waarde=0), delivery=OTHER_DELIVERY), event(score(waarde=2), line=2), id="later line"),
        pytest.param(event(score(waarde=0)), event(score(waarde=2), delivery=OTHER_DELIVERY), id="other delivery"),
    ],
)
def test_of_one_score_the_latest_upload_counts(one: Event, two: Event, turn: int) -> None:
    row = traject([*levering(0), *[one, two][::turn]])
    assert (row.gas, row.scores) == ({"1O": 2}, 1)


@pytest.mark.parametrize("turn", [1, -1])
def test_one_line_with_two_contents_is_the_same_in_either_order_and_keeps_the_first_time(turn: int) -> None:
    twice = events([score(waarde=2, tijd=NEW_YEAR_MS), score(waarde=0, tijd=NEW_YEAR_MS + 1)][::turn])
    assert [row for _, row in of_set(twice)] == [waiting(1, "O", 2, NEW_YEAR_MS)]


def test_goals_are_counted_and_problems_kept_by_rater() -> None:
    goals = [2, 2, 1, 0, -1, None]
    history = [event(score(doel=doel, waarde=w), line=doel) for doel, w in enumerate(goals, 1)]
    problems = (("B", 1), ("O", 2), ("C", 3))
    history += [event(score(doel=0, beoordelaar=who, waarde=w), line=20 + w) for who, w in problems]
    row = traject([*levering(0), *history])
    assert row.gas == {"1O": 2, "2O": 2, "3O": 1, "4O": 0, "5O": -1}
    assert (row.gas_gescoord, row.gas_bereikt, row.gas_deels, row.scores) == (5, 2, 3, 9)
    assert (row.probleem_behandelaar, row.probleem_ouder, row.probleem_client) == (1, 2, 3)


def test_parent_and_client_score_one_goal_apart() -> None:
    row = traject([*levering(0), score(waarde=2), event(score(beoordelaar="C", waarde=0), line=2)])
    assert row.gas == {"1O": 2, "1C": 0}


@pytest.mark.parametrize(("tijd", "jaar"), [(NEW_YEAR_MS - 1, 2025), (NEW_YEAR_MS, 2026)])
def test_the_row_of_a_score(tijd: int, jaar: int) -> None:
    ((key, row),) = rows([score(doel=10, beoordelaar="C", waarde=None, tijd=tijd)]).items()
    assert (key.aanbieder, key.gemeente, key.jaar) == (AGB, "", jaar)
    assert row == waiting(10, "C", None, tijd)


# --- declarations, keys -------------------------------------------------------------------------------------------


def test_declared_lines_hang_on_their_assignment_of_their_provider() -> None:
    history = [*levering(0, 100), *levering(110, toewijzing=b"toew0002"), *by(OTHER, *levering(0))]
    lines = [
        prestatie("1"),
        prestatie("2", toewijzing=b"toew0002"),
        prestatie("3", toewijzing=b"toew0009"),
        event(prestatie("1"), aanbieder=OTHER),
    ]
    found = {(k.aanbieder, r.declaraties) for k, r in rows([*history, *lines]).items() if isinstance(r, TrajectRow)}
    assert found == {(AGB, 2), (OTHER, 1)}


@pytest.mark.parametrize(
    ("gemeente", "current", "cluster"),
    [
        ("0363", "0363", "Amsterdam"),
        ("0457", "0363", "Amsterdam"),
        ("0370", "0439", "Zaanstreek-Waterland"),
        ("0034", "0034", ""),
        ("9999", "9999", ""),
    ],
)
def test_every_row_stands_under_the_current_municipality(gemeente: str, current: str, cluster: str) -> None:
    history = [
        *levering(0, 100, gemeente=gemeente),
        meting(100),
        score(),
        prestatie(gemeente=gemeente),
    ]
    table = rows(history)
    assert {key.gemeente for key in table} == {current}
    assert len(table) == 3
    row = traject(history)
    assert (row.cluster, row.declaraties) == (cluster, 1)


@pytest.mark.parametrize("turn", [1, -1])
def test_of_two_begun_on_one_day_the_one_without_number_comes_first(turn: int) -> None:
    without, numbered = (
        levering(0, toewijzing=None, code="A", leeftijd=7),
        levering(0, toewijzing=b"A", code="B", leeftijd=8),
    )
    row = traject([*without, *numbered][::turn])
    assert (row.leeftijd, row.code, row.leveringen) == (7, "B", 2)


def test_rows_of_two_providers_never_share_a_key() -> None:
    history = [*levering(0), meting(50, "OD"), score()]
    table = rows([*history, *by(OTHER, *history)])
    assert len({key.number for key in table}) == len(table) == 6


def test_what_differs_in_a_key_differs_in_the_number() -> None:
    """One of each that differs from the first in a single part."""
    one: dict[str, Any] = {"begin": 0, "end": 100}
    parts: tuple[dict[str, Any], ...] = (
        {},
        {"begin": 1},
        {"toewijzing": b"toew0002"},
        {"code": ""},
        {"categorie": "54"},
        {"gemeente": "0384"},
        {"gemeente": "0457"},
    )
    waits = [levering(**one | part)[1] for part in parts]
    runs = [levering(**one | part)[0] for part in ({}, {"categorie": "54"}, {"gemeente": "0384"})]
    scored = [
        score(),
        score(doel=2),
        score(beoordelaar="C"),
        score(b"toew0002"),
        score(NUMBER, b"b"),
        score(None, b"b"),
    ]
    single: list[Fact] = [*scored, meting(0), meting(0, meting=b"m2")]
    named = [event(fact, line=n) for n, fact in enumerate(single, 1)]
    for history in (waits, runs, named):
        table = rows(history)
        assert len({key.number for key in table}) == len(table) == len(history)


#: A traject, a stop that waits, a meting, a score.
FROZEN = {
    "12345678|0363|2026|d2b51f53008af31f",
    "12345678|0363|2026|478ba90605799421",
    "12345678|0363|2026|847a7baf7a65bb94",
    "12345678|0363|1970|0e306b318b7c0257",
}


def test_the_numbers_are_frozen() -> None:
    """They stand in tables and logs: another way of numbering would leave every row behind under its old key."""
    history = [
        *levering(0, 100),
        *levering(5, 100, toewijzing=b"toew0002", categorie="54")[1:],
        meting(100, meting=b"m1"),
        score(tijd=50),
    ]
    assert {key.text for key in rows(history)} == FROZEN
    facts = fact_set(history[:1])
    (one,), (other,) = rows_of(CLIENT, facts), rows_of(b"p1.jeugd.0.BBBBBBBBBBBBBBBBBBBBBB", facts)
    assert one.number != other.number


# --- what is given out --------------------------------------------------------------------------------------------


def test_a_row_is_given_out_when_it_changed_and_once_when_it_is_gone() -> None:
    person = Person()

    def given(version: int, *told: Told) -> list[Issued]:
        return fold_rows(CLIENT, person, events(told), version, version)

    (start, stop), (other,) = levering(0, 100), levering(0, categorie="54", toewijzing=b"toew0002")
    ((key, row),) = given(0, start)
    assert isinstance(row, TrajectRow)
    assert row.status == "lopend"
    ((key_2, row_2),) = given(1, other)
    assert key_2 != key
    assert given(2, start) == []  # the same again: nothing to say
    assert [u.key for u in given(3, stop)] == [key]
    removed = levering(0, 100, status=3, signed=501, bericht=b"3")
    assert given(4, *removed) == [Issued(key, None)]
    assert given(5, start) == []  # once is enough
    assert sorted(given(5, start), key=lambda u: u.row is None) == [
        Issued(key_2, row_2),
        Issued(key, None),
    ]  # folded before: everything again
    returned = levering(0, status=1, signed=502, bericht=b"4")
    assert [u.key for u in given(6, *returned)] == [key]
    assert person.version == 6
    assert given(2, start) != []
    assert person.version == 6  # a version never goes back
