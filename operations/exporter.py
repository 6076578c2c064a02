"""The *exporter*: what must be looked up in ClickHouse, in the key folder or in a report, as bounded numbers.

A process of its own (``sor run exporter``), not a part of the sink: it only reads, with a reader's rights; a slow query
of it holds up no row, and a sink that hangs does not take the checks along. Prometheus gets numbers of providers and of
rows, never the name of one: who it is, the dashboard *Aanlevering* shows to those who may know.

A check that fails leaves its gauges as they were and counts as failed; an alert tells when a check is old.
"""

from __future__ import annotations

import json
import math
import re
import ssl
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog
from clickhouse_connect.driver.client import Client
from cryptography import x509

from crypto import keys
from crypto.sources import AUTHORITY, Trust
from faults import OperatorFault
from monitoring import metrics
from operations import daily
from operations.doctor.judging import SEALING_DAYS
from results.reports.state import ScheduleError
from results.waiting import waiting_sql
from settings.access import clickhouse_access
from settings.settings import Settings
from sinks import clickhouse
from sinks.access import Access
from sinks.clickhouse import RefusedError, UnavailableError
from transport.health import Health, HealthConfig
from transport.loop import Stop

log = structlog.get_logger()

STAGE: Final = "exporter"
DAY: Final = 86_400
#: Seconds between two looks. What waits is looked for in whole tables, and its alert counts in weeks.
EVERY: Final = {
    "sources": 30.0, "age": 60.0, "audit": 60.0, "schedule": 60.0, "waiting": 300.0, "keys": 300.0, "epochs": 300.0,
}  # fmt: skip
#: Seconds that one check may take: a few questions, each answered or given up within a minute.
LONGEST_CHECK: Final = 300.0
#: Of a provider's records of the last hour, from so many on, more than this share refused is a burst [P].
BURST_LEAST, BURST_SHARE = 20, 0.2
#: Records of one sender that were evaluated in the last hour and could not be opened by entry [P].
UNOPENED_MOST: Final = 100
AUDIT_FILE: Final = "audit.json"  # the answer of ``sor audit --json``
_SAMPLE: Final = 10_000
_MOST_REASONS: Final = 30
_REASON: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")

_BURST: Final = f"""
    SELECT toString(kind), count() FROM (
        SELECT kind, sender, sum(gezien) AS alles, sum(afgekeurd) AS slecht FROM receipts FINAL
        WHERE NOT test AND laatste > now64(3) - INTERVAL 1 HOUR GROUP BY kind, sender
        HAVING alles >= {BURST_LEAST} AND slecht > {BURST_SHARE} * alles
    ) GROUP BY kind"""  # noqa: S608 - our own numbers
_UNOPENED: Final = f"""
    SELECT count() FROM (
        SELECT sender FROM rejected FINAL WHERE stage = 'entry' AND rejected_at > now64(3) - INTERVAL 1 HOUR
        GROUP BY sender HAVING count() > {UNOPENED_MOST}
    )"""  # noqa: S608
_ACCEPTED: Final = """
    SELECT toString(kind), toUnixTimestamp64Milli(max(laatste)) / 1000 FROM receipts FINAL
    WHERE NOT test AND geaccepteerd > 0 GROUP BY kind"""
#: Older than the raw records can no longer be finished.
_UNFINISHED: Final = """
    SELECT count() FROM receipts FINAL
    WHERE NOT klaar AND laatste BETWEEN now64(3) - INTERVAL 14 DAY AND now64(3) - INTERVAL 10 MINUTE"""
#: Table, reason, rows and day since when, of what ``results.waiting`` finds.
WAITING: Final = "SELECT tabel, reden, count(), min(toInt32(sinds)) FROM ({}) GROUP BY tabel, reden"
#: Event of a row in seconds since 1970; dates count from their first moment.
_EVENT: Final = {
    "trajecten": f"toInt32(greatest(begindatum, ifNull(einddatum, begindatum))) * {DAY}",
    "metingen": f"toInt32(datum) * {DAY}",
    "scores": "toUnixTimestamp64Milli(tijd) / 1000",
}


class CheckFailed(OperatorFault):
    """A file that a check reads cannot be read; the message says what to do."""


@dataclass(frozen=True)
class Waiting:
    """Rows of a table that wait for one reason; ``day`` counts from 1970."""

    table: str
    reason: str
    rows: int
    day: int


class Checks:
    """The checks by name. Each looks once and sets its gauges, or raises."""

    def __init__(self, settings: Settings, access: Access) -> None:
        self._settings, self._access = settings, access
        self._client: Client | None = None
        self._waiting: set[tuple[str, str]] = set()
        self._aged_until: float | None = None
        self.all: dict[str, Callable[[], None]] = {
            "sources": self._sources,
            "waiting": self._pending,
            "age": self._age,
            "audit": self._audit,
            "keys": self._keys,
            "epochs": self._epochs,
            "schedule": self._schedule,
        }

    def run(self, name: str) -> bool:
        """One check; whether it succeeded. Whatever else goes wrong is a fault of ours and leaves."""
        metrics.CHECKS_DONE.labels(check=name).inc()
        try:
            self.all[name]()
        except (UnavailableError, RefusedError, CheckFailed, ScheduleError, keys.KeysError, OSError) as problem:
            metrics.CHECK_FAILURES.labels(check=name).inc()
            words = problem.strerror if isinstance(problem, OSError) else str(problem)
            log.warning("a check failed", check=name, problem=words or type(problem).__name__)
            self.close()
            return False
        metrics.CHECK_SUCCESS.labels(check=name).set_to_current_time()
        return True

    def close(self) -> None:
        """Let go of the connection; the next check makes a new one."""
        if self._client is not None:
            self._client.close()
        self._client = None

    def _select(self, query: str, **parameters: Any) -> list[tuple[Any, ...]]:
        if self._client is None:
            self._client = clickhouse.connect(self._access)
        return clickhouse.select(self._client, query, parameters)

    def _sources(self) -> None:
        bursts = dict(self._select(_BURST))
        for kind in metrics.KINDS:
            metrics.BURST_PROVIDERS.labels(kind=kind).set(bursts.get(kind, 0))
        for kind, moment in self._select(_ACCEPTED):
            if kind in metrics.KINDS:
                metrics.LAST_ACCEPTED.labels(kind=kind).set(moment)
        metrics.UNOPENED_PROVIDERS.set(self._select(_UNOPENED)[0][0])
        metrics.UNFINISHED.set(self._select(_UNFINISHED)[0][0])

    def _pending(self) -> None:
        found = bounded(Waiting(*row) for row in self._select(WAITING.format(waiting_sql(self._access.database))))
        for one in found:
            metrics.PENDING.labels(table=one.table, reason=one.reason).set(one.rows)
            metrics.PENDING_SINCE.labels(table=one.table, reason=one.reason).set(one.day * DAY)
        now = {(one.table, one.reason) for one in found}
        for table, reason in self._waiting - now:
            metrics.PENDING.labels(table=table, reason=reason).set(0)
            metrics.PENDING_SINCE.remove(table, reason)
        self._waiting |= now

    def _age(self) -> None:
        """Of the rows inserted since the last look; a restart begins now, for what came before was counted."""
        until = float(self._select("SELECT toUnixTimestamp64Milli(now64(3)) / 1000")[0][0])
        since, self._aged_until = self._aged_until, until
        for table, event in _EVENT.items() if since is not None else ():
            inserted = "toUnixTimestamp64Milli(ingevoegd_op) / 1000"
            query = f"""
                SELECT {inserted} - {event} FROM {table}
                WHERE NOT verwijderd AND ingevoegd_op > fromUnixTimestamp64Milli({{since:Int64}})
                    AND ingevoegd_op <= fromUnixTimestamp64Milli({{until:Int64}}) LIMIT {_SAMPLE}"""  # noqa: S608
            for (age,) in self._select(query, since=int((since or 0) * 1000), until=int(until * 1000)):
                metrics.EVENT_AGE.labels(table=table).observe(max(0.0, age))

    def _epochs(self) -> None:
        """The lowest epoch of the rows that are shown; of a table without any, none is too low."""
        for table in (*_EVENT, "receipts"):
            rows, lowest = self._select(f"SELECT count(), min(epoch) FROM {table} FINAL")[0]  # noqa: S608 - our names
            metrics.LOWEST_EPOCH.labels(table=table).set(lowest if rows else math.inf)

    def _audit(self) -> None:
        path = self._settings.home / AUDIT_FILE
        if not path.exists():
            return
        for table, rows in differences(path.read_text("utf-8")).items():
            metrics.AUDIT_DIFFERENCE.labels(table=table).set(rows)
        metrics.AUDIT_TIME.set(path.stat().st_mtime)

    def _schedule(self) -> None:
        daily.show(self._settings.home, self._settings.closing_day, time.time())

    def _keys(self) -> None:
        public = self._settings.keys / keys.PUBLIC
        keys.load_public(self._settings.keys)
        made = keys.sealing_since(self._settings.keys)
        metrics.KEY_EXPIRY.labels(key="sealing").set(made + SEALING_DAYS * DAY)
        if (public / AUTHORITY).exists():
            metrics.KEY_EXPIRY.labels(key="sources").set(Trust(self._settings.keys).due)
        if self._settings.kafka_ca_file is not None:
            ends = expiry(self._settings.kafka_ca_file.read_bytes())
            metrics.KEY_EXPIRY.labels(key="authority").set(ends)
        if self._settings.kafka and self._settings.kafka_security_protocol.endswith("SSL"):
            host, _, port = self._settings.kafka.split(",")[0].strip().rpartition(":")
            # Only a date is read: nothing is sent, so nothing need be trusted
            shown = ssl.get_server_certificate((host, int(port)), timeout=10)
            metrics.KEY_EXPIRY.labels(key="broker_certificate").set(expiry(shown.encode()))


def bounded(found: Iterable[Waiting]) -> list[Waiting]:
    """At most 30 reasons per table, each a word of ours; all that is left goes under ``anders``."""
    kept: dict[tuple[str, str], Waiting] = {}
    names: dict[str, set[str]] = {}
    for one in sorted(found, key=lambda one: (one.table, -one.rows, one.reason)):
        known = names.setdefault(one.table, set())
        reason = one.reason if _REASON.fullmatch(one.reason) and len(known) < _MOST_REASONS else "anders"
        known.add(reason)
        before = kept.get((one.table, reason), Waiting(one.table, reason, 0, one.day))
        kept[one.table, reason] = Waiting(one.table, reason, before.rows + one.rows, min(before.day, one.day))
    return list(kept.values())


def differences(text: str) -> dict[str, int]:
    """Rows that differ per table, and states per place, from the answer of ``sor audit --json``.

    An audit during which events came in proves nothing and gives nothing.

    Raises:
        CheckFailed: it is not such an answer.
    """
    try:
        report = json.loads(text)
        if report["moved"] and not report["equal"]:
            return {}
        what = ("missing", "extra", "different", "version")
        rows = {f["table"]: sum(len(f.get(one, ())) for one in what) + f.get("named", 0) for f in report["findings"]}
        return rows | {place["where"]: sum(place["differences"].values()) for place in report.get("states", ())}
    except (ValueError, KeyError, TypeError):
        raise CheckFailed(f"{AUDIT_FILE} is not what sor audit --json writes: run it again.") from None


def expiry(pem: bytes) -> float:
    """When the first of these certificates runs out, in seconds since 1970."""
    ends: list[datetime] = [one.not_valid_after_utc for one in x509.load_pem_x509_certificates(pem)]
    return min(ends).timestamp()


def run(settings: Settings, page: HealthConfig, stop: Stop) -> int:
    """Look again and again until asked to stop."""
    checks = Checks(settings, clickhouse_access(settings, "exporter"))
    health = Health(page, STAGE, LONGEST_CHECK).start()
    stop.turned = health.turned
    due = dict.fromkeys(checks.all, 0.0)
    try:
        while not stop:
            for name in [name for name, moment in due.items() if time.monotonic() >= moment]:
                health.turned()
                checks.run(name)
                due[name] = time.monotonic() + EVERY[name]
            health.ready = True
            stop.wait(1.0)
    finally:
        checks.close()
        health.stop()
    return 0
