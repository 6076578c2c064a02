"""Making a backup while the stream runs: ends are noted first, then everything before them is copied.

1. *Note* how far each topic reaches: outcomes of lines first, then, when entry has committed what it had begun, the
   facts. So no line has an outcome whose fact is missing; one that misses its outcome is delivered again.
2. *Copy* each partition into files; every file that is whole is written down in ``begun.json``. A backup that was
   interrupted goes on from there, with the ends that it noted.
3. *Copy* the tables that no log yields.
4. *Read* the whole of it again, and write ``manifest.json``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from operations.backup import checking, form, reading, tables
from operations.backup.form import BEGUN, MANIFEST, BackupError, ChunkWriter, Kept, Manifest, Part, TopicCopy
from operations.backup.reading import Reader
from schemas.codec import IdSource, bundled
from schemas.topics import LINES, topics
from sinks.access import Access
from transport.clients import DELIVERY_SECONDS, Cluster, admin
from transport.release import release
from transport.topic_ids import topic_ids

#: A file of records ends at so many, or at so many bytes before compression: what a crash leaves to be copied anew.
CHUNK_RECORDS: Final = 250_000
CHUNK_BYTES: Final = 64 << 20

#: Hears what is being done, how many records of it are done, and how many there are.
Tell = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Source:
    """What a backup is made of. ``pseudonyms``: the public key that the names of clients come from (hexadecimal)."""

    cluster: Cluster
    access: Access
    pseudonyms: str
    ids: IdSource | None = None


def take(source: Source, folder: Path, tell: Tell, *, seconds: float = DELIVERY_SECONDS) -> tuple[Manifest, str]:
    """Make a backup in an empty folder, or go on with the one that was begun there; what it holds, and its checksum.

    Raises:
        BackupError: the folder holds something else, or the log changed while it was copied.
        KafkaException, UnavailableError, RefusedError: a part does not answer, or refuses.
    """
    _prepare(folder)
    manifest = _begun(source, folder, seconds)
    with Reader(source.cluster) as reader:
        for name, topic in manifest.topics.items():
            for part in topic.parts:
                _copy(reader, folder, manifest, (name, int(part)), tell)
            _name_schemas(topic, source.ids)
    manifest.tables = tables.take(source.access, folder)
    checking.contents(folder, manifest, tell)
    digest = form.save(folder, manifest, MANIFEST)
    (folder / BEGUN).unlink(missing_ok=True)
    return manifest, digest


def _prepare(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    if (folder / MANIFEST).exists():
        raise BackupError(f"{folder} holds a backup already: name another folder, one for each backup.")
    if any(folder.iterdir()) and not (folder / BEGUN).exists():
        raise BackupError(f"{folder} holds other files: name an empty folder, or one that is not there yet.")


def _begun(source: Source, folder: Path, seconds: float) -> Manifest:
    """What was begun in this folder, when it is of this log; else a beginning, with the ends noted now."""
    names = [topic.name for topic in topics().values() if topic.backup]
    ids, cluster = topic_ids(admin(source.cluster), names), reading.cluster_id(source.cluster)
    if absent := sorted(set(names) - set(ids)):
        raise BackupError(
            f"The broker shows no topic {absent[0]}: run sor topics apply, or take it as a user that may read it "
            "(backup, admin)."
        )
    if not (folder / BEGUN).exists():
        manifest = _noted(source, cluster, ids, seconds)
        form.save(folder, manifest, BEGUN)
        return manifest
    manifest = form.load(folder, BEGUN)
    if manifest.cluster != cluster or {name: topic.id for name, topic in manifest.topics.items()} != ids:
        raise BackupError(f"{folder} was begun of another log than this one: remove it, and make a backup anew.")
    return manifest


def _noted(source: Source, cluster: str, ids: dict[str, str], seconds: float) -> Manifest:
    order = sorted(ids, key=lambda name: name != LINES)  # outcomes before facts
    found: dict[str, TopicCopy] = {}
    settled = True
    with Reader(source.cluster) as reader:
        for name in order:
            parts = {str(part): Part(low=at.low, end=at.end) for part, at in reader.reach(name).items()}
            found[name] = TopicCopy(id=ids[name], parts=parts)
            if name == LINES:
                settled = reading.settle(source.cluster, seconds)
    return Manifest(
        format=form.FORMAT,
        release=release(),
        cluster=cluster,
        at=int(time.time() * 1000),
        settled=settled,
        pseudonyms=source.pseudonyms,
        topics=found,
    )


def _copy(reader: Reader, folder: Path, manifest: Manifest, place: tuple[str, int], tell: Tell) -> None:
    """What is not copied yet of one partition."""
    (name, number), topic = place, manifest.topics[place[0]]
    part = topic.parts[str(number)]
    at = part.chunks[-1].last + 1 if part.chunks else part.low
    what, total = f"{name}/{number}", part.end - part.low
    tell(what, at - part.low, total)
    for chunk in _chunks(folder, place, reader.records(name, number, at, part.end)):
        part.chunks.append(chunk)
        form.save(folder, manifest, BEGUN)
        tell(what, chunk.last + 1 - part.low, total)
    _still_there(reader, place, part)
    tell(what, total, total)


def _chunks(folder: Path, place: tuple[str, int], records: Iterable[Kept]) -> Iterable[form.Chunk]:
    writer: ChunkWriter | None = None
    try:
        for record in records:
            if writer is None:
                writer = ChunkWriter(folder, f"log/{place[0]}/{place[1]}-{record.offset:020d}.gz")
            writer.add(record)
            if writer.records >= CHUNK_RECORDS or writer.raw >= CHUNK_BYTES:
                yield writer.close()
                writer = None
        if writer is not None:
            yield writer.close()
            writer = None
    finally:
        if writer is not None:
            writer.abandon()


def _still_there(reader: Reader, place: tuple[str, int], part: Part) -> None:
    """Was anything deleted before it was copied? What was rewritten lies behind the end that was noted."""
    name, number = place
    low = reader.reach_of(name, number).low
    if low > part.low and (topics()[name].config.get("retention.ms") == "-1" or low >= part.end):
        raise BackupError(
            f"{name}/{number} was rewritten while it was copied (a client was forgotten, or its partitions changed): "
            "remove the folder, and make the backup anew when that is done."
        )


def _name_schemas(topic: TopicCopy, ids: IdSource | None) -> None:
    """The schemas that its records name, so that they can be read wherever they are restored."""
    source = ids or bundled()
    for schema in sorted({one for part in topic.parts.values() for chunk in part.chunks for one in chunk.schemas}):
        try:
            topic.schemas[str(schema)] = source.lookup(schema)
        except KeyError:
            topic.schemas[str(schema)] = ""  # nobody knows it: its records are copied as they are
