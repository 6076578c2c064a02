"""The questions of *Eigen resultaten*: those of ``own_queries`` to the views of one provider (``results.own_views``).

The views count and hide; what is left to a question is choosing, and writing numbers as text. The data source names the
database, so one page serves every provider.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from domain.indicators.terms import Indicator, text_sql
from results.dashboards.own_queries import Asking, Line, figure, texts, units
from results.dashboards.panels import TIMEZONE
from results.dashboards.queries import REFERENCE_DAY
from results.dashboards.released_queries import cluster_averages
from results.own_views import AVERAGES, CHOICES, LIVE, RULE, STEPS, parameters, view_of

#: Columns of a view that a line is made of.
_NUMBERS: Final = ("clienten", "teller", "noemer", "uitgesloten", "kwadraten")
_FEW: Final[Mapping[str, str]] = {"eigen": text_sql(RULE.few), "waarde": "NULL"}
#: Of the years that a first day of begin may lie in.
_MONTHS_BACK: Final = 180


def _value(name: str, step: str) -> str:
    """What a parameter is given: a list of what was chosen, empty where that is everything."""
    chosen = f"[${{{name}:singlequote}}]"
    if name in {"van", "tot"}:
        return f"toDate({'$__fromTime' if name == 'van' else '$__toTime'}, '{TIMEZONE}')"
    return {"verloop": step, "cluster": chosen}.get(name, f"if($__conditionalAll(0, ${name}), [], {chosen})")


def _view(of: Indicator, step: str = "''") -> str:
    """The view of a figure, called with all that the page lets choose."""
    return f"{view_of(of)}({', '.join(f'{name} = {_value(name, step)}' for name in parameters(of))})"


def lines(figures: Sequence[Line]) -> str:
    """``own_queries.lines``; of what the view does not give, a line says that it is of few."""
    words = [texts(one) for one in figures]
    each = ", ".join(f"({', '.join(map(text_sql, one.values()))})" for one in words)
    named = ", ".join(f"tekst.{at} AS {name}" for at, name in enumerate(words[0], 1))
    shown = ", ".join(
        f"if(clienten = 0, {_FEW.get(column, text_sql(''))}, {value}) AS {column}"
        for column, value in figure(units(figures)).items()
    )
    listed = ", ".join(text_sql(one["sleutel"]) for one in words)
    return (
        f"SELECT sleutel, label, naam, {shown} FROM (SELECT {named} FROM (SELECT arrayJoin([{each}]) AS tekst)) AS "  # noqa: S608
        f"namen LEFT JOIN (SELECT sleutel, {', '.join(_NUMBERS)} FROM {_view(figures[0].indicator)}) AS cijfers "
        f"USING (sleutel) ORDER BY indexOf([{listed}], sleutel)"
    )


def trend(figures: Sequence[Indicator]) -> str:
    """A line per period with figure and n of each; a period of few is not there."""
    columns = []
    for one in figures:
        mine, factor = f"sleutel = {text_sql(one.key)}", "100 * " if one.unit == "%" else ""
        columns += [
            f"maxIf(toNullable({factor}teller / nullIf(noemer, 0)), {mine}) AS {one.key}_cijfer",
            f"maxIf(toNullable(noemer), {mine}) AS {one.key}_n",
        ]
    listed = ", ".join(text_sql(one.key) for one in figures)
    return (
        f"SELECT toDateTime(begin, '{TIMEZONE}') AS time, {', '.join(columns)} "  # noqa: S608
        f"FROM {_view(figures[0], '${periode:singlequote}')} WHERE sleutel IN ({listed}) GROUP BY time ORDER BY time"
    )


def choices(name: str, _column: str) -> str:
    """The values that enough clients of the provider have."""
    return f"SELECT waarde FROM {CHOICES} WHERE filter = {text_sql(name)} ORDER BY waarde"  # noqa: S608


def averages(names: Mapping[str, str]) -> str:
    """The released averages of the chosen cluster, where it is one of the provider's."""
    return cluster_averages(names, AVERAGES)


#: Months of begin, newest first, whether or not anything began in them.
_MONTHS: Final = (
    f"SELECT toString(subtractMonths(toStartOfMonth({REFERENCE_DAY}), number)) AS waarde FROM numbers({_MONTHS_BACK}) "  # noqa: S608
    "ORDER BY waarde DESC"
)
#: The way of a provider.
VIEWS: Final = Asking(lines, trend, averages, choices, _MONTHS, LIVE, ",".join(f"{step} : {step}" for step in STEPS))
