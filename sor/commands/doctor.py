"""``sor doctor``: what is not as it should be, on this machine and in the running system, and what to do about each."""

from __future__ import annotations

import dataclasses
import json
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from crypto.memory import guard
from operations.doctor import examination
from operations.doctor.finding import Finding
from operations.doctor.judging import worst
from settings.settings import load_settings

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(examine)


def examine(as_json: AsJson = False) -> None:
    """Look at this machine and at the running system: what is not as it should be, and what to do. Ends with 1 on a
    problem.

    Keys, certificates, clocks, versions, lag, disk, and whether topics, tables, contracts and rights are as declared.
    Where a part is away it says so and goes on. It changes nothing.
    """
    guard()
    tell(list(examination.examine(load_settings())), as_json=as_json)


def tell(findings: list[Finding], *, as_json: bool) -> None:
    """Show findings; ends with 1 when one of them is a problem."""
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(finding) for finding in findings], indent=2))
    else:
        _print(findings)
    if worst(findings) == "problem":
        raise typer.Exit(1)


def _print(findings: list[Finding]) -> None:
    colours = {"ok": "green", "warning": "yellow", "problem": "red"}
    console = Console()
    for finding in findings:
        line = Text(f"{finding.name:<14}").append(f"{finding.level:<9}", colours[finding.level]).append(finding.found)
        console.print(line, soft_wrap=True)
        if finding.advice:
            console.print(Text(f"{'':<23}{finding.advice}"), soft_wrap=True)
