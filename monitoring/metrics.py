"""Every metric of the system, in one list.

A process uses the attributes: ``metrics.RECORDS.labels(stage="entry", outcome="accepted").inc(n)``. A misspelt
attribute fails the type check, a misspelt label raises at once. ``CATALOGUE`` holds the same list as values, from which
the documentation is written and against which the alert rules are tested.

No label may identify a person, a provider, a delivery or an offset: each has the bounded set of values in ``LABELS``.
What is wrong with one provider is counted in ClickHouse and comes here as a number of providers.

A counter of failures names the metric that counts the attempts (``beside``): a number of failures alone says nothing.
Longer than other modules, because it is one list.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Literal

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

Kind = Literal["counter", "gauge", "histogram"]
Place = Literal["process", "clickhouse"]

#: The sources, one per topic of the connectors.
KINDS: Final = ("assignment", "start", "stop", "declaration", "return", "score", "cem", "cbs", "takeback", "erasure")
STAGES: Final = (
    "evaluate", "entry", "takeback", "register", "trajectories", "deliveries", "sink", "exporter", "audit", "schedule",
)  # fmt: skip
#: Those that only look: they commit nothing, and nobody has a record left out of what they read.
_READERS: Final = frozenset({"exporter", "audit", "schedule"})
#: Tables of the rows that the fold gives, and all that the sink fills.
ROW_TABLES: Final = ("trajecten", "metingen", "scores")
TABLES: Final = (*ROW_TABLES, "rejected", "receipts")
#: What the audit compares: rows in ClickHouse, and states where they are kept.
PLACES: Final = (*ROW_TABLES, "changelog", "store")
CHECKS: Final = ("sources", "waiting", "age", "audit", "keys", "epochs", "schedule")
#: Codes with which a record is refused because it cannot be read (domain/field/messages.py).
UNREADABLE: Final = ("K01", "K02", "K03", "K05", "K06", "K09")
#: Of the portal: how a request was answered (given; no such page, or not for you; asked too often; something that it
#: needs does not answer; a fault of ours); how a try to log in ended (factor: a code or passkey that is wrong; locked:
#: too many tries); what somebody asked that somebody else must do.
PORTAL_ANSWERS: Final = ("given", "refused", "limited", "down", "fault")
PORTAL_LOGINS_ENDED: Final = ("accepted", "password", "factor", "locked")
PORTAL_REQUESTS: Final = ("certificate", "recalculation")

#: What each label may hold.
LABELS: Final[dict[str, str]] = {
    "stage": f"process: {', '.join(STAGES)}",
    "step": "part of a batch: poll, decode, open, fold, encode, write, flush, commit, handle",
    "outcome": "accepted, rejected (by a rule), skipped (unreadable)",
    "kind": f"kind of delivery, that is the source: {', '.join(KINDS)}",
    "code": "rule code of a refusal, from the closed list of the domain",
    "topic": "a declared topic (schemas/topics.toml)",
    "table": f"a table of the sink: {', '.join(TABLES)}",
    "reason": "what a row waits for, from the closed list of the domain; at most 30",
    "check": f"a check of the exporter: {', '.join(CHECKS)}",
    "place": f"what the audit compares: {', '.join(PLACES)} (the states of a worker, on its disk)",
    "sort": "how it differs: missing, extra, different, version, former, unreadable, facts, out, waits",
    "key": "what runs out: sealing, broker_certificate, authority",
    "statement": "kind of a query: the first word of its statement",
    "error": "name of an error of ClickHouse",
    "answer": f"how the portal answered: {', '.join(PORTAL_ANSWERS)}",
    "login": f"how a try to log in to the portal ended: {', '.join(PORTAL_LOGINS_ENDED)}",
    "request": f"what waits in the portal: {', '.join(PORTAL_REQUESTS)}",
}

#: Days that the source takes, in seconds: a start is due within five working days, scores and CEM+ within a month.
AGE_BUCKETS: Final = tuple(86_400.0 * days for days in (0.04, 0.25, 1, 2, 3, 5, 7, 14, 30, 60, 90, 180, 365))

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
    beside: str = ""  # of a counter of failures: the metric that counts the attempts
    place: Place = "process"  # "clickhouse": counted by the one-machine ClickHouse in a registry of its own


#: All metrics in order of declaration.
CATALOGUE: Final[list[Metric]] = []

# Series with the time of creation double the number of series and nothing here uses them.
disable_created_metrics()  # type: ignore[no-untyped-call]


def _counter(name: str, labels: tuple[str, ...], meaning: str, remedy: str, beside: str = "") -> Counter:
    CATALOGUE.append(Metric(name, "counter", labels, meaning, remedy, beside))
    return Counter(name, meaning, labels)


def _gauge(name: str, labels: tuple[str, ...], meaning: str, remedy: str) -> Gauge:
    CATALOGUE.append(Metric(name, "gauge", labels, meaning, remedy))
    return Gauge(name, meaning, labels)


def _histogram(name: str, labels: tuple[str, ...], buckets: tuple[float, ...], meaning: str, remedy: str) -> Histogram:
    CATALOGUE.append(Metric(name, "histogram", labels, meaning, remedy))
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
    "Always at its upper bound means the stage is behind: add a process, up to the number of partitions (SorLagHigh).",
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
    "When the stage last committed offsets, or started if it did not yet (seconds since 1970).",
    "Old while there is lag: the stage hangs or retries; its log says on what.",
)
EPOCH: Final = _gauge(
    "sor_epoch",
    ("stage",),
    "Epoch since which the rows of the stage are of its log: higher than before when that is another one.",
    "Nothing by itself; rows of a lower epoch are of a log that is gone (sor heal).",
)
LOWEST_EPOCH: Final = _gauge(
    "sor_lowest_epoch",
    ("table",),
    "Lowest epoch of the rows of a table that are shown; infinite when there are none.",
    "Lower than sor_epoch of the stage that makes them: rows of a log that is gone, see sor heal.",
)
FILLING: Final = _gauge(
    "sor_filling_records",
    (),
    "Records of row topics that the sink reads again because the store lost their rows, still to go.",
    "It goes down by itself; until it is 0 the figures are incomplete (sor status).",
)
STORE_AHEAD: Final = _gauge(
    "sor_store_ahead_partitions",
    (),
    "Partitions of row topics of which the store has more than the broker.",
    "An older copy of the broker was restored, or it lost its end: sor heal.",
)
READY: Final = _gauge(
    "sor_ready",
    ("stage",),
    "1 when the stage has its partitions and its state, else 0.",
    "0 for minutes: recovery of state takes long or the group cannot settle; see the log of the stage.",
)
ALIVE: Final = _gauge(
    "sor_alive",
    ("stage",),
    "1 while the work of the process goes on, 0 when it stands still and nothing that it waits for explains that.",
    "0: it is ended and started again by itself; its last line says where it stood.",
)
STATE_BYTES: Final = _gauge(
    "sor_state_bytes",
    ("stage",),
    "Size of the state store on disk.",
    "It grows with the number of clients; look at free disk space, add processes, partitions (sor topics repartition).",
)
HELD_SECONDS: Final = _gauge(
    "sor_held_seconds",
    ("stage",),
    "For how long the stage stands still while definitions are handed over to it, 0 when it does not.",
    "It goes on by itself at the deadline of the hold, ten minutes at most; sor replay says what it waits for.",
)
GIVEN_ANEW: Final = _counter(
    "sor_given_anew_total",
    ("stage",),
    "Clients of which the stage gave out all rows anew, after other definitions were handed over to it.",
    "It takes place between the batches of the stream; a restart begins anew with the partitions that were not done.",
)
SWEEP_SHARE: Final = _gauge(
    "sor_sweep_share",
    ("stage",),
    "Share of the stage's partitions whose rows are still to go out anew under the definitions in force, 0 to 1.",
    "Not falling for minutes: see whether the stage is ready, and its log.",
)
POISON_SHARE: Final = _gauge(
    "sor_poison_share",
    ("stage",),
    "Share of records in the recent window that a source signed and that cannot be opened, 0 to 1.",
    "Look at the codes in sor.rejected: one source with a wrong version, or a fault of ours after a release.",
)
QUARANTINED: Final = _gauge(
    "sor_quarantined_sources",
    ("stage",),
    "Sources set aside because most of their records cannot be opened: what they send waits as dead letters.",
    "sor rejected aside names them. When the cause is gone: sor rejected release, then requeue.",
)

DISK_FREE: Final = _gauge(
    "sor_disk_free_share",
    ("stage",),
    "Free share of the disk on which a process keeps its files, 0 to 1.",
    "Make room or enlarge the disk before it is full: Kafka, ClickHouse and the states stop writing then.",
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
    "Find them by coordinates in the table rejected; the code says what to ask of the source.",
    beside="sor_records_total",
)
DELIVERY_REFUSALS: Final = _counter(
    "sor_delivery_refusals_total",
    ("kind", "code"),
    "Refused records of deliveries, by rule.",
    "One code that dominates: the sources' software or our reading of the rule; ask one source for an example.",
    beside="sor_lines_total",
)
LAST_DELIVERY: Final = _gauge(
    "sor_last_delivery_timestamp_seconds",
    ("kind",),
    "Publication time of the newest delivery of a kind (seconds since 1970).",
    "Silent for longer than usual: ask the message system or the providers, and look at the connectors.",
)
ORDERS: Final = _counter(
    "sor_orders_total",
    ("stage", "outcome"),
    "Orders of an operator that a stage has met (sor rejected requeue): carried out, or refused.",
    "refused: the record is gone, or the order names a topic that the stage does not read; its log says which.",
)
SKIPPED: Final = _counter(
    "sor_skipped_total",
    ("stage",),
    "Records that a stage left out because an operator ordered so (sor skip).",
    "A few after a rebuild are right. More than were ordered: read sor.orders; each stands in the audit trail.",
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
    beside="sor_sink_insert_seconds",
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
    "Time from publication at the source until the row can be queried; of over 500 rows of a table in a batch, 500 are "
    "looked at and stand for all.",
    "Compare the lag of the stages: the first one with lag is the one to help.",
)


# Exporter: what must be looked up in ClickHouse, in the key folder or in a report. Bounded numbers, never names.

CHECKS_DONE: Final = _counter(
    "sor_checks_total",
    ("check",),
    "Checks of the exporter that were begun.",
    "Standing still: the exporter hangs; see its log and restart it.",
)
CHECK_FAILURES: Final = _counter(
    "sor_check_failures_total",
    ("check",),
    "Checks of the exporter that could not be finished. Its gauges keep their last values.",
    "The log of the exporter says what did not answer.",
    beside="sor_checks_total",
)
CHECK_SUCCESS: Final = _gauge(
    "sor_check_timestamp_seconds",
    ("check",),
    "When a check of the exporter last succeeded (seconds since 1970).",
    "Old: what rests on it says nothing any more; see the log of the exporter.",
)
BURST_PROVIDERS: Final = _gauge(
    "sor_burst_providers",
    ("kind",),
    "Providers of whose records of the last hour more than a fifth was refused, of at least 20.",
    "The dashboard Aanlevering names them and their codes; tell the provider.",
)
UNOPENED_PROVIDERS: Final = _gauge(
    "sor_unopened_providers",
    (),
    "Sources with more than 100 records in the last hour that were evaluated and became no line.",
    "Somebody may be guessing identities in the name of a source: see who writes to sor.in.* under that name.",
)
LAST_ACCEPTED: Final = _gauge(
    "sor_last_accepted_timestamp_seconds",
    ("kind",),
    "Newest publication time of a delivery with accepted records (seconds since 1970), no test.",
    "Silent for longer than usual: ask the message system or the providers, and look at the connectors.",
)
PENDING: Final = _gauge(
    "sor_pending_rows",
    ("table", "reason"),
    "Rows that wait for something that was not delivered yet.",
    "A reason that grows names what is missing: assignments, starts or stops; see the runbook.",
)
PENDING_SINCE: Final = _gauge(
    "sor_pending_oldest_timestamp_seconds",
    ("table", "reason"),
    "Since when the row that waits longest does (seconds since 1970).",
    "Longer than the term of the message that it waits for: ask its provider.",
)
UNFINISHED: Final = _gauge(
    "sor_unfinished_deliveries",
    (),
    "Deliveries with records that have no outcome yet, older than ten minutes.",
    "The source was cut off, or a stage is behind: deliver the same files again, nothing counts twice.",
)
EVENT_AGE: Final = _histogram(
    "sor_event_age_seconds",
    ("table",),
    AGE_BUCKETS,
    "Time from the event itself (begin or end of care, meting, upload) until its row can be queried; a sample.",
    "Long: sources deliver late, or a backlog was delivered. The part that is ours is sor_freshness_seconds.",
)
AUDIT_DIFFERENCE: Final = _gauge(
    "sor_audit_difference_rows",
    ("table",),
    "Rows that differed from what the log yields, at the last audit.",
    "Keep the state and the log for inquiry, then sor audit --repair mends rows and states.",
)
AUDIT_TIME: Final = _gauge(
    "sor_audit_timestamp_seconds",
    (),
    "When the last audit was made (seconds since 1970).",
    "Old: run sor audit, by hand or by a timer; it keeps its answer as audit.json in the home folder.",
)
AUDIT_ROWS: Final = _counter(
    "sor_audit_rows_total",
    ("table",),
    "Rows that the process audit has compared with what the log yields.",
    "Standing still for longer than a round: see its log for what it waits for.",
)
AUDIT_FOUND: Final = _gauge(
    "sor_audit_found_records",
    ("place", "sort"),
    "Rows and states that differ from what the log yields, by the newest look of the process audit at each of them.",
    "sor audit names them; sor audit --repair mends them.",
)
AUDIT_PARTS: Final = _counter(
    "sor_audit_parts_total",
    (),
    "Parts of a round that the process audit has compared.",
    "Standing still for longer than a round: see its log for what it waits for.",
)
AUDIT_UNPROVEN: Final = _counter(
    "sor_audit_unproven_total",
    (),
    "Parts that proved nothing, because a stage was behind or their clients moved: they are compared again.",
    "All of them for hours: see the lag of trajectories and of the sink.",
    beside="sor_audit_parts_total",
)
AUDIT_ROUND: Final = _gauge(
    "sor_audit_round_timestamp_seconds",
    (),
    "When the process audit last ended a round in which everything was proven (seconds since 1970).",
    "Old: a stage lags or the audit waits; its log says for what.",
)
KEY_EXPIRY: Final = _gauge(
    "sor_key_expiry_timestamp_seconds",
    ("key",),
    "When a key or certificate runs out (seconds since 1970). A sealing key is used for a year [P].",
    "Make the next one in time and hand it out (SorKeyNearExpiry); a certificate that has run out stops everything.",
)
SCHEDULE_OPEN: Final = _gauge(
    "sor_schedule_open",
    (),
    "1 when a month stayed open because a step of sor schedule failed; what is published stays as it is.",
    "sor schedule says why, and goes on where it stopped (SorScheduleFailed).",
)
SCHEDULE_REFUSED: Final = _gauge(
    "sor_schedule_refused",
    (),
    "1 when it was the gate that refused the release of the month.",
    "Somebody who knows the figures decides (SorReleaseRefused).",
)
SCHEDULE_MONTHS: Final = _gauge(
    "sor_schedule_due_months",
    (),
    "Months that are due and of which not everything went out: the release, or a report.",
    "More than 0 for days: nobody sees the figures of that month (SorMonthOpen).",
)
SCHEDULE_TIME: Final = _gauge(
    "sor_schedule_timestamp_seconds",
    (),
    "When sor schedule last ran (seconds since 1970); 0 = never here.",
    "Old: the timer does not run (SorScheduleOld).",
)

# The portal, which shows these alone on a port of its own (portal/metrics_page.py)

PORTAL_ANSWERED: Final = _counter(
    "sor_portal_answers_total",
    ("answer",),
    "Requests of browsers to the portal, by how they were answered.",
    "fault: the log of the portal says which page (SorPortalFaults); down: ClickHouse or the registry does not answer.",
)
PORTAL_LOGINS: Final = _counter(
    "sor_portal_logins_total",
    ("login",),
    "Tries to log in to the portal, and to say once more who it is, by how they ended.",
    "Many that are wrong or locked: somebody guesses passwords or codes (SorPortalGuessing).",
)
PORTAL_CERTIFICATES: Final = _counter(
    "sor_portal_certificates_total",
    ("answer",),
    "Certificates that browsers asked for, by how that was answered; given: issued, for eight hours.",
    "limited: somebody asked fifty in a day; down: the folder of the authority cannot be read or written.",
)
PORTAL_MAILS: Final = _counter(
    "sor_portal_mails_total",
    (),
    "Mails of the portal that the mail server or the outbox took.",
    "None: nobody is invited, and nobody has forgotten a password.",
)
PORTAL_MAIL_FAILURES: Final = _counter(
    "sor_portal_mail_failures_total",
    (),
    "Mails of the portal that were not taken.",
    "Look at the mail server and its settings, and invite again (SorPortalMailFailing).",
    beside="sor_portal_mails_total",
)
PORTAL_WAITING: Final = _gauge(
    "sor_portal_oldest_request_seconds",
    ("request",),
    "Age of the oldest request in the portal that nobody has begun with; 0: none waits, absent: it is not known.",
    "Somebody waits: see SorPortalRequestWaiting and SorRecalculationWaiting.",
)

# The ClickHouse of one machine counts in a registry of its own (local/clickhouse/http.py).
for _name, _kind, _labels, _meaning, _remedy, _beside in (
    ("sor_clickhouse_queries_total", "counter", ("statement",), "Queries answered.", "None: nobody asks.", ""),
    ("sor_clickhouse_errors_total", "counter", ("error",), "Queries refused or failed.", "The error says why.",
     "sor_clickhouse_queries_total"),
    ("sor_clickhouse_rows_written_total", "counter", (), "Rows written by inserts.", "None: see the sink.", ""),
    ("sor_clickhouse_query_seconds", "histogram", ("statement",), "Time to the answer.", "Growing: see the queries.",
     ""),
    ("sor_clickhouse_requests_in_progress", "gauge", (), "Requests being answered.", "Many: a query hangs.", ""),
):  # fmt: skip
    CATALOGUE.append(Metric(_name, _kind, _labels, _meaning, _remedy, _beside, "clickhouse"))  # type: ignore[arg-type]


def prepare(stage: str, home: Path) -> None:
    """Expose the counters of a stage at zero before its work begins, and the disk of the folder that it writes to.

    A counter that first appears with a value shows no increase: the very first refusals would raise no alert.
    """
    DISK_FREE.labels(stage=stage).set_function(partial(_free_share, home.absolute()))
    if stage not in _READERS:  # else a stage that hangs at its first batch would never count as stalled
        LAST_COMMIT.labels(stage=stage).set_to_current_time()
    for outcome in ("accepted", "rejected"):
        RECORDS.labels(stage=stage, outcome=outcome)
        for kind in KINDS if stage == "entry" else ():
            LINES.labels(kind=kind, outcome=outcome)
    for code in UNREADABLE if stage in {"evaluate", "entry"} else ():
        REJECTED.labels(stage=stage, code=code)
    for outcome in ("accepted", "rejected") if stage in {"evaluate", "entry"} else ():
        ORDERS.labels(stage=stage, outcome=outcome)
    if stage in {"evaluate", "entry"}:
        QUARANTINED.labels(stage=stage)
    if stage not in _READERS:
        SKIPPED.labels(stage=stage)
    if stage == "trajectories":
        HELD_SECONDS.labels(stage=stage)
        GIVEN_ANEW.labels(stage=stage)
        SWEEP_SHARE.labels(stage=stage)
    for table in TABLES if stage == "sink" else ():
        SINK_ROWS.labels(table=table)
        SINK_RETRIES.labels(table=table)
    for table in ROW_TABLES if stage == "exporter" else ():
        EVENT_AGE.labels(table=table)
    for table in ROW_TABLES if stage == "audit" else ():
        AUDIT_ROWS.labels(table=table)
    for check in CHECKS if stage == "exporter" else ():
        CHECKS_DONE.labels(check=check)
        CHECK_FAILURES.labels(check=check)


def _free_share(folder: Path) -> float:
    """Of the disk that holds the folder, or that will when it is made."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    disk = shutil.disk_usage(there)
    return disk.free / disk.total
