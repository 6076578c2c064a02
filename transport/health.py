"""Is this process ready, and how is it doing: ``/ready`` and ``/metrics`` for the supervisor and for Prometheus."""

from __future__ import annotations

import errno
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Self

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from faults import OperatorFault
from monitoring import metrics


class HealthPortError(OperatorFault):
    """The port of the health page is in use; the message says what to do."""


class Health:
    """The health page of one process, served by a daemon thread.

    ``port`` None serves nothing, so that a test or a tool needs no port. A process starts as not ready. It listens on
    ``host``, else on the setting ``SOR_METRICS_HOST`` (a container's own address), else on 127.0.0.1.

    >>> health = Health(None, "entry").start()
    >>> health.ready = True
    """

    def __init__(self, port: int | None, stage: str, host: str | None = None) -> None:
        self.port, self._host = port, host or os.environ.get("SOR_METRICS_HOST") or "127.0.0.1"
        self._server: ThreadingHTTPServer | None = None
        self._gauge = metrics.READY.labels(stage=stage)
        self._ready = False
        self._gauge.set(0)
        metrics.prepare(stage)

    @property
    def ready(self) -> bool:
        """Whether the process can do its work; also the gauge ``sor_ready``."""
        return self._ready

    @ready.setter
    def ready(self, value: bool) -> None:
        self._ready = value
        self._gauge.set(int(value))

    def start(self) -> Self:
        """Serve from now on.

        Raises:
            HealthPortError: another process has the port.
        """
        if self.port is None or self._server is not None:
            return self
        try:
            self._server = ThreadingHTTPServer((self._host, self.port), _handler(self))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise HealthPortError(
                f"Port {self.port} for /ready and /metrics is in use: stop the process that has it, "
                "or choose another block of ports with SOR_PORTS."
            ) from error
        Thread(target=self._server.serve_forever, name="health", daemon=True).start()
        return self

    def stop(self) -> None:
        """Not ready any more, and the port is free again."""
        self.ready = False
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


def _handler(health: Health) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Answers ``/ready`` (200 or 503) and ``/metrics``."""

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/ready":
                status, text = (200, b"ready\n") if health.ready else (503, b"not ready\n")
                self._answer(status, "text/plain; charset=utf-8", text)
            elif path == "/metrics":
                self._answer(200, CONTENT_TYPE_LATEST, generate_latest())
            else:
                self._answer(404, "text/plain; charset=utf-8", b"/ready or /metrics\n")

        def _answer(self, status: int, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """A probe every few seconds is not worth a line."""

    return Handler
