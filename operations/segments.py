"""Files of the broker: a new one begun, a compacted topic compacted now, and what stands in those that can be read.

``delete_records`` and compaction say what is gone; the bytes go with their file. A file goes when it is closed and
everything in it is gone, or when the cleaner writes it anew. Both come by themselves: a file is closed after a week, or
after a gigabyte. Who erases wants it now: for that moment a topic gets other settings, and a record without a value
under a key that is nobody's, which every reader passes over, closes the file.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import lz4.frame
from confluent_kafka import KafkaError, Message
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ConfigSource, ResourceType

from operations.partitions import Part, RewritingError
from streams.erased import LOOK, NOBODY
from transport.clients import ANSWER_SECONDS, Cluster, admin, producer

#: Seconds between two records that are to close a file, and how many: the first may come before the setting counts.
_BETWEEN: Final = 0.3
_CLOSING: Final = 3
_AGAIN: Final = 1.0
_SHOWN: Final = 0.1
_ROLL: Final = {"segment.ms": "100", "file.delete.delay.ms": "0"}
_COMPACT: Final = {
    "segment.ms": "100",
    "min.cleanable.dirty.ratio": "0.0",
    "delete.retention.ms": "0",
    "file.delete.delay.ms": "0",
}
#: The setting by which a killed run is known.
_MARK: Final = "segment.ms"
#: Of a batch of records: offset and length stand before it, its head has so many bytes in all.
_BEFORE, _HEAD, _ATTRIBUTES, _PACKED = 12, 61, 21, 3


@contextmanager
def for_now(cluster: Cluster, topic: str, settings: Mapping[str, str]) -> Iterator[None]:
    """Give a topic other settings, and what it had before when the block is left."""
    own = before(_described(cluster, topic), settings)
    _alter(cluster, topic, settings, ())
    try:
        until = time.monotonic() + ANSWER_SECONDS  # a broker shows it a moment after it was told
        while time.monotonic() < until and _values(cluster, topic, settings) != settings:
            time.sleep(_SHOWN)
        yield
    finally:
        _alter(cluster, topic, own, [name for name in settings if name not in own])


def before(found: Mapping[str, ConfigEntry], settings: Mapping[str, str]) -> dict[str, str]:
    """Which of these settings a topic has of its own, to be put back. What is left of a run that was killed is none of
    them: nobody else has a file closed ten times a second, and a topic that kept it would end in too many files.
    """
    own = {
        name: str(found[name].value)
        for name in settings
        if name in found and found[name].source == ConfigSource.DYNAMIC_TOPIC_CONFIG.value
    }
    if _MARK in own and own[_MARK] == settings[_MARK]:
        return {name: value for name, value in own.items() if value != settings[name]}
    return own


def _described(cluster: Cluster, topic: str) -> dict[str, ConfigEntry]:
    client = admin(cluster)
    (future,) = client.describe_configs([ConfigResource(ResourceType.TOPIC, topic)]).values()
    return dict(future.result(ANSWER_SECONDS))


def _values(cluster: Cluster, topic: str, names: Iterable[str]) -> dict[str, str]:
    found = _described(cluster, topic)
    return {name: str(found[name].value) for name in names}


def _alter(cluster: Cluster, topic: str, values: Mapping[str, str], unset: Sequence[str]) -> None:
    entries = [ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in values.items()]
    entries += [ConfigEntry(name, None, incremental_operation=AlterConfigOpType.DELETE) for name in unset]
    client = admin(cluster)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=entries)
    for future in client.incremental_alter_configs([resource]).values():
        future.result(ANSWER_SECONDS)


def begin_files(cluster: Cluster, parts: Sequence[Part]) -> dict[Part, int]:
    """Have each partition of one log begin a new file; the offset that it begins with at the latest."""
    if not parts:
        return {}
    found: dict[Part, int] = {}
    with for_now(cluster, parts[0].topic, _ROLL):
        for _ in range(_CLOSING):
            time.sleep(_BETWEEN)
            found = close_files(cluster, parts, LOOK)
    return found


def close_files(cluster: Cluster, parts: Sequence[Part], value: bytes | None) -> dict[Part, int]:
    """One record that is nobody's for each partition; its offset. ``RewritingError`` when Kafka does not take it."""
    sender, found, failed = producer(cluster, "sor-rewriting"), dict[Part, int](), list[KafkaError]()

    def report(error: KafkaError | None, message: Message) -> None:
        if error is None:
            found[Part(str(message.topic()), int(message.partition() or 0))] = int(message.offset() or 0)
        else:
            failed.append(error)

    for part in parts:
        sender.produce(part.topic, value, NOBODY, part.partition, on_delivery=report)
    if sender.flush(ANSWER_SECONDS) or failed:
        raise RewritingError(f"{parts[0].topic} takes no record: is the broker up?")
    return found


def compact(cluster: Cluster, parts: Sequence[Part], gone: Callable[[], bool], patience: float) -> bool:
    """Have the cleaner go over partitions of one topic until ``gone``; False when that takes longer than ``patience``.

    A record without a value goes with the second time that it is cleaned, so several files are closed.
    """
    until = time.monotonic() + patience
    with for_now(cluster, parts[0].topic, _COMPACT):
        while not gone():
            if time.monotonic() > until:
                return False
            close_files(cluster, parts, None)
            time.sleep(_AGAIN)
    return True


def check_seconds(cluster: Cluster) -> int:
    """Seconds between two times that the broker looks for files to remove."""
    client = admin(cluster)
    broker = next(iter(client.list_topics(timeout=ANSWER_SECONDS).brokers))
    (future,) = client.describe_configs([ConfigResource(ResourceType.BROKER, str(broker))]).values()
    return int(future.result(ANSWER_SECONDS)["log.retention.check.interval.ms"].value) // 1000


def bytes_in(path: Path) -> Iterator[bytes]:
    """The batches of a file of the broker, each behind its compression; what is no batch ends it."""
    content = path.read_bytes()
    at = 0
    while at + _HEAD <= len(content):
        end = at + _BEFORE + int.from_bytes(content[at + 8 : at + _BEFORE], "big")
        if end <= at + _HEAD or end > len(content):
            return
        batch, codec = content[at + _HEAD : end], content[at + _ATTRIBUTES + 1] & 7
        yield lz4.frame.decompress(batch) if codec == _PACKED else batch
        at = end


def files_with(folder: Path, needles: Sequence[bytes]) -> list[Path]:
    """The files below a folder that hold one of these strings: as they stand there, and those of the broker behind
    their compression as well. A file or folder that goes meanwhile holds nothing.
    """
    found = []
    # not rglob: that stops at a folder which the broker removes while it is read
    names = (Path(place) / name for place, _, files in os.walk(folder) for name in files)
    for path in sorted(one for one in names if one.is_file()):
        try:
            content = path.read_bytes()
            inside = any(needle in content for needle in needles)
            if not inside and ".log" in path.name:
                inside = any(needle in batch for batch in bytes_in(path) for needle in needles)
        except FileNotFoundError:
            continue
        if inside:
            found.append(path)
    return found
