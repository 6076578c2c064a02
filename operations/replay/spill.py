"""Records of a partition too large for memory, by hash of their client in files of a folder.

All records of a client are in one bucket, and a bucket fits in memory: so much is held at once and no more. The files
have no name: nobody else opens them, and they are gone when the process is, however it ends.
"""

from __future__ import annotations

import errno
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from struct import Struct
from types import TracebackType
from typing import IO, Final

from operations.replay.errors import ReplayError

#: Records of one bucket, about: 60 MB as objects of Python.
BUCKET_RECORDS: Final = 150_000
MOST_BUCKETS: Final = 500
#: Bytes that wait to be written.
_WAITING: Final = 4 << 20
_HEAD: Final = Struct("<HIQ")  # bytes of the key, bytes of the value, offset

#: Client -> its records in order: offset and value.
Grouped = dict[bytes, list[tuple[int, bytes]]]


def buckets_for(records: int, bucket_records: int = BUCKET_RECORDS) -> int:
    """Into how many buckets so many records go; 1: they fit in memory and are not spilled."""
    return min(MOST_BUCKETS, max(1, -(-records // bucket_records)))


def bucket_of(key: bytes, buckets: int) -> int:
    """The bucket of a client. Kafka places clients by another hash, so a partition fills all buckets alike."""
    return zlib.crc32(key) % buckets


class Spill:
    """Buckets of one partition; closing it takes the files away."""

    def __init__(self, folder: Path, buckets: int) -> None:
        self._folder, self._files = folder, list[IO[bytes]]()
        self._waiting: list[list[bytes]] = [[] for _ in range(buckets)]
        self._size = 0
        with self._on_disk():
            for _ in range(buckets):
                self._files.append(tempfile.TemporaryFile(dir=folder, buffering=0))  # noqa: SIM115 - open as long as it

    def add(self, key: bytes, offset: int, value: bytes) -> None:
        """Take a record in; ``ReplayError`` when the disk is full."""
        self._waiting[zlib.crc32(key) % len(self._files)] += (_HEAD.pack(len(key), len(value), offset), key, value)
        self._size += _HEAD.size + len(key) + len(value)
        if self._size > _WAITING:
            self._write()

    def grouped(self, bucket: int) -> Grouped:
        """The records of a bucket by client; afterwards the bucket is empty."""
        self._write()
        file = self._files[bucket]
        with self._on_disk():
            file.seek(0)
            data = file.read()
            file.truncate(0)
            file.seek(0)
        found: Grouped = {}
        for key, offset, value in _records(data):
            found.setdefault(key, []).append((offset, value))
        return found

    def _write(self) -> None:
        with self._on_disk():
            for file, waiting in zip(self._files, self._waiting, strict=True):
                if waiting:
                    _write_all(file, b"".join(waiting))
                    waiting.clear()
        self._size = 0

    def _on_disk(self) -> _OnDisk:
        return _OnDisk(self._folder)

    def close(self) -> None:
        """Give the disk back."""
        for file in self._files:
            file.close()
        self._files, self._waiting = [], []


class _OnDisk:
    """A full disk as a sentence."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ReplayError(
                f"The disk of {self._folder} is full: make room, about as much as the log of events takes, and run the "
                "same again. It goes on where it was."
            ) from None


def _write_all(file: IO[bytes], data: bytes) -> None:
    """A file without a buffer may take a part."""
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]


def _records(data: bytes) -> Iterator[tuple[bytes, int, bytes]]:
    place, end, unpack, head = 0, len(data), _HEAD.unpack_from, _HEAD.size
    while place < end:
        key_size, value_size, offset = unpack(data, place)
        place += head
        yield data[place : place + key_size], offset, data[place + key_size : place + key_size + value_size]
        place += key_size + value_size
