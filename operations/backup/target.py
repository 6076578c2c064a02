"""The broker that a backup is restored to: is it empty, does anybody work there, and sending to it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from confluent_kafka import KafkaError, Message

from operations.backup.form import BackupError, Kept
from operations.backup.reading import Reader
from schemas.orders import Place
from schemas.topics import groups, topics
from transport.clients import Cluster, producer
from transport.groups import members
from transport.publisher import NotDelivered

_POLL_EVERY: Final = 1_000
_FLUSH_SECONDS: Final = 60.0
_WAITS: Final = 300  # of 0.1 s each, while the queue is full


def require_empty(cluster: Cluster, may_be_there: Sequence[str] = ()) -> None:
    """``BackupError`` when a declared topic has records, or had some that a group of ours read, or somebody works.

    ``may_be_there``: topics that may have records.
    """
    with Reader(cluster, "sor-restore") as reader:
        reach = {name: reader.reach(name) for name in topics()}
    there = {name: parts for name, parts in reach.items() if parts}
    ends = {name: sum(at.end for at in parts.values()) for name, parts in there.items() if name not in may_be_there}
    if full := [f"{name} ({end})" for name, end in ends.items() if end]:
        raise BackupError(
            f"The broker is not empty; its topics have records: {', '.join(full)}. A backup is restored into an empty "
            "one: name another broker, or delete these topics when nothing of them is needed any more."
        )
    for process, group in groups().items():
        _require_idle(cluster, process, group, [name for name in there if process in topics()[name].read])


def _require_idle(cluster: Cluster, process: str, group: str, names: Sequence[str]) -> None:
    if names and members(cluster, group):
        raise BackupError(f"{process} runs on this broker: stop every process first; they start when all is restored.")
    with Reader(cluster, group) as reader:
        for name in names:
            if any(at > 0 for at in reader.committed(name).values()):
                raise BackupError(
                    f"The group {group} has read {name} on this broker before: delete it, or name another broker."
                )


def require_no_state(folders: Sequence[Path]) -> None:
    """``BackupError`` when a stage left a state here: it is of another log."""
    for folder in folders:
        if folder.is_dir() and any(folder.iterdir()):
            raise BackupError(
                f"{folder} holds the state of a stage from another log: move it away, or name another home."
            )


def counts(cluster: Cluster, names: Sequence[str]) -> dict[str, int]:
    """Records of topics, those that went included."""
    with Reader(cluster, "sor-restore") as reader:
        return {name: sum(at.end for at in reader.reach(name).values()) for name in names}


def require_all_there(cluster: Cluster, sent: dict[str, int], before: dict[str, int]) -> None:
    """``BackupError`` unless the topics end where so many records end, behind those that were there before."""
    with Reader(cluster, "sor-restore") as reader:
        for name, number in sent.items():
            found = sum(at.end for at in reader.reach(name).values()) - before.get(name, 0)
            if found != number:
                raise BackupError(
                    f"{name} has {found} records where {number} were sent: somebody else writes there. Stop every "
                    "process, empty the broker, and restore anew."
                )


class Sender:
    """Sends records as they were and looks at every report.

    ``named``: places of which it is noted in ``moved`` where their records lie now.
    """

    def __init__(self, cluster: Cluster, named: frozenset[Place], moved: dict[Place, Place]) -> None:
        self._producer = producer(cluster, "sor-restore", **{"linger.ms": 20})
        self._named, self._moved = named, moved
        self._failed: KafkaError | None = None
        self._count = 0

    def __enter__(self) -> Sender:
        return self

    def __exit__(self, kind: object, *_error: object) -> None:
        if kind is not None:
            self._producer.purge()
        left = self._producer.flush(_FLUSH_SECONDS)
        if kind is None and (left or self._failed is not None):
            raise _not_delivered(self._failed)

    def send(self, topic: str, place: Place, record: Kept) -> None:
        """Queue one record; waits while the queue is full. ``NotDelivered`` as soon as one did not arrive."""
        report = partial(self._report, place if place in self._named else None)
        more = {"timestamp": record.time} if record.time > 0 else {}
        for _ in range(_WAITS):
            try:
                self._producer.produce(
                    topic, record.value, record.key, on_delivery=report, headers=list(record.headers), **more
                )
                break
            except BufferError:
                self._producer.poll(0.1)
        else:
            raise _not_delivered(None)
        self._count += 1
        if self._count % _POLL_EVERY == 0:
            self._producer.poll(0)
        if self._failed is not None:
            raise _not_delivered(self._failed)

    def _report(self, place: Place | None, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._failed = error
        elif place is not None:
            self._moved[place] = Place(str(message.topic()), int(message.partition()), int(message.offset()))


def _not_delivered(error: KafkaError | None) -> NotDelivered:
    reason = error.str() if error is not None else "no answer from the broker"
    return NotDelivered(f"Not all of the backup reached the broker ({reason}): empty the broker, and restore anew.")
