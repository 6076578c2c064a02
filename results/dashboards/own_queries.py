"""The queries of *Resultaten aanbieder*: figures of one provider in one cluster, with any filters together.

They are those of ``results.own`` with what Grafana fills in: one query for all figures over the same rows, a line for
each, which the panels of the page share. Whoever looks sees a provider's own figures whole (decision D6), so the page
is for that provider and for the third party.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from domain.indicators.query import rows_sql, sums_sql
from domain.indicators.terms import Indicator, Table, lookup_sql, text_sql
from results.dashboards.panels import TIMEZONE
from results.dashboards.queries import REFERENCE_DAY, within_period
from results.dashboards.released_queries import cluster_averages
from results.filters import AGE_BANDS, PLACES
from results.own import OWN_INDICATORS, SQUARES, with_squares
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


def _prefix(one: Indicator) -> str:
    return f"{one.key.replace('-', 'min')}_"


def _sums(figures: Sequence[Indicator]) -> dict[str, str]:
    """The sums of figures over the same rows: name of a column -> its aggregate."""
    every = sums_sql([part for one in figures for part in with_squares(one)], "client", reference_day=REFERENCE_DAY)
    return {name: aggregate for aggregate, _, name in (column.rpartition(" AS ") for column in every)}


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


def _numbers(line: Line, sums: Mapping[str, str]) -> dict[str, str]:
    """The aggregates of a figure."""
    prefix, squares = _prefix(line.indicator), len(with_squares(line.indicator)) > 1
    found = {name: sums[f"{prefix}{name}"] for name in ("clienten", "teller", "noemer", "uitgesloten")}
    found["kwadraten"] = sums[f"{line.indicator.key}{SQUARES}_teller"] if squares else "0"
    return found | (dict.fromkeys(("clienten", "uitgesloten", "kwadraten"), "0") if line.alone else {})


def figure() -> dict[str, str]:
    """Column -> what is made of a line: once for all, whatever its unit."""
    quotient = "teller / nullIf(noemer, 0)"
    value = f"multiIf(eenheid = 'aantal', teller, eenheid = '%', 100 * {quotient}, {quotient})"
    shares, means = wilson_sql(), student_sql(MARKS, "kwadraten")
    low, high = (f"if(eenheid = '%', {share}, {mean})" for share, mean in zip(shares, means, strict=True))
    return {
        "eigen": f"multiIf(eenheid = 'aantal', {comma('teller', 0)}, noemer = 0, '–', "
        f"concat({comma(f'ifNull({value}, 0)')}, if(eenheid = '%', '%', '')))",
        "marge": f"if(eenheid = 'aantal' OR clienten = 0, '', concat({comma(f'ifNull({low}, 0)')}, ' – ', "
        f"{comma(f'ifNull({high}, 0)')}))",
        "n": f"if(eenheid = 'aantal', '', {comma('noemer', 0)})",
        "buiten": f"if(telt_buiten = '', '', {comma('uitgesloten', 0)})",
        "waarde": value,
    }


def lines(figures: Sequence[Line]) -> str:
    """A line for each figure over the same rows: key, label, name, figure, margin, n and what was left out as text, and
    the figure as a number.
    """
    sums = _sums([one.indicator for one in figures])
    words, numbers = [texts(one) for one in figures], [_numbers(one, sums) for one in figures]
    shown = ", ".join(f"{expression} AS {column}" for column, expression in figure().items())
    written = [f"[{', '.join(text_sql(one[name]) for one in words)}] AS {name}" for name in words[0]]
    lists = ", ".join(f"[{', '.join(one[name] for one in numbers)}] AS alle_{name}" for name in numbers[0])
    side_by_side = ", ".join([*written, *(f"alle_{name} AS {name}" for name in numbers[0])])
    return (
        f"SELECT sleutel, label, naam, {shown} FROM (SELECT {lists} {_rows(figures[0].indicator)}) "  # noqa: S608
        f"ARRAY JOIN {side_by_side}"
    )


def trend(figures: Sequence[Indicator]) -> str:
    """A line per period with figure and n of each; the clients of a period are its own."""
    of, sums = figures[0], _sums(figures)
    period = f"toDateTime(dateTrunc(${{periode:singlequote}}, {of.datum}), '{TIMEZONE}')"
    columns = []
    for one in figures:
        counted, value = (sums[f"{_prefix(one)}{name}"] for name in ("noemer", "teller"))
        factor = "100 * " if one.unit == "%" else ""
        columns += [
            f"{factor}{value} / nullIf({counted}, 0) AS {one.key}_cijfer",
            f"toFloat64({counted}) AS {one.key}_n",
        ]
    return f"SELECT {period} AS time, {', '.join(columns)} {_rows(of)} GROUP BY time ORDER BY time"


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
