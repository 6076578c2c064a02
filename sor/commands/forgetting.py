"""What both ways of ``sor forget`` share: the connections of who carries it out, and carrying it out."""

from __future__ import annotations

import getpass
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import typer

from crypto.client_names import ClientNames
from crypto.key_files import locked
from crypto.keys import load_trajectories
from operations import certificates
from operations.erasing_topics import World
from operations.forgetting import Request, entered, forget
from schemas.codec import IdSource
from schemas.registry import ids_of
from settings.access import clickhouse_access, kafka_cluster
from settings.settings import Settings
from sinks import clickhouse
from transport.clients import Cluster

FOLDER: Final = "erasures"
NOT_ALL: Final = 1


class Work(NamedTuple):
    """Where the data are, with what right, why, and how it is told."""

    settings: Settings
    cluster: Cluster
    client: Any  # of ClickHouse, as its administrator
    names: ClientNames
    ids: IdSource | None
    reason: str
    patience: float  # seconds that a stage is waited for
    as_json: bool


def opened(settings: Settings, reason: str, patience: float, *, as_json: bool) -> Work:
    """The connections; errors as those of the keys and of ClickHouse."""
    ids, names = ids_of(settings.registry), ClientNames(load_trajectories(settings.keys))
    client = clickhouse.connect(clickhouse_access(settings, "admin"))
    return Work(settings, kafka_cluster(settings), client, names, ids, reason, patience, as_json)


def carry_out(work: Work, clients: Sequence[bytes], asked: Sequence[Request]) -> None:
    """Forget these clients and keep the certificate; ends the command with 1 when something is left."""
    with locked(work.settings.keys):
        certificate, ledger = entered(work.cluster, work.settings.keys, clients, work.ids)
    certificate.asked += asked
    forget(World(work.cluster, work.client, work.names, ledger, work.ids), certificate, clients, say, work.patience)
    now = int(time.time() * 1000)
    told = certificates.document(certificate, done_at=now, by=getpass.getuser(), reason=work.reason)
    text = "\n".join(certificates.sentences(certificate, done_at=now))
    typer.echo(json.dumps(told, indent=2) if work.as_json else text)
    keep(work, f"{certificate.moment}.json", told)
    if not certificates.complete(certificate):
        raise typer.Exit(NOT_ALL)


def keep(work: Work, name: str, told: dict[str, Any]) -> None:
    """Keep what was done in the home folder."""
    path: Path = work.settings.home / FOLDER / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(told, indent=2) + "\n", "utf-8")
    say(f"Kept as {path}.")


def say(sentence: str) -> None:
    """What goes on, beside what is printed."""
    typer.echo(f"{time.strftime('%H:%M:%S')} {sentence}", err=True)
