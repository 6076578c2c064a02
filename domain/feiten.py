"""The set of facts of one client: a map from natural key to the acts upon it.

Joining two sets is pointwise and commutative, associative and idempotent (decision 0002): order of arrival,
repetition and
restarts leave no trace (OP080). An act is one delivery or removal of one key by one message; it counts once, by its
message key or, for scores and metingen, by its record in a delivery.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
from msgspec import Struct, field

from domain.codes import STATUS_EERSTE
from domain.facts import Event, Meting, Prestatie, Score, Start, Stop


class Spoor(NamedTuple):
    """Key of a start: IV008, with provider and municipality in front; IV096 without toewijzing."""

    aanbieder: str
    gemeente: str
    toewijzing: bytes | None
    categorie: str
    code: str
    begindatum: int


class StopSleutel(NamedTuple):
    """Key of a stop: its spoor and the reason, added to the key in iJw 3.2."""

    spoor: Spoor
    reden: str


class ScoreSleutel(NamedTuple):
    """Key of a score: provider, number, goal and rater."""

    aanbieder: str
    toewijzing: bytes | None
    beschikking: bytes | None
    doel: int
    beoordelaar: str


class PrestatieSleutel(NamedTuple):
    """Key of a declared line: TR314."""

    aanbieder: str
    referentie: bytes


class MetingSleutel(NamedTuple):
    """Key of a filled-in questionnaire."""

    aanbieder: str
    meting: bytes


class StartDaad(NamedTuple):
    """One delivery (status 1) or removal (status 3) of a start."""

    status: int
    dagtekening: int
    ingangsdatum: int | None
    leeftijd: int | None
    leeftijd_benaderd: bool
    geslacht: str


class StopDaad(NamedTuple):
    """One delivery or removal of a stop."""

    status: int
    dagtekening: int
    ingangsdatum: int | None
    einddatum: int
    leeftijd: int | None
    leeftijd_benaderd: bool
    geslacht: str


class PrestatieDaad(NamedTuple):
    """One declared line as delivered."""

    gemeente: str
    toewijzing: bytes
    categorie: str
    code: str
    vorige_referentie: bytes | None
    debet_credit: str
    begindatum: int
    einddatum: int
    volume: int
    eenheid: str
    bedrag: int
    dagtekening: int


class ScoreDaad(NamedTuple):
    """One upload of a score."""

    tijd: int
    waarde: int | None


class MetingDaad(NamedTuple):
    """One upload of a meting."""

    tijd: int
    datum: int
    vragenlijst: str
    informant: str
    antwoorden: dict[str, int]


class Feiten(Struct, array_like=True):
    """Everything known of one client. The inner keys name the act: message hash (eight bytes), or delivery and
    line (twelve).
    """

    starts: dict[Spoor, dict[bytes, StartDaad]] = field(default_factory=dict)
    stops: dict[StopSleutel, dict[bytes, StopDaad]] = field(default_factory=dict)
    prestaties: dict[PrestatieSleutel, dict[bytes, PrestatieDaad]] = field(default_factory=dict)
    scores: dict[ScoreSleutel, dict[bytes, ScoreDaad]] = field(default_factory=dict)
    metingen: dict[MetingSleutel, dict[bytes, MetingDaad]] = field(default_factory=dict)


def _rank(daad: Any) -> bytes:
    """A total order over acts, for the rare case that one act is delivered with two contents (TR056)."""
    return msgspec.msgpack.encode(daad, order="deterministic")


def _join(daden: dict[bytes, Any], nummer: bytes, daad: Any) -> None:
    """Add an act. Same act twice: the earliest upload time and, of different contents, the highest rank."""
    eerder = daden.get(nummer)
    if eerder is None:
        daden[nummer] = daad
    elif eerder != daad:
        if isinstance(daad, ScoreDaad | MetingDaad):
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
        f.gemeente, f.toewijzing, f.categorie, f.code, f.vorige_referentie, f.debet_credit,
        f.begindatum, f.einddatum, f.volume, f.eenheid, f.bedrag, f.dagtekening,
    )  # fmt: skip
    _join(feiten.prestaties.setdefault(PrestatieSleutel(event.aanbieder, f.referentie), {}), f.bericht, daad)


def _upload(event: Event) -> bytes:
    """Names an act by its record: the delivery (eight bytes), then the line (four bytes)."""
    return bytes.fromhex(event.delivery[:16]) + event.line.to_bytes(4, "big")


def _volgorde(nummer: bytes, daad: ScoreDaad | MetingDaad) -> tuple[int, bytes, bytes]:
    """Upload time, then the order of the lines of one upload, then the delivery: arbitrary but stable."""
    return daad.tijd, nummer[8:], nummer[:8]


def _add_score(feiten: Feiten, event: Event, f: Score) -> None:
    sleutel = ScoreSleutel(event.aanbieder, f.toewijzing, f.beschikking, f.doel, f.beoordelaar)
    _join(feiten.scores.setdefault(sleutel, {}), _upload(event), ScoreDaad(f.tijd, f.waarde))


def _add_meting(feiten: Feiten, event: Event, f: Meting) -> None:
    daad = MetingDaad(f.tijd, f.datum, f.vragenlijst, f.informant, f.antwoorden)
    _join(feiten.metingen.setdefault(MetingSleutel(event.aanbieder, f.meting), {}), _upload(event), daad)


_ADD: dict[type, Any] = {
    Start: _add_start,
    Stop: _add_stop,
    Prestatie: _add_prestatie,
    Score: _add_score,
    Meting: _add_meting,
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


def laatste(daden: dict[bytes, ScoreDaad]) -> tuple[tuple[int, bytes, bytes], ScoreDaad]:
    """The upload of a score that counts, the latest and of one upload the last line, behind its place in that order."""
    return max((_volgorde(nummer, daad), daad) for nummer, daad in daden.items())


def laatste_meting(daden: dict[bytes, MetingDaad]) -> MetingDaad:
    """The delivery of a meting that counts: the latest by datum, then as for a score."""
    return max(daden.items(), key=lambda paar: (paar[1].datum, _volgorde(*paar)))[1]
