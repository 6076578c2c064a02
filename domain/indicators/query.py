"""An indicator over many rows: the query for ClickHouse, and the same computation in Python.

Scope of all figures [P]: rows of the indicator's own source; of messages the municipalities that belong to a cluster,
of CBS files every municipality that is configured; no category outside jeugdhulp (47-49). No deleted rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

from domain.field.codes import OUTSIDE_OUTCOMES
from domain.field.dates import as_date, day
from domain.field.geography import GEMEENTEN
from domain.indicators.terms import (
    Condition,
    Indicator,
    Provenance,
    Row,
    Rows,
    Sums,
    Table,
    day_sql,
    lookup_sql,
)

Group = Literal["cluster", "gemeente", "aanbieder", "maand", "postcodegebied"]
_CLUSTER: Final = {code: gemeente.cluster for code, gemeente in sorted(GEMEENTEN.items())}
_WITHIN: Final[dict[Provenance, tuple[str, ...]]] = {
    "ijw": tuple(code for code, cluster in _CLUSTER.items() if cluster),
    "cbs": tuple(_CLUSTER),
}
_OUTSIDE: Final = tuple(sorted(OUTSIDE_OUTCOMES))
#: The date that places a row in a period: event time, never arrival time.
DATE_COLUMNS: Final[dict[Table, str]] = {"trajecten": "einddatum", "metingen": "datum"}
#: Provider and traject as one number.
_PAIR: Final = "cityHash64(aanbieder, traject)"


def _date_column(table: Table) -> str:
    if table not in DATE_COLUMNS:
        raise ValueError(f"rows of {table} have no date in the sense of a period")
    return DATE_COLUMNS[table]


def has_group(table: Table, group: Group) -> bool:
    """Whether the rows of a table can be grouped so: only a traject says in which area its client lives."""
    return group != "postcodegebied" or table == "trajecten"


def cluster_sql() -> str:
    """The cluster of the municipality of a row; empty when it belongs to none."""
    return lookup_sql("gemeente", _CLUSTER, "''")


def group_sql(group: Group, table: Table) -> str:
    """What the rows of a table are grouped by."""
    if group == "maand":
        date_column = _date_column(table)
        return f"addDays({date_column}, 1 - toDayOfMonth({date_column}))"
    if not has_group(table, group):
        raise ValueError(f"rows of {table} have no {group}")
    if group == "cluster" and table != "trajecten":
        return cluster_sql()
    return group


def _provenance(table: Table, provenance: Provenance) -> tuple[Condition, ...]:
    """Which rows of a table came from where; scores come through RAP only."""
    if table == "trajecten":
        return (Condition("bron", (provenance,)),)
    return (Condition("soort", ("cbs",), negated=provenance != "cbs"),) if table == "metingen" else ()


def scope(
    table: Table, database: str = "sor", provenance: Provenance = "ijw", suffix: str = "", narrow: str = ""
) -> str:
    """Which rows of a table belong to the figures, as SQL. ``suffix``: of the names of the tables, such as of rows that
    a replay made anew beside those in use. ``narrow``: a condition that holds for every row that is asked for, and for
    its traject; without it all trajecten are looked through.
    """
    parts = [one.sql() for one in (Condition("gemeente", _WITHIN[provenance]), *_provenance(table, provenance))]
    if table == "trajecten":
        return " AND ".join([*parts, Condition("categorie", _OUTSIDE, negated=True).sql()])
    outside = " AND ".join(filter(None, (narrow, Condition("categorie", _OUTSIDE).sql())))
    # FINAL over providers that ever had one, which are few: the key begins with them. A number is looked up faster.
    ever = f"SELECT aanbieder FROM {database}.trajecten{suffix} WHERE {outside}"  # noqa: S608
    elsewhere = f"SELECT {_PAIR} FROM {database}.trajecten{suffix} FINAL WHERE {outside} AND aanbieder IN ({ever})"  # noqa: S608
    return " AND ".join([*parts, f"{_PAIR} NOT IN ({elsewhere})"])


def client_column(group_by: Sequence[Group]) -> str:
    """The column of which different values are different clients, for certain: within one provider the name of the
    client, over providers its bucket. A group is thus shown too seldom and never too often.
    """
    return "client" if "aanbieder" in group_by else "emmer"


def sql(
    indicator: Indicator,
    group_by: Sequence[Group] = (),
    where: str = "",
    database: str = "sor",
    *,
    reference_day: int | str,
    clients_up_to: int | None = None,
    names: bool = False,
) -> str:
    """The query of one indicator: the group columns, then ``clienten, teller, noemer, uitgesloten, uitkomst``.

    ``where`` narrows the rows of the table further, such as to a period. Without groups there is one row. The reference
    day is a day number or an SQL expression of a date. ``clienten`` is ``Sums.clients``: it counts up to
    ``clients_up_to`` and is one more than that for any larger number; None counts all. With ``names`` there is also
    ``namen`` (``Sums.names``) behind ``uitgesloten``, which takes most of the time over millions of rows.
    """
    groups = [f"{group_sql(group, indicator.table)} AS {group}" for group in group_by]
    figure = {
        "aantal": "teller",
        "%": "if(noemer = 0, NULL, 100 * teller / noemer)",
        "gemiddelde": "if(noemer = 0, NULL, teller / noemer)",
    }[indicator.unit]
    sums = _sums(indicator, reference_day, clients_up_to, client_column(group_by), names=names)
    columns = [*groups, *sums, f"{figure} AS uitkomst"]
    return _query(indicator, group_by, where, database, columns)


def sql_together(
    indicators: Sequence[Indicator],
    group_by: Sequence[Group] = (),
    where: str = "",
    database: str = "sor",
    *,
    reference_day: int | str,
    clients_up_to: int | None = None,
    names: bool = False,
    versions: bool = False,
    suffix: str = "",
    total: bool = False,
    narrow: str = "",
) -> str:
    """One query for several indicators over the same rows: the group columns, then four columns for each, in order.
    With ``names`` one more, and with ``versions`` another: the versions of the definitions that the rows behind the
    figure were made by. ``suffix`` and ``narrow`` as for ``scope``. With ``total`` there is also a line for all rows
    together (clients count once), and a last column ``geheel`` that is 1 in it; lines are then in no order.
    """
    first = indicators[0]
    columns = [f"{group_sql(group, first.table)} AS {group}" for group in group_by]
    columns += sums_sql(
        indicators, client_column(group_by), reference_day=reference_day, clients_up_to=clients_up_to, names=names,
        versions=versions,
    )  # fmt: skip
    if total:
        columns.append(f"grouping({group_by[0]}) AS geheel")
    return _query(first, group_by, where, database, columns, suffix, total=total, narrow=narrow)


def sums_sql(
    indicators: Sequence[Indicator],
    clients: str,
    *,
    reference_day: int | str,
    clients_up_to: int | None = None,
    names: bool = False,
    versions: bool = False,
) -> list[str]:
    """The columns of ``sql_together`` behind those of the groups, for a query of another shape over ``rows_sql``.
    ``clients``: the column that tells clients apart (``client_column``).
    """
    first, columns = indicators[0], []
    for indicator in indicators:
        if (indicator.table, indicator.provenance) != (first.table, first.provenance):
            raise ValueError(f"{indicator.key} is not over {first.table} of {first.provenance}")
        prefix = f"{indicator.key.replace('-', 'min')}_"
        columns += _sums(indicator, reference_day, clients_up_to, clients, prefix, names=names)
        if versions:
            behind = _behind(indicator, _reference_sql(reference_day))
            columns.append(f"arraySort(groupUniqArrayIf(definitie_versie, {behind})) AS {prefix}versies")
    return columns


def rows_sql(of: Indicator, where: str = "", database: str = "sor", suffix: str = "", narrow: str = "") -> str:
    """``FROM`` and ``WHERE`` over the rows that belong to an indicator, narrowed further by ``where``. ``narrow`` is
    that of ``scope``; it does not narrow the rows themselves.
    """
    within = " AND ".join(
        [scope(of.table, database, of.provenance, suffix, narrow), *([f"({where})"] if where else [])]
    )
    return f"FROM {database}.{of.table}{suffix} FINAL WHERE {within}"


def _sums(
    indicator: Indicator,
    reference_day: int | str,
    clients_up_to: int | None,
    column: str,
    prefix: str = "",
    *,
    names: bool,
) -> list[str]:
    reference = _reference_sql(reference_day)
    excluded, behind = indicator.excluded, _behind(indicator, reference)
    count = "uniqExactIf" if clients_up_to is None else f"uniqUpToIf({clients_up_to})"
    return [
        f"{count}({column}, {behind}) AS {prefix}clienten",
        f"{indicator.numerator.sql(reference)} AS {prefix}teller",
        f"{indicator.denominator.sql(reference)} AS {prefix}noemer",
        f"{excluded.sql(reference) if excluded else '0'} AS {prefix}uitgesloten",
        *([f"uniqExactIf(client, {behind}) AS {prefix}namen"] if names else []),
    ]


def _reference_sql(reference_day: int | str) -> str:
    return day_sql(reference_day) if isinstance(reference_day, int) else reference_day


def _behind(indicator: Indicator, reference: str) -> str:
    """Whose clients stand behind the figure: a row with nothing to add has none."""
    denominator = indicator.denominator
    where = denominator.condition(reference)
    return where if isinstance(denominator.measure, Rows) else f"{where} AND {denominator.measure.sql} != 0"


def _query(
    first: Indicator,
    groups: Sequence[Group],
    where: str,
    database: str,
    columns: Sequence[str],
    suffix: str = "",
    *,
    total: bool = False,
    narrow: str = "",
) -> str:
    dated = f"{_date_column(first.table)} IS NOT NULL" if "maand" in groups else ""
    within = " AND ".join(filter(None, (dated, f"({where})" if where else "")))
    text, listed = f"SELECT {', '.join(columns)} {rows_sql(first, within, database, suffix, narrow)}", ", ".join(groups)
    if total:
        return f"{text} GROUP BY GROUPING SETS (({listed}), ())"
    return f"{text} GROUP BY {listed} ORDER BY {listed}" if groups else text


def evaluate(
    indicator: Indicator,
    tables: Mapping[Table, Sequence[Row]],
    group_by: Sequence[Group] = (),
    where: Callable[[Row], bool] = lambda _row: True,
    *,
    reference_day: int,
) -> dict[tuple[Any, ...], Sums]:
    """The outcome per group over rows as the contracts have them (dates are day numbers): the newest of each key.

    ``tables`` has the table of the indicator and ``trajecten``. Without groups the only key is ``()``.
    """
    table, provenance = indicator.table, indicator.provenance
    outside = {(row["aanbieder"], row["traject"]) for row in tables["trajecten"] if _is_elsewhere(row)}
    groups: dict[tuple[Any, ...], list[Row]] = {} if group_by else {(): []}
    for row in tables[table]:
        if row["verwijderd"] or not _within(row, table, provenance, outside):
            continue
        if where(row) and not ("maand" in group_by and row[_date_column(table)] is None):
            groups.setdefault(tuple(_group(row, group, table) for group in group_by), []).append(row)
    column = client_column(group_by)
    return {group: _of_group(indicator, rows, reference_day, column) for group, rows in groups.items()}


def _within(row: Row, table: Table, provenance: Provenance, outside: set[tuple[str, str]]) -> bool:
    """``scope`` for a row."""
    if row["gemeente"] not in _WITHIN[provenance] or not all(one.holds(row) for one in _provenance(table, provenance)):
        return False
    if table == "trajecten":
        return row["categorie"] not in OUTSIDE_OUTCOMES
    return (row["aanbieder"], row["traject"]) not in outside


def _is_elsewhere(row: Row) -> bool:
    return not row["verwijderd"] and row["categorie"] in OUTSIDE_OUTCOMES


def _group(row: Row, group: Group, table: Table) -> Any:
    if group == "maand":
        return day(as_date(row[_date_column(table)]).replace(day=1))
    if group == "cluster":
        return _CLUSTER[row["gemeente"]]
    if not has_group(table, group):
        raise ValueError(f"rows of {table} have no {group}")
    return row[group]


def _of_group(indicator: Indicator, rows: Sequence[Row], reference_day: int, column: str) -> Sums:
    measure = indicator.denominator.measure
    behind = [
        row for row in indicator.denominator.rows(rows, reference_day) if isinstance(measure, Rows) or measure.of(row)
    ]
    excluded = indicator.excluded
    return Sums(
        len({row[column] for row in behind}),
        indicator.numerator.sum(rows, reference_day),
        indicator.denominator.sum(rows, reference_day),
        excluded.sum(rows, reference_day) if excluded else 0,
        len({row["client"] for row in behind}),
    )
