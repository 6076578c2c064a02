"""The next epoch of pseudonyms: its secret is made ahead, the log is renewed, and after that it names new events.

Epochs run in parallel in the code: entry names at one of them, and ``renewal`` leads every stored pseudonym to the
next. While no log was renewed the secret lies ready and does nothing: a client must not have two names in the figures.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from crypto.key_files import ENTRY, KeysError, as_bytes, as_text, locked, read_file, rewrite_file
from crypto.keys import LABEL, secret_id
from crypto.pseudonym import Renewal
from crypto.rotation import note, times_of


def prepare_label(keys: Path, *, at: int) -> int:
    """Make the secret of the next epoch of pseudonyms, which is not in use until the log was renewed; the epoch.

    Raises:
        KeysError: it is there already.
    """
    with locked(keys):
        held = read_file(keys / ENTRY)
        epoch = held["epoch"] + 1
        if str(epoch) in held.get("labels", {}):
            raise KeysError(f"The secret of epoch {epoch} is there already; it counts when the log was renewed.")
        made = secrets.token_bytes(32)
        held.setdefault("labels", {})[str(epoch)] = as_text(made)
        times_of(held, "made")[secret_id(made)] = at
        rewrite_file(keys / ENTRY, held)
        note(keys, ENTRY, "made", LABEL, secret_id(made), at)
    return int(epoch)


def renewal(keys: Path) -> Renewal:
    """What names the stored pseudonyms anew for the epoch that was prepared. ``KeysError`` when none was."""
    held = read_file(keys / ENTRY)
    epoch = held["epoch"] + 1
    secret = held.get("labels", {}).get(str(epoch))
    if secret is None:
        raise KeysError("No next epoch is prepared; `sor keys rotate label` makes its secret.")
    return Renewal(as_bytes(secret), held["domain"], epoch)


def switch_label(keys: Path, *, at: int) -> int:
    """New events are named at the next epoch from now on: for what renews the log, as its last act; the epoch.

    Raises:
        KeysError: none is prepared.
    """
    renewal(keys)
    with locked(keys):
        held = read_file(keys / ENTRY)
        held["epoch"] += 1
        rewrite_file(keys / ENTRY, held)
        note(keys, ENTRY, "in use from", LABEL, secret_id(as_bytes(held["labels"][str(held["epoch"])])), at)
    return int(held["epoch"])
