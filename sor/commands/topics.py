"""``sor topics``: make the broker's topics equal to the declared ones."""

from __future__ import annotations

import json
from typing import Annotated, Final

import typer
from confluent_kafka import Message
from rich.console import Console
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from schemas import registry
from schemas.topics import groups, topics
from settings.access import kafka_cluster
from settings.settings import load_settings
from sor.options import given, setting
from transport.orders import read_skips
from transport.topics import MADE, Change, apply, plan

_CONTRACT: Final = "contract"
_MADE: Final = (*MADE, _CONTRACT)
_COLUMNS: Final = (TextColumn("{task.description}: {task.completed:.0f} done"), TimeElapsedColumn())


def register(app: typer.Typer) -> None:
    """Add ``sor topics``."""
    group = typer.Typer(no_args_is_help=True, help="Topics as schemas/topics.toml declares them.")
    group.command("apply")(apply_)
    group.command("list")(list_)
    group.command("repartition")(repartition_)
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


def repartition_(
    count: Annotated[int, typer.Argument(min=2, max=1024, help="Partitions that the log shall have: more than now.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Give the log (sor.events) and the state of trajectories more partitions, while the rest of the stream runs.

    Stop every worker of trajectories first (one machine: sor stop trajectories); it may run again as soon as this says
    so. It needs the rights of the broker's administrator. What was interrupted goes on when it is asked for again.
    """
    from operations import repartition as work

    settings = load_settings()
    cluster = kafka_cluster(settings)
    if not (yes or typer.confirm(f"Give the log {count} partitions? Nothing is lost, and it cannot be taken back.")):
        raise typer.Exit(1)
    ids = registry.ids_of(settings.registry)
    skips = read_skips(cluster, "trajectories", ids)

    def keep(message: Message) -> bool:
        return not skips.leave_out(str(message.topic()), int(message.partition() or 0), int(message.offset() or 0))

    asked = work.Asked(count, work.of_trajectories(), (groups()["takeback"],), keep)
    with Progress(*_COLUMNS, console=Console(stderr=True), transient=True) as progress:
        bars = {step: progress.add_task(step, total=None) for step in ("states", "events")}
        done = work.repartition(cluster, asked, lambda step, n: progress.advance(bars[step], n), _may_run)
    if as_json:
        typer.echo(json.dumps(done._asdict() | {"parts": [str(one.part) for one in done.parts]}))
        return
    copied = sum(one.copied for one in done.parts)
    typer.echo(
        f"The log has {done.now} partitions, before {done.before}: {copied} events copied, {done.states} states."
    )


def _may_run() -> None:
    typer.echo(
        "The states are where they belong: start trajectories again (one machine: sor start trajectories).", err=True
    )


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
