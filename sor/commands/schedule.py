"""``sor schedule``: what a timer runs each day. It closes a month when that is due, and else does nothing."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer

from crypto.memory import guard
from results.reports.closing import close
from results.reports.run import Tally
from results.reports.state import STATE, State
from settings.settings import SettingsError, load_settings
from sinks.schema.users import DATABASE
from sor import reporting
from sor.commands.reports import progress
from sor.releasing import Releases


def register(app: typer.Typer) -> None:
    """Add ``sor schedule``."""
    app.command("schedule")(schedule)


def schedule(
    day: Annotated[
        str, typer.Option("--day", metavar="YYYY-MM-DD", help="Do what is due on this day; else today.")
    ] = "",
    again: Annotated[
        bool, typer.Option("--again", help="Build another release although the gate refused one of this month.")
    ] = False,
) -> None:
    """Close the month that is due: build, prove and publish a release, then make and send the reports.

    For a timer, each day: what was missed is caught up, and what was done is not done again. The fixed day is that of
    SOR_CLOSING_DAY.

    A release that the gate refused is tried again when its definitions are others or another release came out or was
    withdrawn, and with --again; until then the month waits, and only reports without averages go out.

    Ends with 0: done, or nothing is due; 2: a step failed, what is published stays as it is, and the next run goes on.
    """
    guard()
    settings = load_settings()
    access = reporting.access(settings, DATABASE)

    def reports(month: str, *, averages: bool) -> Tally:
        return reporting.run_month(settings, access, month, averages=averages, tell=progress)

    state, releases = State(settings.home / STATE), Releases(settings, DATABASE)
    closed = close(_day(day), settings.closing_day, state, releases, reports, typer.echo, again=again)
    typer.echo(f"Closed {', '.join(closed)}." if closed else "Nothing is due.")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text) if text else reporting.today()
    except ValueError:
        raise SettingsError(f"{text!r} is no day; write it as 2026-11-15.") from None
