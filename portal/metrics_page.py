"""What Prometheus reads of the portal: a port of its own, on which nothing else is served and no visitor comes.

Each process of the portal counts; with more than one they count in files of a folder, and who started them shows the
sum. How long requests wait is looked up in the database when it is asked.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from monitoring import metrics
from settings.settings import SettingsError
from transport.release import release

_OURS: Final = "sor_portal_"
_NAMES: Final = [one.name for one in metrics.CATALOGUE if one.name.startswith(_OURS)]
_WAITING: Final = "sor_portal_oldest_request_seconds"
_PROCESS: Final = ["process_start_time_seconds", "process_resident_memory_bytes", "process_cpu_seconds_total"]
_ASK_SECONDS: Final = 10.0


def text(folder: Path | None) -> bytes:
    """The page. ``folder``: where other processes count; None: this one serves the portal itself."""
    _look()
    if folder is None:
        return generate_latest(REGISTRY.restricted_registry([*_NAMES, *_PROCESS]))
    together = CollectorRegistry()
    together.register(_Together(folder))
    return generate_latest(together) + generate_latest(REGISTRY.restricted_registry([_WAITING, *_PROCESS]))


class _Together(Collector):
    """What the processes of the portal count; all other metrics of the list are theirs at zero, which says nothing."""

    def __init__(self, folder: Path) -> None:
        self._counts = MultiProcessCollector(None, str(folder))  # type: ignore[no-untyped-call]

    def collect(self) -> Iterable[Metric]:
        """Families by their sum."""
        found: Iterable[Metric] = self._counts.collect()  # type: ignore[no-untyped-call]
        return [one for one in found if one.name.startswith(_OURS)]


def _look() -> None:
    """How long requests wait; nothing of it when the database does not answer."""
    from django.db import DatabaseError

    from portal.people.waiting import oldest

    try:
        for request, seconds in oldest().items():
            metrics.PORTAL_WAITING.labels(request=request).set(seconds)
    except DatabaseError:
        metrics.PORTAL_WAITING.clear()


def serve(host: str, port: int, folder: Path | None) -> ThreadingHTTPServer:
    """Serve the page from now on, by a thread. Port 0 takes any.

    Raises:
        SettingsError: another process has the port.
    """
    try:
        server = ThreadingHTTPServer((host, port), _handler(folder))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise SettingsError(f"Port {port} is in use: choose another with SOR_PORTAL_METRICS_PORT.") from None
    server.daemon_threads = True
    Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server


def _handler(folder: Path | None) -> type[BaseHTTPRequestHandler]:
    from django.db import connection

    class Handler(BaseHTTPRequestHandler):
        """Answers ``/metrics`` and nothing else."""

        timeout = _ASK_SECONDS

        def do_GET(self) -> None:
            if self.path.partition("?")[0] != "/metrics":
                self.send_error(404)
                return
            try:
                body = text(folder)
            finally:
                connection.close()  # that of this thread, which ends with its answer
            self.send_response(200)
            self.send_header("Content-Type", CONTENT_TYPE_LATEST)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def version_string(self) -> str:
            """Our release: ``sor doctor`` reads it."""
            return f"sor/{release()}"

        def log_message(self, format: str, *args: object) -> None:
            """A scrape every few seconds is not worth a line."""

    return Handler
