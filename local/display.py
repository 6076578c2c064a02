"""One line per process: a live table on a terminal, a plain line per change elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from local.state import Status

_COLOURS = {
    "ready": "green", "done": "green", "reachable": "green", "failed": "red", "hangs": "red", "restarting": "yellow"
}  # fmt: skip


def table(statuses: Sequence[Status]) -> Table:
    """The processes as a table."""
    grid = Table("process", "state", "restarts", "detail", box=None, pad_edge=False)
    for status in statuses:
        colour = _COLOURS.get(status.state, "")
        grid.add_row(status.name, Text(status.state, style=colour), str(status.restarts or ""), Text(status.detail))
    return grid


class Display:
    """Shows changes as they come; ``with Display(console) as display: display(statuses)``."""

    def __init__(self, console: Console, when_up: Callable[[], str]) -> None:
        self._console = console
        self._when_up = when_up
        self._shown: dict[str, tuple[str, str]] = {}
        self._told = False
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None

    def __enter__(self) -> Display:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def __call__(self, statuses: Sequence[Status]) -> None:
        """Show these statuses; once, when all are up, also the sentence that says what now runs where."""
        if self._live:
            self._live.update(table(statuses), refresh=True)
        else:
            self._print_changes(statuses)
        if statuses and not self._told and all(status.up for status in statuses):
            self._told = True
            self._console.print(self._when_up(), highlight=False, soft_wrap=True)

    def _print_changes(self, statuses: Sequence[Status]) -> None:
        for status in statuses:
            # While jars come, one line per ten says enough in a log.
            now = (status.state, "" if status.state == "preparing" and not _tenth(status.detail) else status.detail)
            if self._shown.get(status.name) != now and (now[1] or now[0] != "preparing"):
                self._shown[status.name] = now
                line = f"{status.name:<13} {status.state:<11} {status.detail}".rstrip()
                self._console.print(line, highlight=False, soft_wrap=True, markup=False)


def _tenth(detail: str) -> bool:
    words = detail.split()
    return len(words) < 2 or not words[1].isdigit() or int(words[1]) % 10 == 0
