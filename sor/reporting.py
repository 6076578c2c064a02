"""Reports from what this installation has: the folder, the journal, the mail; all of a month, or one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final

from domain.field.dates import as_date, dutch_day
from results.reports import almere, deliveries, every, journal, periods, reading, released, run
from results.reports.content import Report
from results.reports.outbox import Outbox
from results.reports.words import day_text
from settings.access import clickhouse_access
from settings.settings import Settings, SettingsError
from sinks.access import Access
from sinks.schema.users import ClickHouseUser
from sor.mailing import mailer

#: Who asks the tables: reports hold rows of every provider and what was released to each audience.
_USER: Final[ClickHouseUser] = "reports"


def today() -> date:
    """The Dutch day."""
    return as_date(dutch_day(time.time_ns() // 1_000_000))


def access(settings: Settings, database: str) -> Access:
    """ClickHouse for reports. ``SettingsError`` when it is not there."""
    return replace(clickhouse_access(settings, _USER), database=database)


def folder(settings: Settings) -> Outbox:
    """The folder of the settings, with how long it keeps a report."""
    return Outbox(settings.report_outbox or settings.home / "reports", settings.report_days)


def journal_path(settings: Settings) -> Path:
    """What was sent: outside the folder, so that it outlives what that forgets."""
    return settings.home / "verzonden.sqlite"


def month_of(text: str) -> str:
    """A month that was given, else the newest that is over; ``SettingsError`` for what is none, or is not over."""
    if not text:
        return periods.newest_month(today())
    if not periods.is_month(text):
        raise SettingsError(f"{text!r} is no month: write it as 2026-10.")
    if periods.last_day(text) >= today():
        raise SettingsError(f"{text} is not over yet.")
    return text


def run_month(
    settings: Settings,
    asked: Access,
    month: str,
    *,
    averages: bool = True,
    mail: bool = True,
    processes: int = 2,
    tell: Callable[[int, int], None] = lambda _done, _all: None,
) -> run.Tally:
    """Make, write and send all reports of a month; what is too old in the folder goes first. Without ``averages``: only
    the reports that have none.

    Raises:
        OperatorFault: ClickHouse, the folder, the journal or the addresses cannot be used. What was sent stays noted.
    """
    sender = mailer(settings) if mail else None
    outbox = folder(settings)
    with journal.opened(journal_path(settings)) as sent:
        outbox.forget()
        made_on = day_text(today())
        if averages:
            reports, beside = every.of_month(asked, month, made_on)
        else:
            reports, beside = list(every.of_deliveries(asked, month, made_on)), {}
        return run.run(reports, beside, outbox, sent, sender, processes=processes, tell=tell)


def one(asked: Access, kind: str, provider: str, cluster: str, period: str) -> Report | None:
    """A single report; None when there is nothing to make it of."""
    made_on = day_text(today())
    if kind == "spiegel":
        return next(deliveries.mirror_reports(asked, period, made_on, provider), None)
    if kind == "cem":
        return next(deliveries.cem_reports(asked, period, made_on, provider), None)
    if kind == "gemiddelde":
        return released.average(asked, cluster, period, made_on)
    if kind == "gemeente":
        return almere.report_of(asked, period, made_on)
    if kind == "cluster":
        return released.cluster_report(asked, cluster, period, made_on)
    return next(reading.providers(asked, period, made_on, [(provider, cluster)]), None)
