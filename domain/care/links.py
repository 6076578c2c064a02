"""Links metingen and scores to trajecten: pure, recomputed from the set."""

from __future__ import annotations

from msgspec import Struct, field

from domain.care.leveringen import OPEN_END
from domain.care.toewijzingen import Toewijzingen
from domain.care.trajecten import WAITING, Traject
from domain.facts.act import MetingAct, MetingKey, ScoreAct, ScoreKey
from domain.facts.fact_set import FactSet
from domain.facts.identity import UploadKey
from domain.facts.standing import last_meting, last_score
from domain.field.dates import dutch_day
from domain.field.definitions import SHIPPED, Definitions

_Begun = tuple[Traject, list[int]]  # a traject that holds a start, and the days on which something of it ended


class Meting(Struct, gc=False, kw_only=True):
    """A meting as it counts, its traject (None = pending) and whether it is the latest of its group there."""

    number: bytes
    aanbieder: str
    act: MetingAct
    groep: str
    soort: str
    nut: int | None
    zonder_hulp: int | None
    bevestigd: bool
    traject: Traject | None
    upload: UploadKey  # the record that counts
    wacht: str = ""  # traject, or einde: care runs, and its end is what the meting is about
    sinds: int | None = None  # day of its first upload while it waits
    telt: bool = False


class Score(Struct, gc=False, kw_only=True):
    """A score as it counts and its traject (None = pending)."""

    key: ScoreKey
    upload: UploadKey  # the record that counts
    act: ScoreAct
    traject: Traject | None = None
    wacht: str = ""  # toewijzing, beschikking or traject
    sinds: int | None = None  # day of its first upload while it waits


class Linked(Struct, gc=False):
    """What hangs on one traject."""

    metingen: list[Meting] = field(default_factory=list)
    scores: list[Score] = field(default_factory=list)
    declaraties: int = 0
    vlaggen: set[str] = field(default_factory=set)


def metingen(facts: FactSet, trajecten: list[Traject], definitions: Definitions = SHIPPED) -> list[Meting]:
    """Every meting with its link. Per traject and informant group the latest counts (datum, upload, number)."""
    found = []
    best: dict[tuple[bytes, str], tuple[tuple[int, int, bytes], Meting]] = {}
    begun = [(traject, _ends(traject)) for traject in trajecten if traject.status not in WAITING]
    for key, acts in facts.metingen.items():
        upload, act = last_meting(acts)
        meting = _meting(key, act, upload, begun, definitions)
        found.append(meting)
        if meting.traject is not None:
            slot, rank = (meting.traject.number, meting.groep), (act.datum, act.tijd, key.meting)
            if slot not in best or best[slot][0] < rank:
                best[slot] = (rank, meting)
        else:
            meting.wacht = "einde" if _runs(meting, trajecten) else "traject"
            meting.sinds = dutch_day(min(d.tijd for d in acts.values()))
    for _, meting in best.values():
        meting.telt = True
    return found


def _runs(meting: Meting, trajecten: list[Traject]) -> bool:
    """Whether a meting at the end is of care that goes on as far as is known: its stop has still to come [P]."""
    return meting.soort == "einde" and any(
        t.aanbieder == meting.aanbieder
        and t.status not in WAITING
        and t.end == OPEN_END
        and t.begin <= meting.act.datum
        for t in trajecten
    )


def _ends(traject: Traject) -> list[int]:
    """The days on which something ended: its own end, and of overlapping leveringen (*stapeling*) the end of one while
    another ran on [P].
    """
    ends = [] if traject.end == OPEN_END else [traject.end]
    if len(traject.leveringen) > 1:
        for end in {levering.end for levering in traject.leveringen}:  # nothing runs beyond OPEN_END
            if any(other.start_key.begindatum <= end < other.runs_until for other in traject.leveringen):
                ends.append(end)
    return ends


def _meting(key: MetingKey, act: MetingAct, upload: UploadKey, begun: list[_Begun], definitions: Definitions) -> Meting:
    questionnaire = definitions.vragenlijsten.get(act.vragenlijst)
    group, kind = (questionnaire.groep, questionnaire.soort) if questionnaire else ("", "")
    return Meting(
        number=key.meting,
        aanbieder=key.aanbieder,
        act=act,
        groep=group,
        soort=kind,
        nut=act.antwoorden.get(definitions.question(act.vragenlijst, "nut")),
        zonder_hulp=act.antwoorden.get(definitions.question(act.vragenlijst, "zonder_hulp")),
        bevestigd=definitions.bevestigd(act.vragenlijst),
        traject=_traject_of(act.datum, kind, key.aanbieder, begun, definitions),
        upload=upload,
    )


def _traject_of(datum: int, kind: str, aanbieder: str, begun: list[_Begun], definitions: Definitions) -> Traject | None:
    """Same provider; *einde*: the nearest end within the window; *duurzaam*: running on the day [P]."""
    if kind == "duurzaam":
        running = [t for t, _ in begun if t.aanbieder == aanbieder and t.begin <= datum <= t.end]
        return max(running, key=lambda t: (t.begin, t.number), default=None)
    if kind != "einde":
        return None
    before, after = definitions.meting_before_end, definitions.meting_after_end
    near = [
        (abs(datum - end), t.begin, t.number, t)
        for t, ends in begun
        if t.aanbieder == aanbieder
        for end in ends
        if end - before <= datum <= end + after
    ]
    return min(near, key=lambda one: one[:3])[3] if near else None


#: Provider, municipality (empty for a score) and toewijzing -> traject.
ByToewijzing = dict[tuple[str, str, bytes], Traject]


def per_toewijzing(trajecten: list[Traject]) -> ByToewijzing:
    """Provider, municipality and toewijzing -> traject; of several the one that began last.

    A number is unique within one municipality (TR332). A declared line names it; a score does not, and looks under the
    empty code.
    """
    by_toewijzing: ByToewijzing = {}
    for traject in sorted(trajecten, key=lambda t: (t.begin, t.number)):
        for levering in traject.leveringen:
            if levering.start_key.toewijzing is not None and traject.status not in WAITING:
                by_toewijzing[(traject.aanbieder, "", levering.start_key.toewijzing)] = traject
                by_toewijzing[(traject.aanbieder, traject.gemeente, levering.start_key.toewijzing)] = traject
    return by_toewijzing


def scores(facts: FactSet, by_toewijzing: ByToewijzing, known: Toewijzingen) -> list[Score]:
    """Every score with its link, by toewijzing; one that names only a beschikking by what it stands for."""
    beschikkingen = _beschikkingen(facts)
    found = []
    for key, acts in facts.scores.items():
        upload, act = last_score(acts)
        score = Score(key=key, upload=upload, act=act)
        toewijzing = key.toewijzing
        if toewijzing is None and key.beschikking is not None:
            toewijzing = beschikkingen.get((key.aanbieder, key.beschikking))
        if toewijzing is not None:
            score.traject = by_toewijzing.get((key.aanbieder, "", toewijzing))
        if score.traject is None:
            score.wacht = _reden(key.aanbieder, toewijzing, known)
            score.sinds = dutch_day(min(act.tijd for act in acts.values()))
        found.append(score)
    return found


def _reden(aanbieder: str, toewijzing: bytes | None, known: Toewijzingen) -> str:
    """What a score waits for: the number behind its beschikking, its assignment, or the start of its care."""
    if toewijzing is None:
        return "beschikking"
    return "traject" if known.number_stands(aanbieder, toewijzing) else "toewijzing"


def _beschikkingen(facts: FactSet) -> dict[tuple[str, bytes], bytes]:
    """Provider and beschikking -> the toewijzing it stands for: of the latest upload that names both [P]."""
    best: dict[tuple[str, bytes], tuple[tuple[int, UploadKey], bytes]] = {}
    for key, acts in facts.scores.items():
        if key.toewijzing is None or key.beschikking is None:
            continue
        named = (key.aanbieder, key.beschikking)
        upload, act = last_score(acts)
        rank = ((act.tijd, upload), key.toewijzing)
        if named not in best or best[named] < rank:
            best[named] = rank
    return {named: toewijzing for named, (_, toewijzing) in best.items()}
