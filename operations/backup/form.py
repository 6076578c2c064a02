"""What lies in a backup: records in compressed files, and the manifest that names every one of them.

A file of records is gzip; inside, each record is its length (four bytes, big-endian) and a MessagePack array of offset,
time stamp (ms), key, value and headers. ``zcat`` and any MessagePack reader read it without this project.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, NamedTuple

import msgspec

from faults import OperatorFault

MANIFEST: Final = "manifest.json"
BEGUN: Final = "begun.json"
FORMAT: Final = 1
#: Bytes before a record of a contract: zero, and the id of its schema.
WIRE: Final = 5
_LEVEL: Final = 3  # keyed hashes do not get smaller by trying harder
_LENGTH: Final = 4
_BLOCK: Final = 1 << 20


class BackupError(OperatorFault):
    """A backup cannot be made, or is not whole, or cannot be restored here; the message says what to do."""


class Kept(NamedTuple):
    """One record as it was: ``time`` in ms since 1970; a value of None deletes its key in a compacted topic."""

    offset: int
    time: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()


class Chunk(msgspec.Struct, frozen=True, kw_only=True):
    """One file of records: its path in the backup, size and SHA-256 of what lies on the disk, and what it holds."""

    path: str
    size: int
    sha256: str
    records: int
    first: int  # offsets
    last: int
    schemas: tuple[int, ...] = ()  # that its records name


class Part(msgspec.Struct, kw_only=True):
    """One partition: from the first offset that was there, up to (not including) the end that was noted."""

    low: int
    end: int
    chunks: list[Chunk] = msgspec.field(default_factory=list)

    @property
    def records(self) -> int:
        """Records that are in the backup."""
        return sum(chunk.records for chunk in self.chunks)


class TopicCopy(msgspec.Struct, kw_only=True):
    """One topic: the id that its cluster gave it, its partitions, and the schemas that its records name."""

    id: str
    parts: dict[str, Part]
    schemas: dict[str, str] = msgspec.field(default_factory=dict)  # schema id -> Avro

    @property
    def records(self) -> int:
        """Records that are in the backup."""
        return sum(part.records for part in self.parts.values())


class TableCopy(msgspec.Struct, frozen=True, kw_only=True):
    """One table of ClickHouse that no log yields."""

    path: str
    size: int
    sha256: str
    rows: int


class Manifest(msgspec.Struct, kw_only=True):
    """All that is known of a backup.

    ``at``: when its ends were noted, ms. ``settled``: entry had committed all that it had begun by then, so that no
    line has an outcome whose fact is missing. ``pseudonyms``: the public key that the names of clients come from.
    """

    format: int
    release: str
    cluster: str
    at: int
    settled: bool
    pseudonyms: str
    topics: dict[str, TopicCopy]
    tables: dict[str, TableCopy] = msgspec.field(default_factory=dict)

    @property
    def records(self) -> int:
        """Records of all topics."""
        return sum(topic.records for topic in self.topics.values())


class _Signed(msgspec.Struct):
    """The manifest as it lies on the disk, with a checksum of itself."""

    sha256: str
    content: msgspec.Raw


class ChunkWriter:
    """Writes one file of records beside its place, and puts it there when it is whole and on the disk."""

    def __init__(self, root: Path, path: str) -> None:
        self._root, self._path = root, path
        self._target = root / path
        self._target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._half = self._target.with_name(f"{self._target.name}.part")
        self._file = private(self._half)
        self._zip = gzip.GzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=self._file, mtime=0)
        self._encode = msgspec.msgpack.Encoder().encode
        self.records, self.raw, self._first, self._last = 0, 0, 0, 0
        self._schemas: set[int] = set()

    def add(self, record: Kept) -> None:
        """One more record; offsets grow."""
        data = self._encode(record)
        self._zip.write(len(data).to_bytes(_LENGTH, "big") + data)
        self._first = self._first if self.records else record.offset
        self._last = record.offset
        self._schemas.add(schema_of(record.value))
        self.records += 1
        self.raw += len(data)

    def close(self) -> Chunk:
        """Put the file in its place."""
        self._zip.close()
        on_disk(self._file)
        size, digest = measure(self._half)
        self._half.replace(self._target)
        return Chunk(
            path=self._path,
            size=size,
            sha256=digest,
            records=self.records,
            first=self._first,
            last=self._last,
            schemas=tuple(sorted(self._schemas - {0})),
        )

    def abandon(self) -> None:
        """Remove what is half written."""
        self._zip.close()
        self._file.close()
        self._half.unlink(missing_ok=True)


def read_chunk(root: Path, chunk: Chunk) -> Iterator[Kept]:
    """Its records. ``BackupError`` when the file is not what the manifest says."""
    decode = msgspec.msgpack.Decoder(Kept).decode
    count = 0
    try:
        with gzip.open(root / chunk.path, "rb") as file:
            while head := file.read(_LENGTH):
                count += 1
                yield decode(file.read(int.from_bytes(head, "big")))
    except (OSError, EOFError, zlib.error, msgspec.DecodeError) as error:
        raise damaged(chunk.path, type(error).__name__) from error
    if count != chunk.records:
        raise damaged(chunk.path, f"{count} records of {chunk.records}")


def schema_of(value: bytes | None) -> int:
    """The id of the schema of a record; 0 when it names none."""
    return int.from_bytes(value[1:WIRE], "big") if value and len(value) >= WIRE and value[0] == 0 else 0


def measure(path: Path) -> tuple[int, str]:
    """Bytes and SHA-256 of a file. ``BackupError`` when it is not there or cannot be read."""
    digest, size = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
                size += len(block)
    except OSError as error:
        raise damaged(path.name, error.strerror or type(error).__name__) from error
    return size, digest.hexdigest()


def damaged(path: str, why: str) -> BackupError:
    """What to say of a file that is not what was written."""
    return BackupError(f"{path} in the backup is damaged ({why}): take another copy of the backup.")


def save(root: Path, manifest: Manifest, name: str) -> str:
    """Write the manifest whole or not at all; its checksum."""
    content = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    digest = hashlib.sha256(content).hexdigest()
    half = root / f"{name}.part"
    file = private(half)
    file.write(msgspec.json.encode(_Signed(digest, msgspec.Raw(content))) + b"\n")
    on_disk(file)
    half.replace(root / name)
    return digest


def load(root: Path, name: str = MANIFEST) -> Manifest:
    """The manifest of a backup.

    Raises:
        BackupError: there is none, it was changed, or another release wrote it in another form.
    """
    try:
        signed = msgspec.json.decode((root / name).read_bytes(), type=_Signed)
        manifest = msgspec.json.decode(signed.content, type=Manifest)
    except FileNotFoundError:
        raise BackupError(_absent(root)) from None
    except (msgspec.DecodeError, OSError) as error:
        raise damaged(name, type(error).__name__) from error
    if hashlib.sha256(signed.content).hexdigest() != signed.sha256:
        raise damaged(name, "its checksum is another")
    if manifest.format != FORMAT:
        raise BackupError(f"The backup has form {manifest.format} and this release reads {FORMAT}: use its release.")
    return manifest


def _absent(root: Path) -> str:
    if (root / BEGUN).exists():
        return f"{root} is a backup that was not finished: run sor backup {root} once more, it goes on where it was."
    return f"{root} holds no backup ({MANIFEST} is not there)."


def private(path: Path) -> IO[bytes]:
    """A new file for its owner alone; what an earlier attempt left there goes."""
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def on_disk(file: IO[bytes]) -> None:
    """Close a file when the disk has it."""
    file.flush()
    os.fsync(file.fileno())
    file.close()
