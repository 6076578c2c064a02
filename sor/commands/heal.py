"""``sor heal``: what does not belong together any more, and mending it."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import time
from collections.abc import Collection
from typing import Annotated, Any, Final

import typer
from confluent_kafka import KafkaException

from faults import OperatorFault
from operations import healing
from operations.healing import Act, Finding, Seen
from operations.healing_look import look, told_again, without_rows
from operations.orders import Orders, Why
from schemas.registry import ids_of
from settings.access import clickhouse_access, kafka_cluster
from settings.running import process_of
from settings.settings import Settings, load_settings
from sinks import clickhouse
from transport.lost import clock_epoch

_REASON: Final = "sor heal"
_STORES: Final = {"kafka", "clickhouse", "topics", "migrate"}


def register(app: typer.Typer) -> None:
    """Add ``sor heal``."""
    app.command("heal")(heal)


def heal(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do it, and do not only show it.")] = False,
    receipts: Annotated[
        bool, typer.Option("--receipts", help="Also remove receipts of deliveries that the log no longer has.")
    ] = False,
    rebuild: Annotated[
        list[str] | None,
        typer.Option("--rebuild", help="Have this stage build its states anew from its log, whatever is found."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Show whether log, states and store belong together, and mend it. Ends with 1 when there is something left to do.

    What can be read again heals by itself. This raises the epoch of a stage whose log went back, and removes rows of a
    log that is gone: of those no event is left.
    """
    settings, stages = load_settings(), rebuild or []
    for stage in stages:
        if stage not in healing.SOURCES:
            raise typer.BadParameter(f"{stage} is none of {', '.join(healing.SOURCES)}")
    seen = looked(settings)
    acts = healing.acts(seen, clock_epoch(time.time()), receipts=receipts, rebuild=stages)
    if not as_json:
        _say(seen)
    for act in acts:
        if yes:
            _do(settings, seen, act)
        if not as_json:
            typer.echo(f"{'Done' if yes else 'To do'}: {act.words}.")
    if as_json:
        typer.echo(json.dumps(_document(seen, acts, done=yes), indent=2))
    raise typer.Exit(0 if yes or not (acts or healing.findings(seen)) else 1)


def looked(settings: Settings) -> Seen:
    """What is noted on all sides now; as the user of ClickHouse who may read all of it."""
    client = clickhouse.connect(clickhouse_access(settings, "admin"))
    try:
        return look(kafka_cluster(settings), client)
    finally:
        client.close()


def told(settings: Settings, up: Collection[str]) -> list[Finding]:
    """What there is to say of a stack on this machine of which these processes are up; nothing without its stores."""
    if not set(up) >= _STORES:
        return []
    try:
        return healing.findings(looked(settings))
    except (KafkaException, OperatorFault):
        return []


def _say(seen: Seen) -> None:
    found = healing.findings(seen)
    for one in found:
        typer.echo(str(one))
    if not found:
        typer.echo("Log, states and store belong together.")


def _document(seen: Seen, acts: list[Act], *, done: bool) -> dict[str, Any]:
    return {
        "seen": dataclasses.asdict(seen)["rows"],
        "findings": [one._asdict() for one in healing.findings(seen)],
        "acts": [one._asdict() for one in acts],
        "done": done,
    }


def _do(settings: Settings, seen: Seen, act: Act) -> None:
    if act.kind == "rebuild":
        _order(settings, act)
    elif act.kind == "restart":
        typer.echo(_restarted(settings, act.subject), err=True)
    else:
        client = clickhouse.connect(clickhouse_access(settings, "admin"))
        try:
            if act.kind == "forget":
                told_again(client, act.subject, seen.topics[act.subject].log)
            else:
                without_rows(client, act.subject, act.number)
        finally:
            client.close()


def _order(settings: Settings, act: Act) -> None:
    client = clickhouse.connect(clickhouse_access(settings, "rejected"))
    try:
        orders = Orders(client, kafka_cluster(settings), ids_of(settings.registry))
        orders.rebuild(act.subject, healing.SOURCES[act.subject], act.number, Why.of(_REASON))
    finally:
        client.close()


def _restarted(settings: Settings, process: str) -> str:
    """Ask a process of the stack on this machine to stop: its supervisor starts it again."""
    pid = process_of(settings.home, process)
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
        return f"{process} stops, and its supervisor starts it again."
    return f"Start {process} again where it runs (all workers of it at once): docker-compose restart {process}"
