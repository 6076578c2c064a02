"""The batch shape: a stage as a pure function over the events of one key, run by Faust.

A stage is a ``Fold``: ``(key, packed state or None, records in order of offset) -> (new packed state, output)``. All
events of a key that arrive in one batch cost one read, one fold, one write and one set of output rows. Faust brings
membership, assignment, the table on disk and its changelog; this engine brings the order of things. Per batch:

1. *Fold* every key of the batch, without the records that an operator ordered to be left out. Nothing has left the
   process.
2. *Check*: a state or row near Kafka's record limit stops the process with a sentence.
3. *Fence*: a process that was paused for ``pause_limit`` ends itself, for another worker may own its partitions by now.
4. *Changelog*: produce the new states, wait for every delivery report and look at it.
5. *Rows*: produce the output records (fenced again), wait for every delivery report and look at it.
6. *Store*: one write per partition with the states and the changelog offset they have (while the rows travel).
7. *Commit* the source offsets, and nothing else ever commits.

While one batch goes through 3 to 7 the next is already folded, on the states of the first. It is delivered when the
first is committed, and thrown away when a rebalance or stop begins.

What a crash leaves behind:

- after 1, 2 or 3: nothing; the batch comes again.
- in 4: some states are in the changelog and no row of this batch is out. The batch comes again and meets a state that
  may hold it.
- in 5 or 6: all states are in the changelog, some rows are out. Same.
- in 7: everything is out and the batch comes again: every row is written once more.

So an event can come again, and after a crash the batches are cut differently. A fold must therefore be idempotent, must
write its rows again when an event comes again (never "nothing changed, so no row"), and must remember what it took
back: a row that a fold retracts is retracted again when one of the records it sees is not newer than that retraction.
The changelog is acknowledged before the first row is sent, so the state always knows every row that may be out.
"""

from __future__ import annotations

import logging
import os
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

import structlog

from faults import OperatorFault
from transport.health import HealthConfig
from transport.orders import Skips

log = structlog.get_logger()

#: Bytes of key and value of a state or row on the declared topics. These take 4,194,304 (``schemas.topics``), the
#: producer 4,000,000 (``transport.clients``), and both count some bytes around the record too.
RECORD_LIMIT: Final = 3_800_000


class Record(NamedTuple):
    """One source record of a key. ``timestamp_ms`` is Kafka's record timestamp (milliseconds since 1970)."""

    offset: int
    value: bytes
    timestamp_ms: int


class Out(NamedTuple):
    """One output record; ``value`` None is a tombstone. Partitioned by murmur2 of the key, as Java's producer does."""

    topic: str
    key: bytes
    value: bytes | None


class Scrubbed(bytes):
    """A packed state from which somebody was taken out: the one before leaves the disk at once, not with a merge."""


#: Without a state (None) a key leaves the store and the changelog, and the disk as for ``Scrubbed``.
Fold = Callable[[bytes, bytes | None, Sequence[Record]], tuple[bytes | None, list[Out]]]


class StageError(OperatorFault):
    """The stage must stop. The message says what to do and carries no content of a record, so it may be logged."""


class Seconds(NamedTuple):
    """Where the time of a batch went."""

    fold: float
    changelog: float
    rows: float
    store: float
    commit: float


class BatchStats(NamedTuple):
    """One committed batch. ``lag``: records behind the end of the source, by partition; ``committed_at``: Unix time."""

    events: int
    keys: int
    rows: int
    seconds: Seconds
    lag: Mapping[int, int]
    committed_at: float


@dataclass(frozen=True)
class StageConfig:
    """How one stage runs in one process.

    ``name`` is consumer group and prefix of the changelog ``<name>-<table>-changelog``. ``slot`` is the static
    membership id: one fixed id and one ``datadir`` per worker of a stage. ``client`` is handed to librdkafka as it is
    (SASL, TLS); the same settings are translated for the consumer. ``skips``: records that an operator ordered to be
    left out. Times in seconds.
    """

    name: str
    source: str
    table: str
    partitions: int
    bootstrap: str
    datadir: Path
    slot: str
    client: Mapping[str, str] = field(default_factory=dict, repr=False)
    max_poll_records: int = 1800  # of one key and all refused, its state still fits (tests.domain.test_worst)
    session_timeout: float = 10.0  # at least the broker's group.min.session.timeout.ms, 6 s by default
    heartbeat: float = 2.0
    pause_limit: float = 3.0
    batch_limit: float = 20.0  # how long a rebalance or stop waits for the batch in flight
    health: HealthConfig = field(default_factory=HealthConfig)
    record_limit: int = 900_000  # bytes of key and value; a topic that says nothing takes about 1 MB
    skips: Skips = field(default_factory=Skips)
    not_ready_limit: float = 30.0  # unready longer than this is logged as an error, again and again

    @property
    def changelog(self) -> str:
        """Name of the changelog topic, as Faust derives it."""
        return f"{self.name}-{self.table}-changelog"

    @property
    def stage(self) -> str:
        """What metrics call this stage: the group without the project's prefix."""
        return self.name.removeprefix("sor-")

    @property
    def delivery_timeout(self) -> float:
        """Below the session timeout: what a paused process has in its queue dies before others may own the keys."""
        return min(4.0, self.session_timeout * 0.5)

    def __post_init__(self) -> None:
        if self.pause_limit > self.session_timeout * 0.5:
            raise StageError(
                f"pause_limit {self.pause_limit} s is over half the session timeout of {self.session_timeout} s: "
                "a paused worker could write after another has taken over; lower it or raise session_timeout"
            )
        if self.heartbeat > self.session_timeout / 3:
            raise StageError(f"heartbeat {self.heartbeat} s must be at most a third of session_timeout")


def end(code: int, message: str) -> None:
    """Log ``message`` and end the process now: no cleanup of ours or Faust's may commit or send anything more."""
    log.critical(message)
    logging.shutdown()
    os._exit(code)


def describe(error: BaseException) -> str:
    """An error for the log. Only our own sentences are quoted: the text of any other may hold what a record held."""
    sentence = (
        str(error) if isinstance(error, StageError) else f"{type(error).__name__}; nothing of this batch is committed"
    )
    root = error.__cause__ or error
    frames = "" if isinstance(root, StageError) else "\n" + "".join(traceback.format_tb(root.__traceback__)).rstrip()
    return f"the stage stops: {sentence}{frames}"
