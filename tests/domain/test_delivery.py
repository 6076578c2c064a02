"""The state of a delivery is a set: any order, any repetition, any split gives the same counts."""

from __future__ import annotations

from itertools import pairwise

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from domain.facts.delivery import MOST_FAULTS, MOST_PIECES, NEGATED_FOLLOWED, Aanlevering, Outcome, add, mark

LINES = 30
#: One outcome per line of a delivery, as entry gives it whatever is delivered again, but for the time of publication.
OUTCOMES = st.lists(st.sampled_from(("", "", "R05", "CS002")), min_size=LINES, max_size=LINES).map(
    lambda codes: {
        n: Outcome(n, 10 * n, 1 + n % 3, code, "waarde" if code else "", 0) for n, code in enumerate(codes, 1)
    }
)


def fresh(lines: int = LINES) -> Aanlevering:
    return Aanlevering("score", "99000001", False, lines)


def counts(state: Aanlevering) -> tuple[object, ...]:
    """What a receipt counts; the list of errors as a set, for its order is that of arrival."""
    return (
        state.count, state.geaccepteerd, state.regels_geaccepteerd, state.regels_afgekeurd, state.codes,
        state.eerste, state.laatste, state.klaar, state.gezien, {fault[:5] for fault in state.fouten},
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
def test_any_order_repetition_and_restart_gives_the_same_counts(
    outcomes: dict[int, Outcome], data: st.DataObject
) -> None:
    once = fresh()
    add(once, outcomes.values())
    arrivals = data.draw(st.permutations([*outcomes, *data.draw(st.lists(st.integers(1, LINES)))]))
    state = fresh()
    while arrivals:
        size = data.draw(st.integers(1, len(arrivals)))
        batch, arrivals = arrivals[:size], arrivals[size:]
        add(state, [outcomes[line] for line in batch])
        state = again(state)
    assert counts(state) == counts(once)
    assert state.klaar


@given(OUTCOMES, st.sets(st.integers(1, LINES), max_size=LINES - 1))
def test_counts_are_those_of_the_lines_seen(outcomes: dict[int, Outcome], seen: set[int]) -> None:
    state = fresh()
    add(state, [outcomes[line] for line in seen])
    good = [outcomes[line] for line in seen if not outcomes[line].code]
    bad = [outcomes[line] for line in seen if outcomes[line].code]
    assert (state.count, state.geaccepteerd, state.klaar) == (len(seen), len(good), False)
    assert state.regels_geaccepteerd == sum(o.regels for o in good)
    assert state.regels_afgekeurd == sum(o.regels for o in bad)
    assert state.codes == {code: sum(o.code == code for o in bad) for code in {o.code for o in bad}}
    assert set(state.fouten) == set(bad)


@given(st.lists(st.tuples(st.integers(1, LINES), st.integers(1, 10**13)), min_size=1))
def test_first_and_last_publication(published: list[tuple[int, int]]) -> None:
    state, kept = fresh(), {}
    for line, moment in published:
        kept.setdefault(line, moment)  # a line that came before changes nothing
        add(state, [Outcome(line, 1, 1, "", "", moment)])
    assert (state.eerste, state.laatste) == (min(kept.values()), max(kept.values()))


def test_the_list_of_errors_ends_and_the_counts_go_on() -> None:
    state = fresh(2 * MOST_FAULTS)
    add(state, [Outcome(n, n, 1, "R05", "waarde", 0) for n in range(1, 2 * MOST_FAULTS + 1)])
    assert len(state.fouten) == MOST_FAULTS
    assert state.codes == {"R05": 2 * MOST_FAULTS}
    assert state.klaar


def test_an_accepted_line_is_not_refused_later() -> None:
    """The first outcome of a line stands: a repeat of the same content cannot have another."""
    state = fresh(1)
    add(state, [Outcome(1, 1, 1, "", "", 5), Outcome(1, 1, 1, "R05", "waarde", 6)])
    assert (state.geaccepteerd, state.codes, state.fouten) == (1, {}, [])


def outcome(line: int, code: str = "", *, withdrawn: bool = False) -> Outcome:
    return Outcome(line, line, 0 if code.startswith("K") else 1, code, "", 5, withdrawn)


def test_a_record_put_back_replaces_its_unreadable_outcome() -> None:
    state = fresh(2)
    add(state, [outcome(1, "K01"), outcome(2)])
    assert (state.geaccepteerd, state.codes, len(state.fouten)) == (1, {"K01": 1}, 1)
    state = again(state)
    add(state, [outcome(1), outcome(1), outcome(1, "K01")])
    assert (state.count, state.geaccepteerd, state.codes, state.fouten) == (2, 2, {}, [])
    assert (state.regels_geaccepteerd, state.regels_afgekeurd, state.klaar) == (2, 0, True)


def test_a_record_put_back_may_be_refused_for_another_reason() -> None:
    state = fresh(1)
    add(state, [outcome(1, "K01"), outcome(1, "V01"), outcome(1)])
    assert (state.count, state.geaccepteerd, state.codes) == (1, 0, {"V01": 1})


def test_a_withdrawn_record_is_counted_once_and_stays_accepted() -> None:
    state = fresh(2)
    add(state, [outcome(1), outcome(1, "0001", withdrawn=True), outcome(2), outcome(1, "0001", withdrawn=True)])
    assert (state.geaccepteerd, state.count_withdrawn, state.codes) == (2, 1, {"0001": 1})
    assert [(fault.line, fault.code) for fault in state.fouten] == [(1, "0001")]


def test_a_state_of_the_first_release_is_read() -> None:
    old = msgspec.msgpack.encode(["score", "99000001", False, 1, 3, [[1, 1]], 1, 1, 1, 0, {}, [], 5, 5])
    state = msgspec.msgpack.decode(old, type=Aanlevering)
    add(state, [outcome(1, "0001", withdrawn=True)])
    assert (state.geaccepteerd, state.count_withdrawn) == (1, 1)


def waits(line: int, reden: str) -> Outcome:
    return Outcome(line, 0, 0, reden, "", 5, wacht=reden)


def test_what_waits_is_counted_by_its_last_word_and_repetition_changes_nothing() -> None:
    state = fresh(3)
    add(state, [waits(1, "toewijzing"), outcome(1), outcome(2), outcome(3), waits(2, "toewijzing")])
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
    for line, reden in words:
        add(state, [waits(line, reden)])
        last[line] = reden
    counted = {reden: list(last.values()).count(reden) for reden in set(last.values()) if reden}
    assert state.wacht == counted


def test_too_many_pieces_are_not_followed_and_stop_nothing() -> None:
    state = fresh(10**6)
    add(state, [waits(line, "toewijzing") for line in range(1, 2 * MOST_PIECES + 4, 2)])
    assert state.wacht == {NEGATED_FOLLOWED: 0}
    add(state, [waits(1, "traject")])
    assert state.wacht == {NEGATED_FOLLOWED: 0}
