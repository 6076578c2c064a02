"""``sor indicatoren``: the page that says what every figure means, from the tables that the figures are made of."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from sor.indicatoren import markdown


def register(app: typer.Typer) -> None:
    """Add ``sor indicatoren``."""
    app.command("indicatoren")(indicatoren)


def indicatoren(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; ends with 1 when docs/indicatoren.md is not current.")
    ] = False,
    to_screen: Annotated[bool, typer.Option("--markdown", help="Print the page instead of writing it.")] = False,
) -> None:
    """Write docs/indicatoren.md: every figure in words, its formula, what is left out and what is not confirmed."""
    if to_screen:
        typer.echo(markdown(), nl=False)
        return
    path = location()
    if not path.parent.is_dir():
        typer.echo("There is no docs folder beside this installation: use --markdown.", err=True)
        raise typer.Exit(2)
    if path.exists() and path.read_text("utf-8") == markdown():
        typer.echo("indicatoren.md is current.")
    elif check:
        typer.echo("indicatoren.md is not current: run sor indicatoren.", err=True)
        raise typer.Exit(1)
    else:
        path.write_text(markdown(), "utf-8")
        typer.echo("Wrote indicatoren.md.")


def location() -> Path:
    """The page in a checkout."""
    return Path(str(files("sor"))).parent / "docs" / "indicatoren.md"
