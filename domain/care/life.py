"""The life of one levering as one table: the state after each message, in the order in which messages were signed.

The fold does not run this table. It is a function of the set of facts (decision 0002) and recomputes a levering whole;
the table states what that set yields. ``tests/domain/test_life_table.py`` holds the two together: every message in
every state, and every short history, gives the state to which the table leads, whatever the order of arrival.
``docs/levering.md`` is made from it. Data only.

One levering is one start, named by its key (``domain.facts.act.StartKey``), and what is told of its end under that key:
a pause (reason 20) and a final stop (another reason). Each is *delivered* (status 1), *removed* (status 3), or its
messages are *rejected* by the municipality (JW306, JW308), which counts as never sent (decision 0010). Of several final
stops the first stands until it is removed, then the next (TR415), and the levering stays ended. A *merger* is a
JW301 with RedenWijziging 11 for the assignment of the levering.

A state says which of the three stand. ``KNOWN_BESIDE`` has the states in which the same ones stand and which differ by
what else is known. Chains of leveringen (trajecten) are not told here: ``domain.care.trajecten``.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, NamedTuple

from domain.care.trajecten import ENDED, PAUSED, RUNNING, WAITS_FOR_LEVERING, WAITS_FOR_START


class Stands(NamedTuple):
    """What makes a state: column ``status`` of its row (empty: there is no row), and which messages stand."""

    status: str
    start: bool = False
    pause: bool = False
    stop: bool = False  # a final one


class State(Enum):
    """The states of a levering."""

    ABSENT = "absent"
    REMOVAL_WAITS = "removal waits"  # a removal is known and what it removes never came (TR063)
    PAUSE_WAITS = "pause waits"
    STOP_WAITS = "stop waits"
    BOTH_WAIT = "pause and stop wait"
    RUNNING = "running"
    PAUSED = "paused"
    ENDED = "ended"
    ENDED_PAUSED = "ended, a pause stands"
    MERGED = "runs on after a merger"
    MERGED_PAUSED = "runs on after a merger, a pause stands"


class Tells(Enum):
    """What a message can tell of a levering; each was signed on a later day than all before it."""

    START = "start"
    START_REMOVED = "start removed"
    START_REJECTED = "start rejected"
    PAUSE = "pause"
    PAUSE_REMOVED = "pause removed"
    PAUSE_REJECTED = "pause rejected"
    STOP = "stop"
    STOP_REMOVED = "stop removed"
    STOP_REJECTED = "stop rejected"
    MERGER = "merger"


STANDS: Final[dict[State, Stands]] = {
    State.ABSENT: Stands(""),
    State.REMOVAL_WAITS: Stands(WAITS_FOR_LEVERING),
    State.PAUSE_WAITS: Stands(WAITS_FOR_START, pause=True),
    State.STOP_WAITS: Stands(WAITS_FOR_START, stop=True),
    State.BOTH_WAIT: Stands(WAITS_FOR_START, pause=True, stop=True),
    State.RUNNING: Stands(RUNNING, start=True),
    State.PAUSED: Stands(PAUSED, start=True, pause=True),
    State.ENDED: Stands(ENDED, start=True, stop=True),
    State.ENDED_PAUSED: Stands(ENDED, start=True, pause=True, stop=True),
    State.MERGED: Stands(RUNNING, start=True, stop=True),
    State.MERGED_PAUSED: Stands(RUNNING, start=True, pause=True, stop=True),
}

#: State -> what a message tells -> the state that follows; what is not named changes nothing. A removal of what was
#: never told changes no state but the first, and waits on the row until what it removes has come (TR063).
TABLE: Final[dict[State, dict[Tells, State]]] = {
    State.ABSENT: {
        Tells.START: State.RUNNING,
        Tells.START_REMOVED: State.REMOVAL_WAITS,
        Tells.PAUSE: State.PAUSE_WAITS,
        Tells.PAUSE_REMOVED: State.REMOVAL_WAITS,
        Tells.STOP: State.STOP_WAITS,
        Tells.STOP_REMOVED: State.REMOVAL_WAITS,
    },
    State.REMOVAL_WAITS: {
        Tells.START: State.RUNNING,
        Tells.PAUSE: State.PAUSE_WAITS,
        Tells.STOP: State.STOP_WAITS,
    },
    State.PAUSE_WAITS: {
        Tells.START: State.PAUSED,
        Tells.PAUSE_REMOVED: State.ABSENT,
        Tells.PAUSE_REJECTED: State.ABSENT,
        Tells.STOP: State.BOTH_WAIT,
    },
    State.STOP_WAITS: {
        Tells.START: State.ENDED,
        Tells.PAUSE: State.BOTH_WAIT,
        Tells.STOP_REMOVED: State.ABSENT,
        Tells.STOP_REJECTED: State.ABSENT,
    },
    State.BOTH_WAIT: {
        Tells.START: State.ENDED_PAUSED,
        Tells.PAUSE_REMOVED: State.STOP_WAITS,
        Tells.PAUSE_REJECTED: State.STOP_WAITS,
        Tells.STOP_REMOVED: State.PAUSE_WAITS,
        Tells.STOP_REJECTED: State.PAUSE_WAITS,
    },
    State.RUNNING: {
        Tells.START_REMOVED: State.ABSENT,
        Tells.START_REJECTED: State.ABSENT,
        Tells.PAUSE: State.PAUSED,
        Tells.STOP: State.ENDED,
    },
    State.PAUSED: {
        Tells.START_REMOVED: State.PAUSE_WAITS,
        Tells.START_REJECTED: State.PAUSE_WAITS,
        Tells.PAUSE_REMOVED: State.RUNNING,
        Tells.PAUSE_REJECTED: State.RUNNING,
        Tells.STOP: State.ENDED_PAUSED,
    },
    State.ENDED: {
        Tells.START_REMOVED: State.STOP_WAITS,
        Tells.START_REJECTED: State.STOP_WAITS,
        Tells.PAUSE: State.ENDED_PAUSED,
        Tells.STOP_REMOVED: State.RUNNING,
        Tells.STOP_REJECTED: State.RUNNING,
        Tells.MERGER: State.MERGED,
    },
    State.ENDED_PAUSED: {
        Tells.START_REMOVED: State.BOTH_WAIT,
        Tells.START_REJECTED: State.BOTH_WAIT,
        Tells.PAUSE_REMOVED: State.ENDED,
        Tells.PAUSE_REJECTED: State.ENDED,
        Tells.STOP_REMOVED: State.PAUSED,
        Tells.STOP_REJECTED: State.PAUSED,
        Tells.MERGER: State.MERGED_PAUSED,
    },
    State.MERGED: {
        Tells.START_REMOVED: State.STOP_WAITS,
        Tells.START_REJECTED: State.STOP_WAITS,
        Tells.PAUSE: State.MERGED_PAUSED,
        Tells.STOP_REMOVED: State.RUNNING,
        Tells.STOP_REJECTED: State.RUNNING,
    },
    State.MERGED_PAUSED: {
        Tells.START_REMOVED: State.BOTH_WAIT,
        Tells.START_REJECTED: State.BOTH_WAIT,
        Tells.PAUSE_REMOVED: State.MERGED,
        Tells.PAUSE_REJECTED: State.MERGED,
        Tells.STOP_REMOVED: State.PAUSED,
        Tells.STOP_REJECTED: State.PAUSED,
    },
}

#: States in which the same messages stand -> the other one, and what must be known beside for it to be that one.
KNOWN_BESIDE: Final[dict[State, tuple[State, str]]] = {
    State.ABSENT: (State.REMOVAL_WAITS, "a removal whose message never came, or was rejected"),
    State.ENDED: (State.MERGED, "the merger, and the stop has reason 36"),
    State.ENDED_PAUSED: (State.MERGED_PAUSED, "the merger, and the stop has reason 36"),
}
