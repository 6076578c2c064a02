"""What an indicator is made of: conditions on a row, what a row adds, and sums. Each as SQL and in Python.

ClickHouse's rule for empty values holds in both: a value that is not filled is in no list and outside none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

Rij = Mapping[str, Any]
Tabel = Literal["trajecten", "metingen", "scores"]
Eenheid = Literal["%", "gemiddelde", "aantal"]


def tekst_sql(waarde: str | int) -> str:
    """A literal of ClickHouse."""
    return str(waarde) if isinstance(waarde, int) else "'" + waarde.replace("\\", "\\\\").replace("'", "\\'") + "'"


@dataclass(frozen=True)
class Voorwaarde:
    """A row takes part when its column holds one of these values (with ``niet``: none of them)."""

    kolom: str
    waarden: tuple[str | int, ...] = ()
    niet: bool = False

    @property
    def sql(self) -> str:
        """As ClickHouse writes it; without values: is it filled."""
        if not self.waarden:
            return f"{self.kolom} IS {'NULL' if self.niet else 'NOT NULL'}"
        if len(self.waarden) == 1:
            # Not IN: of ``telt IN (1) AND nut IN (1)`` the engine makes one set, of the type of the first column.
            return f"{self.kolom} {'!=' if self.niet else '='} {tekst_sql(self.waarden[0])}"
        lijst = ", ".join(tekst_sql(waarde) for waarde in self.waarden)
        return f"{self.kolom} {'NOT ' if self.niet else ''}IN ({lijst})"

    def geldt(self, rij: Rij) -> bool:
        """The same for a row."""
        waarde = rij[self.kolom]
        if not self.waarden:
            return (waarde is None) == self.niet
        return waarde is not None and (waarde in self.waarden) != self.niet


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

    waar: tuple[Voorwaarde, ...] = ()
    meet: Rijen | Kolom | Deel | InKaart = RIJEN

    @property
    def voorwaarde(self) -> str:
        """The conditions as SQL."""
        return " AND ".join(voorwaarde.sql for voorwaarde in self.waar) or "1"

    @property
    def sql(self) -> str:
        """The sum as SQL."""
        if isinstance(self.meet, Rijen):
            return f"countIf({self.voorwaarde})"
        return f"ifNull(sumIf({self.meet.sql}, {self.voorwaarde}), 0)"

    def rijen(self, rijen: Iterable[Rij]) -> list[Rij]:
        """The rows that take part."""
        return [rij for rij in rijen if all(voorwaarde.geldt(rij) for voorwaarde in self.waar)]

    def som(self, rijen: Iterable[Rij]) -> float:
        """The same sum over rows."""
        return sum(self.meet.van(rij) for rij in self.rijen(rijen))


@dataclass(frozen=True)
class Indicator:
    """One figure. ``nummer`` is that of the national set; ``merk``: [F] fixed, [R] a reading, [P] not confirmed."""

    sleutel: str
    nummer: str
    naam: str
    tabel: Tabel
    eenheid: Eenheid
    teller: Term
    noemer: Term
    uitgesloten: Term | None
    venster: str
    bron: str
    merk: str


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
