"""The table of ``domain.care.life`` says what the fold yields: every message in every state, every short history."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import pytest

from domain.care.fold import Person, fold_rows
from domain.care.leveringen import leveringen
from domain.care.life import KNOWN_BESIDE, STANDS, TABLE, Stands, State, Tells
from domain.care.rows import RowKey, TrajectRow
from domain.care.toewijzingen import Toewijzingen
from domain.care.withdrawals import valid
from domain.facts.fact import Event
from domain.field.codes import REDEN_PAUSE, REDENEN
from tests.build import CLIENT, Told, events, intrekking, start, stop, toewijzing

FINAL = sorted(REDENEN.keys() - {REDEN_PAUSE})
MERGER = "36"


def messages(history: Sequence[Tells], reden: str = MERGER) -> list[Event]:
    """Each signed a day after the one before. A rejection names every message so far that brought such a fact."""
    found: list[Told] = []
    names: dict[str, list[bytes]] = {"START": [], "PAUSE": [], "STOP": []}
    for at, tells in enumerate(history):
        kind, _, what = tells.name.partition("_")
        if tells is Tells.MERGER:
            found.append(toewijzing(500 + at, reden_wijziging="11"))
        elif what == "REJECTED":
            found += [intrekking("start" if kind == "START" else "stop", name) for name in names[kind]]
        else:
            form: dict[str, Any] = {"status": 3 if what else 1, "signed": 500 + at, "bericht": b"message %d" % at}
            end = {"PAUSE": (100, REDEN_PAUSE), "STOP": (130, reden)}
            found.append(start(0, **form) if kind == "START" else stop(0, *end[kind], **form))
            names[kind] += [] if what else [form["bericht"]]
    return events(found)


def state(arrival: Sequence[Event]) -> State:
    """What the fold yields, one event at a time: the status of the row, and which messages stand."""
    person, table = Person(), dict[RowKey, Any]()
    for offset, event in enumerate(arrival):
        table |= dict(fold_rows(CLIENT, person, [event], offset, offset))
    rows = [row for row in table.values() if isinstance(row, TrajectRow)]
    facts = valid(person.facts)
    stands = Stands("")
    for levering, row in zip(leveringen(facts, Toewijzingen(facts.toewijzingen)), rows, strict=True):
        final = levering.merger or levering.reden != ""
        stands = Stands(row.status, levering.start is not None, levering.temporary is not None, final)
    (found,) = (name for name, one in STANDS.items() if one == stands)
    return found


def ways() -> dict[State, tuple[Tells, ...]]:
    """A shortest history to every state, by the table."""
    found: dict[State, tuple[Tells, ...]] = {State.ABSENT: ()}
    for here in (queue := [State.ABSENT]):
        for tells, there in TABLE[here].items():
            if there not in found:
                found[there] = (*found[here], tells)
                queue.append(there)
    return found


def test_the_table_has_every_state_and_names_only_changes() -> None:
    assert set(TABLE) == set(STANDS) == set(ways()) == set(State)
    assert len(set(STANDS.values())) == len(STANDS)
    assert all(there is not here for here, row in TABLE.items() for there in row.values())


@pytest.mark.parametrize("here", State)
@pytest.mark.parametrize("tells", Tells)
def test_every_message_in_every_state_leads_where_the_table_says(here: State, tells: Tells) -> None:
    history = [*ways()[here], tells]
    for arrival in itertools.permutations(messages(history)):
        assert state(arrival) is TABLE[here].get(tells, here)


def by_table(history: Sequence[Tells]) -> State:
    """Where the table leads from nothing, with what is known beside it."""
    same = {other: here for here, (other, _) in KNOWN_BESIDE.items()}
    here, came, removed = State.ABSENT, set[str](), set[str]()
    for at, tells in enumerate(history):
        kind, _, what = tells.name.partition("_")
        came = came - {kind} if what == "REJECTED" else came if what else came | {kind}
        removed |= {kind} if what == "REMOVED" else set()
        here = TABLE[here].get(tells, here)
        here = same.get(here, here)
        beside = removed - came if here is State.ABSENT else Tells.MERGER in history[: at + 1]
        if here in KNOWN_BESIDE and beside:
            here = KNOWN_BESIDE[here][0]
    return here


@pytest.mark.parametrize("first", Tells)
def test_table_and_fold_agree_on_every_short_history(first: Tells) -> None:
    for length in range(4):
        for more in itertools.product(Tells, repeat=length):
            history = (first, *more)
            sent = messages(history)
            orders = itertools.permutations(sent) if length < 2 else (sent, sent[::-1])
            assert {state(arrival) for arrival in orders} == {by_table(history)}, history


@pytest.mark.parametrize("reden", FINAL)
def test_every_final_reason_ends_and_a_merger_goes_on_after_its_own_only(reden: str) -> None:
    end, merged = [Tells.START, Tells.STOP], State.MERGED if reden == MERGER else State.ENDED
    assert {state(arrival) for arrival in itertools.permutations(messages(end, reden))} == {State.ENDED}
    every = itertools.permutations(messages([*end, Tells.MERGER], reden))
    assert {state(arrival) for arrival in every} == {merged}
