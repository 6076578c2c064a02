"""Tokens of people who come from a portal: signed there, and good for a quarter of an hour (docs/intake.md).

Each is a JSON Web Token (RFC 7519) under Ed25519. It says for which provider somebody sends and reads here, and names
nobody. Whose tokens count says one file of public keys; no token is kept. It opens what is of its provider, for lines
that the browser has sealed and signed: no file in clear.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from faults import OperatorFault

#: How long a token is good, in seconds. A portal may give less.
PASS_SECONDS: Final = 900
#: Providers whose receipts are kept because somebody came in for them; the one that came longest ago leaves first.
MOST_PROVIDERS: Final = 2_000
_AUDIENCE: Final = "intake"
_ALGORITHM: Final = "EdDSA"
#: Clocks of two machines may differ by so much, in seconds.
_LEEWAY: Final = 30
_TOKEN_BYTES: Final = 1_000
_AGB: Final = re.compile(r"[0-9]{8}")
_PEM: Final = re.compile(rb"-----BEGIN PUBLIC KEY-----.+?-----END PUBLIC KEY-----", re.DOTALL)
_CLAIMS: Final = ["exp", "iat", "aud", "agb", "sub"]


class VisitorsError(OperatorFault):
    """The file with the keys of portals cannot be used; the message says what to do."""


class Pass(NamedTuple):
    """What a portal gives to a browser: the text, and until when it is good (seconds since 1970)."""

    token: str
    until: int


def issued(key: Ed25519PrivateKey, agb: str, subject: str, now: float) -> Pass:
    """A token for one provider. ``subject``: a name that says something to the portal alone."""
    until = int(now) + PASS_SECONDS
    claims = {"aud": _AUDIENCE, "iat": int(now), "exp": until, "sub": subject, "agb": agb}
    return Pass(jwt.encode(claims, key, _ALGORITHM), until)


class Visitors:
    """Says for which provider a token of a portal is. Looks at the file of keys with every token."""

    def __init__(self, path: Path | None, clock: Callable[[], float] = time.time) -> None:
        """``path``: public keys in PEM, one after the other; a file that is not there is one without keys."""
        self._path, self._clock = path, clock
        self._stamp: tuple[int, int, int] | None = None
        self._keys: Sequence[Ed25519PublicKey] = ()
        self._came: dict[str, None] = {}

    def provider(self, token: bytes) -> str | None:
        """The AGB code that a token is for, or None when it does not count. ``VisitorsError``."""
        self._refresh()
        if not self._keys or len(token) > _TOKEN_BYTES or token.count(b".") != 2:
            return None
        agb = next((found for key in self._keys if (found := self._read(token, key))), None)
        if agb is not None:
            self._came.pop(agb, None)
            self._came[agb] = None
            if len(self._came) > MOST_PROVIDERS:
                del self._came[next(iter(self._came))]
        return agb

    def providers(self) -> frozenset[str]:
        """AGB codes that somebody came in for since the start."""
        return frozenset(self._came)

    def _read(self, token: bytes, key: Ed25519PublicKey) -> str | None:
        # The library has a clock of its own; ours judges, so that both ends of the quarter of an hour do.
        options: Any = {"require": _CLAIMS, "verify_exp": False, "verify_iat": False, "verify_nbf": False}
        try:
            claims = jwt.decode(token, key, algorithms=[_ALGORITHM], audience=_AUDIENCE, options=options)
        except jwt.InvalidTokenError:
            return None
        made, ends, agb = claims["iat"], claims["exp"], claims["agb"]
        if type(made) is not int or type(ends) is not int or not isinstance(agb, str) or not _AGB.fullmatch(agb):
            return None
        good = ends - made <= PASS_SECONDS and made - _LEEWAY <= self._clock() < ends
        return agb if good else None

    def _refresh(self) -> None:
        if self._path is None:
            return
        try:
            found = self._path.stat()
            stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
            if stamp != self._stamp:
                self._keys = _keys(self._path.read_bytes(), self._path)
                self._stamp = stamp
        except FileNotFoundError:
            self._keys, self._stamp = (), None
        except OSError as error:
            raise VisitorsError(f"{self._path} cannot be read: {error.strerror}.") from None


def _keys(text: bytes, path: Path) -> list[Ed25519PublicKey]:
    try:
        keys = [load_pem_public_key(one) for one in _PEM.findall(text)]
    except ValueError:
        keys = []
    good = [key for key in keys if isinstance(key, Ed25519PublicKey)]
    if not good or len(good) != len(keys):
        raise VisitorsError(f"{path} holds no public Ed25519 keys in PEM; copy that of the portal there again.")
    return good
