"""Key folders: one for everybody (``public``), one for each stage with keys (``evaluate``, ``entry``,
``trajectories``), one per connector.

Files are JSON with mode 0600 in folders with mode 0700. A private folder that others can read is refused. Each process
gets its own folder and no other.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from pathlib import Path
from typing import Any, Final, NamedTuple

from crypto import oprf
from crypto.pseudonym import derive
from crypto.seal import SUITE_ID, PrivateKey
from faults import OperatorFault

PUBLIC, EVALUATE, ENTRY, CONNECTOR = "public", "evaluate", "entry", "connector"
TRAJECTORIES: Final = "trajectories"
_FILE: Final = "keys.json"


class KeysError(OperatorFault):
    """Keys are missing, readable by others, or do not belong together. The message says what to do."""


class PublicKeys(NamedTuple):
    """What a connector needs: suite, epoch, and the public keys of both receivers and of the evaluation."""

    suite: str
    epoch: int
    domain: str
    evaluate: bytes
    entry: bytes
    oprf: bytes  # k·G


class EvaluateKeys(NamedTuple):
    """What ``evaluate`` holds: its sealing keys by id and the scalar ``k``."""

    sealing: dict[bytes, PrivateKey]
    scalar: bytes


class EntryKeys(NamedTuple):
    """What ``entry`` holds: its sealing keys by id, the root of all label keys, domain and epoch of the pseudonyms."""

    sealing: dict[bytes, PrivateKey]
    root: bytes
    domain: str
    epoch: int


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
    evaluate, entry, scalar = PrivateKey.generate(), PrivateKey.generate(), oprf.random_scalar()
    public = {
        "suite": SUITE_ID,
        "epoch": 0,
        "domain": domain,
        "evaluate": _text(evaluate.public),
        "entry": _text(entry.public),
        "oprf": _text(oprf.public_of(scalar)),
    }
    _write(folder / EVALUATE, {"sealing": [_text(evaluate.raw)], "scalar": _text(scalar)})
    root = secrets.token_bytes(32)
    _write(folder / ENTRY, {"sealing": [_text(entry.raw)], "root": _text(root), "domain": domain, "epoch": 0})
    complete(folder)
    _write(folder / PUBLIC, public)


def complete(folder: Path) -> bool:
    """Make the key folder that a home of an earlier release lacks, and touch no other; whether one was made."""
    if (folder / TRAJECTORIES).exists():
        return False
    _write(folder / TRAJECTORIES, {"root": _text(secrets.token_bytes(32))})
    return True


def load_public(folder: Path) -> PublicKeys:
    """The public keys; ``folder`` holds ``public``."""
    data = _read(folder / PUBLIC, private=False)
    if data["suite"] != SUITE_ID:
        raise KeysError(f"the public keys are of suite {data['suite']}, this version speaks {SUITE_ID}; update it.")
    return PublicKeys(
        SUITE_ID, data["epoch"], data["domain"], _raw(data["evaluate"]), _raw(data["entry"]), _raw(data["oprf"])
    )


def load_evaluate(folder: Path) -> EvaluateKeys:
    """The keys of ``evaluate``; proves that its scalar is the published one (``k·G``)."""
    data = _read(folder / EVALUATE)
    scalar = _raw(data["scalar"])
    if oprf.public_of(scalar) != load_public(folder).oprf:
        raise KeysError("the scalar of evaluate is not the published one: pseudonyms would change. Restore its keys.")
    return EvaluateKeys(_sealing(data), scalar)


def load_entry(folder: Path) -> EntryKeys:
    """The keys of ``entry``."""
    data = _read(folder / ENTRY)
    return EntryKeys(_sealing(data), _raw(data["root"]), data["domain"], data["epoch"])


def load_trajectories(folder: Path) -> TrajectoriesKeys:
    """The keys of ``trajectories``, which ``audit`` reads too."""
    root = _raw(_read(folder / TRAJECTORIES)["root"])
    return TrajectoriesKeys(derive(root, "client"), derive(root, "bucket"))


def connector_secret(folder: Path) -> bytes:
    """The connector's own secret, made at first use. It names deliveries and never leaves the source."""
    place = folder / CONNECTOR
    if not (place / _FILE).exists():
        _write(place, {"secret": _text(secrets.token_bytes(32))})
    return _raw(_read(place)["secret"])


def _sealing(data: dict[str, Any]) -> dict[bytes, PrivateKey]:
    keys = [PrivateKey(_raw(text)) for text in data["sealing"]]
    return {key.id: key for key in keys}


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _raw(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _write(folder: Path, data: dict[str, Any]) -> None:
    folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    temporary = folder / f".{_FILE}.{os.getpid()}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(data, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / _FILE)


def _read(folder: Path, *, private: bool = True) -> dict[str, Any]:
    path = folder / _FILE
    try:
        mode = path.stat().st_mode | folder.stat().st_mode
        if private and mode & 0o077:
            raise KeysError(f"{folder} can be read by others; set mode 0700 on the folder and 0600 on {_FILE}.")
        return dict(json.loads(path.read_text()))
    except FileNotFoundError as error:
        raise KeysError(f"{path} is missing; `sor keys init` makes keys, or restore it from its own backup.") from error
    except ValueError as error:
        raise KeysError(f"{path} is no valid key file; restore it from its own backup.") from error
