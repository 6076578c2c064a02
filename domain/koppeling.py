"""Links metingen, scores and declarations to trajecten: pure, recomputed from the set."""

from __future__ import annotations

from msgspec import Struct, field

from domain.definitions import METING_NA_EINDE, METING_VOOR_EINDE
from domain.feiten import Feiten, MetingDaad, PrestatieDaad, ScoreDaad, ScoreSleutel, laatste, laatste_meting
from domain.geography import huidige_code
from domain.questionnaires import VRAGENLIJSTEN
from domain.trajecten import OPEN_EINDE, WACHT, Traject


class Meting(Struct, gc=False):
    """A meting as it counts, its traject (None = pending) and whether it is the latest of its group there."""

    nummer: bytes
    aanbieder: str
    daad: MetingDaad
    groep: str
    soort: str
    traject: Traject | None
    telt: bool


class Score(Struct, gc=False):
    """A score as it counts and its traject (None = pending)."""

    sleutel: ScoreSleutel
    volgorde: tuple[int, bytes, bytes]  # its place among all uploads: time, line, delivery
    daad: ScoreDaad
    traject: Traject | None


class Oogst(Struct, gc=False):
    """What hangs on one traject."""

    metingen: list[Meting] = field(default_factory=list)
    scores: list[Score] = field(default_factory=list)
    declaraties: int = 0


def metingen(feiten: Feiten, trajecten: list[Traject]) -> list[Meting]:
    """Every meting with its link. Per traject and informant group the latest counts (datum, upload, number)."""
    gevonden = []
    beste: dict[tuple[bytes, str], tuple[tuple[int, int, bytes], Meting]] = {}
    for (aanbieder, nummer), daden in feiten.metingen.items():
        daad = laatste_meting(daden)
        lijst = VRAGENLIJSTEN.get(daad.vragenlijst)
        groep, soort = (lijst.groep, lijst.soort) if lijst else ("", "")
        traject = _traject_van(daad.datum, soort, aanbieder, trajecten)
        meting = Meting(nummer, aanbieder, daad, groep, soort, traject, False)
        gevonden.append(meting)
        if traject is not None:
            plaats, rang = (traject.nummer, groep), (daad.datum, daad.tijd, nummer)
            if plaats not in beste or beste[plaats][0] < rang:
                beste[plaats] = (rang, meting)
    for _, meting in beste.values():
        meting.telt = True
    return gevonden


def _traject_van(datum: int, soort: str, aanbieder: str, trajecten: list[Traject]) -> Traject | None:
    """Same provider; *einde*: the nearest end within the window; *duurzaam*: running on the day [P]."""
    kandidaten = []
    for t in trajecten:
        if t.aanbieder != aanbieder or t.status == WACHT:
            continue
        past_einde = t.einde != OPEN_EINDE and t.einde - METING_VOOR_EINDE <= datum <= t.einde + METING_NA_EINDE
        if (soort == "einde" and past_einde) or (soort == "duurzaam" and t.begin <= datum <= t.einde):
            kandidaten.append(t)
    if not kandidaten:
        return None
    if soort == "duurzaam":
        return max(kandidaten, key=lambda t: (t.begin, t.nummer))
    return min(kandidaten, key=lambda t: (abs(datum - t.einde), t.begin, t.nummer))


def _per_toewijzing(trajecten: list[Traject]) -> dict[tuple[str, str, bytes], Traject]:
    """Provider, municipality and toewijzing -> traject; of several the one that began last.

    A number is unique within one municipality (TR332). A declared line names it; a score does not, and looks under the
    empty code.
    """
    plaats: dict[tuple[str, str, bytes], Traject] = {}
    for traject in sorted(trajecten, key=lambda t: (t.begin, t.nummer)):
        for levering in traject.leveringen:
            if levering.spoor.toewijzing is not None and traject.status != WACHT:
                plaats[(traject.aanbieder, "", levering.spoor.toewijzing)] = traject
                plaats[(traject.aanbieder, traject.gemeente, levering.spoor.toewijzing)] = traject
    return plaats


def scores(feiten: Feiten, trajecten: list[Traject]) -> list[Score]:
    """Every score with its link by toewijzing; one that names only a beschikking waits."""
    if not feiten.scores:
        return []
    plaats = _per_toewijzing(trajecten)
    return [
        Score(s, *laatste(daden), plaats.get((s.aanbieder, "", s.toewijzing)) if s.toewijzing is not None else None)
        for s, daden in feiten.scores.items()
    ]


def _laatste_regel(daden: dict[bytes, PrestatieDaad]) -> PrestatieDaad:
    """Of a reference used twice (TR314) the line that counts: the latest by dagtekening, then message."""
    if len(daden) == 1:
        return next(iter(daden.values()))
    return max(daden.items(), key=lambda paar: (paar[1].dagtekening, paar[0]))[1]


def declaraties(feiten: Feiten, trajecten: list[Traject]) -> dict[bytes, int]:
    """Net declared lines per traject number: debit lines that no credit takes back (IV085, IV091)."""
    if not feiten.prestaties:
        return {}
    plaats = _per_toewijzing(trajecten)
    geldig = {s: _laatste_regel(daden) for s, daden in feiten.prestaties.items()}
    terug = {(s.aanbieder, d.vorige_referentie) for s, d in geldig.items() if d.debet_credit == "C"}
    aantal: dict[bytes, int] = {}
    for sleutel, daad in geldig.items():
        traject = plaats.get((sleutel.aanbieder, huidige_code(daad.gemeente), daad.toewijzing))
        if traject is not None and daad.debet_credit == "D" and sleutel not in terug:
            aantal[traject.nummer] = aantal.get(traject.nummer, 0) + 1
    return aantal
