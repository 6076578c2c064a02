"""``sor keys switch label``: everything that is stored gets its names of the next epoch (docs/decisions/0030)."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from crypto import label_epochs
from crypto.memory import guard
from schemas.registry import ids_of
from schemas.topics import EVENTS, REGISTER
from settings.access import clickhouse_access, kafka_cluster
from settings.settings import Settings, load_settings
from sor.commands.options import AsJson
from transport.orders import read_skips

if TYPE_CHECKING:
    from operations.renewing import World

_COLUMNS: Final = (TextColumn("{task.description}: {task.completed:.0f} done"), TimeElapsedColumn())
_FOLDS: Final = {EVENTS: "trajectories", REGISTER: "register"}


def switch_label(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")] = False,
    as_json: AsJson = False,
) -> None:
    """Lead every stored pseudonym to the next epoch, without any BSN; new events are named by it from now on.

    Stop every worker of register, trajectories and sink first (one machine: sor stop); this says when each may run
    again. Sources, evaluate, entry and receipts go on. It needs the key folders entry and erasures, and the rights of
    the administrators of the broker and of ClickHouse. What was interrupted goes on when it is asked for again.
    """
    guard()
    from operations import renewing

    settings = load_settings()
    epoch = renewing.under_way(kafka_cluster(settings)) or _next(settings.keys)
    question = f"Lead every name to epoch {epoch}? Nothing is lost, and it cannot be taken back. Copy the keys first."
    if not (yes or typer.confirm(question)):
        raise typer.Exit(1)
    with Progress(*_COLUMNS, console=Console(stderr=True), transient=True) as progress:
        bars: dict[str, int] = {}

        def tell(step: str, count: int) -> None:
            if step not in bars:
                bars[step] = progress.add_task(step, total=None)
            progress.advance(bars[step], count)  # type: ignore[arg-type]

        done = renewing.Renewing(_world(settings), tell, _say).run(epoch)
    if as_json:
        typer.echo(json.dumps(done._asdict()))
        return
    typer.echo(
        f"Every name is of epoch {done.epoch}: {done.records} records written again, {done.left_out} left out, "
        f"{done.rows} rows. Start the sink. Backups of before hold the former names: make one now, destroy those."
    )


def _next(keys: Path) -> int:
    """The epoch that was prepared. ``KeysError`` when none was."""
    label_epochs.renewal(keys)
    return label_epochs.epoch_in_use(keys) + 1


def _world(settings: Settings) -> World:
    from operations import renewing
    from operations.erasures import ledger
    from operations.renewal_rules import Renewer

    cluster, ids, keys = kafka_cluster(settings), ids_of(settings.registry), settings.keys

    def switch(epoch: int) -> None:
        if label_epochs.epoch_in_use(keys) < epoch:
            label_epochs.switch_label(keys, at=int(time.time()))

    def renewer(epoch: int) -> Renewer:
        skips = {topic: read_skips(cluster, stage, ids) for topic, stage in _FOLDS.items()}
        return Renewer(label_epochs.renewal(keys, epoch), ledger(cluster, keys, ids), skips, ids)

    def end() -> None:
        label_epochs.end_renewal(keys)

    return renewing.World(cluster, clickhouse_access(settings, "admin"), switch, end, renewer)


def _say(sentence: str) -> None:
    typer.echo(f"{time.strftime('%H:%M:%S')} {sentence}", err=True)
