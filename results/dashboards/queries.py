"""The queries of the dashboard, made from the indicators of the domain, the disclosure rule and what the reader chose.

Grafana fills in the macros (``$__…``) and the variables; a test does the same and runs every query on the engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from domain.field.geography import GEMEENTEN
from domain.field.words import KIND_LABELS
from domain.indicators.query import DATE_COLUMNS, Group, client_column, cluster_sql, group_sql, rows_sql
from domain.indicators.terms import Indicator, Unit, lookup_sql
from results.dashboards.panels import TIMEZONE
from results.disclosure import Disclosure
from results.tally import CLIENTS, SUMS, Tally, tally

UNCONFIRMED: Final = "(niet bevestigd)"
INSIDE: Final = [gemeente for gemeente in GEMEENTEN.values() if gemeente.cluster]
_CHOICES: Final = {
    name: f"$__conditionalAll({column} IN (${{{name}:singlequote}}), ${name})"
    for name, column in (("cluster", cluster_sql()), ("gemeente", "gemeente"), ("aanbieder", "aanbieder"))
}
#: What the reader chose at the top of the page, for any table of rows.
CHOSEN: Final = " AND ".join(_CHOICES.values())
#: Of it, what holds for a row and for its traject.
_OF_BOTH: Final = _CHOICES["aanbieder"]
#: The day of a meting, whose year is the partition of its row.
METING_DAY: Final = DATE_COLUMNS["metingen"]
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
    """Whether a day lies in the period of the page. Grafana's own ``$__dateFilter`` takes the days of UTC. A meting
    lies in the part of the table for the year of its day, so that no other part is read.
    """
    first, last = (f"toDate({time}, '{TIMEZONE}')" for time in ("$__fromTime", "$__toTime"))
    within = f"{column} >= {first} AND {column} <= {last}"
    return f"{within} AND jaar >= toYear({first}) AND jaar <= toYear({last})" if column == METING_DAY else within


def _rows(of: Indicator) -> str:
    """The rows of an indicator: what was chosen, and the period where it has one."""
    parts = [CHOSEN]
    if of.datum:
        parts.append(within_period(of.datum))
    return rows_sql(of, " AND ".join(parts), narrow=_OF_BOTH)


def _tally(figures: Sequence[Indicator], rule: Disclosure, group_by: Sequence[Group] = ()) -> Tally:
    """The sums of figures over the same rows; clients are counted as far as the rule asks."""
    clients, most = client_column(group_by), rule.clients_up_to
    return tally(figures, clients, lambda _one: _SHOWN, reference_day=REFERENCE_DAY, clients_up_to=most)


#: What a figure here is made of; what was left out of it is not shown.
_SHOWN: Final = frozenset({"clients", "numerator", "denominator"})


def counted(indicator: Indicator) -> str:
    """Column of ``several`` with the n of an indicator; its figure stands under the key."""
    return f"{indicator.key}_n"


#: Which line of an answer is what: all rows together, a period, a cluster.
LINE: Final = "deel"
WHOLE, PERIOD, CLUSTER = "totaal", "periode", "cluster"


def _columns(
    line: str, figures: Sequence[Indicator], bars: Sequence[Indicator], sums: Tally, rule: Disclosure, rows: str
) -> str:
    """The columns ``line`` of lines with both lists, and of ``figures`` the figure and its n, of ``bars`` the figure.
    The rule is asked once for all figures of a unit.
    """
    of_unit: dict[Unit, list[str]] = {}
    for one in (*figures, *bars):
        of_unit.setdefault(one.unit, []).append(one.key)
    lists, shown = [], []
    for number, (unit, keys) in enumerate(of_unit.items(), 1):
        arguments = ", ".join([sums.clients(keys), *(sums.sums(name, keys) for name in ("numerator", "denominator"))])
        lists.append(f"arrayMap((clienten, teller, noemer) -> {rule.sql(unit)}, {arguments}) AS cijfers_{number}")
        shown += [f'cijfers_{number}[{at}] AS "{key}"' for at, key in enumerate(keys, 1)]
    keys = [one.key for one in figures]
    arguments = f"{sums.clients(keys)}, {sums.sums('denominator', keys)}"
    lists.append(f"arrayMap((clienten, noemer) -> {rule.counted_sql()}, {arguments}) AS aantallen")
    shown += [f'aantallen[{at}] AS "{counted(one)}"' for at, one in enumerate(figures, 1)]
    return f"SELECT {line}, {', '.join(shown)} FROM (SELECT {line}, {', '.join(lists)} FROM ({rows}))"  # noqa: S608


def over_time(figures: Sequence[Indicator], bars: Sequence[Indicator], rule: Disclosure) -> str:
    """Indicators over the same rows: one row of all together, which has no time, and one per period from the pooled
    sums of its months. A quarter has at least the clients of its largest month.
    """
    every = (*figures, *bars)
    period = f"toDateTime(dateTrunc(${{periode:singlequote}}, if(geheel = 1, NULL, maand)), '{TIMEZONE}')"
    sums = _tally(every, rule, ("maand",))
    pooled = (
        f"SELECT if(geheel = 1, '{WHOLE}', '{PERIOD}') AS {LINE}, {period} AS time, "  # noqa: S608
        f"maxForEach({CLIENTS}) AS {CLIENTS}, sumForEach({SUMS}) AS {SUMS} "
        f"FROM ({_grouped('maand', every[0], sums)}) GROUP BY {LINE}, time"
    )
    return f"{_columns(f'{LINE}, time', figures, bars, sums, rule, pooled)} ORDER BY time"


def _grouped(group: Group, of: Indicator, sums: Tally) -> str:
    """A line for each value of a group, and one with ``geheel`` for all rows together, in which clients count once."""
    return (
        f"SELECT {group_sql(group, of.table)} AS {group}, {sums.sql}, grouping({group}) AS geheel {_rows(of)} "
        f"GROUP BY GROUPING SETS (({group}), ())"
    )


def several(figures: Sequence[Indicator], bars: Sequence[Indicator], rule: Disclosure) -> str:
    """One row, of indicators over the same rows."""
    every = (*figures, *bars)
    sums = _tally(every, rule)
    rows = f"SELECT '{WHOLE}' AS {LINE}, {sums.sql} {_rows(every[0])}"
    return _columns(LINE, figures, bars, sums, rule, rows)


def per_cluster(figures: Sequence[Indicator], bars: Sequence[Indicator], rule: Disclosure) -> str:
    """Indicators over the same rows: one row per cluster and one of all together."""
    every = (*figures, *bars)
    sums = _tally(every, rule, ("cluster",))
    rows = (
        f"SELECT if(geheel = 1, '{WHOLE}', '{CLUSTER}') AS {LINE}, toString(cluster) AS cluster, {CLIENTS}, {SUMS} "  # noqa: S608
        f"FROM ({_grouped('cluster', every[0], sums)})"
    )
    return f"{_columns(f'{LINE}, cluster', figures, bars, sums, rule, rows)} ORDER BY cluster"


FRESHNESS: Final = (
    'SELECT quantileOrNull(0.5)(seconden) AS "Helft binnen", quantileOrNull(0.99)(seconden) AS "99 % binnen" '
    "FROM (SELECT dateDiff('millisecond', gebeurd_op, ingevoegd_op) / 1000 AS seconden "
    "FROM sor.trajecten WHERE ingevoegd_op > now() - INTERVAL 1 DAY AND gebeurd_op > toDateTime64(0, 3))"
)
NEWEST: Final = (
    'SELECT toDateTime(maxOrNull(gebeurd_op)) AS "Nieuwste gegeven", '
    'toDateTime(maxOrNull(ingevoegd_op)) AS "Bijgewerkt" FROM sor.trajecten'
)
_BY_RULES: Final = "SELECT DISTINCT definitie_versie, opvolging_dagen, respons_dagen FROM sor.trajecten"
#: More than one line: not all rows are counted by the same rules. Rows that were replaced are set aside only when with
#: them there is more than one line: that costs eight times as much.
DEFINITIONS: Final = (
    'SELECT definitie_versie AS "Versie", '  # noqa: S608
    'opvolging_dagen AS "Termijn nieuwe start (dagen)", '
    f'respons_dagen AS "Termijn respons (dagen)" FROM ({_BY_RULES} WHERE (SELECT count() FROM ({_BY_RULES})) = 1 '
    f"UNION ALL {_BY_RULES} FINAL WHERE (SELECT count() FROM ({_BY_RULES})) > 1) ORDER BY definitie_versie"
)
DELIVERIES: Final = (
    f'SELECT {kind_sql()} AS "Soort", '  # noqa: S608
    'count() AS "Aanleveringen", sum(regels_geaccepteerd) AS "Regels geaccepteerd", '
    'sum(regels_afgekeurd) AS "Regels afgekeurd", toDateTime(max(laatste)) AS "Laatste" '
    "FROM sor.receipts FINAL WHERE NOT test AND $__timeFilter(laatste) GROUP BY kind ORDER BY kind"
)
