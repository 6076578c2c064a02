"""What must stay as it is, or is decided by one comparison: keys of rows, the packed state, ties between uploads."""

from __future__ import annotations

import pytest

from domain.care.fold import Person, fold_rows
from domain.care.rows import CareRow, MetingRow, ScoreRow, TrajectRow
from domain.facts.fact import Event
from domain.field.definitions import SHIPPED, identified
from domain.field.questionnaires import SUBJECTS, Subject
from tests.build import (
    CLIENT,
    NUMBER,
    OTHER,
    OTHER_DELIVERY,
    D,
    by,
    cbs_record,
    event,
    events,
    meting,
    score,
    start,
    stop,
)
from tests.oracle.compare import difference, of_set


def agreed(history: list[Event]) -> list[CareRow]:
    """The rows, once the oracle has the same."""
    table = of_set(history)
    assert difference(table, history) == ""
    return [row for _, row in table]


HISTORY = events(
    [
        start(),
        stop(9, 20, toewijzing=b"toew0002"),
        meting(5, "JD", informant="Jeugdige", antwoorden={"VR09A": 8}),
        score(),
        event(score(None, b"besch001", doel=0, beoordelaar="B", waarde=3), line=2),
        cbs_record(0, 30, nut_jeugdige=8),
    ]
)


def test_the_keys_of_rows_never_change() -> None:
    """They are keys of stored rows: under another number a row would stand twice. Provider and kind are in them."""
    both = [*HISTORY, *by(OTHER, *HISTORY)]
    keys = [key.text for key, _ in of_set(both)]
    assert sorted(keys) == KEYS
    assert len(set(keys)) == len(keys) == 14
    assert not set(keys) & {key.text for key, _ in fold_rows(b"p1.jeugd.0.B", Person(), both, 1, 0)}


KEYS = [
    "12345678|0034|2026|40918b8dc7d2a820",
    "12345678|0034|2026|75cd25d637c0c199",
    "12345678|0363|2026|0e306b318b7c0257",
    "12345678|0363|2026|6bcf8406ea3dc0c3",
    "12345678|0363|2026|915ba23344a32334",
    "12345678|0363|2026|d2b51f53008af31f",
    "12345678||2026|6c3158f1a3adaa80",
    "87654321|0034|2026|336f17877d40ac95",
    "87654321|0034|2026|5c51d613ef583ed3",
    "87654321|0363|2026|35be1daa2d7ad5db",
    "87654321|0363|2026|9328a311c65c2e52",
    "87654321|0363|2026|9b5a84f4ba9e2461",
    "87654321|0363|2026|f04c7298fb0af201",
    "87654321||2026|3e9198a39f5a5219",
]


def test_the_state_keeps_eight_bytes_of_every_row() -> None:
    person = Person()
    given = fold_rows(CLIENT, person, HISTORY, 1, 0)
    assert {len(print_) for print_ in person.out.values()} == {8}
    assert person.out.keys() == {one.key for one in given}


def test_of_two_marks_of_one_day_the_later_upload_counts_whatever_began_last() -> None:
    later = event(cbs_record(0, 30, day=41, nut_jeugdige=3), delivery=OTHER_DELIVERY)
    history = events([later, cbs_record(5, 30, day=40, nut_jeugdige=8)])
    assert [row.nut_jeugdige for row in agreed(history) if isinstance(row, TrajectRow)] == [3]


@pytest.mark.parametrize(("first", "second", "begin"), [(50, 51, 40), (51, 50, 0), (50, 50, 40)])
def test_a_beschikking_stands_for_the_assignment_of_the_latest_upload_that_names_both(
    first: int, second: int, begin: int
) -> None:
    """Of one moment the later line."""
    history = events(
        [
            start(),
            start(40, b"toew0002", gemeente="0384"),
            event(score(NUMBER, b"besch001", tijd=first), delivery=OTHER_DELIVERY),
            event(score(b"toew0002", b"besch001", tijd=second), line=2),
            event(score(None, b"besch001", doel=2, beoordelaar="C", waarde=1, tijd=60), line=3),
        ]
    )
    agreed(history)
    rows = {key.number.hex(): row for key, row in of_set(history)}
    (waits,) = (row for row in rows.values() if isinstance(row, ScoreRow) and row.doel == 2)
    traject = rows[waits.traject]
    assert isinstance(traject, TrajectRow)
    assert traject.begindatum == D + begin


def test_a_meting_is_confirmed_when_every_topic_of_its_own_version_is() -> None:
    questionnaire = "CEM+_2018_JD_v1"
    topics = {topic: Subject(one.question, "S0", "F") for topic, one in SUBJECTS[questionnaire].items()}

    def confirmed(told: dict[str, Subject]) -> dict[str, bool]:
        definitions = identified(SHIPPED._replace(subjects={**SUBJECTS, questionnaire: told}))
        others = event(meting(meting=b"meting02"), line=9)
        rows = [row for _, row in of_set([*HISTORY, others], definitions) if isinstance(row, MetingRow)]
        return {row.vragenlijst: row.bevestigd for row in rows}

    as_shipped = dict(SUBJECTS[questionnaire])
    assert confirmed(as_shipped) == {questionnaire: False, "CEM+_2018_OE_v1": False, "CBS_v7": True}
    assert confirmed(topics) == {questionnaire: True, "CEM+_2018_OE_v1": False, "CBS_v7": True}
    assert not confirmed(topics | {"nut": Subject("VR09A", "", "P")})[questionnaire]


def test_a_delivery_of_sixteen_million_lines_still_has_an_order() -> None:
    """The number of a line is kept whole: four bytes, the highest first."""
    late, early = 1 << 24, 3
    places = ((2, late), (1, early))
    scored = [event(score(waarde=value), line=line) for value, line in places]
    measured = [event(meting(antwoorden={"VR01": value}), line=line) for value, line in places]
    for history in (scored, scored[::-1], measured, measured[::-1]):
        (row,) = agreed(history)
        assert isinstance(row, ScoreRow | MetingRow)
        assert row.record == late
        assert (row.waarde if isinstance(row, ScoreRow) else row.antwoorden["VR01"]) == 2
