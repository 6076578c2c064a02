"""What an indicator is made of: conditions on a row, what a row adds, and sums. Each as SQL and in Python.

ClickHouse's rule for empty values holds in both: a value that is not filled is in no list and outside none, and lies on
no side of a bound. No formula knows what day it is: the reference day (``peildatum``) is given, as a day number in
Python and as an expression of a date in SQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from domain.field.dates import as_date, day, year

Rij = Mapping[str, Any]
Tabel = Literal["trajecten", "metingen", "scores"]
Eenheid = Literal["%", "gemiddelde", "aantal"]
#: Which rows: those of iJw messages, RAP and CEM+ together, or those of CBS-structured files.
Herkomst = Literal["ijw", "cbs"]


def tekst_sql(waarde: str | int) -> str:
    """A literal of ClickHouse."""
    return str(waarde) if isinstance(waarde, int) else "'" + waarde.replace("\\", "\\\\").replace("'", "\\'") + "'"


def dag_sql(dag: int) -> str:
    """A day number as a date of ClickHouse."""
    return f"toDate32('{as_date(dag).isoformat()}')"


# What follows from the reference day


class DagenTerug(NamedTuple):
    """The day so many days before the reference day."""

    dagen: int

    def sql(self, peildatum: str) -> str:
        """That day."""
        return f"{peildatum} - {self.dagen}"

    def van(self, peildatum: int) -> int:
        """That day as a number."""
        return peildatum - self.dagen


class Kalenderjaar(NamedTuple):
    """The last whole calendar year before the reference day: its number, its first day or its last day."""

    wat: Literal["jaar", "begin", "einde"]

    def sql(self, peildatum: str) -> str:
        """Year or day."""
        jaar = f"toYear({peildatum}) - 1"
        dag = {"begin": "1, 1", "einde": "12, 31"}.get(self.wat)
        return f"makeDate32({jaar}, {dag})" if dag else jaar

    def van(self, peildatum: int) -> int:
        """Year or day number."""
        jaar = year(peildatum) - 1
        if self.wat == "jaar":
            return jaar
        begin = as_date(peildatum).replace(year=jaar, month=1, day=1)
        return day(begin if self.wat == "begin" else begin.replace(month=12, day=31))


Peil = DagenTerug | Kalenderjaar


# Conditions


@dataclass(frozen=True)
class Voorwaarde:
    """A row takes part when its column holds one of these values (with ``niet``: none of them)."""

    kolom: str
    waarden: tuple[str | int, ...] = ()
    niet: bool = False

    def sql(self, _peildatum: str = "") -> str:
        """As ClickHouse writes it; without values: is it filled."""
        if not self.waarden:
            return f"{self.kolom} IS {'NULL' if self.niet else 'NOT NULL'}"
        if len(self.waarden) == 1:
            # Not IN: of ``telt IN (1) AND nut IN (1)`` the engine makes one set, of the type of the first column.
            return f"{self.kolom} {'!=' if self.niet else '='} {tekst_sql(self.waarden[0])}"
        lijst = ", ".join(tekst_sql(waarde) for waarde in self.waarden)
        return f"{self.kolom} {'NOT ' if self.niet else ''}IN ({lijst})"

    def geldt(self, rij: Rij, _peildatum: int = 0) -> bool:
        """The same for a row."""
        waarde = rij[self.kolom]
        if not self.waarden:
            return (waarde is None) == self.niet
        return waarde is not None and (waarde in self.waarden) != self.niet


@dataclass(frozen=True)
class Grens:
    """A day on this side of a bound that follows from the reference day."""

    kolom: str
    kant: Literal["<=", ">", ">="]
    peil: Peil

    def sql(self, peildatum: str) -> str:
        """The comparison."""
        return f"{self.kolom} {self.kant} {self.peil.sql(peildatum)}"

    def geldt(self, rij: Rij, peildatum: int) -> bool:
        """The same for a row."""
        waarde, grens = rij[self.kolom], self.peil.van(peildatum)
        if waarde is None:
            return False
        return bool({"<=": waarde <= grens, ">": waarde > grens, ">=": waarde >= grens}[self.kant])


@dataclass(frozen=True)
class Bevat:
    """An array column that holds a value."""

    kolom: str
    waarde: str | Peil

    def sql(self, peildatum: str) -> str:
        """The look-up."""
        waarde = tekst_sql(self.waarde) if isinstance(self.waarde, str) else self.waarde.sql(peildatum)
        return f"has({self.kolom}, {waarde})"

    def geldt(self, rij: Rij, peildatum: int) -> bool:
        """The same for a row."""
        return (self.waarde if isinstance(self.waarde, str) else self.waarde.van(peildatum)) in rij[self.kolom]


@dataclass(frozen=True)
class Of:
    """At least one of these conditions holds."""

    keuzes: tuple[Conditie, ...]

    def sql(self, peildatum: str) -> str:
        """The choices in parentheses."""
        return "(" + " OR ".join(keuze.sql(peildatum) for keuze in self.keuzes) + ")"

    def geldt(self, rij: Rij, peildatum: int) -> bool:
        """The same for a row."""
        return any(keuze.geldt(rij, peildatum) for keuze in self.keuzes)


Conditie = Voorwaarde | Grens | Bevat | Of


# What a row adds


class Rijen(NamedTuple):
    """Counts one per row."""

    sql: str = "1"

    def van(self, _rij: Rij) -> float:
        """What a row adds."""
        return 1


RIJEN: Final = Rijen()


class Kolom(NamedTuple):
    """Adds the value of a column."""

    kolom: str

    @property
    def sql(self) -> str:
        """The column."""
        return self.kolom

    def van(self, rij: Rij) -> float:
        """What a row adds."""
        return float(rij[self.kolom])


class Deel(NamedTuple):
    """Adds the quotient of two columns; for rows where the second is not 0."""

    deel: str
    geheel: str

    @property
    def sql(self) -> str:
        """The quotient."""
        return f"{self.deel} / {self.geheel}"

    def van(self, rij: Rij) -> float:
        """What a row adds."""
        return float(rij[self.deel] / rij[self.geheel])


class InKaart(NamedTuple):
    """Adds how many values of a map column equal one value."""

    kolom: str
    waarde: int

    @property
    def sql(self) -> str:
        """The count over the map."""
        return f"countEqual(mapValues({self.kolom}), {self.waarde})"

    def van(self, rij: Rij) -> float:
        """What a row adds."""
        return list(rij[self.kolom].values()).count(self.waarde)


@dataclass(frozen=True)
class Term:
    """A sum over the rows for which every condition holds."""

    waar: tuple[Conditie, ...] = ()
    meet: Rijen | Kolom | Deel | InKaart = RIJEN

    def voorwaarde(self, peildatum: str) -> str:
        """The conditions as SQL."""
        return " AND ".join(conditie.sql(peildatum) for conditie in self.waar) or "1"

    def sql(self, peildatum: str) -> str:
        """The sum as SQL."""
        if isinstance(self.meet, Rijen):
            return f"countIf({self.voorwaarde(peildatum)})"
        return f"ifNull(sumIf({self.meet.sql}, {self.voorwaarde(peildatum)}), 0)"

    def rijen(self, rijen: Iterable[Rij], peildatum: int) -> list[Rij]:
        """The rows that take part."""
        return [rij for rij in rijen if all(conditie.geldt(rij, peildatum) for conditie in self.waar)]

    def som(self, rijen: Iterable[Rij], peildatum: int) -> float:
        """The same sum over rows."""
        return sum(self.meet.van(rij) for rij in self.rijen(rijen, peildatum))


@dataclass(frozen=True, kw_only=True)
class Indicator:
    """One figure. ``nummer`` is that of the national set; ``merk``: [F] fixed, [R] a reading, [P] not confirmed.

    ``datum`` is the column that places a row in a period; empty when the figure has no period of its own choosing.
    """

    sleutel: str
    onderwerp: str
    nummer: str
    naam: str
    tabel: Tabel
    eenheid: Eenheid
    teller: Term
    noemer: Term
    bron: str
    merk: str
    uitgesloten: Term | None = None
    datum: str = ""
    venster: str = ""
    herkomst: Herkomst = "ijw"

    @property
    def titel(self) -> str:
        """The name as every screen and report shows it: what nobody has confirmed says so."""
        if self.merk == "P" and "niet bevestigd" not in self.naam:
            return f"{self.naam} (niet bevestigd)"
        return self.naam


class Uitkomst(NamedTuple):
    """Sums of one group: clients behind the denominator, numerator, denominator, rows left out."""

    clienten: int
    teller: float
    noemer: float
    uitgesloten: float

    def waarde(self, eenheid: Eenheid) -> float | None:
        """The figure: percentage 0..100, mean or count; None where nothing was counted."""
        if eenheid == "aantal":
            return self.teller
        if not self.noemer:
            return None
        return self.teller / self.noemer * (100 if eenheid == "%" else 1)
