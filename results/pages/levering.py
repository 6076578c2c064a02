"""``docs/levering.md``: the life of a levering as a diagram and a table, Dutch and English (``domain.care.life``)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from domain.care.life import STANDS, TABLE, State, Tells
from domain.care.trajecten import WAITS_FOR_LEVERING, WAITS_FOR_START
from domain.field.codes import CHANGE_MERGER, REDEN_PAUSE, REDENEN_CHANGE, STATUS_FIRST, STATUS_REMOVE
from domain.field.definitions import SHIPPED

_CHAIN_DAYS: Final = SHIPPED.chain_days
_HEADER: Final = f"""\
# De levensloop van een levering

Deze bladzijde wordt gemaakt uit de tabel in `domain/care/life.py` (`sor indicatoren`). Pas haar niet met de hand aan.

Een levering is één start en wat over haar einde is verteld: een onderbreking (reden {REDEN_PAUSE}) en een stop (een
andere reden). Het plaatje en de tabel zeggen wat elk bericht van haar maakt. De volgorde is die van de dagtekening; in
welke volgorde berichten binnenkomen, maakt niets uit. Een afgekeurd bericht telt als nooit verstuurd. Een verwijdering
van iets dat nooit is verteld, wacht tot het komt. Leveringen die elkaar binnen {_CHAIN_DAYS} dagen opvolgen, zijn samen
een traject.

*A levering is one start and what is told of its end: a pause (reason {REDEN_PAUSE}) and a stop (another reason).
Diagram and table say what each message makes of it, in the order of signing; the order of arrival makes no difference.
A rejected message counts as never sent. A removal of what was never told waits until it comes. Leveringen that follow
each other within {_CHAIN_DAYS} days are one traject.*
"""

#: State -> its Dutch name; English is the value of the state.
_NAMES: Final[dict[State, str]] = {
    State.ABSENT: "afwezig",
    State.REMOVAL_WAITS: "verwijdering wacht",
    State.PAUSE_WAITS: "onderbreking wacht",
    State.STOP_WAITS: "stop wacht",
    State.BOTH_WAIT: "onderbreking en stop wachten",
    State.RUNNING: "lopend",
    State.PAUSED: "gepauzeerd",
    State.ENDED: "beëindigd",
    State.ENDED_PAUSED: "beëindigd, met onderbreking",
    State.MERGED: "loopt door na herindeling",
    State.MERGED_PAUSED: "loopt door na herindeling, met onderbreking",
}
#: What a message tells -> its Dutch name, and the message.
_TELLS: Final[dict[Tells, tuple[str, str]]] = {
    Tells.START: ("start", f"JW305, status {STATUS_FIRST}"),
    Tells.START_REMOVED: ("start verwijderd", f"JW305, status {STATUS_REMOVE}"),
    Tells.START_REJECTED: ("start afgekeurd", "JW306"),
    Tells.PAUSE: ("onderbreking", f"JW307, reden {REDEN_PAUSE}, status {STATUS_FIRST}"),
    Tells.PAUSE_REMOVED: ("onderbreking verwijderd", f"JW307, reden {REDEN_PAUSE}, status {STATUS_REMOVE}"),
    Tells.PAUSE_REJECTED: ("onderbreking afgekeurd", "JW308"),
    Tells.STOP: ("stop", f"JW307, een andere reden, status {STATUS_FIRST}"),
    Tells.STOP_REMOVED: ("stop verwijderd", f"JW307, een andere reden, status {STATUS_REMOVE}"),
    Tells.STOP_REJECTED: ("stop afgekeurd", "JW308"),
    Tells.MERGER: (
        "herindeling",
        f"JW301, RedenWijziging {CHANGE_MERGER}; alleen als de stop reden {REDENEN_CHANGE[CHANGE_MERGER]} heeft",
    ),
}
#: Why two states differ in which the same messages stand.
_BESIDE: Final[dict[State, str]] = {
    State.REMOVAL_WAITS: "een verwijdering waarvan het bericht nooit kwam, of is afgekeurd",
    State.MERGED: "de herindeling",
    State.MERGED_PAUSED: "de herindeling",
}


def markdown() -> str:
    """The page."""
    parts = [_HEADER, "```mermaid", *_diagram(), "```", "", "## Toestanden", "", *_states(), ""]
    parts += ["## Berichten", "", *_messages(), "", "## Wat elk bericht verandert", "", *_table()]
    return "\n".join(parts) + "\n"


def _node(state: State) -> str:
    """States are drawn as one when their rows show the same, but for what runs on after a merger."""
    if state in (State.MERGED, State.MERGED_PAUSED):
        return "na_herindeling"
    return STANDS[state].status or "afwezig"


def _diagram() -> Iterator[str]:
    yield "stateDiagram-v2"
    yield f'    state "{_NAMES[State.MERGED]}" as {_node(State.MERGED)}'
    for waits in (WAITS_FOR_LEVERING, WAITS_FOR_START):
        yield f'    state "{waits.replace("_", " ")}" as {waits}'
    edges: dict[tuple[str, str], list[str]] = {}
    for state, row in TABLE.items():
        for told, there in _together(row):
            if _node(there) != _node(state):
                edges.setdefault((_node(state), _node(there)), []).append(_label(state, told))
    for (one, other), labels in edges.items():
        yield f"    {one} --> {other}: {'<br/>'.join(dict.fromkeys(labels))}"


def _together(row: dict[Tells, State]) -> Iterator[tuple[tuple[Tells, ...], State]]:
    """What leads where; a rejection together with the removal before it, when both lead to one state."""
    before: tuple[Tells, ...] = ()
    for tells, there in row.items():
        if before and tells.value == before[0].value.replace("removed", "rejected") and row[before[0]] is there:
            before = (*before, tells)
            continue
        if before:
            yield before, row[before[0]]
        before = (tells,)
    if before:
        yield before, row[before[0]]


def _dutch(told: tuple[Tells, ...]) -> str:
    first, *more = (_TELLS[tells][0] for tells in told)
    return " of ".join([first, *(name.rpartition(" ")[2] for name in more)])


def _english(told: tuple[Tells, ...]) -> str:
    first, *more = (tells.value for tells in told)
    return " or ".join([first, *(name.rpartition(" ")[2] for name in more)])


def _label(state: State, told: tuple[Tells, ...]) -> str:
    """The name of the message; where states that are drawn as one part ways, with the state in which it says so."""
    together = [other for other in State if _node(other) == _node(state)]
    apart = len({_node(TABLE[other].get(told[0], other)) for other in together}) > 1
    return f"{_dutch(told)} ({_NAMES[state]})" if apart else _dutch(told)


def _states() -> Iterator[str]:
    yield "| toestand | kolom `status` | staat | is bovendien bekend | state |"
    yield "|---|---|---|---|---|"
    for state, stands in STANDS.items():
        words = {"start": stands.start, "onderbreking": stands.pause, "stop": stands.stop}
        standing = ", ".join(word for word, stood in words.items() if stood) or "niets"
        status = f"`{stands.status}`" if stands.status else "geen rij"
        yield f"| {_NAMES[state]} | {status} | {standing} | {_BESIDE.get(state, '')} | {state.value} |"


def _messages() -> Iterator[str]:
    yield "| verteld | bericht | told |"
    yield "|---|---|---|"
    for tells, (name, message) in _TELLS.items():
        yield f"| {name} | {message} | {tells.value} |"


def _table() -> Iterator[str]:
    yield "Wat niet genoemd is, verandert de toestand niet. *What is not named changes nothing.*"
    yield ""
    yield "| toestand | bericht → toestand | state | message → state |"
    yield "|---|---|---|---|"
    for state, row in TABLE.items():
        dutch = "<br/>".join(f"{_dutch(told)} → {_NAMES[there]}" for told, there in _together(row))
        english = "<br/>".join(f"{_english(told)} → {there.value}" for told, there in _together(row))
        yield f"| {_NAMES[state]} | {dutch} | {state.value} | {english} |"
