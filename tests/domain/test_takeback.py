"""What was sent can be taken back: it counts as never sent, for every fact, in any order, until it is sent again."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable
from itertools import permutations
from typing import get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.care.fold import rows_of
from domain.care.rows import CareRow, RowKey, ScoreRow, TrajectRow
from domain.care.withdrawals import taken_back, valid
from domain.facts.fact import Dubbel, Event, Fact, Teruggenomen
from domain.facts.fact_set import FactSet, add
from tests.build import (
    CLIENT,
    DELIVERY,
    OTHER_DELIVERY,
    D,
    Told,
    cbs_record,
    dubbel,
    event,
    events,
    fact_set,
    intrekking,
    prestatie,
    prestatie_retour,
    score,
    start,
    stop,
    teruggenomen,
    toewijzing,
    trajecten,
    vervanging,
)
from tests.domain.test_fact_set import KINDS
from tests.domain.test_fact_set import events as any_events
from tests.domain.test_packed import life
from tests.oracle.compare import difference, of_log, of_set

GONE = "0" * 32
T1, AGAIN, T2 = 1_000, 2_000, 3_000


def told_of(history: Iterable[Event], delivery: str, terug: int) -> list[Event]:
    """What the stage tells a client of whom a delivery told: one fact for each of its events, as ``streams.takeback``
    makes them.
    """
    return [
        replace(
            each,
            published_at=terug,
            fact=teruggenomen(delivery, terug, each.published_at * (each.published_at > terug)),
        )
        for each in history
        if each.delivery == delivery
    ]


def without(history: Iterable[Event], delivery: str) -> list[Event]:
    return [each for each in history if each.delivery != delivery]


def table(history: Iterable[Event]) -> dict[RowKey, CareRow]:
    return rows_of(CLIENT, fact_set(history))


care = any_events.filter(lambda each: not isinstance(each.fact, Teruggenomen))


@pytest.mark.parametrize("kind", range(len(get_args(Fact)) - 1))
@settings(max_examples=60, deadline=None)
@given(st.lists(care, max_size=12), st.data(), st.randoms(use_true_random=False))
def test_taken_back_is_as_never_sent(kind: int, others: list[Event], data: st.DataObject, rng: random.Random) -> None:
    """For every fact, wherever the taking back stands, however often anything came, however the log is cut."""
    of_kind = [event(fact, delivery=GONE) for fact in data.draw(st.lists(KINDS[kind], min_size=1, max_size=3))]
    history = [*of_kind, *others]
    log = [*history, *told_of(history, GONE, T1)]
    log += [each for each in log if rng.random() < 0.3]
    rng.shuffle(log)
    cuts = data.draw(st.lists(st.integers(0, len(log)), max_size=4))
    assert dict(of_log(log, cuts)) == table(without(history, GONE))


@settings(max_examples=300, deadline=None)
@given(st.lists(care, min_size=1, max_size=14), st.randoms(use_true_random=False))
def test_sent_again_it_counts_again_and_taken_back_once_more_it_does_not(
    history: list[Event], rng: random.Random
) -> None:
    again = [replace(each, published_at=AGAIN) for each in history if each.delivery == GONE]
    whole = [*history, *again]
    first = [*whole, *told_of(whole, GONE, T1)]
    rng.shuffle(first)
    assert table(first) == table(history)
    second = [*first, *told_of(whole, GONE, T2)]
    rng.shuffle(second)
    assert table(second) == table(without(history, GONE))
    third = [replace(each, published_at=T2 + 1) for each in again]
    last = [*second, *third, *told_of(third, GONE, T1), *told_of(third, GONE, T2)]
    rng.shuffle(last)
    assert table(last) == table(history)


@settings(max_examples=200, deadline=None)
@given(st.lists(care, max_size=14), st.lists(st.sampled_from("012"), min_size=1, max_size=3, unique=True))
def test_several_are_taken_back_at_once(history: list[Event], gone: list[str]) -> None:
    log, left = list(history), history
    for letter in gone:
        log += told_of(history, letter * 32, T1)
        left = without(left, letter * 32)
    assert table(log[::-1]) == table(left)


def test_nothing_is_copied_while_nothing_is_taken_back() -> None:
    facts = fact_set([start(), teruggenomen(OTHER_DELIVERY, 5, 6)])
    assert valid(facts) is facts
    assert taken_back(facts) == frozenset()


# --- a message counts once, by whatever deliveries it came ------------------------------------------------------------


def test_of_two_deliveries_of_one_message_the_other_stays() -> None:
    twice: list[Told] = [start(), stop(), prestatie(), event(start(), delivery=OTHER_DELIVERY)]
    twice += [event(stop(), delivery=OTHER_DELIVERY), event(prestatie(), delivery=OTHER_DELIVERY, line=7)]
    once = trajecten(start(), stop(), prestatie())
    assert trajecten(*twice) == once
    assert trajecten(*twice, teruggenomen(DELIVERY)) == once
    assert trajecten(*twice, teruggenomen(OTHER_DELIVERY)) == once
    assert trajecten(*twice, teruggenomen(DELIVERY), teruggenomen(OTHER_DELIVERY)) == []


def test_a_removal_that_is_taken_back_removes_nothing() -> None:
    history = events([start(), event(start(status=3, signed=9), delivery=OTHER_DELIVERY)])
    assert trajecten(*history) == []
    (row,) = trajecten(*history, teruggenomen(OTHER_DELIVERY))
    assert row.status == "lopend"


def test_a_message_twice_in_two_deliveries_is_not_delivered_twice() -> None:
    """TR074 is about two messages; the same message in two files is one."""
    (row,) = trajecten(start(), event(start(), delivery=OTHER_DELIVERY))
    assert "TR074" not in row.vlaggen


@pytest.mark.parametrize("soort", ["start", "stop", "declaration"])
def test_a_number_used_twice_is_found_by_its_message_alone(soort: str) -> None:
    facts: dict[str, Fact] = {"start": start(), "stop": stop(), "declaration": prestatie()}
    bericht = facts[soort].bericht  # type: ignore[union-attr]
    flag = event(dubbel("TR056", bericht, soort), delivery=OTHER_DELIVERY)
    (row,) = trajecten(start(), stop(), prestatie(), flag)
    assert "TR056" in row.vlaggen
    (row,) = trajecten(start(), stop(), prestatie(), flag, teruggenomen(OTHER_DELIVERY))
    assert "TR056" not in row.vlaggen


# --- answers, versions, redeliveries ----------------------------------------------------------------------------------

ANSWERS = [
    ([start()], intrekking("start", start().bericht)),
    ([start(), stop()], intrekking("stop", stop().bericht)),
    ([start(), prestatie()], prestatie_retour()),
    ([start(), toewijzing()], toewijzing(3, reden_wijziging="13", einddatum=D)),
    ([cbs_record(0, 9)], vervanging(DELIVERY)),
    ([start(), score(waarde=1)], score(waarde=2, day=4)),
]


@pytest.mark.parametrize(
    ("told", "answer"), ANSWERS, ids=lambda one: "" if isinstance(one, list) else type(one).__name__
)
def test_an_answer_that_is_taken_back_takes_nothing_away(told: list[Told], answer: Fact) -> None:
    """JW306, JW325, a removed assignment, a CBS delivery that replaced another: all come by a delivery of their own."""
    answered = [*events(told), event(answer, delivery=OTHER_DELIVERY, line=2)]
    back = event(teruggenomen(OTHER_DELIVERY), delivery=OTHER_DELIVERY)
    assert table(answered) != table(events(told))
    for order in permutations([*answered, back]):
        assert difference(of_set(order), order) == ""
        assert table(order) == table(events(told))


def test_an_answer_outlives_another_answer_that_is_taken_back() -> None:
    answers = [event(intrekking("start", start().bericht), delivery=c * 32) for c in "12"]
    assert trajecten(start(), *answers, teruggenomen("1" * 32)) == []
    assert len(trajecten(start(), *answers, teruggenomen("1" * 32), teruggenomen("2" * 32))) == 1


def test_the_message_that_was_answered_may_be_taken_back_and_sent_again() -> None:
    """JW306: the message is rejected whatever delivery brings it."""
    history = events([start(), event(intrekking("start", start().bericht), delivery=OTHER_DELIVERY)])
    again = event(start(), delivery="c" * 32)
    assert trajecten(*history, again, teruggenomen(DELIVERY)) == []


def test_the_version_before_counts_when_the_newest_assignment_is_taken_back() -> None:
    versions = [event(toewijzing(day, eenheid=f"1{day}"), delivery=f"{day}" * 32) for day in range(9)]
    line = prestatie(eenheid="17", dagtekening=D + 30)
    for gone, broken in (([], True), ([8], False), ([8, 7], True), ([7], True)):
        (row,) = trajecten(start(), *versions, line, *(teruggenomen(f"{day}" * 32) for day in gone))
        assert ("TR341" in row.vlaggen) == broken, gone


def test_an_upload_that_is_taken_back_gives_the_one_before_back() -> None:
    later = event(score(day=5, waarde=0), delivery=OTHER_DELIVERY)
    rows = table(events([score(day=1, waarde=2), later, teruggenomen(OTHER_DELIVERY)]))
    assert [row.waarde for row in rows.values() if isinstance(row, ScoreRow)] == [2]


# --- states of the release before -------------------------------------------------------------------------------------

#: The set of facts as the release before packed it: acts named by their message alone, one version of an assignment.
BEFORE = (
    "9b8496a83132333435363738a430333633c408746f657730303031a23435a53435413031cd4fe682c4084de791c01a42e5439601cd4fe9c0"
    "0cc2a131c4085ad9064db7374bdc9601cd4fefcd4fe10cc2a13196a83132333435363738a430333633c408746f657730303032a23435a534"
    "35413031cd511281c4084db07a70c74b7ad49601cd5115c0c0c3a13196a83132333435363738a430333633c0a0a0cd4fed81c408e8ea992a"
    "bfb170619601cd4ff0c00cc2a13196a83837363534333231a430333633c408746f657730303031a23435a53435413031cd4fe681c4084de7"
    "91c01a42e5439601cd4fe9c00cc2a131839296a83132333435363738a430333633c408746f657730303031a23435a53435413031cd4fe6a2"
    "323081c408fa002986f59a6eff9701cd50b1c0cd50ae0cc2a1319296a83132333435363738a430333633c408746f657730303031a23435a5"
    "3435413031cd4fe6a2333182c4083c3e8ff60f92ddda9701cd50bbc0cd50b80cc2a131c40855b2a51a737a61709703cd50c2c0cd50b8c0c2"
    "a1319296a83837363534333231a430333633c408746f657730303031a23435a53435413031cd4fe6a2333181c4084bb231d785f52d529701"
    "cd5043c0cd50400cc2a1318392a83132333435363738c4013182c408fe06a7215348de729ea430333633c408746f657730303031a23435a5"
    "3435413031c0a144cd4fe6cd500402a23134ccc8cd5009c408646563303030303164c40840bc0fd2778744af9ea430333633c408746f6577"
    "30303031a23435a53435413031c0a144cd4fe6cd500402a23134ccc8cd5018c40864656330303030316492a83132333435363738c4013281"
    "c40880462827b42f6b159ea430333633c408746f657730303031a23435a53435413031c40131a143cd4fe6cd500402a23134ccc8cd5009c0"
    "c092a83132333435363738c4013381c40852ce96c2f3fd427c9ea430333633c408746f657730303032a23435a53435413031c0a144cd4fe6"
    "cd500402a23134ccc8cd5009c4086465633030303031648295a83132333435363738c408746f657730303031c001a14f82c414aaaaaaaaaa"
    "aaaaaaaaaaaaaaaaaaaaaa0000000192cf0000019b7c010400c0c414bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb0001117092cf0000019b864d"
    "bc000095a83132333435363738c0c408626573636830303100a14281c414aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa0000000292cf0000019b"
    "76daa800038292a83132333435363738c4086d6574696e67303182c414aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa0000000195cf0000019f9b"
    "b8b000cd50b3af43454d2b5f323031385f4f455f7631a64d6f6564657282a5565230394108a45652313003c414aaaaaaaaaaaaaaaaaaaaaa"
    "aaaaaaaaaa0000000295cf0000019fa0df0c00cd50b4af43454d2b5f323031385f4f455f7631a64d6f656465728092a83132333435363738"
    "c4086d6574696e67303281c414aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa0000000395cf0000019b76daa800cd4ffaaf43454d2b5f32303138"
    "5f4a445f7631a84a6575676469676582a5565230394108a456523130038293a83132333435363738a430333633c408746f65773030303199"
    "cd4fe800c4081a5ae92b93e088f7a23435a53435413031cd4fe6c0a0a2313493a83132333435363738a430333633c408746f657730303032"
    "99cd4fe900c4089563d8e7ddb818d3a23435a53435413031cd4fe6cd4fe6a23133a231348293a83132333435363738a23032cd4fe682c414"
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa000000019ecf000001a17fce7800a6323032362d31a430303334a23031a23032cd504aa23031a131"
    "0cc208c0c002c414bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb000000049ecf000001a17fce7800a6323032362d31a430303334a23031a0c0a0"
    "a1310cc2c0c0c0c093a83132333435363738a23032cd501881c414aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa000000019ecf0000019b76daa8"
    "01a6323032362d31a430303334a23031a23032cd505ea23033a131c0c2c0c0c0c08192a83132333435363738c4013381c40852ce96c2f3fd"
    "427ca4393333398193a83132333435363738a473746f70c408fa002986f59a6effa4303230308294a83132333435363738a55452303536a5"
    "7374617274c4084de791c01a42e543c094a83132333435363738a55452333134a0c40131c08193a83132333435363738a6323032362d31c4"
    "10bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbc0"
)


def before() -> FactSet:
    return msgspec.msgpack.decode(bytes.fromhex(BEFORE), type=FactSet)


def hashed(told: Event) -> Event:
    """With messages of eight bytes, as ``entry`` makes them."""
    fact = told.fact
    if isinstance(fact, Dubbel):
        return replace(told, fact=replace(fact, sleutel=_hash(fact.sleutel))) if fact.regel == "TR056" else told
    return replace(told, fact=replace(fact, bericht=_hash(fact.bericht))) if hasattr(fact, "bericht") else told


def _hash(number: bytes) -> bytes:
    return hashlib.blake2b(number, digest_size=8).digest()


def history_before() -> list[Event]:
    """What that state was made of."""
    later = (Teruggenomen,)
    return [
        hashed(told)
        for told in events(life())
        if not isinstance(told.fact, later) and told != event(toewijzing(1, volume=6), delivery=OTHER_DELIVERY)
    ]


def test_a_state_of_the_release_before_gives_the_same_rows() -> None:
    assert rows_of(CLIENT, before()) == table(history_before())
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(before()), type=FactSet) == before()


def test_a_message_that_is_in_such_a_state_and_comes_again_counts_once() -> None:
    facts = before()
    for told in history_before():
        add(facts, told)
    assert rows_of(CLIENT, facts) == table(history_before())


def test_a_message_in_such_a_state_stays_for_nobody_knows_its_delivery() -> None:
    facts = before()
    for delivery in (DELIVERY, OTHER_DELIVERY):
        add(facts, event(teruggenomen(delivery)))
    left, all_of_them = valid(facts), valid(before())
    assert (left.starts, left.stops, left.prestaties) == (all_of_them.starts, all_of_them.stops, all_of_them.prestaties)
    assert left.toewijzingen == all_of_them.toewijzingen
    assert (left.scores, left.metingen, left.cbs) == ({}, {}, {})
    assert any(isinstance(row, TrajectRow) for row in rows_of(CLIENT, facts).values())
