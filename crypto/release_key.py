"""The key of the noise in released figures: a key folder of its own, for who builds releases and for nobody else.

Whoever holds it can undo the noise of every figure. It is not made anew: the same group would get another noise, and
two of them beside each other say more than one.
"""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import Final

from crypto import key_log
from crypto.key_files import FILE, as_bytes, as_text, read_file, write_file
from crypto.key_files import KeysError as KeysError
from crypto.pseudonym import derive

FOLDER: Final = "release"
_WHAT: Final = "noise"


def make(keys: Path) -> bool:
    """Make the key folder unless it is there; whether it was made."""
    if (keys / FOLDER / FILE).exists():
        return False
    root, now = secrets.token_bytes(32), int(time.time())
    write_file(keys / FOLDER, {"root": as_text(root), "made": now})
    key_log.append(keys, FOLDER, "made", at=now, what=_WHAT, key=derive(root, "id")[:8].hex())
    return True


def load(keys: Path) -> bytes:
    """The key. ``KeysError`` when it is not there or open to others."""
    if not (keys / FOLDER / FILE).exists():
        raise KeysError(f"{keys / FOLDER} is missing; `sor release init` makes it, or restore it from its own backup.")
    return derive(as_bytes(read_file(keys / FOLDER)["root"]), _WHAT)
