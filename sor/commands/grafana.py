"""``sor grafana``: lay down the Grafana of the audiences, and show which organizations that has."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from operations.grafana import laying
from operations.grafana.server import Server
from operations.grafana.wanted import readers_of, wanted
from results.dashboards import audiences
from settings.secrets import read_secret
from settings.settings import Settings, SettingsError, load_settings
from sinks.schema.providers import LIST, load

#: How ``sor grafana apply`` with ``--check`` ends when something is not as declared.
_DIFFERS: Final = 1


def register(app: typer.Typer) -> None:
    """Add ``sor grafana``."""
    group = typer.Typer(no_args_is_help=True, help="The Grafana of the audiences: lay it down from the list, show it.")
    group.command("apply")(apply)
    group.command("list")(list_)
    app.add_typer(group, name="grafana")


def apply(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; ends with 1 when something is not as declared.")
    ] = False,
) -> None:
    """Make every organization with its data sources, pages and readers, over Grafana's API. Again does what is left.

    Passwords of ClickHouse come from <home>/secrets/<user>. What nobody declared is named and stays.

    Ends with 0: done; 1: with --check, something differs; 2: cannot be done, and the next run goes on.
    """
    settings = load_settings()
    readers = readers_of(settings.grafana_readers) if settings.grafana_readers else None
    every = wanted(readers, load(settings.home / LIST))
    server = _server(settings)
    try:
        laid = laying.lay(server, every, lambda user: read_secret(settings.secrets_dir / user), typer.echo, look=check)
    finally:
        server.close()
    for name in laid.foreign:
        typer.echo(f"Declared by nobody: {name}", err=True)
    if laid.not_mailed:
        typer.echo(f"{laid.not_mailed} invitations were not mailed: give people the link that Grafana shows.", err=True)
    typer.echo(said(laid, len(every), check=check))
    if check and laid.differs:
        raise typer.Exit(_DIFFERS)


def said(laid: laying.Laid, organizations: int, *, check: bool) -> str:
    """What it came to, in one line."""
    found = ", ".join(f"{kind} {many}" for kind, many in sorted(laid.done.items()) if kind != "password")
    done = "would change" if check else "done"
    return f"{organizations} organizations; {done}: {found or 'nothing'}."


def list_(
    users: Annotated[
        bool, typer.Option("--users", help="Only those users, each once: whom a server gives a password.")
    ] = False,
) -> None:
    """Show every organization, and the user of ClickHouse behind each of its data sources."""
    there = list(audiences.organizations(load(load_settings().home / LIST)))
    if users:
        every = (source.database for one in there for source in audiences.sources_of(one))
        typer.echo("\n".join(dict.fromkeys(every)))
        return
    for one in there:
        behind = ", ".join(source.database for source in audiences.sources_of(one))
        typer.echo(f"{one.name}: {behind}")


def _server(settings: Settings) -> Server:
    if settings.grafana is None:
        raise SettingsError("Say with SOR_GRAFANA where the Grafana of the audiences is.")
    password = settings.grafana_password_file or settings.secrets_dir / "grafana_admin"
    return Server(settings.grafana, read_secret(password))
