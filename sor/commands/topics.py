"""``sor topics``: make the broker's topics equal to the declared ones."""

from __future__ import annotations

import json
from typing import Annotated, Final

import typer

from schemas import registry
from schemas.topics import topics
from settings.access import kafka_cluster
from settings.settings import load_settings
from sor.options import given, setting
from transport.topics import MADE, Change, apply, plan

_CONTRACT: Final = "contract"
_MADE: Final = (*MADE, _CONTRACT)


def register(app: typer.Typer) -> None:
    """Add ``sor topics``."""
    group = typer.Typer(no_args_is_help=True, help="Topics as schemas/topics.toml declares them.")
    group.command("apply")(apply_)
    group.command("list")(list_)
    app.add_typer(group, name="topics")


def apply_(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Only show the difference; ends with 1 when there is one.")
    ] = False,
    acls: Annotated[
        bool,
        typer.Option("--acls", help="Access rules too (a broker with an authorizer): surplus rights are taken away."),
    ] = False,
    replication: Annotated[int | None, setting("replication", "--replication")] = None,
) -> None:
    """Show what differs, then create or reconcile. What a person must decide is only shown.

    With SOR_REGISTRY the registry gets the contracts too: the stages then need only read there.
    """
    settings = load_settings(**given(replication=replication))
    cluster = kafka_cluster(settings)
    contracts = registry.missing(settings.registry) if settings.registry else {}
    changes = [
        *plan(cluster, settings.partitions, replication=settings.replication, acls=acls),
        *(Change(subject, _CONTRACT, "not in the registry") for subject in contracts),
    ]
    for change in changes:
        typer.echo(f"{change.kind:10} {change.topic}: {change.detail}")
    if not changes:
        typer.echo(f"All {len(topics())} topics are as declared.")
        return
    number = sum(change.kind in _MADE for change in changes)
    if check or (number and not (yes or typer.confirm(f"Make these {number} changes?"))):
        raise typer.Exit(1)
    apply(cluster, changes, settings.partitions, settings.replication)
    if settings.registry:
        registry.lay_down(settings.registry, contracts)
    typer.echo(_done(changes))


def list_(as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """The declared topics."""
    if as_json:
        typer.echo(json.dumps([topic._asdict() for topic in topics().values()]))
        return
    for topic in topics().values():
        writers, readers = ", ".join(topic.write), ", ".join(topic.read)
        typer.echo(f"{topic.name:45} key {topic.key:35} {writers} -> {readers}")


def _done(changes: list[Change]) -> str:
    created = sum(change.kind == "create" for change in changes)
    made = sum(change.kind in _MADE for change in changes)
    return f"Created {created} topics, made {made - created} other changes."
