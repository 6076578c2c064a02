"""``sor rights``: who may do what at the broker and in ClickHouse, as a page and as the users file of a server."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from operations import rights_page
from sinks.schema.server import users_xml
from sor.generated import keep_current


def register(app: typer.Typer) -> None:
    """Add ``sor rights``."""
    app.command("rights")(rights)


def rights(
    write: Annotated[
        bool, typer.Option("--write", help="Write docs/rights.md and deploy/clickhouse/users.xml.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; ends with 1 when one of them is not current.")
    ] = False,
) -> None:
    """Show who may do what at the broker and in ClickHouse, or write it down (docs/rights.md, users of a server)."""
    if not (write or check):
        typer.echo(rights_page.markdown())
        return
    keep_current(made(), "sor rights --write", "The rights are written down as they are declared.", check=check)


def made() -> dict[Path, str]:
    """Every file in a checkout with the text that it should have."""
    root = Path(str(files("sor"))).parent
    return {
        root / "docs" / "rights.md": rights_page.markdown(),
        root / "deploy" / "clickhouse" / "users.xml": users_xml(),
    }
