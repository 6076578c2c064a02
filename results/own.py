"""The results of one provider in one cluster, as the tables say them now, beside the released average of the cluster.

A provider sees its own figures whole, however few children they are of, and filters them freely (decision D6): they
are of children that it treats itself. The average comes from a release and from nowhere else, and does not follow the
filters (``results.released``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final, Literal, NamedTuple

from domain.field.dates import day
from domain.field.geography import CLUSTERS
from domain.indicators import answers
from domain.indicators.catalogue import INDICATORS, Indicator, Sums
from domain.indicators.comparable import COMPARABLE, released_as
from domain.indicators.query import cluster_sql, rows_sql, sums_sql
from domain.indicators.terms import Column, Condition, Squared
from results.disclosure import own as own_rule
from results.figures import Figure
from results.filters import Days, Filters, towns
from results.released import NO_RELEASE, Average, averages
from results.uncertainty import MARKS, Interval, student, wilson
from sinks import clickhouse
from sinks.access import Access

Step = Literal["maand", "kwartaal", "jaar"]
STEPS: Final[tuple[Step, ...]] = ("maand", "kwartaal", "jaar")
#: Every figure that a provider may ask of its own rows, by key.
OWN_INDICATORS: Final[Mapping[str, Indicator]] = {**INDICATORS, **answers.BY_KEY, **COMPARABLE}
#: Behind the key of a mean: the same with squares.
SQUARES: Final = "_kwadraat"
#: Columns of an indicator in the answer: clients, numerator, denominator, left out, versions of the definitions.
_WIDTH: Final = 5
Released = tuple[Average, ...]


@dataclass(frozen=True, kw_only=True)
class OwnRequest:
    """Which figures of which rows.

    ``cluster`` is one of the region's, *Almere* (which is in none and has no average), or empty for all. ``period``
    places ends and metingen in time; a figure that has no period of its own choosing does not follow it. ``on``: the
    reference day. ``course``: per month, quarter and year as well, which takes the engine longer.
    """

    aanbieder: str
    cluster: str
    on: date
    period: Days
    filters: Filters = field(default_factory=Filters)
    keys: Sequence[str] = tuple(OWN_INDICATORS)
    course: bool = True


class Measured(NamedTuple):
    """A figure with its interval. ``figure.group`` is the period of a trend (``2026-09``, ``2026-K3``, ``2026``)."""

    figure: Figure
    interval: Interval | None


@dataclass(frozen=True)
class OwnFigure:
    """One indicator: over the whole period, per month, quarter and year (oldest first), and what was released of it.

    ``averages``: of the whole cluster, per kind of period the newest first; empty = nothing released. A period of a
    trend without rows is left out; the first and the last may lie in the asked period in part only.
    """

    indicator: Indicator
    measured: Measured
    trend: Mapping[Step, tuple[Measured, ...]]
    averages: tuple[Average, ...]

    @property
    def average(self) -> Average | None:
        """The newest of four quarters, the period that hides least; None where nothing has been released."""
        return next((one for one in self.averages if one.periode_soort == "vier_kwartalen"), None)

    @property
    def average_text(self) -> str:
        """The average as a screen shows it."""
        return NO_RELEASE if self.average is None else self.average.text


def own(access: Access, request: OwnRequest) -> dict[str, OwnFigure]:
    """The asked figures by key, in the order of the request: a query over the rows of each table, one of the release.

    Raises:
        UnavailableError, RefusedError: ClickHouse is away, or a table is missing.
    """
    asked = [OWN_INDICATORS[key] for key in request.keys]
    found: dict[tuple[str, str], dict[str, Measured]] = {}
    client = clickhouse.connect(access)
    try:
        for mine in _batches(asked):
            for (step, period), *columns in clickhouse.select(client, own_sql(mine, request, access.database)):
                for one in _read(mine, period, columns):
                    found.setdefault((one.figure.indicator.key, step), {})[period] = one
        keys = tuple(filter(None, map(released_as, request.keys)))
        released = averages(client, request.cluster, keys) if request.cluster in CLUSTERS else {}
    finally:
        client.close()
    return {one.key: _of(one, found, released.get(released_as(one.key), ())) for one in asked}


def own_of_all(
    access: Access, keys: Sequence[str], *, on: date, period: Days, step: Step | None = None
) -> dict[tuple[str, str], dict[str, dict[str, Measured]]]:
    """The same for every provider in every cluster, in one query for each table, without what was released: provider
    and cluster -> key -> period (empty for the whole; with ``step`` each of those periods and not the whole).

    Raises:
        UnavailableError, RefusedError: ClickHouse is away, or a table is missing.
    """
    found: dict[tuple[str, str], dict[str, dict[str, Measured]]] = {}
    client = clickhouse.connect(access)
    try:
        for mine in _batches(OWN_INDICATORS[key] for key in keys):
            query = _all_sql(mine, on, period, step, access.database)
            for provider, cluster, (_, label), *columns in clickhouse.select(client, query):
                here = found.setdefault((provider, cluster), {})
                for one in _read(mine, label, columns):
                    here.setdefault(one.figure.indicator.key, {})[label] = one
    finally:
        client.close()
    return found


def _all_sql(indicators: Sequence[Indicator], on: date, period: Days, step: Step | None, database: str) -> str:
    first = indicators[0]
    parts = _within(first, period)
    columns_of = [part for one in indicators for part in with_squares(one)]
    columns = ", ".join(sums_sql(columns_of, "client", reference_day=day(on), versions=True))
    rows = rows_sql(first, " AND ".join(filter(None, parts)), database)
    reeks = f"arrayJoin(arrayFilter(x -> x.1 = '{step or ''}', {_steps_sql(first.datum)}))"
    return f"SELECT aanbieder, {cluster_sql()} AS deel, {reeks} AS reeks, {columns} {rows} GROUP BY ALL"


def _batches(asked: Iterable[Indicator]) -> list[list[Indicator]]:
    """Indicators over the same rows by the same days."""
    found: dict[tuple[str, str, str], list[Indicator]] = {}
    for one in asked:
        found.setdefault((one.table, one.provenance, one.datum), []).append(one)
    return list(found.values())


def own_sql(indicators: Sequence[Indicator], request: OwnRequest, database: str = "sor") -> str:
    """One row for the whole period (empty step) and for each month, quarter and year: step and period as one column,
    the sums of each indicator behind it. The indicators are over the same rows by the same days.
    """
    first = indicators[0]
    parts = [Condition("aanbieder", (request.aanbieder,)).sql()]
    parts += [Condition("gemeente", towns(request.cluster)).sql()] if request.cluster else []
    parts += _within(first, request.period)
    parts += request.filters.sql(first.table, database, request.aanbieder)
    measured = [part for one in indicators for part in with_squares(one)]
    columns = sums_sql(measured, "client", reference_day=day(request.on), versions=True)
    rows = rows_sql(first, " AND ".join(filter(None, parts)), database, narrow=parts[0])
    steps = _steps_sql(first.datum if request.course else "")
    return f"SELECT arrayJoin({steps}) AS reeks, {', '.join(columns)} {rows} GROUP BY reeks"


def _within(of: Indicator, period: Days) -> list[str]:
    """That the day of a row lies in the period. The year of a meting is that of its day and the part of its table, so
    that no other part is read; that of a traject says when it began.
    """
    if not of.datum:
        return []
    bounds = ((">=", period.first), ("<=", period.last)) if of.table == "metingen" else ()
    years = (f"jaar {side} {bound.year}" for side, bound in bounds if bound)
    return [f"{of.datum} IS NOT NULL", period.sql(of.datum), *years]


def _steps_sql(column: str) -> str:
    """The whole and every period that a row lies in, each with its kind."""
    if not column:
        return "[('', '')]"
    year = f"toString(toYear({column}))"
    month = f"concat({year}, '-', leftPad(toString(toMonth({column})), 2, '0'))"
    quarter = f"concat({year}, '-K', toString(toQuarter({column})))"
    return f"[('', ''), ('maand', {month}), ('kwartaal', {quarter}), ('jaar', {year})]"


def with_squares(one: Indicator) -> list[Indicator]:
    """The indicator, and of a mean the same with squares."""
    measure = one.numerator.measure
    if one.unit != "gemiddelde" or not isinstance(measure, Column):
        return [one]
    squares = replace(one.numerator, measure=Squared(measure.column))
    return [one, replace(one, key=one.key + SQUARES, numerator=squares)]


def _read(indicators: Sequence[Indicator], period: str, columns: Sequence[Any]) -> Iterable[Measured]:
    """What a row of ``own_sql`` says of each indicator."""
    at = 0
    for one in indicators:
        *four, versions = columns[at : at + _WIDTH]
        at += _WIDTH
        clients, numerator, denominator, excluded = four
        sums, squares = Sums(clients, numerator, denominator, excluded, names=int(clients)), 0.0
        if len(with_squares(one)) > 1:
            squares = float(columns[at + 1])
            at += _WIDTH
        yield Measured(Figure(period, one, sums, own_rule(), tuple(versions)), interval(one, sums, squares))


def interval(indicator: Indicator, sums: Sums, squares: float = 0.0) -> Interval | None:
    """How far the figure can be off by chance; a count is what it is."""
    if indicator.unit == "aantal":
        return None
    if indicator.unit == "%":
        return wilson(sums.numerator, sums.denominator, sums.clients)
    return student(sums.numerator, squares, sums.denominator, sums.clients, MARKS)


def _of(one: Indicator, found: Mapping[tuple[str, str], Mapping[str, Measured]], released: Released) -> OwnFigure:
    nothing = Measured(Figure("", one, Sums(0, 0, 0, 0), own_rule()), None)
    trend = {step: tuple(points for _, points in sorted(found.get((one.key, step), {}).items())) for step in STEPS}
    return OwnFigure(one, found.get((one.key, ""), {}).get("", nothing), trend, released)
