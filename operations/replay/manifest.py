"""What a replay remembers of itself on disk, so that one that was interrupted goes on where it was.

It says which definitions, scope and names it is for, up to where each partition is read, and which buckets of it have
all their rows in ClickHouse. It names nobody.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct, field

from operations.log_reader import Log, Span
from operations.replay.errors import ReplayBusy

_FILE: Final = "manifest.json"
_LOCK: Final = "lock"


class Done(Struct, frozen=True):
    """What a bucket came to."""

    events: int
    clients: int
    rows: int


class Manifest(Struct):
    """One replay. ``spans`` and ``buckets`` by partition; ``done`` by partition and bucket."""

    definitions: str  # their id
    version: int
    names: str  # id of the names of ``trajectories``
    scope: str
    epoch: int
    skips: int  # records that are left out by order
    spans: dict[int, Span]
    buckets: dict[int, int]
    done: dict[int, dict[int, Done]] = field(default_factory=dict)
    exchanged: bool = False  # its rows are those in use
    handed: bool = False  # and its definitions are those of the stage

    @property
    def log(self) -> Log:
        """What it reads."""
        return Log(self.spans)

    @property
    def complete(self) -> bool:
        """Whether every bucket has its rows in ClickHouse."""
        return all(len(self.done.get(partition, ())) == count for partition, count in self.buckets.items())

    @property
    def total(self) -> Done:
        """All buckets together."""
        every = [done for buckets in self.done.values() for done in buckets.values()]
        return Done(*(sum(getattr(one, name) for one in every) for name in Done.__struct_fields__))

    def is_of(self, other: Manifest) -> bool:
        """Whether both are the same replay, begun at two moments."""
        same = ("definitions", "names", "scope", "epoch", "skips")
        return all(getattr(self, name) == getattr(other, name) for name in same)


class Remembered:
    """The manifest in a folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        folder.chmod(0o700)
        self.folder = folder

    def load(self) -> Manifest | None:
        """The last replay here; None when there is none, or none that can be read."""
        try:
            return msgspec.json.decode((self.folder / _FILE).read_bytes(), type=Manifest)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def save(self, manifest: Manifest) -> None:
        """Whole or not at all."""
        half = self.folder / f"{_FILE}.new"
        with half.open("wb") as file:
            file.write(msgspec.json.encode(manifest))
            file.flush()
            os.fsync(file.fileno())
        half.replace(self.folder / _FILE)

    def forget(self) -> None:
        """Nothing is begun."""
        (self.folder / _FILE).unlink(missing_ok=True)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """``ReplayBusy`` while another process replays in this home; the lock ends with the process."""
        with (self.folder / _LOCK).open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ReplayBusy(
                    f"Another replay is running in {self.folder}. Wait for it, or end it with Ctrl-C: what it has done "
                    "stays."
                ) from None
            yield
