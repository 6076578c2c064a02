"""The queries of *Resultaten aanbieder*: figures of one provider in one cluster, with any filters together.

They are those of ``results.own`` with what Grafana fills in: one query for all figures over the same rows, a line for
each, which the panels of the page share. Whoever looks sees a provider's own figures whole (decision D6), so the page
is for that provider and for the third party.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from domain.indicators.query import rows_sql
from domain.indicators.terms import Indicator, Table, Unit, lookup_sql, text_sql
from results.dashboards.panels import TIMEZONE
from results.dashboards.queries import REFERENCE_DAY, within_period
from results.dashboards.released_queries import cluster_averages
from results.filters import AGE_BANDS, PLACES
from results.own import OWN_INDICATORS, SQUARES, with_squares
from results.tally import NOTHING, SUMS, Asked, Places, Tally, picked, tally
from results.uncertainty import MARKS, student_sql, wilson_sql

#: The place of a row: a cluster, or Almere, which is in none.
PLACE: Final = lookup_sql("gemeente", PLACES, "''")
_PROVIDER: Final = "aanbieder = ${aanbieder:singlequote}"
#: Name of a variable -> the condition on a traject that it stands for; what is not chosen falls away.
_OF_TRAJECT: Final[dict[str, str]] = {
    "start_van": "begindatum >= toDate32(${start_van:singlequote})",
    "start_tot": "begindatum <= toLastDayOfMonth(toDate32(${start_tot:singlequote}))",
    **{
        name: f"{column} IN (${{{name}:singlequote}})"
        for name, column in (
            ("reden", "reden_beeindiging"),
            ("categorie", "categorie"),
            ("segment", "segment"),
            ("profiel", "profiel"),
            ("intensiteit", "intensiteit"),
            ("verwijzer", "verwijzer"),
            ("hulpvorm", "hulpvorm"),
            ("gebied", "postcodegebied"),
            ("geslacht", "geslacht"),
            (
                "leeftijd",
                "multiIf(" + ", ".join(f"leeftijd <= {band.oldest}, '{band.name}'" for band in AGE_BANDS) + ", '')",
            ),
        )
    },
}


def _chosen(table: Table) -> Iterable[str]:
    """Every filter for rows of a table; what only a traject knows, is asked of the traject of a row."""
    yield "$__conditionalAll(gemeente IN (${gemeente:singlequote}), $gemeente)"
    if table == "metingen":
        yield "$__conditionalAll(groep IN (${respondent:singlequote}), $respondent)"
    within = "{}"
    if table != "trajecten":
        within = f"traject IN (SELECT traject FROM sor.trajecten FINAL WHERE {_PROVIDER} AND {{}})"  # noqa: S608
    for name, condition in _OF_TRAJECT.items():
        yield f"$__conditionalAll({within.replace('{}', condition)}, ${name})"


def _rows(of: Indicator) -> str:
    """The rows of the provider that were chosen."""
    parts = [_PROVIDER, f"{PLACE} = ${{cluster:singlequote}}", *_chosen(of.table)]
    return rows_sql(of, " AND ".join([*parts, *([within_period(of.datum)] if of.datum else [])]), narrow=_PROVIDER)


def _tally(figures: Sequence[Indicator], asked: Asked) -> Tally:
    """The sums of figures over the same rows, and of a mean those of squares."""
    every = [part for one in figures for part in with_squares(one)]
    return tally(every, "client", asked, reference_day=REFERENCE_DAY)


def comma(value: str, decimals: int = 1) -> str:
    """A number as a Dutch text."""
    return f"replaceOne(printf('%.{decimals}f', toFloat64({value})), '.', ',')"


class Line(NamedTuple):
    """A figure, and what a bar of it is called. ``alone``: it stands in bars only, without margin or excluded n."""

    indicator: Indicator
    label: str = ""
    alone: bool = False


#: Columns of ``lines`` beside key and label, with what a table calls them.
SHOWN: Final[Mapping[str, str]] = {
    "naam": "Uitkomst",
    "eigen": "Eigen",
    "marge": "Marge (95%)",
    "n": "n",
    "buiten": "Niet meegeteld",
}


def texts(line: Line) -> dict[str, str]:
    """What is written of a figure."""
    one, outside = line.indicator, line.indicator.excluded is not None and not line.alone
    return {
        "sleutel": one.key, "label": line.label or one.title, "naam": one.title, "eenheid": one.unit,
        "telt_buiten": "ja" if outside else "",
    }  # fmt: skip


def _numbers(lines_: Sequence[Line]) -> tuple[Tally, dict[str, str]]:
    """The sums of lines, and column -> the list of its numbers in the order of the lines."""
    keys, alone = [one.indicator.key for one in lines_], {one.indicator.key for one in lines_ if one.alone}

    def asked(one: Indicator) -> Collection[str]:
        if one.key.endswith(SQUARES):
            return ("numerator",)
        return ("numerator", "denominator") if one.key in alone else Places._fields

    sums = _tally([one.indicator for one in lines_], asked)
    places = sums.places
    squares = [places[f"{key}{SQUARES}"].numerator if f"{key}{SQUARES}" in places else NOTHING for key in keys]
    bare = [NOTHING if one.alone else place for one, place in zip(lines_, squares, strict=True)]
    return sums, {
        "clienten": sums.clients(keys),
        "teller": sums.sums("numerator", keys),
        "noemer": sums.sums("denominator", keys),
        "uitgesloten": sums.sums("excluded", keys),
        "kwadraten": picked(SUMS, bare),
    }


def figure(units: Collection[Unit]) -> dict[str, str]:
    """Column -> what is made of a line: once for all lines, of these units."""
    quotient = "teller / nullIf(noemer, 0)"
    value = f"multiIf(eenheid = 'aantal', teller, eenheid = '%', 100 * {quotient}, {quotient})"
    ends = f"if(eenheid = '%', {wilson_sql()}, {student_sql(MARKS)})" if "gemiddelde" in units else wilson_sql()
    both = f"arrayStringConcat(arrayMap(einde -> {comma('ifNull(einde, 0)')}, {ends}), ' – ')"
    return {
        "eigen": f"multiIf(eenheid = 'aantal', {comma('teller', 0)}, noemer = 0, '–', "
        f"concat({comma(f'ifNull({value}, 0)')}, if(eenheid = '%', '%', '')))",
        "marge": f"if(eenheid = 'aantal' OR clienten = 0, '', {both})",
        "n": f"if(eenheid = 'aantal', '', {comma('noemer', 0)})",
        "buiten": f"if(telt_buiten = '', '', {comma('uitgesloten', 0)})",
        "waarde": value,
    }


def lines(figures: Sequence[Line]) -> str:
    """A line for each figure over the same rows: key, label, name, figure, margin, n and what was left out as text, and
    the figure as a number.
    """
    sums, numbers = _numbers(figures)
    words = [texts(one) for one in figures]
    shown = ", ".join(f"{expression} AS {column}" for column, expression in figure(units(figures)).items())
    written = [f"[{', '.join(text_sql(one[name]) for one in words)}] AS {name}" for name in words[0]]
    side_by_side = ", ".join([*written, *(f"{numbered} AS {name}" for name, numbered in numbers.items())])
    return (
        f"SELECT sleutel, label, naam, {shown} FROM (SELECT {sums.sql} {_rows(figures[0].indicator)}) "  # noqa: S608
        f"ARRAY JOIN {side_by_side}"
    )


def units(figures: Sequence[Line]) -> frozenset[Unit]:
    """The units of some figures."""
    return frozenset(one.indicator.unit for one in figures)


def trend(figures: Sequence[Indicator]) -> str:
    """A line per period with figure and n of each; the clients of a period are its own."""
    of, sums = figures[0], _tally(figures, lambda _one: ("numerator", "denominator"))
    period = f"toDateTime(dateTrunc(${{periode:singlequote}}, {of.datum}), '{TIMEZONE}')"
    columns = []
    for one in figures:
        places = sums.places[one.key]
        value, counted = (f"{SUMS}[{place}]" for place in (places.numerator, places.denominator))
        factor = "100 * " if one.unit == "%" else ""
        columns += [f"{factor}{value} / nullIf({counted}, 0) AS {one.key}_cijfer", f"{counted} AS {one.key}_n"]
    rows = f"SELECT {period} AS time, {sums.sql} {_rows(of)} GROUP BY time"
    return f"SELECT time, {', '.join(columns)} FROM ({rows}) ORDER BY time"  # noqa: S608


def choices(_name: str, column: str) -> str:
    """The values that trajecten of the provider have."""
    return (
        f"SELECT DISTINCT toString({column}) AS waarde FROM sor.trajecten FINAL WHERE {_PROVIDER} AND waarde != '' "  # noqa: S608
        "ORDER BY waarde"
    )


#: Months in which trajecten of the provider began, newest first, by their first day.
MONTHS: Final = choices("", "toStartOfMonth(begindatum)") + " DESC"


class Asking(NamedTuple):
    """How a page of own results asks: lines of figures, figures over time, averages by key, values to choose from (by
    filter and column) and months. ``has``: the figures that it may ask. ``steps``: what a trend goes by, label : value.
    """

    lines: Callable[[Sequence[Line]], str]
    trend: Callable[[Sequence[Indicator]], str]
    averages: Callable[[Mapping[str, str]], str]
    choices: Callable[[str, str], str]
    months: str
    has: Container[str]
    steps: str


#: The third party's way: the live tables, of whatever provider was chosen.
TABLES: Final = Asking(
    lines, trend, cluster_averages, choices, MONTHS, OWN_INDICATORS, "maand : month,kwartaal : quarter,jaar : year"
)
