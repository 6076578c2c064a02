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
    BerichtSleutel,
    CbsDaad,
    CbsSleutel,
    DubbelSleutel,
    MetingDaad,
    MetingSleutel,
    PrestatieDaad,
    PrestatieSleutel,
    ScoreDaad,
    ScoreSleutel,
    Spoor,
    StartDaad,
    StopDaad,
    StopSleutel,
    ToewijzingDaad,
    ToewijzingSleutel,
    VervangingSleutel,
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
from domain.field.codes import STATUS_EERSTE


class Feiten(Struct, array_like=True):
    """Everything known of one client. The inner keys name the act: message hash (eight bytes), or delivery and
    line (twelve). New fields stand at the end, so that an older state can be read.
    """

    starts: dict[Spoor, dict[bytes, StartDaad]] = field(default_factory=dict)
    stops: dict[StopSleutel, dict[bytes, StopDaad]] = field(default_factory=dict)
    prestaties: dict[PrestatieSleutel, dict[bytes, PrestatieDaad]] = field(default_factory=dict)
    scores: dict[ScoreSleutel, dict[bytes, ScoreDaad]] = field(default_factory=dict)
    metingen: dict[MetingSleutel, dict[bytes, MetingDaad]] = field(default_factory=dict)
    toewijzingen: dict[ToewijzingSleutel, ToewijzingDaad] = field(default_factory=dict)
    cbs: dict[CbsSleutel, dict[bytes, CbsDaad]] = field(default_factory=dict)
    retouren: dict[PrestatieSleutel, dict[bytes, str]] = field(default_factory=dict)  # message -> return code
    ingetrokken: dict[BerichtSleutel, str] = field(default_factory=dict)  # -> return code
    dubbel: dict[DubbelSleutel, None] = field(default_factory=dict)
    vervangen: dict[VervangingSleutel, None] = field(default_factory=dict)


_rank: Callable[[Any], bytes] = msgspec.msgpack.Encoder(order="deterministic").encode
"""A total order over acts, for the rare case that one act is delivered with two contents (TR056)."""

_MET_TIJD = (ScoreDaad, MetingDaad, CbsDaad)


def _join(daden: dict[bytes, Any], nummer: bytes, daad: Any) -> None:
    """Add an act. Same act twice: the earliest upload time and, of different contents, the highest rank."""
    eerder = daden.get(nummer)
    if eerder is None:
        daden[nummer] = daad
    elif eerder != daad:
        if isinstance(daad, _MET_TIJD):
            tijd = min(eerder.tijd, daad.tijd)
            eerder, daad = eerder._replace(tijd=tijd), daad._replace(tijd=tijd)
        daden[nummer] = max(eerder, daad, key=_rank)


def add(feiten: Feiten, event: Event) -> None:
    """Join one event into the set, in place."""
    _ADD[type(event.fact)](feiten, event, event.fact)


def _add_start(feiten: Feiten, event: Event, f: Start) -> None:
    sleutel = Spoor(event.aanbieder, f.gemeente, f.toewijzing, f.categorie, f.code, f.begindatum)
    daad = StartDaad(f.status, f.dagtekening, f.ingangsdatum, f.leeftijd, f.leeftijd_benaderd, f.geslacht)
    _join(feiten.starts.setdefault(sleutel, {}), f.bericht, daad)


def _add_stop(feiten: Feiten, event: Event, f: Stop) -> None:
    spoor = Spoor(event.aanbieder, f.gemeente, f.toewijzing, f.categorie, f.code, f.begindatum)
    daad = StopDaad(f.status, f.dagtekening, f.ingangsdatum, f.einddatum, f.leeftijd, f.leeftijd_benaderd, f.geslacht)
    _join(feiten.stops.setdefault(StopSleutel(spoor, f.reden_beeindiging), {}), f.bericht, daad)


def _add_prestatie(feiten: Feiten, event: Event, f: Prestatie) -> None:
    daad = PrestatieDaad(
        f.gemeente, f.toewijzing, f.categorie, f.code, f.vorige_referentie, f.debet_credit, f.begindatum, f.einddatum,
        f.volume, f.eenheid, f.bedrag, f.dagtekening, f.declaratienummer, f.tarief,
    )  # fmt: skip
    _join(feiten.prestaties.setdefault(PrestatieSleutel(event.aanbieder, f.referentie), {}), f.bericht, daad)


def aanlevering(delivery: str) -> bytes:
    """The id of a delivery as sixteen bytes."""
    return bytes.fromhex(delivery)


def _upload(event: Event) -> bytes:
    """Names an act by its record: the delivery (sixteen bytes), then the line (four bytes)."""
    return aanlevering(event.delivery) + event.line.to_bytes(4, "big")


def volgorde(nummer: bytes, tijd: int) -> tuple[int, bytes, bytes]:
    """Upload time, then the order of the lines of one upload, then the delivery: arbitrary but stable."""
    return tijd, nummer[-4:], nummer[:-4]


def _add_score(feiten: Feiten, event: Event, f: Score) -> None:
    sleutel = ScoreSleutel(event.aanbieder, f.toewijzing, f.beschikking, f.doel, f.beoordelaar)
    _join(feiten.scores.setdefault(sleutel, {}), _upload(event), ScoreDaad(f.tijd, f.waarde))


def _add_meting(feiten: Feiten, event: Event, f: Meting) -> None:
    daad = MetingDaad(f.tijd, f.datum, f.vragenlijst, f.informant, f.antwoorden)
    _join(feiten.metingen.setdefault(MetingSleutel(event.aanbieder, f.meting), {}), _upload(event), daad)


def _add_toewijzing(feiten: Feiten, event: Event, f: Toewijzing) -> None:
    """A JW301 repeats every assignment, changed or not: of all versions only the newest is kept, itself a join."""
    sleutel = ToewijzingSleutel(event.aanbieder, f.gemeente, f.toewijzing)
    daad = ToewijzingDaad(
        f.toewijzingsdatum, f.toewijzingstijd, f.bericht, f.categorie, f.code, f.ingangsdatum, f.einddatum,
        f.reden_wijziging, f.eenheid,
    )  # fmt: skip
    eerder = feiten.toewijzingen.get(sleutel)
    if eerder is None or (eerder[:3], _rank(eerder)) < (daad[:3], _rank(daad)):
        feiten.toewijzingen[sleutel] = daad


def _add_cbs(feiten: Feiten, event: Event, f: CbsRecord) -> None:
    daad = CbsDaad(
        f.tijd, f.periode, f.gemeente, f.verwijzer, f.crisis, f.einddatum, f.reden, f.geslacht, f.leeftijd,
        f.leeftijd_benaderd, f.nut_jeugdige, f.nut_ouder, f.zonder_hulp_jeugdige, f.zonder_hulp_ouder,
    )  # fmt: skip
    sleutel = CbsSleutel(event.aanbieder, f.hulpvorm, f.begindatum)
    _join(feiten.cbs.setdefault(sleutel, {}), _upload(event), daad)


def _add_retour(feiten: Feiten, event: Event, f: PrestatieRetour) -> None:
    codes = feiten.retouren.setdefault(PrestatieSleutel(event.aanbieder, f.referentie), {})
    codes[f.bericht] = max(f.code, codes.get(f.bericht, ""))


def _add_intrekking(feiten: Feiten, event: Event, f: Intrekking) -> None:
    sleutel = BerichtSleutel(event.aanbieder, f.soort, f.bericht)
    feiten.ingetrokken[sleutel] = max(f.code, feiten.ingetrokken.get(sleutel, ""))


def _add_dubbel(feiten: Feiten, event: Event, f: Dubbel) -> None:
    feiten.dubbel[DubbelSleutel(event.aanbieder, f.regel, f.soort, f.sleutel)] = None


def _add_vervanging(feiten: Feiten, event: Event, f: Vervanging) -> None:
    feiten.vervangen[VervangingSleutel(event.aanbieder, f.periode, aanlevering(f.aanlevering))] = None


_ADD: dict[type, Callable[[Feiten, Event, Any], None]] = {
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


def staand(daden: dict[bytes, Any]) -> int:
    """Whether a start or stop stands: 0 = the key is not present, 1 = it is, more = it came twice (TR074).

    Logical time is coarse: dagtekening is a date. Day by day: a day with removals leaves the key present only if
    what was there (0 or 1) and what was delivered that day outnumber them; a day with deliveries alone makes it
    present.
    """
    dagen: dict[int, list[int]] = {}
    for daad in daden.values():
        dagen.setdefault(daad.dagtekening, [0, 0])[daad.status != STATUS_EERSTE] += 1
    aantal = 0
    for _, (geleverd, verwijderd) in sorted(dagen.items()):
        aantal = max(0, min(aantal, 1) + geleverd - verwijderd)
    return aantal


def geldend(daden: dict[bytes, Any]) -> Any | None:
    """The act that holds for a start or stop, or None when the key is not present.

    The content is that of the latest delivery (dagtekening, then message: arbitrary but stable).
    """
    if len(daden) == 1:
        (daad,) = daden.values()
        return daad if daad.status == STATUS_EERSTE else None
    if not staand(daden):
        return None
    return max((d.dagtekening, nummer, d) for nummer, d in daden.items() if d.status == STATUS_EERSTE)[2]


def eerste_dag(daden: dict[bytes, Any]) -> int | None:
    """The earliest dagtekening of the deliveries of a start or stop; None when there are only removals."""
    return min((daad.dagtekening for daad in daden.values() if daad.status == STATUS_EERSTE), default=None)


def laatste(daden: dict[bytes, ScoreDaad]) -> tuple[tuple[int, bytes, bytes], ScoreDaad]:
    """The upload of a score that counts, the latest and of one upload the last line, behind its place in that order."""
    return max((volgorde(nummer, daad.tijd), daad) for nummer, daad in daden.items())


def laatste_meting(daden: dict[bytes, MetingDaad]) -> tuple[bytes, MetingDaad]:
    """The delivery of a meting that counts, behind its name: the latest by datum, then as for a score."""
    return max(daden.items(), key=lambda paar: (paar[1].datum, volgorde(paar[0], paar[1].tijd)))
