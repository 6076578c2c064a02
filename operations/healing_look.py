"""Asking Kafka and ClickHouse what they note of each other, for ``operations.healing``. Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from clickhouse_connect.driver.client import Client
from confluent_kafka import Consumer, TopicPartition

from operations.healing import SOURCES, STAGE_OF, RowsSeen, Seen, StageSeen, TopicSeen
from schemas.topics import groups
from sinks import clickhouse
from sinks.tables import TABLES
from streams.epochs import changelog_of
from transport.clients import Cluster, admin
from transport.groups import committed
from transport.notes import noted_at
from transport.orders import assigned_reader
from transport.topic_ids import topic_ids

_SECONDS: Final = 10.0
_STANDS: Final = "SELECT topic, topic_id, partition, offset FROM standen FINAL"


class _Place(NamedTuple):
    """Of one partition: the next record of the group, what is noted there, and what the broker has."""

    partition: int
    at: int
    note: dict[str, str]
    end: int


def look(cluster: Cluster, client: Client) -> Seen:
    """Everything that ``operations.healing.findings`` judges. ``client`` may read every table.

    Raises:
        KafkaException: the broker does not answer.
        UnavailableError, RefusedError: ClickHouse does not, or a table is missing.
    """
    names = [*SOURCES.values(), *(table.topic for table in TABLES)]
    ids = topic_ids(admin(cluster), names)
    found = clickhouse.select(client, "SELECT toString(id) FROM opslag ORDER BY gemaakt_op, id LIMIT 1")
    shown = {table: _epochs(client, table) for table in STAGE_OF}  # before the ends of the log: these only grow
    stages = {stage: _stage(cluster, stage, topic, ids.get(topic, "")) for stage, topic in SOURCES.items()}
    rows = {table: _rows(shown[table], stages[stage].since) for table, stage in STAGE_OF.items()}
    return Seen(found[0][0] if found else "", stages, _topics(cluster, client, ids), rows)


def _stage(cluster: Cluster, stage: str, topic: str, log: str) -> StageSeen:
    group = groups()[stage]
    reader = assigned_reader(cluster, group)
    try:
        (kept,) = committed(reader, [TopicPartition(changelog_of(group), 0)])
        note = noted_at(kept)
        places = _places(reader, topic)
        epoch = int(note.get("epoch", 0))
        return StageSeen(
            noted_log=note.get("log", ""),
            log=log,
            epoch=epoch,
            since=int(note.get("since", epoch)),
            to_go=sum(max(0, one.end - one.at) for one in places),
            end=max([one.end for one in places], default=0),
        )
    finally:
        reader.close()


def _topics(cluster: Cluster, client: Client, ids: dict[str, str]) -> dict[str, TopicSeen]:
    stands = {tuple(row[:3]): int(row[3]) for row in clickhouse.select(client, _STANDS)}
    reader = assigned_reader(cluster, groups()["sink"])
    try:
        return {
            table.topic: _topic(_places(reader, table.topic), table.topic, ids[table.topic], stands)
            for table in TABLES
            if table.topic in ids
        }
    finally:
        reader.close()


def _topic(places: Sequence[_Place], topic: str, log: str, stands: dict[tuple[str, str, int], int]) -> TopicSeen:
    notes = [one.note for one in places if one.note]
    return TopicSeen(
        log=log,
        stores=frozenset(note["store"] for note in notes),
        logs=frozenset(note["log"] for note in notes),
        ahead=sum(stands.get((topic, log, one.partition), 0) > one.end for one in places),
        filling=sum(max(0, min(int(one.note.get("until", 0)), one.end) - one.at) for one in places if one.note),
        to_go=sum(max(0, one.end - max(one.at, 0)) for one in places),
    )


def _places(reader: Consumer, topic: str) -> list[_Place]:
    there = reader.list_topics(topic, timeout=_SECONDS).topics.get(topic)
    if there is None or there.error is not None:
        return []
    asked = [TopicPartition(topic, partition) for partition in there.partitions]
    found = []
    for kept in committed(reader, asked):
        first, end = reader.get_watermark_offsets(TopicPartition(topic, kept.partition), timeout=_SECONDS)
        found.append(_Place(kept.partition, max(kept.offset, first), noted_at(kept), end))
    return found


def _epochs(client: Client, table: str) -> list[tuple[int, int, int]]:
    """Epoch, rows that are shown, and their highest version."""
    query = f"SELECT epoch, count(), max(version) FROM {table} FINAL GROUP BY epoch"  # noqa: S608 - our own names
    return [(int(epoch), int(rows), int(highest)) for epoch, rows, highest in clickhouse.select(client, query)]


def _rows(shown: Sequence[tuple[int, int, int]], since: int) -> RowsSeen:
    former = sum(rows for epoch, rows, _ in shown if epoch < since)
    return RowsSeen(former, max((highest for _, _, highest in shown), default=0))


def told_again(client: Client, topic: str, log: str) -> None:
    """Forget how far a topic filled the store: the sink reads it again from its next start on."""
    doing = "Forgetting how far the store was filled"
    with clickhouse.told_apart(doing):
        client.command(
            "ALTER TABLE standen DELETE WHERE topic = {topic:String} AND topic_id = {log:String}"
            " SETTINGS mutations_sync = 1",
            parameters={"topic": topic, "log": log},
        )


def without_rows(client: Client, table: str, epoch: int) -> None:
    """Remove the rows below an epoch, replaced ones too; returns when no query finds them."""
    with clickhouse.told_apart(f"Removing rows of {table}"):
        client.command(
            f"ALTER TABLE {table} DELETE WHERE epoch < {{epoch:UInt32}} SETTINGS mutations_sync = 1",
            parameters={"epoch": epoch},
        )
