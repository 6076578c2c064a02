"""The rows of one client, computed the long way from the full list of its events.

The oracle (this module, ``care``, ``links``, ``rules``, ``cbs``) shares no code with the fold: it keeps every event, looks
everything up again for every question, and follows the texts of the standard and of the definitions sentence by sentence.
Slow and plain on purpose. Generated numbers are left out: a row names its traject by the whole row of that traject, or
None while it has none. They decide one thing, what the texts leave open between trajecten that are equal in every other
respect: so they are given from outside.

A history may repeat events, but one message (or one line of one upload) has one content: TR056 is tested apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from domain.facts.fact import Event
from domain.field.codes import HULPVORM_VAN_CATEGORIE, REDENEN
from domain.field.dates import year
from domain.field.definitions import INTENSITEIT
from tests.oracle import cbs
from tests.oracle.care import REMOVED, Keten, Versions, counting, current_versions, ketens, leveringen
from tests.oracle.links import (
    Numbers,
    Upload,
    by_toewijzing,
    debits,
    declared,
    first_upload,
    group,
    latest,
    metingen,
    of_line,
    of_meting,
    scores,
    toewijzing_of,
    valid,
)
from tests.oracle.rules import World, doubles, flags, sent, waits
from tests.oracle.shape import CLUSTER, DAY_MS, Row, Rows, row

FOLLOW_UP = 365  # [P]
NO_OUTCOME = ("47", "48", "49")  # not jeugdhulp in the CBS sense


def _counting(linked: Sequence[Upload], groep: str) -> Upload | None:
    """Of the metingen of one group on one traject the latest: datum, upload time, number."""
    own = [one for one in linked if group(one.fact.vragenlijst)[0] == groep]
    return max(own, key=lambda one: (one.fact.datum, one.tijd, one.fact.meting), default=None)


def _score_fields(linked: Sequence[Upload]) -> dict[str, Any]:
    last: dict[tuple[int, str], Upload] = {}
    for one in linked:
        what = (one.fact.doel, one.fact.beoordelaar)
        last[what] = latest([one, last[what]]) if what in last else one
    gas = {f"{doel}{wie}": one.fact.waarde for (doel, wie), one in last.items() if doel > 0}
    gas = {name: waarde for name, waarde in gas.items() if waarde is not None}
    problem = {wie: one.fact.waarde for (doel, wie), one in last.items() if doel == 0}
    return {
        "gas": gas,
        "gas_gescoord": len(gas),
        "gas_bereikt": sum(waarde == 2 for waarde in gas.values()),
        "gas_deels": sum(waarde in (1, 2) for waarde in gas.values()),
        "probleem_behandelaar": problem.get("B"),
        "probleem_ouder": problem.get("O"),
        "probleem_client": problem.get("C"),
        "scores": len(linked),
    }


def _answers(one: Upload | None, vraag: str) -> int | None:
    answer: int | None = one.fact.antwoorden.get(vraag) if one and group(one.fact.vragenlijst)[0] else None
    return answer


def _meting_fields(linked: Sequence[Upload]) -> dict[str, Any]:
    fields: dict[str, Any] = {"metingen": len(linked)}
    for groep in ("jeugdige", "ouder"):
        one = _counting(linked, groep)
        fields[f"nut_{groep}"] = _answers(one, "VR09A")
        fields[f"zonder_hulp_{groep}"] = _answers(one, "VR10")
    kinds = [(group(one.fact.vragenlijst)[1], one.fact) for one in linked]
    fields["metingen_einde"] = sum(soort == "einde" and valid(f) for soort, f in kinds)
    fields["metingen_jaren"] = sorted({year(f.datum) for soort, f in kinds if soort == "duurzaam" and valid(f)})
    return fields


def _intensity(code: str, linked: Sequence[Upload]) -> str:
    if code in INTENSITEIT:
        return INTENSITEIT[code].klasse
    return "duurzaam" if any(group(one.fact.vragenlijst)[1] == "duurzaam" for one in linked) else ""


def _new_start(end: int | None, begins: Sequence[int]) -> int | None:
    """The first new start in the year after an end; help that ran already began before it."""
    return min((begin for begin in begins if end is not None and end < begin <= end + FOLLOW_UP), default=None)


def _traject_row(keten: Keten, own_metingen: list[Upload], own_scores: list[Upload], **more: Any) -> Row:
    spoor, first, last = keten.spoor, keten.leveringen[0], keten.leveringen[-1]
    reden = keten.end.reden_beeindiging if keten.end else ""
    return row(
        aanbieder=spoor.aanbieder,
        gemeente=spoor.gemeente,
        jaar=year(keten.begin),
        cluster=CLUSTER.get(spoor.gemeente, ""),
        categorie=spoor.categorie,
        code=last.spoor.code,
        begindatum=keten.begin,
        einddatum=keten.end.einddatum if keten.end else None,
        reden_beeindiging=reden,
        uitval_klasse=REDENEN[reden].klasse if reden else "",
        status=keten.status,
        leveringen=len(keten.leveringen),
        leeftijd=first.start.leeftijd if first.start else None,
        geslacht=first.start.geslacht if first.start else "",
        hulpvorm=HULPVORM_VAN_CATEGORIE.get(spoor.categorie, ""),
        intensiteit=_intensity(last.spoor.code, own_metingen),
        **more,
        **_meting_fields(own_metingen),
        **_score_fields(own_scores),
    )


def _meting_row(one: Upload, link: Keten | None, traject: Row | None, own: Sequence[Upload], first: int) -> Row:
    groep, soort = group(one.fact.vragenlijst)
    return row(
        aanbieder=one.aanbieder,
        gemeente=link.spoor.gemeente if link else "",
        jaar=year(one.fact.datum),
        vragenlijst=one.fact.vragenlijst,
        groep=groep,
        soort=soort,
        informant=one.fact.informant,
        datum=one.fact.datum,
        nut=_answers(one, "VR09A"),
        zonder_hulp=_answers(one, "VR10"),
        antwoorden=one.fact.antwoorden,
        traject=traject,
        telt=link is not None and _counting(own, groep) is one,
        wacht="" if link else "traject",
        sinds=None if link else first // DAY_MS,
        aanlevering=one.delivery,
        record=one.line,
    )


def _score_row(
    one: Upload, link: Keten | None, traject: Row | None, nummer: bytes | None, versions: Versions, first: int
) -> Row:
    known = any(
        (who, toewijzing) == (one.aanbieder, nummer) and version.reden_wijziging != REMOVED
        for (who, _, toewijzing), version in versions.items()
    )
    reason = "beschikking" if nummer is None else "traject" if known else "toewijzing"
    return row(
        aanbieder=one.aanbieder,
        gemeente=link.spoor.gemeente if link else "",
        jaar=year(one.tijd // DAY_MS),
        doel=one.fact.doel,
        beoordelaar=one.fact.beoordelaar,
        waarde=one.fact.waarde,
        tijd=one.tijd,
        traject=traject,
        wacht="" if link else reason,
        sinds=None if link else first // DAY_MS,
        aanlevering=one.delivery,
        record=one.line,
    )


def _cbs(events: Sequence[Event]) -> tuple[Counter[Row], Counter[Row]]:
    trajecten, rows = Counter[Row](), Counter[Row]()
    everything = cbs.trajecten(events)
    for some in everything:
        traject = cbs.traject_row(some)
        trajecten[traject] += 1
        rows.update(cbs.meting_rows(some, traject))
    return trajecten, rows


def expected(history: Sequence[Event], numbers: Numbers) -> Rows:
    """Every row of the client that these events are about."""
    events = counting(history)
    versions = current_versions(events)
    everything = leveringen(events, versions)
    chains = ketens(everything)
    lines = declared(events)
    world = World(everything, versions, lines, sent(events), doubles(events))
    of_metingen = [(one, of_meting(chains, one, numbers)) for one in metingen(events)]
    named = [(one, toewijzing_of(one, events)) for one in scores(events)]
    of_scores = [(one, nummer, by_toewijzing(chains, one.aanbieder, nummer, numbers)) for one, nummer in named]
    of_lines = [(who, f, of_line(chains, who, f, numbers)) for (who, _), f in lines.items()]
    net = debits(lines)
    begins = [
        one.begin
        for one in chains
        if one.care and one.spoor.categorie not in NO_OUTCOME and one.spoor.gemeente in CLUSTER  # the 13
    ]
    rows: dict[int, Row] = {}
    for keten in chains:
        own_lines = [(who, f) for who, f, link in of_lines if link is keten]
        rows[id(keten)] = _traject_row(
            keten,
            [one for one, link in of_metingen if link is keten],
            [one for one, _, link in of_scores if link is keten],
            declaraties=sum(line in net for line in own_lines),
            vlaggen=flags(keten, world, own_lines),
            nieuwe_start=_new_start(keten.end.einddatum if keten.end else None, begins),
            wacht=waits(keten, versions),
        )
    cbs_trajecten, cbs_metingen = _cbs(events)
    result = Rows(Counter(rows.values()) + cbs_trajecten, cbs_metingen, Counter())
    for one, link in of_metingen:
        own = [other for other, other_link in of_metingen if other_link is link]
        result.metingen[_meting_row(one, link, rows[id(link)] if link else None, own, first_upload(one, events))] += 1
    for one, nummer, link in of_scores:
        result.scores[
            _score_row(one, link, rows[id(link)] if link else None, nummer, versions, first_upload(one, events))
        ] += 1
    return result
