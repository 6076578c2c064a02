"""Rows made anew are put in use, and the live stage takes over their definitions, at one offset of the log.

1. *Catch up* with the log while the stream flows, so that little is left.
2. *Hold*: the live stage stands still, at offsets that are known exactly.
3. *Catch up* to those offsets; and the sink inserts every row that the stage gave out before.
4. *Exchange* the tables: from here on every query sees the new rows.
5. *Go*: the stage makes rows by the new definitions from those offsets on.

If it dies in 1 to 3, nothing was exchanged and the hold lapses. If *go* fails, the tables are exchanged back while the
stage still stands. If it dies between 4 and 5, the tables hold new rows and the stage makes old ones: the manifest
knows, every later ``sor replay`` says so, and ``--swap`` once more mends it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Protocol


class Swapped(Protocol):
    """What is asked of a replay (``operations.replay.run.Replay``)."""

    def catch_up(self, ends: Mapping[int, int] | None = None) -> None:
        """Make anew whoever got an event since, up to these ends."""

    def exchange(self) -> None:
        """Put its rows in use."""

    def exchange_back(self) -> None:
        """Put the former rows in use again."""

    def handed(self) -> None:
        """The definitions are those of the stage."""


class Over(Protocol):
    """What is asked of a handing over (``operations.replay.handover.HandOver``); ``went``: the stage has the word."""

    went: bool

    def __enter__(self) -> Over:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """What was held and not handed over is dropped."""

    def hold(self) -> dict[int, int]:
        """Partition -> the next offset that the stage would handle."""

    def drained(self) -> None:
        """Every row that the stage gave out is in ClickHouse."""

    def check(self) -> None:
        """The stage still stands there."""

    def go(self) -> None:
        """From here on by the new definitions."""


def swap(replay: Swapped, hand_over: Over, says: Callable[[str], None]) -> None:
    """Do the five steps.

    Raises:
        HandOverError, LogMoved, ReplayError: it was not done and everything is as before; the text says what to do.
    """
    replay.catch_up()
    with hand_over as over:
        says("The stream stands still while the tables change places.")
        until = over.hold()
        replay.catch_up(until)
        over.drained()
        over.check()
        replay.exchange()
        try:
            over.go()
        except BaseException:
            if not over.went:
                replay.exchange_back()
            raise
    replay.handed()
    says("The new rows and definitions are in use. The stream gives out its rows anew, which changes none of them.")


def interrupted(*, exchanged: bool, handed: bool) -> str:
    """What to say of an earlier swap that died between exchange and go; empty when there was none."""
    if not exchanged or handed:
        return ""
    return (
        "An earlier --swap was cut off after the tables changed places and before the stream had the definitions: rows "
        "of both may stand beside each other. Run sor replay --swap again with the same definitions."
    )
