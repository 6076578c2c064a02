"""Who may deliver: tokens and client certificates, each of one source, in one file with mode 0600.

A source is a provider, which delivers as itself, or a hub (message system, questionnaire hub, municipality), whose
entry lists the providers that it sends for.

A token is 256 random bits, so that the file keeps a plain SHA-256 of it: nobody can try that many, and a slow hash,
which protects what people choose themselves, would only cost every request time. The file is replaced as a whole and
read again as soon as it is another one: a revocation holds for the next request.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal, NamedTuple

import msgspec
from msgspec import Struct

from connectors.intake.visitors import Visitors
from faults import OperatorFault

Kind = Literal["token", "certificate"]
#: In the list of a hub: any provider.
ANY: Final = "*"
_AGB: Final = re.compile(r"[0-9]{8}")
_HUB: Final = re.compile(r"[A-Za-z0-9._-]{1,40}")
_PREFIX: Final = "sor_"
_DAY: Final = 86_400


class TokenError(OperatorFault):
    """The token file cannot be used, or a token is not there; the message says what to do."""


class Caller(NamedTuple):
    """Whose a request is: a source, and the providers (AGB codes, or ``ANY``) that it sends for."""

    id: str
    sends_for: frozenset[str]
    visits: bool = False  # a person in a browser, which seals by itself

    def may_send(self, agb: str) -> bool:
        """Whether it sends for this provider, and so sees what became of it."""
        return agb in self.sends_for or ANY in self.sends_for

    @property
    def provider(self) -> str:
        """Its AGB code when it delivers files as itself, else empty."""
        return self.id if self.sends_for == {self.id} and not self.visits else ""


class Credential(Struct, frozen=True):
    """One way in. ``hash`` is the SHA-256 of the token's text, or of the certificate (DER); times in seconds.

    ``agb`` names the source: the AGB code of a provider, or the name of a hub, which has a list in ``sends_for``.
    """

    id: str
    kind: Kind
    agb: str
    hash: str
    made: int
    expires: int
    revoked: int = 0
    note: str = ""
    sends_for: tuple[str, ...] = ()

    @property
    def caller(self) -> Caller:
        """Who comes in with it."""
        return Caller(self.agb, frozenset(self.sends_for or (self.agb,)))

    def state(self, now: float) -> str:
        """``valid``, ``expired`` or ``revoked``."""
        if self.revoked:
            return "revoked"
        return "valid" if now < self.expires else "expired"


class _Document(Struct):
    credentials: list[Credential] = []


def digest(secret: bytes) -> str:
    """What is kept of a token or a certificate."""
    return hashlib.sha256(secret).hexdigest()


class TokenFile:
    """The file as the operator's commands change it."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.path, self._clock = path, clock

    def add(self, agb: str, days: int, note: str = "", sends_for: tuple[str, ...] = ()) -> tuple[Credential, str]:
        """A new token: what is kept, and the text that the source gets and nobody keeps.

        ``sends_for``: the providers of a hub; a provider has none and sends for itself.
        """
        text = _PREFIX + secrets.token_urlsafe(32)
        return self._added("token", agb, text.encode(), days, note, sends_for), text

    def add_certificate(
        self, agb: str, der: bytes, days: int, note: str = "", sends_for: tuple[str, ...] = ()
    ) -> Credential:
        """A client certificate (DER) that stands for a source."""
        return self._added("certificate", agb, der, days, note, sends_for)

    def _added(
        self, kind: Kind, agb: str, secret: bytes, days: int, note: str, sends_for: tuple[str, ...]
    ) -> Credential:
        _check(agb, sends_for)
        if days < 1:
            raise TokenError("A token is valid for at least one day.")
        now = int(self._clock())
        made = Credential(secrets.token_hex(4), kind, agb, digest(secret), now, now + days * _DAY, 0, note, sends_for)
        with self._locked() as document:
            document.credentials.append(made)
        return made

    def revoke(self, name: str) -> Credential:
        """Refuse a token from now on. ``TokenError`` when there is none with this id."""
        with self._locked() as document:
            for place, found in enumerate(document.credentials):
                if found.id == name:
                    revoked = found if found.revoked else msgspec.structs.replace(found, revoked=int(self._clock()))
                    document.credentials[place] = revoked
                    return revoked
        raise TokenError(f"There is no token {name}; `sor intake token list` shows the ids.")

    def read(self) -> list[Credential]:
        """Every credential in order of making; none when there is no file."""
        return _read(self.path).credentials if self.path.exists() else []

    @contextmanager
    def _locked(self) -> Iterator[_Document]:
        """The document, written back as a new file when it was changed; one command at a time."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(self.path.with_name(f".{self.path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            document = _Document(self.read())
            yield document
            _write(self.path, document)
        finally:
            os.close(lock)


def _check(agb: str, sends_for: tuple[str, ...]) -> None:
    if not sends_for and not _AGB.fullmatch(agb):
        raise TokenError("An AGB code has eight digits; a hub needs a list of those that it sends for.")
    if not _HUB.fullmatch(agb):
        raise TokenError("The name of a hub has 40 letters, digits, points and dashes at most.")
    if not all(one == ANY or _AGB.fullmatch(one) for one in sends_for):
        raise TokenError(f"A hub sends for AGB codes of eight digits, or for {ANY}.")


def _read(path: Path) -> _Document:
    try:
        if path.stat().st_mode & 0o077:
            raise TokenError(f"Others may read {path}. Run: chmod 600 {path}")
        return msgspec.json.decode(path.read_bytes(), type=_Document)
    except msgspec.DecodeError:
        raise TokenError(f"{path} is no valid token file; restore it from its own backup.") from None
    except OSError as error:
        raise TokenError(f"{path} cannot be read: {error.strerror}.") from None


def _write(path: Path, document: _Document) -> None:
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    scratch.unlink(missing_ok=True)
    with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(document)))
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)


class Gate:
    """Says whose a request is. Looks at the file with every request and reads it when it is another one."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time, visitors: Visitors | None = None) -> None:
        self._path, self._visitors, self._clock = path, visitors or Visitors(None), clock
        self._stamp: tuple[int, int, int] | None = None
        self._by_hash: dict[tuple[Kind, str], Credential] = {}

    def who(self, kind: Kind, secret: bytes) -> Caller | None:
        """Whose a valid token or certificate is, else None.

        Raises:
            TokenError: the file cannot be used; nobody gets in. VisitorsError: that of the portals cannot.
        """
        self._refresh()
        found = self._by_hash.get((kind, digest(secret)))
        if found is not None:
            return found.caller if found.state(self._clock()) == "valid" else None
        agb = self._visitors.provider(secret) if kind == "token" else None
        return Caller(agb, frozenset({agb}), visits=True) if agb else None

    def providers(self) -> frozenset[str]:
        """AGB codes (or ``ANY``) of those whom a way in that is valid now sends for."""
        self._refresh()
        now = self._clock()
        callers = (found.caller for found in self._by_hash.values() if found.state(now) == "valid")
        return self._visitors.providers().union(*(caller.sends_for for caller in callers))

    def _refresh(self) -> None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            self._stamp, self._by_hash = None, {}
            return
        except OSError as error:
            raise TokenError(f"{self._path} cannot be read: {error.strerror}.") from None
        stamp = (found.st_ino, found.st_mtime_ns, found.st_mode)
        if stamp != self._stamp:
            read = _read(self._path)
            self._by_hash = {(one.kind, one.hash): one for one in read.credentials}
            self._stamp = stamp
