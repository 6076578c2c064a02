"""One process of a replay: takes partitions, spills what is large, makes rows and inserts them.

It ends itself when the process that started it has gone: nobody would hear of what it does.
"""

from __future__ import annotations

import gc
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final, NamedTuple

from confluent_kafka import KafkaException
from confluent_kafka import Message as LogMessage

from crypto.client_names import ClientNames
from crypto.keys import load_trajectories
from crypto.memory import guard
from domain.field.definitions import Definitions
from faults import OperatorFault
from operations.log_reader import LogMoved, Reader, Span
from operations.replay.manifest import Done
from operations.replay.recompute import Recompute
from operations.replay.scope import Scope
from operations.replay.shadow import ShadowRows
from operations.replay.spill import Grouped, Spill
from schemas.registry import ids_of
from sinks.access import Access
from streams.erased import Ledger
from transport.clients import Cluster
from transport.orders import Skips

#: Facts live as long as their client is folded: looking for circles among them finds none.
_GC_ALLOCATIONS: Final = 500_000
#: Clients after which is told how far it is.
_CLIENTS_TOLD: Final = 500


class Job(NamedTuple):
    """What every process of one replay needs."""

    cluster: Cluster
    access: Access
    keys: Path
    registry: str | None
    folder: Path
    definitions: Definitions
    epoch: int
    scope: Scope
    skips: Skips


class Task(NamedTuple):
    """One partition: its records, into how many buckets they go, and which of those are done.

    With a tail only the clients with a record in it are made anew, of all their records: to catch up.
    """

    partition: int
    span: Span
    buckets: int
    done: frozenset[int] = frozenset()
    tail: Span | None = None


class Read(NamedTuple):
    """So many records were read."""

    records: int


class Folded(NamedTuple):
    """So many records were folded, those left aside included."""

    records: int


class Bucket(NamedTuple):
    """A bucket has all its rows in ClickHouse."""

    partition: int
    bucket: int
    done: Done


class Waits(NamedTuple):
    """It waits for something."""

    sentence: str


class Finished(NamedTuple):
    """A task is done. ``memory``: largest resident size of the process so far, MB."""

    partition: int
    memory: float


class Failed(NamedTuple):
    """A task cannot be done. ``moved``: the log is another one."""

    sentence: str
    moved: bool


Message = Read | Folded | Bucket | Waits | Finished | Failed


def main(job: Job, link: Connection) -> None:
    """Do tasks from ``link`` until it gives None, and tell of them there."""
    guard()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process: the first one decides
    gc.set_threshold(_GC_ALLOCATIONS, 10, 10)
    parent = os.getppid()

    def tell(message: Message) -> None:
        if os.getppid() != parent:
            sys.exit(1)
        link.send(message)

    worker = Worker(job, tell)
    try:
        while (task := link.recv()) is not None:
            if not _done(worker, task, tell):
                return
    except (EOFError, BrokenPipeError):
        return  # whoever gave the tasks has gone
    finally:
        worker.close()


def _done(worker: Worker, task: Task, tell: Callable[[Message], None]) -> bool:
    try:
        worker.do(task)
    except LogMoved as moved:
        tell(Failed(str(moved), moved=True))
    except OperatorFault as problem:
        tell(Failed(str(problem), moved=False))
    except KafkaException as error:
        tell(Failed(f"Kafka: {error.args[0].str()}", moved=False))
    else:
        tell(Finished(task.partition, _memory()))
        return True
    return False


def _memory() -> float:
    """Largest resident size so far, MB. Not that of ``getrusage``, which a process inherits of who started it."""
    try:
        lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


class Worker:
    """Does tasks, one after the other."""

    def __init__(self, job: Job, tell: Callable[[Message], None]) -> None:
        self._job, self._tell = job, tell
        names = ClientNames(load_trajectories(job.keys))
        ids = ids_of(job.registry)
        self._make = Recompute(
            names, job.definitions, epoch=job.epoch, scope=job.scope, ids=ids,
            ledger=Ledger.opened(job.cluster, job.keys, ids),
        )  # fmt: skip
        self._rows = ShadowRows(job.access, self._waits)
        self._reader = Reader(job.cluster, "replay")

    def do(self, task: Task) -> None:
        """One partition."""
        only = self._clients_of(task) if task.tail else None
        if only is not None and not only:
            return
        if task.buckets == 1 or only is not None:
            self._fold(task.partition, 0, self._gathered(task, only))
            return
        spill = Spill(self._job.folder, task.buckets)
        try:
            self._spilled(task, spill)
            for bucket in range(task.buckets):
                if bucket not in task.done:
                    self._fold(task.partition, bucket, spill.grouped(bucket))
        finally:
            spill.close()

    def close(self) -> None:
        """Let go of everything."""
        self._reader.close()
        self._rows.close()

    def _clients_of(self, task: Task) -> set[bytes]:
        found: set[bytes] = set()
        assert task.tail is not None  # noqa: S101
        for messages in self._reader.batches(task.partition, task.tail, self._job.skips, _nobody, self._waits):
            found.update(key for message in messages if (key := message.key()) is not None)
        return found

    def _gathered(self, task: Task, only: set[bytes] | None) -> Grouped:
        found: Grouped = {}
        wants = self._job.scope.wants_key if only is None else only.__contains__
        everybody = only is None and not self._job.scope.pseudonym
        for messages in self._batches(task):
            for message in messages:
                key = message.key()
                if everybody or wants(key):
                    found.setdefault(key, []).append((message.offset(), message.value()))
        return found

    def _spilled(self, task: Task, spill: Spill) -> None:
        wants, everybody, add = self._job.scope.wants_key, not self._job.scope.pseudonym, spill.add
        for messages in self._batches(task):
            for message in messages:
                key = message.key()
                if everybody or wants(key):
                    add(key, message.offset(), message.value())

    def _batches(self, task: Task) -> Iterator[list[LogMessage]]:
        return self._reader.batches(
            task.partition, task.span, self._job.skips, lambda records: self._tell(Read(records)), self._waits
        )

    def _fold(self, partition: int, bucket: int, grouped: Grouped) -> None:
        events = clients = rows = told = 0
        make, add = self._make, self._rows.add
        while grouped:
            client, records = grouped.popitem()  # what is folded needs no memory any more
            made = make(client, records)
            told += len(records)
            if made is not None:
                events, clients, rows = events + len(records), clients + 1, rows + len(made.rows)
                add(made.rows, made.names)
            if len(grouped) % _CLIENTS_TOLD == 0:
                self._tell(Folded(told))
                told = 0
        self._rows.flush()
        self._tell(Bucket(partition, bucket, Done(events, clients, rows)))

    def _waits(self, sentence: str) -> None:
        self._tell(Waits(sentence))


def _nobody(_records: int) -> None:
    """Nobody counts these."""
