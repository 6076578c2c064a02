"""Leveringen: every present start with its current stop, and what is told of a start that is not there. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from msgspec import Struct

from domain.care.toewijzingen import Toewijzingen
from domain.facts.act import StartAct, StartKey, StopAct
from domain.facts.fact_set import FactSet
from domain.facts.identity import message_of
from domain.facts.standing import by_message, first_day, standing, standing_count, still_told
from domain.field.codes import CHANGE_MERGER, REDEN_PAUSE, REDENEN_CHANGE
from domain.field.geography import GEMEENTEN, valid_on

#: An end that has not come yet, as a day number that compares above every date.
OPEN_END: Final = 1 << 30
_REDEN_MERGER: Final = REDENEN_CHANGE[CHANGE_MERGER]


class Levering(Struct, gc=False):
    """One start and its current stop. ``start`` is None while a stop waits for its start, or a removal for what it
    removes (OP080).
    """

    start_key: StartKey
    start: StartAct | None
    end: int = OPEN_END  # Einddatum of the final stop
    reden: str = ""  # of the final stop
    pause: int | None = None  # Einddatum of what only interrupts: a pause, or the end by a merger, without final stop
    temporary: int | None = None  # Einddatum of the pause that stands, under a final stop too
    merger: bool = False  # the interruption is a merger of municipalities (RedenWijziging 11): the care goes on
    stopped: bool = False  # some stop stands
    leeftijd: int | None = None  # on the last day, from the final stop
    wacht: tuple[tuple[str, int], ...] = ()  # reason and earliest dagtekening
    vlaggen: tuple[str, ...] = ()

    @property
    def runs_until(self) -> int:
        """The day on which it no longer runs: of its end, and of a pause also when a final stop followed (OP379)."""
        up_to = self.end if self.pause is None else self.pause
        return up_to if self.temporary is None else min(up_to, self.temporary)


class Stopped(NamedTuple):
    """One stop that stands. ``first``: dagtekening and message of the delivery since which it does; ``act``: the last,
    which tells the end; ``deliveries``: how often it came; ``sinds``: since when any was told, removed or not.
    """

    reden: str
    act: StopAct
    first: tuple[int, bytes]
    deliveries: int
    sinds: int


_NO_ACTS: Final[dict[bytes, StartAct]] = {}


def leveringen(facts: FactSet, known: Toewijzingen) -> list[Levering]:
    """All leveringen of a client; one spoor yields at most one."""
    stops: dict[StartKey, list[Stopped]] = {}
    orphans: dict[StartKey, int] = {}
    for (start_key, reden), acts in facts.stops.items():
        if len(acts) > 1:
            acts = by_message(acts)
        act = standing(acts)
        if act is not None:
            stops.setdefault(start_key, []).append(_stopped(reden, acts, act))
        else:
            _orphan(orphans, start_key, acts)
    found = []
    for start_key, start_acts in facts.starts.items():
        if len(start_acts) > 1:
            start_acts = by_message(start_acts)
        start = standing(start_acts)
        if start is not None:
            found.append(_levering(start_key, start, start_acts, stops.pop(start_key, ()), known))
        else:
            _orphan(orphans, start_key, start_acts)
    for start_key, waiting in stops.items():
        start_acts = by_message(facts.starts.get(start_key, _NO_ACTS))
        found.append(_levering(start_key, None, start_acts, waiting, known))
    if orphans:
        _with_orphans(found, orphans)
    if len(found) > 1:
        _between(found)
    return found


def _stopped(reden: str, acts: dict[bytes, StopAct], act: StopAct) -> Stopped:
    if len(acts) == 1:
        first = act.dagtekening, message_of(next(iter(acts)))
        return Stopped(reden, act, first, 1, act.dagtekening)
    since = first_day(acts)
    first = still_told(acts)[0][0][:2]
    return Stopped(reden, act, first, standing_count(acts), act.dagtekening if since is None else since)


def _order(stop: Stopped) -> tuple[tuple[int, bytes], str]:
    """Logical time: dagtekening, then what is arbitrary but stable."""
    return stop.first, stop.reden


def _orphan(orphans: dict[StartKey, int], start_key: StartKey, acts: dict[bytes, Any]) -> None:
    """Remember a key of which only removals are known (TR063)."""
    if first_day(acts) is None:
        day = min(act.dagtekening for act in acts.values())
        orphans[start_key] = min(day, orphans.get(start_key, day))


def _with_orphans(found: list[Levering], orphans: dict[StartKey, int]) -> None:
    """Removals without original wait on the row of their spoor, or on one of their own."""
    for levering in found:
        day = orphans.pop(levering.start_key, None)
        if day is not None:
            levering.wacht = (*levering.wacht, ("levering", day))
    found.extend(Levering(start_key, None, wacht=(("levering", day),)) for start_key, day in orphans.items())


def _levering(
    start_key: StartKey,
    start: StartAct | None,
    start_acts: dict[bytes, StartAct],
    stops: Sequence[Stopped],
    known: Toewijzingen,
) -> Levering:
    """The current stop is the first final one, until it is removed: the municipality refuses a second (TR415). A pause
    (reason 20) counts only while there is none.
    """
    vlaggen = _vlaggen(start_key, start, start_acts, stops)
    waits = _waits(start_key, start, start_acts, stops, known)
    levering = Levering(start_key, start, stopped=bool(stops), wacht=waits, vlaggen=vlaggen)
    if not stops:
        return levering
    levering.temporary = next((stop.act.einddatum for stop in stops if stop.reden == REDEN_PAUSE), None)
    final = [stop for stop in stops if stop.reden != REDEN_PAUSE]
    if not final:
        levering.pause = levering.temporary
        return levering
    first = min(final, key=_order)
    if first.reden == _REDEN_MERGER and known.merged(start_key.aanbieder, start_key.gemeente, start_key.toewijzing):
        levering.pause, levering.merger = first.act.einddatum, True
        return levering
    levering.end, levering.reden, levering.leeftijd = first.act.einddatum, first.reden, first.act.leeftijd
    return levering


def _waits(
    start_key: StartKey,
    start: StartAct | None,
    start_acts: dict[bytes, StartAct],
    stops: Sequence[Stopped],
    known: Toewijzingen,
) -> tuple[tuple[str, int], ...]:
    """The assignment that is not known (TR019), the start that is not there (TR382); since its earliest message."""
    unknown = start_key.toewijzing is not None and not known.stands(
        start_key.aanbieder, start_key.gemeente, start_key.toewijzing
    )
    if start is not None and not unknown:
        return ()
    since = [stop.sinds for stop in stops]
    if start is None:
        first = min(since)
        return (("toewijzing", first), ("start", first)) if unknown else (("start", first),)
    first_start = first_day(start_acts) if len(start_acts) > 1 else start.dagtekening
    if first_start is not None:
        since.append(first_start)
    return (("toewijzing", min(since)),)


def _vlaggen(
    start_key: StartKey, start: StartAct | None, start_acts: dict[bytes, StartAct], stops: Sequence[Stopped]
) -> tuple[str, ...]:
    """Rules of level 3 and 4 that one levering breaks by itself (``domain.field.rules``)."""
    found = []
    if start_key.gemeente not in GEMEENTEN:
        days = [act.ingangsdatum for act in (start, *(stop.act for stop in stops)) if act is not None]
        first_days = {day for day in days if day is not None} or {start_key.begindatum}
        if not all(valid_on(start_key.gemeente, day) for day in first_days):
            found.append("TR378")
    if len(start_acts) > 1 and start is not None and standing_count(start_acts) > 1:
        found.append("TR074")
    if stops:
        if start is None and first_day(start_acts) is not None:
            found.append("TR071")
        found += _vlaggen_stops(stops)
    return tuple(found)


def _vlaggen_stops(stops: Sequence[Stopped]) -> list[str]:
    """Stops that do not go together. Dagtekening is a date: what was signed on one day has no order."""
    found = ["TR074"] if any(stop.deliveries > 1 for stop in stops) else []
    if len(stops) == 1 and not found:
        return found
    final = [stop for stop in stops if stop.reden != REDEN_PAUSE]
    pause = next((stop for stop in stops if stop.reden == REDEN_PAUSE), None)
    if pause is not None and pause.deliveries > 1:
        found.append("TR413")
    after_end = pause is not None and any(stop.first[0] < pause.act.dagtekening for stop in final)
    if len(final) > 1 or after_end:
        found.append("TR415")
    if pause is not None and final:
        first = min(final, key=_order)
        if first.act.einddatum < pause.act.einddatum and pause.act.dagtekening <= first.act.dagtekening:
            found.append("TR414")
    return found


def _between(every: list[Levering]) -> None:
    """Rules between the leveringen of one assignment."""
    if len({levering.start_key[:3] for levering in every}) == len(every):
        return
    per_toewijzing: dict[tuple[object, ...], list[Levering]] = {}
    for levering in every:
        s = levering.start_key
        key: tuple[object, ...] = (s.aanbieder, s.gemeente, s.toewijzing)
        if s.toewijzing is None:
            key = (*key, s.categorie, s.code)
        per_toewijzing.setdefault(key, []).append(levering)
    for group in per_toewijzing.values():
        if len(group) > 1:
            _within_toewijzing(group)


def _within_toewijzing(group: list[Levering]) -> None:
    begun = sorted(
        (levering for levering in group if levering.start is not None),
        key=lambda levering: (levering.start_key.begindatum, levering.start_key.categorie, levering.start_key.code),
    )
    for levering in group:
        if levering.start is None and levering.stopped and begun:
            levering.vlaggen = (*levering.vlaggen, "TR382")
    if begun and begun[0].start_key.toewijzing is None:
        return
    up_to, paused = -OPEN_END, set()
    for levering in begun:
        begin = levering.start_key.begindatum
        if up_to > begin:
            levering.vlaggen = (*levering.vlaggen, "TR326")
        if levering.temporary is not None:
            if begin in paused:
                levering.vlaggen = (*levering.vlaggen, "TR413")
            paused.add(begin)
        up_to = max(up_to, levering.runs_until)
