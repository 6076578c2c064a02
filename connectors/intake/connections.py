"""Who is connected, and what a connection may cost as long as it has not said who it is.

A connection is *silent* until a request of it has shown a token or a certificate. Silent ones are bounded in time, in
bytes and in number, of one address and in all, and where there is one too many the oldest leaves: whoever speaks at
once always finds room, and a thousand sockets that say nothing only push each other out. A connection that has said who
it is counts for its provider and is never pushed out.

An address is that of the other end of the connection. What a request says of itself (``X-Forwarded-For``) is not looked
at: anybody can write it. Behind a proxy all connections are the proxy's; ``proxies`` names it, and the bound of one
address is left to it.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections import Counter, defaultdict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from typing import Final, cast

from aiohttp import web

from connectors.intake import meters
from connectors.intake.config import IntakeLimits
from connectors.intake.limits import COME_BACK, TooFast

#: Pieces in which a silent connection is read, and one that has said who it is.
_SIP: Final = 8_192
_GULP: Final = 262_144
_HANDSHAKE: Final = 10.0
#: Without room for another file handle: how long to wait for one.
_PAUSE: Final = 0.1
_NO_ROOM: Final = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_HEAD_ENDS: Final = b"\r\n\r\n"


def origin(host: str) -> str:
    """What counts as one address: of IPv6 the network that one customer gets."""
    address = ip_address(host.partition("%")[0])
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or IPv6Address(int(address) >> 64 << 64))
    return str(address)


class Connection(asyncio.BufferedProtocol):
    """One connection, from the moment that it is accepted; stands between its socket and the protocol of aiohttp."""

    def __init__(self, connections: Connections, address: str, http: web.RequestHandler) -> None:
        self.address, self.provider = address, ""
        self._connections, self._http = connections, http
        self._transport: asyncio.Transport | None = None
        self._opening: asyncio.Task[None] | None = None
        self._ended = False
        self._read, self._tail, self._whole = 0, b"", False
        self._timer = asyncio.get_running_loop().call_later(connections.limits.silent_seconds, self.end, "slow")

    async def open(self, sock: socket.socket, security: ssl.SSLContext | None) -> None:
        """Shake hands, and speak HTTP from then on."""
        if self._ended:  # pushed out before its turn came
            sock.close()
            return
        self._opening = asyncio.current_task()
        loop, seconds = asyncio.get_running_loop(), _HANDSHAKE if security else None
        try:
            await loop.connect_accepted_socket(lambda: self, sock, ssl=security, ssl_handshake_timeout=seconds)
        except (OSError, TimeoutError):  # not our TLS, or gone before that
            self._opening = None
            self.end("handshake")

    def become(self, provider: str) -> None:
        """A request has shown whose this connection is. ``TooFast`` when the provider has as many as it may."""
        self._connections.know(self, provider)
        self._timer.cancel()

    def end(self, outcome: str) -> None:
        """Close at once, without an answer."""
        if self._connections.leave(self):
            meters.DROPPED.labels(outcome=outcome).inc()
        self._timer.cancel()
        self._ended = True
        if self._transport is not None:
            self._transport.abort()
        elif self._opening is not None:
            self._opening.cancel()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._http.connection_made(transport)
        if self._ended:
            self._transport.abort()

    def get_buffer(self, _hint: int) -> memoryview:
        return self._connections.buffer[: _GULP if self.provider else _SIP]

    def buffer_updated(self, count: int) -> None:
        data = bytes(self._connections.buffer[:count])
        if not self.provider and not self._whole and self._is_too_long(data):
            self.end("large")
        else:
            self._http.data_received(data)

    def _is_too_long(self, data: bytes) -> bool:
        """Whether the head of the first request is longer than it may be. Its answer closes a silent connection."""
        window, before = self._tail + data, self._read - len(self._tail)
        place = window.find(_HEAD_ENDS)
        self._whole, self._read, self._tail = place >= 0, self._read + len(data), window[1 - len(_HEAD_ENDS) :]
        return (before + place if self._whole else self._read) > self._connections.limits.head_bytes

    def eof_received(self) -> None:
        self._http.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.leave(self)
        self._timer.cancel()
        self._http.connection_lost(exc)

    def pause_writing(self) -> None:
        self._http.pause_writing()

    def resume_writing(self) -> None:
        self._http.resume_writing()


class Connections:
    """All connections of one process. Lives on its event loop."""

    def __init__(self, limits: IntakeLimits, proxies: frozenset[str] = frozenset()) -> None:
        self.limits, self.buffer = limits, memoryview(bytearray(_GULP))
        self._proxies = frozenset(map(origin, proxies))
        self._silent: dict[Connection, None] = {}  # the oldest first, as those of an address
        self._of_address: defaultdict[str, dict[Connection, None]] = defaultdict(dict)
        self._known: dict[Connection, None] = {}
        self._of_provider: Counter[str] = Counter()

    def enter(self, connection: Connection) -> bool:
        """A connection was accepted; False when there is no room, although every silent one has left."""
        limits, mates = self.limits, self._of_address[connection.address]
        if connection.address not in self._proxies and len(mates) >= limits.address_connections:
            next(iter(mates)).end("room")
        if len(self._silent) >= limits.silent_connections or len(self) >= limits.connections:
            self.make_room()
        # The last of an address takes its table along when it leaves.
        self._of_address[connection.address][connection] = self._silent[connection] = None
        self._tell()
        return len(self) <= limits.connections

    def make_room(self) -> None:
        """The oldest silent connection leaves."""
        if self._silent:
            next(iter(self._silent)).end("room")

    def know(self, connection: Connection, provider: str) -> None:
        """From now on it is this provider's; behind a proxy the next request may be another's."""
        if connection.provider == provider:
            return
        if self._of_provider[provider] >= self.limits.provider_connections:
            raise TooFast(COME_BACK)
        self.leave(connection)
        connection.provider = provider
        self._known[connection] = None
        self._of_provider[provider] += 1
        self._tell()

    def leave(self, connection: Connection) -> bool:
        """It counts no more; False when it did not."""
        if connection in self._known:
            del self._known[connection]
            self._of_provider[connection.provider] -= 1
        elif connection in self._silent:
            del self._silent[connection], self._of_address[connection.address][connection]
            if not self._of_address[connection.address]:
                del self._of_address[connection.address]
        else:
            return False
        self._tell()
        return True

    def __len__(self) -> int:
        return len(self._silent) + len(self._known)

    def _tell(self) -> None:
        meters.SILENT.set(len(self._silent))
        meters.CONNECTIONS.set(len(self))

    async def accept(
        self,
        listener: socket.socket,
        http: Callable[[], web.RequestHandler],
        security: ssl.SSLContext | None,
    ) -> None:
        """Take connections until cancelled."""
        loop, opening = asyncio.get_running_loop(), set[asyncio.Task[None]]()
        while True:
            try:
                sock, peer = await loop.sock_accept(listener)
            except OSError as error:
                if error.errno in _NO_ROOM:
                    self.make_room()
                    await asyncio.sleep(_PAUSE)
                continue
            connection = Connection(self, origin(peer[0]), http())
            if not self.enter(connection):
                connection.end("full")
                sock.close()
                continue
            task = loop.create_task(connection.open(sock, security))
            opening.add(task)
            task.add_done_callback(opening.discard)
            await asyncio.sleep(0)  # what is open goes on, however many knock
