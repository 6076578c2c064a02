"""Several processes over the partitions of the log, and what they have done so far, remembered on disk."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterable, Sequence
from multiprocessing import connection
from multiprocessing.connection import Connection
from typing import Final, NamedTuple

from domain.field.definitions import Definitions
from operations.log_reader import Log, LogMoved, Span
from operations.replay.errors import ReplayError
from operations.replay.manifest import Manifest, Remembered
from operations.replay.scope import Scope
from operations.replay.spill import BUCKET_RECORDS, buckets_for
from operations.replay.work import Bucket, Failed, Finished, Folded, Job, Message, Read, Task, Waits, main

#: Of the work on a record this part is reading it.
READING: Final = 0.2
_STOP_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 1.0


class Progress(NamedTuple):
    """How far it is: records in all, and records done, of which a record that was only read is a part."""

    records: int
    done: float


class Told:
    """Who listens to a replay: how far it is, and what it waits for."""

    def __init__(self, far: Callable[[Progress], None], says: Callable[[str], None]) -> None:
        self.far, self.says = far, says


def plan(
    log: Log,
    *,
    definitions: Definitions,
    names: str,
    scope: Scope,
    epoch: int,
    skips: int,
    bucket_records: int = BUCKET_RECORDS,
) -> Manifest:
    """A replay of what the log holds, of which nothing is done."""
    return Manifest(
        definitions=definitions.id,
        version=definitions.version,
        names=names,
        scope=scope.words,
        epoch=epoch,
        skips=skips,
        spans=dict(log.spans),
        buckets={partition: buckets_for(span.records, bucket_records) for partition, span in log.spans.items()},
    )


def goes_on(earlier: Manifest | None, fresh: Manifest) -> bool:
    """Whether an earlier replay is the same and can go on: the log still holds what it reads, from its first record."""
    if earlier is None or earlier.exchanged or not earlier.is_of(fresh) or set(earlier.spans) != set(fresh.spans):
        return False
    return all(
        fresh.spans[partition].first <= span.first and span.end <= fresh.spans[partition].end
        for partition, span in earlier.spans.items()
    )


def tasks_of(manifest: Manifest) -> list[Task]:
    """What is still to do, the largest first so that the processes end together."""
    left = [
        Task(partition, span, manifest.buckets[partition], frozenset(manifest.done.get(partition, ())))
        for partition, span in manifest.spans.items()
    ]
    return sorted((task for task in left if len(task.done) < task.buckets), key=lambda task: -task.span.records)


def catching_up(manifest: Manifest, ends: dict[int, int]) -> list[Task]:
    """Tasks that make anew whoever got an event since, of all events before these ends."""
    if set(ends) != set(manifest.spans):
        raise LogMoved("The log has other partitions than when this replay began. Begin again.")
    return [
        Task(partition, Span(span.first, ends[partition]), 1, tail=Span(span.end, ends[partition]))
        for partition, span in manifest.spans.items()
        if ends[partition] > span.end
    ]


class _Process(NamedTuple):
    process: multiprocessing.process.BaseProcess
    link: Connection


class Engine:
    """Runs tasks of one job in processes of their own. ``memory``: the largest resident size of each so far, MB."""

    def __init__(self, job: Job, remembered: Remembered, manifest: Manifest, told: Told) -> None:
        self._job, self._remembered, self._manifest, self._told = job, remembered, manifest, told
        self._running: list[_Process] = []
        self._records, self._done = 0, 0.0
        self.memory: dict[int, float] = {}

    def run(self, tasks: Sequence[Task], processes: int) -> None:
        """Do all tasks; returns when every row is in ClickHouse.

        Raises:
            LogMoved: the log is another one meanwhile.
            ReplayError: something is to be mended, or a process ended; the same again goes on.
        """
        waiting = list(tasks)
        self._records, self._done = sum(task.span.records for task in tasks), 0.0
        self._told.far(Progress(self._records, 0))
        try:
            busy = {self._give(one, waiting.pop(0)) for one in self._start(min(processes, len(waiting)))}
            while busy:
                for one in self._heard(busy):
                    if isinstance(self._message(one), Finished):
                        busy.remove(one)
                        if waiting:
                            busy.add(self._give(one, waiting.pop(0)))
        except BaseException:
            self.stop()
            raise

    def pids(self) -> list[int]:
        """Of the processes that run."""
        return [one.process.pid or 0 for one in self._running]

    def stop(self) -> None:
        """End every process: what is in ClickHouse stays, and the manifest knows of it."""
        for one in self._running:
            one.process.terminate()
            one.link.close()
        for one in self._running:
            one.process.join(_STOP_SECONDS)
            if one.process.is_alive():
                one.process.kill()
                one.process.join()
        self._running = []

    def _start(self, count: int) -> list[_Process]:
        """Processes that already run are used again: to start one takes a second."""
        context = multiprocessing.get_context("spawn")
        while len(self._running) < count:
            ours, theirs = context.Pipe()
            process = context.Process(target=main, args=(self._job, theirs), name="replay", daemon=True)
            process.start()
            theirs.close()
            self._running.append(_Process(process, ours))
        return self._running[:count]

    def _give(self, one: _Process, task: Task) -> _Process:
        one.link.send(task)
        return one

    def _heard(self, busy: Iterable[_Process]) -> list[_Process]:
        links = {one.link: one for one in busy}
        return [links[link] for link in connection.wait(list(links), _LOOK_SECONDS) if isinstance(link, Connection)]

    def _message(self, one: _Process) -> Message:
        try:
            message: Message = one.link.recv()
        except EOFError:
            one.process.join(_STOP_SECONDS)
            raise ReplayError(
                f"A process of the replay ended with {one.process.exitcode}. What is done stays: run the same again "
                "and it goes on."
            ) from None
        self._take(message, one)
        return message

    def _take(self, message: Message, one: _Process) -> None:
        match message:
            case Read(records):
                self._far(READING * records)
            case Folded(records):
                self._far((1 - READING) * records)
            case Bucket(partition, bucket, done):
                if not self._manifest.done.get(partition, {}).get(bucket):
                    self._manifest.done.setdefault(partition, {})[bucket] = done
                    self._remembered.save(self._manifest)
            case Waits(sentence):
                self._told.says(sentence)
            case Finished(_, memory):
                self.memory[one.process.pid or 0] = memory
            case Failed(sentence, moved):
                raise LogMoved(sentence) if moved else ReplayError(sentence)

    def _far(self, records: float) -> None:
        self._done += records
        self._told.far(Progress(self._records, self._done))


def seconds_left(began: float, far: Progress) -> float | None:
    """Seconds that the rest takes at the pace so far; None when nothing is known of it."""
    spent = time.monotonic() - began
    return spent * (far.records - far.done) / far.done if far.done > 0 else None
