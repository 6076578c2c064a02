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
    Outcome,
    Provenance,
    Row,
    Rows,
    Table,
    day_sql,
    lookup_sql,
)

Group = Literal["cluster", "gemeente", "aanbieder", "maand"]
_CLUSTER: Final = {code: gemeente.cluster for code, gemeente in sorted(GEMEENTEN.items())}
_WITHIN: Final[dict[Provenance, tuple[str, ...]]] = {
    "ijw": tuple(code for code, cluster in _CLUSTER.items() if cluster),
    "cbs": tuple(_CLUSTER),
}
_OUTSIDE: Final = tuple(sorted(OUTSIDE_OUTCOMES))
#: The date that places a row in a period: event time, never arrival time.
DATUM: Final[dict[Table, str]] = {"trajecten": "einddatum", "metingen": "datum"}


def _datum(table: Table) -> str:
    if table not in DATUM:
        raise ValueError(f"rows of {table} have no date in the sense of a period")
    return DATUM[table]


def cluster_sql() -> str:
    """The cluster of the municipality of a row; empty when it belongs to none."""
    return lookup_sql("gemeente", _CLUSTER, "''")


def _group_sql(group: Group, table: Table) -> str:
    if group == "maand":
        datum = _datum(table)
        return f"addDays({datum}, 1 - toDayOfMonth({datum}))"
    if group == "cluster" and table != "trajecten":
        return cluster_sql()
    return group


def _origin(table: Table, provenance: Provenance) -> tuple[Condition, ...]:
    """Which rows of a table came from where; scores come through RAP only."""
    if table == "trajecten":
        return (Condition("bron", (provenance,)),)
    return (Condition("soort", ("cbs",), negated=provenance != "cbs"),) if table == "metingen" else ()


def scope(table: Table, database: str = "sor", provenance: Provenance = "ijw") -> str:
    """Which rows of a table belong to the figures, as SQL."""
    parts = [one.sql() for one in (Condition("gemeente", _WITHIN[provenance]), *_origin(table, provenance))]
    if table == "trajecten":
        return " AND ".join([*parts, Condition("categorie", _OUTSIDE, negated=True).sql()])
    outside = Condition("categorie", _OUTSIDE).sql()
    ever = f"SELECT aanbieder, traject FROM {database}.trajecten WHERE {outside}"  # noqa: S608
    # Which rows are so now is only asked of the few that ever were: FINAL over the whole table costs ten times as much.
    elders = f"SELECT aanbieder, traject FROM {database}.trajecten FINAL WHERE {outside}"  # noqa: S608
    elders = f"{elders} AND (aanbieder, traject) IN ({ever})"
    return " AND ".join([*parts, f"(aanbieder, traject) NOT IN ({elders})"])


def sql(
    indicator: Indicator,
    group_by: Sequence[Group] = (),
    where: str = "",
    database: str = "sor",
    *,
    reference_day: int | str,
    clients_up_to: int | None = None,
) -> str:
    """The query of one indicator: the group columns, then ``clienten, teller, noemer, uitgesloten, uitkomst``.

    ``where`` narrows the rows of the table further, such as to a period. Without groups there is one row. The reference
    day is a day number or an SQL expression of a date. ``clienten`` counts up to ``clients_up_to`` and is one more than
    that for any larger number; None counts all, which takes most of the time over millions of rows.
    """
    groups = [f"{_group_sql(group, indicator.tabel)} AS {group}" for group in group_by]
    figure = {
        "aantal": "teller",
        "%": "if(noemer = 0, NULL, 100 * teller / noemer)",
        "gemiddelde": "if(noemer = 0, NULL, teller / noemer)",
    }[indicator.eenheid]
    columns = [*groups, *_sums(indicator, reference_day, clients_up_to), f"{figure} AS uitkomst"]
    return _query(indicator, group_by, where, database, columns)


def sql_together(
    indicators: Sequence[Indicator],
    group_by: Sequence[Group] = (),
    where: str = "",
    database: str = "sor",
    *,
    reference_day: int | str,
    clients_up_to: int | None = None,
) -> str:
    """One query for several indicators over the same rows: the group columns, then four columns for each, in order."""
    first = indicators[0]
    columns = [f"{_group_sql(group, first.tabel)} AS {group}" for group in group_by]
    for indicator in indicators:
        if (indicator.tabel, indicator.provenance) != (first.tabel, first.provenance):
            raise ValueError(f"{indicator.sleutel} is not over {first.tabel} of {first.provenance}")
        columns += _sums(indicator, reference_day, clients_up_to, f"{indicator.sleutel.replace('-', 'min')}_")
    return _query(first, group_by, where, database, columns)


def _sums(indicator: Indicator, reference_day: int | str, clients_up_to: int | None, before: str = "") -> list[str]:
    reference = day_sql(reference_day) if isinstance(reference_day, int) else reference_day
    out = indicator.excluded
    telt = "uniqExactIf" if clients_up_to is None else f"uniqUpToIf({clients_up_to})"
    return [
        f"{telt}(client, {_behind(indicator, reference)}) AS {before}clienten",
        f"{indicator.teller.sql(reference)} AS {before}teller",
        f"{indicator.denominator.sql(reference)} AS {before}noemer",
        f"{out.sql(reference) if out else '0'} AS {before}uitgesloten",
    ]


def _behind(indicator: Indicator, reference: str) -> str:
    """Whose clients stand behind the figure: a row with nothing to add has none."""
    denominator = indicator.denominator
    where = denominator.condition(reference)
    return where if isinstance(denominator.meet, Rows) else f"{where} AND {denominator.meet.sql} != 0"


def _query(first: Indicator, groups: Sequence[Group], where: str, database: str, columns: Sequence[str]) -> str:
    table = first.tabel
    within = [scope(table, database, first.provenance)]
    within += [f"{_datum(table)} IS NOT NULL"] if "maand" in groups else []
    within += [f"({where})"] if where else []
    text = f"SELECT {', '.join(columns)} FROM {database}.{table} FINAL WHERE {' AND '.join(within)}"  # noqa: S608
    code_list = ", ".join(groups)
    return f"{text} GROUP BY {code_list} ORDER BY {code_list}" if groups else text


def evaluate(
    indicator: Indicator,
    tables: Mapping[Table, Sequence[Row]],
    group_by: Sequence[Group] = (),
    where: Callable[[Row], bool] = lambda _row: True,
    *,
    reference_day: int,
) -> dict[tuple[Any, ...], Outcome]:
    """The outcome per group over rows as the contracts have them (dates are day numbers): the newest of each key.

    ``tables`` has the table of the indicator and ``trajecten``. Without groups the only key is ``()``.
    """
    table, provenance = indicator.tabel, indicator.provenance
    outside = {(row["aanbieder"], row["traject"]) for row in tables["trajecten"] if _elders(row)}
    groups: dict[tuple[Any, ...], list[Row]] = {} if group_by else {(): []}
    for row in tables[table]:
        if row["verwijderd"] or not _within(row, table, provenance, outside):
            continue
        if where(row) and not ("maand" in group_by and row[_datum(table)] is None):
            groups.setdefault(tuple(_group(row, group, table) for group in group_by), []).append(row)
    return {group: _uitkomst(indicator, rows, reference_day) for group, rows in groups.items()}


def _within(row: Row, table: Table, provenance: Provenance, outside: set[tuple[str, str]]) -> bool:
    """``scope`` for a row."""
    if row["gemeente"] not in _WITHIN[provenance] or not all(one.holds(row) for one in _origin(table, provenance)):
        return False
    if table == "trajecten":
        return row["categorie"] not in OUTSIDE_OUTCOMES
    return (row["aanbieder"], row["traject"]) not in outside


def _elders(row: Row) -> bool:
    return not row["verwijderd"] and row["categorie"] in OUTSIDE_OUTCOMES


def _group(row: Row, group: Group, table: Table) -> Any:
    if group == "maand":
        return day(as_date(row[_datum(table)]).replace(day=1))
    if group == "cluster":
        return _CLUSTER[row["gemeente"]]
    return row[group]


def _uitkomst(indicator: Indicator, rows: Sequence[Row], reference_day: int) -> Outcome:
    meet = indicator.denominator.meet
    behind = [row for row in indicator.denominator.rows(rows, reference_day) if isinstance(meet, Rows) or meet.of(row)]
    out = indicator.excluded
    return Outcome(
        len({row["client"] for row in behind}),
        indicator.teller.sum(rows, reference_day),
        indicator.denominator.sum(rows, reference_day),
        out.sum(rows, reference_day) if out else 0,
    )
