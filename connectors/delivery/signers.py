"""Who signs for a sender: the source of this key folder, or on a machine for trying out a source made on the spot."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Final

from crypto import authority
from crypto.authority import YEAR, Grant
from crypto.certificates import NAMED
from crypto.keys import KeysError
from crypto.ledger import LEDGER
from crypto.sign import CERTIFICATE, SOURCE, Signer

#: Who signs for a sender (AGB code).
SignerOf = Callable[[str], Signer]
_ANY: Final = frozenset({"*"})
_KEPT: Final = 1024
_DESK: Final = "front-desk"


def signers(keys: Path, authority_folder: Path | None = None) -> SignerOf:
    """The source of ``keys`` where it has one; else, of a development authority in its folder, one for each sender.

    The functions raise ``KeysError`` where there is neither.
    """
    if (keys / SOURCE).exists() or authority_folder is None:
        return _Following(keys)
    return lru_cache(maxsize=_KEPT)(
        lambda sender: authority.ensure(authority_folder, keys, Grant(sender, frozenset({sender}), _ANY, YEAR))
    )


def asking(keys: Path, authority_folder: Path | None) -> SignerOf:
    """Who signs when it is asked that a client is forgotten: the source of ``keys``; where it has none, the front desk
    of the development authority of this machine. The functions raise as those of ``signers``.
    """
    if (keys / SOURCE).exists() or authority_folder is None:
        return _Following(keys)
    grant = Grant(_DESK, _ANY, NAMED, YEAR)
    return lambda _sender: authority.ensure(authority_folder, keys, grant)


class _Following:
    """The source of a folder as it is now: its key and certificate can be replaced while deliveries run."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._stamp: tuple[int, int] | None = None
        self._signer: Signer | None = None

    def __call__(self, _sender: str) -> Signer:
        stamp = self._look()
        if self._signer is None or stamp != self._stamp:
            try:
                self._signer = Signer.load(self._place)
            except KeysError:
                if self._signer is None:
                    raise
                return self._signer  # the new pair is not whole yet: the former one counts as well
            self._stamp = stamp
        return self._signer

    def _look(self) -> tuple[int, int] | None:
        try:
            stat = (self._place / SOURCE / CERTIFICATE).stat()
        except OSError:
            return None
        return stat.st_mtime_ns, stat.st_ino


def hub(keys: Path, authority_folder: Path, name: str) -> Signer:
    """A source of a development authority that may send everything for everybody: the intake, a load, a demo."""
    return authority.ensure(authority_folder, keys, Grant(name, _ANY, _ANY, YEAR))


def own(keys: Path, authority_folder: Path | None, name: str) -> Signer:
    """The source of ``keys``; where it has none, a hub of the development authority of this machine."""
    if (keys / SOURCE).exists() or authority_folder is None or not (authority_folder / LEDGER).exists():
        return Signer.load(keys)
    return hub(keys, authority_folder, name)


def own_as_it_is(keys: Path, authority_folder: Path | None, name: str) -> SignerOf:
    """The same, looked at again for each delivery; raises at once what ``own`` raises."""
    own(keys, authority_folder, name)
    if (keys / SOURCE).exists() or authority_folder is None:
        return _Following(keys)
    return _Following(authority_folder / authority.SOURCES / name)
