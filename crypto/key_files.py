"""A key folder on the disk: one JSON file of mode 0600 in a folder of mode 0700, written whole or not at all."""

from __future__ import annotations

import base64
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from faults import OperatorFault

PUBLIC, EVALUATE, ENTRY, CONNECTOR = "public", "evaluate", "entry", "connector"
TRAJECTORIES: Final = "trajectories"
FILE: Final = "keys.json"


class KeysError(OperatorFault):
    """Keys are missing, readable by others, or do not belong together. The message says what to do."""


def as_text(content: bytes) -> str:
    """Bytes as they stand in a key file (base64)."""
    return base64.b64encode(content).decode()


def as_bytes(content: str) -> bytes:
    """And back; ``ValueError``."""
    return base64.b64decode(content, validate=True)


def write_file(folder: Path, data: dict[str, Any]) -> None:
    """The file of a key folder as a whole; the folder is made when it is not there."""
    folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    _replace(folder, data)


def rewrite_file(folder: Path, data: dict[str, Any], *, destroy: bool = False) -> None:
    """The same for a file that is there: whose it is, and who may read file and folder, stays as it is.

    ``destroy``: overwrite what stood in the file before its blocks are given back. What a copy, a snapshot or the
    flash below the file system keeps is out of reach.
    """
    with (folder / FILE).open("r+b") as old:  # stays open: after the replacement it has no name any more
        _replace(folder, data, os.fstat(old.fileno()))
        if destroy:
            size = os.fstat(old.fileno()).st_size
            for content in (os.urandom(size), bytes(size)):
                old.seek(0)
                old.write(content)
                old.flush()
                os.fsync(old.fileno())


@contextmanager
def locked(keys: Path) -> Iterator[None]:
    """One command at a time changes the key folders of a home; the others wait. ``KeysError``."""
    try:
        descriptor = os.open(keys / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise KeysError(f"{keys} holds no keys that can be changed ({error.strerror}); see `sor keys init`.") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    except OSError as error:
        raise KeysError(f"{error.filename}: {error.strerror}. Nothing more was changed; try again.") from error
    finally:
        os.close(descriptor)


def _replace(folder: Path, data: dict[str, Any], like: os.stat_result | None = None) -> None:
    temporary = folder / f".{FILE}.{os.getpid()}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        if like is not None:
            os.fchmod(descriptor, like.st_mode & 0o777)
            mine = os.fstat(descriptor)
            if (mine.st_uid, mine.st_gid) != (like.st_uid, like.st_gid):  # the administrator changes keys of a service
                os.fchown(descriptor, like.st_uid, like.st_gid)
        json.dump(data, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / FILE)


def read_file(folder: Path, *, private: bool = True) -> dict[str, Any]:
    """What a key folder holds. ``KeysError`` when it is not there, no good, or private and readable by others."""
    path = folder / FILE
    try:
        mode = path.stat().st_mode | folder.stat().st_mode
        if private and mode & 0o077:
            raise KeysError(f"{folder} can be read by others; set mode 0700 on the folder and 0600 on {FILE}.")
        return dict(json.loads(path.read_text()))
    except FileNotFoundError as error:
        raise KeysError(f"{path} is missing; `sor keys init` makes keys, or restore it from its own backup.") from error
    except ValueError as error:
        raise KeysError(f"{path} is no valid key file; restore it from its own backup.") from error
