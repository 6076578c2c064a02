"""Starts and stops the long way: which keys are present, leveringen, and the chains of them that are trajecten.

Part of the oracle: shares no code with the fold. Every question is answered anew from the full list of events.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from domain.facts.fact import (
    CbsRecord,
    Event,
    Intrekking,
    Prestatie,
    PrestatieRetour,
    Start,
    Stop,
    Teruggenomen,
    Toewijzing,
    Vervanging,
)
from domain.field.codes import REDENEN
from domain.field.geography import current_code
from tests.oracle.texts import AS_SHIPPED, Texts

#: Key of an assignment: provider, municipality, number (TR332).
Decision = tuple[str, str, bytes | None]
Versions = Mapping[Decision, Toewijzing]
PAUSE, BY_GEMEENTE, MERGER, REMOVED = "20", "36", "11", "13"


@dataclass(frozen=True)
class StartKey:
    """What a start and its stops have in common: IV008 with provider and municipality in front.

    The municipality is the one that gave the number (TR332): an old code stays part of the key, as TR378 has it, and
    counts under the current code.
    """

    aanbieder: str
    ontvanger: str
    toewijzing: bytes | None
    categorie: str
    code: str
    begin: int

    @property
    def gemeente(self) -> str:
        return current_code(self.ontvanger)

    @property
    def order(self) -> tuple[int, bytes, str, str]:
        return self.begin, self.toewijzing or b"", self.code, self.ontvanger

    @property
    def decision(self) -> Decision:
        """Key of the assignment."""
        return self.aanbieder, self.ontvanger, self.toewijzing


@dataclass(frozen=True)
class Levering:
    """One present start and its current stop; or a stop that waits for its start; or only removals (both None)."""

    start_key: StartKey
    start: Start | None
    stop: Stop | None
    stops: tuple[Stop, ...] = ()  # every present stop, one per reason
    firsts: tuple[Stop, ...] = ()  # of each the delivery since which it is there
    starts_sent: tuple[Start, ...] = ()  # every act upon the start, removals too
    stops_sent: tuple[tuple[Stop, ...], ...] = ()  # likewise, per reason
    merged: bool = False  # a merger of municipalities ended the assignment, not the care (RedenWijziging 11, JZ002)

    @property
    def acts(self) -> tuple[Start | Stop, ...]:
        return (*self.starts_sent, *(act for acts in self.stops_sent for act in acts))


@dataclass(frozen=True)
class Chain:
    """A traject: leveringen in order, and how it stands."""

    leveringen: tuple[Levering, ...]
    status: str
    end: Stop | None = None  # the stop that ends it; None while it goes on
    start_key: StartKey = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "start_key", self.leveringen[0].start_key)

    @property
    def begin(self) -> int:
        return min(one.start_key.begin for one in self.leveringen)

    @property
    def care(self) -> bool:
        """Whether it holds a start."""
        return not self.status.startswith("wacht")

    def has(self, toewijzing: bytes) -> bool:
        return any(one.start_key.toewijzing == toewijzing for one in self.leveringen)


# --- what counts as sent ------------------------------------------------------------------------------------------


KIND = {Start: "start", Stop: "stop", Prestatie: "declaration"}


def counting(history: Sequence[Event]) -> list[Event]:
    """The events without what counts as never sent: deliveries that were taken back, and of what is left, answers
    included, whole messages that were rejected (IV087, OP286), declared lines, replaced CBS deliveries.
    """
    gone = taken_back(history)
    history = [event for event in history if event.delivery not in gone]
    messages = {
        (e.aanbieder, e.fact.soort, e.fact.bericht, e.fact.bericht_dagtekening)
        for e in history
        if isinstance(e.fact, Intrekking)
    }
    lines = {
        (e.aanbieder, e.fact.referentie, e.fact.bericht, e.fact.bericht_dagtekening)
        for e in history
        if isinstance(e.fact, PrestatieRetour)
    }
    files = {(e.aanbieder, e.fact.periode, e.fact.aanlevering) for e in history if isinstance(e.fact, Vervanging)}

    def counts(event: Event) -> bool:
        f, who = event.fact, event.aanbieder
        if isinstance(f, Start | Stop | Prestatie):
            for day in (None, f.dagtekening):  # an answer names its message by dagtekening too (3.8)
                if (who, KIND[type(f)], f.bericht, day) in messages:
                    return False
                if isinstance(f, Prestatie) and (who, f.referentie, f.bericht, day) in lines:
                    return False
        return not (isinstance(f, CbsRecord) and (who, f.periode, event.delivery) in files)

    return [event for event in history if counts(event)]


def taken_back(history: Sequence[Event]) -> set[str]:
    """Deliveries that were taken back, and of which no record was sent since the last time that they were."""
    told = [event.fact for event in history if isinstance(event.fact, Teruggenomen)]
    last = {f.aanlevering: max(g.terug for g in told if g.aanlevering == f.aanlevering) for f in told}
    again = {f.aanlevering for f in told if f.opnieuw >= last[f.aanlevering]}
    return last.keys() - again


def current_versions(history: Sequence[Event]) -> dict[Decision, Toewijzing]:
    """Of every assignment the version with the highest toewijzingsdatum and -tijd (IV013); of equals the message."""
    versions: dict[Decision, Toewijzing] = {}
    for event in history:
        f = event.fact
        if isinstance(f, Toewijzing):
            key = event.aanbieder, f.gemeente, f.toewijzing
            rank = f.toewijzingsdatum, f.toewijzingstijd, f.bericht
            old = versions.get(key)
            if old is None or rank > (old.toewijzingsdatum, old.toewijzingstijd, old.bericht):
                versions[key] = f
    return versions


# --- starts and stops: which keys are present ---------------------------------------------------------------------


def start_key_of(event: Event) -> StartKey:
    """The spoor of a start or a stop."""
    f = event.fact
    assert isinstance(f, Start | Stop)
    return StartKey(event.aanbieder, f.gemeente, f.toewijzing, f.categorie, f.code, f.begindatum)


def standing(acts: Sequence[Start | Stop], until: int | None = None) -> int:
    """How many deliveries of one key stand at the end of a day (None = of all days); 0 = the key is not there.

    Let d be the day of the last removal, and before 1 if the key was there at the end of the day before d. It is there
    iff before + deliveries on d - removals on d > 0, or something was delivered after d.
    """
    seen = [act for act in acts if until is None or act.dagtekening <= until]
    deliveries = [act.dagtekening for act in seen if act.status == 1]
    removals = [act.dagtekening for act in seen if act.status == 3]
    if not removals:
        return len(deliveries)
    d = max(removals)
    before = 1 if standing(acts, d - 1) > 0 else 0
    on_d = before + deliveries.count(d) - removals.count(d)
    return max(0, on_d) + sum(day > d for day in deliveries)


def content(acts: Sequence[Any]) -> Any:
    """The latest delivery of a key: by dagtekening, then by message."""
    return max((act for act in acts if act.status == 1), key=lambda act: (act.dagtekening, act.bericht))


def first_told(acts: Sequence[Stop]) -> Stop:
    """The first delivery of a stop that is there: on the earliest day, not before the last removal, at the end of which
    it was there; of that day the lowest message.
    """
    days = {act.dagtekening for act in acts}
    last = max((act.dagtekening for act in acts if act.status == 3), default=min(days))
    since = min(day for day in days if day >= last and standing(acts, day) > 0)
    return min((act for act in acts if act.status == 1 and act.dagtekening == since), key=lambda act: act.bericht)


def _acts(events: Sequence[Event], kind: type, reden: str = "") -> tuple[Any, ...]:
    """The acts upon one key, from the events of one spoor; a message counts once."""
    found: dict[bytes, Any] = {}
    for event in events:
        f = event.fact
        if not isinstance(f, kind) or getattr(f, "reden_beeindiging", "") != reden:
            continue
        assert isinstance(f, Start | Stop)
        if f.bericht in found and found[f.bericht] != f:
            raise ValueError("one message, two contents: TR056 is tested apart")
        found[f.bericht] = f
    return tuple(found.values())


def version_of(versions: Versions, decision: Decision) -> Toewijzing | None:
    """The current version of an assignment, a removal too; after a merger the same number may come under the old or the
    new code of the municipality (TR378) [R]: first as received.
    """
    if decision in versions:
        return versions[decision]
    who, gemeente, number = decision
    same = (
        v for (w, g, n), v in versions.items() if (w, n) == (who, number) and current_code(g) == current_code(gemeente)
    )
    return next(same, None)


def leveringen(history: Sequence[Event], versions: Versions) -> list[Levering]:
    """Everything that was said of every spoor: what is present, and what only removals name."""
    per_start_key: dict[StartKey, list[Event]] = {}
    for event in history:
        if isinstance(event.fact, Start | Stop):
            per_start_key.setdefault(start_key_of(event), []).append(event)
    result = []
    for start_key, events in per_start_key.items():
        starts = _acts(events, Start)
        by_reden = tuple(acts for acts in (_acts(events, Stop, reden) for reden in REDENEN) if acts)
        present = [acts for acts in by_reden if standing(acts) > 0]
        stops: list[Stop] = [content(acts) for acts in present]
        firsts = tuple(first_told(acts) for acts in present)
        finals = [stop for stop in firsts if stop.reden_beeindiging != PAUSE]
        # The first counts (TR415); of two reasons in one message the lower code (open in the texts).
        first = min(finals or firsts, key=lambda s: (s.dagtekening, s.bericht, s.reden_beeindiging), default=None)
        current = None if first is None else stops[firsts.index(first)]
        start = content(starts) if standing(starts) > 0 else None
        version = version_of(versions, start_key.decision)
        merger = version is not None and version.reden_wijziging == MERGER
        merged = merger and current is not None and current.reden_beeindiging == BY_GEMEENTE
        result.append(Levering(start_key, start, current, tuple(stops), firsts, starts, by_reden, merged))
    return result


def orphans(one: Levering) -> list[int]:
    """Days of the removals whose key was never delivered (TR063)."""
    return [
        act.dagtekening
        for acts in (one.starts_sent, *one.stops_sent)
        if acts and all(act.status == 3 for act in acts)
        for act in acts
    ]


# --- trajecten ----------------------------------------------------------------------------------------------------


def _waits(one: Levering, chain: Sequence[Levering]) -> bool:
    """A levering that was only interrupted, while no later start on or after the interruption has resumed it."""
    if one.stop is None or not (one.merged or one.stop.reden_beeindiging == PAUSE):
        return False
    return not any(
        other.start_key.begin > one.start_key.begin and other.start_key.begin >= one.stop.einddatum for other in chain
    )


def _runs(one: Levering) -> bool:
    return one.stop is None


def _joins(chain: Sequence[Levering], following: Levering, days: int) -> bool:
    if any(_runs(one) or _waits(one, chain) for one in chain):
        return True
    end = max(one.stop.einddatum for one in chain if one.stop is not None)
    return following.start_key.begin <= end + days


def _chain(chain: Sequence[Levering]) -> Chain:
    if any(_runs(one) or (one.merged and _waits(one, chain)) for one in chain):
        return Chain(tuple(chain), "lopend")
    if any(_waits(one, chain) for one in chain):
        return Chain(tuple(chain), "gepauzeerd")
    last = chain[0]
    for one in chain:  # in order: of equal ends the later levering counts
        assert one.stop is not None
        assert last.stop is not None
        if one.stop.einddatum >= last.stop.einddatum:
            last = one
    return Chain(tuple(chain), "beeindigd", last.stop)


def _pending(one: Levering) -> Chain | None:
    if one.stop is not None:
        return Chain((one,), "wacht_op_start")
    return Chain((one,), "wacht_op_levering") if orphans(one) else None


def all_chains(everything: Sequence[Levering], texts: Texts = AS_SHIPPED) -> list[Chain]:
    """All trajecten of the client, also those of a stop that waits for its start and of removals of nothing known."""
    pending = [_pending(one) for one in everything if one.start is None]
    result = [one_chain for one_chain in pending if one_chain is not None]
    groups: dict[tuple[str, str, str], list[Levering]] = {}
    for one in everything:
        if one.start is not None:
            groups.setdefault((one.start_key.aanbieder, one.start_key.gemeente, one.start_key.categorie), []).append(
                one
            )
    for group in groups.values():
        chain: list[Levering] = []
        for one in sorted(group, key=lambda levering: levering.start_key.order):
            if chain and not _joins(chain, one, texts.chain):
                result.append(_chain(chain))
                chain = []
            chain.append(one)
        result.append(_chain(chain))
    return result
