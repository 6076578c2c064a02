"""The name under which a forgotten client stands in the ledger: a keyed hash of its pseudonym.

Who keeps to the ledger (``entry``, ``register``, ``trajectories``, and what reads the log anew) must be able to tell
that a pseudonym is in it, and needs this key for that. Without it the ledger says nothing: not even whether a pseudonym
that somebody still has in a copy was forgotten.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final

from crypto.key_files import FILE, KeysError, as_bytes, as_text, read_file, write_file
from crypto.pseudonym import derive, prepared_hmac

FOLDER: Final = "erasures"
_BYTES: Final = 16

Name = Callable[[bytes], str]


def make(keys: Path) -> bool:
    """Make the key folder unless it is there; whether it was made. It is never made anew: the ledger would be lost."""
    if (keys / FOLDER / FILE).exists():
        return False
    write_file(keys / FOLDER, {"root": as_text(secrets.token_bytes(32))})
    return True


def load(keys: Path) -> Name:
    """What names a pseudonym in the ledger: 32 hexadecimal digits. ``KeysError`` with what to do."""
    if not (keys / FOLDER / FILE).exists():
        raise KeysError(
            f"{keys / FOLDER} is missing and somebody was forgotten (topic sor.erasures): copy that key folder from "
            "where `sor forget` ran, so that this process keeps to it."
        )
    return of_root(as_bytes(read_file(keys / FOLDER)["root"]))


def of_root(root: bytes) -> Name:
    """The same of a secret at hand."""
    run = prepared_hmac(derive(root, "erasures"))
    return lambda pseudonym: run(pseudonym)[:_BYTES].hex()
