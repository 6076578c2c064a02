"""What an indicator is made of: conditions on a row, what a row adds, and sums. Each as SQL and in Python.

ClickHouse's rule for empty values holds in both: a value that is not filled is in no list and outside none, and lies on
no side of a bound. No formula knows what day it is: the reference day (``reference_day``) is given, as a day number in
Python and as an expression of a date in SQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from domain.field.dates import as_date, day, year

Row = Mapping[str, Any]
Table = Literal["trajecten", "metingen", "scores"]
Unit = Literal["%", "gemiddelde", "aantal"]
#: Which rows: those of iJw messages, RAP and CEM+ together, or those of CBS-structured files.
Provenance = Literal["ijw", "cbs"]


def text_sql(value: str | int) -> str:
    """A literal of ClickHouse."""
    return str(value) if isinstance(value, int) else "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def lookup_sql(column: str, table: Mapping[str, str], otherwise: str) -> str:
    """What a table gives for the value of a column; ``otherwise`` is SQL, for a value that it does not have."""
    values, found = (", ".join(map(text_sql, part)) for part in (table, table.values()))
    return f"transform({column}, [{values}], [{found}], {otherwise})"


def day_sql(day: int) -> str:
    """A day number as a date of ClickHouse."""
    return f"toDate32('{as_date(day).isoformat()}')"


# What follows from the reference day


class DaysBack(NamedTuple):
    """The day so many days before the reference day."""

    days: int

    def sql(self, reference_day: str) -> str:
        """That day."""
        return f"{reference_day} - {self.days}" if self.days else reference_day

    def of(self, reference_day: int) -> int:
        """That day as a number."""
        return reference_day - self.days


class CalendarYear(NamedTuple):
    """The last whole calendar year before the reference day: its number, its first day or its last day."""

    part: Literal["year", "begin", "end"]

    def sql(self, reference_day: str) -> str:
        """Year or day."""
        calendar_year = f"toYear({reference_day}) - 1"
        day = {"begin": "1, 1", "end": "12, 31"}.get(self.part)
        return f"makeDate32({calendar_year}, {day})" if day else calendar_year

    def of(self, reference_day: int) -> int:
        """Year or day number."""
        calendar_year = year(reference_day) - 1
        if self.part == "year":
            return calendar_year
        begin = as_date(reference_day).replace(year=calendar_year, month=1, day=1)
        return day(begin if self.part == "begin" else begin.replace(month=12, day=31))


Reference = DaysBack | CalendarYear


# Conditions


@dataclass(frozen=True)
class Condition:
    """A row takes part when its column holds one of these values (with ``negated``: none of them)."""

    column: str
    values: tuple[str | int, ...] = ()
    negated: bool = False

    def sql(self, _reference_day: str = "") -> str:
        """As ClickHouse writes it; without values: is it filled."""
        if not self.values:
            return f"{self.column} IS {'NULL' if self.negated else 'NOT NULL'}"
        if len(self.values) == 1:
            # Not IN: of ``telt IN (1) AND nut IN (1)`` the engine makes one set, of the type of the first column.
            return f"{self.column} {'!=' if self.negated else '='} {text_sql(self.values[0])}"
        listed = ", ".join(text_sql(value) for value in self.values)
        return f"{self.column} {'NOT ' if self.negated else ''}IN ({listed})"

    def holds(self, row: Row, _reference_day: int = 0) -> bool:
        """The same for a row."""
        value = row[self.column]
        if not self.values:
            return (value is None) == self.negated
        return value is not None and (value in self.values) != self.negated


@dataclass(frozen=True)
class Bound:
    """A day, and with ``plus`` so many days of another column later, on this side of a bound of the reference day."""

    column: str
    side: Literal["<=", ">", ">="]
    reference: Reference
    plus: str = ""

    def sql(self, reference_day: str) -> str:
        """The comparison."""
        plus = f" + {self.plus}" if self.plus else ""
        return f"{self.column}{plus} {self.side} {self.reference.sql(reference_day)}"

    def holds(self, row: Row, reference_day: int) -> bool:
        """The same for a row."""
        value, bound = row[self.column], self.reference.of(reference_day)
        if value is None:
            return False
        value += row[self.plus] if self.plus else 0
        return bool({"<=": value <= bound, ">": value > bound, ">=": value >= bound}[self.side])


@dataclass(frozen=True)
class Contains:
    """An array column that holds a value."""

    column: str
    value: str | Reference

    def sql(self, reference_day: str) -> str:
        """The look-up."""
        value = text_sql(self.value) if isinstance(self.value, str) else self.value.sql(reference_day)
        return f"has({self.column}, {value})"

    def holds(self, row: Row, reference_day: int) -> bool:
        """The same for a row."""
        return (self.value if isinstance(self.value, str) else self.value.of(reference_day)) in row[self.column]


@dataclass(frozen=True)
class Entry:
    """A map column has one of these numbers, none of them 0, under this name."""

    column: str
    name: str
    values: tuple[int, ...]

    def sql(self, _reference_day: str = "") -> str:
        """The look-up; a name that the map does not have gives 0."""
        listed = ", ".join(map(text_sql, self.values))
        return f"{self.column}[{text_sql(self.name)}] IN ({listed})"

    def holds(self, row: Row, _reference_day: int = 0) -> bool:
        """The same for a row."""
        return row[self.column].get(self.name, 0) in self.values


@dataclass(frozen=True)
class HalfOf:
    """One column is at least half of another."""

    part: str
    whole: str

    def sql(self, _reference_day: str = "") -> str:
        """The comparison."""
        return f"2 * {self.part} >= {self.whole}"

    def holds(self, row: Row, _reference_day: int = 0) -> bool:
        """The same for a row."""
        return bool(2 * row[self.part] >= row[self.whole])


@dataclass(frozen=True)
class AnyOf:
    """At least one of these conditions holds."""

    choices: tuple[Clause, ...]

    def sql(self, reference_day: str) -> str:
        """The choices in parentheses."""
        return "(" + " OR ".join(choice.sql(reference_day) for choice in self.choices) + ")"

    def holds(self, row: Row, reference_day: int) -> bool:
        """The same for a row."""
        return any(choice.holds(row, reference_day) for choice in self.choices)


Clause = Condition | Bound | Contains | Entry | HalfOf | AnyOf


# What a row adds


class Rows(NamedTuple):
    """Counts one per row."""

    sql: str = "1"

    def of(self, _row: Row) -> float:
        """What a row adds."""
        return 1


ROWS: Final = Rows()


class Column(NamedTuple):
    """Adds the value of a column."""

    column: str

    @property
    def sql(self) -> str:
        """The column."""
        return self.column

    def of(self, row: Row) -> float:
        """What a row adds."""
        return float(row[self.column])


class Squared(NamedTuple):
    """Adds the square of the value of a column."""

    column: str

    @property
    def sql(self) -> str:
        """The square; a mark is one byte wide and its square is not."""
        return f"toUInt32({self.column}) * {self.column}"

    def of(self, row: Row) -> float:
        """What a row adds."""
        return float(row[self.column]) ** 2


class Part(NamedTuple):
    """Adds the quotient of two columns; for rows where the second is not 0."""

    part: str
    whole: str

    @property
    def sql(self) -> str:
        """The quotient."""
        return f"{self.part} / {self.whole}"

    def of(self, row: Row) -> float:
        """What a row adds."""
        return float(row[self.part] / row[self.whole])


class InMap(NamedTuple):
    """Adds how many values of a map column equal one value."""

    column: str
    value: int

    @property
    def sql(self) -> str:
        """The count over the map."""
        return f"countEqual(mapValues({self.column}), {self.value})"

    def of(self, row: Row) -> float:
        """What a row adds."""
        return list(row[self.column].values()).count(self.value)


@dataclass(frozen=True)
class Term:
    """A sum over the rows for which every condition holds."""

    where: tuple[Clause, ...] = ()
    measure: Rows | Column | Squared | Part | InMap = ROWS

    def condition(self, reference_day: str) -> str:
        """The conditions as SQL."""
        return " AND ".join(clause.sql(reference_day) for clause in self.where) or "1"

    def sql(self, reference_day: str) -> str:
        """The sum as SQL."""
        if isinstance(self.measure, Rows):
            return f"countIf({self.condition(reference_day)})"
        return f"ifNull(sumIf({self.measure.sql}, {self.condition(reference_day)}), 0)"

    def rows(self, rows: Iterable[Row], reference_day: int) -> list[Row]:
        """The rows that take part."""
        return [row for row in rows if all(clause.holds(row, reference_day) for clause in self.where)]

    def sum(self, rows: Iterable[Row], reference_day: int) -> float:
        """The same sum over rows."""
        return sum(self.measure.of(row) for row in self.rows(rows, reference_day))


@dataclass(frozen=True, kw_only=True)
class Indicator:
    """One figure. ``number`` is that of the national set; ``mark``: [F] fixed, [R] a reading, [P] not confirmed.

    ``datum`` is the column that places a row in a period; empty when the figure has no period of its own choosing.
    """

    key: str
    subject: str
    number: str
    name: str
    table: Table
    unit: Unit
    numerator: Term
    denominator: Term
    basis: str
    mark: str
    excluded: Term | None = None
    datum: str = ""
    window: str = ""
    provenance: Provenance = "ijw"

    @property
    def title(self) -> str:
        """The name as every screen and report shows it: what nobody has confirmed says so."""
        if self.mark == "P" and "niet bevestigd" not in self.name:
            return f"{self.name} (niet bevestigd)"
        return self.name


class Sums(NamedTuple):
    """Sums of one group: clients behind the denominator, numerator, denominator, rows left out.

    A row names its client within its provider only. ``clients``: at least so many stand behind the denominator, which
    decides whether a figure is shown; ``names``: at most so many, for a client has a name with each of its providers.
    """

    clients: int
    numerator: float
    denominator: float
    excluded: float
    names: int = 0

    def value(self, unit: Unit) -> float | None:
        """The figure: percentage 0..100, mean or count; None where nothing was counted."""
        if unit == "aantal":
            return self.numerator
        if not self.denominator:
            return None
        return self.numerator / self.denominator * (100 if unit == "%" else 1)
