"""``sor backup`` and ``sor restore``: the log and what no log yields; keys into a folder of their own."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer
from confluent_kafka import KafkaException
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from crypto.key_files import as_bytes, read_file
from crypto.keys import NAMES_EPOCH, PUBLIC, RENEWING, load_public
from crypto.memory import guard
from domain.field.dates import dutch_time
from operations.backup import checking, form, key_folders, restoring, taking
from operations.backup.form import BackupError, Manifest
from schemas.registry import ids_of
from settings.access import clickhouse_access, kafka_cluster
from settings.settings import Settings, load_settings

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Keys = Annotated[
    bool, typer.Option("--keys", help="The key folders, and nothing else: they never travel with the log.")
]
Folder = Annotated[Path, typer.Argument(help="A backup, or with --keys a copy of keys.")]
Ledger = Annotated[
    Path | None, typer.Option(help="A newer backup: who was forgotten until then does not come back either.")
]
#: Gives the settings of a broker and a database that are there while it lasts.
There = Callable[[Settings], AbstractContextManager[Settings]]


def register(app: typer.Typer) -> None:
    """Add both commands."""
    app.command("backup")(backup)
    app.command("restore")(restore)


def backup(
    folder: Annotated[Path, typer.Argument(help="An empty folder, or one that is not there yet.")],
    verify: Annotated[bool, typer.Option("--verify", help="Only read the backup there, every record of it.")] = False,
    keys: Keys = False,
    as_json: AsJson = False,
) -> None:
    """Copy the log and what cannot be recomputed, while the stream runs. Once more in the same folder goes on.

    The backup holds no private key, and no raw record: what sources sent and was not handled yet is delivered again.
    Ends with 0 when the backup was read again and is whole.
    """
    guard()
    settings = load_settings()
    if keys:
        _keys(settings, folder, verify=verify)
        return
    with _told() as tell, _explained():
        if verify:
            manifest, digest = checking.verify(folder, tell), ""
        else:
            manifest, digest = taking.take(_source(settings), folder, tell)
    if as_json:
        typer.echo(json.dumps(_document(manifest, digest), indent=2))
        return
    typer.echo("\n".join(_sentences(folder, manifest, digest)))


def restore(folder: Folder, keys: Keys = False, ledger: Ledger = None, as_json: AsJson = False) -> None:
    """Fill an empty broker and an empty database from a backup; on one machine an empty home, while no stack runs.

    The keys come first (--keys). SOR_PARTITIONS may be another number than before. Then start the stages: they make
    states and rows anew. Whatever is there already is named, and nothing is touched.
    """
    put_back(folder, nullcontext, keys=keys, ledger=ledger, as_json=as_json)


def put_back(folder: Path, there: There, *, keys: bool, ledger: Path | None, as_json: bool) -> None:
    """Restore keys, or a backup to the broker and the database that ``there`` gives the settings of."""
    guard()
    settings = load_settings()
    if keys:
        for path in key_folders.restore(folder, _key_folders(settings)):
            typer.echo(f"Put back {path}.")
        return
    if not (settings.keys / PUBLIC).exists():
        raise BackupError(f"There are no keys in {settings.keys}: put them back first, with sor restore FOLDER --keys.")
    pseudonyms = _pseudonyms(settings)
    with _told() as tell, _explained():
        checking.verify(folder, tell)  # before anything is made for it
        with there(settings) as found:
            done = restoring.restore(folder, _target(found, pseudonyms, ledger), tell)
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(done), indent=2))
        return
    for name, number in done.sent.items():
        left = f"; {done.left_out[name]} left out" if done.left_out.get(name) else ""
        typer.echo(f"{name}: {number} records{left}")
    typer.echo("Restored. Start the stages: they make states and rows anew. Then run: sor audit")


def _keys(settings: Settings, folder: Path, *, verify: bool) -> None:
    if verify:
        key_folders.verify(folder)
        typer.echo(f"The keys in {folder} are what was copied.")
        return
    names = key_folders.take(_key_folders(settings), folder)
    typer.echo(f"Copied {', '.join(names)} to {folder}.")
    typer.echo(
        "Keep it apart from every backup of the log, on encrypted media, where no single person can open it. After a "
        "rotation of sealing keys remove the copies of before, once the raw records of 14 days have passed."
    )


def _key_folders(settings: Settings) -> dict[str, Path]:
    return {
        key_folders.KEYS: settings.keys,
        "authority": settings.authority,
        "intake": settings.intake_tokens.parent,
    }


def _source(settings: Settings) -> taking.Source:
    return taking.Source(
        kafka_cluster(settings),
        clickhouse_access(settings, "rejected"),
        _pseudonyms(settings),
        ids_of(settings.registry),
    )


def _pseudonyms(settings: Settings) -> str:
    """What the names of clients come from: the first public key of the evaluation, which a rotation leaves as it is,
    and the epoch to which they were renewed.
    """
    load_public(settings.keys)
    data = read_file(settings.keys / PUBLIC, private=False)
    if RENEWING in data:
        raise BackupError("The pseudonyms are being renewed: let `sor keys switch label` end, then do the same again.")
    first, epoch = as_bytes(str(data.get("oprf_base", data["oprf"]))).hex(), data.get(NAMES_EPOCH, 0)
    return f"{first}.{epoch}" if epoch else first


def _target(settings: Settings, pseudonyms: str, newer: Path | None) -> restoring.Target:
    return restoring.Target(
        cluster=kafka_cluster(settings),
        access=clickhouse_access(settings, "admin"),
        partitions=settings.partitions,
        replication=settings.replication,
        pseudonyms=pseudonyms,
        ids=ids_of(settings.registry),
        keys=settings.keys,
        newer=newer,
        states=(settings.home / "state",),
    )


@contextmanager
def _explained() -> Iterator[None]:
    """What a broker or a disk says, as a sentence."""
    try:
        yield
    except KafkaException as error:
        raise BackupError(f"Kafka: {error.args[0].str()}.") from error
    except OSError as error:
        raise BackupError(f"{error.filename or 'the folder'}: {error.strerror or type(error).__name__}.") from error


@contextmanager
def _told() -> Iterator[taking.Tell]:
    """Progress on the screen, a line per partition."""
    columns = (TextColumn("{task.description:<20}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        tasks: dict[str, Any] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=total)
            progress.update(tasks[what], completed=done, total=total)

        yield tell


def _sentences(folder: Path, manifest: Manifest, digest: str) -> Iterator[str]:
    for name, topic in manifest.topics.items():
        yield f"{name}: {topic.records} records of {len(topic.parts)} partitions"
    for name, table in manifest.tables.items():
        yield f"{name}: {table.rows} rows"
    moment = f"{dutch_time(manifest.at):%Y-%m-%d %H:%M:%S}"
    yield f"{folder} is whole: all of it was read again. What came after {moment} is not in it."
    if not manifest.settled:
        yield "entry was behind or is not running: lines may have an outcome whose fact is not in the backup."
    if digest:
        yield f"Checksum of the manifest, to note elsewhere: {digest}"


def _document(manifest: Manifest, digest: str) -> dict[str, Any]:
    return {
        "release": manifest.release,
        "at": manifest.at,
        "settled": manifest.settled,
        "manifest": digest or None,
        "topics": {name: topic.records for name, topic in manifest.topics.items()},
        "tables": {name: table.rows for name, table in manifest.tables.items()},
        "form": form.FORMAT,
    }
