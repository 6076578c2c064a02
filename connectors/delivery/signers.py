"""Who signs for a sender: the source of this key folder, or on a machine for trying out a source made on the spot."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Final

from crypto import authority
from crypto.authority import YEAR, Grant
from crypto.ledger import LEDGER
from crypto.sign import SOURCE, Signer

#: Who signs for a sender (AGB code).
SignerOf = Callable[[str], Signer]
_ANY: Final = frozenset({"*"})
_KEPT: Final = 1024


def signers(keys: Path, authority_folder: Path | None = None) -> SignerOf:
    """The source of ``keys`` where it has one; else, of a development authority in its folder, one for each sender.

    The functions raise ``KeysError`` where there is neither.
    """
    own = lru_cache(maxsize=1)(Signer.load)
    if (keys / SOURCE).exists() or authority_folder is None:
        return lambda _sender: own(keys)
    return lru_cache(maxsize=_KEPT)(
        lambda sender: authority.ensure(authority_folder, keys, Grant(sender, frozenset({sender}), _ANY, YEAR))
    )


def hub(keys: Path, authority_folder: Path, name: str) -> Signer:
    """A source of a development authority that may send everything for everybody: the intake, a load, a demo."""
    return authority.ensure(authority_folder, keys, Grant(name, _ANY, _ANY, YEAR))


def own(keys: Path, authority_folder: Path | None, name: str) -> Signer:
    """The source of ``keys``; where it has none, a hub of the development authority of this machine."""
    if (keys / SOURCE).exists() or authority_folder is None or not (authority_folder / LEDGER).exists():
        return Signer.load(keys)
    return hub(keys, authority_folder, name)
