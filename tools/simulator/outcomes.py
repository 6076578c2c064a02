"""What is reported about care: GAS and probleemafname scores (RAP) and CEM+ metingen. The second half of the world."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from tools.simulator.model import Aanbieder, Client, Meting, Score, Traject, maand_van
from tools.simulator.tables import CIJFERVRAGEN, DEFINITIES, INFORMANTEN, VRAGEN

RESPONS_SCORES = 0.6
RESPONS_CEM = {"O": 0.55, "J": 0.45}
YEAR = 12
# Which numbers the scores of a traject name: `later` = first the beschikking alone, afterwards one score with both.
SCORE_WIJZEN = {"toewijzing": 56, "beide": 24, "beschikking": 8, "later": 12}


@dataclass(slots=True)
class Outcomes:
    """Adds scores and metingen to clients whose care is known. `until` bounds every day."""

    seed: int
    until: date
    aanbieders: dict[str, Aanbieder]

    def add(self, index: int, client: Client) -> None:
        """Scores and metingen of one client; uses its own random generator, apart from the one of the care."""
        rng = Random(f"{self.seed}|uitkomst|{index}")
        for traject in client.trajecten:
            _Scores(rng, traject, maand_van(self.until)).add()
        _Metingen(rng, client, self.until, self.aanbieders).add()


@dataclass(slots=True)
class _Scores:
    """Scores of one traject. A type is delivered once a month at most, and a repeat only in a later month."""

    rng: Random
    traject: Traject
    last: int

    def add(self) -> None:
        momenten = self._momenten()
        if not momenten:
            return
        wijze = self._nummer(momenten[0])
        types = self._types()
        given: dict[tuple[int, str], str] = {}
        for maand in momenten:
            given.update({(maand, t): self._waarde(t) for t in types})
        for maand, soort in list(given):
            later = maand + self.rng.randint(1, 4)
            if self.rng.random() < 0.06 and later <= self.last:
                given.setdefault((later, soort), self._waarde(soort))
        if wijze == "later":
            laatste = max(given)  # mostly one month further: until then the scores wait for their number
            given[min(laatste[0] + 1, self.last), laatste[1]] = self._waarde(laatste[1])
        sleutel = max(given)
        self.traject.scores = [
            Score(maand, t, waarde, _wijze(wijze, last=(maand, t) == sleutel))
            for (maand, t), waarde in sorted(given.items())
        ]

    def _momenten(self) -> list[int]:
        """Months of delivery: after the end, and yearly in long care."""
        rng, traject = self.rng, self.traject
        maanden = []
        tot = maand_van(traject.einde.einddatum) if traject.einde else self.last
        if traject.duurzaam:
            jaarlijks = range(maand_van(traject.begindatum) + YEAR, tot + 1, YEAR)
            maanden += [m for m in jaarlijks if rng.random() < RESPONS_SCORES]
        if traject.einde and rng.random() < RESPONS_SCORES:
            maanden.append(tot + rng.choice((0, 0, 1)))
        return sorted({m for m in maanden if m <= self.last})

    def _nummer(self, maand: int) -> str:
        """One assignment of the chain carries all scores of the traject: any that had begun by the first month.

        Gives which numbers the scores name; in taakgericht work there is but the beschikking.
        """
        begonnen = [x for x in self.traject.leveringen if maand_van(x.begindatum) <= maand]
        nummer = self.rng.choice(begonnen or self.traject.leveringen).toewijzingnummer
        self.traject.score_nummer = nummer or 0
        wijze = self.rng.choices(list(SCORE_WIJZEN), list(SCORE_WIJZEN.values()))[0]
        return "beschikking" if nummer is None else wijze

    def _types(self) -> list[str]:
        rng = self.rng
        meest = rng.choices((1, 2, 3, 4, 10), (40, 38, 18, 10, 2))[0]
        doelen = list(range(1, meest + 1))
        types = [f"D{doel}{rater}" for doel in doelen for rater in "OC" if rng.random() < 0.7]
        types += [t for t, p in (("PB", 0.8), ("PO", 0.5), ("PC", 0.4)) if rng.random() < p]
        return types or ["PB"]

    def _waarde(self, soort: str) -> str:
        if self.rng.random() < 0.05:
            return "x"
        if soort.startswith("D"):
            return self.rng.choices(("-1", "0", "1", "2"), (6, 14, 38, 42))[0]
        return self.rng.choice(("1", "2", "3"))


def _wijze(wijze: str, *, last: bool) -> str:
    if wijze != "later":
        return wijze
    return "beide" if last else "beschikking"


@dataclass(slots=True)
class _Metingen:
    """Metingen of one client. No two of one provider and informant group share a day, so 'latest' is never a tie."""

    rng: Random
    client: Client
    until: date
    aanbieders: dict[str, Aanbieder]
    refs: dict[str, tuple[str, Iterator[int]]] = field(default_factory=dict)
    dagen: dict[tuple[str, str], set[date]] = field(default_factory=lambda: defaultdict(set))

    def add(self) -> None:
        for traject in self.client.trajecten:
            if traject.duurzaam:
                self._jaarlijks(traject)
            elif traject.einde and traject.einde.reden != "02":
                self._einde(traject, traject.einde.einddatum)

    def _einde(self, traject: Traject, einddatum: date) -> None:
        for groep in self._groepen(einddatum):
            if self.rng.random() < RESPONS_CEM[groep]:
                for _ in range(2 if self.rng.random() < 0.06 else 1):
                    dag = max(einddatum + timedelta(days=self._afstand()), traject.begindatum)
                    self._meting(traject, groep, "E", dag)

    def _jaarlijks(self, traject: Traject) -> None:
        laatste = traject.einde.einddatum if traject.einde else self.until
        for jaar in itertools.count(1):
            dag = traject.begindatum + timedelta(days=365 * jaar + self.rng.randint(-40, 40))
            if dag > laatste:
                return
            if _lopend_op(self.client, traject.aanbieder, dag) != [traject]:
                continue
            for groep in self._groepen(dag):
                if self.rng.random() < RESPONS_CEM[groep] + 0.2:
                    self._meting(traject, groep, "D", dag)

    def _afstand(self) -> int:
        """Days between Einddatum and datum_meting: mostly soon after, sometimes at the edges of the window."""
        voor, na = DEFINITIES.meting_voor, DEFINITIES.meting_na
        randen = (-voor, na, -voor - 1, na + 1, self.rng.randint(na + 2, na + 60))
        return self.rng.choice(randen) if self.rng.random() < 0.1 else self.rng.randint(-20, 60)

    def _groepen(self, dag: date) -> str:
        """Who fills in (S0): under 12 the parents, 12 to 16 both may, over 16 the youth alone."""
        geboren = self.client.geboortedatum
        leeftijd = dag.year - geboren.year - ((dag.month, dag.day) < (geboren.month, geboren.day))
        return "O" if leeftijd < 12 else "OJ" if leeftijd <= 16 else "J"

    def _meting(self, traject: Traject, groep: str, moment: str, dag: date) -> None:
        agb = traject.aanbieder
        if dag > self.until or dag in self.dagen[agb, groep]:
            return
        self.dagen[agb, groep].add(dag)
        ref, volgnummers = self._ref(agb)
        self.client.metingen.append(
            Meting(
                aanbieder=agb,
                client_ref=ref,
                meting_id=f"{ref}-{next(volgnummers)}",
                datum=dag,
                informant=self.rng.choice(INFORMANTEN[groep]),
                vragenlijst=f"CEM+_2018_{groep}{moment}_v1",
                antwoorden=self._antwoorden(moment),
                gemeente=traject.gemeente,
            )
        )

    def _ref(self, agb: str) -> tuple[str, Iterator[int]]:
        """The provider's own client number: counted per provider, so equal numbers of two providers are two clients."""
        if agb not in self.refs:
            aanbieder = self.aanbieders[agb]
            self.refs[agb] = (str(aanbieder.volgende_ref), itertools.count(1))
            aanbieder.volgende_ref += 1
        return self.refs[agb]

    def _antwoorden(self, moment: str) -> dict[str, str]:
        """An answer per question; the two versions differ in number (S0: 19 and 18 rows); a few are skipped."""
        rng, given = self.rng, dict[str, str]()
        for vraag in VRAGEN:
            if vraag in CIJFERVRAGEN:
                given[vraag] = str(rng.choices(range(1, 11), (1, 1, 2, 3, 6, 12, 24, 30, 13, 8))[0])
            else:
                given[vraag] = str(rng.choices((1, 2, 3, 4), (10, 20, 40, 30))[0])
        if moment == "D":
            del given["VR08G"]
        for vraag in (DEFINITIES.vraag_nut, DEFINITIES.vraag_zonder_hulp):
            if rng.random() < 0.03:
                del given[vraag]
        return given


def _lopend_op(client: Client, agb: str, dag: date) -> list[Traject]:
    """Trajecten of the client at the provider that run on `dag`; paused counts as running."""
    return [
        t
        for t in client.trajecten
        if t.aanbieder == agb and t.begindatum <= dag and (t.einde is None or dag <= t.einde.einddatum)
    ]
