"""``sor settings``: what is in force here, and the page that explains every setting."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from settings.page import markdown, shown, variable
from settings.settings import Settings, load_settings
from sor.generated import keep_current


def register(app: typer.Typer) -> None:
    """Add ``sor settings``."""
    app.command("settings")(settings)


def settings(
    write: Annotated[bool, typer.Option("--write", help="Write docs/settings.md.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; ends with 1 when the page is not current.")
    ] = False,
) -> None:
    """Show every setting as it is in force here, or write the page that explains them (docs/settings.md)."""
    if not (write or check):
        found = load_settings()
        for name in Settings.model_fields:
            typer.echo(f"{variable(name):32} {shown(getattr(found, name))}")
        return
    keep_current({location(): markdown()}, "sor settings --write", "The page of settings is current.", check=check)


def location() -> Path:
    """The page in a checkout."""
    return Path(str(files("sor"))).parent / "docs" / "settings.md"
