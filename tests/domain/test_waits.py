"""Which records of a delivery wait: said when it begins, when it changes, when it ends, and again after a crash."""

from __future__ import annotations

import msgspec

from domain.care.fold import Person, Waits, fold
from domain.care.rows import T_SCORE
from domain.facts.fact import Event
from tests.build import CLIENT, event, score, start
from tests.build import DELIVERY as A
from tests.build import OTHER_DELIVERY as B

START = event(start(), delivery=B)


def scored(waarde: int, tijd: int, delivery: str, line: int) -> Event:
    return event(score(waarde=waarde, tijd=tijd), delivery=delivery, line=line)


def test_a_score_waits_until_its_start_comes() -> None:
    person = Person()
    first = fold(CLIENT, person, [scored(1, 7, A, 3)], 10, 10).waits
    assert first == [Waits(T_SCORE, A, 3, "toewijzing")]
    assert not fold(CLIENT, person, [scored(1, 7, A, 3)], 11, 11).waits
    person = msgspec.msgpack.decode(msgspec.msgpack.encode(person), type=Person)
    assert fold(CLIENT, person, [START], 12, 12).waits == [Waits(T_SCORE, A, 3, "")]


def test_what_was_said_in_a_lost_batch_is_said_again() -> None:
    person = Person()
    fold(CLIENT, person, [scored(1, 7, A, 3)], 10, 10)
    fold(CLIENT, person, [START], 12, 12)
    assert fold(CLIENT, person, [START], 12, 12).waits == [Waits(T_SCORE, A, 3, "")]


def test_a_record_that_another_upload_replaced_waits_no_more() -> None:
    person = Person()
    fold(CLIENT, person, [scored(1, 7, A, 3)], 10, 10)
    changed = fold(CLIENT, person, [scored(2, 8, B, 1)], 11, 11).waits
    assert changed == [Waits(T_SCORE, A, 3, ""), Waits(T_SCORE, B, 1, "toewijzing")]


def test_what_never_waited_is_not_mentioned() -> None:
    assert not fold(CLIENT, Person(), [START, scored(1, 7, A, 3)], 11, 10).waits
