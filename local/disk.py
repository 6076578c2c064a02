"""Whether the disk has room."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.errors import StackError

_FULL_BYTES = 64 * 1024 * 1024
NEEDED_GB = 1.0


def is_full(folder: Path) -> bool:
    """Whether so little is free that a process may have ended for it."""
    return shutil.disk_usage(folder).free < _FULL_BYTES


def require_space(home: Path, gigabytes: float = NEEDED_GB) -> None:
    """Make ``home`` and see that it can be written and has room to start.

    Raises:
        StackError: it cannot, or has not; the sentence says what to do.
    """
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)  # what lies here is personal data
    except OSError as error:
        raise StackError(
            f"{home.absolute()} cannot be made ({error.strerror}). Set SOR_HOME to a folder of your own."
        ) from None
    if not os.access(home, os.W_OK):
        raise StackError(f"{home.absolute()} cannot be written. Set SOR_HOME to a folder of your own.")
    free = shutil.disk_usage(home).free / 1e9
    if free < gigabytes:
        raise StackError(
            f"The disk of {home.absolute()} has {free:.1f} GB free and the stack needs {gigabytes:g} GB. "
            "Make room there, or set SOR_HOME to a folder on another disk."
        )


@contextmanager
def full_disk_explained(home: Path) -> Iterator[None]:
    """Turn the system's "no space left" into a StackError; other errors pass."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        place = error.filename or home.absolute()
        raise StackError(f"The disk is full: {place} could not be written. Make room and run sor up again.") from error
