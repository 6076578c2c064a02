"""``sor bench``: the numbers of the system on this machine, beside their targets and beside peers of the same run."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from local.errors import StackError
from monitoring import logs
from tools.bench.figures import NAMES, Figure, Tell, machine, sentence, table

if TYPE_CHECKING:
    from tools.bench.suite import Benchmark, Choice


def register(app: typer.Typer) -> None:
    """Add ``sor bench``."""
    app.command("bench")(bench)


def bench(
    names: Annotated[list[str] | None, typer.Argument(help=f"Some of: {', '.join(NAMES)}.")] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Small sizes, one round: a check, no figure to quote.")
    ] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Also the long ones: pages, gate, a national year, peers.")
    ] = False,
    rounds: Annotated[
        int | None, typer.Option(min=1, help="Rounds; medians count. [default: 3, with --quick 1]")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Keep the rows of the benchmark panel here for a next run (1.5 GB).")
    ] = None,
    persons: Annotated[
        int | None, typer.Option(min=100, help="Persons of the benchmark nation. [default: 450000, with --quick 1000]")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Measure the stream on this machine: its own broker and engine, real processes, in a temporary folder.

    Ends with 0 when everything ran, whether or not a target was reached (a busy machine misses targets), else with 1.
    """
    from tools.bench.suite import SUITE, Choice, chosen  # every command imports this module; the suite is large

    try:
        wanted = chosen(names or [], full=full)
    except KeyError as error:
        raise typer.BadParameter(f"{error.args[0]} is none of {', '.join(NAMES)}") from None
    logs.configure("WARNING", "bench", sys.stderr)  # some of what is measured runs in this process
    choice, facts, began = Choice(quick, rounds or (1 if quick else 3), folder, persons), machine(), datetime.now(UTC)
    show = Show(as_json=as_json)
    show.line(f"{began:%Y-%m-%d %H:%M} UTC. {sentence(facts)}{'. Small sizes: no figures to quote' if quick else ''}.")
    for name in wanted:
        show.measured(name, SUITE[name], choice)
    if as_json:
        typer.echo(json.dumps(_document(facts, began, choice, show.figures), indent=2, ensure_ascii=False))
    raise typer.Exit(1 if show.failed else 0)


class Show:
    """Runs one benchmark after the other and prints as it goes, or gathers."""

    def __init__(self, *, as_json: bool) -> None:
        # The width of a terminal that is none: wide enough for every column.
        self._out, self._progress = Console(width=None if Console().is_terminal else 170), Console(stderr=True)
        self._quiet = as_json
        self.figures: list[Figure] = []
        self.failed: list[str] = []

    def line(self, text: str) -> None:
        """A line for a reader."""
        if not self._quiet:
            self._out.print(text, highlight=False)

    def measured(self, name: str, one: Benchmark, choice: Choice) -> None:
        """Run a benchmark; one that cannot be measured says why, and the others go on."""
        try:
            with _tally(self._progress, name) as tell:
                figures = one.run(choice, tell)
        except StackError as problem:
            self._progress.print(f"{name}: {problem}", style="red", highlight=False)
            self.failed.append(name)
            return
        self.figures += figures
        if not self._quiet:
            self._out.print(table(f"\n{name}: {one.title}", figures))


@contextmanager
def _tally(console: Console, name: str) -> Iterator[Tell]:
    """What is going on: a moving line on a terminal, else a line per step."""
    if not console.is_terminal:
        yield lambda text: console.print(f"{name}: {text}", highlight=False, soft_wrap=True)
        return
    with console.status(name) as status:
        yield lambda text: status.update(f"{name}: {text}")


def _document(facts: dict[str, Any], began: datetime, choice: Choice, found: list[Figure]) -> dict[str, Any]:
    return {
        "began": began.isoformat(timespec="seconds"),
        "machine": facts,
        "quick": choice.quick,
        "rounds": choice.rounds,
        "figures": [one.as_json() for one in found],
    }
