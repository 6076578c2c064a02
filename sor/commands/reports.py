"""``sor reports``: all reports of a month, made and sent; what lies in the outbox."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from connectors import masking
from crypto.memory import guard
from results.reports.run import Tally
from settings.settings import load_settings
from sor import reporting
from sor.commands.report import Database

_NOT_ALL: Final = 1


def register(app: typer.Typer) -> None:
    """Add ``sor reports``."""
    group = typer.Typer(no_args_is_help=True, help="All reports of a month: make and send them, see what there is.")
    group.command("run")(run)
    group.command("list")(list_)
    app.add_typer(group, name="reports")


def run(
    month: Annotated[str, typer.Option("--month", help="Which month, such as 2026-10.")],
    mail: Annotated[bool, typer.Option("--mail/--no-mail", help="Send them to who has an address.")] = True,
    processes: Annotated[int, typer.Option("--processes", min=1, help="Processes that make the PDFs.")] = 2,
    database: Database = "sor",
) -> None:
    """Make every report of a month, put it into the outbox, and send it once. Again does only what is left.

    Ends with 0: done; 1: a mail was not taken, and the same command tries it again; 2: cannot be done.
    """
    guard()
    settings = load_settings()
    month = reporting.month_of(month)
    access = reporting.access(settings, database)
    tally = reporting.run_month(settings, access, month, mail=mail, processes=processes, tell=progress)
    typer.echo(said(tally, month))
    if tally.failed:
        typer.echo(f"sor: {masking.plain(tally.problem)}", err=True)
        raise typer.Exit(_NOT_ALL)


def said(tally: Tally, month: str) -> str:
    """What became of a run, in one line."""
    parts = [f"{month}: {tally.made} reports made", f"{tally.sent} sent"]
    parts += [f"{tally.before} sent before"] if tally.before else []
    parts += [f"{tally.without_address} without an address"] if tally.without_address else []
    parts += [f"{tally.failed} not taken by the mail server"] if tally.failed else []
    return ", ".join(parts) + "."


def progress(done: int, every: int) -> None:
    """On a terminal how far it is; elsewhere every hundred."""
    if sys.stderr.isatty():
        typer.echo(f"\r{done} of {every} reports", nl=done == every, err=True)
    elif done == every or done % 100 == 0:
        typer.echo(f"{done} of {every} reports", err=True)


def list_() -> None:
    """Show the reports in the outbox, and until when it keeps them."""
    settings = load_settings()
    outbox = reporting.folder(settings)
    for file in outbox.files():
        written = datetime.fromtimestamp(file.stat().st_mtime, UTC)
        typer.echo(f"{written:%Y-%m-%d}  {file}")
    keeps = f"{settings.report_days} days" if settings.report_days else "for good"
    typer.echo(f"{outbox.folder} keeps reports {keeps}.", err=True)
