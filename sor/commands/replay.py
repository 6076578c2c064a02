"""``sor replay``: the rows made anew from the log under other definitions, what would change, and putting it in use."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table as RichTable

from crypto.memory import guard
from domain.field.dates import as_date, day, dutch_day
from domain.field.definitions import Definitions
from domain.field.definitions_file import definitions_of
from domain.field.words import (
    REPLAY_FIGURE_HEADS,
    REPLAY_FIGURES,
    REPLAY_NO_FIGURES,
    REPLAY_REASON_HEADS,
    REPLAY_REASONS,
    REPLAY_ROW_HEADS,
    REPLAY_TITLE,
)
from operations.replay import engine, page
from operations.replay import swap as swapping
from operations.replay.desk import Desk
from operations.replay.engine import Told
from operations.replay.errors import ReplayError
from operations.replay.handover import HandOver
from operations.replay.report import Report
from operations.replay.run import FOLDER, Replay, Setup, begun, dropped
from operations.replay.scope import Scope, scope_of
from schemas.registry import ids_of
from settings.access import clickhouse_access, kafka_cluster
from settings.settings import Settings, load_settings
from settings.tables import definitions_in_force
from sor.commands.pseudonyms import pseudonyms
from streams.definitions import DefinitionsLog
from transport.clients import Cluster

DIFFERENT: Final = 1
MOVED: Final = 3
INTERRUPTED: Final = 130
PAGE: Final = "verschil.html"
EVERYBODY: Final = Scope()
#: Figures of groups that a screen shows; the page and the document have all.
_MOST_LINES: Final = 40


def register(app: typer.Typer) -> None:
    """Add ``sor replay``."""
    app.command("replay")(replay)


def replay(
    definitions: Annotated[
        Path | None, typer.Option(help="TOML file with other definitions and their version. Without: those in force.")
    ] = None,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only clients with an event since this day.")
    ] = None,
    provider: Annotated[str, typer.Option(help="Only the rows of this provider: its AGB code.")] = "",
    municipality: Annotated[str, typer.Option(help="Only the rows of this municipality: its CBS code.")] = "",
    pseudonym: Annotated[
        str, typer.Option(metavar="FILE", help="Only one client: a file with its pseudonym; - asks for it.")
    ] = "",
    swap: Annotated[
        bool, typer.Option("--swap/--dry-run", help="Put the new rows and definitions in use. [default: dry run]")
    ] = False,
    drop: Annotated[
        bool, typer.Option("--drop", help="Drop the tables of an earlier replay, and do nothing else.")
    ] = False,
    restart: Annotated[bool, typer.Option("--restart", help="Begin anew, also where one was interrupted.")] = False,
    processes: Annotated[int | None, typer.Option(min=1, help="Processes. [default: cores]")] = None,
    to: Annotated[Path | None, typer.Option("--html", help="Where to write the page.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Make every row anew from the log, beside those in use, and show what differs: rows, reasons and figures.

    The figures in use stay as they are, unless --swap puts the new ones in their place and hands the definitions to the
    stream. What was interrupted goes on when it is run again. The tables stay for looking at until --drop.

    It needs the key folder of trajectories (SOR_KEYS), and admin of ClickHouse to make tables.
    Ends with 0: no row differs, or swapped; 1: rows differ; 3: events came in meanwhile; 130: interrupted.
    """
    guard()
    settings = load_settings()
    if drop:
        _drop(settings)
        return
    scope = scope_of(
        since=day(since.date()) if since else None,
        provider=provider,
        municipality=municipality,
        pseudonym=_pseudonym(pseudonym),
    )
    if swap and not scope.everything:
        raise ReplayError("Only a replay of everybody can be put in use: leave the scope out, or --swap.")
    setup = setup_of(settings, partial(_definitions, definitions), scope, processes, restart=restart)
    try:
        found = _made(setup, swap=swap)
    except KeyboardInterrupt:
        typer.echo("Interrupted. What is done stays: run the same again and it goes on; --drop drops it.", err=True)
        raise typer.Exit(INTERRUPTED) from None
    _tell(found, to or settings.home / FOLDER / PAGE, as_json=as_json)
    if not found.same and not swap:
        raise typer.Exit(MOVED if found.moved_on else DIFFERENT)


def setup_of(
    settings: Settings,
    chosen: Callable[[Definitions], Definitions],
    scope: Scope = EVERYBODY,
    processes: int | None = None,
    *,
    restart: bool = False,
) -> Setup:
    """A replay by the settings of the house; ``chosen``: the definitions for it, from those in use."""
    cluster = kafka_cluster(settings)
    in_use = _in_use(settings, cluster)
    return Setup(
        cluster=cluster,
        admin=clickhouse_access(settings, "admin"),
        access=clickhouse_access(settings, "replay"),
        keys=settings.keys,
        home=settings.home,
        definitions=chosen(in_use),
        in_use=in_use,
        scope=scope,
        processes=processes or os.cpu_count() or 1,
        registry=settings.registry,
        restart=restart,
    )


def _in_use(settings: Settings, cluster: Cluster) -> Definitions:
    """Those that were handed over to the stream last, else those of the settings."""
    spoken = DefinitionsLog(cluster, ids_of(settings.registry))
    try:
        return spoken.read().in_force or definitions_in_force(settings)
    finally:
        spoken.close()


def _definitions(file: Path | None, in_use: Definitions) -> Definitions:
    if file is None:
        return in_use
    try:
        content = file.read_bytes()
    except OSError as problem:
        raise ReplayError(f"{file} cannot be read ({problem.strerror}): name a readable file.") from None
    return definitions_of(content, file.name, in_use.spics)


def _pseudonym(where: str) -> bytes:
    if not where:
        return b""
    found = pseudonyms(where)
    if len(found) > 1:
        raise ReplayError("There is more than one pseudonym: a replay is of one client, or of everybody.")
    return found[0]


def _made(setup: Setup, *, swap: bool) -> Report:
    with _progress(Console(stderr=True)) as told, begun(setup, told) as one:
        one.make()
        told.says("Comparing with the rows in use.")
        found = one.compare(today())
        if swap:
            put_in_use(setup, one, told)
        return found


def today() -> date:
    """The day in the Netherlands."""
    return as_date(dutch_day(time.time_ns() // 1_000_000))


def put_in_use(setup: Setup, one: Replay, told: Told) -> None:
    """Swap (``operations.replay.swap``); errors as there."""
    desk = Desk(setup.cluster, ids_of(setup.registry))
    try:
        swapping.swap(one, HandOver(desk, setup.definitions), told.says)
    finally:
        desk.close()


@contextmanager
def _progress(console: Console) -> Iterator[Told]:
    """How far it is with the time left: a bar on a terminal, else a line now and then."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:
        task = shown.add_task("Events", total=None)

        def far(one: engine.Progress) -> None:
            shown.update(task, total=max(1, one.records), completed=one.done)

        yield Told(far, lambda sentence: console.print(sentence, highlight=False, markup=False))


def _drop(settings: Settings) -> None:
    names = dropped(clickhouse_access(settings, "admin"), settings.home)
    typer.echo(f"Dropped {', '.join(names)}." if names else "There is nothing of a replay to drop.")


def _tell(found: Report, where: Path, *, as_json: bool) -> None:
    """Write the page, and say on the screen what differs."""
    where.write_text(page.whole(found), "utf-8")
    if as_json:
        typer.echo(json.dumps(found.as_json(), indent=2, ensure_ascii=False))
    else:
        _show(found, where)


def _show(found: Report, where: Path) -> None:
    out = Console()
    for sentence in page.sentences(found):
        out.print(sentence, markup=False, highlight=False)
    out.print(_table(REPLAY_TITLE, REPLAY_ROW_HEADS, page.row_lines(found), texts=1))
    if reasons := page.reason_lines(found, _MOST_LINES):
        out.print(_table(REPLAY_REASONS, REPLAY_REASON_HEADS, reasons, texts=4))
    lines = page.figure_lines(found.pairs)
    if lines:
        out.print(_table(REPLAY_FIGURES, REPLAY_FIGURE_HEADS, lines[:_MOST_LINES], texts=2))
    else:
        out.print(REPLAY_NO_FIGURES)
    if len(lines) > _MOST_LINES:
        out.print(f"and {len(lines) - _MOST_LINES} figures more, on the page and with --json.")
    rate = found.events / found.seconds if found.seconds else 0
    out.print(
        f"{found.events} events in {found.seconds:.1f} s ({rate:,.0f} a second). The page: {where}. Tables stay beside "
        "those in use; sor replay --drop drops them.",
        markup=False,
        highlight=False,
    )


def _table(title: str, heads: tuple[str, ...], rows: list[list[str]], *, texts: int) -> RichTable:
    table = RichTable(title=title, title_justify="left")
    for number, head in enumerate(heads):
        table.add_column(head, justify="left" if number < texts else "right", overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table
