"""The set of facts of one client: a map from natural key to the acts upon it.

Joining two sets is pointwise and commutative, associative and idempotent (decision 0002): order of arrival,
repetition and restarts leave no trace (OP080). An act is one delivery or removal of one key by one message; it counts
once, by its message key or, for scores, metingen and CBS records, by its record in a delivery. What withdraws acts is
a fact like any other and only grows (decision 0010).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct, field

from domain.facts.act import (
    BerichtKey,
    CbsAct,
    CbsKey,
    DubbelKey,
    MetingAct,
    MetingKey,
    PrestatieAct,
    PrestatieKey,
    ScoreAct,
    ScoreKey,
    StartAct,
    StartKey,
    StopAct,
    StopKey,
    ToewijzingAct,
    ToewijzingKey,
    VervangingKey,
)
from domain.facts.fact import (
    CbsRecord,
    Dubbel,
    Event,
    Intrekking,
    Meting,
    Prestatie,
    PrestatieRetour,
    Score,
    Start,
    Stop,
    Toewijzing,
    Vervanging,
)
from domain.field.codes import STATUS_FIRST


class FactSet(Struct, array_like=True):
    """Everything known of one client. The inner keys name the act: message hash (eight bytes), or delivery and
    line (twelve). New fields stand at the end, so that an older state can be read.
    """

    starts: dict[StartKey, dict[bytes, StartAct]] = field(default_factory=dict)
    stops: dict[StopKey, dict[bytes, StopAct]] = field(default_factory=dict)
    prestaties: dict[PrestatieKey, dict[bytes, PrestatieAct]] = field(default_factory=dict)
    scores: dict[ScoreKey, dict[bytes, ScoreAct]] = field(default_factory=dict)
    metingen: dict[MetingKey, dict[bytes, MetingAct]] = field(default_factory=dict)
    toewijzingen: dict[ToewijzingKey, ToewijzingAct] = field(default_factory=dict)
    cbs: dict[CbsKey, dict[bytes, CbsAct]] = field(default_factory=dict)
    retouren: dict[PrestatieKey, dict[bytes, str]] = field(default_factory=dict)  # message -> return code
    ingetrokken: dict[BerichtKey, str] = field(default_factory=dict)  # -> return code
    dubbel: dict[DubbelKey, None] = field(default_factory=dict)
    replaced: dict[VervangingKey, None] = field(default_factory=dict)


_rank: Callable[[Any], bytes] = msgspec.msgpack.Encoder(order="deterministic").encode
"""A total order over acts, for the rare case that one act is delivered with two contents (TR056)."""

_UPLOADED = (ScoreAct, MetingAct, CbsAct)


def _join(acts: dict[bytes, Any], number: bytes, act: Any) -> None:
    """Add an act. Same act twice: the earliest upload time and, of different contents, the highest rank."""
    earlier = acts.get(number)
    if earlier is None:
        acts[number] = act
    elif earlier != act:
        if isinstance(act, _UPLOADED):
            earliest = min(earlier.tijd, act.tijd)
            earlier, act = earlier._replace(tijd=earliest), act._replace(tijd=earliest)
        acts[number] = max(earlier, act, key=_rank)


def add(facts: FactSet, event: Event) -> None:
    """Join one event into the set, in place."""
    _ADD[type(event.fact)](facts, event, event.fact)


def _add_start(facts: FactSet, event: Event, f: Start) -> None:
    key = StartKey(event.aanbieder, f.gemeente, f.toewijzing, f.categorie, f.code, f.begindatum)
    act = StartAct(f.status, f.dagtekening, f.ingangsdatum, f.leeftijd, f.leeftijd_benaderd, f.geslacht)
    _join(facts.starts.setdefault(key, {}), f.bericht, act)


def _add_stop(facts: FactSet, event: Event, f: Stop) -> None:
    start_key = StartKey(event.aanbieder, f.gemeente, f.toewijzing, f.categorie, f.code, f.begindatum)
    act = StopAct(f.status, f.dagtekening, f.ingangsdatum, f.einddatum, f.leeftijd, f.leeftijd_benaderd, f.geslacht)
    _join(facts.stops.setdefault(StopKey(start_key, f.reden_beeindiging), {}), f.bericht, act)


def _add_prestatie(facts: FactSet, event: Event, f: Prestatie) -> None:
    act = PrestatieAct(
        f.gemeente, f.toewijzing, f.categorie, f.code, f.vorige_referentie, f.debet_credit, f.begindatum, f.einddatum,
        f.volume, f.eenheid, f.bedrag, f.dagtekening, f.declaratienummer, f.tarief,
    )  # fmt: skip
    _join(facts.prestaties.setdefault(PrestatieKey(event.aanbieder, f.referentie), {}), f.bericht, act)


def aanlevering(delivery: str) -> bytes:
    """The id of a delivery as sixteen bytes."""
    return bytes.fromhex(delivery)


def _upload(event: Event) -> bytes:
    """Names an act by its record: the delivery (sixteen bytes), then the line (four bytes)."""
    return aanlevering(event.delivery) + event.line.to_bytes(4, "big")


def order(number: bytes, tijd: int) -> tuple[int, bytes, bytes]:
    """Upload time, then the order of the lines of one upload, then the delivery: arbitrary but stable."""
    return tijd, number[-4:], number[:-4]


def _add_score(facts: FactSet, event: Event, f: Score) -> None:
    key = ScoreKey(event.aanbieder, f.toewijzing, f.beschikking, f.doel, f.beoordelaar)
    _join(facts.scores.setdefault(key, {}), _upload(event), ScoreAct(f.tijd, f.waarde))


def _add_meting(facts: FactSet, event: Event, f: Meting) -> None:
    act = MetingAct(f.tijd, f.datum, f.vragenlijst, f.informant, f.antwoorden)
    _join(facts.metingen.setdefault(MetingKey(event.aanbieder, f.meting), {}), _upload(event), act)


def _add_toewijzing(facts: FactSet, event: Event, f: Toewijzing) -> None:
    """A JW301 repeats every assignment, changed or not: of all versions only the newest is kept, itself a join."""
    key = ToewijzingKey(event.aanbieder, f.gemeente, f.toewijzing)
    act = ToewijzingAct(
        f.toewijzingsdatum, f.toewijzingstijd, f.bericht, f.categorie, f.code, f.ingangsdatum, f.einddatum,
        f.reden_wijziging, f.eenheid,
    )  # fmt: skip
    earlier = facts.toewijzingen.get(key)
    if earlier is None or (earlier[:3], _rank(earlier)) < (act[:3], _rank(act)):
        facts.toewijzingen[key] = act


def _add_cbs(facts: FactSet, event: Event, f: CbsRecord) -> None:
    act = CbsAct(
        f.tijd, f.periode, f.gemeente, f.verwijzer, f.crisis, f.einddatum, f.reden, f.geslacht, f.leeftijd,
        f.leeftijd_benaderd, f.nut_jeugdige, f.nut_ouder, f.zonder_hulp_jeugdige, f.zonder_hulp_ouder,
    )  # fmt: skip
    key = CbsKey(event.aanbieder, f.hulpvorm, f.begindatum)
    _join(facts.cbs.setdefault(key, {}), _upload(event), act)


def _add_retour(facts: FactSet, event: Event, f: PrestatieRetour) -> None:
    codes = facts.retouren.setdefault(PrestatieKey(event.aanbieder, f.referentie), {})
    codes[f.bericht] = max(f.code, codes.get(f.bericht, ""))


def _add_intrekking(facts: FactSet, event: Event, f: Intrekking) -> None:
    key = BerichtKey(event.aanbieder, f.soort, f.bericht)
    facts.ingetrokken[key] = max(f.code, facts.ingetrokken.get(key, ""))


def _add_dubbel(facts: FactSet, event: Event, f: Dubbel) -> None:
    facts.dubbel[DubbelKey(event.aanbieder, f.regel, f.soort, f.sleutel)] = None


def _add_vervanging(facts: FactSet, event: Event, f: Vervanging) -> None:
    facts.replaced[VervangingKey(event.aanbieder, f.periode, aanlevering(f.aanlevering))] = None


_ADD: dict[type, Callable[[FactSet, Event, Any], None]] = {
    Start: _add_start,
    Stop: _add_stop,
    Prestatie: _add_prestatie,
    Score: _add_score,
    Meting: _add_meting,
    Toewijzing: _add_toewijzing,
    CbsRecord: _add_cbs,
    PrestatieRetour: _add_retour,
    Intrekking: _add_intrekking,
    Dubbel: _add_dubbel,
    Vervanging: _add_vervanging,
}


def standing_count(acts: dict[bytes, Any]) -> int:
    """Whether a start or stop stands: 0 = the key is not present, 1 = it is, more = it came twice (TR074).

    Logical time is coarse: dagtekening is a date. Day by day: a day with removals leaves the key present only if what
    was there (0 or 1) and what was delivered that day outnumber them; a day with deliveries alone makes it present.
    """
    days: dict[int, list[int]] = {}
    for act in acts.values():
        days.setdefault(act.dagtekening, [0, 0])[act.status != STATUS_FIRST] += 1
    count = 0
    for _, (delivered, removed) in sorted(days.items()):
        count = max(0, min(count, 1) + delivered - removed)
    return count


def standing(acts: dict[bytes, Any]) -> Any | None:
    """The act that holds for a start or stop, or None when the key is not present.

    The content is that of the latest delivery (dagtekening, then message: arbitrary but stable).
    """
    if len(acts) == 1:
        (act,) = acts.values()
        return act if act.status == STATUS_FIRST else None
    if not standing_count(acts):
        return None
    return max((d.dagtekening, number, d) for number, d in acts.items() if d.status == STATUS_FIRST)[2]


def first_day(acts: dict[bytes, Any]) -> int | None:
    """The earliest dagtekening of the deliveries of a start or stop; None when there are only removals."""
    return min((act.dagtekening for act in acts.values() if act.status == STATUS_FIRST), default=None)


def laatste(acts: dict[bytes, ScoreAct]) -> tuple[tuple[int, bytes, bytes], ScoreAct]:
    """The upload of a score that counts, the latest and of one upload the last line, behind its place in that order."""
    return max((order(number, act.tijd), act) for number, act in acts.items())


def last_meting(acts: dict[bytes, MetingAct]) -> tuple[bytes, MetingAct]:
    """The delivery of a meting that counts, behind its name: the latest by datum, then as for a score."""
    return max(acts.items(), key=lambda pair: (pair[1].datum, order(pair[0], pair[1].tijd)))
