"""What follows when the definitions change: the rows that count in the end are those of all facts under the last ones.

A recalculation puts the rows of the facts so far under other definitions in the place of those that were there, and the
live stage goes on under these with the state that it has. Its next event, or a sweep, takes back what is no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.care.fold import Issued, Person, fold, fold_rows
from domain.care.rows import CareRow, RowKey, TrajectRow
from domain.facts.fact import Event
from domain.field.definitions import SHIPPED, Definitions
from tests.build import CLIENT, D, by, event, events, meting, start, stop, teruggenomen
from tests.oracle.compare import disagreement, of_set
from tests.oracle.histories import histories
from tests.oracle.others import NARROW, OTHERS, RENAMED, WIDE
from tests.oracle.texts import AS_SHIPPED, texts_of

Table = dict[RowKey, CareRow]


class Change(NamedTuple):
    """Other definitions from here on. ``taken``: share of the events that is left, in ten parts; ``replaced``: the rows
    of the facts so far were put in the place of those that were there; ``swept``: the stage then gave out its own.
    """

    definitions: Definitions
    replaced: bool
    swept: bool
    taken: int
    again: int


class Stage:
    """The live stage for one client, and the table that its rows are inserted into."""

    def __init__(self) -> None:
        self.blob, self.table, self.told = msgspec.msgpack.encode(Person()), Table(), list[Event]()
        self.definitions = SHIPPED

    def fold(self, batch: Sequence[Event], first: int) -> None:
        """A batch, or none: a sweep; the state is packed in between as a restart does."""
        person = msgspec.msgpack.decode(self.blob, type=Person)
        last = first + len(batch) - 1 if batch else person.version
        self.insert(fold_rows(CLIENT, person, batch, last, first, self.definitions))
        self.blob = msgspec.msgpack.encode(person)

    def insert(self, issued: Iterable[Issued]) -> None:
        for key, row in issued:
            if row is None:
                self.table.pop(key, None)
            else:
                self.table[key] = row

    def change(self, to: Change) -> None:
        """Only a table that the state knows of, or one that is replaced, can be left to the stage."""
        person = msgspec.msgpack.decode(self.blob, type=Person)
        known = person.definitions in ("", self.definitions.id)
        self.definitions = to.definitions
        if to.replaced or not known:
            self.table = dict(of_set(self.told, to.definitions))
        if to.swept:
            self.fold([], person.version)

    def tell(self, some: Sequence[Event], again: int) -> None:
        """New events in one batch, and then some of the last ones once more: the stage died before it said so."""
        first = len(self.told)
        self.told += some
        if some:
            self.fold(some, first)
        if again and self.told:
            self.fold(self.told[-again:], max(0, len(self.told) - again))


MOSTLY, SELDOM = st.sampled_from((True, True, True, False)), st.sampled_from((False, False, True))
#: Few facts that other windows read otherwise, beside whole histories, in which such seldom meet.
FEW = (
    *(start(0), stop(0, 100), start(121, b"toew0002"), stop(121, 200, toewijzing=b"toew0002"), start(260, b"toew0003")),
    *(meting(day, meting=b"meting%02d" % day) for day in (70, 101, 150, 290)),
)
SHORT = st.permutations([event(fact, delivery=f"{line:032x}") for line, fact in enumerate(FEW)])
ANY = st.sampled_from((*OTHERS, SHIPPED))
CHANGES = st.builds(Change, ANY, MOSTLY, SELDOM, st.integers(0, 10), st.integers(0, 3))


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SHORT | histories(), st.sets(st.integers(0, 15), max_size=8), ANY, st.lists(CHANGES, min_size=1, max_size=3))
def test_the_rows_in_the_end_are_those_of_all_facts_under_the_last_definitions(
    told: list[Event], gone: set[int], before: Definitions, changes: list[Change]
) -> None:
    """Some deliveries are taken back at last, so that rows of whatever definitions are no more."""
    taken_back = [replace(told[at], fact=teruggenomen(told[at].delivery, 99)) for at in gone if at < len(told)]
    stage = Stage()
    for to in (Change(before, replaced=False, swept=False, taken=8, again=0), *changes):
        stage.change(to)
        left = told[len(stage.told) :]
        stage.tell(left[: len(left) * to.taken // 10], to.again)
    stage.tell([*told[len(stage.told) :], *taken_back], 0)
    if msgspec.msgpack.decode(stage.blob, type=Person).definitions != stage.definitions.id:
        stage.change(changes[-1]._replace(swept=True))
    assert stage.table == dict(of_set([*told, *taken_back], changes[-1].definitions))


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SHORT | histories(), st.lists(st.integers(0, 40), max_size=2), st.sampled_from(OTHERS))
def test_the_fold_agrees_with_the_second_reading_under_other_definitions(
    history: list[Event], cuts: list[int], definitions: Definitions
) -> None:
    assert disagreement(history, cuts, definitions, texts_of(definitions)) == ""


def test_the_second_reading_has_what_is_shipped_as_written_down() -> None:
    ours, theirs = texts_of(SHIPPED), AS_SHIPPED
    assert {**vars(theirs), "ijw": {code: klasse for code, klasse in theirs.ijw.items() if klasse}} == vars(ours)


LIFE = events([start(0), stop(0, 100), start(121, b"toew0002")])


def test_a_row_that_a_recalculation_gave_out_is_taken_back_by_the_next_event() -> None:
    """Two leveringen with three weeks between them are one traject as shipped, and two under a narrower window: of the
    second the stage knows nothing when it goes on.
    """
    stage = Stage()
    stage.tell(LIFE, 0)
    assert len(stage.table) == 1
    stage.change(Change(NARROW, replaced=True, swept=False, taken=0, again=0))
    assert len(stage.table) == 2
    stage.tell(events([start(121, b"toew0002", status=3, signed=130)]), 0)
    assert [row.einddatum for row in stage.table.values() if isinstance(row, TrajectRow)] == [D + 100]


def test_a_sweep_gives_out_every_row_once_more_under_the_version_of_the_client() -> None:
    person = Person()
    fold_rows(CLIENT, person, LIFE, 2, 0)
    assert person.definitions == SHIPPED.id
    swept = fold(CLIENT, person, [], person.version, person.version, definitions=NARROW)
    assert {issued.key: issued.row for issued in swept.issued if issued.row} == dict(of_set(LIFE, NARROW))
    assert (person.version, person.definitions) == (2, NARROW.id)
    again = fold(CLIENT, person, [], person.version, person.version, definitions=NARROW)
    assert again == swept  # a stage that died in its sweep gives out the same
    assert fold_rows(CLIENT, person, LIFE[:1], 3, 3, NARROW) == []  # and then only what changes


def test_what_waits_is_told_anew_under_other_definitions() -> None:
    """A meting of day 300 after an end on day 100 waits under the windows as shipped and is linked under wider."""
    person, late = Person(), event(meting(300), line=9)
    told = fold(CLIENT, person, [*LIFE[:2], late], 2, 0)
    assert [waits.reden for waits in told.waits] == ["traject"]
    told = fold(CLIENT, person, [], 2, 2, definitions=WIDE)
    assert [waits.reden for waits in told.waits] == [""]


def test_who_may_come_of_age_within_the_window() -> None:
    """Of 16 completed years at an end: 18 after a year and a day at the earliest."""
    for leeftijd, definitions, says in (
        (17, NARROW, True),
        (17, WIDE, True),
        (16, SHIPPED, False),
        (16, RENAMED, True),
        (18, WIDE, False),
    ):
        history = events([start(0), stop(0, 100, leeftijd=leeftijd)])
        assert disagreement(history, [], definitions, texts_of(definitions)) == ""
        (row,) = (row for _, row in of_set(history, definitions) if isinstance(row, TrajectRow))
        assert ("WORDT18" in row.vlaggen) is says


def test_a_client_that_is_new_or_of_these_definitions_gives_out_what_changed() -> None:
    person = Person()
    assert len(fold_rows(CLIENT, person, LIFE[:2], 1, 0, RENAMED)) == 1
    assert person.definitions == RENAMED.id
    other = by("87654321", start(7))
    assert [issued.key.aanbieder for issued in fold_rows(CLIENT, person, other, 2, 2, RENAMED)] == ["87654321"]
    every = fold_rows(CLIENT, person, other, 3, 3, SHIPPED)
    assert {issued.key.aanbieder for issued in every} == {"12345678", "87654321"}
