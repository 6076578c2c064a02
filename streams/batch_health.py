"""What a stage shows: metrics, and `/ready` and `/metrics` on 127.0.0.1."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, make_wsgi_app

from streams.batch import BatchStats, StageError

_STAGE = ["stage"]
EVENTS = Counter("sor_stage_events_total", "Source records folded and committed", _STAGE)
KEYS = Counter("sor_stage_states_total", "States written; events by states is what a batch saves", _STAGE)
ROWS = Counter("sor_stage_rows_total", "Output records acknowledged", _STAGE)
BATCHES = Counter("sor_stage_batches_total", "Batches committed", _STAGE)
REFUSED = Counter(
    "sor_stage_commits_refused_total", "Batches delivered but not committed, for the group had moved on", _STAGE
)
SEEKS = Counter("sor_stage_seeks_total", "Times the position guard went back to records that were jumped over", _STAGE)
RESTORED = Counter("sor_stage_restored_records_total", "Changelog records applied to the state on disk", _STAGE)
SECONDS = Histogram(
    "sor_stage_step_seconds",
    "Time of a batch, per step",
    ["stage", "step"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 20),
)
LAG = Gauge("sor_stage_lag_records", "Source records not yet handled", ["stage", "partition"])
COMMITTED = Gauge("sor_stage_last_commit_timestamp_seconds", "Unix time of the last commit", _STAGE)
LARGEST = Gauge(
    "sor_stage_largest_state_bytes", "Largest state written since the start; Kafka refuses one of about 1 MB", _STAGE
)
READY = Gauge("sor_stage_ready", "1 when assigned, restored and handling records", _STAGE)
UNREADY = Gauge("sor_stage_not_ready_seconds", "Time since the stage was last ready; 0 while it is", _STAGE)


def count(stage: str, batch: BatchStats) -> None:
    """Add a committed batch to the metrics."""
    EVENTS.labels(stage).inc(batch.events)
    KEYS.labels(stage).inc(batch.keys)
    ROWS.labels(stage).inc(batch.rows)
    BATCHES.labels(stage).inc()
    COMMITTED.labels(stage).set(batch.committed_at)
    for step, seconds in batch.seconds._asdict().items():
        SECONDS.labels(stage, step).observe(seconds)


def show_lag(stage: str, lag: Mapping[int, int], partitions: int) -> None:
    """Show the lag of the partitions that are ours and of no other."""
    for partition in range(partitions):
        if partition in lag:
            LAG.labels(stage, str(partition)).set(lag[partition])
        else:
            LAG.remove(stage, str(partition))


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    allow_reuse_address = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """A scrape every few seconds is no news."""


def serve(port: int, ready: Callable[[], str | None]) -> Callable[[], None]:
    """Serve `/ready` (200, or 503 with the reason that `ready` returns) and `/metrics`; returns what stops it."""
    metrics = make_wsgi_app(REGISTRY)

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO")
        if path == "/metrics":
            page: Iterable[bytes] = metrics(environ, start_response)
            return page
        if path != "/ready":
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"only /ready and /metrics\n"]
        reason = ready()
        start_response("200 OK" if reason is None else "503 Service Unavailable", [("Content-Type", "text/plain")])
        return [((reason or "ready") + "\n").encode()]

    try:
        server = make_server("127.0.0.1", port, answer, server_class=_Server, handler_class=_Quiet)
    except OSError as error:
        raise StageError(
            f"cannot serve health on 127.0.0.1:{port} ({error.strerror}): choose another health port"
        ) from error
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()

    def stop() -> None:
        server.shutdown()
        server.server_close()

    return stop
