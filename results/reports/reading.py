"""Reports of outcomes from the tables: a provider's own figures from the live ones, averages from a release alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from typing import Final, NamedTuple

from domain.field.geography import CLUSTERS
from domain.field.words import definitions_sentence
from domain.indicators.catalogue import Sums
from domain.indicators.comparable import released_as
from results.disclosure import own as own_rule
from results.figures import Figure as Counted
from results.filters import Days
from results.own import OWN_INDICATORS, Measured, OwnRequest, own, own_of_all
from results.released import Average as Released
from results.released import averages_sql
from results.reports import periods, words
from results.reports.content import Average, Figure, Form, Report
from results.reports.outcomes import TRENDS, Outcomes, report
from sinks import clickhouse
from sinks.access import Access
from sinks.schema.audiences import RELEASES, of_providers

#: What a report of a provider shows: all but the figures of CBS files, which have a report of their own.
KEYS: Final = tuple(key for key, one in OWN_INDICATORS.items() if one.provenance != "cbs")
_YEAR: Final = "vier_kwartalen"
#: Errors of ClickHouse: no such table, no such database.
_ABSENT: Final = frozenset({60, 81})

Periods = Mapping[str, Measured]
#: Key -> its figures by period; the empty period is that of the whole report.
Own = Mapping[str, Periods]


class Averages(NamedTuple):
    """Key -> what was released of it, the newest first; ``number``: of the release that readers see."""

    number: int
    found: Mapping[str, tuple[Released, ...]]


def providers(
    access: Access, month: str, made_on: str, chosen: Collection[tuple[str, str]] | None = None
) -> Iterator[Report]:
    """The report of every provider in every cluster with anything to count, or of the chosen ones. In a fixed order.

    Raises:
        UnavailableError, RefusedError: ClickHouse is away, or a table is missing.
    """
    whole, trends = _days(month), _trend_days(month)
    if chosen is not None and len(chosen) <= _FEW:
        asked = {one: _one(access, *one, month) for one in chosen}
    else:
        asked = own_of_all(access, KEYS, on=whole[1], period=Days(*whole))
        later = own_of_all(access, TRENDS, on=whole[1], period=Days(*trends), step="kwartaal")
        asked = {one: _joined(found, later.get(one, {})) for one, found in asked.items()}
    released = {cluster: averages_of(access, cluster) for cluster in CLUSTERS}
    for provider, cluster in sorted(asked):
        if cluster in released and (chosen is None or (provider, cluster) in chosen):
            yield _provider(provider, cluster, month, made_on, asked[provider, cluster], released[cluster])


#: So few are asked one by one.
_FEW: Final = 3


def _one(access: Access, provider: str, cluster: str, month: str) -> dict[str, dict[str, Measured]]:
    whole, trends = _days(month), _trend_days(month)
    request = OwnRequest(aanbieder=provider, cluster=cluster, on=whole[1], period=Days(*whole), keys=KEYS)
    found = {key: {"": one.measured} for key, one in own(access, request).items()}
    request = OwnRequest(aanbieder=provider, cluster=cluster, on=whole[1], period=Days(*trends), keys=TRENDS)
    later = {
        key: {point.figure.group: point for point in one.trend["kwartaal"]} for key, one in own(access, request).items()
    }
    return _joined(found, later)


def _joined(first: Own, second: Own) -> dict[str, dict[str, Measured]]:
    return {key: {**first.get(key, {}), **second.get(key, {})} for key in {*first, *second}}


def averages_of(access: Access, cluster: str, database: str = "") -> Averages:
    """What was released of a whole cluster, in the tables of its providers or of another audience; nothing before the
    first release.

    Raises:
        UnavailableError, RefusedError: ClickHouse is away, or the user may not read the release.
    """
    providers_of = of_providers(cluster)
    query = averages_sql(cluster).replace(f"{providers_of}.", f"{database or providers_of}.")
    numbers = f"SELECT max(vrijgave) FROM {database or providers_of}.{RELEASES} WHERE status = 'gepubliceerd'"  # noqa: S608
    client = clickhouse.connect(access)
    try:
        rows = [Released(*row) for row in clickhouse.select(client, query)]
        ((number,),) = clickhouse.select(client, numbers)
    except clickhouse.RefusedError as error:
        if error.code in _ABSENT:
            return Averages(0, {})
        raise
    finally:
        client.close()
    keys = dict.fromkeys(one.indicator for one in rows)
    return Averages(int(number), {key: tuple(one for one in rows if one.indicator == key) for key in keys})


def _days(month: str) -> tuple[date, date]:
    return periods.first_day(periods.later(month, -11)), periods.last_day(month)


def _trend_days(month: str) -> tuple[date, date]:
    return periods.days_of_quarters(periods.quarters(month))


def _provider(provider: str, cluster: str, month: str, made_on: str, found: Own, released: Averages) -> Report:
    quarters = periods.quarters(month)
    whole = {key: found.get(key, {}).get("") or _nothing(key) for key in KEYS}
    versions = {version for one in whole.values() for version in one.figure.versions}
    years = {key: one for key in KEYS if (one := _newest(released.found.get(released_as(key), ())))}
    return report(
        Outcomes(
            kind="aanbieder",
            provider=provider,
            cluster=cluster,
            month=month,
            period=words.twelve_months(periods.later(month, -11), month),
            made_on=made_on,
            figures={key: own_figure(one, years.get(key)) for key, one in whole.items()},
            quarters=tuple(map(words.quarter_short, quarters)),
            trends={key: tuple(_point(key, quarter, found, released) for quarter in quarters) for key in TRENDS},
            release=released.number if years else 0,
            quarter=max((one.periode for one in years.values()), default=""),
            notes=(*_older(years), definitions_sentence(versions)),
        )
    )


def _nothing(key: str) -> Measured:
    """The figure of a provider without rows of its kind."""
    return Measured(Counted("", OWN_INDICATORS[key], Sums(0, 0, 0, 0), own_rule()), None)


def _newest(found: Iterable[Released]) -> Released | None:
    return next((one for one in found if one.periode_soort == _YEAR and one.value is not None), None)


def _older(years: Mapping[str, Released]) -> Iterator[str]:
    """Figures that are known only some time after the event are released of quarters before the newest."""
    newest = max((one.periode for one in years.values()), default="")
    earlier: dict[str, list[str]] = {}
    for key, one in years.items():
        if one.periode != newest:
            earlier.setdefault(one.periode, []).append(OWN_INDICATORS[key].name)
    for quarter, titles in sorted(earlier.items()):
        yield words.averages_older(quarter, titles)


def own_figure(measured: Measured, average: Released | None = None) -> Figure:
    """A figure of a provider's own rows, which it sees whole, with the released average of the same figure."""
    figure, interval = measured
    indicator = figure.indicator
    return Figure(
        key=indicator.key,
        title=indicator.title,
        unit=indicator.unit,
        value=figure.value,
        counted=figure.counted,
        excluded=figure.excluded_text,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        average=_average(average) if average is not None else None,
        mark=indicator.mark,
    )


def _average(one: Released) -> Average | None:
    return None if one.value is None else Average(one.value, form(one), one.noemer)


def form(one: Released) -> Form:
    """A bound of the numerator is one of the percentage; a mean is what it is."""
    return one.vorm if one.percentage is not None else "="


def _point(key: str, quarter: str, found: Own, released: Averages) -> Figure:
    of_quarter = (
        one
        for one in released.found.get(released_as(key), ())
        if one.periode_soort == "kwartaal" and one.periode == quarter
    )
    average = next(of_quarter, None)
    measured = found.get(key, {}).get(quarter)
    if measured is not None:
        return own_figure(measured, average)
    indicator = OWN_INDICATORS[key]
    beside = _average(average) if average is not None else None
    return Figure(
        key=key, title=indicator.title, unit=indicator.unit, value=None, counted=None, average=beside,
        mark=indicator.mark,
    )  # fmt: skip
