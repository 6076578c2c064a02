"""The route of the CBS-structured files: records to trajecten and metingen of their own. Pure.

Records of one provider and form of help whose periods overlap are one traject: from the earliest start to the last
end. They stay apart from what starts and stops tell of the same client.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from domain.care.leveringen import OPEN_END
from domain.care.rows import T_METING, T_TRAJECT, CareRow, MetingRow, RowKey, TrajectRow
from domain.care.trajecten import ENDED, RUNNING, number_of
from domain.facts.act import CbsAct
from domain.facts.fact_set import FactSet
from domain.facts.identity import UploadKey
from domain.field.dates import dutch_day, year
from domain.field.definitions import SHIPPED, Definitions
from domain.field.geography import cluster, current_code
from domain.field.questionnaires import CBS_KIND, CBS_VRAGENLIJST


class CbsOutcome(NamedTuple):
    """What one record says of the outcome for one informant group, in the order in which the last counts."""

    datum: int
    tijd: int
    begin: int  # of its record
    number: bytes
    groep: str
    nut: int | None
    zonder_hulp: int | None


class Record(NamedTuple):
    """One record as it counts."""

    begin: int
    end: int  # OPEN_END while running
    act: CbsAct


def rows_of(client: bytes, facts: FactSet, definitions: Definitions = SHIPPED) -> Iterator[tuple[RowKey, CareRow]]:
    """The rows of every CBS traject and of its metingen."""
    groups: dict[tuple[str, str], list[Record]] = {}
    for key, acts in facts.cbs.items():
        act = _last(acts)
        end = OPEN_END if act.einddatum is None else act.einddatum
        groups.setdefault((key.aanbieder, key.hulpvorm), []).append(Record(key.begindatum, end, act))
    for (aanbieder, hulpvorm), records in groups.items():
        for together in _together(sorted(records, key=lambda record: record.begin)):
            yield from _rows(client, aanbieder, hulpvorm, together, definitions)


def _last(acts: dict[bytes, CbsAct]) -> CbsAct:
    """The latest upload; of one upload the last line, of one moment the higher delivery: arbitrary but stable."""
    return max(acts.items(), key=lambda pair: (pair[1].tijd, UploadKey.unpack(pair[0])))[1]


def _together(records: list[Record]) -> list[list[Record]]:
    """Records of which the next begins before or on the last day of those before it are one (CBS)."""
    groups: list[list[Record]] = []
    end = -OPEN_END
    for record in records:
        if record.begin <= end:
            groups[-1].append(record)
        else:
            groups.append([record])
        end = max(end, record.end)
    return groups


def _rows(
    client: bytes, aanbieder: str, hulpvorm: str, records: list[Record], definitions: Definitions
) -> Iterator[tuple[RowKey, CareRow]]:
    first, last = records[0], max(records, key=lambda record: (record.end, record.begin))
    gemeente = current_code(last.act.gemeente)
    number = number_of(client, "cbs", aanbieder, hulpvorm, first.begin)
    row = _traject_row(first, last, gemeente, hulpvorm, len(records), definitions)
    outcomes = [outcome for record in records for outcome in _outcomes(client, aanbieder, hulpvorm, record)]
    counting = {outcome.groep: outcome.number for outcome in sorted(outcomes)}
    row.metingen = len(outcomes)
    for outcome in outcomes:
        if counting[outcome.groep] == outcome.number:
            _on_row(row, outcome)
        key = RowKey(T_METING, aanbieder, gemeente, year(outcome.datum), outcome.number)
        yield key, _meting_row(outcome, number, telt=counting[outcome.groep] == outcome.number)
    yield RowKey(T_TRAJECT, aanbieder, gemeente, year(first.begin), number), row


def _traject_row(
    first: Record, last: Record, gemeente: str, hulpvorm: str, count: int, definitions: Definitions
) -> TrajectRow:
    ended = last.end != OPEN_END
    return TrajectRow(
        cluster=cluster(gemeente),
        begindatum=first.begin,
        einddatum=last.end if ended else None,
        uitval_klasse=definitions.uitval[last.act.reden].klasse if ended else "",
        status=ENDED if ended else RUNNING,
        leveringen=count,
        leeftijd=first.act.leeftijd,
        geslacht=first.act.geslacht,
        bron="cbs",
        hulpvorm=hulpvorm,
        verwijzer=first.act.verwijzer,
        crisis=first.act.crisis,
        postcodegebied=last.act.postcodegebied,
        opvolging_dagen=definitions.opvolging_days,
        respons_dagen=definitions.respons_days,
    )


def _outcomes(client: bytes, aanbieder: str, hulpvorm: str, record: Record) -> Iterator[CbsOutcome]:
    """At most two per record: one of the youth, one of a parent (CBS 4.5). While running its day is that of upload."""
    act = record.act
    datum = dutch_day(act.tijd) if act.einddatum is None else act.einddatum
    for group, nut, zonder_hulp in (
        ("jeugdige", act.nut_jeugdige, act.zonder_hulp_jeugdige),
        ("ouder", act.nut_ouder, act.zonder_hulp_ouder),
    ):
        if nut is not None or zonder_hulp is not None:
            number = number_of(client, "cbs.meting", aanbieder, hulpvorm, record.begin, group)
            yield CbsOutcome(
                datum=datum,
                tijd=act.tijd,
                begin=record.begin,
                number=number,
                groep=group,
                nut=nut,
                zonder_hulp=zonder_hulp,
            )


def _on_row(row: TrajectRow, outcome: CbsOutcome) -> None:
    if outcome.groep == "jeugdige":
        row.nut_jeugdige, row.zonder_hulp_jeugdige = outcome.nut, outcome.zonder_hulp
    else:
        row.nut_ouder, row.zonder_hulp_ouder = outcome.nut, outcome.zonder_hulp


def _meting_row(outcome: CbsOutcome, number: bytes, *, telt: bool) -> MetingRow:
    return MetingRow(
        vragenlijst=CBS_VRAGENLIJST,
        groep=outcome.groep,
        soort=CBS_KIND,
        informant=outcome.groep.capitalize(),
        datum=outcome.datum,
        nut=outcome.nut,
        zonder_hulp=outcome.zonder_hulp,
        traject=number.hex(),
        telt=telt,
        bevestigd=True,
    )
