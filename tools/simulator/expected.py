"""What must come out: one row per traject, and how many facts wait. Computed from the decisions, not from the files.

A row has the fields of ``Row``. Dates are ISO text. ``gas`` maps goal and rater ("1O") to -1..2, ``probleem`` maps the
rater ("B") to 1..3; None in a map is the value x (no score given). ``metingen`` and ``scores`` count what is linked,
earlier metingen and x included; a repeated score counts once per way of naming its number. ``code`` is that of the last
levering ('' = none given). ``nieuwe_start`` is the first day of the first traject that began within the follow-up
window after the end (3.2). ``wacht`` maps what the row waits for to the day since when. ``vlaggen`` has TR056, TR314
and TR333 only: numbers used twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple, TypedDict

from domain.field.spic import SHIPPED
from tools.simulator.model import CbsClient, CbsRecord, Client, Meting, Score, Traject
from tools.simulator.tables import ALMERE, CBS_KLASSE, CLUSTER_OF, DEFINITIONS, OUTSIDE_OUTCOMES, UITVAL_KLASSE


class Course(TypedDict):
    """The course of one expected traject."""

    index: int
    aanbieder: str
    gemeente: str
    cluster: str
    categorie: str
    code: str
    begindatum: str
    einddatum: str | None
    reden: str | None
    uitval_klasse: str
    status: str
    leveringen: int
    bron: str
    hulpvorm: str
    verwijzer: str
    crisis: str
    nieuwe_start: str | None
    wacht: dict[str, str]
    vlaggen: list[str]


class Row(Course):
    """One expected traject with its outcomes."""

    nut_jeugdige: int | None
    nut_ouder: int | None
    zonder_hulp_jeugdige: int | None
    zonder_hulp_ouder: int | None
    gas: dict[str, int | None]
    probleem: dict[str, int | None]
    metingen: int
    scores: int
    declaraties: int
    intensiteit: str
    metingen_einde: int
    metingen_jaren: list[int]


@dataclass(slots=True)
class Unlinked:
    """Accepted facts that belong to no traject, and what rows and scores wait for."""

    metingen: int = 0
    scores: Counter[str] = field(default_factory=Counter)
    trajecten: Counter[str] = field(default_factory=Counter)

    def counts(self) -> dict[str, int]:
        """How many metingen and scores are linked to nothing."""
        return {"metingen": self.metingen, "scores": self.scores.total()}

    def waits(self) -> dict[str, dict[str, int]]:
        """What waits, by kind of row and reason."""
        metingen = {"traject": self.metingen} if self.metingen else {}
        return {
            "trajecten": dict(sorted(self.trajecten.items())),
            "metingen": metingen,
            "scores": {reden: n for reden, n in sorted(self.scores.items()) if n},
        }


class Expected(NamedTuple):
    """A row, and how many of its counting metingen (latest per group) lack the mark and the question of 3.1."""

    row: Row
    nut_empty: int
    zonder_hulp_empty: int


def expected(clients: Iterable[Client], unlinked: Unlinked) -> Iterator[Expected]:
    """Expected rows in the simulator's order; what links to nothing is counted in ``unlinked``."""
    index = 0
    for client in clients:
        linked: dict[Traject, list[Meting]] = {t: [] for t in client.trajecten}
        for meting in client.metingen:
            traject = _traject_of(client, meting)
            if traject is None:
                unlinked.metingen += 1
            else:
                linked[traject].append(meting)
        for traject in client.trajecten:
            index += 1
            unlinked.trajecten.update(traject.wacht.keys())
            yield _row(index, traject, linked[traject], client, unlinked)


def _traject_of(client: Client, meting: Meting) -> Traject | None:
    """Einde: nearest Einddatum with the meting in its window, then the earliest begin.

    Duurzaam: the traject running on the day.
    """
    before, after = DEFINITIONS.meting_before, DEFINITIONS.meting_after
    found = []
    for t in client.trajecten:
        if t.aanbieder != meting.aanbieder or t.alone:
            continue
        if meting.end and t.end:
            distance = (meting.datum - t.end.einddatum).days
            if -before <= distance <= after:
                found.append((abs(distance), t.begindatum, t))
        elif not meting.end and t.begindatum <= meting.datum and (t.end is None or meting.datum <= t.end.einddatum):
            found.append((0, t.begindatum, t))
    return min(found, key=lambda item: item[:2])[2] if found else None


def _row(index: int, traject: Traject, metingen: list[Meting], client: Client, unlinked: Unlinked) -> Expected:
    last = {m.groep: m.antwoorden for m in sorted(metingen, key=lambda m: m.datum)}
    linked = _linked_scores(traject, unlinked)
    scores = {s.type: s.waarde for s in sorted(linked, key=lambda s: s.month)}
    row: Row = {
        **_course(index, traject, client),
        "nut_jeugdige": _answer(last, "J", DEFINITIONS.nut_question),
        "nut_ouder": _answer(last, "O", DEFINITIONS.nut_question),
        "zonder_hulp_jeugdige": _answer(last, "J", DEFINITIONS.zonder_hulp_question),
        "zonder_hulp_ouder": _answer(last, "O", DEFINITIONS.zonder_hulp_question),
        "gas": {t[1:]: _value(w) for t, w in scores.items() if t[0] == "D"},
        "probleem": {t[1:]: _value(w) for t, w in scores.items() if t[0] == "P"},
        "metingen": len(metingen),
        "scores": len({(s.type, s.manner) for s in linked}),
        "declaraties": traject.declaraties,
        "intensiteit": _intensiteit(traject, metingen),
        "metingen_einde": sum(m.end for m in metingen),
        "metingen_jaren": sorted({m.datum.year for m in metingen if not m.end}),
    }
    nut_empty = sum(DEFINITIONS.nut_question not in a for a in last.values())
    zonder_hulp_empty = sum(DEFINITIONS.zonder_hulp_question not in a for a in last.values())
    return Expected(row, nut_empty, zonder_hulp_empty)


def _linked_scores(traject: Traject, unlinked: Unlinked) -> list[Score]:
    """Scores that name the toewijzing, and those by beschikking alone once any score names both."""
    known = any(s.manner == "beide" for s in traject.scores)
    waiting = [s for s in traject.scores if s.manner == "beschikking" and not known]
    unlinked.scores["beschikking"] += len({s.type for s in waiting})
    return [s for s in traject.scores if s not in waiting]


def _intensiteit(traject: Traject, metingen: list[Meting]) -> str:
    """Of the product code, else duurzaam when a yearly questionnaire was filled in."""
    code = traject.leveringen[-1].code
    if code in SHIPPED.per_code:
        return SHIPPED.per_code[code].intensiteit
    return "duurzaam" if any(not m.end for m in metingen) else ""


def _new_start(traject: Traject, client: Client) -> date | None:
    """First day of the first other traject that began after the end, within the window; help of all providers."""
    if traject.end is None or traject.alone:
        return None
    end = traject.end.einddatum
    bound = end + timedelta(days=DEFINITIONS.new_start_days)
    starts = [t.begindatum for t in client.trajecten if not t.alone and t.categorie not in OUTSIDE_OUTCOMES]
    return min((begin for begin in starts if end < begin <= bound), default=None)


def _course(index: int, traject: Traject, client: Client) -> Course:
    end = None if traject.alone else traject.end
    new = _new_start(traject, client)
    return {
        "index": index,
        "aanbieder": traject.aanbieder,
        "gemeente": traject.gemeente,
        "cluster": CLUSTER_OF[traject.gemeente],
        "categorie": traject.categorie,
        "code": traject.leveringen[-1].code,
        "begindatum": traject.begindatum.isoformat(),
        "einddatum": end.einddatum.isoformat() if end else None,
        "reden": end.reden if end else None,
        "uitval_klasse": UITVAL_KLASSE[end.reden] if end else "",
        "status": traject.status,
        "leveringen": len(traject.leveringen),
        "bron": "ijw",
        "hulpvorm": "",
        "verwijzer": "",
        "crisis": "",
        "nieuwe_start": new.isoformat() if new else None,
        "wacht": {reden: day.isoformat() for reden, day in sorted(traject.wacht.items())},
        "vlaggen": sorted(traject.vlaggen),
    }


def _answer(last: dict[str, dict[str, str]], group: str, question: str) -> int | None:
    value = last.get(group, {}).get(question)
    return None if value is None else int(value)


def _value(text: str) -> int | None:
    return None if text == "x" else int(text)


def expected_cbs(clients: Iterable[CbsClient]) -> Iterator[Row]:
    """The trajecten of the CBS files: records of one provider and form of help that overlap are one (domain 10)."""
    index = 0
    for client in clients:
        per_hulpvorm: dict[str, list[CbsRecord]] = {}
        for record in sorted(client.records, key=lambda r: r.begindatum):
            per_hulpvorm.setdefault(record.hulpvorm, []).append(record)
        for records in per_hulpvorm.values():
            for together in _together(records):
                index += 1
                yield _cbs_row(index, client.aanbieder, together)


def _together(records: list[CbsRecord]) -> Iterator[list[CbsRecord]]:
    group = [records[0]]
    for record in records[1:]:
        if record.begindatum <= max(r.einddatum or date.max for r in group):
            group.append(record)
        else:
            yield group
            group = [record]
    yield group


def _cbs_row(index: int, aanbieder: str, records: list[CbsRecord]) -> Row:
    """From the first start to the last end; the outcomes are those of the record that ended last."""
    first, last = records[0], max(records, key=lambda r: r.einddatum or date.max)
    jeugdige, ouder = last.jeugdige, last.ouder
    return {
        "index": index,
        "aanbieder": aanbieder,
        "gemeente": ALMERE,
        "cluster": "",
        "categorie": "",
        "code": "",
        "begindatum": first.begindatum.isoformat(),
        "einddatum": last.einddatum.isoformat() if last.einddatum else None,
        "reden": None,
        "uitval_klasse": CBS_KLASSE[last.reden] if last.einddatum else "",
        "status": "beeindigd" if last.einddatum else "lopend",
        "leveringen": len(records),
        "bron": "cbs",
        "hulpvorm": first.hulpvorm,
        "verwijzer": first.verwijzer,
        "crisis": first.crisis,
        "nieuwe_start": None,
        "wacht": {},
        "vlaggen": [],
        "nut_jeugdige": jeugdige.nut if jeugdige else None,
        "nut_ouder": ouder.nut if ouder else None,
        "zonder_hulp_jeugdige": jeugdige.zonder_hulp if jeugdige else None,
        "zonder_hulp_ouder": ouder.zonder_hulp if ouder else None,
        "metingen": (jeugdige is not None) + (ouder is not None),
        "metingen_einde": 0,
        "metingen_jaren": [],
        "gas": {},
        "probleem": {},
        "scores": 0,
        "declaraties": 0,
        "intensiteit": "",
    }
