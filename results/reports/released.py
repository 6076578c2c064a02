"""Reports of released figures alone: the average that the providers of a cluster see, and the cluster for its contract
manager. Whatever is not in the tables of that audience cannot come into them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from domain.field.codes import GESLACHT, PRODUCTCATEGORIEEN
from domain.field.geography import GEMEENTEN
from domain.indicators.comparable import COMPARABLE, released_as
from domain.indicators.terms import text_sql
from results.own import OWN_INDICATORS
from results.released import Average as Released
from results.reports import periods, words
from results.reports.content import Figure, Kind, Report, Table, number_text
from results.reports.outcomes import TRENDS, Outcomes, report
from results.reports.reading import Averages, averages_of, form
from sinks import clickhouse
from sinks.access import Access
from sinks.schema.audiences import FIGURES, of_cluster

_YEAR: Final = "vier_kwartalen"
#: What a release counts in another way than the figure of the same name: each child once.
_TITLES: Final = {released_as(key): one.title for key, one in COMPARABLE.items()}
#: Indicators that a breakdown of a cluster shows beside each other.
_BROKEN_DOWN: Final = ("uitval", "nut_gemiddelde", "zonder_hulp", "gas_bereikt", "respons_cem")
#: Errors of ClickHouse: no such table, no such database.
_ABSENT: Final = frozenset({60, 81})


class Cell(NamedTuple):
    """One released figure of a part of a cluster."""

    column: str
    part: str
    indicator: str
    noemer: int
    form: str
    percentage: int | None
    gemiddelde: float | None


def average(access: Access, cluster: str, month: str, made_on: str) -> Report | None:
    """The cluster average by itself; None as long as nothing has been released."""
    return of_averages("gemiddelde", cluster, month, made_on, averages_of(access, cluster))


def cluster_report(access: Access, cluster: str, month: str, made_on: str) -> Report | None:
    """The cluster for its contract manager, with its parts; None as long as nothing has been released.

    Raises:
        UnavailableError, RefusedError: ClickHouse is away, or the user may not read the release.
    """
    return of_averages(
        "cluster", cluster, month, made_on, averages_of(access, cluster, of_cluster(cluster)), parts(access, cluster)
    )


def of_averages(
    kind: Kind, cluster: str, month: str, made_on: str, found: Averages, cells: Sequence[Cell] = ()
) -> Report | None:
    """The report of what was released of a whole cluster, and of its parts where they are given."""
    years = {key: one for key in found.found if (one := newest_year(found.found[key])) and key in OWN_INDICATORS}
    if not years:
        return None
    quarters, newest = periods.quarters(month), max(years.values(), key=lambda one: (one.periode, one.vrijgave))
    older = {one.periode for one in years.values()} - {newest.periode}
    return report(
        Outcomes(
            kind=kind,
            provider="",
            cluster=cluster,
            month=month,
            period=words.four_quarters(newest.periode),
            made_on=made_on,
            figures={key: figure_of(one) for key, one in years.items()},
            quarters=tuple(map(words.quarter_short, quarters)),
            trends={key: tuple(of_quarter(found, key, quarter) for quarter in quarters) for key in TRENDS},
            breakdown=tuple(_tables(cells)),
            release=found.number,
            quarter=newest.periode,
            notes=(
                words.status_note(newest.status),
                *(
                    words.averages_older(period, [_title(key) for key, one in years.items() if one.periode == period])
                    for period in sorted(older)
                ),
                words.RELEASE_COUNTS,
            ),
        )
    )


def newest_year(found: Sequence[Released]) -> Released | None:
    """The newest four quarters of which there is a figure."""
    return next((one for one in found if one.periode_soort == _YEAR and one.value is not None), None)


def _title(key: str) -> str:
    return _TITLES.get(key, OWN_INDICATORS[key].title)


def figure_of(one: Released) -> Figure:
    """A released figure: rounded, perhaps a bound, without an interval."""
    indicator = OWN_INDICATORS[one.indicator]
    return Figure(
        key=one.indicator,
        title=_title(one.indicator),
        unit=indicator.unit,
        value=one.value,
        counted=one.noemer,
        excluded=number_text(one.uitgesloten, 0),
        form=form(one),
        whole=True,
        mark=indicator.mark,
    )


def of_quarter(found: Averages, key: str, quarter: str) -> Figure:
    """A released figure of one quarter; one without a value where there is none."""
    for one in found.found.get(key, ()):
        if one.periode_soort == "kwartaal" and one.periode == quarter:
            return figure_of(one)
    indicator = OWN_INDICATORS[key]
    return Figure(key=key, title=indicator.title, unit=indicator.unit, value=None, counted=None, mark=indicator.mark)


# The parts of a cluster


def parts(access: Access, cluster: str) -> list[Cell]:
    """The newest of four quarters of every municipality, category, age and sex of a cluster."""
    client = clickhouse.connect(access)
    try:
        return [Cell(*row) for row in clickhouse.select(client, parts_sql(cluster))]
    except clickhouse.RefusedError as error:
        if error.code in _ABSENT:
            return []
        raise
    finally:
        client.close()


def parts_sql(cluster: str) -> str:
    """Cuts by one column; whatever says a provider or a second column is none of them."""
    cuts = ", ".join(f"'{cut}'" for cut in ("gemeente", "cluster_categorie", "cluster_leeftijd", "cluster_geslacht"))
    keys = ", ".join(map(text_sql, _BROKEN_DOWN))
    column = "if(snede = 'gemeente', 'gemeente', splitByChar('_', snede)[2])"
    part = "multiIf(snede = 'gemeente', gemeente, categorie != '', categorie, leeftijd != '', leeftijd, geslacht)"
    return (
        f"SELECT {column} AS kolom, {part} AS deel, indicator, noemer, toString(teller_vorm), percentage, "  # noqa: S608
        f"toFloat64(gemiddelde) FROM {of_cluster(cluster)}.{FIGURES} WHERE snede IN ({cuts}) AND aanbieder = '' "
        f"AND periode_soort = '{_YEAR}' AND indicator IN ({keys}) ORDER BY kolom, deel, indicator, periode DESC, "
        "vrijgave DESC LIMIT 1 BY kolom, deel, indicator"
    )


def _tables(cells: Sequence[Cell]) -> Iterator[Table]:
    keys = [key for key in _BROKEN_DOWN if any(cell.indicator == key for cell in cells)]
    for column, (title, head) in words.CUTS.items():
        rows: dict[str, dict[str, Cell]] = {}
        for cell in cells:
            if cell.column == column:
                rows.setdefault(_named(column, cell.part), {})[cell.indicator] = cell
        if rows:
            texts = ((name, *(_text(row.get(key)) for key in keys)) for name, row in sorted(rows.items(), key=_place))
            heads = (words.RELEASED_SHORT.get(key, _title(key)) for key in keys)
            yield Table(title, (head, *heads), tuple(texts))


def _place(row: tuple[str, dict[str, Cell]]) -> tuple[int, str]:
    """By name, and bands of ages by their first year: never by a figure."""
    first = row[0].partition(" ")[0]
    return (int(first) if first.isdigit() else 0, row[0])


def _named(column: str, part: str) -> str:
    if column == "gemeente":
        return GEMEENTEN[part].name if part in GEMEENTEN else part
    names: Mapping[str, Mapping[str, str]] = {"categorie": PRODUCTCATEGORIEEN, "geslacht": GESLACHT}
    return names.get(column, {}).get(part, part)


def _text(cell: Cell | None) -> str:
    """A figure with what it was counted over."""
    if cell is None:
        return words.NOTHING
    sign = {"<=": "≤ ", ">=": "≥ "}.get(cell.form, "") if cell.percentage is not None else ""
    if cell.percentage is None and cell.gemiddelde is None:
        return words.NOTHING
    value = f"{cell.percentage}%" if cell.percentage is not None else number_text(cell.gemiddelde or 0)
    return f"{sign}{value} (n {number_text(cell.noemer, 0)})"
