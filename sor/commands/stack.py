"""``sor up``, ``down``, ``status`` and ``logs``: the stack on this machine."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from local import control, display, logs, resting
from local.disk import is_full
from local.errors import StackError
from local.state import Status, current_statuses, read_statuses
from settings.ports import remembered_ports
from settings.running import running_supervisor
from settings.settings import Settings, load_settings

if TYPE_CHECKING:
    from operations.healing import Finding

NOT_RUNNING = 3
_SHOWN = {"Kafka": "kafka", "ClickHouse": "clickhouse", "Intake": "intake", "Portal": "portal"}
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def register(app: typer.Typer) -> None:
    """Add the commands of the stack to the application."""
    app.command("up")(up)
    app.command("down")(down)
    app.command("stop")(stop)
    app.command("start")(start)
    app.command("status")(status)
    app.command("logs")(show_logs)


def up(
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Return when all is up; it goes on behind.")] = False,
) -> None:
    """Start Kafka, ClickHouse and the stages on this machine and keep them running. Ctrl-C stops them."""
    settings = load_settings()
    console = Console()
    with display.Display(console, lambda: _ready_words(settings, detach)) as show:
        if detach:
            control.detach(settings, show)
        else:
            control.run_stack(settings, show)


def down() -> None:
    """Stop the stack, in reverse order."""
    for sentence in control.stop_stack(load_settings()):
        typer.echo(sentence)


def stop(name: Annotated[str, typer.Argument(help="A process, as sor status names it.")]) -> None:
    """Stop one process of the running stack, until sor start or the next sor up."""
    resting.stop(load_settings().home, name)
    typer.echo(f"{name} is stopped. Start it again with: sor start {name}")


def start(name: Annotated[str, typer.Argument(help="A process that sor stop stopped.")]) -> None:
    """Start a process again that sor stop stopped, and wait until it is ready."""
    resting.start(load_settings().home, name)
    typer.echo(f"{name} is ready.")


def status(as_json: AsJson = False) -> None:
    """Show each process. Ends with 0 when all are up, 1 when some are not, 3 when the stack is not running."""
    settings = load_settings()
    pid = running_supervisor(settings.home)
    statuses, error = current_statuses(settings.home), read_statuses(settings.home)[1]
    if pid and is_full(settings.home):
        error = f"The disk of {settings.home.absolute()} is full: make room there; the stack then goes on by itself."
    ports = remembered_ports(settings)
    if as_json:
        document: dict[str, Any] = {"running": pid is not None, "pid": pid, "home": str(settings.home.absolute())}
        document |= control.addresses(settings, ports) if ports else {}
        document |= {"error": error, "processes": [dataclasses.asdict(entry) for entry in statuses if pid]}
        document["findings"] = [one._asdict() for one in _findings(settings, statuses)] if pid else []
        typer.echo(json.dumps(document, indent=2))
    elif pid is None:
        typer.echo(f"No stack is running in {settings.home.absolute()}. Start it with: sor up")
        if error:
            typer.echo(f"The last one ended with: {error}")
    else:
        Console().print(display.table(statuses))
        if words := _audit_words(settings):
            typer.echo(words)
        for found in _findings(settings, statuses):
            typer.echo(str(found))
        if error:
            typer.echo(error)
    if pid is None:
        raise typer.Exit(NOT_RUNNING)
    if not statuses or not all(entry.up for entry in statuses):
        raise typer.Exit(1)


def _findings(settings: Settings, statuses: Sequence[Status]) -> list[Finding]:
    """Whether log, states and store of a stack that runs belong together."""
    from sor.commands.heal import told

    return told(settings, {one.name for one in statuses if one.up})


def _audit_words(settings: Settings) -> str:
    from operations.audit.kept import kept_words

    return kept_words(settings.home)


def show_logs(
    name: Annotated[str | None, typer.Argument(help="A process, as sor status names it; all when left out.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on printing what is added.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many of the last lines.")] = 20,
) -> None:
    """Print the last lines of a process's log, or of all of them."""
    folder = load_settings().log_dir
    names = logs.names(folder)
    if not names:
        raise StackError(f"There are no logs in {folder.absolute()} yet. Start the stack with: sor up")
    if name is not None and name not in names:
        raise StackError(f"{name} has no log. There are logs of: {', '.join(names)}.")
    paths = [folder / f"{each}.log" for each in names if name in (None, each)]

    def prefix(each: str) -> str:
        return "" if name else f"{each:<13} "

    for path in paths:
        for line in logs.tail(path, lines):
            typer.echo(prefix(path.stem) + line)
    if follow:
        try:
            for each, line in logs.follow(paths):
                typer.echo(prefix(each) + line)
        except KeyboardInterrupt:
            return


def _ready_words(settings: Settings, detached: bool) -> str:
    ports = remembered_ports(settings)
    where = control.addresses(settings, ports) if ports else {}
    stop = "Stop it with: sor down" if detached else "Ctrl-C stops it"
    places = "  ".join(f"{name}: {where.get(word)}" for name, word in _SHOWN.items())
    return f"The stack is up. {places}  {stop}."
