"""HTTP as the intake speaks it: what aiohttp refuses by itself is a problem document too, and quotes nothing.

aiohttp answers a request that is no HTTP with the bytes that it did not understand. Those may be half of a file.
"""

from __future__ import annotations

import logging

import structlog
from aiohttp import web
from aiohttp.http_exceptions import LineTooLong

from connectors.intake.problems import Kind, Problem

log = structlog.get_logger()


class Http(web.RequestHandler):
    """The protocol of one connection."""

    __slots__ = ()

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """The answer to what reached no handler of ours. It ends the connection.

        Raises:
            ConnectionError: half an answer is on its way, so that there can be no other.
        """
        del message  # it repeats the request
        log.warning("no_http", kind=type(exc).__name__)
        if request.writer.output_size > 0:
            raise ConnectionError("an answer has begun")
        kind = Kind.HEADERS if isinstance(exc, LineTooLong) else Kind.INVALID if status == 400 else Kind.FAULT
        answer = Problem(kind).response()
        answer.force_close()
        return answer

    async def finish_response(
        self, request: web.BaseRequest, answer: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send an answer; one that aiohttp made before it found a handler is replaced by a problem document."""
        if isinstance(answer, web.HTTPException):
            answer = Problem(Kind.INVALID).response()
            answer.force_close()
        return await super().finish_response(request, answer, start_time)


class _Types(logging.Handler):
    """What aiohttp has to say beside that: the type of an error, and nothing of what it held."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        log.warning("no_http", kind=type(error).__name__)


def quiet_logger() -> logging.Logger:
    """The logger of aiohttp's own lines."""
    logger = logging.getLogger("sor.intake.http")
    logger.propagate = False
    logger.handlers = [_Types(logging.WARNING)]
    return logger
