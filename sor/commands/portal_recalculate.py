"""``sor portal recalculate``: does what the region asked for in the portal, with the rights of an operator."""

from __future__ import annotations

import os
import signal
import time
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Final

import typer

from crypto.memory import guard
from monitoring import logs
from settings.settings import load_settings

if TYPE_CHECKING:
    from settings.settings import Settings

INTERRUPTED: Final = 130


def recalculate(
    watch: Annotated[bool, typer.Option("--watch", help="Go on looking for requests until SIGTERM.")] = False,
    processes: Annotated[int | None, typer.Option(min=1, help="Processes. [default: cores]")] = None,
) -> None:
    """Do the recalculations that the region asked for in the portal: compare, or put in use. Its figures are numbers.

    It needs what sor replay --swap needs, and the database of the portal. A process of sor up does it on one machine.
    Ends with 0: nothing is left to do; 130: interrupted, and the same again goes on.
    """
    guard()
    from portal.settings import configure
    from sor import recalculating

    os.umask(0o077)
    settings = load_settings()
    configure(settings)
    signal.signal(signal.SIGTERM, _interrupted)
    with recalculating.alone(settings):
        try:
            if watch:
                logs.configure(settings.log_level, "recalculate")
                _watch(settings, processes)
            while told := recalculating.do_next(settings, processes):
                typer.echo(told)
        except KeyboardInterrupt:
            raise typer.Exit(0 if watch else INTERRUPTED) from None
    typer.echo("The region asks nothing.")


def _watch(settings: Settings, processes: int | None) -> None:
    """Until SIGTERM. Who serves the portal makes its tables: until then there is nothing to do."""
    from portal.people import replays
    from sor import recalculating

    while True:
        if not (replays.answers() and recalculating.do_next(settings, processes)):
            time.sleep(recalculating.LOOK)


def _interrupted(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
