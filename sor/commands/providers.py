"""``sor providers``: which providers see their own results in Grafana (decision 0033)."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from settings.settings import load_settings
from sinks.schema import providers
from sinks.schema.server import providers_xml
from sor.commands.options import AsJson

Code = Annotated[str, typer.Argument(metavar="AGB", help="AGB code of the provider.")]
_NEXT = "Start ClickHouse again (sor down, sor up), then: sor migrate, sor grafana apply."


def register(app: typer.Typer) -> None:
    """Add ``sor providers``."""
    group = typer.Typer(
        no_args_is_help=True, help="Providers that see their own results in Grafana: who has a login, and its users."
    )
    for name, command in (("add", add), ("remove", remove), ("list", list_), ("rights", rights)):
        group.command(name)(command)
    app.add_typer(group, name="providers")


def add(
    agb: Code,
    cluster: Annotated[
        list[str] | None, typer.Option(help="A cluster whose released averages it sees; more than once.")
    ] = None,
) -> None:
    """Give a provider a login to its own results, or other clusters. Again changes nothing."""
    path = load_settings().home / providers.LIST
    there, new = providers.load(path), providers.checked(agb, cluster or [])
    if new in there:
        typer.echo(f"Provider {agb} has a login already.")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    providers.save(path, providers.added(there, new))
    typer.echo(f"Provider {agb} is in {path}. {_NEXT}")


def remove(agb: Code) -> None:
    """Take its login from a provider: its views go at the next sor migrate, its user at the next start."""
    path = load_settings().home / providers.LIST
    there = providers.load(path)
    old = next((one for one in there if one.agb == agb and one.active), None)
    if old is None:
        typer.echo(f"Provider {agb} has no login.", err=True)
        raise typer.Exit(1)
    providers.save(path, providers.added(there, old._replace(active=False)))
    typer.echo(f"Provider {agb} is off the list. {_NEXT}")


def list_(as_json: AsJson = False) -> None:
    """Show who has a login, and of which clusters it sees the averages."""
    found = [one for one in providers.load(load_settings().home / providers.LIST) if one.active]
    if as_json:
        typer.echo(json.dumps([{"agb": one.agb, "clusters": list(one.clusters)} for one in found], indent=2))
        return
    for one in found:
        typer.echo(f"{one.agb}: {', '.join(one.clusters)}")
    if not found:
        typer.echo("No provider has a login.")


def rights() -> None:
    """Print the users of these providers for a ClickHouse server: a file for users.d, without passwords."""
    typer.echo(providers_xml(providers.load(load_settings().home / providers.LIST)), nl=False)
