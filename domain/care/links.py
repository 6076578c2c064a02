"""Links metingen and scores to trajecten: pure, recomputed from the set."""

from __future__ import annotations

from typing import Final

from msgspec import Struct, field

from domain.care.leveringen import OPEN_EINDE
from domain.care.toewijzingen import Toewijzingen
from domain.care.trajecten import WACHTEND, Traject
from domain.facts.act import MetingDaad, ScoreDaad, ScoreSleutel
from domain.facts.fact_set import Feiten, laatste, laatste_meting, volgorde
from domain.field.definitions import METING_NA_EINDE, METING_VOOR_EINDE
from domain.field.questionnaires import VRAGENLIJSTEN, bevestigd, vraag

_DAG_MS: Final = 86_400_000


class Meting(Struct, gc=False):
    """A meting as it counts, its traject (None = pending) and whether it is the latest of its group there."""

    nummer: bytes
    aanbieder: str
    daad: MetingDaad
    groep: str
    soort: str
    nut: int | None
    zonder_hulp: int | None
    bevestigd: bool
    traject: Traject | None
    sinds: int | None  # day of its first upload while it waits for a traject
    upload: bytes  # the record that counts: delivery and line
    telt: bool = False


class Score(Struct, gc=False):
    """A score as it counts and its traject (None = pending)."""

    sleutel: ScoreSleutel
    volgorde: tuple[int, bytes, bytes]  # its place among all uploads: time, line, delivery
    daad: ScoreDaad
    traject: Traject | None
    wacht: str = ""  # toewijzing, beschikking or traject
    sinds: int | None = None  # day of its first upload while it waits


class Oogst(Struct, gc=False):
    """What hangs on one traject."""

    metingen: list[Meting] = field(default_factory=list)
    scores: list[Score] = field(default_factory=list)
    declaraties: int = 0
    vlaggen: set[str] = field(default_factory=set)


def metingen(feiten: Feiten, trajecten: list[Traject]) -> list[Meting]:
    """Every meting with its link. Per traject and informant group the latest counts (datum, upload, number)."""
    gevonden = []
    beste: dict[tuple[bytes, str], tuple[tuple[int, int, bytes], Meting]] = {}
    for (aanbieder, nummer), daden in feiten.metingen.items():
        upload, daad = laatste_meting(daden)
        meting = _meting(nummer, aanbieder, daad, upload, trajecten)
        gevonden.append(meting)
        if meting.traject is not None:
            plaats, rang = (meting.traject.nummer, meting.groep), (daad.datum, daad.tijd, nummer)
            if plaats not in beste or beste[plaats][0] < rang:
                beste[plaats] = (rang, meting)
        else:
            meting.sinds = min(d.tijd for d in daden.values()) // _DAG_MS
    for _, meting in beste.values():
        meting.telt = True
    return gevonden


def _meting(nummer: bytes, aanbieder: str, daad: MetingDaad, upload: bytes, trajecten: list[Traject]) -> Meting:
    lijst = VRAGENLIJSTEN.get(daad.vragenlijst)
    groep, soort = (lijst.groep, lijst.soort) if lijst else ("", "")
    nut = daad.antwoorden.get(vraag(daad.vragenlijst, "nut"))
    zonder_hulp = daad.antwoorden.get(vraag(daad.vragenlijst, "zonder_hulp"))
    traject = _traject_van(daad.datum, soort, aanbieder, trajecten)
    zeker = bevestigd(daad.vragenlijst)
    return Meting(nummer, aanbieder, daad, groep, soort, nut, zonder_hulp, zeker, traject, None, upload)


def _traject_van(datum: int, soort: str, aanbieder: str, trajecten: list[Traject]) -> Traject | None:
    """Same provider; *einde*: the nearest end within the window; *duurzaam*: running on the day [P]."""
    kandidaten = []
    for t in trajecten:
        if t.aanbieder != aanbieder or t.status in WACHTEND:
            continue
        past_einde = t.einde != OPEN_EINDE and t.einde - METING_VOOR_EINDE <= datum <= t.einde + METING_NA_EINDE
        if (soort == "einde" and past_einde) or (soort == "duurzaam" and t.begin <= datum <= t.einde):
            kandidaten.append(t)
    if not kandidaten:
        return None
    if soort == "duurzaam":
        return max(kandidaten, key=lambda t: (t.begin, t.nummer))
    return min(kandidaten, key=lambda t: (abs(datum - t.einde), t.begin, t.nummer))


#: Provider, municipality (empty for a score) and toewijzing -> traject.
Plaats = dict[tuple[str, str, bytes], Traject]


def per_toewijzing(trajecten: list[Traject]) -> Plaats:
    """Provider, municipality and toewijzing -> traject; of several the one that began last.

    A number is unique within one municipality (TR332). A declared line names it; a score does not, and looks under the
    empty code.
    """
    plaats: Plaats = {}
    for traject in sorted(trajecten, key=lambda t: (t.begin, t.nummer)):
        for levering in traject.leveringen:
            if levering.spoor.toewijzing is not None and traject.status not in WACHTEND:
                plaats[(traject.aanbieder, "", levering.spoor.toewijzing)] = traject
                plaats[(traject.aanbieder, traject.gemeente, levering.spoor.toewijzing)] = traject
    return plaats


def scores(feiten: Feiten, plaats: Plaats, bekend: Toewijzingen) -> list[Score]:
    """Every score with its link, by toewijzing; one that names only a beschikking by what it stands for."""
    beschikkingen = _beschikkingen(feiten)
    gevonden = []
    for sleutel, daden in feiten.scores.items():
        score = Score(sleutel, *laatste(daden), None)
        toewijzing = sleutel.toewijzing
        if toewijzing is None and sleutel.beschikking is not None:
            toewijzing = beschikkingen.get((sleutel.aanbieder, sleutel.beschikking))
        if toewijzing is not None:
            score.traject = plaats.get((sleutel.aanbieder, "", toewijzing))
        if score.traject is None:
            score.wacht = _reden(sleutel.aanbieder, toewijzing, bekend)
            score.sinds = min(daad.tijd for daad in daden.values()) // _DAG_MS
        gevonden.append(score)
    return gevonden


def _reden(aanbieder: str, toewijzing: bytes | None, bekend: Toewijzingen) -> str:
    """What a score waits for: the number behind its beschikking, its assignment, or the start of its care."""
    if toewijzing is None:
        return "beschikking"
    return "traject" if bekend.nummer_staat(aanbieder, toewijzing) else "toewijzing"


def _beschikkingen(feiten: Feiten) -> dict[tuple[str, bytes], bytes]:
    """Provider and beschikking -> the toewijzing it stands for: of the latest upload that names both [P]."""
    beste: dict[tuple[str, bytes], tuple[tuple[int, bytes, bytes], bytes]] = {}
    for sleutel, daden in feiten.scores.items():
        if sleutel.toewijzing is None or sleutel.beschikking is None:
            continue
        plaats = (sleutel.aanbieder, sleutel.beschikking)
        rang = (max(volgorde(nummer, daad.tijd) for nummer, daad in daden.items()), sleutel.toewijzing)
        if plaats not in beste or beste[plaats] < rang:
            beste[plaats] = rang
    return {plaats: toewijzing for plaats, (_, toewijzing) in beste.items()}
