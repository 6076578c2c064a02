"""Every report of a month, from the tables: what ``sor reports run`` writes and sends. Nothing is rendered here."""

from __future__ import annotations

from collections.abc import Iterator

from domain.field.geography import CLUSTERS
from results.reports import almere, deliveries, periods, reading, released
from results.reports.content import Report
from sinks.access import Access


def of_month(access: Access, month: str, made_on: str) -> tuple[list[Report], dict[str, Report]]:
    """Every report of a month that goes to somebody, and the average of each cluster.

    Raises:
        UnavailableError, RefusedError: ClickHouse is away, or a table is missing.
    """
    averages = {cluster: released.average(access, cluster, month, made_on) for cluster in CLUSTERS}
    known = {cluster: report for cluster, report in averages.items() if report is not None}
    own = reading.providers(access, month, made_on)
    return [*own, *of_deliveries(access, month, made_on), *of_places(access, month, made_on)], known


def of_deliveries(access: Access, month: str, made_on: str) -> Iterator[Report]:
    """What a provider delivered: nothing of a release is in these."""
    yield from deliveries.cem_reports(access, month, made_on)
    if half_year := periods.half_year_closed_by(month):
        yield from deliveries.mirror_reports(access, half_year, made_on)


def of_places(access: Access, month: str, made_on: str) -> Iterator[Report]:
    """What lies in the outbox for a contract manager: nobody is sent it."""
    for cluster in CLUSTERS:
        if (report := released.cluster_report(access, cluster, month, made_on)) is not None:
            yield report
    if (report := almere.report_of(access, month, made_on)) is not None:
        yield report
