"""Is this process ready, does its work go on, and how is it doing: ``/ready``, ``/alive`` and ``/metrics``.

Ready: it can do its work. Alive: its loop turns; starting it again would not help. Who waits for the broker or for
ClickHouse is alive and not ready.
"""

from __future__ import annotations

import errno
import sys
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Final, Self

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from faults import OperatorFault
from monitoring import metrics
from transport.progress import Progress
from transport.release import release
from transport.watchdog import Watchdog

log = structlog.get_logger()

#: Seconds in which a loop turns at least once: longer than any step of it may wait (a flush: 30 s).
TURN_LIMIT: Final = 45.0
#: Seconds in which whoever connects to the page must have asked.
ASK_SECONDS: Final = 10.0


class HealthPortError(OperatorFault):
    """The port of the health page is in use; the message says what to do."""


@dataclass(frozen=True)
class HealthConfig:
    """Where a process serves its health page; ``port`` None: nowhere, so that a test or a tool needs no port.

    ``home`` is the folder of which the page tells how full the disk is.
    """

    port: int | None = None
    host: str = "127.0.0.1"
    home: Path = Path()


class Health:
    """The health page of one process, served by a daemon thread. A process starts as not ready.

    Its loop says each time that it ``turned``; until the first time it starts, for which it may take its time. From
    then on it stands still when the last time is more than ``turn_limit`` seconds ago, and ends itself if it goes on
    to (``transport.watchdog``).

    >>> health = Health(HealthConfig(), "entry").start()
    >>> health.ready = True
    """

    def __init__(self, config: HealthConfig, stage: str, turn_limit: float = TURN_LIMIT) -> None:
        self._config, self._turn_limit = config, turn_limit
        self._turned: float | None = None
        self._progress: Progress | None = None
        self._watchdog = Watchdog(stage, self.stuck)
        self._server: ThreadingHTTPServer | None = None
        self._gauge = metrics.READY.labels(stage=stage)
        self._ready = False
        self.note = ""  # what else there is to say of who is ready
        self._gauge.set(0)
        metrics.prepare(stage, config.home)

    @property
    def ready(self) -> bool:
        """Whether the process can do its work; also the gauge ``sor_ready``."""
        return self._ready

    @ready.setter
    def ready(self, value: bool) -> None:
        self._ready = value
        self._gauge.set(int(value))

    def turned(self) -> None:
        """The loop of this process turns. Cheap, from any thread."""
        self._turned = time.monotonic()

    def follow(self, progress: Progress) -> None:
        """From now on it also stands still when it is ready and its group does not move (``transport.progress``)."""
        self._progress = progress
        progress.start(lambda: self._ready)

    def stuck(self) -> str | None:
        """None while the work goes on, else what stands still, in a few words."""
        if self._turned is None:
            return None
        passed = time.monotonic() - self._turned
        if passed > self._turn_limit:
            return f"its loop has not turned for {passed:.0f} s"
        return self._progress.words if self._progress is not None else None

    def start(self) -> Self:
        """Serve from now on.

        Raises:
            HealthPortError: another process has the port.
        """
        port = self._config.port
        if port is None or self._server is not None:
            return self
        try:
            self._server = _Server((self._config.host, port), _handler(self))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise HealthPortError(
                f"Port {port} for /ready and /metrics is in use: stop the process that has it, "
                "or choose another block of ports with SOR_PORTS."
            ) from error
        Thread(target=self._server.serve_forever, name="health", daemon=True).start()
        self._watchdog.start()
        return self

    def stop(self) -> None:
        """Not ready any more, and the port is free again."""
        self.ready = False
        if self._progress is not None:
            self._progress.stop()
        if self._server is not None:
            self._watchdog.stop()
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class _Server(ThreadingHTTPServer):
    """Whoever asked and went before the answer is nobody's fault: no traceback, which by default is printed."""

    def handle_error(self, request: object, client_address: object) -> None:
        del request, client_address
        error = sys.exception()
        if not isinstance(error, ConnectionError | TimeoutError):
            log.error("the health page failed", kind=type(error).__name__)


def _handler(health: Health) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Answers ``/ready`` and ``/alive`` (200 or 503) and ``/metrics``."""

        timeout = ASK_SECONDS

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/ready":
                more = f": {health.note}" if health.note else ""
                status, text = (200, f"ready{more}\n".encode()) if health.ready else (503, b"not ready\n")
                self._answer(status, "text/plain; charset=utf-8", text)
            elif path == "/alive":
                stuck = health.stuck()
                status, text = (200, b"alive\n") if stuck is None else (503, f"{stuck}\n".encode())
                self._answer(status, "text/plain; charset=utf-8", text)
            elif path == "/metrics":
                self._answer(200, CONTENT_TYPE_LATEST, generate_latest())
            else:
                self._answer(404, "text/plain; charset=utf-8", b"/ready, /alive or /metrics\n")

        def version_string(self) -> str:
            """Our release, in the header ``Server``: ``sor doctor`` reads it."""
            return f"sor/{release()}"

        def _answer(self, status: int, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """A probe every few seconds is not worth a line."""

    return Handler
