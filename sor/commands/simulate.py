"""``sor simulate``: made-up files in the field's formats, and what must come out of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bars

from tools.simulator import Progress, SimulationConfig, Summary, simulate

REFRESH = 50  # files or clients between two updates of a bar


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("simulate")(command)


def command(
    out: Annotated[Path, typer.Option("--out", help="Directory to write to; made when missing.", show_default=False)],
    clients: Annotated[int, typer.Option("--clients", min=1, help="Number of young people.")] = 1000,
    months: Annotated[int, typer.Option("--months", min=1, help="Months of care, the last one that of --until.")] = 24,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same bytes.")] = 1,
    until: Annotated[
        datetime, typer.Option("--until", formats=["%Y-%m-%d"], help="Last day of which anything is known.")
    ] = datetime(2026, 6, 30),  # noqa: DTZ001 -- a day, typer has no date type
    faults: Annotated[
        bool, typer.Option("--faults", help="Plant duplicates, corrections, late and broken files.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an earlier simulation in --out.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Write made-up messages, answers, scores, questionnaires and CBS files, with the figures that must come out."""
    config = SimulationConfig(clients, months, seed, date(until.year, until.month, until.day), faults, force)
    with _progress(quiet=as_json) as progress:
        summary = simulate(config, out, progress)
    typer.echo(json.dumps(summary.document()) if as_json else _text(summary, out))


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Progress | None]:
    """Bars on a terminal, nothing elsewhere."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description:<16}"), BarColumn(), MofNCompleteColumn())
    with Bars(*columns, console=console, transient=True) as bars:
        tasks = {}

        def tell(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step, total=total or None)
            if done == total or done % REFRESH == 0:
                bars.update(tasks[step], completed=done)

        yield tell


def _text(summary: Summary, out: Path) -> str:
    planted = f", {summary.interventions} faults planted" if summary.interventions else ""
    return (
        f"{out}: {summary.files} files, {summary.bytes / 1e6:.1f} MB{planted}. {summary.clients} clients, "
        f"{summary.aanbieders} providers, {summary.trajecten} trajecten, {summary.leveringen} leveringen, "
        f"{summary.metingen} metingen, {summary.scores} scores, {summary.declaraties} declared lines, "
        f"{summary.cbs_records} CBS records."
    )
