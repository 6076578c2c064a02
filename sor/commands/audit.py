"""``sor audit``: recompute every row from the log and compare."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from schemas.registry import registry_ids
from sinks import clickhouse
from sinks.clickhouse import Access, RefusedError, UnavailableError
from sor import audit
from sor.settings import load_settings
from sor.stack.endpoints import clickhouse_access, kafka_cluster

MOVED, PROBLEM = 3, 2


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("audit")(command)


def command(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False) -> None:
    """Recompute every row from the log and compare it with ClickHouse.

    Ends with 0: equal; 1: not equal; 3: events came in meanwhile.
    """
    settings = load_settings()
    found = clickhouse_access(settings, "admin")
    ids = registry_ids(settings.registry) if settings.registry else None
    try:
        client = clickhouse.connect(Access(found.url, found.user, found.password, "sor"))
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("Reading the log", total=None)
            report = audit.run(kafka_cluster(settings), client, lambda n: progress.advance(task, n), ids)
    except (RefusedError, UnavailableError) as problem:
        typer.echo(f"sor: {problem}", err=True)
        raise typer.Exit(PROBLEM) from None
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(report) | {"equal": report.equal}, indent=2))
    else:
        typer.echo("\n".join(audit.sentences(report)))
    if not report.equal:
        raise typer.Exit(MOVED if report.moved else 1)
