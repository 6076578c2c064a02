"""The state of a delivery is a set: any order, any repetition, any split gives the same counts."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from domain.facts.answer import Line, RecordRemark, Sums, counts_of, each, follows, in_one, sums, withdraws
from domain.facts.delivery import (
    MOST_FAULTS,
    MOST_PIECES,
    MOST_REMARK_PIECES,
    MOST_REMARKS,
    NOT_FOLLOWED,
    Aanlevering,
    StoredFault,
    add,
)
from domain.facts.line_numbers import mark

LINES = 30


def line(number: int, code: str = "", *, uitkomst: str = "", at: int = 5, **over: Any) -> Line:
    """One outcome: refused if there is a code, unless ``uitkomst`` says otherwise."""
    fields: dict[str, Any] = {"regel": number, "regels": 0 if code.startswith("K") else 1, "veld": ""}
    return Line(
        delivery="d" * 32, line=number, lines=LINES, kind="score", sender="99000001", test=False, published_at=at,
        uitkomst=uitkomst or ("afgekeurd" if code else "geaccepteerd"), code=code, **(fields | over),
    )  # fmt: skip


#: One outcome per line of a delivery, as entry gives it whatever is delivered again, but for the time of publication.
OUTCOMES = st.lists(st.sampled_from(("", "", "R05", "CS002")), min_size=LINES, max_size=LINES).map(
    lambda codes: {
        n: line(n, code, at=0, regel=10 * n, regels=1 + n % 3, veld="waarde" if code else "")
        for n, code in enumerate(codes, 1)
    }
)


def fresh(lines: int = LINES) -> Aanlevering:
    return Aanlevering("score", "99000001", False, lines)


def shown(fault: Line | StoredFault) -> tuple[object, ...]:
    """What a receipt shows of a refused record."""
    return fault.line, fault.regel, fault.regels, fault.code, fault.veld


def counts(state: Aanlevering) -> tuple[object, ...]:
    """What a receipt counts; the list of errors as a set, for its order is that of arrival."""
    return (
        state.count, state.geaccepteerd, state.regels_geaccepteerd, state.regels_afgekeurd, state.codes,
        state.eerste, state.laatste, state.klaar, state.gezien, {shown(fault) for fault in state.fouten},
    )  # fmt: skip


def again(state: Aanlevering) -> Aanlevering:
    """The state after a restart."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=Aanlevering)


@given(st.lists(st.integers(1, 60)))
def test_intervals_are_a_set(lines: list[int]) -> None:
    intervals: list[list[int]] = []
    seen: set[int] = set()
    for line in lines:
        assert mark(intervals, line) == (line not in seen)
        seen.add(line)
        assert {n for begin, end in intervals for n in range(begin, end + 1)} == seen
        assert all(begin <= end for begin, end in intervals)
        assert all(one[1] + 1 < two[0] for one, two in pairwise(intervals))


@given(st.permutations(range(1, 40)))
def test_a_whole_delivery_is_one_interval(lines: list[int]) -> None:
    intervals: list[list[int]] = []
    for line in lines:
        mark(intervals, line)
    assert intervals == [[1, 39]]


@given(OUTCOMES, st.data())
def test_any_order_repetition_and_restart_gives_the_same_counts(outcomes: dict[int, Line], data: st.DataObject) -> None:
    once = fresh()
    add(once, outcomes.values())
    arrivals = data.draw(st.permutations([*outcomes, *data.draw(st.lists(st.integers(1, LINES)))]))
    state = fresh()
    while arrivals:
        size = data.draw(st.integers(1, len(arrivals)))
        batch, arrivals = arrivals[:size], arrivals[size:]
        add(state, [outcomes[number] for number in batch])
        state = again(state)
    assert counts(state) == counts(once)
    assert state.klaar


@given(OUTCOMES, st.sets(st.integers(1, LINES), max_size=LINES - 1))
def test_counts_are_those_of_the_lines_seen(outcomes: dict[int, Line], seen: set[int]) -> None:
    state = fresh()
    add(state, [outcomes[number] for number in seen])
    good = [outcomes[number] for number in seen if not outcomes[number].code]
    bad = [outcomes[number] for number in seen if outcomes[number].code]
    assert (state.count, state.geaccepteerd, state.klaar) == (len(seen), len(good), False)
    assert state.regels_geaccepteerd == sum(o.regels for o in good)
    assert state.regels_afgekeurd == sum(o.regels for o in bad)
    assert state.codes == {code: sum(o.code == code for o in bad) for code in {o.code for o in bad}}
    assert {(*shown(o), o.published_at) for o in state.fouten} == {(*shown(o), o.published_at) for o in bad}


@given(st.lists(st.tuples(st.integers(1, LINES), st.integers(1, 10**13)), min_size=1))
def test_first_and_last_publication(published: list[tuple[int, int]]) -> None:
    state, kept = fresh(), {}
    for number, moment in published:
        kept.setdefault(number, moment)  # a line that came before changes nothing
        add(state, [line(number, at=moment)])
    assert (state.eerste, state.laatste) == (min(kept.values()), max(kept.values()))


def test_the_list_of_errors_ends_and_the_counts_go_on() -> None:
    state = fresh(2 * MOST_FAULTS)
    add(state, [line(n, "R05") for n in range(1, 2 * MOST_FAULTS + 1)])
    assert len(state.fouten) == MOST_FAULTS
    assert state.codes == {"R05": 2 * MOST_FAULTS}
    assert state.klaar


def test_an_accepted_line_is_not_refused_later() -> None:
    """The first outcome of a line stands: a repeat of the same content cannot have another."""
    state = fresh(1)
    add(state, [line(1), line(1, "R05", at=6)])
    assert (state.geaccepteerd, state.codes, state.fouten) == (1, {}, [])


def withdrawn(number: int) -> Line:
    return line(number, "0001", uitkomst="ingetrokken")


def test_a_record_put_back_replaces_its_unreadable_outcome() -> None:
    state = fresh(2)
    add(state, [line(1, "K01"), line(2)])
    assert (state.geaccepteerd, state.codes, len(state.fouten)) == (1, {"K01": 1}, 1)
    state = again(state)
    add(state, [line(1), line(1), line(1, "K01")])
    assert (state.count, state.geaccepteerd, state.codes, state.fouten) == (2, 2, {}, [])
    assert (state.regels_geaccepteerd, state.regels_afgekeurd, state.klaar) == (2, 0, True)


def test_a_record_put_back_may_be_refused_for_another_reason() -> None:
    state = fresh(1)
    add(state, [line(1, "K01"), line(1, "V01"), line(1)])
    assert (state.count, state.geaccepteerd, state.codes) == (1, 0, {"V01": 1})


def test_a_withdrawn_record_is_counted_once_and_stays_accepted() -> None:
    state = fresh(2)
    add(state, [line(1), withdrawn(1), line(2), withdrawn(1)])
    assert (state.geaccepteerd, state.count_withdrawn, state.codes) == (2, 1, {"0001": 1})
    assert [(fault.line, fault.code) for fault in state.fouten] == [(1, "0001")]


def test_of_two_reasons_the_last_word_is_shown_and_nothing_is_left_when_both_are_taken_back() -> None:
    """The register says the higher of two return codes, whichever came first, and the higher one again at the end."""
    state = fresh(2)
    add(state, [line(1), line(2), withdrawn(1), line(1, "9056", uitkomst="ingetrokken"), withdrawn(2)])
    assert (state.count_withdrawn, state.codes) == (2, {"9056": 1, "0001": 1})
    assert sorted((fault.line, fault.code) for fault in state.fouten) == [(1, "9056"), (2, "0001")]
    add(state, [withdrawn(1), line(1, "9056", uitkomst="hersteld"), line(1, "9056", uitkomst="hersteld")])
    assert (state.count_withdrawn, state.codes) == (1, {"0001": 1})
    assert [(fault.line, fault.code) for fault in state.fouten] == [(2, "0001")]


def test_a_state_of_the_first_release_is_read() -> None:
    old = msgspec.msgpack.encode(["score", "99000001", False, 1, 3, [[1, 1]], 1, 1, 1, 0, {}, [], 5, 5])
    state = msgspec.msgpack.decode(old, type=Aanlevering)
    add(state, [withdrawn(1)])
    assert (state.geaccepteerd, state.count_withdrawn) == (1, 1)


class Before(NamedTuple):
    """A refused record as releases before typed lines read and wrote it."""

    line: int
    regel: int
    regels: int
    code: str
    veld: str
    published_at: int
    ingetrokken: bool = False
    wacht: str | None = None


def test_releases_read_each_others_refused_records() -> None:
    """In both directions: after a rollback a state is read that the newer release wrote."""
    state = fresh(2)
    add(state, [line(1, "R05", veld="waarde"), line(2), withdrawn(2)])
    packed = msgspec.msgpack.encode(state.fouten)
    assert msgspec.msgpack.decode(packed, type=list[Before]) == [
        Before(1, 1, 1, "R05", "waarde", 5),
        Before(2, 2, 1, "0001", "", 5),
    ]
    for old in (packed, msgspec.msgpack.encode([Before(1, 1, 1, "R05", "waarde", 5), Before(2, 2, 1, "0001", "", 5)])):
        assert msgspec.msgpack.decode(old, type=list[StoredFault]) == state.fouten


def waits(number: int, reden: str) -> Line:
    return line(number, reden, uitkomst="wacht" if reden else "gekoppeld", regel=0, regels=0)


def test_what_waits_is_counted_by_its_last_word_and_repetition_changes_nothing() -> None:
    state = fresh(3)
    add(state, [waits(1, "toewijzing"), line(1), line(2), line(3), waits(2, "toewijzing")])
    assert (state.wacht, state.klaar, state.geaccepteerd) == ({"toewijzing": 2}, True, 3)
    add(state, [waits(2, "toewijzing"), waits(1, "traject"), waits(3, "")])
    state = again(state)
    assert state.wacht == {"toewijzing": 1, "traject": 1}
    add(state, [waits(1, ""), waits(2, ""), waits(2, "")])
    assert (state.wacht, state.codes) == ({}, {})


def test_a_delivery_of_which_only_waiting_is_known_is_not_finished() -> None:
    state = fresh(0)
    add(state, [waits(1, "toewijzing")])
    assert not state.klaar


@given(st.lists(st.tuples(st.integers(1, 40), st.sampled_from(("toewijzing", "traject", "")))))
def test_waiting_is_a_map_from_line_to_the_last_word(words: list[tuple[int, str]]) -> None:
    state, last = fresh(40), dict[int, str]()
    for number, reden in words:
        add(state, [waits(number, reden)])
        last[number] = reden
    counted = {reden: list(last.values()).count(reden) for reden in set(last.values()) if reden}
    assert state.wacht == counted


def test_too_many_pieces_are_not_followed_and_stop_nothing() -> None:
    state = fresh(10**6)
    add(state, [waits(number, "toewijzing") for number in range(1, 2 * MOST_PIECES + 4, 2)])
    assert state.wacht == {NOT_FOLLOWED: 0}
    add(state, [waits(1, "traject")])
    assert state.wacht == {NOT_FOLLOWED: 0}


def remark(number: int, code: str, *, holds: bool = True) -> Line:
    return line(number, code, uitkomst="opmerking" if holds else "vervallen", regel=0, regels=0)


def remarks(state: Aanlevering) -> set[tuple[int, str]]:
    return {(one.line, one.code) for one in state.opmerkingen}


def test_a_remark_refuses_nothing_and_may_come_before_its_record() -> None:
    state = fresh(2)
    add(state, [remark(2, "TR074"), line(1), line(2), remark(2, "TR074"), remark(2, "TR415")])
    assert (state.geaccepteerd, state.klaar, state.codes, state.fouten) == (2, True, {}, [])
    assert state.opmerking_codes == {"TR074": 1, "TR415": 1}
    assert state.opmerkingen == [RecordRemark(line=2, code="TR074"), RecordRemark(line=2, code="TR415")]
    add(state, [remark(2, "TR074", holds=False), remark(1, "TR056", holds=False)])
    assert (again(state).opmerking_codes, remarks(state)) == ({"TR415": 1}, {(2, "TR415")})
    assert state.klaar


def test_a_delivery_of_which_only_a_remark_is_known_is_not_finished() -> None:
    state = fresh(0)
    add(state, [remark(1, "TR074")])
    assert (state.klaar, state.newest) == (False, 0)


@given(st.lists(st.tuples(st.integers(0, 40), st.sampled_from(("TR056", "TR074")), st.booleans())), st.data())
def test_remarks_are_a_set_of_the_last_word_on_each(words: list[tuple[int, str, bool]], data: st.DataObject) -> None:
    last = {(number, code): holds for number, code, holds in words}
    state, mixed = fresh(40), fresh(40)
    add(state, [remark(number, code, holds=holds) for number, code, holds in words])
    assert remarks(state) == {place for place, holds in last.items() if holds}
    assert sum(state.opmerking_codes.values()) == len(remarks(state))
    for place in data.draw(st.permutations([*last, *last])):
        add(mixed, [remark(*place, holds=last[place])])
        mixed = again(mixed)
    assert (mixed.opmerkingen, mixed.opmerking_codes) == (state.opmerkingen, state.opmerking_codes)


def test_the_list_of_remarks_ends_with_the_lowest_numbers_and_the_counts_go_on() -> None:
    state = fresh(3 * MOST_REMARKS)
    add(state, [remark(n, "TR056") for n in reversed(range(1, 2 * MOST_REMARKS))])
    add(state, [remark(1, "TR074")])
    assert state.opmerking_codes == {"TR056": 2 * MOST_REMARKS - 1, "TR074": 1}
    assert len(state.opmerkingen) == MOST_REMARKS
    assert state.opmerkingen[:2] == [RecordRemark(line=1, code="TR056"), RecordRemark(line=1, code="TR074")]
    assert state.opmerkingen[-1].line == MOST_REMARKS - 1


def test_too_many_remarks_here_and_there_are_not_followed() -> None:
    state = fresh(10**6)
    add(state, [remark(n, "TR056") for n in range(1, 2 * MOST_REMARK_PIECES, 2)])
    assert state.opmerking_codes == {"TR056": MOST_REMARK_PIECES}
    assert len(msgspec.msgpack.encode(state.remarks)) < 150_000
    add(state, [remark(2 * MOST_REMARK_PIECES + 2, "TR074"), remark(1, "TR056", holds=False), remark(5, "TR074")])
    assert (state.opmerking_codes, state.opmerkingen) == ({NOT_FOLLOWED: 0}, [])


def test_a_state_of_the_release_before_has_no_remarks() -> None:
    state = fresh(2)
    add(state, [line(1), line(2)])
    packed = msgspec.msgpack.decode(msgspec.msgpack.encode(state))
    old = msgspec.msgpack.decode(msgspec.msgpack.encode(packed[:-2]), type=Aanlevering)
    assert (old.opmerkingen, old.opmerking_codes, old.count) == ([], {}, 2)


def test_every_record_is_accepted_refused_or_withdrawn() -> None:
    """A record refused later, for there are too many, was refused; one that the municipality rejected is withdrawn."""
    state = fresh(6)
    add(state, [line(1), line(2), line(3), line(4), line(5), line(6, "V01")])
    add(state, [line(1, "0001", uitkomst="ingetrokken"), line(2, "9074", uitkomst="ingetrokken")])
    add(state, [msgspec.structs.replace(line(n, code), delivery="") for n, code in ((3, "K07"), (4, "K08"))])
    found = sums(state.geaccepteerd, state.count - state.geaccepteerd, state.count_withdrawn, state.codes)
    assert found == Sums(accepted=1, refused=3, withdrawn=2)
    assert sum(found) == state.count
    assert counts_of(found, state.codes) == (5, 1, 4)


def test_only_a_return_code_withdraws() -> None:
    assert all(map(withdraws, ("0001", "0233", "S300", "9074")))
    assert not any(map(withdraws, ("", "V01", "K07", "XSD", "TR056", "CS002", "12345")))


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
def test_sums_give_the_counts_that_they_came_from(accepted: int, refused: int, late: int, withdrawn: int) -> None:
    codes = {"K07": late // 2, "K08": late - late // 2, "V01": refused, "9074": withdrawn}
    counts = accepted + late + withdrawn, refused, late + withdrawn
    assert sums(*counts, codes) == Sums(accepted, refused + late, withdrawn)
    assert counts_of(sums(*counts, codes), codes) == counts


#: Code, rows and moment (ms) of each record.
TOLD = st.tuples(st.sampled_from(("", "", "", "R05")), st.sampled_from((1, 1, 2)), st.integers(1, 10**10))


@given(st.lists(TOLD, min_size=LINES, max_size=LINES), st.data())
def test_a_run_told_in_one_line_counts_as_its_records(codes: list[tuple[str, int, int]], data: st.DataObject) -> None:
    """Cut anywhere, and met again in other runs, after a crash or a second delivery."""
    told = [line(n, code, at=at, regels=covered) for n, (code, covered, at) in enumerate(codes, 1)]
    one_by_one, in_runs = fresh(), fresh()
    for _ in range(2):
        found = list[list[Line]]()
        for one in told[data.draw(st.integers(0, LINES - 1)) :]:
            if found and data.draw(st.integers(0, 3)) and follows(one, found[-1][-1], found[-1][0]):
                found[-1].append(one)
            else:
                found.append([one])
        add(in_runs, [in_one(run) for run in found])
        add(one_by_one, [line for run in found for line in run])
    assert in_runs == one_by_one


def test_a_run_is_told_apart_again() -> None:
    run = [line(number, at=100 - number, regel=3) for number in (3, 4, 5)]
    assert in_one(run).volgende == [-1, -2]
    assert list(each(in_one(run))) == run
    refused, other = line(6, "R05"), replace(line(6), regels=2)
    assert [follows(one, run[-1], run[0]) for one in (line(6), line(7), refused, other)] == [True, False, False, False]
