"""The rows of one client, computed the long way from the full list of its events.

This module shares no code with the fold: it keeps every event, looks everything up again for every question, and follows
the texts of the standard and of the definitions sentence by sentence. Slow and plain on purpose. Generated numbers are
left out: a row names its traject by the whole row of that traject, or None while it has none. They decide one thing, what
the texts leave open between trajecten that are equal in every other respect: so they are given from outside.

A history may repeat events, but one message (or one line of one upload) has one content: TR056 is tested apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.codes import REDENEN
from domain.dates import year
from domain.facts import Event, Meting, Prestatie, Score, Start, Stop
from domain.geography import huidige_code

Row = tuple[tuple[str, Any], ...]
#: The number of a traject by aanbieder, gemeente, categorie and begindatum, only to choose between equals.
Numbers = Mapping[tuple[str, str, str, int], bytes]

PAUSE = "20"
CHAIN_DAYS, BEFORE_END, AFTER_END = 30, 30, 90  # [P]
DAY_MS = 86_400_000
CLUSTER = {
    "0363": "Amsterdam",
    **dict.fromkeys(("0358", "0362"), "Amstelveen-Aalsmeer"),
    **dict.fromkeys(("0384", "0437", "0451"), "DUO"),
    **dict.fromkeys(("0385", "0415", "0431", "0439", "0852", "0880", "0479"), "Zaanstreek-Waterland"),
}
#: Questionnaire -> informant group and kind: O = ouders, J = jongeren, E = einde, D = duurzaam [R].
LISTS = {
    "CEM+_2018_OE_v1": ("ouder", "einde"),
    "CEM+_2018_JE_v1": ("jeugdige", "einde"),
    "CEM+_2018_OD_v1": ("ouder", "duurzaam"),
    "CEM+_2018_JD_v1": ("jeugdige", "duurzaam"),
}


@dataclass(frozen=True)
class Spoor:
    """What a start and its stops have in common: IV008 with provider and municipality in front.

    The municipality is the one that gave the number (TR332): an old code stays part of the key, as TR378 has it, and
    counts under the current code.
    """

    aanbieder: str
    ontvanger: str
    toewijzing: bytes | None
    categorie: str
    code: str
    begin: int

    @property
    def gemeente(self) -> str:
        return huidige_code(self.ontvanger)

    @property
    def order(self) -> tuple[int, bytes, str, str]:
        return self.begin, self.toewijzing or b"", self.code, self.ontvanger


@dataclass(frozen=True)
class Levering:
    """One present start and its current stop; or, without a start, the stop that waits for it."""

    spoor: Spoor
    start: Start | None
    stop: Stop | None
    flags: frozenset[str]


@dataclass(frozen=True)
class Keten:
    """A traject: leveringen in order, and how it stands."""

    leveringen: tuple[Levering, ...]
    status: str
    end: Stop | None  # the stop that ends it; None while it goes on

    @property
    def aanbieder(self) -> str:
        return self.leveringen[0].spoor.aanbieder

    @property
    def gemeente(self) -> str:
        return self.leveringen[0].spoor.gemeente

    @property
    def categorie(self) -> str:
        return self.leveringen[0].spoor.categorie

    @property
    def begin(self) -> int:
        return min(one.spoor.begin for one in self.leveringen)

    def has(self, toewijzing: bytes) -> bool:
        return any(one.spoor.toewijzing == toewijzing for one in self.leveringen)


@dataclass(frozen=True)
class Upload:
    """One score or meting as one line of one upload gave it; ``tijd`` is the earliest time seen for that line."""

    aanbieder: str
    fact: Any
    tijd: int
    line: int
    delivery: str


@dataclass(frozen=True)
class Rows:
    """All rows of one client, as multisets."""

    trajecten: Counter[Row]
    metingen: Counter[Row]
    scores: Counter[Row]


# --- starts and stops: which keys are present ---------------------------------------------------------------------


def _spoor(event: Event) -> Spoor:
    f = event.fact
    assert isinstance(f, Start | Stop)
    return Spoor(event.aanbieder, f.gemeente, f.toewijzing, f.categorie, f.code, f.begindatum)


def standing(acts: Sequence[Start | Stop], until: int | None = None) -> int:
    """How many deliveries of one key stand at the end of a day (None = of all days); 0 = the key is not there.

    Let d be the day of the last removal, and before 1 if the key was there at the end of the day before d. It is there
    iff before + deliveries on d - removals on d > 0, or something was delivered after d.
    """
    seen = [act for act in acts if until is None or act.dagtekening <= until]
    deliveries = [act.dagtekening for act in seen if act.status == 1]
    removals = [act.dagtekening for act in seen if act.status == 3]
    if not removals:
        return len(deliveries)
    d = max(removals)
    before = 1 if standing(acts, d - 1) > 0 else 0
    on_d = before + deliveries.count(d) - removals.count(d)
    return max(0, on_d) + sum(day > d for day in deliveries)


def content(acts: Sequence[Any]) -> Any:
    """The latest delivery of a key: by dagtekening, then by message."""
    return max((act for act in acts if act.status == 1), key=lambda act: (act.dagtekening, act.bericht))


def _acts(history: Sequence[Event], kind: type, spoor: Spoor, reden: str = "") -> list[Any]:
    """The acts upon one key; a message counts once."""
    found: dict[bytes, Any] = {}
    for event in history:
        f = event.fact
        if not isinstance(f, kind) or _spoor(event) != spoor or getattr(f, "reden_beeindiging", "") != reden:
            continue
        assert isinstance(f, Start | Stop)
        if f.bericht in found and found[f.bericht] != f:
            raise ValueError("one message, two contents: TR056 is tested apart")
        found[f.bericht] = f
    return list(found.values())


def leveringen(history: Sequence[Event]) -> list[Levering]:
    """Every present start with its current stop, and what was stopped while its start is not there."""
    result = []
    for spoor in {_spoor(event) for event in history if isinstance(event.fact, Start | Stop)}:
        starts = _acts(history, Start, spoor)
        by_reden = {reden: _acts(history, Stop, spoor, reden) for reden in REDENEN}
        stops: list[Stop] = [content(acts) for acts in by_reden.values() if standing(acts) > 0]
        if standing(starts) == 0 and not stops:
            continue
        flags = set()
        if any(standing(acts) > 1 for acts in (starts, *by_reden.values())):
            flags.add("TR074")
        finals = [stop for stop in stops if stop.reden_beeindiging != PAUSE]
        if len(finals) > 1:
            flags.add("TR415")
        # The latest counts; of two reasons in one message the higher code (open in the texts).
        current = max(finals or stops, key=lambda s: (s.dagtekening, s.bericht, s.reden_beeindiging), default=None)
        start = content(starts) if standing(starts) > 0 else None
        result.append(Levering(spoor, start, current, frozenset(flags)))
    return result


# --- trajecten ----------------------------------------------------------------------------------------------------


def _waits(one: Levering, chain: Sequence[Levering]) -> bool:
    """A paused levering that no later start on or after the end of the pause has resumed."""
    if one.stop is None or one.stop.reden_beeindiging != PAUSE:
        return False
    return not any(other.spoor.begin > one.spoor.begin and other.spoor.begin >= one.stop.einddatum for other in chain)


def _runs(one: Levering) -> bool:
    return one.stop is None


def _joins(chain: Sequence[Levering], following: Levering) -> bool:
    if any(_runs(one) or _waits(one, chain) for one in chain):
        return True
    end = max(one.stop.einddatum for one in chain if one.stop is not None)
    return following.spoor.begin <= end + CHAIN_DAYS


def _keten(chain: Sequence[Levering]) -> Keten:
    if any(_runs(one) for one in chain):
        return Keten(tuple(chain), "lopend", None)
    if any(_waits(one, chain) for one in chain):
        return Keten(tuple(chain), "gepauzeerd", None)
    last = chain[0]
    for one in chain:  # in order: of equal ends the later levering counts
        assert one.stop is not None
        assert last.stop is not None
        if one.stop.einddatum >= last.stop.einddatum:
            last = one
    return Keten(tuple(chain), "beeindigd", last.stop)


def ketens(history: Sequence[Event]) -> list[Keten]:
    """All trajecten of the client, also those of a stop that waits for its start."""
    everything = leveringen(history)
    result = [Keten((one,), "wacht_op_start", None) for one in everything if one.start is None]
    groups: dict[tuple[str, str, str], list[Levering]] = {}
    for one in everything:
        if one.start is not None:
            groups.setdefault((one.spoor.aanbieder, one.spoor.gemeente, one.spoor.categorie), []).append(one)
    for group in groups.values():
        chain: list[Levering] = []
        for one in sorted(group, key=lambda levering: levering.spoor.order):
            if chain and not _joins(chain, one):
                result.append(_keten(chain))
                chain = []
            chain.append(one)
        result.append(_keten(chain))
    return result


# --- uploads: metingen and scores ---------------------------------------------------------------------------------


def _uploads(history: Iterable[Event], kind: type) -> list[Upload]:
    """One per line of an upload, however often it came; the earliest time counts."""
    found: dict[tuple[str, str, int], Upload] = {}
    for event in history:
        f = event.fact
        if not isinstance(f, kind):
            continue
        assert isinstance(f, Score | Meting)
        where = (event.aanbieder, event.delivery, event.line)
        tijd = min(f.tijd, found[where].tijd) if where in found else f.tijd
        found[where] = Upload(event.aanbieder, f, tijd, event.line, event.delivery)
    return list(found.values())


def _latest(uploads: Iterable[Upload]) -> Upload:
    return max(uploads, key=lambda one: (one.tijd, one.line, one.delivery))


def scores(history: Sequence[Event]) -> list[Upload]:
    """Of every score key (provider, number, goal, rater) the upload that counts."""
    keys: dict[Any, list[Upload]] = {}
    for one in _uploads(history, Score):
        f = one.fact
        keys.setdefault((one.aanbieder, f.toewijzing, f.beschikking, f.doel, f.beoordelaar), []).append(one)
    return [_latest(uploads) for uploads in keys.values()]


def metingen(history: Sequence[Event]) -> list[Upload]:
    """Of every meting (provider, meting) the delivery that counts: the latest by datum, then as for a score."""
    keys: dict[Any, list[Upload]] = {}
    for one in _uploads(history, Meting):
        keys.setdefault((one.aanbieder, one.fact.meting), []).append(one)
    return [
        _latest(one for one in uploads if one.fact.datum == max(other.fact.datum for other in uploads))
        for uploads in keys.values()
    ]


def _number(keten: Keten, numbers: Numbers) -> bytes:
    return numbers.get((keten.aanbieder, keten.gemeente, keten.categorie, keten.begin), b"")


def _by_toewijzing(
    trajecten: Sequence[Keten], aanbieder: str, toewijzing: bytes | None, numbers: Numbers
) -> Keten | None:
    """The traject of an assignment; of several the one that began last. Nothing links to a stop without its start."""
    if toewijzing is None:
        return None
    known = [one for one in trajecten if one.aanbieder == aanbieder and one.status != "wacht_op_start"]
    found = [one for one in known if one.has(toewijzing)]
    return max(found, key=lambda one: (one.begin, _number(one, numbers)), default=None)


def _of_meting(trajecten: Sequence[Keten], meting: Upload, numbers: Numbers) -> Keten | None:
    """Same provider; *einde*: the nearest end in the window; *duurzaam*: running on the day.

    Open in the texts: of equal ends the first begun, of several running the last begun.
    """
    datum: int = meting.fact.datum
    soort = LISTS[meting.fact.vragenlijst][1]
    mine = [one for one in trajecten if one.aanbieder == meting.aanbieder and one.status != "wacht_op_start"]
    if soort == "duurzaam":
        running = [one for one in mine if one.begin <= datum and (one.end is None or datum <= one.end.einddatum)]
        return max(running, key=lambda one: (one.begin, _number(one, numbers)), default=None)
    near = []
    for one in mine:
        if one.end is not None and -BEFORE_END <= datum - one.end.einddatum <= AFTER_END:
            near.append((abs(datum - one.end.einddatum), one.begin, _number(one, numbers), one))
    return min(near, key=lambda pair: pair[:3])[3] if near else None


# --- declarations -------------------------------------------------------------------------------------------------


def debits(history: Sequence[Event]) -> list[tuple[str, Prestatie]]:
    """Debit lines that no credit takes back, with their provider. Of a reference used twice (TR314) the latest."""
    lines: dict[tuple[str, bytes], Prestatie] = {}
    for event in history:
        f = event.fact
        if isinstance(f, Prestatie):
            key = (event.aanbieder, f.referentie)
            if key not in lines or (lines[key].dagtekening, lines[key].bericht) < (f.dagtekening, f.bericht):
                lines[key] = f
    taken = {(who, f.vorige_referentie) for (who, _), f in lines.items() if f.debet_credit == "C"}
    return [(who, f) for (who, ref), f in lines.items() if f.debet_credit == "D" and (who, ref) not in taken]


# --- rows ---------------------------------------------------------------------------------------------------------


def row(**fields: Any) -> Row:
    """A row as a comparable value: its columns in order of name; a map becomes sorted pairs."""
    flat = {name: tuple(sorted(v.items())) if isinstance(v, dict) else v for name, v in fields.items()}
    return tuple(sorted(flat.items()))


def _counting(linked: Sequence[Upload], groep: str) -> Upload | None:
    """Of the metingen of one group on one traject the latest: datum, upload time, number."""
    own = [one for one in linked if LISTS[one.fact.vragenlijst][0] == groep]
    return max(own, key=lambda one: (one.fact.datum, one.tijd, one.fact.meting), default=None)


def _score_fields(linked: Sequence[Upload]) -> dict[str, Any]:
    latest: dict[tuple[int, str], Upload] = {}
    for one in linked:
        what = (one.fact.doel, one.fact.beoordelaar)
        latest[what] = _latest([one, latest[what]]) if what in latest else one
    gas = {f"{doel}{wie}": one.fact.waarde for (doel, wie), one in latest.items() if doel > 0}
    gas = {name: waarde for name, waarde in gas.items() if waarde is not None}
    problem = {wie: one.fact.waarde for (doel, wie), one in latest.items() if doel == 0}
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


def _meting_fields(linked: Sequence[Upload]) -> dict[str, Any]:
    fields: dict[str, Any] = {"metingen": len(linked)}
    for groep in ("jeugdige", "ouder"):
        one = _counting(linked, groep)
        fields[f"nut_{groep}"] = one.fact.antwoorden.get("VR09A") if one else None
        fields[f"zonder_hulp_{groep}"] = one.fact.antwoorden.get("VR10") if one else None
    return fields


def _traject_row(keten: Keten, own_metingen: list[Upload], own_scores: list[Upload], declared: int) -> Row:
    first, last = keten.leveringen[0], keten.leveringen[-1]
    reden = keten.end.reden_beeindiging if keten.end else ""
    return row(
        aanbieder=keten.aanbieder,
        gemeente=keten.gemeente,
        jaar=year(keten.begin),
        cluster=CLUSTER.get(keten.gemeente, ""),
        categorie=keten.categorie,
        code=last.spoor.code,
        begindatum=keten.begin,
        einddatum=keten.end.einddatum if keten.end else None,
        reden_beeindiging=reden,
        uitval_klasse=REDENEN[reden].klasse if reden else "",
        status=keten.status,
        leveringen=len(keten.leveringen),
        leeftijd=first.start.leeftijd if first.start else None,
        geslacht=first.start.geslacht if first.start else "",
        declaraties=declared,
        vlaggen=tuple(sorted({flag for one in keten.leveringen for flag in one.flags})),
        **_meting_fields(own_metingen),
        **_score_fields(own_scores),
    )


def expected(history: Sequence[Event], numbers: Numbers) -> Rows:
    """Every row of the client that these events are about."""
    all_ketens = ketens(history)
    meting_links = [(one, _of_meting(all_ketens, one, numbers)) for one in metingen(history)]
    score_links = [
        (one, _by_toewijzing(all_ketens, one.aanbieder, one.fact.toewijzing, numbers)) for one in scores(history)
    ]
    debit_links = []  # an assignment is one of a municipality (TR332)
    for who, f in debits(history):
        near = [one for one in all_ketens if one.gemeente == huidige_code(f.gemeente)]
        debit_links.append(_by_toewijzing(near, who, f.toewijzing, numbers))
    rows: dict[int, Row] = {}
    for keten in all_ketens:
        rows[id(keten)] = _traject_row(
            keten,
            [one for one, link in meting_links if link is keten],
            [one for one, link in score_links if link is keten],
            sum(link is keten for link in debit_links),
        )
    result = Rows(Counter(rows.values()), Counter(), Counter())
    for one, link in meting_links:
        own = [other for other, other_link in meting_links if other_link is link]
        groep, soort = LISTS[one.fact.vragenlijst]
        result.metingen[
            row(
                aanbieder=one.aanbieder,
                gemeente=link.gemeente if link else "",
                jaar=year(one.fact.datum),
                vragenlijst=one.fact.vragenlijst,
                groep=groep,
                soort=soort,
                informant=one.fact.informant,
                datum=one.fact.datum,
                nut=one.fact.antwoorden.get("VR09A"),
                zonder_hulp=one.fact.antwoorden.get("VR10"),
                antwoorden=one.fact.antwoorden,
                traject=rows[id(link)] if link else None,
                telt=link is not None and _counting(own, groep) is one,
            )
        ] += 1
    for one, link in score_links:
        result.scores[
            row(
                aanbieder=one.aanbieder,
                gemeente=link.gemeente if link else "",
                jaar=year(one.tijd // DAY_MS),
                doel=one.fact.doel,
                beoordelaar=one.fact.beoordelaar,
                waarde=one.fact.waarde,
                tijd=one.tijd,
                traject=rows[id(link)] if link else None,
            )
        ] += 1
    return result
