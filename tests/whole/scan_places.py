"""Where data rest behind compression or packing: records, states and tables are read as their owners read them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import clickhouse_connect
import msgspec
import rocksdict
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from schemas.codec import Codec
from schemas.topics import topics
from tests.whole.scan import Scan

_TABLES = """
SELECT database, name FROM system.tables
WHERE database NOT IN ('system', 'INFORMATION_SCHEMA', 'information_schema') OR name LIKE '%_log'
"""


def kafka(scan: Scan, bootstrap: str, more: frozenset[str] = frozenset()) -> int:
    """Key, value and headers of every record of every topic of ours and of the broker's own; how many there were.

    Topics of other tests on the same broker hold no files; ``more`` names those that are to be read as well.

    Records with a contract are looked at once more as values, for a number may be packed.
    """
    reader = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "scan", "enable.auto.commit": False, "enable.partition.eof": True}
    )
    try:
        names = reader.list_topics(timeout=10).topics
        wanted = {name for name in names if name.startswith("__")} | (set(names) & (set(topics()) | more))
        return sum(_topic(scan, reader, name, list(names[name].partitions)) for name in sorted(wanted))
    finally:
        reader.close()


def _topic(scan: Scan, reader: Consumer, name: str, partitions: list[int]) -> int:
    count, codec = 0, _codec(name)
    for message in _records(reader, name, partitions):
        count += 1
        place = f"record of {name}"
        for part in (message.key(), message.value(), *(_headers(message))):
            scan.piece(place, part or b"")
        if codec and message.value():
            scan.piece(place, repr(codec.decode(message.value())).encode())
        elif name.endswith("-changelog") and message.value():
            scan.piece(place, unpacked(message.value()))
    return count


def _codec(name: str) -> Codec | None:
    topic = topics().get(name)
    return Codec(topic.schema) if topic and topic.schema else None


def _headers(message: Message) -> Iterator[bytes]:
    for name, value in message.headers() or ():
        yield name.encode()
        yield value or b""


def _ends(reader: Consumer, place: TopicPartition) -> tuple[int, int]:
    """First and next offset, once a topic that was only just made has a leader."""
    until = time.monotonic() + 20
    while True:
        try:
            low, high = reader.get_watermark_offsets(place, timeout=10)
        except KafkaException:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return low, high


def _records(reader: Consumer, name: str, partitions: list[int]) -> Iterator[Message]:
    """Until the end that the broker names: compaction and markers leave offsets without a record."""
    for partition in partitions:
        low, high = _ends(reader, TopicPartition(name, partition))
        if high <= low:
            continue
        reader.assign([TopicPartition(name, partition, low)])
        ended = False
        while not ended:
            for message in reader.consume(1000, 0.2):
                error = message.error()
                if error is None:
                    yield message
                elif error.code() == KafkaError._PARTITION_EOF:
                    ended = True
                else:
                    raise AssertionError(error)


def unpacked(state: bytes) -> bytes:
    """A packed state as text; what is not packed stays as it is."""
    try:
        return repr(msgspec.msgpack.decode(state)).encode()
    except (msgspec.DecodeError, UnicodeDecodeError):
        return state


def state(scan: Scan, folder: Path) -> int:
    """Every key and value of every RocksDB below a folder whose owner has stopped; how many there were."""
    count = 0
    for path in sorted(folder.rglob("*.db")):
        table = rocksdict.Rdict(
            str(path), rocksdict.Options(raw_mode=True), access_type=rocksdict.AccessType.read_only()
        )
        try:
            for key, value in table.items():
                count += scan.pieces(f"state {path.name}", (key, value, unpacked(value))) // 3
        finally:
            table.close()
    return count


def clickhouse(scan: Scan, url: str, password: str) -> int:
    """Every column of every row of every table, rows that a merge has yet to remove included; how many rows."""
    count = 0
    with clickhouse_connect.get_client(dsn=url, username="admin", password=password) as client:
        for database, table in client.query(_TABLES).result_rows:
            answer = client.raw_query(f"SELECT * FROM `{database}`.`{table}`", fmt="TSVRaw")
            count += scan.pieces(f"table {database}.{table}", answer.splitlines())
    return count
