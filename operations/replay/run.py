"""A whole replay: begin or go on, make the rows anew, catch up with the log, compare, and put them in use."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from crypto.client_names import ClientNames
from crypto.keys import load_trajectories
from domain.field.definitions import Definitions
from domain.indicators.catalogue import Group
from operations import log_reader
from operations.log_reader import Log, LogMoved, Span
from operations.replay import shadow
from operations.replay.engine import Engine, Told, catching_up, goes_on, plan, tasks_of
from operations.replay.errors import ReplayError
from operations.replay.figures import PER
from operations.replay.manifest import Manifest, Remembered
from operations.replay.report import Report, report
from operations.replay.scope import Scope
from operations.replay.spill import BUCKET_RECORDS
from operations.replay.swap import interrupted
from operations.replay.work import Job, Task
from schemas.registry import ids_of
from schemas.topics import groups
from sinks import clickhouse
from sinks.access import Access
from streams.epochs import being_copied, note_of
from transport.clients import Cluster
from transport.notes import Note
from transport.orders import read_skips

#: Below the home folder: what a replay remembers, its spilled records and its page.
FOLDER = "replay"


class Setup(NamedTuple):
    """What a replay is given. ``admin`` makes and exchanges tables, ``access`` fills and reads them."""

    cluster: Cluster
    admin: Access
    access: Access
    keys: Path
    home: Path
    definitions: Definitions
    in_use: Definitions
    scope: Scope
    processes: int
    registry: str | None = None
    restart: bool = False
    bucket_records: int = BUCKET_RECORDS


def require_copied(log: Log, noted: Note) -> None:
    """``ReplayError`` while the log gets more partitions, or other names: events of one client stand in two places."""
    if "renewing" in noted:
        raise ReplayError("The pseudonyms are being renewed: let `sor keys switch label` end, then do the same again.")
    if "repartition" in noted or being_copied(noted, {part: span.first for part, span in log.spans.items()}):
        raise ReplayError(
            f"The log is being given {noted.get('repartition', len(log.spans))} partitions: let `sor topics "
            "repartition` with that number end first, then do the same again."
        )


class Replay:
    """One replay; make it with ``begun``."""

    def __init__(self, setup: Setup, remembered: Remembered, client: Client, told: Told) -> None:
        self._setup, self._remembered, self._client, self._told = setup, remembered, client, told
        ids = ids_of(setup.registry)
        skips = read_skips(setup.cluster, "trajectories", ids)
        log, noted = log_reader.log_ends(setup.cluster, "replay"), note_of(setup.cluster, groups()["trajectories"])
        require_copied(log, noted)
        epoch = int(noted.get("epoch", 0))
        self.manifest = self._begun(log, epoch, len(skips))
        job = Job(
            setup.cluster, setup.access, setup.keys, setup.registry, remembered.folder, setup.definitions, epoch,
            setup.scope, skips,
        )  # fmt: skip
        self._engine = Engine(job, remembered, self.manifest, told)
        self._began, self._seconds = time.monotonic(), 0.0

    def _begun(self, log: Log, epoch: int, skips: int) -> Manifest:
        setup = self._setup
        names = ClientNames(load_trajectories(setup.keys)).id
        fresh = plan(
            log, definitions=setup.definitions, names=names, scope=setup.scope, epoch=epoch, skips=skips,
            bucket_records=setup.bucket_records,
        )  # fmt: skip
        known = self._remembered.load()
        if known is not None and (problem := interrupted(exchanged=known.exchanged, handed=known.handed)):
            self._told.says(problem)
        earlier = None if setup.restart or setup.scope.pseudonym else known
        if earlier is not None and goes_on(earlier, fresh) and shadow.are_there(self._client, setup.admin.database):
            self._told.says(f"Going on with an earlier replay: {earlier.total.events} events are done.")
            return earlier
        shadow.make(self._client, setup.admin.database)
        self._remembered.save(fresh)
        return fresh

    def make(self) -> None:
        """Make the rows anew, up to the end of the log as it is then.

        Raises:
            LogMoved: the log is another one; what was begun is forgotten.
            ReplayError: something is to be mended; the same again goes on.
        """
        self._do(tasks_of(self.manifest))
        self.catch_up()

    def catch_up(self, ends: Mapping[int, int] | None = None) -> None:
        """Make anew whoever got an event since, up to these ends (None: those of now); errors as ``make``."""
        until = dict(ends if ends is not None else log_reader.log_ends(self._setup.cluster, "replay").ends)
        self._do(catching_up(self.manifest, until))
        for partition, span in self.manifest.spans.items():
            self.manifest.spans[partition] = Span(span.first, max(span.end, until[partition]))
        self._remembered.save(self.manifest)

    def _do(self, tasks: list[Task]) -> None:
        if not tasks:
            return
        try:
            self._engine.run(tasks, self._setup.processes)
        except LogMoved:
            self._remembered.forget()
            raise
        finally:
            self._seconds = time.monotonic() - self._began

    def compare(self, reference_day: date, per: Sequence[Group | None] = PER) -> Report:
        """The rows made anew beside those in use, figures by these groups; errors of ClickHouse as ever."""
        setup = self._setup
        client = clickhouse.connect(setup.access)
        try:
            return report(
                client, setup.access, self.manifest, setup.definitions, setup.in_use,
                setup.scope.sql(setup.access.database), reference_day=reference_day, seconds=self._seconds,
                memory=tuple(self._engine.memory.values()), moved_on=self._moved_on, per=per,
            )  # fmt: skip
        finally:
            client.close()

    def _moved_on(self) -> bool:
        """Whether the log has grown since."""
        return log_reader.log_ends(self._setup.cluster, "replay").ends != self.manifest.log.ends

    def exchange(self) -> None:
        """Put the rows in use; the former ones stay beside them."""
        if not self._setup.scope.everything:
            raise ReplayError("Only a replay of everybody can be put in use: leave the scope out.")
        self.manifest.exchanged = True  # said before: a name too much is looked at, one too few is not
        self._remembered.save(self.manifest)
        shadow.exchange(self._client, self._setup.admin.database)

    def exchange_back(self) -> None:
        """Put the former rows in use again, while the live stage stands still."""
        shadow.exchange_back(self._client, self._setup.admin.database)
        self.manifest.exchanged = False
        self._remembered.save(self.manifest)

    def handed(self) -> None:
        """The live stage has the definitions."""
        self.manifest.handed = True
        self._remembered.save(self.manifest)

    def processes(self) -> list[int]:
        """Process ids of those that work for it."""
        return self._engine.pids()

    def close(self) -> None:
        """End the processes."""
        self._engine.stop()


@contextmanager
def begun(setup: Setup, told: Told) -> Iterator[Replay]:
    """A replay that goes on where the same one was interrupted, alone in its home folder.

    Raises:
        ReplayError: another one is running here.
        UnavailableError, RefusedError: ClickHouse is away, or refuses the tables.
    """
    remembered = Remembered(setup.home / FOLDER)
    with remembered.alone():
        client = clickhouse.connect(setup.admin)
        try:
            replay = Replay(setup, remembered, client, told)
            try:
                yield replay
            finally:
                replay.close()
        finally:
            client.close()


def dropped(admin: Access, home: Path) -> list[str]:
    """Drop every table of a replay and forget it; the names of those that were there."""
    remembered = Remembered(home / FOLDER)
    with remembered.alone():
        client = clickhouse.connect(admin)
        try:
            found = shadow.drop(client, admin.database, shadow.REPLAY, shadow.BEFORE)
        finally:
            client.close()
        remembered.forget()
        return found
