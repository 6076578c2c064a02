"""Recalculations that the region asked for in the portal, done with the rights of an operator (``sor replay``).

The portal keeps what was asked (``portal.people.replays``) and has no right to rows; here are the rights, and back go
numbers (``operations.replay.confirmed``). One process at a time does them.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import structlog
from confluent_kafka import KafkaException

from domain.field.definitions import Definitions
from domain.field.definitions_file import DefinitionsError
from faults import OperatorFault
from operations.log_reader import LogMoved, LogSilent
from operations.replay import confirmed
from operations.replay.engine import Progress, Told
from operations.replay.errors import ReplayBusy
from operations.replay.handover import HandOverError
from operations.replay.manifest import Remembered
from operations.replay.run import FOLDER, begun
from settings.settings import Settings, SettingsError
from sinks.clickhouse import UnavailableError
from sor.commands.replay import put_in_use, setup_of, today

if TYPE_CHECKING:
    from portal.people.models import Herberekening

log = structlog.get_logger()

#: Seconds between two looks for a request, and at most between two words of how far one is.
LOOK: Final = 2.0
_TELL: Final = 1.0
_LOCK: Final = "asked.lock"
#: What went wrong -> what the portal calls it; the first that fits.
_PROBLEMS: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (ReplayBusy, "bezet"),
    (DefinitionsError, "bestand"),
    (HandOverError, "overdracht"),
    (LogMoved, "bewogen"),
    (LogSilent, "bereik"),
    (UnavailableError, "bereik"),
    (KafkaException, "bereik"),
)


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """``SettingsError`` while another process of this home does what the portal asks."""
    folder = Remembered(settings.home / FOLDER).folder
    with (folder / _LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SettingsError("Another process already does what the portal asks: see sor status.") from None
        yield


def do_next(settings: Settings, processes: int | None = None) -> str:
    """Take up the next request and do it; what became of it, empty when nothing waits.

    Whoever is interrupted takes it up again, and goes on where it was.
    """
    from portal.people import replays

    found = replays.take()
    if found is None:
        return ""
    log.info("a recalculation is begun", request=found.pk, kind=found.soort, tries=found.tries)
    try:
        outcome = _done(settings, found, processes)
    except (OperatorFault, KafkaException) as problem:
        called = problem_of(problem, half=_half(settings))
        log.warning("a recalculation failed", request=found.pk, problem=called, error=str(problem))
        replays.fail(found, called)
    else:
        replays.finish(found, outcome)
        log.info("a recalculation is done", request=found.pk, version=outcome["other"], same=outcome["same"])
    return f"{found}: {found.state}"


def problem_of(error: BaseException, *, half: bool) -> str:
    """What the portal calls it. ``half``: the tables changed places, and the stage has no word of it."""
    if half:
        return "half"
    return next((called for kind, called in _PROBLEMS if isinstance(error, kind)), "anders")


def _done(settings: Settings, asked: Herberekening, processes: int | None) -> dict[str, Any]:
    setup = setup_of(settings, partial(_chosen, asked.document), processes=processes)
    teller = _Teller(asked.pk)
    with begun(setup, Told(teller.far, teller.says)) as one:
        one.make()
        teller.step("vergelijken")
        outcome = confirmed.outcome(one.compare(today()), setup.in_use, setup.definitions)
        if asked.soort == "invoeren" and outcome["fresh"]:
            teller.step("wisselen")
            put_in_use(setup, one, Told(lambda _far: None, teller.says))
    return outcome


def _chosen(document: str, in_use: Definitions) -> Definitions:
    return confirmed.over(in_use, document)


def _half(settings: Settings) -> bool:
    """Whether an earlier swap stopped between its two halves."""
    known = Remembered(settings.home / FOLDER).load()
    return known is not None and known.exchanged and not known.handed


class _Teller:
    """Says in the portal how far it is, and in the log what it waits for."""

    def __init__(self, number: int) -> None:
        self._number, self._step, self._told = number, "rekenen", 0.0

    def step(self, step: str) -> None:
        """It begins with another step."""
        from portal.people import replays

        self._step = step
        replays.tell(self._number, step, 0)

    def far(self, progress: Progress) -> None:
        """So much of the records is done."""
        from portal.people import replays

        if time.monotonic() - self._told >= _TELL:
            self._told = time.monotonic()
            share = round(100 * progress.done / progress.records) if progress.records else 0
            replays.tell(self._number, self._step, min(100, share))

    def says(self, sentence: str) -> None:
        """Something for who reads the log."""
        log.info(sentence, request=self._number)
