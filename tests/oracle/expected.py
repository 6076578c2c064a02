"""The rows of one client, computed the long way from the full list of its events.

The oracle (this module, ``care``, ``links``, ``rules``, ``cbs``) shares no code with the fold: it keeps every event,
looks everything up again for every question, and follows the texts of the standard and of the definitions sentence by
sentence. Slow and plain on purpose. Generated numbers are left out: a row names its traject by the whole row of that
traject, or None while it has none. They decide one thing, what the texts leave open between trajecten that are equal in
every other respect: so they are given from outside.

A history may repeat events, but one message (or one line of one upload) has one content: TR056 is tested apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from domain.facts.fact import Event
from domain.field.codes import HULPVORM_OF_CATEGORIE
from domain.field.dates import year
from tests.oracle import cbs
from tests.oracle.care import REMOVED, Chain, Versions, all_chains, counting, current_versions, leveringen, version_of
from tests.oracle.links import (
    Numbers,
    Upload,
    by_toewijzing,
    debits,
    declared,
    first_upload,
    latest,
    metingen,
    of_line,
    of_meting,
    scores,
    toewijzing_of,
    valid,
)
from tests.oracle.rules import World, doubles, flags, sent, waits
from tests.oracle.shape import CLUSTER, Row, Rows, dutch_day, row
from tests.oracle.texts import AS_SHIPPED, Texts

NO_OUTCOME = ("47", "48", "49")  # not jeugdhulp in the CBS sense


def _counting(linked: Sequence[Upload], informant_group: str, texts: Texts) -> Upload | None:
    """Of the metingen of one group on one traject the latest: datum, upload time, number."""
    own = [one for one in linked if texts.group(one.fact.vragenlijst)[0] == informant_group]
    return max(own, key=lambda one: (one.fact.datum, one.tijd, one.fact.meting), default=None)


def _score_fields(linked: Sequence[Upload]) -> dict[str, Any]:
    last: dict[tuple[int, str], Upload] = {}
    for one in linked:
        what = (one.fact.doel, one.fact.beoordelaar)
        last[what] = latest([one, last[what]]) if what in last else one
    gas = {f"{doel}{who}": one.fact.waarde for (doel, who), one in last.items() if doel > 0}
    gas = {name: value for name, value in gas.items() if value is not None}
    problem = {who: one.fact.waarde for (doel, who), one in last.items() if doel == 0}
    return {
        "gas": gas,
        "gas_gescoord": len(gas),
        "gas_bereikt": sum(value == 2 for value in gas.values()),
        "gas_deels": sum(value in (1, 2) for value in gas.values()),
        "probleem_behandelaar": problem.get("B"),
        "probleem_ouder": problem.get("O"),
        "probleem_client": problem.get("C"),
        "scores": len(linked),
    }


def _answers(one: Upload | None, texts: Texts) -> tuple[int | None, int | None]:
    """The mark and the option for going on without help; a version that is unknown asks neither."""
    if one is None or not texts.group(one.fact.vragenlijst)[0]:
        return None, None
    mark, option, _ = texts.asks[one.fact.vragenlijst]
    return one.fact.antwoorden.get(mark), one.fact.antwoorden.get(option)


def _meting_fields(linked: Sequence[Upload], texts: Texts) -> dict[str, Any]:
    fields: dict[str, Any] = {"metingen": len(linked)}
    for informant_group in ("jeugdige", "ouder"):
        answers = _answers(_counting(linked, informant_group, texts), texts)
        fields[f"nut_{informant_group}"], fields[f"zonder_hulp_{informant_group}"] = answers
    kinds = [(texts.group(one.fact.vragenlijst)[1], one.fact) for one in linked]
    fields["metingen_einde"] = sum(kind == "einde" and valid(f) for kind, f in kinds)
    fields["metingen_jaren"] = sorted({year(f.datum) for kind, f in kinds if kind == "duurzaam" and valid(f)})
    return fields


def _intensity(code: str, linked: Sequence[Upload], texts: Texts) -> str:
    if code in texts.products:
        return texts.products[code].intensiteit
    return "duurzaam" if any(texts.group(one.fact.vragenlijst)[1] == "duurzaam" for one in linked) else ""


def _area(chain: Chain, versions: Versions) -> str:
    """What the assignment of the last levering says of where the client lives; one that was removed says nothing."""
    version = version_of(versions, chain.leveringen[-1].start_key.decision)
    return version.postcodegebied if version and version.reden_wijziging != REMOVED else ""


def _new_start(end: int | None, begins: Sequence[int], days: int) -> int | None:
    """The first new start within so many days after an end; help that ran already began before it."""
    return min((begin for begin in begins if end is not None and end < begin <= end + days), default=None)


def _traject_row(chain: Chain, own_metingen: list[Upload], own_scores: list[Upload], texts: Texts, **more: Any) -> Row:
    start_key, first, last = chain.start_key, chain.leveringen[0], chain.leveringen[-1]
    reden = chain.end.reden_beeindiging if chain.end else ""
    product = texts.products.get(last.start_key.code)
    return row(
        aanbieder=start_key.aanbieder,
        gemeente=start_key.gemeente,
        jaar=year(chain.begin),
        cluster=CLUSTER.get(start_key.gemeente, ""),
        categorie=start_key.categorie,
        code=last.start_key.code,
        begindatum=chain.begin,
        einddatum=chain.end.einddatum if chain.end else None,
        reden_beeindiging=reden,
        uitval_klasse=texts.ijw[reden] if reden else "",
        status=chain.status,
        leveringen=len(chain.leveringen),
        leeftijd=first.start.leeftijd if first.start else None,
        geslacht=first.start.geslacht if first.start else "",
        hulpvorm=HULPVORM_OF_CATEGORIE.get(start_key.categorie, ""),
        intensiteit=_intensity(last.start_key.code, own_metingen, texts),
        segment=product.segment if product else "",
        profiel=product.profiel if product else "",
        spic=texts.table,
        opvolging_dagen=texts.follow_up,
        respons_dagen=texts.response,
        **more,
        **_meting_fields(own_metingen, texts),
        **_score_fields(own_scores),
    )


def _meting_waits(one: Upload, chains: Sequence[Chain], texts: Texts) -> str:
    """At the end of care that goes on, as far as is known, it waits for that end; else for a start [P]."""
    running = [c for c in chains if c.care and c.end is None and c.start_key.aanbieder == one.aanbieder]
    before = any(chain.begin <= one.fact.datum for chain in running)
    return "einde" if before and texts.group(one.fact.vragenlijst)[1] == "einde" else "traject"


def _meting_row(
    one: Upload,
    link: Chain | None,
    traject: Row | None,
    own: Sequence[Upload],
    first: int,
    waits_for: str,
    texts: Texts,
) -> Row:
    informant_group, kind = texts.group(one.fact.vragenlijst)
    mark, option = _answers(one, texts)
    return row(
        aanbieder=one.aanbieder,
        gemeente=link.start_key.gemeente if link else "",
        jaar=year(one.fact.datum),
        vragenlijst=one.fact.vragenlijst,
        groep=informant_group,
        soort=kind,
        informant=one.fact.informant,
        datum=one.fact.datum,
        nut=mark,
        zonder_hulp=option,
        antwoorden=one.fact.antwoorden,
        traject=traject,
        telt=link is not None and _counting(own, informant_group, texts) is one,
        bevestigd=bool(kind) and texts.asks[one.fact.vragenlijst][2],
        wacht="" if link else waits_for,
        sinds=None if link else dutch_day(first),
        aanlevering=one.delivery,
        record=one.line,
    )


def _score_row(
    one: Upload, link: Chain | None, traject: Row | None, number: bytes | None, versions: Versions, first: int
) -> Row:
    known = any(
        (who, toewijzing) == (one.aanbieder, number) and version.reden_wijziging != REMOVED
        for (who, _, toewijzing), version in versions.items()
    )
    reason = "beschikking" if number is None else "traject" if known else "toewijzing"
    return row(
        aanbieder=one.aanbieder,
        gemeente=link.start_key.gemeente if link else "",
        jaar=year(dutch_day(one.tijd)),
        doel=one.fact.doel,
        beoordelaar=one.fact.beoordelaar,
        waarde=one.fact.waarde,
        tijd=one.tijd,
        traject=traject,
        wacht="" if link else reason,
        sinds=None if link else dutch_day(first),
        aanlevering=one.delivery,
        record=one.line,
    )


def _cbs(events: Sequence[Event], texts: Texts) -> tuple[Counter[Row], Counter[Row]]:
    trajecten, rows = Counter[Row](), Counter[Row]()
    everything = cbs.trajecten(events)
    for some in everything:
        traject = cbs.traject_row(some, texts)
        trajecten[traject] += 1
        rows.update(cbs.meting_rows(some, traject))
    return trajecten, rows


def expected(history: Sequence[Event], numbers: Numbers, texts: Texts = AS_SHIPPED) -> Rows:
    """Every row of the client that these events are about."""
    events = counting(history)
    versions = current_versions(events)
    everything = leveringen(events, versions)
    chains = all_chains(everything, texts)
    lines = declared(events)
    world = World(everything, versions, lines, sent(events), doubles(events), texts.follow_up)
    of_metingen = [(one, of_meting(chains, one, numbers, texts)) for one in metingen(events)]
    named = [(one, toewijzing_of(one, events)) for one in scores(events)]
    of_scores = [(one, number, by_toewijzing(chains, one.aanbieder, number, numbers)) for one, number in named]
    of_lines = [(who, f, of_line(chains, who, f, numbers)) for (who, _), f in lines.items()]
    net = debits(lines)
    begins = [
        one.begin
        for one in chains
        if one.care and one.start_key.categorie not in NO_OUTCOME and one.start_key.gemeente in CLUSTER  # the 13
    ]
    rows: dict[int, Row] = {}
    for chain in chains:
        own_lines = [(who, f) for who, f, link in of_lines if link is chain]
        rows[id(chain)] = _traject_row(
            chain,
            [one for one, link in of_metingen if link is chain],
            [one for one, _, link in of_scores if link is chain],
            texts,
            declaraties=sum(line in net for line in own_lines),
            vlaggen=flags(chain, world, own_lines),
            nieuwe_start=_new_start(chain.end.einddatum if chain.end else None, begins, texts.follow_up),
            wacht=waits(chain, versions),
            postcodegebied=_area(chain, versions),
        )
    cbs_trajecten, cbs_metingen = _cbs(events, texts)
    result = Rows(Counter(rows.values()) + cbs_trajecten, cbs_metingen, Counter())
    for one, link in of_metingen:
        own = [other for other, other_link in of_metingen if other_link is link]
        traject, first = rows[id(link)] if link else None, first_upload(one, events)
        result.metingen[_meting_row(one, link, traject, own, first, _meting_waits(one, chains, texts), texts)] += 1
    for one, number, link in of_scores:
        result.scores[
            _score_row(one, link, rows[id(link)] if link else None, number, versions, first_upload(one, events))
        ] += 1
    return result
