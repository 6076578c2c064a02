"""The intake as a process: its parts, its sockets, and its end."""

from __future__ import annotations

import asyncio
import logging
import signal
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_address
from typing import Any, Final

import structlog
from aiohttp import web

from connectors.errors import ConnectorError
from connectors.intake import meters
from connectors.intake.api import Intake
from connectors.intake.config import IntakeConfig, Tls
from connectors.intake.documents import Receipts
from connectors.intake.index import Index
from connectors.intake.reader import ReceiptReader
from connectors.intake.tokens import Gate, TokenError
from connectors.intake.work import Workers, where
from crypto.keys import connector_secret, load_public
from monitoring import metrics
from schemas.codec import Codec

log = structlog.get_logger()
_FOLLOW_TOKENS: Final = 2.0
_KEEP_ALIVE: Final = 15.0
_HANDSHAKE: Final = 10.0
_LINGER: Final = 2.0
_SHUTDOWN: Final = 60.0


class IntakeError(ConnectorError):
    """The intake cannot start; the message says what to do."""


class IntakeBroken(RuntimeError):
    """The intake cannot go on: it ends and has to be started anew."""


def require_safe(config: IntakeConfig, *, plain: bool) -> None:
    """Refuse to take tokens and files in clear over a network, unless a proxy in front does the encryption."""
    if config.tls is None and not plain and not _is_loopback(config.host):
        raise IntakeError(
            f"{config.host} is no address of this machine alone: give --certificate and --key, "
            "or --plain when a proxy in front encrypts."
        )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def tls_context(tls: Tls) -> ssl.SSLContext:
    """The server's side of TLS 1.2 and later. ``IntakeError`` when a file cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(tls.certificate, tls.key)
        if tls.client_ca is not None:
            context.load_verify_locations(tls.client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as error:
        raise IntakeError(f"The certificate, its key or the client CA cannot be used: {error.strerror}.") from None
    return context


class _Plain(logging.Handler):
    """What aiohttp has to say about requests that are no HTTP: that there was one, and nothing of what it held."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        log.warning("no_http", kind=type(error).__name__)


def _quiet_logger() -> logging.Logger:
    logger = logging.getLogger("sor.intake.http")
    logger.propagate = False
    logger.handlers = [_Plain(logging.WARNING)]
    return logger


class _Refuse(asyncio.Protocol):
    """Takes the place of a connection when there are too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.abort()  # type: ignore[attr-defined]


@asynccontextmanager
async def listening(app: web.Application, config: IntakeConfig) -> AsyncIterator[int]:
    """Serve an application; yields the port. At the end: no new connections, then what runs may finish.

    A connection that sends no complete request within ``_KEEP_ALIVE`` seconds is closed by aiohttp. Compressed bodies
    stay compressed (and are refused): their size would be anybody's guess.
    """
    runner = web.AppRunner(
        app, access_log=None, keepalive_timeout=_KEEP_ALIVE, lingering_time=_LINGER, auto_decompress=False,
        logger=_quiet_logger(), shutdown_timeout=_SHUTDOWN,
    )  # fmt: skip
    await runner.setup()
    served = runner.server
    assert served is not None  # noqa: S101 - set up

    def connection() -> asyncio.BaseProtocol:
        return served() if len(served.connections) < config.limits.connections else _Refuse()

    security = tls_context(config.tls) if config.tls else None
    try:
        server = await asyncio.get_running_loop().create_server(
            connection,
            config.host,
            config.port,
            backlog=512,
            ssl=security,
            ssl_handshake_timeout=_HANDSHAKE if security else None,
        )
    except OSError as error:
        await runner.cleanup()
        raise IntakeError(f"Cannot listen on {config.host}:{config.port}: {error.strerror}.") from None
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        await runner.cleanup()


class _Parts:
    """Everything of one process, put together and taken apart in order."""

    def __init__(self, config: IntakeConfig, loop: asyncio.AbstractEventLoop) -> None:
        load_public(config.keys)
        connector_secret(config.keys)  # made now, by one process, and not by two workers at once
        self.gate, self.loop = Gate(config.tokens), loop
        self.index = Index(config.limits.receipts_bytes, meters.RECEIPTS.set)
        self.broken: asyncio.Future[None] = loop.create_future()
        self.reader = ReceiptReader(config.cluster, config.ids, self._give, self._break)
        self.workers = Workers(config, meters.LOST.inc)
        receipts = Receipts(Codec("sor.receipts", config.ids))
        self.intake = Intake(self.gate, self.index, self.workers, receipts, self.reader, config.limits, config.workers)
        self.intake.ready = self.ready
        self.intake.welcome()
        self.reader.start()

    def ready(self) -> bool:
        """The broker answers, and the receipts of before the start are known."""
        return self.reader.answers and self.reader.current.is_set() and not self.intake.closing

    def _give(self, entries: list[Any]) -> None:
        with suppress(RuntimeError):  # the loop has ended
            self.loop.call_soon_threadsafe(self.index.put, entries)

    def _break(self, sentence: str) -> None:
        def end() -> None:
            if not self.broken.done():
                self.broken.set_exception(IntakeBroken(sentence))

        with suppress(RuntimeError):
            self.loop.call_soon_threadsafe(end)

    async def follow(self) -> None:
        """Look at the token file and at the broker now and then."""
        gauge = metrics.READY.labels(stage="intake")
        while True:
            try:
                self.intake.welcome()
            except TokenError as problem:
                log.warning("tokens", problem=str(problem))
            gauge.set(int(self.ready()))
            await asyncio.sleep(_FOLLOW_TOKENS)

    async def close(self) -> None:
        """End the workers and the reader."""
        await asyncio.to_thread(self.workers.close)
        await asyncio.to_thread(self.reader.stop)


async def serve(config: IntakeConfig, tell: Callable[[int], None], stop: asyncio.Event | None = None) -> None:
    """Run until SIGTERM or Ctrl-C, or until ``stop``; ``tell`` gets the port when it is open.

    Raises:
        IntakeError: it cannot start. IntakeBroken: receipts are no longer read.
    """
    loop, ended = asyncio.get_running_loop(), stop or asyncio.Event()
    loop.set_exception_handler(_unforeseen)
    for number in (signal.SIGTERM, signal.SIGINT) if stop is None else ():
        loop.add_signal_handler(number, ended.set)
    parts = _Parts(config, loop)
    follower = asyncio.create_task(parts.follow())
    try:
        async with listening(parts.intake.application(), config) as port:
            log.info("listening", port=port, tls=config.tls is not None, workers=config.workers)
            tell(port)
            waiting = asyncio.create_task(ended.wait())
            await asyncio.wait((waiting, parts.broken, follower), return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            parts.intake.closing = True
            parts.index.wake()
    finally:
        follower.cancel()
        await parts.close()
        metrics.READY.labels(stage="intake").set(0)
        log.info("ended")
    if parts.broken.done():
        parts.broken.result()
    with suppress(asyncio.CancelledError):
        await follower


def _unforeseen(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """An error that nobody waited for: its type and place, for its text may hold what was sent."""
    error = context.get("exception")
    log.warning("unforeseen", where=where(error) if error else str(context.get("message", "")))
