"""The queries of *Resultaten aanbieder*: figures of one provider in one cluster, with any filters together.

They are those of ``results.own`` with what Grafana fills in: one query for all figures over the same rows, a line for
each, which the panels of the page share. Whoever looks sees a provider's own figures whole (decision D6), so the page
is for that provider and for the third party.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from domain.indicators.query import rows_sql, sums_sql
from domain.indicators.terms import Indicator, Table, lookup_sql, text_sql
from results.dashboards.panels import TIMEZONE
from results.dashboards.queries import REFERENCE_DAY, within_period
from results.filters import AGE_BANDS, PLACES
from results.own import SQUARES, with_squares
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
    return rows_sql(of, " AND ".join([*parts, *([within_period(of.datum)] if of.datum else [])]))


def _prefix(one: Indicator) -> str:
    return f"{one.key.replace('-', 'min')}_"


def _sums(figures: Sequence[Indicator]) -> str:
    return ", ".join(
        sums_sql([part for one in figures for part in with_squares(one)], "client", reference_day=REFERENCE_DAY)
    )


def comma(value: str, decimals: int = 1) -> str:
    """A number as a Dutch text."""
    return f"replaceOne(printf('%.{decimals}f', toFloat64({value})), '.', ',')"


def _value(one: Indicator) -> str:
    prefix = _prefix(one)
    if one.unit == "aantal":
        return f"toFloat64({prefix}teller)"
    factor = "100 * " if one.unit == "%" else ""
    return f"{factor}{prefix}teller / nullIf({prefix}noemer, 0)"


class Line(NamedTuple):
    """A figure, and what a bar of it is called."""

    indicator: Indicator
    label: str = ""


#: Columns of ``lines`` beside key and label, with what a table calls them.
SHOWN: Final[Mapping[str, str]] = {
    "naam": "Uitkomst",
    "eigen": "Eigen",
    "marge": "Marge (95%)",
    "n": "n",
    "buiten": "Niet meegeteld",
}


#: What a line is made of: texts, then sums as numbers.
_TEXTS: Final = ("sleutel", "label", "naam", "eenheid", "telt_buiten")
_NUMBERS: Final = ("clienten", "teller", "noemer", "uitgesloten", "kwadraten")


def _named_sums(line: Line) -> str:
    """The sums of a figure under its name, as ``_TEXTS`` and ``_NUMBERS`` have them."""
    one, prefix = line.indicator, _prefix(line.indicator)
    texts = (one.key, line.label or one.title, one.title, one.unit, "ja" if one.excluded else "")
    squares = f"{one.key}{SQUARES}_teller" if len(with_squares(one)) > 1 else "0"
    numbers = (*(f"{prefix}{name}" for name in _NUMBERS[:-1]), squares)
    return f"({', '.join([*map(text_sql, texts), *(f'toFloat64({number})' for number in numbers)])})"


def _figure() -> dict[str, str]:
    """Column -> what is made of a line: once for all, whatever its unit."""
    quotient = "teller / nullIf(noemer, 0)"
    value = f"multiIf(eenheid = 'aantal', teller, eenheid = '%', 100 * {quotient}, {quotient})"
    shares, means = wilson_sql(), student_sql(MARKS, "kwadraten")
    low, high = (f"if(eenheid = '%', {share}, {mean})" for share, mean in zip(shares, means, strict=True))
    return {
        "eigen": f"multiIf(eenheid = 'aantal', {comma('teller', 0)}, noemer = 0, '–', "
        f"concat({comma(f'ifNull({value}, 0)')}, if(eenheid = '%', '%', '')))",
        "marge": f"if(eenheid = 'aantal' OR noemer = 0, '', concat({comma(f'ifNull({low}, 0)')}, ' – ', "
        f"{comma(f'ifNull({high}, 0)')}))",
        "n": f"if(eenheid = 'aantal', '', {comma('noemer', 0)})",
        "buiten": f"if(telt_buiten = '', '', {comma('uitgesloten', 0)})",
        "waarde": value,
    }


def lines(figures: Sequence[Line]) -> str:
    """A line for each figure over the same rows: key, label, name, figure, margin, n and what was left out as text, and
    the figure as a number.
    """
    named = ", ".join(f"rij.{at} AS {column}" for at, column in enumerate((*_TEXTS, *_NUMBERS), 1))
    shown = ", ".join(f"{expression} AS {column}" for column, expression in _figure().items())
    of, indicators = figures[0].indicator, [one for one, _ in figures]
    every = ", ".join(map(_named_sums, figures))
    return (
        f"SELECT sleutel, label, naam, {shown} FROM (SELECT {named} FROM ("  # noqa: S608
        f"SELECT arrayJoin([{every}]) AS rij FROM (SELECT {_sums(indicators)} {_rows(of)})))"
    )


def trend(figures: Sequence[Indicator]) -> str:
    """A line per period with figure and n of each; the clients of a period are its own."""
    of = figures[0]
    columns = [f"{_value(one)} AS {one.key}, toFloat64({_prefix(one)}noemer) AS {one.key}_n" for one in figures]
    period = f"toDateTime(dateTrunc(${{periode:singlequote}}, {of.datum}), '{TIMEZONE}')"
    return (
        f"SELECT time, {', '.join(columns)} FROM (SELECT {period} AS time, {_sums(figures)} {_rows(of)} "  # noqa: S608
        "GROUP BY time) ORDER BY time"
    )


def choices(column: str) -> str:
    """The values that trajecten of the provider have."""
    return (
        f"SELECT DISTINCT toString({column}) AS waarde FROM sor.trajecten FINAL WHERE {_PROVIDER} AND waarde != '' "  # noqa: S608
        "ORDER BY waarde"
    )


#: Months in which trajecten of the provider began, newest first, by their first day.
MONTHS: Final = choices("toStartOfMonth(begindatum)") + " DESC"
