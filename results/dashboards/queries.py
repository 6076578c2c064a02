"""The queries of the dashboard, made from the indicators of the domain and from what the reader chose.

Grafana fills in the macros (``$__…``) and the variables; a test does the same and runs every query on the engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from domain.field.geography import GEMEENTEN
from domain.indicators.catalogue import sql, sql_together
from domain.indicators.terms import Indicator, text_sql

#: A group of fewer clients is not shown, nor a percentage of fewer things counted [P].
LEAST_CLIENTS, LEAST_COUNTED = 10, 20
UNCONFIRMED: Final = "(niet bevestigd)"
INSIDE: Final = [gemeente for gemeente in GEMEENTEN.values() if gemeente.cluster]
_CLUSTER: Final = (
    f"transform(gemeente, [{', '.join(text_sql(g.code) for g in INSIDE)}], "
    f"[{', '.join(text_sql(g.cluster) for g in INSIDE)}], '')"
)
#: What the reader chose at the top of the page, for any table of rows.
CHOSEN: Final = " AND ".join(
    f"$__conditionalAll({column} IN (${{{name}:singlequote}}), ${name})"
    for name, column in (("cluster", _CLUSTER), ("gemeente", "gemeente"), ("aanbieder", "aanbieder"))
)


#: The reference day of a page: the age of an end is counted to the day on which the reader looks.
REFERENCE_DAY: Final = "today()"


def name(indicator: Indicator) -> str:
    """The Dutch name, marked while nobody has confirmed the reading behind it."""
    return indicator.title


def unit_name(indicator: Indicator) -> str:
    """Heading of a column with figures."""
    return {"%": "Aandeel (%)", "gemiddelde": "Gemiddelde", "aantal": "Aantal"}[indicator.eenheid]


def _where(indicator: Indicator) -> str:
    """The rows of an indicator: what was chosen, and the period where it has one."""
    parts = [CHOSEN]
    if indicator.datum:
        parts.append(f"$__dateFilter({indicator.datum})")
    return " AND ".join(parts)


def _shown(indicator: Indicator, before: str = "") -> str:
    """The figure as SQL over its sums; empty where too few stand behind it."""
    few = f"{before}clienten < {LEAST_CLIENTS}"
    if indicator.eenheid == "aantal":
        return f"if({few}, NULL, toFloat64({before}teller))"
    if indicator.eenheid == "%":
        few += f" OR {before}noemer < {LEAST_COUNTED}"
    factor = "100 * " if indicator.eenheid == "%" else ""
    return f"if({few}, NULL, {factor}{before}teller / nullIf({before}noemer, 0))"


def _prefix(indicator: Indicator) -> str:
    """What ``sql_together`` puts before the columns of an indicator."""
    return f"{indicator.sleutel.replace('-', 'min')}_"


def single(indicator: Indicator) -> str:
    """One row: the figure and its n."""
    inner = sql(indicator, where=_where(indicator), reference_day=REFERENCE_DAY)
    counted = f"if(clienten < {LEAST_CLIENTS}, NULL, toFloat64(noemer))"
    return f'SELECT {_shown(indicator)} AS "{name(indicator)}", {counted} AS "n" FROM ({inner})'  # noqa: S608


def distribution(indicators: Sequence[Indicator], labels: Sequence[str], column: str) -> str:
    """One row per indicator: its label and its figure."""
    inner = sql_together(indicators, where=_where(indicators[0]), reference_day=REFERENCE_DAY)
    names = ", ".join(text_sql(label) for label in labels)
    values = ", ".join(_shown(one, _prefix(one)) for one in indicators)
    pairs = f"SELECT arrayJoin(arrayZip([{names}], [{values}])) AS paar FROM ({inner})"  # noqa: S608
    return f'SELECT paar.1 AS "{column}", paar.2 AS "{unit_name(indicators[0])}" FROM ({pairs})'  # noqa: S608


def over_time(indicator: Indicator) -> str:
    """One row per period: pooled sums of its months. A quarter has at least the clients of its largest month."""
    inner = sql(indicator, ("maand",), where=_where(indicator), reference_day=REFERENCE_DAY)
    sums = "max(clienten) AS clienten, sum(teller) AS teller, sum(noemer) AS noemer"
    period = "toDateTime(dateTrunc(${periode:singlequote}, maand))"
    grouped = (
        f"SELECT {period} AS time, {sums} FROM (SELECT maand, clienten, teller, noemer FROM ({inner})) GROUP BY time"  # noqa: S608
    )
    return f'SELECT time, {_shown(indicator)} AS "{name(indicator)}" FROM ({grouped}) ORDER BY time'  # noqa: S608


def per_cluster(indicators: Sequence[Indicator]) -> str:
    """One row per cluster with a column for each figure."""
    inner = sql_together(indicators, ("cluster",), where=_where(indicators[0]), reference_day=REFERENCE_DAY)
    columns = ", ".join(f'{_shown(one, _prefix(one))} AS "{name(one)}"' for one in indicators)
    return f'SELECT cluster AS "Cluster", {columns} FROM ({inner}) ORDER BY cluster'  # noqa: S608


FRESHNESS: Final = (
    'SELECT quantileOrNull(0.5)(seconden) AS "Helft binnen", quantileOrNull(0.99)(seconden) AS "99 % binnen" '
    "FROM (SELECT dateDiff('millisecond', gebeurd_op, ingevoegd_op) / 1000 AS seconden "
    "FROM sor.trajecten WHERE ingevoegd_op > now() - INTERVAL 1 DAY)"
)
NEWEST: Final = (
    'SELECT toDateTime(maxOrNull(gebeurd_op)) AS "Nieuwste gegeven", '
    'toDateTime(maxOrNull(ingevoegd_op)) AS "Bijgewerkt" FROM sor.trajecten'
)
DELIVERIES: Final = (
    "SELECT transform(toString(kind), ['start', 'stop', 'declaration', 'score', 'cem'], "
    "['Start zorg', 'Stop zorg', 'Declaratie', 'Scores (RAP)', 'CEM+'], toString(kind)) AS \"Soort\", "
    'count() AS "Aanleveringen", sum(regels_geaccepteerd) AS "Regels geaccepteerd", '
    'sum(regels_afgekeurd) AS "Regels afgekeurd", toDateTime(max(laatste)) AS "Laatste" '
    "FROM sor.receipts FINAL WHERE NOT test AND $__timeFilter(laatste) GROUP BY kind ORDER BY kind"
)
