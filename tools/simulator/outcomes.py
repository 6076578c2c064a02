"""What is reported about care: GAS and probleemafname scores (RAP) and CEM+ metingen. The second half of the world."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from tools.simulator.model import Aanbieder, Client, Meting, Score, Traject, month_of
from tools.simulator.tables import DEFINITIONS, INFORMANTEN, MARK_QUESTIONS, QUESTIONS

RESPONS_SCORES = 0.6
RESPONS_CEM = {"O": 0.55, "J": 0.45}
YEAR = 12
# Which numbers the scores of a traject name: ``later`` = first the beschikking alone, afterwards one score with both.
SCORE_MANNERS = {"toewijzing": 56, "beide": 24, "beschikking": 8, "later": 12}


@dataclass(slots=True)
class Outcomes:
    """Adds scores and metingen to clients whose care is known. ``until`` bounds every day."""

    seed: int
    until: date
    aanbieders: dict[str, Aanbieder]

    def add(self, index: int, client: Client) -> None:
        """Scores and metingen of one client; uses its own random generator, apart from the one of the care."""
        rng = Random(f"{self.seed}|uitkomst|{index}")
        for traject in client.trajecten:
            _Scores(rng, traject, month_of(self.until)).add()
        _Metingen(rng, client, self.until, self.aanbieders).add()


@dataclass(slots=True)
class _Scores:
    """Scores of one traject. A type is delivered once a month at most, and a repeat only in a later month."""

    rng: Random
    traject: Traject
    last: int

    def add(self) -> None:
        moments = self._moments()
        if not moments:
            return
        manner = self._number(moments[0])
        types = self._types()
        given: dict[tuple[int, str], str] = {}
        for month in moments:
            given.update({(month, t): self._value(t) for t in types})
        for month, kind in list(given):
            later = month + self.rng.randint(1, 4)
            if self.rng.random() < 0.06 and later <= self.last:
                given.setdefault((later, kind), self._value(kind))
        if manner == "later":
            last = max(given)  # mostly one month further: until then the scores wait for their number
            given[min(last[0] + 1, self.last), last[1]] = self._value(last[1])
        key = max(given)
        self.traject.scores = [
            Score(month, t, value, _manner(manner, last=(month, t) == key))
            for (month, t), value in sorted(given.items())
        ]

    def _moments(self) -> list[int]:
        """Months of delivery: after the end, and yearly in long care."""
        rng, traject = self.rng, self.traject
        months = []
        up_to = month_of(traject.end.einddatum) if traject.end else self.last
        if traject.duurzaam:
            yearly = range(month_of(traject.begindatum) + YEAR, up_to + 1, YEAR)
            months += [m for m in yearly if rng.random() < RESPONS_SCORES]
        if traject.end and rng.random() < RESPONS_SCORES:
            months.append(up_to + rng.choice((0, 0, 1)))
        return sorted({m for m in months if m <= self.last})

    def _number(self, month: int) -> str:
        """One assignment of the chain carries all scores of the traject: any that had begun by the first month.

        Gives which numbers the scores name; in taakgericht work there is but the beschikking.
        """
        begun = [x for x in self.traject.leveringen if month_of(x.begindatum) <= month]
        number = self.rng.choice(begun or self.traject.leveringen).toewijzingnummer
        self.traject.score_number = number or 0
        manner = self.rng.choices(list(SCORE_MANNERS), list(SCORE_MANNERS.values()))[0]
        return "beschikking" if number is None else manner

    def _types(self) -> list[str]:
        rng = self.rng
        most = rng.choices((1, 2, 3, 4, 10), (40, 38, 18, 10, 2))[0]
        doelen = list(range(1, most + 1))
        types = [f"D{doel}{rater}" for doel in doelen for rater in "OC" if rng.random() < 0.7]
        types += [t for t, p in (("PB", 0.8), ("PO", 0.5), ("PC", 0.4)) if rng.random() < p]
        return types or ["PB"]

    def _value(self, kind: str) -> str:
        if self.rng.random() < 0.05:
            return "x"
        if kind.startswith("D"):
            return self.rng.choices(("-1", "0", "1", "2"), (6, 14, 38, 42))[0]
        return self.rng.choice(("1", "2", "3"))


def _manner(manner: str, *, last: bool) -> str:
    if manner != "later":
        return manner
    return "beide" if last else "beschikking"


@dataclass(slots=True)
class _Metingen:
    """Metingen of one client. No two of one provider and informant group share a day, so 'latest' is never a tie."""

    rng: Random
    client: Client
    until: date
    aanbieders: dict[str, Aanbieder]
    refs: dict[str, tuple[str, Iterator[int]]] = field(default_factory=dict)
    days: dict[tuple[str, str], set[date]] = field(default_factory=lambda: defaultdict(set))

    def add(self) -> None:
        for traject in self.client.trajecten:
            if traject.duurzaam:
                self._yearly(traject)
            elif traject.end and traject.end.reden != "02":
                self._end(traject, traject.end.einddatum)

    def _end(self, traject: Traject, einddatum: date) -> None:
        for group in self._groups(einddatum):
            if self.rng.random() < RESPONS_CEM[group]:
                for _ in range(2 if self.rng.random() < 0.06 else 1):
                    day = max(einddatum + timedelta(days=self._distance()), traject.begindatum)
                    self._meting(traject, group, "E", day)

    def _yearly(self, traject: Traject) -> None:
        last = traject.end.einddatum if traject.end else self.until
        for year in itertools.count(1):
            day = traject.begindatum + timedelta(days=365 * year + self.rng.randint(-40, 40))
            if day > last:
                return
            if _running_on(self.client, traject.aanbieder, day) != [traject]:
                continue
            for group in self._groups(day):
                if self.rng.random() < RESPONS_CEM[group] + 0.2:
                    self._meting(traject, group, "D", day)

    def _distance(self) -> int:
        """Days between Einddatum and datum_meting: mostly soon after, sometimes at the edges of the window."""
        before, after = DEFINITIONS.meting_before, DEFINITIONS.meting_after
        edges = (-before, after, -before - 1, after + 1, self.rng.randint(after + 2, after + 60))
        return self.rng.choice(edges) if self.rng.random() < 0.1 else self.rng.randint(-20, 60)

    def _groups(self, day: date) -> str:
        """Who fills in (S0): under 12 the parents, 12 to 16 both may, over 16 the youth alone."""
        born = self.client.geboortedatum
        leeftijd = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
        return "O" if leeftijd < 12 else "OJ" if leeftijd <= 16 else "J"

    def _meting(self, traject: Traject, group: str, moment: str, day: date) -> None:
        agb = traject.aanbieder
        if day > self.until or day in self.days[agb, group]:
            return
        self.days[agb, group].add(day)
        ref, serials = self._ref(agb)
        self.client.metingen.append(
            Meting(
                aanbieder=agb,
                client_ref=ref,
                meting_id=f"{ref}-{next(serials)}",
                datum=day,
                informant=self.rng.choice(INFORMANTEN[group]),
                vragenlijst=f"CEM+_2018_{group}{moment}_v1",
                antwoorden=self._antwoorden(moment),
                gemeente=traject.gemeente,
            )
        )

    def _ref(self, agb: str) -> tuple[str, Iterator[int]]:
        """The provider's own client number: counted per provider, so equal numbers of two providers are two clients."""
        if agb not in self.refs:
            aanbieder = self.aanbieders[agb]
            self.refs[agb] = (str(aanbieder.next_ref), itertools.count(1))
            aanbieder.next_ref += 1
        return self.refs[agb]

    def _antwoorden(self, moment: str) -> dict[str, str]:
        """An answer per question; the two versions differ in number (S0: 19 and 18 rows); a few are skipped."""
        rng, given = self.rng, dict[str, str]()
        for question in QUESTIONS:
            if question in MARK_QUESTIONS:
                given[question] = str(rng.choices(range(1, 11), (1, 1, 2, 3, 6, 12, 24, 30, 13, 8))[0])
            else:
                given[question] = str(rng.choices((1, 2, 3, 4), (10, 20, 40, 30))[0])
        if moment == "D":
            del given["VR08G"]
        for question in (DEFINITIONS.nut_question, DEFINITIONS.zonder_hulp_question):
            if rng.random() < 0.03:
                del given[question]
        return given


def _running_on(client: Client, agb: str, day: date) -> list[Traject]:
    """Trajecten of the client at the provider that run on ``day``; paused counts as running."""
    return [
        t
        for t in client.trajecten
        if t.aanbieder == agb and t.begindatum <= day and (t.end is None or day <= t.end.einddatum)
    ]
