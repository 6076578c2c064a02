"""``sor bench``: the numbers of the system on this machine, beside their targets and beside peers of the same run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from sor.bench.figures import NAMES, Figure, Tell, machine, sentence, table

if TYPE_CHECKING:
    from sor.bench.suite import Choice


def register(app: typer.Typer) -> None:
    """Add ``sor bench``."""
    app.command("bench")(bench)


def bench(
    names: Annotated[list[str] | None, typer.Argument(help=f"Some of: {', '.join(NAMES)}.")] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Small sizes, one round: a check, no figure to quote.")
    ] = False,
    full: Annotated[bool, typer.Option("--full", help="Also the dashboard over 5 million trajecten.")] = False,
    rounds: Annotated[
        int | None, typer.Option(min=1, help="Rounds; medians count. [default: 3, with --quick 1]")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Measure the stream on this machine: its own broker and engine, real processes, in a temporary folder.

    Ends with 0 when everything ran, whether or not a target was reached; a busy machine misses targets.
    """
    from sor.bench.suite import SUITE, Choice, chosen  # every command imports this module; the suite is large

    try:
        wanted = chosen(names or [], full=full)
    except KeyError as error:
        raise typer.BadParameter(f"{error.args[0]} is none of {', '.join(NAMES)}") from None
    # The width of a terminal that is none: wide enough for every column.
    out, progress = Console(width=None if Console().is_terminal else 170), Console(stderr=True)
    facts, began = machine(), datetime.now(UTC)
    if not as_json:
        out.print(
            f"{began:%Y-%m-%d %H:%M} UTC. {sentence(facts)}{'. Small sizes: no figures to quote' if quick else ''}."
        )
    choice, found = Choice(quick, rounds or (1 if quick else 3)), list[Figure]()
    for name in wanted:
        with _telling(progress, name) as tell:
            figures = SUITE[name].run(choice, tell)
        found += figures
        if not as_json:
            out.print(table(f"\n{name}: {SUITE[name].title}", figures))
    if as_json:
        typer.echo(json.dumps(_document(facts, began, choice, found), indent=2, ensure_ascii=False))


@contextmanager
def _telling(console: Console, name: str) -> Iterator[Tell]:
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
