"""Every metric of the system, in one list.

A process uses the attributes: ``metrics.RECORDS.labels(stage="entry", outcome="accepted").inc(n)``. A misspelt
attribute fails the type check, a misspelt label raises at once. ``CATALOGUE`` holds the same list as values, from which
the documentation is written and against which the alert rules are tested.

No label may identify a person, a provider, a delivery or an offset: each has the bounded set of values in ``LABELS``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

Kind = Literal["counter", "gauge", "histogram"]

#: What each label may hold.
LABELS: Final[dict[str, str]] = {
    "stage": "process: evaluate, entry, trajectories, deliveries, sink",
    "step": "part of a batch: poll, decode, open, fold, encode, write, flush, commit",
    "outcome": "accepted, rejected (by a rule), skipped (unreadable)",
    "kind": "kind of delivery: start, stop, declaration, score, cem",
    "code": "rule code of a refusal, from the closed list of the domain",
    "topic": "a declared topic (schemas/topics.toml)",
    "table": "a table of the sink: trajecten, metingen, scores, rejected, receipts",
}

#: The objective is half a second for half of all events and two seconds for 99 %: the buckets are dense around both.
FRESHNESS_BUCKETS: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.5, 2.0, 2.5, 3.0, 5.0, 10.0, 30.0, 60.0, 300.0)
_TIME_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_SIZE_BUCKETS: Final = (
    1.0,
    5.0,
    10.0,
    50.0,
    100.0,
    250.0,
    500.0,
    1_000.0,
    2_500.0,
    5_000.0,
    10_000.0,
    20_000.0,
    50_000.0,
)


@dataclass(frozen=True)
class Metric:
    """One metric: its name as exposed, what it says and what to do when it looks wrong."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    meaning: str
    remedy: str


#: All metrics in order of declaration.
CATALOGUE: Final[list[Metric]] = []

# Series with the time of creation double the number of series and nothing here uses them.
disable_created_metrics()  # type: ignore[no-untyped-call]


def _declare(name: str, kind: Kind, labels: tuple[str, ...], meaning: str, remedy: str) -> None:
    CATALOGUE.append(Metric(name, kind, labels, meaning, remedy))


def _counter(name: str, labels: tuple[str, ...], meaning: str, remedy: str) -> Counter:
    _declare(name, "counter", labels, meaning, remedy)
    return Counter(name, meaning, labels)


def _gauge(name: str, labels: tuple[str, ...], meaning: str, remedy: str) -> Gauge:
    _declare(name, "gauge", labels, meaning, remedy)
    return Gauge(name, meaning, labels)


def _histogram(name: str, labels: tuple[str, ...], buckets: tuple[float, ...], meaning: str, remedy: str) -> Histogram:
    _declare(name, "histogram", labels, meaning, remedy)
    return Histogram(name, meaning, labels, buckets=buckets)


# Every stage

RECORDS: Final = _counter(
    "sor_records_total",
    ("stage", "outcome"),
    "Records that a stage has finished, by outcome.",
    "A stage that stands still while its lag grows: read its log, then restart it; nothing is lost by that.",
)
BATCH_SECONDS: Final = _histogram(
    "sor_batch_seconds",
    ("stage", "step"),
    _TIME_BUCKETS,
    "Time that one step of one batch took.",
    "The step that grew names the part to look at: poll and flush the broker, write the disk or ClickHouse.",
)
BATCH_RECORDS: Final = _histogram(
    "sor_batch_records",
    ("stage",),
    _SIZE_BUCKETS,
    "Records in one batch.",
    "Always at its upper bound means the stage is behind: add a process, up to the number of partitions.",
)
LAG: Final = _gauge(
    "sor_lag_records",
    ("stage", "topic"),
    "Records of a topic that the stage has still to finish.",
    "Growing: see whether the stage is ready and which step of its batches is slow.",
)
LAST_COMMIT: Final = _gauge(
    "sor_last_commit_timestamp_seconds",
    ("stage",),
    "When the stage last committed offsets (seconds since 1970).",
    "Old while there is lag: the stage hangs or retries; its log says on what.",
)
READY: Final = _gauge(
    "sor_ready",
    ("stage",),
    "1 when the stage has its partitions and its state, else 0.",
    "0 for minutes: recovery of state takes long or the group cannot settle; see the log of the stage.",
)
STATE_BYTES: Final = _gauge(
    "sor_state_bytes",
    ("stage",),
    "Size of the state store on disk.",
    "It grows with the number of clients; check free disk space and add partitions and processes.",
)
POISON_SHARE: Final = _gauge(
    "sor_poison_share",
    ("stage",),
    "Share of unreadable records in the recent window, 0 to 1. A stage stops itself above its limit.",
    "Look at the codes in sor.rejected: one sender with a wrong version, or a fault of ours after a release.",
)

# Deliveries

LINES: Final = _counter(
    "sor_lines_total",
    ("kind", "outcome"),
    "Delivered records, by kind and by outcome of the validation.",
    "See the refusal codes of the same kind.",
)
REJECTED: Final = _counter(
    "sor_rejected_total",
    ("stage", "code"),
    "Records that could not be read and went to sor.rejected with their coordinates.",
    "Find them by coordinates in the table rejected; the code says what to ask of the sender.",
)
DELIVERY_REFUSALS: Final = _counter(
    "sor_delivery_refusals_total",
    ("kind", "code"),
    "Refused records of deliveries, by rule.",
    "One code that dominates: the senders' software or our reading of the rule; ask one sender for an example.",
)
LAST_DELIVERY: Final = _gauge(
    "sor_last_delivery_timestamp_seconds",
    ("kind",),
    "Publication time of the newest delivery of a kind (seconds since 1970).",
    "Silent for longer than usual: ask the message system or the providers, and look at the connectors.",
)
EVALUATIONS: Final = _counter(
    "sor_evaluations_total",
    (),
    "Points multiplied with the secret key of evaluate. Guessing identities would show here.",
    "More evaluations than delivered records: stop evaluate and find out who writes to sor.in.*.",
)

# Sink

SINK_ROWS: Final = _counter(
    "sor_sink_rows_total",
    ("table",),
    "Rows that ClickHouse has confirmed.",
    "None while there is lag: ClickHouse refuses or is away; see the retries.",
)
SINK_RETRIES: Final = _counter(
    "sor_sink_retries_total",
    ("table",),
    "Inserts that failed and are tried again.",
    "ClickHouse is away, full or overloaded: check that it answers, its disk and its log.",
)
SINK_INSERT_SECONDS: Final = _histogram(
    "sor_sink_insert_seconds",
    ("table",),
    _TIME_BUCKETS,
    "Time of one confirmed insert.",
    "Growing: too many parts or a busy disk; see the merges of ClickHouse.",
)
FRESHNESS: Final = _histogram(
    "sor_freshness_seconds",
    (),
    FRESHNESS_BUCKETS,
    "Time from publication at the source until the row can be queried.",
    "Compare the lag of the stages: the first one with lag is the one to help.",
)


def prepare(stage: str) -> None:
    """Expose the counters of a stage at zero before its work begins.

    A counter that first appears with a value shows no increase: the very first refusals would raise no alert.
    """
    for outcome in ("accepted", "rejected"):
        RECORDS.labels(stage=stage, outcome=outcome)
        for kind in ("start", "stop", "declaration", "score", "cem") if stage == "entry" else ():
            LINES.labels(kind=kind, outcome=outcome)
    for table in ("trajecten", "metingen", "scores", "rejected", "receipts") if stage == "sink" else ():
        SINK_ROWS.labels(table=table)
        SINK_RETRIES.labels(table=table)
