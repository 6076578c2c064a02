"""The life of a delivery (iJw 3.2): every event in every state, whatever the order of arrival (OP080).

Days are counted from the first of the year; a message is signed three days after what it tells unless said otherwise.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import pytest

from domain.care.fold import Person, fold_rows
from domain.care.rows import RowKey, TrajectRow
from domain.facts.fact import Event
from domain.field.codes import REDENEN
from tests.build import CLIENT, D, Told, events, prestatie, start, stop


class Is(NamedTuple):
    """What a traject should look like; days as in the history."""

    status: str
    begin: int
    end: int | None = None
    reden: str = ""
    klasse: str = ""
    leveringen: int = 1
    vlaggen: tuple[str, ...] = ()
    wacht: tuple[tuple[str, int], ...] = ()  # but for the assignment, which no history here has


def folded(history: Sequence[Event]) -> list[TrajectRow]:
    """The rows that stand after folding one event at a time."""
    person, table = Person(), dict[RowKey, Any]()
    for offset, event in enumerate(history):
        table |= dict(fold_rows(CLIENT, person, [event], offset, offset))
    return [row for row in table.values() if isinstance(row, TrajectRow)]


def trajecten(history: Sequence[Event]) -> list[Is]:
    """The trajecten that stand after folding one event at a time, as this table tells them."""
    return sorted(
        Is(
            row.status, row.begindatum - D, None if row.einddatum is None else row.einddatum - D, row.reden_beeindiging,
            row.uitval_klasse, row.leveringen, tuple(row.vlaggen),
            tuple((reden, day - D) for reden, day in sorted(row.wacht.items()) if reden != "toewijzing"),
        )
        for row in folded(history)
    )  # fmt: skip


def orders(history: Sequence[Told]) -> list[tuple[Event, ...]]:
    """Every order of arrival; of the longer histories every seventh."""
    all_orders = list(itertools.permutations(events(history)))
    return all_orders if len(history) < 5 else all_orders[::7]


PLANNED = ("31", "gepland")
#: A name, what the messages say, what stands.
LIFE: list[tuple[str, list[Told], list[Is]]] = [
    # none
    ("nothing, start: running", [start(0)], [Is("lopend", 0)]),
    (
        "nothing, stop: waits for its start (TR382)",
        [stop(0, 100, "31")],
        [Is("wacht_op_start", 0, wacht=(("start", 103),))],
    ),
    ("nothing, pause: waits for its start", [stop(0, 100, "20")], [Is("wacht_op_start", 0, wacht=(("start", 103),))]),
    (
        "nothing, two stops of one start: one row waits",
        [stop(0, 90, "20"), stop(0, 100, "31")],
        [Is("wacht_op_start", 0, wacht=(("start", 93),))],
    ),
    (
        "nothing, two final stops of one start: one row waits",
        [stop(0, 90, "31"), stop(0, 100, "32")],
        [Is("wacht_op_start", 0, vlaggen=("TR415",), wacht=(("start", 93),))],
    ),
    (
        "nothing, stop of another start: both stand",
        [start(0), stop(1, 100, "31")],
        [Is("lopend", 0), Is("wacht_op_start", 1, vlaggen=("TR382",), wacht=(("start", 103),))],
    ),
    (
        "nothing, stop of another assignment: both stand",
        [start(0), stop(0, 100, "31", toewijzing=None)],
        [Is("lopend", 0), Is("wacht_op_start", 0, wacht=(("start", 103),))],
    ),
    # running
    ("running, same start again (TR074)", [start(0), start(0, signed=10)], [Is("lopend", 0, vlaggen=("TR074",))]),
    ("running, same message again: nothing changes", [start(0), start(0)], [Is("lopend", 0)]),
    ("running, another start (TR326)", [start(0), start(50)], [Is("lopend", 0, leveringen=2, vlaggen=("TR326",))]),
    ("running, pause", [start(0), stop(0, 100, "20")], [Is("gepauzeerd", 0)]),
    ("running, final stop", [start(0), stop(0, 100, "31")], [Is("beeindigd", 0, 100, *PLANNED)]),
    ("running, stopped on its first day", [start(0), stop(0, 0, "31")], [Is("beeindigd", 0, 0, *PLANNED)]),
    (
        "running without assignment (IV096), final stop",
        [start(0, toewijzing=None), stop(0, 100, "31", toewijzing=None)],
        [Is("beeindigd", 0, 100, *PLANNED)],
    ),
    # paused
    (
        "paused, same pause again (TR413)",
        [start(0), stop(0, 100, "20"), stop(0, 110, "20")],
        [Is("gepauzeerd", 0, vlaggen=("TR074", "TR413"))],
    ),
    (
        "paused, final stop on the day of the pause (TR414)",
        [start(0), stop(0, 100, "20"), stop(0, 100, "32")],
        [Is("beeindigd", 0, 100, "32", "client")],
    ),
    (
        "paused, final stop later (TR414)",
        [start(0), stop(0, 100, "20"), stop(0, 130, "32")],
        [Is("beeindigd", 0, 130, "32", "client")],
    ),
    ("paused, resumed", [start(0), stop(0, 100, "20"), start(300)], [Is("lopend", 0, leveringen=2)]),
    (
        "paused, resumed on the last day of the pause",
        [start(0), stop(0, 100, "20"), start(100), stop(100, 150, "31")],
        [Is("beeindigd", 0, 150, *PLANNED, leveringen=2)],
    ),
    (
        "paused, a levering begun a day too early resumes nothing",
        [start(0), stop(0, 100, "20"), start(99), stop(99, 150, "31")],
        [Is("gepauzeerd", 0, leveringen=2, vlaggen=("TR326",))],
    ),
    (
        "paused, resumed, ended",
        [start(0), stop(0, 100, "20"), start(300), stop(300, 350, "33")],
        [Is("beeindigd", 0, 350, "33", "aanbieder", 2)],
    ),
    (
        "paused, resumed, paused again",
        [start(0), stop(0, 100, "20"), start(300), stop(300, 350, "20")],
        [Is("gepauzeerd", 0, leveringen=2)],
    ),
    (
        "paused, resumed, ended, begun 30 days later",
        [start(0), stop(0, 100, "20"), start(300), stop(300, 350, "31"), start(380)],
        [Is("lopend", 0, leveringen=3)],
    ),
    (
        "paused, resumed, ended, begun 31 days later",
        [start(0), stop(0, 100, "20"), start(300), stop(300, 350, "31"), start(381)],
        [Is("beeindigd", 0, 350, *PLANNED, leveringen=2), Is("lopend", 381)],
    ),
    # ended
    (
        "ended, later final stop (TR415): the first stands",
        [start(0), stop(0, 100, "31"), stop(0, 120, "32")],
        [Is("beeindigd", 0, 100, *PLANNED, 1, ("TR415",))],
    ),
    (
        "ended, final stop signed later about an earlier day (TR415)",
        [start(0), stop(0, 100, "31"), stop(0, 80, "32", signed=120)],
        [Is("beeindigd", 0, 100, *PLANNED, 1, ("TR415",))],
    ),
    (
        "ended twice, the first removed: the next stands",
        [start(0), stop(0, 100, "31"), stop(0, 120, "32"), stop(0, 100, "31", status=3, signed=130)],
        [Is("beeindigd", 0, 120, "32", "client")],
    ),
    (
        "ended twice, the first removed and delivered anew: by then the second stood",
        [
            start(0),
            stop(0, 100, "31"),
            stop(0, 120, "32"),
            stop(0, 100, "31", status=3, signed=130),
            stop(0, 100, "31", signed=131),
        ],
        [Is("beeindigd", 0, 120, "32", "client", 1, ("TR415",))],
    ),
    (
        "ended twice, the first again after that (TR074): it stood all the time, and tells its end anew",
        [start(0), stop(0, 100, "31"), stop(0, 120, "32"), stop(0, 130, "31")],
        [Is("beeindigd", 0, 130, *PLANNED, 1, ("TR074", "TR415"))],
    ),
    (
        "ended twice, the first of three removed on its day and delivered on the next",
        [
            start(0),
            stop(0, 110, "31", signed=119),
            stop(0, 110, "31", status=3, signed=119),
            stop(0, 100, "32", signed=119, bericht=b"a"),
            stop(0, 115, "31", signed=120),
        ],
        [Is("beeindigd", 0, 100, "32", "client", 1, ("TR415",))],
    ),
    (
        "ended, paused after that, ended again (TR074): the pause came after the end",
        [start(0), stop(0, 100, "31"), stop(0, 120, "20"), stop(0, 130, "31")],
        [Is("beeindigd", 0, 130, *PLANNED, 1, ("TR074", "TR415"))],
    ),
    (
        "ended, two final stops signed on one day: the lower message",
        [start(0), stop(0, 100, "33", signed=120, bericht=b"b"), stop(0, 90, "31", signed=120, bericht=b"a")],
        [Is("beeindigd", 0, 90, *PLANNED, 1, ("TR415",))],
    ),
    (
        "ended, two final stops in one message: the lower reason",
        [start(0), stop(0, 100, "33", signed=120, bericht=b"a"), stop(0, 90, "32", signed=120, bericht=b"a")],
        [Is("beeindigd", 0, 90, "32", "client", 1, ("TR415",))],
    ),
    (
        "ended, pause signed later: it stays ended",
        [start(0), stop(0, 100, "31"), stop(0, 120, "20")],
        [Is("beeindigd", 0, 100, *PLANNED, 1, ("TR415",))],
    ),
    (
        "ended, begun 30 days later: same traject",
        [start(0), stop(0, 100, "37"), start(130)],
        [Is("lopend", 0, leveringen=2)],
    ),
    (
        "ended, begun 31 days later: another",
        [start(0), stop(0, 100, "37"), start(131)],
        [Is("beeindigd", 0, 100, "37", "administratief"), Is("lopend", 131)],
    ),
    (
        "ended, begun later, ended before the first",
        [start(0), stop(0, 100, "31"), start(50), stop(50, 60, "32")],
        [Is("beeindigd", 0, 100, *PLANNED, leveringen=2, vlaggen=("TR326",))],
    ),
    (
        "two ended on one day: the one begun last",
        [start(0), stop(0, 100, "31"), start(50), stop(50, 100, "32")],
        [Is("beeindigd", 0, 100, "32", "client", 2, ("TR326",))],
    ),
    # status 3: undo
    ("start removed later", [start(0), start(0, status=3, signed=10)], []),
    ("start removed on the day it was signed", [start(0), start(0, status=3)], []),
    (
        "start removed before it was signed: it stands",
        [start(0, signed=10), start(0, status=3, signed=9)],
        [Is("lopend", 0)],
    ),
    (
        "removal of nothing",
        [start(0, status=3), stop(0, 100, "31", status=3)],
        [Is("wacht_op_levering", 0, wacht=(("levering", 3),))],
    ),
    (
        "removal of nothing, the stop's signed first",
        [start(0, status=3, signed=200), stop(0, 100, "31", status=3)],
        [Is("wacht_op_levering", 0, wacht=(("levering", 103),))],
    ),
    (
        "removal of a stop that is not there (TR063)",
        [start(0), stop(0, 100, "31", status=3)],
        [Is("lopend", 0, wacht=(("levering", 103),))],
    ),
    (
        "removal of a start that is not there, of which a stop is",
        [start(0, status=3, signed=10), stop(0, 100, "31")],
        [Is("wacht_op_start", 0, wacht=(("levering", 10), ("start", 103)))],
    ),
    (
        "ended before the end of the pause (TR414)",
        [start(0), stop(0, 100, "20"), stop(0, 90, "31", signed=110)],
        [Is("beeindigd", 0, 90, *PLANNED, 1, ("TR414",))],
    ),
    (
        "ended, pause signed on the same day: no order",
        [start(0), stop(0, 100, "31", signed=110), stop(0, 120, "20", signed=110)],
        [Is("beeindigd", 0, 100, *PLANNED, 1, ("TR414",))],
    ),
    (
        "start removed while its stop stands (TR071)",
        [start(0), stop(0, 100, "31"), start(0, status=3, signed=110)],
        [Is("wacht_op_start", 0, vlaggen=("TR071",), wacht=(("start", 103),))],
    ),
    (
        "start removed and given anew on one day",
        [start(0), start(0, status=3, signed=10), start(0, signed=10)],
        [Is("lopend", 0)],
    ),
    (
        "start removed and given anew later",
        [start(0), start(0, status=3, signed=10), start(0, signed=20)],
        [Is("lopend", 0)],
    ),
    ("two starts, one removed", [start(0), start(50), start(0, status=3, signed=60)], [Is("lopend", 50)]),
    (
        "pause removed: running",
        [start(0), stop(0, 100, "20"), stop(0, 100, "20", status=3, signed=110)],
        [Is("lopend", 0)],
    ),
    (
        "stop removed: running",
        [start(0), stop(0, 100, "31"), stop(0, 100, "31", status=3, signed=110)],
        [Is("lopend", 0)],
    ),
    (
        "removal of a stop names another einddatum: not in the key",
        [start(0), stop(0, 100, "31"), stop(0, 90, "31", status=3, signed=110)],
        [Is("lopend", 0)],
    ),
    (
        "removal of another reason removes nothing",
        [start(0), stop(0, 100, "31"), stop(0, 100, "32", status=3, signed=110)],
        [Is("beeindigd", 0, 100, *PLANNED, wacht=(("levering", 110),))],
    ),
    (
        "final stop removed, the pause stands again",
        [start(0), stop(0, 100, "20"), stop(0, 130, "31"), stop(0, 130, "31", status=3, signed=140)],
        [Is("gepauzeerd", 0)],
    ),
    (
        "one of two final stops removed: no flag left",
        [start(0), stop(0, 100, "31"), stop(0, 120, "32"), stop(0, 120, "32", status=3, signed=130)],
        [Is("beeindigd", 0, 100, *PLANNED)],
    ),
    # corrections
    (
        "stop removed, another reason in a later message",
        [start(0), stop(0, 100, "31"), stop(0, 100, "31", status=3, signed=110), stop(0, 100, "32", signed=111)],
        [Is("beeindigd", 0, 100, "32", "client")],
    ),
    (
        "stop removed, another reason in the same message",
        [
            start(0),
            stop(0, 100, "31"),
            stop(0, 100, "31", status=3, signed=110, bericht=b"fix"),
            stop(0, 100, "32", signed=110, bericht=b"fix"),
        ],
        [Is("beeindigd", 0, 100, "32", "client")],
    ),
    (
        "einddatum by two messages on one day",
        [start(0), stop(0, 100, "31"), stop(0, 100, "31", status=3, signed=110), stop(0, 90, "31", signed=110)],
        [Is("beeindigd", 0, 90, *PLANNED)],
    ),
    (
        "einddatum by two messages on two days",
        [start(0), stop(0, 100, "31"), stop(0, 100, "31", status=3, signed=110), stop(0, 90, "31", signed=111)],
        [Is("beeindigd", 0, 90, *PLANNED)],
    ),
    (
        "einddatum by two messages, all three of one day",
        [
            start(0),
            stop(0, 100, "31", signed=110, bericht=b"a"),
            stop(0, 100, "31", status=3, signed=110, bericht=b"b"),
            stop(0, 90, "31", signed=110, bericht=b"c"),
        ],
        [Is("beeindigd", 0, 90, *PLANNED)],
    ),
    (
        "einddatum by one message without removal (TR074)",
        [start(0), stop(0, 100, "31"), stop(0, 90, "31", signed=110)],
        [Is("beeindigd", 0, 90, *PLANNED, 1, ("TR074",))],
    ),
    (
        "begindatum in one message",
        [start(0), start(0, status=3, signed=10, bericht=b"fix"), start(5, signed=10, bericht=b"fix")],
        [Is("lopend", 5)],
    ),
    (
        "begindatum in one message, the stop with it",
        [
            start(0),
            stop(0, 100, "31"),
            start(0, status=3, signed=110, bericht=b"fix"),
            start(5, signed=110, bericht=b"fix"),
            stop(0, 100, "31", status=3, signed=110, bericht=b"fix"),
            stop(5, 100, "31", signed=110, bericht=b"fix"),
        ],
        [Is("beeindigd", 5, 100, *PLANNED)],
    ),
    (
        "begindatum in one message, the stop forgotten",
        [
            start(0),
            stop(0, 100, "31"),
            start(0, status=3, signed=110, bericht=b"fix"),
            start(5, signed=110, bericht=b"fix"),
        ],
        [Is("lopend", 5), Is("wacht_op_start", 0, vlaggen=("TR071", "TR382"), wacht=(("start", 103),))],
    ),
]


@pytest.mark.parametrize(("history", "expected"), [pytest.param(h, e, id=name) for name, h, e in LIFE])
def test_life_of_a_delivery(history: list[Told], expected: list[Is]) -> None:
    for arrival in orders(history):
        assert trajecten(arrival) == sorted(expected)


#: JZ588 with the class for uitval [R]; 20 ends nothing.
CLASSES = {
    "02": "neutraal", "31": "gepland", "32": "client", "33": "aanbieder", "34": "wederzijds", "35": "neutraal",
    "36": "administratief", "37": "administratief", "38": "neutraal", "39": "neutraal",
}  # fmt: skip


def test_every_reason_is_in_the_table_below() -> None:
    assert set(REDENEN) == {*CLASSES, "20"}


@pytest.mark.parametrize("reden", sorted([*CLASSES, "20"]))
def test_class_of_every_reason(reden: str) -> None:
    (row,) = trajecten(events([start(0), stop(0, 100, reden)]))
    if reden == "20":
        assert row == Is("gepauzeerd", 0)
    else:
        assert row == Is("beeindigd", 0, 100, reden, CLASSES[reden])


@pytest.mark.parametrize("reden", sorted(CLASSES))
def test_every_reason_but_a_pause_starts_another_traject_after_thirty_days(reden: str) -> None:
    rows = trajecten(events([start(0), stop(0, 100, reden), start(131)]))
    assert [(row.status, row.begin) for row in rows] == [("beeindigd", 0), ("lopend", 131)]


@pytest.mark.parametrize(
    ("regels", "net"),
    [
        pytest.param([prestatie("1")], 1, id="debit"),
        pytest.param([prestatie("1"), prestatie("1")], 1, id="the same line again"),
        pytest.param([prestatie("1"), prestatie("2")], 2, id="two debits"),
        pytest.param([prestatie("1"), prestatie("2", "1")], 0, id="credit"),
        pytest.param([prestatie("2", "1")], 0, id="credit before its debit"),
        pytest.param([prestatie("1"), prestatie("2", "1"), prestatie("3")], 1, id="credit and a new debit (IV085)"),
        pytest.param([prestatie("1"), prestatie("2", "1"), prestatie("3", "1")], 0, id="a second credit (TR390)"),
        pytest.param([prestatie("1"), prestatie("2", "9")], 1, id="credit of another line"),
    ],
)
def test_declared_lines_are_counted_net(regels: list[Told], net: int) -> None:
    for arrival in itertools.permutations(events([start(0), *regels])):
        (row,) = folded(arrival)
        assert row.declaraties == net
