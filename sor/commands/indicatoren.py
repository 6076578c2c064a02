"""``sor indicatoren``: the pages that say what figures and messages mean, from the tables that they are made of."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final

import typer

from results.pages import indicators as figures
from results.pages import levering, messages
from sor.generated import keep_current

#: File in ``docs`` -> its text.
PAGES: Final[dict[str, Callable[[], str]]] = {
    "indicatoren.md": figures.markdown,
    "meldingen.md": messages.markdown,
    "levering.md": levering.markdown,
}


def register(app: typer.Typer) -> None:
    """Add ``sor indicatoren``."""
    app.command("indicatoren")(indicators)


def indicators(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; ends with 1 when a page is not current.")
    ] = False,
    to_screen: Annotated[bool, typer.Option("--markdown", help="Print the page of the figures.")] = False,
) -> None:
    """Write docs/indicatoren.md and docs/meldingen.md: every figure and every message in words.

    And docs/levering.md: what each message makes of a levering.
    """
    if to_screen:
        typer.echo(figures.markdown(), nl=False)
        return
    pages = {location() / name: text() for name, text in PAGES.items()}
    keep_current(pages, "sor indicatoren", "The pages are current.", check=check)


def location() -> Path:
    """The folder of pages in a checkout."""
    return Path(str(files("sor"))).parent / "docs"
