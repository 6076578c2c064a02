"""What must stay as it is, or is decided by one comparison alone: keys of rows, the packed state, ties between uploads."""

from __future__ import annotations

from typing import Any

import pytest

from domain.care.fold import Person, fold_rows
from domain.care.rows import MetingRow, ScoreRow, TrajectRow
from domain.facts.fact import CbsRecord, Event, Fact, Meting, Score, Start, Stop
from domain.field import questionnaires
from domain.field.dates import iso_day
from domain.field.questionnaires import Subject
from tests.oracle.compare import CLIENT, difference, of_set

AGB, OTHER = "12345678", "87654321"
DAY = iso_day("2026-01-01")
DAY_MS = 86_400_000
WHAT: dict[str, Any] = {"gemeente": "0363", "categorie": "45", "code": "45A01", "begindatum": DAY}
WHO: dict[str, Any] = {"leeftijd": 12, "leeftijd_benaderd": False, "geslacht": "1", "ingangsdatum": None, "status": 1}
CBS: dict[str, Any] = {
    "gemeente": "0034", "hulpvorm": "02", "verwijzer": "", "crisis": "", "einddatum": DAY + 30, "reden": "01",
    "geslacht": "1", "leeftijd": 9, "leeftijd_benaderd": False, "nut_ouder": None, "zonder_hulp_jeugdige": None,
    "zonder_hulp_ouder": None, "periode": "2026-1",
}  # fmt: skip


def event(fact: Fact, line: int = 1, delivery: str = "a", aanbieder: str = AGB) -> Event:
    return Event(delivery * 32, line, aanbieder, 0, fact)


def start(nummer: bytes | None = b"toew0001", **over: Any) -> Event:
    what = WHAT | WHO | {"dagtekening": DAY + 5, "bericht": b"start", "toewijzing": nummer}
    return event(Start(**what | over))


def agreed(history: list[Event]) -> list[Any]:
    """The rows, once the oracle has the same."""
    table = of_set(history)
    assert difference(table, history) == ""
    return [row for _, row in table]


HISTORY = [
    start(),
    event(Stop(**WHAT | WHO | {"begindatum": DAY + 9}, toewijzing=b"toew0002", dagtekening=DAY + 9, bericht=b"stop",
               reden_beeindiging="31", einddatum=DAY + 20)),
    event(Meting(b"meting01", "CEM+_2018_JD_v1", "Jeugdige", DAY + 5, {"VR09A": 8}, DAY * DAY_MS)),
    event(Score(b"toew0001", None, 1, "O", 2, DAY * DAY_MS)),
    event(Score(None, b"besch001", 0, "B", 3, DAY * DAY_MS), 2),
    event(CbsRecord(**CBS, begindatum=DAY, nut_jeugdige=8, tijd=(DAY + 40) * DAY_MS)),
]  # fmt: skip


def test_the_keys_of_rows_never_change() -> None:
    """They are keys of stored rows: under another number a row would stand twice. Provider and kind are in them."""
    both = [*HISTORY, *(Event(e.delivery, e.line, OTHER, 0, e.fact) for e in HISTORY)]
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
    assert person.out.keys() == {one.sleutel for one in given}


def test_of_two_marks_of_one_day_the_later_upload_counts_whatever_began_last() -> None:
    history = [
        event(CbsRecord(**CBS, begindatum=DAY, nut_jeugdige=3, tijd=(DAY + 41) * DAY_MS), 1, "b"),
        event(CbsRecord(**CBS, begindatum=DAY + 5, nut_jeugdige=8, tijd=(DAY + 40) * DAY_MS), 1, "a"),
    ]
    assert [row.nut_jeugdige for row in agreed(history) if isinstance(row, TrajectRow)] == [3]


@pytest.mark.parametrize(("first", "second", "begin"), [(50, 51, 40), (51, 50, 0), (50, 50, 40)])
def test_a_beschikking_stands_for_the_assignment_of_the_latest_upload_that_names_both(
    first: int, second: int, begin: int
) -> None:
    """Of one moment the later line."""
    history = [
        start(),
        start(b"toew0002", begindatum=DAY + 40, gemeente="0384"),
        event(Score(b"toew0001", b"besch001", 1, "O", 2, first), 1, "b"),
        event(Score(b"toew0002", b"besch001", 1, "O", 2, second), 2, "a"),
        event(Score(None, b"besch001", 2, "C", 1, 60), 3),
    ]
    agreed(history)
    rows = {key.nummer.hex(): row for key, row in of_set(history)}
    (waits,) = (row for row in rows.values() if isinstance(row, ScoreRow) and row.doel == 2)
    traject = rows[waits.traject]
    assert isinstance(traject, TrajectRow)
    assert traject.begindatum == DAY + begin


def test_a_meting_is_confirmed_when_every_topic_of_its_own_version_is(monkeypatch: pytest.MonkeyPatch) -> None:
    code_list = "CEM+_2018_JD_v1"
    topics = {topic: Subject(one.question, "S0", "F") for topic, one in questionnaires.SUBJECTS[code_list].items()}

    def confirmed() -> dict[str, bool]:
        others = event(Meting(b"meting02", "CEM+_2018_OE_v1", "Moeder", DAY, {"VR09A": 8}, DAY * DAY_MS), 9)
        rows = [row for _, row in of_set([*HISTORY, others]) if isinstance(row, MetingRow)]
        return {row.vragenlijst: row.bevestigd for row in rows}

    assert confirmed() == {code_list: False, "CEM+_2018_OE_v1": False, "CBS_v7": True}
    monkeypatch.setitem(questionnaires.SUBJECTS, code_list, topics)
    assert confirmed() == {code_list: True, "CEM+_2018_OE_v1": False, "CBS_v7": True}
    monkeypatch.setitem(questionnaires.SUBJECTS, code_list, topics | {"nut": Subject("VR09A", "", "P")})
    assert not confirmed()[code_list]


def test_a_delivery_of_sixteen_million_lines_still_has_an_order() -> None:
    """The number of a line is kept whole: four bytes, the highest first."""
    late, early = 1 << 24, 3
    score = [event(Score(b"t", None, 1, "O", value, 50), line) for value, line in ((2, late), (1, early))]
    meting = [event(Meting(b"m", "CEM+_2018_OE_v1", "Moeder", DAY, {"VR01": value}, 50), line) for value, line in ((2, late), (1, early))]  # fmt: skip
    for history in (score, score[::-1], meting, meting[::-1]):
        (row,) = agreed(history)
        assert row.record == late
        assert (row.waarde if isinstance(row, ScoreRow) else row.antwoorden["VR01"]) == 2
