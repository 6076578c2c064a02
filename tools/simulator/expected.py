"""What must come out: one row per traject, and how many facts wait. Computed from the decisions, not from the files.

A row has the fields of `Row`. Dates are ISO text. `gas` maps goal and rater ("1O") to -1..2, `probleem` maps the rater
("B") to 1..3; None in a map is the value x (no score given). `metingen` and `scores` count what is linked, earlier
metingen and x included; a repeated score counts once per way of naming its number. `code` is that of the last levering
('' = none given). `nieuwe_start` is the first day of the first traject that began within the follow-up window after the
end (3.2). `wacht` maps what the row waits for to the day since when. `vlaggen` has TR056, TR314 and TR333 only: numbers
used twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple, TypedDict

from domain.field.definitions import INTENSITEIT
from tools.simulator.model import CbsClient, CbsRecord, Client, Meting, Score, Traject
from tools.simulator.tables import ALMERE, BUITEN_UITKOMSTEN, CBS_KLASSE, CLUSTER_VAN, DEFINITIES, UITVAL_KLASSE


class Verloop(TypedDict):
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


class Row(Verloop):
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
class Los:
    """Accepted facts that belong to no traject, and what rows and scores wait for."""

    metingen: int = 0
    scores: Counter[str] = field(default_factory=Counter)
    trajecten: Counter[str] = field(default_factory=Counter)

    def aantallen(self) -> dict[str, int]:
        """How many metingen and scores are linked to nothing."""
        return {"metingen": self.metingen, "scores": self.scores.total()}

    def wacht(self) -> dict[str, dict[str, int]]:
        """What waits, by kind of row and reason."""
        metingen = {"traject": self.metingen} if self.metingen else {}
        return {
            "trajecten": dict(sorted(self.trajecten.items())),
            "metingen": metingen,
            "scores": {reden: n for reden, n in sorted(self.scores.items()) if n},
        }


class Verwacht(NamedTuple):
    """A row, and how many of its counting metingen (latest per group) lack the mark and the question of 3.1."""

    row: Row
    nut_leeg: int
    hulp_leeg: int


def verwacht(clients: Iterable[Client], los: Los) -> Iterator[Verwacht]:
    """Expected rows in the simulator's order; what links to nothing is counted in `los`."""
    index = 0
    for client in clients:
        linked: dict[Traject, list[Meting]] = {t: [] for t in client.trajecten}
        for meting in client.metingen:
            traject = _traject_van(client, meting)
            if traject is None:
                los.metingen += 1
            else:
                linked[traject].append(meting)
        for traject in client.trajecten:
            index += 1
            los.trajecten.update(traject.wacht.keys())
            yield _row(index, traject, linked[traject], client, los)


def _traject_van(client: Client, meting: Meting) -> Traject | None:
    """Einde: nearest Einddatum with the meting in its window, then the earliest begin.

    Duurzaam: the traject running on the day.
    """
    voor, na = DEFINITIES.meting_voor, DEFINITIES.meting_na
    found = []
    for t in client.trajecten:
        if t.aanbieder != meting.aanbieder or t.alleen:
            continue
        if meting.einde and t.einde:
            afstand = (meting.datum - t.einde.einddatum).days
            if -voor <= afstand <= na:
                found.append((abs(afstand), t.begindatum, t))
        elif (
            not meting.einde and t.begindatum <= meting.datum and (t.einde is None or meting.datum <= t.einde.einddatum)
        ):
            found.append((0, t.begindatum, t))
    return min(found, key=lambda item: item[:2])[2] if found else None


def _row(index: int, traject: Traject, metingen: list[Meting], client: Client, los: Los) -> Verwacht:
    laatste = {m.groep: m.antwoorden for m in sorted(metingen, key=lambda m: m.datum)}
    gekoppeld = _gekoppeld(traject, los)
    scores = {s.type: s.waarde for s in sorted(gekoppeld, key=lambda s: s.maand)}
    row: Row = {
        **_verloop(index, traject, client),
        "nut_jeugdige": _antwoord(laatste, "J", DEFINITIES.vraag_nut),
        "nut_ouder": _antwoord(laatste, "O", DEFINITIES.vraag_nut),
        "zonder_hulp_jeugdige": _antwoord(laatste, "J", DEFINITIES.vraag_zonder_hulp),
        "zonder_hulp_ouder": _antwoord(laatste, "O", DEFINITIES.vraag_zonder_hulp),
        "gas": {t[1:]: _waarde(w) for t, w in scores.items() if t[0] == "D"},
        "probleem": {t[1:]: _waarde(w) for t, w in scores.items() if t[0] == "P"},
        "metingen": len(metingen),
        "scores": len({(s.type, s.wijze) for s in gekoppeld}),
        "declaraties": traject.declaraties,
        "intensiteit": _intensiteit(traject, metingen),
        "metingen_einde": sum(m.einde for m in metingen),
        "metingen_jaren": sorted({m.datum.year for m in metingen if not m.einde}),
    }
    nut_leeg = sum(DEFINITIES.vraag_nut not in a for a in laatste.values())
    hulp_leeg = sum(DEFINITIES.vraag_zonder_hulp not in a for a in laatste.values())
    return Verwacht(row, nut_leeg, hulp_leeg)


def _gekoppeld(traject: Traject, los: Los) -> list[Score]:
    """Scores that name the toewijzing, and those by beschikking alone once any score names both."""
    bekend = any(s.wijze == "beide" for s in traject.scores)
    wachtend = [s for s in traject.scores if s.wijze == "beschikking" and not bekend]
    los.scores["beschikking"] += len({s.type for s in wachtend})
    return [s for s in traject.scores if s not in wachtend]


def _intensiteit(traject: Traject, metingen: list[Meting]) -> str:
    """Of the product code, else duurzaam when a yearly questionnaire was filled in."""
    code = traject.leveringen[-1].code
    if code in INTENSITEIT:
        return INTENSITEIT[code].klasse
    return "duurzaam" if any(not m.einde for m in metingen) else ""


def _nieuwe_start(traject: Traject, client: Client) -> date | None:
    """First day of the first other traject that began after the end, within the window; help of all providers."""
    if traject.einde is None or traject.alleen:
        return None
    einde = traject.einde.einddatum
    grens = einde + timedelta(days=DEFINITIES.nieuwe_start)
    starts = [t.begindatum for t in client.trajecten if not t.alleen and t.categorie not in BUITEN_UITKOMSTEN]
    return min((begin for begin in starts if einde < begin <= grens), default=None)


def _verloop(index: int, traject: Traject, client: Client) -> Verloop:
    einde = None if traject.alleen else traject.einde
    nieuw = _nieuwe_start(traject, client)
    return {
        "index": index,
        "aanbieder": traject.aanbieder,
        "gemeente": traject.gemeente,
        "cluster": CLUSTER_VAN[traject.gemeente],
        "categorie": traject.categorie,
        "code": traject.leveringen[-1].code,
        "begindatum": traject.begindatum.isoformat(),
        "einddatum": einde.einddatum.isoformat() if einde else None,
        "reden": einde.reden if einde else None,
        "uitval_klasse": UITVAL_KLASSE[einde.reden] if einde else "",
        "status": traject.status,
        "leveringen": len(traject.leveringen),
        "bron": "ijw",
        "hulpvorm": "",
        "verwijzer": "",
        "crisis": "",
        "nieuwe_start": nieuw.isoformat() if nieuw else None,
        "wacht": {reden: dag.isoformat() for reden, dag in sorted(traject.wacht.items())},
        "vlaggen": sorted(traject.vlaggen),
    }


def _antwoord(laatste: dict[str, dict[str, str]], groep: str, vraag: str) -> int | None:
    waarde = laatste.get(groep, {}).get(vraag)
    return None if waarde is None else int(waarde)


def _waarde(tekst: str) -> int | None:
    return None if tekst == "x" else int(tekst)


def verwacht_cbs(clients: Iterable[CbsClient]) -> Iterator[Row]:
    """The trajecten of the CBS files: records of one provider and form of help that overlap are one (domain 10)."""
    index = 0
    for client in clients:
        per_hulpvorm: dict[str, list[CbsRecord]] = {}
        for record in sorted(client.records, key=lambda r: r.begindatum):
            per_hulpvorm.setdefault(record.hulpvorm, []).append(record)
        for records in per_hulpvorm.values():
            for samen in _samen(records):
                index += 1
                yield _cbs_row(index, client.aanbieder, samen)


def _samen(records: list[CbsRecord]) -> Iterator[list[CbsRecord]]:
    groep = [records[0]]
    for record in records[1:]:
        if record.begindatum <= max(r.einddatum or date.max for r in groep):
            groep.append(record)
        else:
            yield groep
            groep = [record]
    yield groep


def _cbs_row(index: int, aanbieder: str, records: list[CbsRecord]) -> Row:
    """From the first start to the last end; the outcomes are those of the record that ended last."""
    eerste, laatste = records[0], max(records, key=lambda r: r.einddatum or date.max)
    jeugdige, ouder = laatste.jeugdige, laatste.ouder
    return {
        "index": index,
        "aanbieder": aanbieder,
        "gemeente": ALMERE,
        "cluster": "",
        "categorie": "",
        "code": "",
        "begindatum": eerste.begindatum.isoformat(),
        "einddatum": laatste.einddatum.isoformat() if laatste.einddatum else None,
        "reden": None,
        "uitval_klasse": CBS_KLASSE[laatste.reden] if laatste.einddatum else "",
        "status": "beeindigd" if laatste.einddatum else "lopend",
        "leveringen": len(records),
        "bron": "cbs",
        "hulpvorm": eerste.hulpvorm,
        "verwijzer": eerste.verwijzer,
        "crisis": eerste.crisis,
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
