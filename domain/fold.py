"""The fold: events of one client into its set of facts, and the set into rows.

``fold`` is what the live stage, replay and audit share. It is a pure function of what it is given.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct, field

from domain import koppeling
from domain.dates import year
from domain.facts import Event
from domain.feiten import Feiten, add
from domain.geography import cluster, huidige_code
from domain.questionnaires import NUT, ZONDER_HULP
from domain.rows import T_METING, T_SCORE, T_TRAJECT, MetingRij, Rij, RowKey, ScoreRij, TrajectRij
from domain.trajecten import OPEN_EINDE, Levering, Traject, nummer, trajecten

Rijen = dict[RowKey, Rij]
_WEG: Final = b""
_DAY_MS: Final = 86_400_000


class Persoon(Struct, array_like=True):
    """The packed state of one client: its facts, and what was last given out of them.

    ``uit`` remembers every row key ever given out with a hash of its content (empty = given out as deleted), so that
    a row
    the facts no longer yield is given out once more as deleted. ``versie`` is the version of the last event folded in.
    """

    versie: int = -1
    feiten: Feiten = field(default_factory=Feiten)
    uit: dict[RowKey, bytes] = field(default_factory=dict)


class Uitgifte(NamedTuple):
    """A row to publish; ``rij`` is None when the key is to be deleted."""

    sleutel: RowKey
    rij: Rij | None


_encode = msgspec.msgpack.Encoder(order="deterministic").encode


def fold(client: bytes, persoon: Persoon, events: Iterable[Event], versie: int, eerste: int) -> list[Uitgifte]:
    """Fold events into ``persoon`` (in place) and give the rows to publish.

    ``eerste`` and ``versie`` are the versions of the first and last of these events. Rows whose content did not
    change are
    left out, unless the events were folded before (a redelivery after a crash): then nothing proves that their rows
    went
    out, so every row goes out again, deletions included.
    """
    herhaald = eerste <= persoon.versie
    for event in events:
        add(persoon.feiten, event)
    persoon.versie = max(persoon.versie, versie)
    return _uitgifte(persoon, rijen(client, persoon.feiten), alles=herhaald)


def _uitgifte(persoon: Persoon, nieuw: Rijen, *, alles: bool) -> list[Uitgifte]:
    uit, gevonden = persoon.uit, []
    for sleutel, rij in nieuw.items():
        vinger = hashlib.blake2b(_encode(rij), digest_size=8).digest()
        if alles or uit.get(sleutel) != vinger:
            uit[sleutel] = vinger
            gevonden.append(Uitgifte(sleutel, rij))
    if len(uit) > len(nieuw):
        for sleutel, vinger in uit.items():
            if sleutel not in nieuw and (alles or vinger != _WEG):
                uit[sleutel] = _WEG
                gevonden.append(Uitgifte(sleutel, None))
    return gevonden


def rijen(client: bytes, feiten: Feiten) -> Rijen:
    """Every row of one client: a pure function of the set of facts."""
    ketens = trajecten(client, feiten)
    oogst = {traject.nummer: koppeling.Oogst() for traject in ketens}
    metingen = koppeling.metingen(feiten, ketens)
    scores = koppeling.scores(feiten, ketens)
    for meting in metingen:
        if meting.traject is not None:
            oogst[meting.traject.nummer].metingen.append(meting)
    for score in scores:
        if score.traject is not None:
            oogst[score.traject.nummer].scores.append(score)
    for bron, aantal in koppeling.declaraties(feiten, ketens).items():
        oogst[bron].declaraties = aantal
    gevonden: Rijen = {}
    for traject in ketens:
        sleutel = RowKey(T_TRAJECT, traject.aanbieder, traject.gemeente, year(traject.begin), traject.nummer)
        gevonden[sleutel] = _traject_rij(traject, oogst[traject.nummer])
    for meting in metingen:
        gevonden[_meting_sleutel(client, meting)] = _meting_rij(meting)
    for score in scores:
        gevonden[_score_sleutel(client, score)] = _score_rij(score)
    return gevonden


def _traject_rij(traject: Traject, oogst: koppeling.Oogst) -> TrajectRij:
    eerste, laatste = traject.leveringen[0], traject.leveringen[-1]
    rij = TrajectRij(
        cluster=cluster(traject.gemeente),
        categorie=traject.categorie,
        code=laatste.spoor.code,
        begindatum=traject.begin,
        einddatum=None if traject.einde == OPEN_EINDE else traject.einde,
        reden_beeindiging=traject.reden,
        uitval_klasse=traject.klasse,
        status=traject.status,
        leveringen=len(traject.leveringen),
        leeftijd=eerste.start.leeftijd if eerste.start else None,
        geslacht=eerste.start.geslacht if eerste.start else "",
        metingen=len(oogst.metingen),
        declaraties=oogst.declaraties,
        vlaggen=_vlaggen(traject.leveringen),
    )
    _metingen_op_rij(rij, oogst.metingen)
    _scores_op_rij(rij, oogst.scores)
    return rij


def _vlaggen(leveringen: list[Levering]) -> list[str]:
    return sorted({vlag for levering in leveringen for vlag in levering.vlaggen})


def _metingen_op_rij(rij: TrajectRij, metingen: list[koppeling.Meting]) -> None:
    for meting in metingen:
        if meting.telt:
            nut, zonder = meting.daad.antwoorden.get(NUT), meting.daad.antwoorden.get(ZONDER_HULP)
            if meting.groep == "jeugdige":
                rij.nut_jeugdige, rij.zonder_hulp_jeugdige = nut, zonder
            else:
                rij.nut_ouder, rij.zonder_hulp_ouder = nut, zonder


_PROBLEEM: Final = {"B": "probleem_behandelaar", "O": "probleem_ouder", "C": "probleem_client"}


def _scores_op_rij(rij: TrajectRij, scores: list[koppeling.Score]) -> None:
    """Two assignments in one chain may score the same goal: the latest upload counts, also when it is x."""
    rij.scores = len(scores)
    gas: dict[str, int] = {}
    for score in sorted(scores, key=lambda score: score.volgorde):
        doel, beoordelaar, waarde = score.sleutel.doel, score.sleutel.beoordelaar, score.daad.waarde
        if doel == 0:
            setattr(rij, _PROBLEEM[beoordelaar], waarde)
        elif waarde is not None:
            gas[f"{doel}{beoordelaar}"] = waarde
        else:
            gas.pop(f"{doel}{beoordelaar}", None)
    rij.gas = gas
    rij.gas_gescoord = len(gas)
    rij.gas_bereikt = sum(waarde == 2 for waarde in gas.values())
    rij.gas_deels = sum(waarde >= 1 for waarde in gas.values())


def _meting_sleutel(client: bytes, meting: koppeling.Meting) -> RowKey:
    gemeente = huidige_code(meting.traject.gemeente) if meting.traject else ""
    bron = nummer(client, "meting", meting.aanbieder, meting.nummer)
    return RowKey(T_METING, meting.aanbieder, gemeente, year(meting.daad.datum), bron)


def _meting_rij(meting: koppeling.Meting) -> MetingRij:
    daad = meting.daad
    return MetingRij(
        vragenlijst=daad.vragenlijst,
        groep=meting.groep,
        soort=meting.soort,
        informant=daad.informant,
        datum=daad.datum,
        nut=daad.antwoorden.get(NUT),
        zonder_hulp=daad.antwoorden.get(ZONDER_HULP),
        antwoorden=daad.antwoorden,
        traject=meting.traject.nummer.hex() if meting.traject else "",
        telt=meting.telt,
    )


def _score_sleutel(client: bytes, score: koppeling.Score) -> RowKey:
    s = score.sleutel
    gemeente = score.traject.gemeente if score.traject else ""
    bron = nummer(client, "score", s.aanbieder, s.toewijzing, s.beschikking, s.doel, s.beoordelaar)
    return RowKey(T_SCORE, s.aanbieder, gemeente, year(score.daad.tijd // _DAY_MS), bron)


def _score_rij(score: koppeling.Score) -> ScoreRij:
    return ScoreRij(
        doel=score.sleutel.doel,
        beoordelaar=score.sleutel.beoordelaar,
        waarde=score.daad.waarde,
        tijd=score.daad.tijd,
        traject=score.traject.nummer.hex() if score.traject else "",
    )
