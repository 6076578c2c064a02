"""Key folders: one for everybody (``public``), one for each stage with keys (``evaluate``, ``entry``,
``trajectories``), one per connector.

Files are JSON with mode 0600 in folders with mode 0700. A private folder that others can read is refused. Each process
gets its own folder and no other.
"""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import Any, NamedTuple

from crypto import erasures, key_log, oprf
from crypto.key_files import (
    CONNECTOR,
    ENTRY,
    EVALUATE,
    FILE,
    PUBLIC,
    TRAJECTORIES,
    KeysError,
    as_bytes,
    as_text,
    read_file,
    write_file,
)
from crypto.pseudonym import derive
from crypto.seal import SUITE_ID, PrivateKey
from crypto.steps import scalar_id, steps_of

__all__ = [
    "CONNECTOR",
    "ENTRY",
    "EVALUATE",
    "PUBLIC",
    "TRAJECTORIES",
    "EntryKeys",
    "EvaluateKeys",
    "KeysError",
    "NextKey",
    "PublicKeys",
    "TrajectoriesKeys",
    "complete",
    "connector_secret",
    "init",
    "load_entry",
    "load_evaluate",
    "load_public",
    "load_trajectories",
    "of_public",
    "sealing_since",
]

#: What a key is for, in the log of key use and in lists.
SEALING, SCALAR, LABEL, NAMES = "sealing", "scalar", "label", "names"
#: In the public file: the epoch of the pseudonyms in the log; none is the first. It stands in every pseudonym too.
NAMES_EPOCH = "names_epoch"
#: And while they are being renewed the epoch to which: what is copied then has names of two.
RENEWING = "renewing"


class NextKey(NamedTuple):
    """A public sealing key that was published ahead. ``counts_from``: ms since 1970 from which it is the one."""

    receiver: str
    public: bytes
    counts_from: int


class PublicKeys(NamedTuple):
    """What a connector needs: suite, epoch, and the public keys of both receivers and of the evaluation."""

    suite: str
    epoch: int
    domain: str
    evaluate: bytes
    entry: bytes
    oprf: bytes  # k·G
    next: tuple[NextKey, ...] = ()

    def at(self, moment: int) -> PublicKeys:
        """As they count at that moment (ms): a next key is in its place from its own moment on."""
        counts = {one.receiver: one.public for one in self.next if moment >= one.counts_from}
        waits = tuple(one for one in self.next if moment < one.counts_from)
        evaluate, entry = counts.get(EVALUATE, self.evaluate), counts.get(ENTRY, self.entry)
        return self._replace(evaluate=evaluate, entry=entry, next=waits)


class EvaluateKeys(NamedTuple):
    """What ``evaluate`` holds: its sealing keys by id and the scalar ``k``."""

    sealing: dict[bytes, PrivateKey]
    scalar: bytes


class EntryKeys(NamedTuple):
    """What ``entry`` holds: its sealing keys by id, the root of all label keys, domain and epoch of the pseudonyms.

    ``steps``: id of an evaluation scalar -> what leads from it back to the first, so that the base of the pseudonyms
    stays; empty: there was one scalar only. ``labels``: secrets of later epochs; what is not there comes of the root.
    """

    sealing: dict[bytes, PrivateKey]
    root: bytes
    domain: str
    epoch: int
    steps: tuple[tuple[bytes, bytes], ...] = ()
    labels: tuple[tuple[int, bytes], ...] = ()


class TrajectoriesKeys(NamedTuple):
    """What ``trajectories`` holds: the key of a client's names within its providers, and the key of its bucket."""

    client: bytes
    bucket: bytes


def init(folder: Path, domain: str = "jeugd") -> None:
    """Make the key folders. Refuses to touch a folder that exists: keys are never overwritten."""
    folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    for name in (PUBLIC, EVALUATE, ENTRY, TRAJECTORIES):
        if (folder / name).exists():
            raise KeysError(f"{folder / name} exists; keys are never overwritten. Move it away or use another folder.")
    now = int(time.time())
    evaluate, entry, scalar = PrivateKey.generate(), PrivateKey.generate(), oprf.random_scalar()
    public = {
        "suite": SUITE_ID,
        "epoch": 0,
        "domain": domain,
        "evaluate": as_text(evaluate.public),
        "entry": as_text(entry.public),
        "oprf": as_text(oprf.public_of(scalar)),
        "since": {EVALUATE: now, ENTRY: now},
    }
    published = oprf.public_of(scalar)
    names = {evaluate.id.hex(): now, scalar_id(published).hex(): now}
    write_file(folder / EVALUATE, {"sealing": [as_text(evaluate.raw)], "scalar": as_text(scalar), "made": names})
    root = secrets.token_bytes(32)
    made = {entry.id.hex(): now, secret_id(root): now}
    held = {"sealing": [as_text(entry.raw)], "root": as_text(root), "domain": domain, "epoch": 0, "made": made}
    write_file(folder / ENTRY, held)
    complete(folder)
    write_file(folder / PUBLIC, public)
    for part, what, key in (
        (EVALUATE, SEALING, evaluate.id.hex()),
        (EVALUATE, SCALAR, scalar_id(published).hex()),
        (ENTRY, SEALING, entry.id.hex()),
        (ENTRY, LABEL, secret_id(root)),
    ):
        key_log.append(folder, part, "made", at=now, what=what, key=key)
        key_log.append(folder, part, "in use from", at=now, what=what, key=key)


def complete(folder: Path) -> bool:
    """Make the key folders that a home of an earlier release lacks, and touch no other; whether one was made."""
    made = erasures.make(folder)
    if (folder / TRAJECTORIES).exists():
        return made
    root, now = secrets.token_bytes(32), int(time.time())
    write_file(folder / TRAJECTORIES, {"root": as_text(root), "made": {secret_id(root): now}})
    key_log.append(folder, TRAJECTORIES, "made", at=now, what=NAMES, key=secret_id(root))
    return True


def secret_id(secret: bytes) -> str:
    """Sixteen hexadecimal digits that name a secret of 32 random bytes and say nothing about it."""
    return derive(secret, "id")[:8].hex()


def load_public(folder: Path) -> PublicKeys:
    """The public keys; ``folder`` holds ``public``."""
    return of_public(_public(folder))


def of_public(data: dict[str, Any]) -> PublicKeys:
    """The same of what the file says."""
    if data["suite"] != SUITE_ID:
        raise KeysError(f"the public keys are of suite {data['suite']}, this version speaks {SUITE_ID}; update it.")
    coming = tuple(NextKey(name, as_bytes(one["key"]), one["from"]) for name, one in data.get("next", {}).items())
    return PublicKeys(
        SUITE_ID,
        data["epoch"],
        data["domain"],
        as_bytes(data["evaluate"]),
        as_bytes(data["entry"]),
        as_bytes(data["oprf"]),
        coming,
    )


def sealing_since(folder: Path) -> float:
    """Second since 1970 from which the older of the two sealing keys counts; of an earlier release: of the file."""
    written = (folder / PUBLIC / FILE).stat().st_mtime
    since = _public(folder).get("since", {})
    return min([written, *(float(since[receiver]) for receiver in (EVALUATE, ENTRY) if receiver in since)])


def load_evaluate(folder: Path) -> EvaluateKeys:
    """The keys of ``evaluate``; proves that its scalar is a published one (``k·G``): the current, or the next."""
    data, public = read_file(folder / EVALUATE), _public(folder)
    of_public(public)
    scalar = as_bytes(data["scalar"])
    if as_text(oprf.public_of(scalar)) not in (public["oprf"], public.get("oprf_next")):
        raise KeysError("the scalar of evaluate is not the published one: pseudonyms would change. Restore its keys.")
    return EvaluateKeys(_sealing(data), scalar)


def load_entry(folder: Path) -> EntryKeys:
    """The keys of ``entry``. A step to another scalar that was sealed to it lies in the public file."""
    data, public = read_file(folder / ENTRY), _public(folder)
    sealing, labels = _sealing(data), data.get("labels", {})
    return EntryKeys(
        sealing,
        as_bytes(data["root"]),
        data["domain"],
        data["epoch"],
        tuple(steps_of(public, data, sealing).items()),
        tuple((int(epoch), as_bytes(secret)) for epoch, secret in sorted(labels.items())),
    )


def load_trajectories(folder: Path) -> TrajectoriesKeys:
    """The keys of ``trajectories``, which ``audit`` reads too."""
    root = as_bytes(read_file(folder / TRAJECTORIES)["root"])
    return TrajectoriesKeys(derive(root, "client"), derive(root, "bucket"))


def connector_secret(folder: Path) -> bytes:
    """The connector's own secret, made at first use. It names deliveries and never leaves the source."""
    place = folder / CONNECTOR
    if not (place / FILE).exists():
        write_file(place, {"secret": as_text(secrets.token_bytes(32))})
    return as_bytes(read_file(place)["secret"])


def _public(folder: Path) -> dict[str, Any]:
    return read_file(folder / PUBLIC, private=False)


def _sealing(data: dict[str, Any]) -> dict[bytes, PrivateKey]:
    keys = [PrivateKey(as_bytes(one)) for one in data["sealing"]]
    return {key.id: key for key in keys}
