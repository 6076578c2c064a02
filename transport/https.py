"""One server over HTTP/1.1 with a token: what a source needs of a client, from the standard library.

A token and what it opens never cross a network in clear: plain HTTP is for this machine alone. Nothing of an answer is
trusted to be small.
"""

from __future__ import annotations

import ssl
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from ipaddress import ip_address
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from faults import OperatorFault

_CONNECT_SECONDS: Final = 10.0
#: Bytes of one answer: a receipt with 500 refused records has a fifth of it.
MOST_BYTES: Final = 1_000_000
_AGENT: Final = "sor"


class Endpoint(NamedTuple):
    """A server and the token for it.

    ``ca``: PEM file of who signed its certificate, None for those of the system. ``own``: PEM files of certificate and
    key that are shown to a server which asks for one.
    """

    url: str
    token: str
    ca: Path | None = None
    own: tuple[Path, Path] | None = None

    def __repr__(self) -> str:
        return f"Endpoint({self.url})"


class BadEndpoint(OperatorFault):
    """The address or its certificate file cannot be used."""


class NoAnswer(OperatorFault):
    """The server cannot be reached, or said nothing that is HTTP; the text is a kind of error, without content."""


class NotItself(OperatorFault):
    """The certificate of the server is not signed by whom we trust, or is of another name."""


class Reply(NamedTuple):
    """What came back."""

    status: int
    retry_after: str
    content: bytes


class Server:
    """One connection, kept open between requests. A request on one that the other end has closed is sent again."""

    def __init__(self, endpoint: Endpoint) -> None:
        address = urlsplit(endpoint.url)
        host, port = address.hostname, address.port
        if address.scheme not in ("http", "https") or not host:
            raise BadEndpoint(f"{endpoint.url} is no URL of a server: https://host[:port].")
        if address.scheme == "http" and not _is_here(host):
            raise BadEndpoint(f"{endpoint.url} would send the token in clear over a network: use https://.")
        self.name, self._prefix = address.netloc, address.path.rstrip("/")
        self._host, self._port = host, port
        self._security = _security(endpoint) if address.scheme == "https" else None
        self._headers = {"Authorization": f"Bearer {endpoint.token}", "User-Agent": _AGENT}
        self._open: HTTPConnection | None = None
        #: Whether it has ever answered.
        self.answered = False

    def ask(self, method: str, path: str, body: bytes | None = None, seconds: float = 30.0) -> Reply:
        """One request. ``seconds``: how long the server may say nothing.

        Raises:
            NoAnswer, NotItself.
        """
        kept = self._open is not None
        try:
            return self._ask(method, path, body, seconds)
        except ssl.SSLCertVerificationError as error:
            self.close()
            raise NotItself(error.verify_message) from None
        except (OSError, HTTPException) as error:
            self.close()
            if kept and not isinstance(error, TimeoutError):
                return self.ask(method, path, body, seconds)
            raise NoAnswer(type(error).__name__) from None

    def _ask(self, method: str, path: str, body: bytes | None, seconds: float) -> Reply:
        if self._open is None:
            self._open = self._connected()
        if self._open.sock is not None:
            self._open.sock.settimeout(seconds)
        self._open.request(method, self._prefix + path, body, self._headers)
        answer = self._open.getresponse()
        content = answer.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise HTTPException("an answer without end")
        if answer.length:
            raise HTTPException("half an answer")
        self.answered = True
        self._keep(answer)
        return Reply(answer.status, answer.headers.get("Retry-After", ""), content)

    def _connected(self) -> HTTPConnection:
        if self._security is None:
            made = HTTPConnection(self._host, self._port, timeout=_CONNECT_SECONDS)
        else:
            made = HTTPSConnection(self._host, self._port, timeout=_CONNECT_SECONDS, context=self._security)
        made.connect()
        return made

    def _keep(self, answer: HTTPResponse) -> None:
        if answer.will_close:
            self.close()

    def close(self) -> None:
        """Let go of the connection."""
        if self._open is not None:
            self._open.close()
            self._open = None


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _security(endpoint: Endpoint) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=endpoint.ca)
    except (OSError, ssl.SSLError):
        raise BadEndpoint(f"{endpoint.ca} holds no certificates in PEM form.") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if endpoint.own is not None:
        try:
            context.load_cert_chain(*endpoint.own)
        except (OSError, ssl.SSLError):
            raise BadEndpoint(f"{endpoint.own[0]} and its key cannot be used for TLS.") from None
    return context
