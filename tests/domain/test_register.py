"""The register: what one client's facts cannot know, as facts for the clients concerned."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from unittest import mock

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.facts import bounds
from domain.facts.bounds import settle
from domain.facts.number import Number, Record
from domain.facts.register import Effect, fold
from domain.facts.uses import Usage
from tests.oracle.register import Standing, left_out, settled, size, standing, taken_back

D = [f"{digit:x}" * 32 for digit in range(10)]
KEY = b"message1"
KINDS = ("bericht.start", "regels.declaration", "referentie", "declaratienummer")


def use(
    kind: str, client: str, inhoud: bytes, *, plaats: int = 1, records: int = 2, delivery: int = 1, day: int = 0
) -> Record:
    if kind == "referentie":
        bericht = KEY[:-1] + inhoud[:1]
        usage = Usage(kind, KEY, bericht + plaats.to_bytes(4, "big"), bericht, dagtekening=day)
    elif kind == "declaratienummer":
        usage = Usage(kind, KEY, KEY[:-1] + inhoud[:1], KEY[:-1] + inhoud[:1])
    else:
        usage = Usage(kind, KEY, inhoud, KEY, "", records, plaats, day)
    return Record(usage, client, D[delivery], plaats, 3, delivery)


def answer(kind: str, code: str = "0001", *, delivery: int = 8, bericht: bytes = KEY, day: int = 0) -> Record:
    return Record(Usage(kind, KEY, b"", bericht, code, dagtekening=day), None, D[delivery], 1, 1, 9)


def taken(kind: str, delivery: int, terug: int = 0, opnieuw: int = 0) -> Record:
    return Record(Usage(kind, KEY), None, D[delivery], 0, 0, 0, terug, opnieuw)


def cbs(client: str | None, delivery: int, line: int, lines: int = 2) -> Record:
    return Record(Usage("cbs", b"2026-1"), client, D[delivery], line, lines, delivery)


def told(kind: str, records: Sequence[Record], cuts: Sequence[int] = ()) -> tuple[list[Effect], Number]:
    """What is given out over batches cut at these places, the state packed in between; and the state at rest."""
    blob, out, key = msgspec.msgpack.encode(Number()), [], b"2026-1" if kind == "cbs" else KEY
    edges = sorted({0, *(cut for cut in cuts if cut < len(records)), len(records)})
    for first, last in pairwise(edges):
        number = msgspec.msgpack.decode(blob, type=Number)
        out += fold(number, records[first:last], kind, key, everything=False)
        blob = msgspec.msgpack.encode(number)
    number = msgspec.msgpack.decode(blob, type=Number)
    settle(number, kind, key)
    return out, number


def holds(kind: str, records: Sequence[Record], cuts: Sequence[int] = ()) -> Standing:
    return settled(told(kind, records, cuts)[0], taken_back(records), records)


#: Days on which a message was signed; 0 = not known, -1 the day before 1970.
days = st.sampled_from([0, 0, -1, 20_000])
uses = st.builds(
    use,
    st.shared(st.sampled_from(KINDS), key="kind"),
    st.sampled_from(["p1", "p2", "p3"]),
    st.sampled_from([b"a" * 16, b"b" * 16]),
    plaats=st.integers(1, 3),
    records=st.sampled_from([0, 2, 3]),
    delivery=st.integers(1, 4),
    day=days,
)
answers = st.builds(
    answer,
    st.shared(st.sampled_from(KINDS), key="kind"),
    st.sampled_from(["0001", "9056"]),
    delivery=st.integers(7, 8),
    bericht=st.sampled_from([KEY, KEY[:-1] + b"a"]),
    day=days,
)
of_cbs = st.builds(cbs, st.sampled_from(["p1", "p2", None]), st.integers(1, 6), st.integers(1, 2))
moments = st.tuples(st.integers(0, 3), st.integers(0, 3)).filter(any)
back = st.builds(
    lambda kind, delivery, moments: taken(kind, delivery, *moments),
    st.shared(st.sampled_from(KINDS), key="kind"),
    st.integers(1, 8),
    moments,
)
cuts = st.lists(st.integers(1, 20), max_size=5)


@given(st.shared(st.sampled_from(KINDS), key="kind"), st.lists(st.one_of(uses, uses, answers, back), max_size=14), cuts)
def test_whatever_the_order_and_the_batches_what_stands_is_what_the_definitions_say(
    kind: str, records: list[Record], cut: list[int]
) -> None:
    assert holds(kind, records, cut) == standing(kind, records)


@given(st.lists(st.one_of(of_cbs, of_cbs, of_cbs, back), max_size=14), cuts)
def test_cbs_in_any_order_what_stands_is_what_the_definitions_say(records: list[Record], cut: list[int]) -> None:
    assert holds("cbs", records, cut) == standing("cbs", records)


@given(st.data(), st.shared(st.sampled_from(KINDS), key="kind"), st.lists(st.one_of(uses, answers, back), max_size=9))
def test_order_repetition_and_batches_leave_no_trace_in_the_state(
    data: st.DataObject, kind: str, records: list[Record]
) -> None:
    other = data.draw(st.permutations(records + records[:4]))
    assert told(kind, other, data.draw(cuts))[1] == told(kind, records)[1]


@given(st.shared(st.sampled_from(KINDS), key="kind"), st.lists(st.one_of(uses, answers, back), max_size=9), cuts)
def test_a_batch_that_comes_again_gives_everything_again(kind: str, records: list[Record], cut: list[int]) -> None:
    number = told(kind, records, cut)[1]
    again = fold(number, records[-2:], kind, KEY, everything=True)
    assert settled(again, taken_back(records), records) == standing(kind, records)


# --- beyond the bound ---------------------------------------------------------------------------------------------

MOST = 700  # bytes: about three uses


@given(
    st.data(),
    st.shared(st.sampled_from(KINDS), key="kind"),
    st.lists(st.one_of(uses, uses, answers), max_size=14),
)
def test_what_is_left_out_is_left_out_in_every_order(data: st.DataObject, kind: str, records: list[Record]) -> None:
    with mock.patch.object(bounds, "MOST_BYTES", MOST):
        found, number = told(kind, records, data.draw(cuts))
        other, same = told(kind, data.draw(st.permutations(records + records[:3])), data.draw(cuts))
    expected = standing(kind, records, MOST)
    for given_out in (found, other):
        stands = settled(given_out, set(), records)
        assert (stands.lines, stands.flagged) == (expected.lines, expected.flagged)
        assert stands.remarks == expected.remarks
        assert stands.withdrawn.keys() == expected.withdrawn.keys()
    assert number == same


@given(st.one_of(st.lists(uses, min_size=1, max_size=9), st.lists(of_cbs, min_size=1, max_size=9)))
def test_what_just_fits_is_kept_and_with_a_byte_less_something_is_not(records: list[Record]) -> None:
    kind = records[0].usage.soort
    whole = size(records)
    for most, kept in ((whole, True), (whole - 1, False)):
        with mock.patch.object(bounds, "MOST_BYTES", most):
            _, number = told(kind, records)
        assert (number.cut == b"") is kept


@given(st.data(), st.lists(st.one_of(of_cbs, of_cbs, back), max_size=16))
def test_of_cbs_the_latest_are_kept_in_every_order(data: st.DataObject, records: list[Record]) -> None:
    with mock.patch.object(bounds, "MOST_BYTES", MOST):
        found, number = told("cbs", records, data.draw(cuts))
        other, same = told("cbs", data.draw(st.permutations(records + records[:3])), data.draw(cuts))
    expected, dead = standing("cbs", records, MOST), taken_back(records)
    for given_out in (found, other):
        stands = settled(given_out, dead, records)
        assert stands.lines == expected.lines
        assert {pair for pair in stands.replaced if pair[1] not in dead} == {
            pair for pair in expected.replaced if pair[1] not in dead
        }
    assert number == same


def test_the_bound_bites_in_these_laws() -> None:
    records = [use("bericht.start", f"p{n}", b"a" * 16, delivery=n) for n in range(1, 6)]
    assert 0 < len(left_out("bericht.start", records, MOST)) < 5


# --- examples -----------------------------------------------------------------------------------------------------


def test_forged_answers_taken_back_restore_every_traject_and_line() -> None:
    kind = "bericht.start"
    sent = [use(kind, f"p{n}", b"%016d" % n, plaats=n, records=3) for n in (1, 2, 3)]
    forged = [answer(kind), answer(kind, "9056", delivery=7)]
    assert holds(kind, [*sent, *forged]).withdrawn == dict.fromkeys(("p1", "p2", "p3"), "9056")
    assert len(holds(kind, [*sent, *forged]).lines) == 3
    one = [*sent, *forged, taken(kind, 7, 5)]
    assert holds(kind, one, range(9)).withdrawn == dict.fromkeys(("p1", "p2", "p3"), "0001")
    both = [*one, taken(kind, 8, 5)]
    assert holds(kind, both, range(9)) == Standing()
    again = [*both, taken(kind, 8, 0, 6)]
    assert holds(kind, again, range(9)).withdrawn == dict.fromkeys(("p1", "p2", "p3"), "0001")


@pytest.mark.parametrize("kind", ["bericht.start", "regels.declaration", "referentie"])
def test_an_answer_is_on_the_message_of_its_dagtekening_alone(kind: str) -> None:
    of_2023, of_2026 = (use(kind, f"p{n}", KEY[-1:] * 16, plaats=n, records=3, day=n, delivery=n) for n in (1, 2))
    found = holds(kind, [of_2023, of_2026, answer(kind, day=1)], range(9))
    assert found.lines == {(D[1], 1): ("ingetrokken", "0001")}
    assert found.withdrawn == ({} if kind == "referentie" else {"p1": "0001"})
    assert len(holds(kind, [of_2023, of_2026, answer(kind)]).lines) == 2  # of release 0.2.0: its day is not known


def test_a_corrected_message_keeps_no_flag_once_the_first_is_taken_back() -> None:
    kind = "bericht.start"
    twice = [use(kind, "p1", b"a" * 16, delivery=1), use(kind, "p1", b"b" * 16, delivery=2)]
    assert holds(kind, twice).flagged == {"p1"}
    assert holds(kind, twice).remarks == {(D[1], 1, "TR056"), (D[2], 1, "TR056")}
    for first in (1, 2):
        stands = holds(kind, [*twice, taken(kind, first, 5)], range(9))
        assert stands.flagged == stands.remarks == set()
        assert holds(kind, [*twice, taken(kind, first, 5), taken(kind, first, 0, 6)], range(9)).remarks


def test_a_cbs_delivery_counts_again_when_the_one_that_replaced_it_is_taken_back() -> None:
    whole = [cbs(f"p{line}", delivery, line) for delivery in (1, 2, 3) for line in (1, 2)]
    assert holds("cbs", whole).replaced == {(f"p{line}", D[d]) for line in (1, 2) for d in (1, 2)}
    third = [*whole, taken("cbs", 3, 5)]
    assert holds("cbs", third, range(12)).replaced == {(f"p{line}", D[1]) for line in (1, 2)}
    assert not holds("cbs", [*third, taken("cbs", 2, 5)], range(12)).replaced


@pytest.mark.parametrize("order", [1, -1])
def test_messages_of_two_sizes_flag_all_their_clients_contents_only_the_rows_that_differ(order: int) -> None:
    kind = "regels.declaration"
    three = [use(kind, f"p{n}", b"%016d" % n, plaats=n, records=3) for n in (1, 2, 3)]
    other = use(kind, "p9", b"x" * 16, plaats=2, records=3, delivery=2)
    assert holds(kind, [*three, other][::order]).flagged == {"p2", "p9"}
    shorter = use(kind, "p1", b"%016d" % 1, plaats=1, records=1, delivery=2)
    assert holds(kind, [*three, shorter][::order]).flagged == {"p1", "p2", "p3"}
    unknown = use(kind, "p9", b"y" * 16, plaats=2, records=0, delivery=2)
    assert not holds(kind, [*three, unknown][::order]).flagged
