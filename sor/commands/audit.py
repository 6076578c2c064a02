"""``sor audit``: recompute every row from the log and compare."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from crypto.client_names import ClientNames
from crypto.keys import load_trajectories
from crypto.memory import guard
from operations import audit
from schemas.registry import registry_ids
from settings.access import clickhouse_access, kafka_cluster
from settings.settings import load_settings
from settings.tables import definitions_in_force
from sinks import clickhouse
from sinks.access import Access

MOVED = 3
#: The last answer, in the home folder; the exporter shows its age and differences.
KEPT = "audit.json"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("audit")(command)


def command(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False) -> None:
    """Recompute every row from the log and compare it with ClickHouse.

    It needs a copy of the key folder of trajectories (SOR_KEYS), for rows name a client by a keyed hash.
    Ends with 0: equal; 1: not equal; 3: events came in meanwhile. The answer is kept as audit.json in the home folder.
    """
    guard()
    settings = load_settings()
    names = ClientNames(load_trajectories(settings.keys))
    found = clickhouse_access(settings, "audit")
    ids = registry_ids(settings.registry) if settings.registry else None
    definitions, cluster = definitions_in_force(settings), kafka_cluster(settings)
    client = clickhouse.connect(Access(found.url, found.user, found.password, "sor"))
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("Reading the log", total=None)
        report = audit.run(cluster, client, names, lambda n: progress.advance(task, n), ids, definitions)
    document = json.dumps(dataclasses.asdict(report) | {"equal": report.equal}, indent=2)
    keep(settings.home / KEPT, document)
    if as_json:
        typer.echo(document)
    else:
        typer.echo("\n".join(audit.sentences(report)))
    if not report.equal:
        raise typer.Exit(MOVED if report.moved else 1)


def keep(path: Path, document: str) -> None:
    """Write the answer whole or not at all; a folder that takes no file is told and does not spoil the audit."""
    try:
        half = path.with_suffix(".new")
        half.write_text(document + "\n", "utf-8")
        half.replace(path)
    except OSError as problem:
        typer.echo(f"sor: the answer could not be kept as {path} ({type(problem).__name__}).", err=True)
