"""The intake as a process: its parts, its sockets, and its end."""

from __future__ import annotations

import asyncio
import resource
import signal
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from ipaddress import ip_address
from typing import Any, Final

import structlog
from aiohttp import web

from connectors.delivery.signers import own
from connectors.errors import ConnectorError
from connectors.intake import meters
from connectors.intake.api import Intake
from connectors.intake.config import IntakeConfig, Tls
from connectors.intake.connections import Connections
from connectors.intake.documents import Receipts
from connectors.intake.index import Index
from connectors.intake.protocol import Http, quiet_logger
from connectors.intake.reader import ReceiptReader
from connectors.intake.tokens import Gate, TokenError
from connectors.intake.visitors import Visitors
from connectors.intake.work import HUB, Workers, where
from crypto.keys import connector_secret, load_public
from crypto.sources import Trust
from schemas.typed import ReceiptCodec
from transport.health import Health, HealthPortError

log = structlog.get_logger()
_FOLLOW: Final = 0.5
_KEEP_ALIVE: Final = 15.0
_LINGER: Final = 2.0
_SHUTDOWN: Final = 60.0
_BACKLOG: Final = 512
#: Lines of one head: a request of ours has ten.
_HEADERS: Final = 64
#: File handles beside those of the connections: workers, broker, keys, modules.
_OTHER_HANDLES: Final = 128


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


def _allow_handles(config: IntakeConfig) -> None:
    """As many file handles as there may be connections. ``IntakeError`` when the system gives fewer."""
    wanted = config.limits.connections + _OTHER_HANDLES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise IntakeError(f"{wanted} file handles are needed and {hard} allowed: raise `ulimit -Hn` for this process.")
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def _sockets(config: IntakeConfig) -> list[socket.socket]:
    """A listening socket for every address that the host stands for. ``IntakeError`` when one cannot be had."""
    made: list[socket.socket] = []
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            config.host, config.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        for family, place in dict.fromkeys((one[0], one[4]) for one in found):
            made.append(socket.create_server(place[:2], family=family, backlog=_BACKLOG))
            made[-1].setblocking(False)
    except OSError as error:
        for one in made:
            one.close()
        raise IntakeError(f"Cannot listen on {config.host}:{config.port}: {error.strerror}.") from None
    return made


@asynccontextmanager
async def listening(app: web.Application, config: IntakeConfig) -> AsyncIterator[int]:
    """Serve an application; yields the port. At the end: no new connections, then what runs may finish.

    A known connection that sends no complete request within ``_KEEP_ALIVE`` seconds is closed by aiohttp, a silent one
    by ``Connections``. Compressed bodies stay compressed (and are refused): their size would be anybody's guess.
    """
    security = tls_context(config.tls) if config.tls else None
    _allow_handles(config)
    listeners, connections = await _sockets(config), Connections(config.limits, config.proxies)
    runner = web.AppRunner(app, shutdown_timeout=_SHUTDOWN)
    await runner.setup()
    served, loop = runner.server, asyncio.get_running_loop()
    assert served is not None  # noqa: S101 - set up

    options: dict[str, Any] = {
        "access_log": None, "logger": quiet_logger(), "keepalive_timeout": _KEEP_ALIVE, "lingering_time": _LINGER,
        "auto_decompress": False, "max_headers": _HEADERS,
    }  # fmt: skip
    http = partial(Http, served, loop=loop, **options)
    taking = [asyncio.create_task(connections.accept(one, http, security)) for one in listeners]
    try:
        yield int(listeners[0].getsockname()[1])
    finally:
        for task in taking:
            task.cancel()
        await asyncio.gather(*taking, return_exceptions=True)
        for one in listeners:
            one.close()
        await runner.cleanup()


class _Parts:
    """Everything of one process, put together and taken apart in order."""

    def __init__(self, config: IntakeConfig, loop: asyncio.AbstractEventLoop) -> None:
        load_public(config.keys)
        own(config.keys, config.authority, HUB)
        Trust(config.keys)
        connector_secret(config.keys)  # made now, by one process, and not by two workers at once
        self.gate, self.loop = Gate(config.tokens, visitors=Visitors(config.visitors)), loop
        self.index = Index(config.limits.receipts_bytes, meters.RECEIPTS.set)
        self.broken: asyncio.Future[None] = loop.create_future()
        self.reader = ReceiptReader(config.cluster, config.ids, self._give, self._break)
        self.workers = Workers(config, meters.LOST.inc)
        receipts = Receipts(ReceiptCodec(config.ids))
        self.intake = Intake(
            self.gate, self.index, self.workers, receipts, self.reader, config.limits, config.workers, config.origins
        )
        self.health = Health(config.health, "intake")
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
        while True:
            try:
                self.intake.welcome()
            except TokenError as problem:
                log.warning("tokens", problem=str(problem))
            self.health.turned()
            self.health.ready = self.ready()
            await asyncio.sleep(_FOLLOW)

    async def close(self) -> None:
        """End the workers and the reader."""
        await asyncio.to_thread(self.workers.close)
        await asyncio.to_thread(self.reader.stop)
        await asyncio.to_thread(self.health.stop)


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
        _show_health(parts.health, config)
        async with listening(parts.intake.application(), config) as port:
            log.info("listening", port=port, tls=config.tls is not None, workers=config.workers)
            tell(port)
            waiting = asyncio.create_task(ended.wait())
            await asyncio.wait((waiting, parts.broken, follower), return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            parts.intake.closing, parts.health.ready = True, False
            follower.cancel()
            parts.index.wake()
    finally:
        follower.cancel()
        await parts.close()
        log.info("ended")
    if parts.broken.done():
        parts.broken.result()
    with suppress(asyncio.CancelledError):
        await follower


def _show_health(health: Health, config: IntakeConfig) -> None:
    try:
        health.start()
    except HealthPortError:
        raise IntakeError(
            f"Port {config.health.port} for /ready and /metrics is in use: choose another one with --metrics-port."
        ) from None


def _unforeseen(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """An error that nobody waited for: its type and place, for its text may hold what was sent."""
    error = context.get("exception")
    log.warning("unforeseen", where=where(error) if error else str(context.get("message", "")))
