"""The fold: events of one client into its set of facts, and the set into rows.

``fold`` is what the live stage, replay and audit share. It is a pure function of what it is given.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct, field

from domain.care import cbs, declarations, duplicates, links
from domain.care.leveringen import OPEN_END
from domain.care.rows import T_METING, T_SCORE, T_TRAJECT, CareRow, MetingRow, RowKey, ScoreRow, TrajectRow
from domain.care.toewijzingen import Toewijzingen
from domain.care.trajecten import Traject, nieuwe_start, number_of, trajecten
from domain.care.withdrawals import valid
from domain.facts.fact import Event
from domain.facts.fact_set import FactSet, add
from domain.facts.identity import WaitKey
from domain.field.codes import HULPVORM_OF_CATEGORIE
from domain.field.dates import year
from domain.field.definitions import INTENSITEIT, LEEFTIJD_BECOMES_18
from domain.field.geography import cluster, current_code
from domain.field.questionnaires import DUURZAAM, END
from domain.field.rules import BECOMES_18

Rows = dict[RowKey, CareRow]
_DELETED: Final = b""
_DAY_MS: Final = 86_400_000


class Person(Struct, array_like=True):
    """The packed state of one client: its facts, and what was last given out of them.

    ``out`` remembers every row key ever given out with a hash of its content (empty = given out as deleted), so that a
    row the facts no longer yield is given out once more as deleted. ``wacht`` remembers every record that ever waited,
    a packed ``WaitKey``, with the reason (empty = no more). ``version`` is that of the last event folded in.
    """

    version: int = -1
    facts: FactSet = field(default_factory=FactSet)
    out: dict[RowKey, bytes] = field(default_factory=dict)
    wacht: dict[bytes, str] = field(default_factory=dict)


class Issued(NamedTuple):
    """A row to publish; ``row`` is None when the key is to be deleted."""

    key: RowKey
    row: CareRow | None


class Waits(NamedTuple):
    """Whether a record of a delivery waits: the table of its row, delivery, line, and why (empty = no more)."""

    table: int
    delivery: str
    line: int
    reden: str


class Folded(NamedTuple):
    """What follows from a batch: rows to publish, and what changed of which records wait."""

    issued: list[Issued]
    waits: list[Waits]


_encode = msgspec.msgpack.Encoder(order="deterministic").encode


def fold_rows(client: bytes, person: Person, events: Iterable[Event], version: int, first: int) -> list[Issued]:
    """As ``fold``: the rows alone."""
    return fold(client, person, events, version, first).issued


def fold(client: bytes, person: Person, events: Iterable[Event], version: int, first: int) -> Folded:
    """Fold events into ``person`` (in place) and give the rows to publish, and what waits or waits no more.

    ``first`` and ``version`` are the versions of the first and last of these events. Rows whose content did not change
    are left out, unless the events were folded before (a redelivery after a crash): then nothing proves that their rows
    went out, so every row goes out again, deletions included.
    """
    repeated = first <= person.version
    for event in events:
        add(person.facts, event)
    person.version = max(person.version, version)
    new = rows_of(client, person.facts)
    return Folded(_issued(person, new, everything=repeated), _waits(person, new, everything=repeated))


def _waits(person: Person, new: Rows, *, everything: bool) -> list[Waits]:
    """A score or meting that is linked to nothing yet waits, and so does the record that it came from. A record that
    another upload replaced waits no more.
    """
    now = {
        WaitKey.pack(key.table, row.aanlevering, row.record): row.wacht
        for key, row in new.items()
        if not isinstance(row, TrajectRow) and row.wacht and row.aanlevering
    }
    earlier, changed = person.wacht, []
    for place in now.keys() | earlier.keys() if earlier else now:
        reden = now.get(place, "")
        if everything or earlier.get(place, "") != reden:
            earlier[place] = reden
            table, upload = WaitKey.unpack(place)
            changed.append(Waits(table=table, delivery=upload.delivery, line=upload.line, reden=reden))
    return sorted(changed)


def _issued(person: Person, new: Rows, *, everything: bool) -> list[Issued]:
    out, found = person.out, []
    for key, row in new.items():
        fingerprint = hashlib.blake2b(_encode(row), digest_size=8).digest()
        if everything or out.get(key) != fingerprint:
            out[key] = fingerprint
            found.append(Issued(key, row))
    if len(out) > len(new):
        for key, fingerprint in out.items():
            if key not in new and (everything or fingerprint != _DELETED):
                out[key] = _DELETED
                found.append(Issued(key, None))
    return found


def rows_of(client: bytes, facts: FactSet) -> Rows:
    """Every row of one client: a pure function of the set of facts."""
    facts = valid(facts)
    known = Toewijzingen(facts.toewijzingen)
    chains = trajecten(client, facts, known)
    linked = {traject.number: links.Linked() for traject in chains}
    metingen, scores = _linked(facts, chains, known, linked)
    found: Rows = {}
    for traject in chains:
        key = RowKey(T_TRAJECT, traject.aanbieder, traject.gemeente, year(traject.begin), traject.number)
        found[key] = _traject_row(traject, linked[traject.number], chains)
    for meting in metingen:
        found[_meting_key(client, meting)] = _meting_row(meting)
    for score in scores:
        found[_score_key(client, score)] = _score_row(score)
    if facts.cbs:
        found.update(cbs.rows_of(client, facts))
    return found


def _linked(
    facts: FactSet, chains: list[Traject], known: Toewijzingen, linked: dict[bytes, links.Linked]
) -> tuple[list[links.Meting], list[links.Score]]:
    """Hang on every traject what belongs to it (in place); gives the metingen and scores, linked or not."""
    metingen = links.metingen(facts, chains) if facts.metingen else []
    by_toewijzing = links.per_toewijzing(chains) if facts.scores or facts.prestaties else {}
    scores = links.scores(facts, by_toewijzing, known) if facts.scores else []
    for meting in metingen:
        if meting.traject is not None:
            linked[meting.traject.number].metingen.append(meting)
    for score in scores:
        if score.traject is not None:
            linked[score.traject.number].scores.append(score)
    if facts.prestaties:
        declarations.attach(facts, by_toewijzing, known, linked)
    if facts.dubbel:
        duplicates.attach(facts, chains, by_toewijzing, known, linked)
    return metingen, scores


def _traject_row(traject: Traject, linked: links.Linked, chains: list[Traject]) -> TrajectRow:
    first, last = traject.leveringen[0], traject.leveringen[-1]
    row = TrajectRow(
        cluster=cluster(traject.gemeente),
        categorie=traject.categorie,
        code=last.start_key.code,
        begindatum=traject.begin,
        einddatum=None if traject.end == OPEN_END else traject.end,
        reden_beeindiging=traject.reden,
        uitval_klasse=traject.klasse,
        status=traject.status,
        leveringen=len(traject.leveringen),
        leeftijd=first.start.leeftijd if first.start else None,
        geslacht=first.start.geslacht if first.start else "",
        metingen=len(linked.metingen),
        declaraties=linked.declaraties,
        vlaggen=_vlaggen(traject, linked),
        hulpvorm=HULPVORM_OF_CATEGORIE.get(traject.categorie, ""),
        intensiteit=_intensiteit(last.start_key.code, linked),
        nieuwe_start=nieuwe_start(traject, chains),
        wacht=traject.wacht,
    )
    _metingen_on_row(row, linked.metingen)
    _scores_on_row(row, linked.scores)
    return row


def _vlaggen(traject: Traject, linked: links.Linked) -> list[str]:
    found = linked.vlaggen
    for levering in traject.leveringen:
        if levering.vlaggen:
            found.update(levering.vlaggen)
    if traject.laatste is not None and traject.laatste.leeftijd == LEEFTIJD_BECOMES_18:
        found.add(BECOMES_18)
    return sorted(found) if found else []


def _intensiteit(code: str, linked: links.Linked) -> str:
    """By the table of product codes, else duurzaam when a questionnaire says so [P]."""
    if code in INTENSITEIT:
        return INTENSITEIT[code].klasse
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
        wacht="" if meting.traject else "traject",
        sinds=meting.sinds,
        aanlevering=meting.upload.delivery,
        record=meting.upload.line,
    )


def _score_key(client: bytes, score: links.Score) -> RowKey:
    s = score.key
    gemeente = score.traject.gemeente if score.traject else ""
    number = number_of(client, "score", s.aanbieder, s.toewijzing, s.beschikking, s.doel, s.beoordelaar)
    return RowKey(T_SCORE, s.aanbieder, gemeente, year(score.act.tijd // _DAY_MS), number)


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
