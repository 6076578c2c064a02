"""What a release counts: families of outcomes over the same rows, each child once.

The conditions are those of the indicators (``domain.indicators``); a release differs in three things. Of metingen one
counts per traject (the last, of the youth where both are of one day). A goal counts with its traject: at least half of
its scores. Counts of their own are not shown: every figure has its number beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, Literal, NamedTuple, Protocol

from domain.field.definitions import SHIPPED
from domain.indicators.catalogue import INDICATORS
from domain.indicators.terms import Clause, Condition, Indicator, Provenance, Row
from results.release.rules import RULES


class Asks(Protocol):
    """A condition on a row, as SQL and in Python."""

    def sql(self, reference_day: str, /) -> str:
        """As ClickHouse writes it."""
        ...

    def holds(self, row: Row, reference_day: int, /) -> bool:
        """The same for a row."""
        ...


class HalfOf(NamedTuple):
    """At least half of the scores of a traject."""

    part: str
    whole: str

    def sql(self, _reference_day: str, /) -> str:
        """The comparison."""
        return f"2 * {self.part} >= {self.whole}"

    def holds(self, row: Row, _reference_day: int, /) -> bool:
        """The same for a row."""
        return bool(2 * row[self.part] >= row[self.whole])


class Outcome(NamedTuple):
    """One figure of a family. ``column``: of a mean, the marks 1 to 10 that it is of; a share counts rows."""

    key: str
    numerator: tuple[Asks, ...] = ()
    column: str = ""


class Family(NamedTuple):
    """Outcomes with one denominator. ``later``: days after the event from which it is known.

    ``least``: from so many counted. ``once``: of metingen, one per traject.
    """

    key: str
    table: Literal["trajecten", "metingen"]
    provenance: Provenance
    denominator: tuple[Asks, ...]
    excluded: tuple[Asks, ...]
    outcomes: tuple[Outcome, ...]
    later: int = 0
    least: int = RULES.smallest_denominator
    once: bool = False

    @property
    def mean(self) -> str:
        """The column of marks, where one of the outcomes is a mean."""
        return next((outcome.column for outcome in self.outcomes if outcome.column), "")


def _outcome(key: str) -> Outcome:
    return Outcome(key, INDICATORS[key].numerator.where)


def _family(key: str, keys: Sequence[str], *, later: int = 0, least: int = RULES.smallest_denominator) -> Family:
    first = INDICATORS[keys[0]]
    outcomes = tuple(Outcome(one, (), "nut") if INDICATORS[one].unit == "gemiddelde" else _outcome(one) for one in keys)
    table: Any = first.table
    excluded = first.excluded.where if first.excluded else (NOBODY,)
    once = table == "metingen"
    return Family(key, table, first.provenance, first.denominator.where, excluded, outcomes, later, least, once)


#: Holds for no row.
NOBODY: Final[Clause] = Condition("aanbieder", ("",))


def _goals() -> Iterator[Family]:
    scored = (Condition("gas_gescoord", (0,), negated=True), Condition("status", ("beeindigd",)))
    outcomes = tuple(Outcome(key, (*scored, HalfOf(key, "gas_gescoord"))) for key in ("gas_bereikt", "gas_deels"))
    yield Family("gas", "trajecten", "ijw", scored, (NOBODY,), outcomes)
    for who in ("behandelaar", "ouder", "client"):
        yield _family(f"probleem_{who}", [f"probleem_{who}_{value}" for value in (1, 2, 3)])


def _of_metingen(prefix: str) -> Iterator[Family]:
    yield _family(f"{prefix}nut", [f"{prefix}nut_{key}" for key in ("gemiddelde", "laag", "midden", "hoog")])
    marks = [f"{prefix}nut_{mark}" for mark in range(1, 11)]
    yield _family(f"{prefix}nut_cijfers", marks, least=RULES.marks_from)
    yield _family(f"{prefix}zonder_hulp", [f"{prefix}zonder_hulp{key}" for key in ("", "_1", "_2", "_3", "_4")])


def _all() -> Iterable[Family]:
    yield _family("uitval", ["uitval", "uitval_client", "uitval_aanbieder", "uitval_wederzijds"])
    yield from _of_metingen("")
    yield _family("nieuwe_start", ["geen_nieuwe_start"], later=SHIPPED.opvolging_days)
    yield from _goals()
    yield _family("respons_cem", ["respons_cem"], later=SHIPPED.respons_days)
    yield _family("respons_scores", ["respons_scores"])
    reasons = [key for key in INDICATORS if key.startswith("cbs_uitval")]
    yield _family("cbs_uitval", reasons)
    yield from _of_metingen("cbs_")


#: Key -> family, in the order in which they are built.
FAMILIES: Final[dict[str, Family]] = {family.key: family for family in _all()}
#: Key of an outcome -> its family.
FAMILY_OF: Final[dict[str, Family]] = {
    outcome.key: family for family in FAMILIES.values() for outcome in family.outcomes
}


def indicator(key: str) -> Indicator:
    """The indicator behind an outcome: its name, unit and mark."""
    return INDICATORS[key]


def holds(asked: Iterable[Asks], row: Row, reference_day: int) -> bool:
    """Whether a row fulfils every condition."""
    return all(one.holds(row, reference_day) for one in asked)


def sql(asked: Iterable[Asks], reference_day: str) -> str:
    """The same as SQL."""
    return " AND ".join(f"({one.sql(reference_day)})" for one in asked) or "1"
