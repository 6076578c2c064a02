"""A key folder on the disk: one JSON file of mode 0600 in a folder of mode 0700, written whole or not at all."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from crypto import files
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
    files.write(folder / FILE, json.dumps(data).encode(), mode=files.PRIVATE)


def rewrite_file(folder: Path, data: dict[str, Any], *, destroy: bool = False) -> None:
    """The same for a file that is there: whose it is, and who may read file and folder, stays as it is: an
    administrator changes keys of a service.

    ``destroy``: overwrite what stood in the file before its blocks are given back. What a copy, a snapshot or the
    flash below the file system keeps is out of reach.
    """
    with (folder / FILE).open("r+b") as old:  # stays open: after the replacement it has no name any more
        was = os.fstat(old.fileno())
        content = json.dumps(data).encode()
        files.write(folder / FILE, content, mode=was.st_mode & 0o777, owner=(was.st_uid, was.st_gid))
        if destroy:
            for content in (os.urandom(was.st_size), bytes(was.st_size)):
                old.seek(0)
                old.write(content)
                old.flush()
                os.fsync(old.fileno())


@contextmanager
def locked(keys: Path) -> Iterator[None]:
    """One command at a time changes the key folders of a home; the others wait. ``KeysError``."""
    absent = "holds no keys that can be changed ({}); see `sor keys init`."
    with one_command(keys / ".lock", absent, "Nothing more was changed; try again."):
        yield


@contextmanager
def one_command(lock: Path, absent: str, stopped: str) -> Iterator[None]:
    """One command at a time changes the folder of a lock; the others wait.

    Raises:
        KeysError: there is no such folder (``absent``), or a file in it cannot be read or written (``stopped``).
    """
    with ExitStack() as held:
        try:
            held.enter_context(files.locked(lock))
        except OSError as error:
            raise KeysError(f"{lock.parent} {absent.format(error.strerror)}") from error
        try:
            yield
        except OSError as error:
            raise KeysError(f"{error.filename}: {error.strerror}. {stopped}") from error


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
