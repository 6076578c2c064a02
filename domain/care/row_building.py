"""Every row of one client, from its set of facts: pure, recomputed whole."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

from domain.care import cbs, declarations, duplicates, links, remarks
from domain.care.leveringen import OPEN_END
from domain.care.rows import T_METING, T_SCORE, T_TRAJECT, CareRow, MetingRow, RowKey, ScoreRow, TrajectRow
from domain.care.toewijzingen import Toewijzingen
from domain.care.trajecten import Traject, nieuwe_start, number_of, trajecten
from domain.care.withdrawals import valid
from domain.facts.act import PrestatieAct
from domain.facts.fact_set import FactSet
from domain.field.codes import HULPVORM_OF_CATEGORIE
from domain.field.dates import dutch_day, year
from domain.field.definitions import SHIPPED, Definitions
from domain.field.geography import cluster, current_code
from domain.field.questionnaires import DUURZAAM, END
from domain.field.rules import BECOMES_18, FULL

Rows = dict[RowKey, CareRow]


class Made(NamedTuple):
    """The rows of a client, and which records break a rule between messages (``remarks.pack``)."""

    rows: Rows
    remarks: set[bytes]


def rows_of(client: bytes, facts: FactSet, full: Collection[str] = (), definitions: Definitions = SHIPPED) -> Rows:
    """As ``make``: the rows alone."""
    return _made(client, valid(facts), full, definitions)[0]


def make(client: bytes, facts: FactSet, full: Collection[str] = (), definitions: Definitions = SHIPPED) -> Made:
    """Every row of one client: a pure function of the set of facts. ``full``: providers whose facts are not all kept
    (the empty one: anybody's); their trajecten say so.
    """
    facts = valid(facts)
    rows, chains, broken = _made(client, facts, full, definitions)
    return Made(rows, remarks.of(facts, chains, broken))


def _made(
    client: bytes, facts: FactSet, full: Collection[str], definitions: Definitions
) -> tuple[Rows, list[Traject], list[tuple[PrestatieAct, str]]]:
    """The rows of facts that are valid, and what remarks follow from."""
    known = Toewijzingen(facts.toewijzingen)
    chains = trajecten(client, facts, known, definitions)
    linked = {traject.number: links.Linked() for traject in chains}
    metingen, scores, broken = _linked(facts, chains, known, linked, definitions)
    found: Rows = {}
    for traject in chains:
        key = RowKey(T_TRAJECT, traject.aanbieder, traject.gemeente, year(traject.begin), traject.number)
        row = _traject_row(traject, linked[traject.number], chains, definitions)
        row.postcodegebied = known.area(*traject.leveringen[-1].start_key[:3])
        found[key] = row
    for meting in metingen:
        found[_meting_key(client, meting)] = _meting_row(meting)
    for score in scores:
        found[_score_key(client, score)] = _score_row(score)
    if facts.cbs:
        found.update(cbs.rows_of(client, facts, definitions))
    if full:
        for key, made in found.items():
            if isinstance(made, TrajectRow) and (key.aanbieder in full or "" in full):
                made.vlaggen = sorted({*made.vlaggen, FULL})
    return found, chains, broken


def _linked(
    facts: FactSet,
    chains: list[Traject],
    known: Toewijzingen,
    linked: dict[bytes, links.Linked],
    definitions: Definitions,
) -> tuple[list[links.Meting], list[links.Score], list[tuple[PrestatieAct, str]]]:
    """Hang on every traject what belongs to it (in place); gives the metingen and scores, linked or not, and the lines
    that break a rule.
    """
    metingen = links.metingen(facts, chains, definitions) if facts.metingen else []
    by_toewijzing = links.per_toewijzing(chains) if facts.scores or facts.prestaties else {}
    scores = links.scores(facts, by_toewijzing, known) if facts.scores else []
    for meting in metingen:
        if meting.traject is not None:
            linked[meting.traject.number].metingen.append(meting)
    for score in scores:
        if score.traject is not None:
            linked[score.traject.number].scores.append(score)
    broken = declarations.attach(facts, by_toewijzing, known, linked) if facts.prestaties else []
    if facts.dubbel:
        duplicates.attach(facts, chains, by_toewijzing, known, linked)
    return metingen, scores, broken


def _traject_row(traject: Traject, linked: links.Linked, chains: list[Traject], definitions: Definitions) -> TrajectRow:
    first, last = traject.leveringen[0], traject.leveringen[-1]
    product = definitions.spics.of(last.start_key.code)
    row = TrajectRow(
        cluster=cluster(traject.gemeente),
        categorie=traject.categorie,
        code=last.start_key.code,
        begindatum=traject.begin,
        einddatum=None if traject.end == OPEN_END else traject.end,
        reden_beeindiging=traject.reden,
        uitval_klasse=definitions.klasse(traject.reden),
        status=traject.status,
        leveringen=len(traject.leveringen),
        leeftijd=first.start.leeftijd if first.start else None,
        geslacht=first.start.geslacht if first.start else "",
        metingen=len(linked.metingen),
        declaraties=linked.declaraties,
        vlaggen=_vlaggen(traject, linked, definitions),
        hulpvorm=HULPVORM_OF_CATEGORIE.get(traject.categorie, ""),
        intensiteit=product.intensiteit or _intensiteit(linked),
        nieuwe_start=nieuwe_start(traject, chains, definitions.opvolging_days),
        wacht=traject.wacht,
        segment=product.segment,
        profiel=product.profiel,
        spic=definitions.spics.id,
        opvolging_dagen=definitions.opvolging_days,
        respons_dagen=definitions.respons_days,
    )
    _metingen_on_row(row, linked.metingen)
    _scores_on_row(row, linked.scores)
    return row


def _vlaggen(traject: Traject, linked: links.Linked, definitions: Definitions) -> list[str]:
    found = linked.vlaggen
    for levering in traject.leveringen:
        if levering.vlaggen:
            found.update(levering.vlaggen)
    if traject.laatste is not None and definitions.becomes_18(traject.laatste.leeftijd):
        found.add(BECOMES_18)
    return sorted(found) if found else []


def _intensiteit(linked: links.Linked) -> str:
    """Of a product that the table does not have: duurzaam, of unknown weight, when a questionnaire says so [P]."""
    return DUURZAAM if any(meting.soort == DUURZAAM for meting in linked.metingen) else ""


def _metingen_on_row(row: TrajectRow, metingen: list[links.Meting]) -> None:
    if not metingen:
        return
    row.metingen_einde = sum(meting.soort == END for meting in metingen)
    row.metingen_jaren = sorted({year(meting.act.datum) for meting in metingen if meting.soort == DUURZAAM})
    for meting in metingen:
        if meting.telt:
            if meting.groep == "jeugdige":
                row.nut_jeugdige, row.zonder_hulp_jeugdige = meting.nut, meting.zonder_hulp
            else:
                row.nut_ouder, row.zonder_hulp_ouder = meting.nut, meting.zonder_hulp


_PROBLEEM: Final = {"B": "probleem_behandelaar", "O": "probleem_ouder", "C": "probleem_client"}


def _scores_on_row(row: TrajectRow, scores: list[links.Score]) -> None:
    """Two assignments in one chain may score the same goal: the latest upload counts, also when it is x."""
    row.scores = len(scores)
    gas: dict[str, int] = {}
    for score in sorted(scores, key=lambda score: (score.act.tijd, score.upload)):
        doel, beoordelaar, value = score.key.doel, score.key.beoordelaar, score.act.waarde
        if doel == 0:
            setattr(row, _PROBLEEM[beoordelaar], value)
        elif value is not None:
            gas[f"{doel}{beoordelaar}"] = value
        else:
            gas.pop(f"{doel}{beoordelaar}", None)
    row.gas = gas
    row.gas_gescoord = len(gas)
    row.gas_bereikt = sum(value == 2 for value in gas.values())
    row.gas_deels = sum(value >= 1 for value in gas.values())


def _meting_key(client: bytes, meting: links.Meting) -> RowKey:
    gemeente = current_code(meting.traject.gemeente) if meting.traject else ""
    number = number_of(client, "meting", meting.aanbieder, meting.number)
    return RowKey(T_METING, meting.aanbieder, gemeente, year(meting.act.datum), number)


def _meting_row(meting: links.Meting) -> MetingRow:
    act = meting.act
    return MetingRow(
        vragenlijst=act.vragenlijst,
        groep=meting.groep,
        soort=meting.soort,
        informant=act.informant,
        datum=act.datum,
        nut=meting.nut,
        zonder_hulp=meting.zonder_hulp,
        antwoorden=act.antwoorden,
        traject=meting.traject.number.hex() if meting.traject else "",
        telt=meting.telt,
        bevestigd=meting.bevestigd,
        wacht=meting.wacht,
        sinds=meting.sinds,
        aanlevering=meting.upload.delivery,
        record=meting.upload.line,
    )


def _score_key(client: bytes, score: links.Score) -> RowKey:
    s = score.key
    gemeente = score.traject.gemeente if score.traject else ""
    number = number_of(client, "score", s.aanbieder, s.toewijzing, s.beschikking, s.doel, s.beoordelaar)
    return RowKey(T_SCORE, s.aanbieder, gemeente, year(dutch_day(score.act.tijd)), number)


def _score_row(score: links.Score) -> ScoreRow:
    return ScoreRow(
        doel=score.key.doel,
        beoordelaar=score.key.beoordelaar,
        waarde=score.act.waarde,
        tijd=score.act.tijd,
        traject=score.traject.number.hex() if score.traject else "",
        wacht=score.wacht,
        sinds=score.sinds,
        aanlevering=score.upload.delivery,
        record=score.upload.line,
    )
