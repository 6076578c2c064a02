"""``sor audit``: recompute every row and every state from the log, compare, and mend what differs."""

from __future__ import annotations

import os
import signal
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from crypto.memory import guard
from operations import audit
from operations.audit.full import KEPT, Whole, whole
from operations.audit.opening import Opening
from schemas.registry import ids_of
from settings.running import process_of
from settings.settings import Settings, load_settings

MOVED = 3
#: Stage whose states are audited, as the supervisor of one machine names it.
_STAGE = "trajectories"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("audit")(command)


def command(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    repair: Annotated[bool, typer.Option("--repair", help="Mend what differs, then audit again.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Mend it without asking.")] = False,
) -> None:
    """Recompute every row and state from the log and compare it with ClickHouse, the changelog and the store.

    It needs a copy of the key folder of trajectories (SOR_KEYS), for rows name a client by a keyed hash.
    Ends with 0: equal; 1: not equal; 3: events came in meanwhile. The answer is kept as audit.json in the home folder.
    """
    guard()
    settings = load_settings()
    ids = ids_of(settings.registry)
    opening = Opening(settings, "repair" if repair else "audit", ids)
    found = _audited(opening, "Reading the log")
    if repair and not found.report.moved and (found.rows or found.states or _repeated(found)):
        if not as_json:
            typer.echo("\n".join(audit.sentences(found.report)))
        if not (yes or typer.confirm(_question(found))):
            raise typer.Exit(1)
        _mend(settings, opening, found)
        found = _audited(opening, "Reading the log again")
    report = found.report
    keep(settings.home / KEPT, report.document())
    typer.echo(report.document() if as_json else "\n".join(audit.sentences(report)))
    if not report.equal:
        raise typer.Exit(MOVED if report.moved else 1)


def _audited(opening: Opening, doing: str) -> Whole:
    world = opening()
    with closing(world.client), Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(doing, total=None)
        return whole(world, lambda n: progress.advance(task, n))


def _repeated(found: Whole) -> bool:
    return any(finding.repeated for finding in found.report.findings)


def _question(found: Whole) -> str:
    states = len({one.client for one in found.states})
    words = f"Mend {len({(one.table, one.key) for one in found.rows})} rows"
    return f"{words} and {states} states, for which trajectories stops a moment?" if states else f"{words}?"


def _mend(settings: Settings, opening: Opening, found: Whole) -> None:
    """Rows at once; states while the worker of this machine stands still, which its supervisor starts again."""
    from operations.audit.repair import repair
    from operations.audit.state_repair import States
    from sinks.writer import Writer

    world = opening()
    with closing(world.client), closing(Writer(opening.access)) as writer:

        def states(what: Whole) -> int:
            _stop_worker(settings)
            return States(world)(what)

        mended = repair(found, world, writer, states)
    rows = f"Removed {mended.removed.total()} rows, wrote {mended.written.total()} rows"
    typer.echo(f"{rows} and {mended.states} states.", err=True)


def _stop_worker(settings: Settings) -> None:
    """Ask the worker that ``sor up`` runs here to stop: its folder is taken before its supervisor starts it again."""
    pid = process_of(settings.home, _STAGE) if settings.kafka is None else None
    if pid is not None:
        os.kill(pid, signal.SIGTERM)


def keep(path: Path, document: str) -> None:
    """Write the answer whole or not at all; a folder that takes no file is told and does not spoil the audit."""
    try:
        half = path.with_suffix(".new")
        half.write_text(document + "\n", "utf-8")
        half.replace(path)
    except OSError as problem:
        typer.echo(f"sor: the answer could not be kept as {path} ({type(problem).__name__}).", err=True)
