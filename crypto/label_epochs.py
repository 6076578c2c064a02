"""The next epoch of pseudonyms: its secret is made ahead, and put in use with the renewal of all that is stored.

Epochs run in parallel in the code: entry names at one of them and knows a client under its former names (the ledger of
who was forgotten has those), and ``renewal`` leads every stored pseudonym to the next. Until then the secret lies ready
and does nothing: a client must not have two names in the figures (``operations.renewing``).
"""

from __future__ import annotations

import secrets
from pathlib import Path

from crypto.key_files import ENTRY, PUBLIC, KeysError, as_bytes, as_text, locked, read_file, rewrite_file
from crypto.keys import LABEL, NAMES_EPOCH, RENEWING, secret_id
from crypto.pseudonym import Renewal
from crypto.rotation import note, public_file, times_of


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


def epoch_in_use(keys: Path) -> int:
    """The epoch of pseudonyms at which ``entry`` names."""
    return int(read_file(keys / ENTRY)["epoch"])


def renewal(keys: Path, epoch: int | None = None) -> Renewal:
    """What names the stored pseudonyms anew for an epoch: the one that was prepared, or the one in use once more.

    Raises:
        KeysError: there is no secret of that epoch.
    """
    held = read_file(keys / ENTRY)
    wanted = held["epoch"] + 1 if epoch is None else epoch
    secret = held.get("labels", {}).get(str(wanted))
    if secret is None:
        raise KeysError("No next epoch is prepared; `sor keys rotate label` makes its secret.")
    return Renewal(as_bytes(secret), held["domain"], wanted)


def switch_label(keys: Path, *, at: int) -> int:
    """New events are named at the next epoch from now on: for what renews the stored names; the epoch.

    Raises:
        KeysError: none is prepared.
    """
    renewal(keys)
    with locked(keys):
        held, public = read_file(keys / ENTRY), public_file(keys)
        held["epoch"] += 1
        rewrite_file(keys / ENTRY, held)
        public[RENEWING] = held["epoch"]
        rewrite_file(keys / PUBLIC, public)
        note(keys, ENTRY, "in use from", LABEL, secret_id(as_bytes(held["labels"][str(held["epoch"])])), at)
    return int(held["epoch"])


def end_renewal(keys: Path) -> None:
    """Everything that is stored has names of the epoch in use: from here on a backup says so."""
    with locked(keys):
        public = public_file(keys)
        public[NAMES_EPOCH] = epoch_in_use(keys)
        public.pop(RENEWING, None)
        rewrite_file(keys / PUBLIC, public)
