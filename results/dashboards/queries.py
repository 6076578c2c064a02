"""The queries of the dashboard, made from the indicators of the domain, the disclosure rule and what the reader chose.

Grafana fills in the macros (``$__…``) and the variables; a test does the same and runs every query on the engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from domain.field.geography import GEMEENTEN
from domain.field.words import KIND_LABELS
from domain.indicators.catalogue import Group, sql, sql_together
from domain.indicators.query import cluster_sql
from domain.indicators.terms import Indicator, lookup_sql
from results.dashboards.panels import TIMEZONE
from results.disclosure import Disclosure

UNCONFIRMED: Final = "(niet bevestigd)"
INSIDE: Final = [gemeente for gemeente in GEMEENTEN.values() if gemeente.cluster]
#: What the reader chose at the top of the page, for any table of rows.
CHOSEN: Final = " AND ".join(
    f"$__conditionalAll({column} IN (${{{name}:singlequote}}), ${name})"
    for name, column in (("cluster", cluster_sql()), ("gemeente", "gemeente"), ("aanbieder", "aanbieder"))
)
#: The reference day of a page: the age of an end is counted to the day on which the reader looks.
REFERENCE_DAY: Final = f"toDate(now(), '{TIMEZONE}')"


def name(indicator: Indicator) -> str:
    """The Dutch name, marked while nobody has confirmed the reading behind it."""
    return indicator.title


def kind_sql() -> str:
    """What the kind of a delivery is called."""
    return lookup_sql("toString(kind)", KIND_LABELS, "toString(kind)")


def unit_name(indicator: Indicator) -> str:
    """Heading of a column with figures."""
    return {"%": "Aandeel (%)", "gemiddelde": "Gemiddelde", "aantal": "Aantal"}[indicator.unit]


def within_period(column: str) -> str:
    """Whether a day lies in the period of the page. Grafana's own ``$__dateFilter`` takes the days of UTC."""
    first, last = (f"toDate({time}, '{TIMEZONE}')" for time in ("$__fromTime", "$__toTime"))
    return f"{column} >= {first} AND {column} <= {last}"


def _where(indicator: Indicator) -> str:
    """The rows of an indicator: what was chosen, and the period where it has one."""
    parts = [CHOSEN]
    if indicator.datum:
        parts.append(within_period(indicator.datum))
    return " AND ".join(parts)


def _alone(indicator: Indicator, rule: Disclosure, group_by: Sequence[Group] = ()) -> str:
    """The sums of an indicator; clients are counted as far as the rule asks."""
    where, most = _where(indicator), rule.clients_up_to
    return sql(indicator, group_by, where, reference_day=REFERENCE_DAY, clients_up_to=most)


def _together(indicators: Sequence[Indicator], rule: Disclosure, group_by: Sequence[Group] = ()) -> str:
    """The sums of several indicators over the same rows."""
    where, most = _where(indicators[0]), rule.clients_up_to
    return sql_together(indicators, group_by, where, reference_day=REFERENCE_DAY, clients_up_to=most)


def _prefix(indicator: Indicator) -> str:
    """What ``sql_together`` puts before the columns of an indicator."""
    return f"{indicator.key.replace('-', 'min')}_"


def counted(indicator: Indicator) -> str:
    """Column of ``several`` with the n of an indicator; its figure stands under the key."""
    return f"{indicator.key}_n"


def several(figures: Sequence[Indicator], bars: Sequence[Indicator], rule: Disclosure) -> str:
    """One row, of indicators over the same rows: of ``figures`` the figure and its n, of ``bars`` the figure."""
    parts = [f'{rule.sql(one.unit, _prefix(one))} AS "{one.key}"' for one in (*figures, *bars)]
    parts += [f'{rule.counted_sql(_prefix(one))} AS "{counted(one)}"' for one in figures]
    return f"SELECT {', '.join(parts)} FROM ({_together((*figures, *bars), rule)})"  # noqa: S608


def over_time(indicator: Indicator, rule: Disclosure) -> str:
    """One row per period: pooled sums of its months. A quarter has at least the clients of its largest month."""
    inner = _alone(indicator, rule, ("maand",))
    sums = "max(clienten) AS clienten, sum(teller) AS teller, sum(noemer) AS noemer"
    period = f"toDateTime(dateTrunc(${{periode:singlequote}}, maand), '{TIMEZONE}')"
    grouped = (
        f"SELECT {period} AS time, {sums} FROM (SELECT maand, clienten, teller, noemer FROM ({inner})) GROUP BY time"  # noqa: S608
    )
    return f'SELECT time, {rule.sql(indicator.unit)} AS "{name(indicator)}" FROM ({grouped}) ORDER BY time'  # noqa: S608


def per_cluster(indicators: Sequence[Indicator], rule: Disclosure) -> str:
    """One row per cluster with a column for each figure."""
    inner = _together(indicators, rule, ("cluster",))
    columns = ", ".join(f'{rule.sql(one.unit, _prefix(one))} AS "{name(one)}"' for one in indicators)
    return f'SELECT cluster AS "Cluster", {columns} FROM ({inner}) ORDER BY cluster'  # noqa: S608


FRESHNESS: Final = (
    'SELECT quantileOrNull(0.5)(seconden) AS "Helft binnen", quantileOrNull(0.99)(seconden) AS "99 % binnen" '
    "FROM (SELECT dateDiff('millisecond', gebeurd_op, ingevoegd_op) / 1000 AS seconden "
    "FROM sor.trajecten WHERE ingevoegd_op > now() - INTERVAL 1 DAY AND gebeurd_op > toDateTime64(0, 3))"
)
NEWEST: Final = (
    'SELECT toDateTime(maxOrNull(gebeurd_op)) AS "Nieuwste gegeven", '
    'toDateTime(maxOrNull(ingevoegd_op)) AS "Bijgewerkt" FROM sor.trajecten'
)
#: More than one line: not all rows are counted by the same rules.
DEFINITIONS: Final = (
    'SELECT DISTINCT definitie_versie AS "Versie", opvolging_dagen AS "Termijn nieuwe start (dagen)", '
    'respons_dagen AS "Termijn respons (dagen)" FROM sor.trajecten FINAL ORDER BY definitie_versie'
)
DELIVERIES: Final = (
    f'SELECT {kind_sql()} AS "Soort", '  # noqa: S608
    'count() AS "Aanleveringen", sum(regels_geaccepteerd) AS "Regels geaccepteerd", '
    'sum(regels_afgekeurd) AS "Regels afgekeurd", toDateTime(max(laatste)) AS "Laatste" '
    "FROM sor.receipts FINAL WHERE NOT test AND $__timeFilter(laatste) GROUP BY kind ORDER BY kind"
)
