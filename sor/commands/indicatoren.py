"""``sor indicators``: the pages that say what figures and messages mean, from the tables that they are made of."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final

import typer

from results.pages import indicators as figures
from results.pages import levering
from results.pages import messages as messages

#: File in ``docs`` -> its text.
PAGES: Final[dict[str, Callable[[], str]]] = {
    "indicatoren.md": figures.markdown,
    "meldingen.md": messages.markdown,
    "levering.md": levering.markdown,
}


def register(app: typer.Typer) -> None:
    """Add ``sor indicators``."""
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
    folder = location()
    if not folder.is_dir():
        typer.echo("There is no docs folder beside this installation: use --markdown.", err=True)
        raise typer.Exit(2)
    old = [name for name, text in PAGES.items() if not _current(folder / name, text())]
    for name in old:
        if not check:
            (folder / name).write_text(PAGES[name](), "utf-8")
        typer.echo(f"{name} is not current: run sor indicatoren." if check else f"Wrote {name}.", err=check)
    if not old:
        typer.echo("The pages are current.")
    elif check:
        raise typer.Exit(1)


def _current(path: Path, text: str) -> bool:
    return path.exists() and path.read_text("utf-8") == text


def location() -> Path:
    """The folder of pages in a checkout."""
    return Path(str(files("sor"))).parent / "docs"
