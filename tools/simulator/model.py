"""What the simulator decides: clients, their care, what they say about it.

Plain data; dates are days, ``month`` is an integer.

A month is counted as ``year * 12 + month - 1``, so that months add up.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass, field
from datetime import date


def month_of(day: date) -> int:
    """Month number of a day."""
    return day.year * 12 + day.month - 1


def first_day(month_number: int) -> date:
    """First day of a month number."""
    return date(month_number // 12, month_number % 12 + 1, 1)


def last_day(month_number: int) -> date:
    """Last day of a month number."""
    year, month = month_number // 12, month_number % 12 + 1
    return date(year, month, monthrange(year, month)[1])


@dataclass(slots=True)
class Stop:
    """A stop: last day of delivery and JZ588 reason (20 = pause)."""

    einddatum: date
    reden: str


@dataclass(slots=True)
class Levering:
    """One start and its stops.

    ``ontvanger`` is the gemeente code as sent (may be an old one); ``code`` is '' when aspecifiek. ``toewijzingnummer``
    is None in taakgericht work (IV096). ``merger``: its assignment ended by a municipal merger and goes on.
    """

    toewijzingnummer: int | None
    ontvanger: str
    categorie: str
    code: str
    ingangsdatum: date
    begindatum: date
    stops: list[Stop] = field(default_factory=list)
    merger: bool = False

    @property
    def end(self) -> Stop | None:
        """The final stop (reason other than 20), if any."""
        return next((s for s in self.stops if s.reden != "20"), None)

    @property
    def pause(self) -> Stop | None:
        """The pause, if any."""
        return next((s for s in self.stops if s.reden == "20"), None)


@dataclass(slots=True)
class Version:
    """One version of an assignment: when it was decided (the highest pair counts, IV013) and sent, and its period.

    ``reden`` is JZ002, '' for the first.
    """

    datum: date
    tijd: str
    dagtekening: date
    einddatum: date | None
    reden: str = ""


@dataclass(slots=True, eq=False)
class Toewijzing:
    """An assignment of one product to one provider; ``gemeente`` as sent. ``volume`` None: a budget in eurocent."""

    aanbieder: str
    gemeente: str
    toewijzingnummer: int
    categorie: str
    code: str
    ingangsdatum: date
    versions: list[Version]
    volume: int | None
    eenheid: str
    frequentie: str
    budget: int | None = None

    def in_force_on(self, day: date) -> Version | None:
        """The version in force by what was sent up to ``day``."""
        sent = [v for v in self.versions if v.dagtekening <= day]
        return max(sent, key=lambda v: (v.datum, v.tijd), default=None)


@dataclass(slots=True)
class Score:
    """A RAP score in the file of ``month``; ``waarde`` is the text delivered ('x' = no score given).

    ``manner`` says which numbers it names: toewijzing, beschikking or beide.
    """

    month: int
    type: str
    waarde: str
    manner: str = "toewijzing"


@dataclass(slots=True)
class Meting:
    """One filled-in questionnaire; ``groep`` is O (ouder) or J (jeugdige), the letter in the questionnaire code.

    ``gemeente`` is the column of the BergOp feed.
    """

    aanbieder: str
    client_ref: str
    meting_id: str
    datum: date
    informant: str
    vragenlijst: str
    antwoorden: dict[str, str]
    gemeente: str = ""

    @property
    def groep(self) -> str:
        """O or J: position of the letter in ``CEM+_2018_OE_v1``."""
        return self.vragenlijst.split("_")[2][0]

    @property
    def end(self) -> bool:
        """True for the version at the end of care, False for the yearly one of long care."""
        return self.vragenlijst.split("_")[2][1] == "E"


@dataclass(slots=True, eq=False)
class Traject:
    """A chain of leveringen as the simulator means it; ``gemeente`` is the current code.

    Scores are delivered under ``score_number`` (a toewijzingnummer of the chain) and / or ``beschikkingsnummer``. Set
    while writing: ``declaraties``, the net number of declared lines; ``wacht``, what the row waits for and since when;
    ``vlaggen``, numbers used twice (TR056, TR314, TR333). ``alone`` is the status of a traject that no start supports.
    """

    aanbieder: str
    gemeente: str
    categorie: str
    duurzaam: bool
    beschikkingsnummer: str
    leveringen: list[Levering]
    scores: list[Score] = field(default_factory=list)
    score_number: int = 0
    declaraties: int = 0
    wacht: dict[str, date] = field(default_factory=dict)
    vlaggen: set[str] = field(default_factory=set)
    alone: str = ""

    @property
    def begindatum(self) -> date:
        """First day of the chain."""
        return self.leveringen[0].begindatum

    @property
    def end(self) -> Stop | None:
        """Final stop of the last levering; None while running or paused."""
        return self.leveringen[-1].end

    @property
    def status(self) -> str:
        """``beeindigd``, ``gepauzeerd`` or ``lopend``; or what it waits for."""
        if self.alone:
            return self.alone
        last = self.leveringen[-1]
        if last.end:
            return "beeindigd"
        return "gepauzeerd" if last.pause else "lopend"


@dataclass(slots=True, eq=False)
class Client:
    """A made-up young person. ``datum_usage`` is COD170 or '' for a full birth date; ``geslacht`` is COD046."""

    bsn: str
    geboortedatum: date
    datum_usage: str
    geslacht: str
    surname: str
    prefix: str
    first_names: str
    trajecten: list[Traject] = field(default_factory=list)
    metingen: list[Meting] = field(default_factory=list)
    toewijzingen: list[Toewijzing] = field(default_factory=list)


@dataclass(slots=True)
class Aanbieder:
    """A made-up provider: AGB code, clusters it works in, how its software writes XML (namespace style 0..2).

    ``bergop``: its questionnaires come through the BergOp feed.
    """

    agb: str
    clusters: tuple[str, ...]
    style: int
    next_ref: int = 100_001
    bergop: bool = False


@dataclass(slots=True)
class CbsMeting:
    """What one informant answered (CBS 4.3, 4.4); None = no answer."""

    nut: int | None
    zonder_hulp: int | None


@dataclass(slots=True)
class CbsRecord:
    """One record of a CBS-structured file: CBS codes, ``einddatum`` and ``reden`` empty while running."""

    hulpvorm: str
    verwijzer: str
    crisis: str
    begindatum: date
    einddatum: date | None = None
    reden: str = ""
    jeugdige: CbsMeting | None = None
    ouder: CbsMeting | None = None


@dataclass(slots=True, eq=False)
class CbsClient:
    """A young person in Almere at one provider; ``bsn`` 999999999 = unknown."""

    aanbieder: str
    bsn: str
    geboortedatum: date
    datum_usage: str
    geslacht: str
    postcode: str
    records: list[CbsRecord] = field(default_factory=list)


@dataclass(slots=True)
class World:
    """Everything decided, before a byte is written."""

    aanbieders: dict[str, Aanbieder]
    clients: list[Client]
    almere: list[CbsClient] = field(default_factory=list)
