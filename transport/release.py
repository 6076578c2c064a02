"""Which release runs: what a process says of itself, and what a backup notes."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Final

#: Distribution that holds all of it.
PROJECT: Final = "sturen-op-resultaat"
UNKNOWN: Final = "unknown"


@cache
def release() -> str:
    """The release of this installation; ``UNKNOWN`` where the project runs without being installed."""
    try:
        return version(PROJECT)
    except PackageNotFoundError:
        return UNKNOWN
