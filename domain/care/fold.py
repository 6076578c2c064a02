"""The fold: events of one client into its set of facts, and the set into rows.

``fold`` is what the live stage, replay and audit share. It is a pure function of what it is given.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct, field

from domain.care import cbs
from domain.care import declarations as declaraties
from domain.care import duplicates as dubbel
from domain.care import links as koppeling
from domain.care.leveringen import OPEN_EINDE
from domain.care.rows import T_METING, T_SCORE, T_TRAJECT, MetingRij, Rij, RowKey, ScoreRij, TrajectRij
from domain.care.toewijzingen import Toewijzingen
from domain.care.trajecten import Traject, nieuwe_start, nummer, trajecten
from domain.care.withdrawals import geldige
from domain.facts.fact import Event
from domain.facts.fact_set import Feiten, add
from domain.field.codes import HULPVORM_VAN_CATEGORIE
from domain.field.dates import year
from domain.field.definitions import INTENSITEIT, LEEFTIJD_WORDT_18
from domain.field.geography import cluster, huidige_code
from domain.field.questionnaires import DUURZAAM, EINDE
from domain.field.rules import WORDT_18

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
    wacht: dict[bytes, str] = field(
        default_factory=dict
    )  # record that ever waited (see Wachten) -> why; empty = no more


class Uitgifte(NamedTuple):
    """A row to publish; ``rij`` is None when the key is to be deleted."""

    sleutel: RowKey
    rij: Rij | None


class Wachten(NamedTuple):
    """Whether a record of a delivery waits: the table of its row, delivery, line, and why (empty = no more)."""

    tabel: int
    delivery: str
    line: int
    reden: str


class Gevouwen(NamedTuple):
    """What follows from a batch: rows to publish, and what changed of which records wait."""

    uitgiften: list[Uitgifte]
    wachten: list[Wachten]


_encode = msgspec.msgpack.Encoder(order="deterministic").encode


def fold(client: bytes, persoon: Persoon, events: Iterable[Event], versie: int, eerste: int) -> list[Uitgifte]:
    """As ``vouw``: the rows alone."""
    return vouw(client, persoon, events, versie, eerste).uitgiften


def vouw(client: bytes, persoon: Persoon, events: Iterable[Event], versie: int, eerste: int) -> Gevouwen:
    """Fold events into ``persoon`` (in place) and give the rows to publish, and what waits or waits no more.

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
    nieuw = rijen(client, persoon.feiten)
    return Gevouwen(_uitgifte(persoon, nieuw, alles=herhaald), _wachten(persoon, nieuw, alles=herhaald))


def _wachten(persoon: Persoon, nieuw: Rijen, *, alles: bool) -> list[Wachten]:
    """A score or meting that is linked to nothing yet waits, and so does the record that it came from. A record that
    another upload replaced waits no more.
    """
    nu = {
        bytes((sleutel.tabel,)) + bytes.fromhex(rij.aanlevering) + rij.record.to_bytes(4, "big"): rij.wacht
        for sleutel, rij in nieuw.items()
        if not isinstance(rij, TrajectRij) and rij.wacht and rij.aanlevering
    }
    eerder, veranderd = persoon.wacht, []
    for plaats in nu.keys() | eerder.keys() if eerder else nu:
        reden = nu.get(plaats, "")
        if alles or eerder.get(plaats, "") != reden:
            eerder[plaats] = reden
            veranderd.append(Wachten(plaats[0], plaats[1:-4].hex(), int.from_bytes(plaats[-4:], "big"), reden))
    return sorted(veranderd)


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
    feiten = geldige(feiten)
    bekend = Toewijzingen(feiten.toewijzingen)
    ketens = trajecten(client, feiten, bekend)
    oogst = {traject.nummer: koppeling.Oogst() for traject in ketens}
    metingen, scores = _oogst(feiten, ketens, bekend, oogst)
    gevonden: Rijen = {}
    for traject in ketens:
        sleutel = RowKey(T_TRAJECT, traject.aanbieder, traject.gemeente, year(traject.begin), traject.nummer)
        gevonden[sleutel] = _traject_rij(traject, oogst[traject.nummer], ketens)
    for meting in metingen:
        gevonden[_meting_sleutel(client, meting)] = _meting_rij(meting)
    for score in scores:
        gevonden[_score_sleutel(client, score)] = _score_rij(score)
    if feiten.cbs:
        gevonden.update(cbs.rijen(client, feiten))
    return gevonden


def _oogst(
    feiten: Feiten, ketens: list[Traject], bekend: Toewijzingen, oogst: dict[bytes, koppeling.Oogst]
) -> tuple[list[koppeling.Meting], list[koppeling.Score]]:
    """Hang on every traject what belongs to it (in place); gives the metingen and scores, linked or not."""
    metingen = koppeling.metingen(feiten, ketens) if feiten.metingen else []
    plaats = koppeling.per_toewijzing(ketens) if feiten.scores or feiten.prestaties else {}
    scores = koppeling.scores(feiten, plaats, bekend) if feiten.scores else []
    for meting in metingen:
        if meting.traject is not None:
            oogst[meting.traject.nummer].metingen.append(meting)
    for score in scores:
        if score.traject is not None:
            oogst[score.traject.nummer].scores.append(score)
    if feiten.prestaties:
        declaraties.hang_op(feiten, plaats, bekend, oogst)
    if feiten.dubbel:
        dubbel.hang_op(feiten, ketens, plaats, bekend, oogst)
    return metingen, scores


def _traject_rij(traject: Traject, oogst: koppeling.Oogst, ketens: list[Traject]) -> TrajectRij:
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
        vlaggen=_vlaggen(traject, oogst),
        hulpvorm=HULPVORM_VAN_CATEGORIE.get(traject.categorie, ""),
        intensiteit=_intensiteit(laatste.spoor.code, oogst),
        nieuwe_start=nieuwe_start(traject, ketens),
        wacht=traject.wacht,
    )
    _metingen_op_rij(rij, oogst.metingen)
    _scores_op_rij(rij, oogst.scores)
    return rij


def _vlaggen(traject: Traject, oogst: koppeling.Oogst) -> list[str]:
    gevonden = oogst.vlaggen
    for levering in traject.leveringen:
        if levering.vlaggen:
            gevonden.update(levering.vlaggen)
    if traject.laatste is not None and traject.laatste.leeftijd == LEEFTIJD_WORDT_18:
        gevonden.add(WORDT_18)
    return sorted(gevonden) if gevonden else []


def _intensiteit(code: str, oogst: koppeling.Oogst) -> str:
    """By the table of product codes, else duurzaam when a questionnaire says so [P]."""
    if code in INTENSITEIT:
        return INTENSITEIT[code].klasse
    return DUURZAAM if any(meting.soort == DUURZAAM for meting in oogst.metingen) else ""


def _metingen_op_rij(rij: TrajectRij, metingen: list[koppeling.Meting]) -> None:
    if not metingen:
        return
    rij.metingen_einde = sum(meting.soort == EINDE for meting in metingen)
    rij.metingen_jaren = sorted({year(meting.daad.datum) for meting in metingen if meting.soort == DUURZAAM})
    for meting in metingen:
        if meting.telt:
            if meting.groep == "jeugdige":
                rij.nut_jeugdige, rij.zonder_hulp_jeugdige = meting.nut, meting.zonder_hulp
            else:
                rij.nut_ouder, rij.zonder_hulp_ouder = meting.nut, meting.zonder_hulp


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
        nut=meting.nut,
        zonder_hulp=meting.zonder_hulp,
        antwoorden=daad.antwoorden,
        traject=meting.traject.nummer.hex() if meting.traject else "",
        telt=meting.telt,
        bevestigd=meting.bevestigd,
        wacht="" if meting.traject else "traject",
        sinds=meting.sinds,
        aanlevering=meting.upload[:-4].hex(),
        record=int.from_bytes(meting.upload[-4:], "big"),
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
        wacht=score.wacht,
        sinds=score.sinds,
        aanlevering=score.volgorde[2].hex(),
        record=int.from_bytes(score.volgorde[1], "big"),
    )
