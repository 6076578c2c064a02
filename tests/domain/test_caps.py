"""What one client may hold: the laws of the caps, and how large and slow the worst client is that senders can make."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.care.caps import CAPS, LIMITS, MOST_PROVIDERS, Cap, Limits, trim
from domain.care.fold import MOST_GONE, Folded, Person, Refused, all_rows, fold
from domain.care.rows import CareRow, RowKey, TrajectRow
from domain.facts.fact import Event
from domain.facts.fact_set import FactSet, add
from domain.facts.identity import UploadKey
from domain.field.messages import MESSAGES
from domain.field.rules import FULL
from tests.build import CLIENT, DAY_MS, D, event, fact_set, intrekking, meting, score, start
from tests.oracle.histories import histories

#: So few that generated histories go far over them; a third provider makes the cap smaller, a fourth is too many.
FEW = Limits(dict.fromkeys(CAPS, Cap(3, 1)), 3)
PROVIDERS = tuple(f"0000000{n}" for n in range(5))
UPLOADED = {"scores": "score", "metingen": "cem", "cbs": "cbs"}


class Ended(NamedTuple):
    """What stays of a log: the state, and what readers of rows and lines know."""

    facts: FactSet
    over: set[tuple[str, str]]
    table: dict[RowKey, CareRow]
    refused: set[Refused]


def _again(person: Person) -> Person:
    """The state after a restart."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(person), type=Person)


class Log:
    """Folds a log in batches; a batch may be lost on its way out, as in a crash after the changelog."""

    def __init__(self, told: Sequence[Event], most: Limits) -> None:
        self.told, self.most, self.person = told, most, Person()
        self.table: dict[RowKey, CareRow] = {}
        self.refused: set[Refused] = set()

    def batch(self, first: int, last: int, *, lost: bool = False) -> Folded:
        self.person = _again(self.person)
        folded = fold(CLIENT, self.person, self.told[first:last], last - 1, first, self.most)
        if not lost:
            self.refused |= set(folded.refused)
            for key, row in folded.issued:
                self.table[key] = row  # type: ignore[assignment]
        return folded

    def ended(self) -> Ended:
        table = {key: row for key, row in self.table.items() if row is not None}
        return Ended(self.person.facts, set(self.person.over), table, self.refused)


def in_batches(told: Sequence[Event], cuts: Iterable[int], most: Limits = FEW) -> Ended:
    log, bounds = Log(told, most), sorted({0, len(told), *(cut for cut in cuts if cut < len(told))})
    for first, last in pairwise(bounds):
        log.batch(first, last)
    return log.ended()


def at_once(told: Iterable[Event], most: Limits = FEW) -> Ended:
    """What must come out: the whole set, then the caps. Every record that is not held in the end is refused."""
    facts = FactSet()
    for one in told:
        add(facts, one)
    sent = records(facts)
    table = all_rows(CLIENT, facts, most)
    over = trim(CLIENT, fact_set(told), most).excess
    return Ended(facts, {(one.kind, one.aanbieder) for one in over if not one.everything}, table, sent - records(facts))


def records(facts: FactSet) -> set[Refused]:
    """Every record of a delivery that the set holds."""
    return {
        Refused(kind, key.aanbieder, name)
        for field, kind in UPLOADED.items()
        for key, acts in getattr(facts, field).items()
        for name in acts
    }


@st.composite
def floods(draw: st.DrawFn) -> list[Event]:
    """A history with more providers and more records of each than the caps allow, twice in another order."""
    told = list(draw(histories()))
    for number in range(draw(st.integers(0, 14))):
        provider = draw(st.sampled_from(PROVIDERS))
        fact = draw(st.sampled_from((
            score(b"toew%04d" % number), start(number), meting(number, meting=b"%08d" % number),
            intrekking("start", b"%08d" % number),
        )))  # fmt: skip
        told.append(event(fact, aanbieder=provider, delivery=f"{number % 3:032x}", line=number + 1))
    return told


@given(floods(), st.data())
def test_order_repetition_and_batches_change_nothing(told: list[Event], data: st.DataObject) -> None:
    wanted = at_once(told)
    again = [*told, *data.draw(st.lists(st.sampled_from(told), max_size=5))] if told else []
    order = data.draw(st.permutations(again))
    assert in_batches(order, data.draw(st.sets(st.integers(1, 40)))) == wanted


@given(floods(), st.data())
def test_a_batch_that_is_lost_on_its_way_out_is_told_when_it_comes_again(
    told: list[Event], data: st.DataObject
) -> None:
    """The record that made room for another is in no batch that comes again, so the state must know it."""
    log, place = Log(told, FEW), 0
    while place < len(told):
        last = data.draw(st.integers(place + 1, len(told)))
        for _ in range(data.draw(st.integers(0, 2))):  # crashes: the state is kept, what it gave out is not
            log.batch(place, last, lost=True)
            last = data.draw(st.integers(last, len(told)))
        log.batch(place, last)
        place = last
    assert log.ended() == at_once(told)


def test_an_ordinary_client_is_not_touched() -> None:
    told = [event(score(b"toew%04d" % n), line=n + 1) for n in range(CAPS["scores"].least)]
    ended = in_batches(told, range(1, 30), LIMITS)
    assert (ended.over, ended.refused, len(ended.facts.scores)) == (set(), set(), CAPS["scores"].least)


def test_every_kind_of_facts_has_a_cap_that_leaves_room_for_a_life() -> None:
    assert {*FactSet.__struct_fields__} <= CAPS.keys()
    assert all(cap.least >= 20 for cap in CAPS.values())
    assert all(cap.most >= max(150, 2 * cap.least) for cap in CAPS.values())
    assert "K07" in MESSAGES


def flood(provider: str, count: int, first: int = 0) -> list[Event]:
    """Scores of one provider, each under a number of its own."""
    return [
        event(score(b"%08d" % n, tijd=(D + n % 900) * DAY_MS), aanbieder=provider, delivery=f"{n // 1000 + 1:032x}",
              line=n % 1000 + 1)
        for n in range(first, first + count)
    ]  # fmt: skip


def held(facts: FactSet, provider: str) -> int:
    return sum(len(acts) for key, acts in facts.scores.items() if key.aanbieder == provider)


def test_a_flood_takes_no_room_of_another_provider() -> None:
    ours = flood(PROVIDERS[0], 350)
    ended = in_batches([*ours, *flood(PROVIDERS[1], 9_000)], range(0, 9_350, 500), LIMITS)
    assert (held(ended.facts, PROVIDERS[0]), held(ended.facts, PROVIDERS[1])) == (350, CAPS["scores"].most)
    assert ended.over == {("scores", PROVIDERS[1])}
    assert {one.aanbieder for one in ended.refused} == {PROVIDERS[1]}
    assert len(ended.refused) == 9_000 - CAPS["scores"].most


def test_however_many_flood_everybody_keeps_the_least() -> None:
    least = CAPS["scores"].least
    told = [one for n in range(MOST_PROVIDERS) for one in flood(f"{n:08}", least + 10)]
    ended = in_batches(told, range(0, len(told), 700), LIMITS)
    assert {held(ended.facts, f"{n:08}") for n in range(MOST_PROVIDERS)} == {least}


def test_of_too_many_providers_those_stay_whose_rank_no_sender_can_choose() -> None:
    told = [event(score(), aanbieder=f"{n:08}") for n in range(3 * MOST_PROVIDERS)]
    of_one, of_other = fact_set(told), fact_set(told)
    trim(CLIENT, of_one)
    trim(b"another client", of_other)
    assert len(of_one.scores) == len(of_other.scores) == MOST_PROVIDERS
    assert of_one.scores.keys() != of_other.scores.keys(), "a rank is that of a name within one client"


def test_of_too_many_acts_those_stay_whose_rank_no_sender_can_choose() -> None:
    of_one, of_other = fact_set(flood(PROVIDERS[0], 800)), fact_set(flood(PROVIDERS[0], 800))
    trim(CLIENT, of_one)
    trim(b"another client", of_other)
    both = len(of_one.scores.keys() & of_other.scores.keys())
    assert 100 < both < 300, "half of one half, by chance"


def test_the_trajecten_of_a_provider_with_too_much_say_so_and_no_others() -> None:
    told = [*(event(start(0), aanbieder=one) for one in PROVIDERS[:2]), *flood(PROVIDERS[0], 600)]
    rows = in_batches(told, [300], LIMITS).table
    flags = {key.aanbieder: row.vlaggen for key, row in rows.items() if isinstance(row, TrajectRow)}
    assert (FULL in flags[PROVIDERS[0]], FULL in flags[PROVIDERS[1]]) == (True, False)


def test_the_line_of_a_refused_record_is_that_of_its_delivery() -> None:
    one = event(score(b"toew0001"), delivery="c" * 32, line=70_000)
    told = [one, *(event(score(b"toew000%d" % line), line=line) for line in (2, 3, 4))]
    ended = in_batches(told, [1, 2])
    (refused,) = ended.refused
    assert (refused.kind, refused.aanbieder) == ("score", one.aanbieder)
    assert UploadKey.unpack(refused.upload) in {UploadKey(e.line, e.delivery) for e in told}


def test_two_hundred_thousand_scores_leave_a_small_state() -> None:
    """Expected is that k·ln(n/k) of n acts are ever among the k of the lowest rank: about 2,900 of these. What was ever
    given out does not grow beyond what is remembered.
    """
    person, kept, told = Person(), set[bytes](), 0
    everything = flood(PROVIDERS[0], 200_000)
    random.Random(3).shuffle(everything)
    for first in range(0, len(everything), 1_000):
        folded = fold(CLIENT, person, everything[first : first + 1_000], first + 999, first)
        kept |= {name for acts in person.facts.scores.values() for name in acts}
        told += len(folded.refused)
    most = CAPS["scores"].most
    assert told == len(everything) - most
    assert sum(map(len, person.facts.scores.values())) == most
    assert 2 * most < len(kept) < 8 * most
    assert len(person.out) <= 2 * most + MOST_GONE
    assert len(msgspec.msgpack.encode(person)) < 200_000


def test_what_is_gone_is_forgotten_but_never_before_it_was_told_for_sure() -> None:
    """Deleted in the last fold stays known, however much it is: that fold may come again."""
    person, told = Person(), flood(PROVIDERS[0], 300)
    wide = Limits(dict.fromkeys(CAPS, Cap(5_000, 5_000)), 64)
    many = flood(PROVIDERS[1], MOST_GONE + 500)
    fold(CLIENT, person, [*told, *many], 1, 0, wide)
    narrow = Limits(dict.fromkeys(CAPS, Cap(10, 10)), 64)
    first = fold(CLIENT, person, [replace(told[0], line=5_000)], 2, 2, narrow)
    deleted = {key for key, row in first.issued if row is None}
    assert len(deleted) > MOST_GONE
    person = _again(person)
    again = fold(CLIENT, person, [replace(told[0], line=5_000)], 2, 2, narrow)
    assert {key for key, row in again.issued if row is None} == deleted
    fold(CLIENT, person, [replace(told[1], line=5_001)], 3, 3, narrow)
    assert sum(state == b"" for state in person.out.values()) <= MOST_GONE + 2
    assert sum(not state for state in person.wacht.values()) <= MOST_GONE + 2
