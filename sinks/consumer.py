"""The sink: rows from Kafka into ClickHouse, at least once, offsets last.

Each round:

1. *Read* up to ``flush_rows`` records, for at most ``flush_seconds`` since the first of them.
2. *Insert* each table, on a thread of its own; ClickHouse confirms the number of rows. Meanwhile this thread reads for
   the next round, up to as many records again: reading and inserting take about as long.
3. *Commit* the offsets, with the identity of the store beside them, and nothing else ever commits.
4. *Tell* the store how far it was filled, every few seconds (``sinks.filling``).

What a crash leaves behind: after 1 nothing; in 2 some tables have rows that come again; in 3 and 4 all have. Rows carry
their version and ClickHouse keeps the highest, so a row that comes again changes nothing.

While ClickHouse is away the partitions are paused and the consumer is still polled, so the group stays as it is; the
insert is tried again with a growing delay, forever. What time does not heal stops the process with a sentence and the
offsets uncommitted.
"""

from __future__ import annotations

import gc
import random
import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Final

import structlog
from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from faults import EXIT_CLEAN, EXIT_FAULT, OperatorFault
from schemas import topics
from schemas.codec import IdSource
from sinks import measure
from sinks.access import Access
from sinks.answers import complain, not_committed
from sinks.batch import Batch, Place
from sinks.clickhouse import UnavailableError
from sinks.filling import Filling
from sinks.inserts import DECODED, Inserts
from sinks.tables import TABLES, Table
from sinks.writer import Writer
from transport.clients import Cluster, consumer
from transport.health import Health, HealthConfig
from transport.orders import Skips
from transport.progress import Progress

log = structlog.get_logger()

FIRST_DELAY, LONGEST_DELAY = 0.25, 5.0  # seconds between two tries
_POLL_SECONDS, _MEANWHILE_SECONDS = 0.1, 0.005  # the second beside an insert: what comes after has to wait for it
GC_ALLOCATIONS: Final = 500_000


class Stopping(Exception):  # no error: an orderly stop while an insert waits to be tried again
    """The process was asked to stop."""


@dataclass(frozen=True)
class SinkConfig:
    """What a sink process needs. ``slot`` names the process within its group and stays the same over restarts."""

    cluster: Cluster
    clickhouse_url: str
    user: str
    password: str
    slot: str
    health: HealthConfig
    flush_rows: int = 50_000  # larger batches make fewer, larger parts: less to merge for ClickHouse
    flush_seconds: float = 0.3
    database: str = "sor"
    group: str | None = None
    tables: tuple[Table, ...] = TABLES
    ids: IdSource | None = None  # None: the schema ids that the project brings along
    skips: Skips = field(default_factory=Skips)  # records that an operator ordered to be left out
    decoded: int = DECODED  # records of a table and batch that are decoded before they are inserted


def run(config: SinkConfig) -> int:
    """Run until SIGTERM or SIGINT (when called on the main thread); the exit code."""
    sink = Sink(config)
    # A batch is many young objects that all live until its insert: looking for garbage among them finds none.
    gc.set_threshold(GC_ALLOCATIONS, 10, 10)
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: sink.stop())
    try:
        sink.run()
    except OperatorFault as error:  # something that time does not heal; offsets uncommitted
        log.critical("The sink stops: %s", error)
        return EXIT_FAULT
    return EXIT_CLEAN


class Sink:
    """One sink process. ``run`` blocks; ``stop`` may be called from a signal handler or another thread."""

    def __init__(self, config: SinkConfig) -> None:
        self._config = config
        access = Access(config.clickhouse_url, config.user, config.password, config.database)
        self._writer = Writer(access)
        self._filling = Filling(access, config.cluster, config.tables)
        self._inserts = Inserts(self._writer, config.tables, config.ids, config.decoded)
        self._thread = ThreadPoolExecutor(1, "insert")  # only it uses the writer
        self._health = Health(config.health, measure.STAGE)
        self._assigned: dict[tuple[str, int], Place] = {}
        self._batch = Batch()
        self._next = Batch()  # takes what arrives while the batch at hand is being inserted
        self._telling: Future[None] | None = None
        self._paused = False
        self._stop = False

    def stop(self) -> None:
        """End after the batch at hand; at once if ClickHouse is away."""
        self._stop = True

    def run(self) -> None:
        """Read, insert, commit until ``stop``.

        Raises:
            MustStopError: a record or the group forbids to go on.
            RefusedError: ClickHouse will never take it.
            HealthPortError: the port of the health page is taken.
        """
        config = self._config
        self._health.start()
        group = config.group or topics.groups()["sink"]
        self._consumer = consumer(config.cluster, group, config.slot)
        read = [table.topic for table in config.tables]
        self._health.follow(Progress(config.cluster, group, read, lambda: list(self._assigned)))
        try:
            self._until_done(config.tables[0], lambda: self._writer.check(config.tables))
            self._consumer.subscribe(
                read,
                on_assign=self._on_assign,
                on_revoke=self._on_revoke,
                on_lost=self._on_revoke,
            )
            while not self._stop:
                self._fill()
                self._insert()
                self._commit()
                self._tell_store(now=self._filling.due)
            self._tell_store(now=True)
        except Stopping:
            log.info("Stopped while ClickHouse was away; what was not confirmed is not committed and comes again.")
        finally:
            self._stop = True  # partitions that come while it ends are nobody's
            self._health.stop()
            self._thread.shutdown()  # waits for the insert at hand
            self._writer.close()
            self._filling.close()
            self._consumer.close()

    # 1. Read

    def _fill(self) -> None:  # what the last insert left time to read has waited already
        waited = time.monotonic() - self._batch.since if self._batch.records else 0.0
        if waited < self._config.flush_seconds:
            self._read(self._batch, self._config.flush_seconds - waited)

    def _read(self, into: Batch, seconds: float) -> None:
        """Read as much as the batch has room for."""
        self._health.turned()
        if room := into.room(self._config.flush_rows):
            for message in self._consumer.consume(room, seconds):
                self._take(message, into)

    def _take(self, message: Message, into: Batch) -> None:
        error = message.error()
        if error is not None:
            complain(error, self._config.slot)
            return
        place = self._assigned.get((message.topic(), message.partition()))
        if place is None:
            return  # taken away while this was fetched; whoever has it now reads it again
        offset, value = int(message.offset() or 0), message.value()
        if self._config.skips and self._config.skips.leave_out(*place, offset):
            into.passed(place, offset)
        elif value is None:
            into.passed(place, offset)  # who was forgotten: its rows leave the table by a command (decision 0027)
        else:
            into.add(place, offset, value)

    # 2. Insert

    def _insert(self) -> None:
        for table in self._config.tables:
            if held := self._batch.held(table):
                self._until_done(table, lambda table=table, held=held: self._inserts.insert(table, held))  # type: ignore[misc]

    def _until_done(self, table: Table, work: Callable[[], None]) -> None:
        """Do the work; while ClickHouse is away, again after 0.25 s, doubling to 5 s, each shortened by up to half."""
        delay = FIRST_DELAY
        while True:
            running = self._thread.submit(work)
            self._meanwhile(running)
            try:
                running.result()
            except UnavailableError as error:
                log.warning("%s Trying again in %.1f s.", error, delay)
                measure.retried(table)
                self._pause()
                self._wait(delay * random.uniform(0.5, 1.0))  # noqa: S311  # spreads load, guards nothing
                delay = min(2 * delay, LONGEST_DELAY)
            else:
                self._resume()
                return

    def _meanwhile(self, running: Future[None]) -> None:
        """Read for the next round until the work is done."""
        while not running.done():
            if self._assigned and not self._stop and self._next.room(self._config.flush_rows):
                self._read(self._next, _MEANWHILE_SECONDS)
            else:
                self._health.turned()
                wait([running], _POLL_SECONDS)

    def _wait(self, seconds: float) -> None:
        """Let time pass while the consumer stays a member of its group."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self._stop:
                raise Stopping
            self._read(self._next, _POLL_SECONDS)

    def _pause(self) -> None:
        self._health.ready = False
        if not self._paused:
            self._paused = True
            self._consumer.pause([TopicPartition(*place) for place in self._assigned])

    def _resume(self) -> None:
        if self._paused:
            self._paused = False
            self._consumer.resume([TopicPartition(*place) for place in self._assigned])
        self._health.ready = bool(self._assigned)

    # 3. Commit

    def _commit(self) -> None:
        told = self._batch.offsets
        offsets = [TopicPartition(*place, next_, self._filling.note(place)) for place, next_ in told.items()]
        started = time.perf_counter()
        if offsets:
            try:
                self._consumer.commit(offsets=offsets, asynchronous=False)
            except KafkaException as error:
                not_committed(error.args[0])
            else:
                self._filling.committed(told)
                measure.committed(self._batch.records, self._lag(), time.perf_counter() - started)
        self._batch, self._next = self._next, Batch()

    def _tell_store(self, *, now: bool) -> None:
        """Beside the reading: the next insert waits for it, and nobody else."""
        if self._telling is not None and self._telling.done():
            self._telling.result()
        if now and (taken := self._filling.taken()):
            self._telling = self._thread.submit(self._filling.write, taken)

    def _lag(self) -> dict[str, int]:
        """Records left per topic, from what the last fetches said."""
        left = dict.fromkeys((table.topic for table in self._config.tables), 0)
        for place, next_ in self._batch.offsets.items():
            _low, high = self._consumer.get_watermark_offsets(TopicPartition(*place), cached=True)
            left[place.topic] += max(0, high - next_)
        return left

    # Membership; called by librdkafka from within consume and close

    def _on_assign(self, client: Consumer, partitions: list[TopicPartition]) -> None:
        if self._stop:  # a consumer that is being closed gets no answer any more
            client.incremental_assign(partitions)
            return
        begun = self._filling.begin(client, partitions)
        client.incremental_assign(begun)
        self._assigned |= {place: place for place in _places(partitions)}
        self._batch.offsets |= self._filling.unsaid
        if self._paused:
            client.pause(partitions)
        else:
            self._health.ready = True

    def _on_revoke(self, client: Consumer, partitions: list[TopicPartition]) -> None:
        places = _places(partitions)
        self._assigned = {place: place for place in self._assigned.values() if place not in places}
        self._batch.give_up(places)
        self._next.give_up(places)
        self._filling.give_up(places)
        client.incremental_unassign(partitions)


def _places(partitions: Sequence[TopicPartition]) -> set[Place]:
    return {Place(partition.topic, partition.partition) for partition in partitions}
