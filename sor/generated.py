"""Files that are made from the code, committed, and checked to be current: the one way to write or check them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import typer

from faults import EXIT_CANNOT


def keep_current(made: Mapping[Path, str], command: str, all_current: str, *, check: bool) -> None:
    """Write every file whose text is not what it should be; with ``check`` only name them.

    ``made``: file -> text. ``command`` is what to run; ``all_current`` is said when nothing is to do. Ends with 1 when
    ``check`` finds an old file, with 2 where no checkout stands beside this installation.
    """
    if not all(path.parent.is_dir() for path in made):
        typer.echo("There is no checkout beside this installation.", err=True)
        raise typer.Exit(EXIT_CANNOT)
    old = [path for path, text in made.items() if not path.exists() or path.read_text("utf-8") != text]
    for path in old:
        if not check:
            path.write_text(made[path], "utf-8")
        typer.echo(f"{path.name} is not current: run {command}." if check else f"Wrote {path.name}.", err=check)
    if not old:
        typer.echo(all_current)
    elif check:
        raise typer.Exit(1)
