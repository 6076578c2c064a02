"""A source that sends more of one guessed number than is kept: does its receipt say who else knows that child?"""

from __future__ import annotations

from collections import Counter

import pytest

from crypto.client_names import ClientNames
from crypto.keys import TrajectoriesKeys
from domain.care.caps import CAPS, FULL_FOR
from domain.facts.fact import Event
from schemas.codec import Codec
from schemas.records import event_to_record
from schemas.topics import EVENTS, LINES
from streams.engine.stage import Record
from streams.trajectories import Trajectories
from tests.build import CLIENT, DELIVERY, by, event, score

_EVENTS, _LINES = Codec(EVENTS), Codec(LINES)
_NAMES = ClientNames(TrajectoriesKeys(b"c" * 32, b"b" * 32))


def told(others: int, count: int = CAPS["scores"].most) -> Counter[tuple[str, str]]:
    """What the receipt of a guess hears, of a child that so many other providers told of before."""
    history: list[Event] = [one for n in range(others) for one in by(f"7000000{n}", score(b"theirs00"))]
    history += [event(score(b"%08d" % n), line=n + 1) for n in range(count)]
    log = [Record(offset, _EVENTS.encode(event_to_record(one)), 0) for offset, one in enumerate(history)]
    outs = Trajectories(_NAMES)(CLIENT, None, log)[1]
    lines = [_LINES.decode(out.value or b"") for out in outs if out.topic == LINES and out.key == DELIVERY.encode()]
    return Counter((line["uitkomst"], line["code"]) for line in lines if line["line"] > 1)


@pytest.mark.parametrize("count", [1, 30, CAPS["scores"].most, CAPS["scores"].most + 100])
def test_beside_one_other_provider_a_receipt_says_what_it_says_alone(count: int) -> None:
    assert told(0, count) == told(1, count)


def test_beside_as_many_as_have_full_caps_a_receipt_says_what_it_says_alone() -> None:
    assert told(0) == told(FULL_FOR - 1)


def test_beside_more_a_receipt_tells_that_they_are_there() -> None:
    """What stays true, and stands on the privacy page: a child with so many providers of one kind can be told by it."""
    assert told(0) != told(FULL_FOR)
