"""CBS records the long way: which upload of a record counts, which records are one traject, and its rows.

Part of the oracle: shares no code with the fold. Source: the CBS protocol, version 7.
"""

from __future__ import annotations

from collections.abc import Sequence

from domain.facts.fact import CbsRecord, Event
from domain.field.dates import year
from domain.field.geography import current_code
from tests.oracle.links import Upload, latest, uploads
from tests.oracle.shape import CLUSTER, Row, dutch_day, row
from tests.oracle.texts import Texts

GROUPS = ("jeugdige", "ouder")


def datum(one: Upload) -> int:
    """Day of the outcome fields of a record: its end, or its upload while it runs."""
    end: int | None = one.fact.einddatum
    return end if end is not None else dutch_day(one.tijd)


def records(history: Sequence[Event]) -> list[Upload]:
    """Of every key (provider, hulpvorm, begindatum) the latest upload."""
    keys: dict[tuple[str, str, int], list[Upload]] = {}
    for one in uploads(history, CbsRecord):
        keys.setdefault((one.aanbieder, one.fact.hulpvorm, one.fact.begindatum), []).append(one)
    return [latest(some) for some in keys.values()]


def trajecten(history: Sequence[Event]) -> list[list[Upload]]:
    """Records of one provider and hulpvorm that overlap, as one; two need a start after the previous end."""
    result: list[list[Upload]] = []
    everything = sorted(records(history), key=lambda one: (one.aanbieder, one.fact.hulpvorm, one.fact.begindatum))
    for one in everything:
        last = result[-1] if result else []
        same = bool(last) and (last[0].aanbieder, last[0].fact.hulpvorm) == (one.aanbieder, one.fact.hulpvorm)
        if same and any(other.fact.einddatum is None or one.fact.begindatum <= other.fact.einddatum for other in last):
            last.append(one)
        else:
            result.append([one])
    return result


def _outcomes(some: Sequence[Upload], group: str) -> list[tuple[Upload, int | None, int | None]]:
    found = []
    for one in some:
        nut, without_help = getattr(one.fact, f"nut_{group}"), getattr(one.fact, f"zonder_hulp_{group}")
        if nut is not None or without_help is not None:
            found.append((one, nut, without_help))
    return sorted(found, key=lambda pair: (datum(pair[0]), pair[0].tijd, pair[0].fact.begindatum))


def _last(some: Sequence[Upload]) -> Upload:
    """The record that ends last, one that runs after all others; of equals the one that began last."""
    return max(some, key=lambda one: (one.fact.einddatum is None, one.fact.einddatum or 0, one.fact.begindatum))


def traject_row(some: Sequence[Upload], texts: Texts) -> Row:
    """The row of one traject from records; its municipality is that of the last. No new start: 3.2 is from messages."""
    first, end = some[0], _last(some) if all(one.fact.einddatum is not None for one in some) else None
    gemeente = current_code(_last(some).fact.gemeente)
    reden = end.fact.reden if end else ""
    fields: dict[str, int | None] = {}
    for group in GROUPS:
        counting = _outcomes(some, group)[-1:]
        fields[f"nut_{group}"] = counting[0][1] if counting else None
        fields[f"zonder_hulp_{group}"] = counting[0][2] if counting else None
    return row(
        aanbieder=first.aanbieder,
        gemeente=gemeente,
        jaar=year(first.fact.begindatum),
        cluster=CLUSTER.get(gemeente, ""),
        begindatum=first.fact.begindatum,
        einddatum=end.fact.einddatum if end else None,
        uitval_klasse=texts.cbs[reden] if reden else "",
        status="beeindigd" if end else "lopend",
        leveringen=len(some),
        leeftijd=first.fact.leeftijd,
        geslacht=first.fact.geslacht,
        metingen=sum(len(_outcomes(some, group)) for group in GROUPS),
        bron="cbs",
        hulpvorm=first.fact.hulpvorm,
        verwijzer=first.fact.verwijzer,
        crisis=first.fact.crisis,
        postcodegebied=_last(some).fact.postcodegebied,
        opvolging_dagen=texts.follow_up,
        respons_dagen=texts.response,
        **fields,
    )


def meting_rows(some: Sequence[Upload], traject: Row) -> list[Row]:
    """The outcome fields as metingen, one per record and group."""
    result = []
    for group in GROUPS:
        outcomes = _outcomes(some, group)
        for one, nut, without_help in outcomes:
            result.append(
                row(
                    aanbieder=one.aanbieder,
                    gemeente=dict(traject)["gemeente"],
                    jaar=year(datum(one)),
                    vragenlijst="CBS_v7",
                    groep=group,
                    soort="cbs",
                    informant=group.capitalize(),
                    datum=datum(one),
                    nut=nut,
                    zonder_hulp=without_help,
                    traject=traject,
                    telt=one is outcomes[-1][0],
                    bevestigd=True,
                )
            )
    return result
