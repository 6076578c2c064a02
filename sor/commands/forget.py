"""``sor forget``: everything of a client leaves the log, the states, the topics and the tables (decision 0027)."""

from __future__ import annotations

import getpass
import json
import time
from pathlib import Path
from typing import Annotated, Final

import typer

from crypto.client_names import ClientNames
from crypto.key_files import locked
from crypto.keys import load_trajectories
from crypto.memory import guard
from operations import certificates
from operations.erasing_topics import World
from operations.forgetting import entered, forget
from schemas.registry import ids_of
from settings.access import clickhouse_access, kafka_cluster
from settings.settings import load_settings
from sinks import clickhouse
from sor.commands.ordering import AsJson, Reason
from sor.commands.pseudonyms import ASK, pseudonyms

FOLDER: Final = "erasures"
NOT_ALL: Final = 1


def register(app: typer.Typer) -> None:
    """Add ``sor forget``."""
    app.command("forget")(command)


def command(
    reden: Reason,
    pseudonym: Annotated[
        str, typer.Option(metavar="FILE", help="A file with pseudonyms, one a line; - asks for one.")
    ] = ASK,
    patience: Annotated[float, typer.Option(help="Seconds that a stage is waited for.")] = 600.0,
    as_json: AsJson = False,
) -> None:
    """Forget clients for good: their facts leave the log, the states, the compacted topics and the tables.

    It needs the key folder of trajectories, and to be the administrator of Kafka and of ClickHouse. Every stage must
    run. What was published of them before now is refused from now on, wherever it comes from; what a source delivers
    anew counts. The certificate is kept in the folder erasures of the home folder. Ends with 1 when something is left
    that another run removes.
    """
    guard()
    settings = load_settings()
    clients = pseudonyms(pseudonym)
    cluster = kafka_cluster(settings)
    ids = ids_of(settings.registry)
    names = ClientNames(load_trajectories(settings.keys))
    client = clickhouse.connect(clickhouse_access(settings, "admin"))
    with locked(settings.keys):
        certificate, ledger = entered(cluster, settings.keys, clients, ids)
    forget(World(cluster, client, names, ledger, ids), certificate, clients, _say, patience)
    now = int(time.time() * 1000)
    told = certificates.document(certificate, done_at=now, by=getpass.getuser(), reason=reden)
    kept = _kept(settings.home / FOLDER, json.dumps(told, indent=2), certificate.moment)
    typer.echo(json.dumps(told, indent=2) if as_json else "\n".join(certificates.sentences(certificate, done_at=now)))
    _say(f"Kept as {kept}.")
    if not certificates.complete(certificate):
        raise typer.Exit(NOT_ALL)


def _say(sentence: str) -> None:
    typer.echo(f"{time.strftime('%H:%M:%S')} {sentence}", err=True)


def _kept(folder: Path, content: str, moment: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{moment}.json"
    path.write_text(content + "\n", "utf-8")
    return path
