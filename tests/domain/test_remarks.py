"""Which record of a delivery is told of which flag, in every order, until it no longer holds."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.care import fold as folding
from domain.care.fold import Person, fold
from domain.care.remarks import Remark, pack, unpack
from domain.facts.fact import Event, Fact
from domain.field.geography import LAPSED
from tests.build import CLIENT, D, event, intrekking, prestatie, start, stop, teruggenomen, toewijzing
from tests.oracle.histories import histories

Record = tuple[str, int, str]


def sent(*facts: Fact) -> list[Event]:
    """Each fact in a delivery and a line of its own: the first is record 1."""
    return [event(fact, delivery=f"{n:032x}", line=n) for n, fact in enumerate(facts, 1)]


def told(history: Sequence[Event], cuts: Sequence[int] = ()) -> set[Remark]:
    """What a sender is left with who hears all that the fold tells; the state is packed in between."""
    person, holds = Person(), set[Remark]()
    bounds = sorted({0, len(history), *(cut for cut in cuts if cut < len(history))})
    for first, last in itertools.pairwise(bounds):
        for remark in fold(CLIENT, person, history[first:last], last - 1, first).remarks:
            same = remark._replace(gone=False)
            assert (same in holds) is remark.gone  # nothing is told twice
            (holds.discard if remark.gone else holds.add)(same)
        person = msgspec.msgpack.decode(msgspec.msgpack.encode(person), type=Person)
    return holds


def records(*facts: Fact) -> set[Record]:
    """Kind, number of the fact and rule of what is told, the same in every order."""
    history = sent(*facts)
    found = told(history)
    assert all(remark.delivery == f"{remark.line:032x}" for remark in found)
    for order in itertools.islice(itertools.permutations(history), 0, None, 5):
        assert told(order, range(9)) == found
    return {(remark.kind, remark.line, remark.code) for remark in found}


AGAIN: dict[str, Any] = {"bericht": b"again", "signed": 120}
BESIDE = b"toew0001"
CASES: dict[str, tuple[list[Fact], set[Record]]] = {
    "nothing": ([start(0), stop(0, 100)], set()),
    "TR074: the first is right, the others are not": (
        [start(0, signed=9, bericht=b"b"), start(0), start(0, signed=9, bericht=b"a")],
        {("start", 1, "TR074"), ("start", 3, "TR074")},
    ),
    "TR074: after a removal the next is the first": (
        [start(0), start(0, status=3, signed=10), start(0, signed=11), start(0, signed=12)],
        {("start", 4, "TR074")},
    ),
    "TR074: which of one day was removed is unknown, the later one came again": (
        [
            start(0, signed=10, bericht=b"a"), start(0, signed=10, bericht=b"b"),
            start(0, status=3, signed=10), start(0, signed=12),
        ],
        {("start", 4, "TR074")},
    ),
    "TR415: a third stop that was removed is none": (
        [start(0), stop(0, 100), stop(0, 110, "32"), stop(0, 95, "33"), stop(0, 95, "33", status=3, signed=130)],
        {("stop", 3, "TR415")},
    ),
    "TR415: a pause signed on the day of the end": (
        [start(0), stop(0, 100), stop(0, 110, "32"), stop(0, 100, "20")], {("stop", 3, "TR415")},
    ),
    "TR074: of a stop": ([start(0), stop(0, 100), stop(0, 90, **AGAIN)], {("stop", 3, "TR074")}),
    "TR415: the later final stops": (
        [start(0), stop(0, 100), stop(0, 110, "32"), stop(0, 90, "33", signed=130)],
        {("stop", 3, "TR415"), ("stop", 4, "TR415")},
    ),
    "TR415: the pause after the end": (
        [start(0), stop(0, 100), stop(0, 110, "20"), stop(0, 110, "20", signed=99)],
        {("stop", 3, "TR415"), ("stop", 3, "TR074"), ("stop", 3, "TR413")},
    ),
    "TR415: of two finals of one day the higher message": (
        [start(0), stop(0, 100, bericht=b"b"), stop(0, 100, "32", bericht=b"a")], {("stop", 2, "TR415")},
    ),
    "TR413: the second pause": (
        [start(0), stop(0, 100, "20"), stop(0, 110, "20")], {("stop", 3, "TR074"), ("stop", 3, "TR413")},
    ),
    "TR413: the pause of another start of that day": (
        [start(0), stop(0, 0, "20"), start(0, code="45A02"), stop(0, 0, "20", code="45A02", bericht=b"x")],
        {("stop", 4, "TR413")},
    ),
    "TR414: the stop": ([start(0), stop(0, 100, "20"), stop(0, 90, signed=120)], {("stop", 3, "TR414")}),
    "TR414: of a stop that came again, the last": (
        [start(0), stop(0, 100, "20"), stop(0, 100, signed=110), stop(0, 90, **AGAIN)],
        {("stop", 4, "TR414"), ("stop", 4, "TR074")},
    ),
    "TR326: the later start": ([start(50), start(0)], {("start", 1, "TR326")}),
    "TR071: the last removal": (
        [start(0), start(0, status=3, signed=50), start(0, signed=60), start(0, status=3, signed=200), stop(0, 100)],
        {("start", 4, "TR071")},
    ),
    "TR382: the stop, beside another start": ([start(0), stop(1, 100)], {("stop", 2, "TR382")}),
    "TR378: who names the day": (
        [start(0, gemeente="0034", ingangsdatum=D), stop(0, 100, gemeente="0034")], set(),
    ),
    "TR378: a municipality that lapsed": (
        [start(0, gemeente="0457", ingangsdatum=LAPSED["0457"] - 1), stop(0, 100, gemeente="0457", ingangsdatum=D)],
        {("stop", 2, "TR378")},
    ),
    "TR378: no day is named, the begin counts": (
        [start(0, gemeente="0457"), stop(0, 100, gemeente="0457")], {("start", 1, "TR378"), ("stop", 2, "TR378")},
    ),
    "TR319, TR387: the declared line": (
        [start(0), toewijzing(), prestatie("1", begindatum=D + 1, dagtekening=D)],
        {("declaration", 3, "TR319"), ("declaration", 3, "TR387")},
    ),
    "TR389: the second debit": (
        [start(0), toewijzing(), prestatie("2"), prestatie("1", dagtekening=D + 40)], {("declaration", 4, "TR389")},
    ),
    "TR323: a credit of nothing": ([start(0), toewijzing(), prestatie("2", "9")], {("declaration", 3, "TR323")}),
    "TR385: the assignment is removed by another": (
        [start(0), toewijzing(), toewijzing(99, reden_wijziging="13"), prestatie("1")], set(),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("facts", "expected"), CASES.values(), ids=CASES.keys())
def test_the_record_that_breaks_a_rule_is_told(facts: list[Fact], expected: set[Record]) -> None:
    assert records(*facts) == expected


@pytest.mark.parametrize(
    "later",
    [
        pytest.param(stop(0, 100, status=3, signed=130), id="the first is removed"),
        pytest.param(stop(0, 110, "32", status=3, signed=130), id="the other is removed"),
        pytest.param(intrekking("stop", stop(0, 110, "32").bericht), id="the other is rejected"),
        pytest.param(teruggenomen(f"{3:032x}"), id="its delivery is taken back"),
    ],
)
def test_what_no_longer_breaks_a_rule_is_told_too(later: Fact) -> None:
    person, history = Person(), sent(start(0), stop(0, 100), stop(0, 110, "32"), later)
    remark = Remark("stop", f"{3:032x}", 3, "TR415")
    assert fold(CLIENT, person, history[:3], 2, 0).remarks == [remark]
    assert fold(CLIENT, person, history[3:], 3, 3).remarks == [remark._replace(gone=True)]
    assert fold(CLIENT, person, [], 4, 4).remarks == []
    assert fold(CLIENT, person, history[3:], 3, 3).remarks == [remark._replace(gone=True)]  # a crash: all of it again


def test_a_message_of_two_deliveries_is_told_of_both() -> None:
    twice = [*sent(start(0), stop(0, 100), stop(0, 110, "32")), event(stop(0, 110, "32"), delivery="f" * 32, line=7)]
    assert {(one.delivery, one.line) for one in told(twice)} == {(f"{3:032x}", 3), ("f" * 32, 7)}


def test_of_a_state_that_does_not_tell_the_delivery_nothing_is_told() -> None:
    person = Person()
    fold(CLIENT, person, sent(start(0), start(50), toewijzing(), prestatie("2", "9")), 3, 0)
    for acts in (*person.facts.starts.values(), *person.facts.prestaties.values()):
        for name, act in acts.items():
            acts[name] = act._replace(aanlevering=b"", record=0)  # as release 0.2.0 wrote it
    assert {remark.gone for remark in fold(CLIENT, person, [], 4, 4).remarks} == {True}


def test_of_too_many_the_same_are_told_in_every_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "MOST_REMARKS", 3)
    history = sent(start(0), *(stop(0, 100 + n, "32" if n else "31", signed=100 + n) for n in range(7)))
    found = told(history)
    assert len(found) == 3
    for order in (history, history[::-1], history[3:] + history[:3]):
        person = Person()
        for at, one in enumerate(order):
            fold(CLIENT, person, [one], at, at)
        assert {unpack(key, gone=False) for key, holds in person.remarks.items() if holds} == found
        assert len(person.remarks) <= 3 + 3 + 1  # told in this fold, gone before it


def test_what_is_gone_is_remembered_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "MOST_REMARKS", 2)
    person = Person(remarks={pack("start", bytes(16), line, "TR326"): False for line in range(1, 6)})
    fold(CLIENT, person, [], 1, 1)
    assert [unpack(key, gone=True).line for key in person.remarks] == [4, 5]
    person = Person(remarks={pack("start", bytes(16), line, "TR326"): False for line in range(1, 6)})
    fold(CLIENT, person, sent(start(0), start(50)), 1, 0)
    assert [unpack(key, gone=not holds).line for key, holds in person.remarks.items()] == [4, 5, 2]


@given(st.sampled_from(["start", "stop", "declaration", "assignment"]), st.binary(min_size=16, max_size=16),
       st.integers(1, 2**32 - 1))  # fmt: skip
def test_a_packed_remark_is_read_again(kind: str, delivery: bytes, line: int) -> None:
    assert unpack(pack(kind, delivery, line, "TR415"), gone=True) == Remark(kind, delivery.hex(), line, "TR415", True)


@settings(max_examples=150, deadline=None)
@given(histories(), st.lists(st.integers(0, 40), max_size=4), st.randoms())
def test_remarks_do_not_depend_on_order_or_batches(history: list[Event], cuts: list[int], random: Any) -> None:
    found = told(history, cuts)
    other = list(history)
    random.shuffle(other)
    assert told(other, cuts[:1]) == told(history) == found
