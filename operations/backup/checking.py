"""Reading a backup whole: is it what the manifest says, record by record?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from operations.backup import form
from operations.backup.form import Chunk, Manifest, Part

Tell = Callable[[str, int, int], None]


def verify(folder: Path, tell: Tell) -> Manifest:
    """What a backup holds.

    Raises:
        BackupError: it is not finished, or a file is missing, changed or not what the manifest says.
    """
    manifest = form.load(folder)
    contents(folder, manifest, tell)
    return manifest


def contents(folder: Path, manifest: Manifest, tell: Tell) -> None:
    """Read every file that a manifest names. ``BackupError`` for the first that is not what it says."""
    done, total = 0, manifest.records
    for topic in manifest.topics.values():
        for part in topic.parts.values():
            _in_order(part)
            for chunk in part.chunks:
                _whole(folder, chunk, part)
                done += chunk.records
                tell("reading it again", done, total)
    for table in manifest.tables.values():
        same(folder, table.path, table.size, table.sha256)


def same(folder: Path, path: str, size: int, sha256: str) -> None:
    """``BackupError`` unless a file has this size and checksum."""
    if form.measure(folder / path) != (size, sha256):
        raise form.damaged(path, "its checksum is another")


def _in_order(part: Part) -> None:
    at = part.low
    for chunk in part.chunks:
        if not at <= chunk.first <= chunk.last < part.end:
            raise form.damaged(chunk.path, "its offsets do not fit")
        at = chunk.last + 1


def _whole(folder: Path, chunk: Chunk, part: Part) -> None:
    same(folder, chunk.path, chunk.size, chunk.sha256)
    before = part.low - 1
    for record in form.read_chunk(folder, chunk):
        if record.offset <= before or not chunk.first <= record.offset <= chunk.last:
            raise form.damaged(chunk.path, "its offsets do not fit")
        before = record.offset
