"""Which records of a delivery wait: said when it begins, when it changes, when it ends, and again after a crash."""

from __future__ import annotations

import msgspec

from domain.care.fold import Persoon, Wachten, vouw
from domain.care.rows import T_SCORE
from domain.facts.fact import Event, Fact, Score, Start

CLIENT, A, B = b"p1.jeugd.1.abc", "a" * 32, "b" * 32
START = Start("0363", b"nummer01", "45", "45A99", 20_000, 1, 20_010, b"bericht1", None, 12, False, "1")


def score(waarde: int, tijd: int) -> Score:
    return Score(b"nummer01", None, 1, "O", waarde, tijd)


def event(fact: Fact, delivery: str, line: int) -> Event:
    return Event(delivery, line, "12345678", 5, fact)


def test_a_score_waits_until_its_start_comes() -> None:
    persoon = Persoon()
    first = vouw(CLIENT, persoon, [event(score(1, 7), A, 3)], 10, 10).wachten
    assert first == [Wachten(T_SCORE, A, 3, "toewijzing")]
    assert not vouw(CLIENT, persoon, [event(score(1, 7), A, 3)], 11, 11).wachten
    persoon = msgspec.msgpack.decode(msgspec.msgpack.encode(persoon), type=Persoon)
    assert vouw(CLIENT, persoon, [event(START, B, 1)], 12, 12).wachten == [Wachten(T_SCORE, A, 3, "")]


def test_what_was_said_in_a_lost_batch_is_said_again() -> None:
    persoon = Persoon()
    vouw(CLIENT, persoon, [event(score(1, 7), A, 3)], 10, 10)
    vouw(CLIENT, persoon, [event(START, B, 1)], 12, 12)
    assert vouw(CLIENT, persoon, [event(START, B, 1)], 12, 12).wachten == [Wachten(T_SCORE, A, 3, "")]


def test_a_record_that_another_upload_replaced_waits_no_more() -> None:
    persoon = Persoon()
    vouw(CLIENT, persoon, [event(score(1, 7), A, 3)], 10, 10)
    changed = vouw(CLIENT, persoon, [event(score(2, 8), B, 1)], 11, 11).wachten
    assert changed == [Wachten(T_SCORE, A, 3, ""), Wachten(T_SCORE, B, 1, "toewijzing")]


def test_what_never_waited_is_not_mentioned() -> None:
    assert not vouw(CLIENT, Persoon(), [event(START, B, 1), event(score(1, 7), A, 3)], 11, 10).wachten
