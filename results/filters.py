"""What a reader may choose of its own rows: each filter alone and all together, as SQL and in Python.

The filters are those of Almere's portal (S2) and the cuts of S1, as far as a row knows the answer. *Zorgvraagzwaarte*
and *complexiteit* are asked for and stand in no delivery, so they are not here; *respondent* narrows questionnaires
only, for a traject has none. Bounds of days are inclusive.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Final, NamedTuple

from domain.field.dates import day
from domain.field.geography import GEMEENTEN
from domain.indicators.terms import Condition, Row, Table


class Days(NamedTuple):
    """From a day up to and including another; None is no bound."""

    first: date | None = None
    last: date | None = None

    def sql(self, column: str) -> str:
        """The bounds; empty without any."""
        parts = [f"{column} >= '{self.first.isoformat()}'"] if self.first else []
        return " AND ".join([*parts, *([f"{column} <= '{self.last.isoformat()}'"] if self.last else [])])

    def holds(self, value: int | None) -> bool:
        """Whether a day number lies within; where there is a bound, no day does not."""
        if self.first is None and self.last is None:
            return True
        if value is None:
            return False
        return (self.first is None or value >= day(self.first)) and (self.last is None or value <= day(self.last))


EVER: Final = Days()


_NO_END: Final = 255


class Ages(NamedTuple):
    """Completed years at the begin, both ends included."""

    youngest: int
    oldest: int

    @property
    def name(self) -> str:
        """As a screen and a release call it."""
        return f"{self.youngest} en ouder" if self.oldest == _NO_END else f"{self.youngest} tot en met {self.oldest}"


#: The bands that a screen offers [P], those of a release: no source says which.
AGE_BANDS: Final = (Ages(0, 5), Ages(6, 11), Ages(12, 17), Ages(18, _NO_END))


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What was chosen; empty is everything. Values of one filter are alternatives, filters hold together."""

    start: Days = EVER
    end: Days = EVER
    reden_beeindiging: tuple[str, ...] = ()
    gemeente: tuple[str, ...] = ()
    segment: tuple[str, ...] = ()
    profiel: tuple[str, ...] = ()
    intensiteit: tuple[str, ...] = ()
    verwijzer: tuple[str, ...] = ()
    categorie: tuple[str, ...] = ()
    hulpvorm: tuple[str, ...] = ()
    postcodegebied: tuple[str, ...] = ()
    geslacht: tuple[str, ...] = ()
    leeftijd: tuple[Ages, ...] = ()
    respondent: tuple[str, ...] = ()

    def sql(self, table: Table, database: str, aanbieder: str) -> list[str]:
        """The conditions on rows of one provider in a table, each of which must hold.

        What only a traject knows, narrows metingen and scores through the traject that they are linked to; one that
        waits for its traject is then left out.
        """
        found = _values("gemeente", self.gemeente)
        if table == "metingen":
            found += _values("groep", self.respondent)
        traject = self._of_traject()
        if table == "trajecten" or not traject:
            return found + traject
        own = " AND ".join([Condition("aanbieder", (aanbieder,)).sql(), *traject])
        return [*found, f"traject IN (SELECT traject FROM {database}.trajecten FINAL WHERE {own})"]  # noqa: S608

    def _of_traject(self) -> list[str]:
        parts = [days.sql(column) for column, days in self._days()]
        for column in _OF_TRAJECT:
            parts += _values(column, getattr(self, column))
        bands = [f"leeftijd BETWEEN {youngest} AND {oldest}" for youngest, oldest in self.leeftijd]
        return [part for part in (*parts, f"({' OR '.join(bands)})" if bands else "") if part]

    def _days(self) -> tuple[tuple[str, Days], ...]:
        return (("begindatum", self.start), ("einddatum", self.end))

    def holds(self, table: Table, row: Row, trajecten: Mapping[str, Row]) -> bool:
        """``sql`` for a row; ``trajecten`` of the same provider by their name."""
        if self.gemeente and row["gemeente"] not in self.gemeente:
            return False
        if table == "metingen" and self.respondent and row["groep"] not in self.respondent:
            return False
        if table == "trajecten":
            return self._holds_of_traject(row)
        if not self._of_traject():
            return True
        traject = trajecten.get(row["traject"])
        return traject is not None and self._holds_of_traject(traject)

    def _holds_of_traject(self, row: Row) -> bool:
        chosen: list[tuple[Any, tuple[Any, ...]]] = [(row[column], getattr(self, column)) for column in _OF_TRAJECT]
        if any(values and value not in values for value, values in chosen):
            return False
        age = row["leeftijd"]
        if self.leeftijd and (age is None or not any(low <= age <= high for low, high in self.leeftijd)):
            return False
        return all(days.holds(row[column]) for column, days in self._days())


def _values(column: str, values: tuple[str, ...]) -> list[str]:
    return [Condition(column, values).sql()] if values else []


#: Columns of a traject that are filters under their own name.
_OF_TRAJECT: Final = tuple(
    field.name for field in fields(Filters) if field.name not in {"start", "end", "gemeente", "leeftijd", "respondent"}
)


#: Code of a municipality -> the place that a provider's report is of: a cluster, or Almere, which is in none.
PLACES: Final = {code: gemeente.cluster or gemeente.name for code, gemeente in sorted(GEMEENTEN.items())}


def towns(cluster: str) -> tuple[str, ...]:
    """The municipalities of a place by code."""
    return tuple(code for code, place in PLACES.items() if place == cluster)
