"""Key files: written whole or not at all, those that are secret for their user alone, and never over another one."""

from __future__ import annotations

import ctypes
import fcntl
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

PRIVATE, PUBLIC = 0o600, 0o644
_OTHERS: Final = 0o077
#: Of Linux: relative to the working folder; exchange two names (renameat2).
_HERE, _EXCHANGE = -100, 2


def make_folder(folder: Path) -> None:
    """The folder and those above it, as far as they are not there; only their user may enter what is made."""
    for missing in reversed([path for path in (folder, *folder.parents) if not path.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)


def make_private(folder: Path) -> None:
    """A folder that only its user may enter, also when it was there."""
    make_folder(folder)
    folder.chmod(0o700)


def is_private(*paths: Path) -> bool:
    """True when others may do nothing with any of them. ``OSError`` when one is not there."""
    return not any(path.stat().st_mode & _OTHERS for path in paths)


@contextmanager
def locked(path: Path) -> Iterator[int]:
    """A file for one process at a time; the others wait. Its descriptor, which reads and appends; ``OSError``."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, PRIVATE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def write(path: Path, content: bytes, *, mode: int, owner: tuple[int, int] | None = None) -> None:
    """The file as a whole, on the disk when this returns; a reader sees the old one or the new one. ``owner``: whose it
    is, user and group; of this process when left out.
    """
    temporary = _temporary(path, content, mode, owner)
    try:
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    settle(path.parent)


def write_new(path: Path, content: bytes, *, mode: int) -> None:
    """The same for a file that may not be there yet. ``FileExistsError`` when it is, also when two do it at once."""
    temporary = _temporary(path, content, mode)
    try:
        os.link(temporary, path)
    finally:
        temporary.unlink()
    settle(path.parent)


def exchange(one: Path, other: Path) -> None:
    """Each takes the name of the other, at one moment; where the system cannot do that, one after the other."""
    if sys.platform == "linux":
        swap = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
        if swap is not None and swap(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0:
            return
    aside = one.with_name(f"{one.name}.aside")
    other.rename(aside)
    one.rename(other)
    aside.rename(one)


def _temporary(path: Path, content: bytes, mode: int, owner: tuple[int, int] | None = None) -> Path:
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            mine = os.fstat(descriptor)
            if owner is not None and owner != (mine.st_uid, mine.st_gid):
                os.fchown(descriptor, *owner)
            file.write(content)
            file.flush()
            os.fsync(descriptor)
    except OSError:
        Path(name).unlink()  # half a key is one too
        raise
    return Path(name)


def settle(folder: Path) -> None:
    """A name counts only when its folder is on the disk as well."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
