"""Compacted topics without some clients: tombstones where nobody else gives one, and the cleaner made to go over them.

Rows that are to go get a tombstone, and so does what asked that such a client is forgotten; the stages have given one
to what they kept. All topics at once, for each waits for the cleaner.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple

from confluent_kafka import Message

from crypto.client_names import ClientNames
from operations import segments
from operations.erasures import Ledger
from operations.partitions import Part, end_of, part_of, partitions, passed, whole
from schemas.asked import Asked
from schemas.codec import Codec, IdSource
from schemas.topics import METINGEN, SCORES, TRAJECTEN, WISVERZOEKEN, groups
from schemas.typed import StructCodec
from streams.epochs import changelog_of
from transport.clients import ANSWER_SECONDS, Cluster, producer

#: Seconds that are waited for the cleaner, per topic; it goes on by itself.
COMPACTION: Final = 120.0
_ROWS: Final = (TRAJECTEN, METINGEN, SCORES)
#: Keys of records, and where these stand.
Places = dict[bytes, Part]


class Compacted(NamedTuple):
    """A compacted topic: keys that got a tombstone, and whether their records left its files already."""

    topic: str
    keys: int
    gone: bool


class World(NamedTuple):
    """Where the data are, and the keys that name them."""

    cluster: Cluster
    client: Any  # of ClickHouse, as its administrator
    names: ClientNames
    ledger: Ledger
    ids: IdSource | None = None


class _Job(NamedTuple):
    """A topic to be cleaned: keys that are to go, and what finds those that are still there."""

    topic: str
    places: Places
    left: Callable[[str, Sequence[Part]], Places]


def remove(world: World, pseudonyms: Collection[bytes], highest: int, patience: float) -> list[Compacted]:
    """Take these clients, who are in the ledger, out of every compacted topic. ``highest``: version of their rows, at
    most. ``RewritingError`` when the sink does not keep up.
    """
    found = _Finding(world, frozenset(pseudonyms), highest)
    jobs = []
    for topic in _ROWS:
        jobs.append(_Job(topic, found.rows(topic), found.rows))
        _tombstones(world.cluster, jobs[-1].places)
        for number in partitions(world.cluster, topic):
            part = Part(topic, number)
            passed(world.cluster, groups()["sink"], part, end_of(world.cluster, part), patience)
    jobs.append(_Job(WISVERZOEKEN, found.asked(WISVERZOEKEN), found.asked))
    _tombstones(world.cluster, jobs[-1].places)
    for stage in ("trajectories", "register"):
        changelog = changelog_of(groups()[stage])
        jobs.append(_Job(changelog, found.states(changelog), found.states))
    with ThreadPoolExecutor(len(jobs), "compact") as threads:
        return list(threads.map(lambda job: _compacted(world.cluster, job, patience), jobs))


def take_out(cluster: Cluster, topic: str, keys: Collection[bytes], patience: float) -> Compacted:
    """Take whatever stands under some keys out of a compacted topic, and out of its files."""

    def there(name: str, among: Sequence[Part] = ()) -> Places:
        return {m.key() or b"": part_of(m) for m in whole(cluster, name, among) if m.value() and m.key() in keys}

    job = _Job(topic, there(topic), there)
    _tombstones(cluster, job.places)
    return _compacted(cluster, job, patience)


def _tombstones(cluster: Cluster, places: Places) -> None:
    sender = producer(cluster, "sor-forget")
    for key, part in places.items():
        sender.produce(part.topic, None, key, part.partition)
        sender.poll(0)
    sender.flush(ANSWER_SECONDS)


def _compacted(cluster: Cluster, job: _Job, patience: float) -> Compacted:
    parts = sorted(set(job.places.values()))
    gone = not parts or segments.compact(
        cluster, parts, lambda: not job.left(job.topic, parts), min(patience, COMPACTION)
    )
    return Compacted(job.topic, len(job.places), gone)


class _Finding:
    """Where records of these clients stand. Each function reads a topic, or some of its partitions."""

    def __init__(self, world: World, pseudonyms: frozenset[bytes], highest: int) -> None:
        self._world, self._pseudonyms, self._highest = world, pseudonyms, highest
        self._removed: dict[str, set[bytes]] = {topic: set() for topic in _ROWS}  # keys of rows that are to go
        self._asked = StructCodec(Asked, world.ids)

    def rows(self, topic: str, among: Sequence[Part] = ()) -> Places:
        """Keys of rows of the clients, up to the version that is to go. A tombstone does not say of whom it was: the
        key that it has was met before.
        """
        codec, names, removed = Codec(topic, self._world.ids), self._world.names, self._removed[topic]
        found: Places = {}
        for message in whole(self._world.cluster, topic, among):
            key, value = message.key() or b"", message.value()
            if value is None:
                if key in removed:
                    found[key] = part_of(message)
                continue
            row = codec.decode(value)
            provider, name = row["aanbieder"], row["client"]
            if any(names.of(client, provider) == name for client in self._pseudonyms):
                if row["version"] <= self._highest:
                    found[key] = part_of(message)
                    removed.add(key)
                else:  # of what was published since
                    found.pop(key, None)
                    removed.discard(key)
        return found

    def states(self, changelog: str, among: Sequence[Part] = ()) -> Places:
        """Keys of a changelog under which such a client stands, or stood."""
        return {
            message.key() or b"": part_of(message)
            for message in whole(self._world.cluster, changelog, among)
            if message.key() in self._pseudonyms or self._named(message)
        }

    def asked(self, topic: str, among: Sequence[Part] = ()) -> Places:
        """Keys of what asked that such a client is forgotten, before it was; what asks it anew waits."""
        return {
            message.key() or b"": part_of(message)
            for message in whole(self._world.cluster, topic, among)
            if self._named(message) and self._answered(message.value() or b"")
        }

    def _named(self, message: Message) -> bool:
        value = message.value() or b""
        return any(client in value for client in self._pseudonyms)

    def _answered(self, value: bytes) -> bool:
        asked = self._asked.decode(value)
        return self._world.ledger.forgets(asked.pseudonym.encode(), asked.tijd)
