"""``sor keys``: make and look at the key folders."""

from __future__ import annotations

from typing import Annotated

import typer

from crypto import keys
from crypto.memory import guard
from crypto.seal import key_id
from settings.settings import load_settings


def register(app: typer.Typer) -> None:
    """Add ``sor keys``."""
    group = typer.Typer(no_args_is_help=True, help="The key folders: public, evaluate, entry, trajectories.")
    group.command("init")(init)
    group.command("complete")(complete)
    group.command("show")(show)
    app.add_typer(group, name="keys")


def init(domain: Annotated[str, typer.Option(help="Domain of the pseudonyms: letters and digits.")] = "jeugd") -> None:
    """Make the key folders. Keys are never overwritten."""
    guard()
    folder = load_settings().keys
    keys.init(folder, domain)
    typer.echo(f"Made {folder}/public, {folder}/evaluate, {folder}/entry and {folder}/trajectories.")
    typer.echo("Give each process its own folder and no other. Keep a copy of evaluate and of entry in two places that")
    typer.echo(
        "no single person can open: together they name every child, and without them no pseudonym can be made again."
    )


def complete() -> None:
    """Make the key folder that keys of an earlier release lack (trajectories), and touch no other."""
    guard()
    folder = load_settings().keys
    if not (folder / keys.PUBLIC).exists():
        raise keys.KeysError(f"There are no keys in {folder} to complete; `sor keys init` makes keys.")
    if not keys.complete(folder):
        typer.echo(f"Nothing is missing in {folder}.")
        return
    typer.echo(f"Made {folder}/trajectories. At its next start that stage gives out every row under new names.")


def show() -> None:
    """Show the names of the public keys, and whether the scalar of evaluate is the published one."""
    guard()
    folder = load_settings().keys
    public = keys.load_public(folder)
    typer.echo(f"suite {public.suite}, epoch {public.epoch}, domain {public.domain}")
    typer.echo(f"evaluate {key_id(public.evaluate).hex()}  entry {key_id(public.entry).hex()}  k·G {public.oprf.hex()}")
    if (folder / keys.EVALUATE).exists():
        keys.load_evaluate(folder)
        typer.echo("The scalar of evaluate is the published one.")
