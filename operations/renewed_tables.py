"""Rows under renewed names in the place of those of before, at one moment: no figure ever counts a client twice or not.

The sink stands still while *trajectories* makes its rows anew, so the tables show what they showed. The new rows are
read from their topics into tables beside those in use and exchanged (``operations.replay.shadow``); the former tables
are dropped, and with them every name of before. Then the former rows leave the topics.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Final

from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from operations import segments
from operations.partitions import Part, RewritingError, whole
from operations.replay import shadow
from schemas.topics import METINGEN, SCORES, TRAJECTEN, topics
from sinks import clickhouse
from sinks.access import Access
from transport.clients import ANSWER_SECONDS, Cluster, admin

ROWS: Final = (TRAJECTEN, METINGEN, SCORES)
#: With these the beginning of a compacted topic can be moved; nothing goes by its age meanwhile.
_CUTTING: Final = {"cleanup.policy": "compact,delete", "retention.ms": "-1", "segment.ms": "100"}
_POLICY: Final = "cleanup.policy"

Tell = Callable[[str, int], None]


def exchange(cluster: Cluster, access: Access, begins: Mapping[Part, int], tell: Tell) -> int:
    """Put the rows that stand in the topics from these offsets on in the place of all others; how many.

    Raises:
        UnavailableError, RefusedError: ClickHouse; the same again does it from the beginning.
    """
    with closing(clickhouse.connect(access)) as client:
        shadow.make(client, access.database)
        rows = shadow.ShadowRows(access, lambda _sentence: None)
        try:
            made = 0
            for place, topic in enumerate(ROWS):
                for values in _values(cluster, topic, begins):
                    rows.add([(place, value) for value in values], ())
                    made += len(values)
                    tell("rows", len(values))
            rows.flush()
        finally:
            rows.close()
        shadow.exchange(client, access.database)
        shadow.drop(client, access.database, shadow.REPLAY, shadow.BEFORE)
    return made


def _values(cluster: Cluster, topic: str, begins: Mapping[Part, int]) -> Iterator[list[bytes]]:
    found: list[bytes] = []
    for message in whole(cluster, topic):
        begin = begins.get(Part(topic, int(message.partition() or 0)), 0)
        if (value := message.value()) and int(message.offset() or 0) >= begin:
            found.append(value)
        if len(found) >= 5_000:
            yield found
            found = []
    yield found


@contextmanager
def cutting(cluster: Cluster, topic: str) -> Iterator[None]:
    """A topic of which the beginning can be moved, also a compacted one; in the end it is as it is declared."""
    if topics()[topic].config[_POLICY] != "compact":
        yield
        return
    with segments.for_now(cluster, topic, _CUTTING):
        yield
    declared(cluster, topic)


def declared(cluster: Cluster, topic: str) -> None:
    """Let a compacted topic be compacted alone, as it is declared: a run that was killed may have left it otherwise."""
    entries = [ConfigEntry(_POLICY, "compact", incremental_operation=AlterConfigOpType.SET)]
    entries += [
        ConfigEntry(name, None, incremental_operation=AlterConfigOpType.DELETE) for name in _CUTTING if name != _POLICY
    ]
    client = admin(cluster)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=entries)
    for future in client.incremental_alter_configs([resource]).values():
        future.result(ANSWER_SECONDS)


def cut(cluster: Cluster, topic: str, ends: Mapping[Part, int]) -> None:
    """Everything of a compacted topic before these offsets goes. The files are closed, so that they can go whole.

    Raises:
        RewritingError: the broker did not do it.
    """
    places: Sequence[Part] = sorted(ends)
    with cutting(cluster, topic):
        segments.close_files(cluster, places, None)
        client = admin(cluster)
        for part, future in client.delete_records([part.at(ends[part]) for part in places]).items():
            if future.result(ANSWER_SECONDS).low_watermark < ends[Part(part.topic, part.partition)]:
                raise RewritingError(f"{part.topic}/{part.partition} keeps what was to go: the broker did not do it.")
