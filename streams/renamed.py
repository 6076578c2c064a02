"""Rows under other names, or by other definitions: what a stage does at its start when the rows that are out differ so.

What names and definitions they have (``names``: the id of the names, the version of the definitions, the id of the
table of SPICs) is noted at the consumer group, beside the offsets: as the metadata of an offset of partition 0 of the
changelog, which nobody reads by group. Where it is another, or missing although the group has read something, the
group goes back to the beginning, note and offsets in one commit. Every event then comes again, so every client gives
out all its rows, and those under former keys as deleted (decision 0003). New keys, another table, or the first release
that has them, thus ask nothing of an operator but to have every worker of the stage stopped.
"""

from __future__ import annotations

import time
from typing import Final

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from streams.engine.stage import StageConfig, StageError
from transport.clients import ANSWER_SECONDS, Cluster

log = structlog.get_logger()

#: A worker that died is a member until its session ends (10 s).
PATIENCE: Final = 45.0
_IN_USE: Final = {KafkaError.UNKNOWN_MEMBER_ID, KafkaError.NON_EMPTY_GROUP, KafkaError.REBALANCE_IN_PROGRESS}
_PASSING: Final = _IN_USE | {
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
}


def give_out_anew(config: StageConfig, names: str, patience: float = PATIENCE) -> bool:
    """See that the rows of the stage are, or will be, under these names; whether the group went back for that.

    Raises:
        StageError: another worker of the group runs, or Kafka does not answer. The message says what to do.
    """
    settings = Cluster(config.bootstrap, config.client).settings()
    reader = Consumer({**settings, "group.id": config.name, "enable.auto.commit": False})
    until = time.monotonic() + patience
    try:
        while True:
            try:
                return _noted(reader, config, names)
            except KafkaException as error:
                if error.args[0].code() not in _PASSING or time.monotonic() > until:
                    raise StageError(_sentence(config, error.args[0])) from error
            time.sleep(0.5)
    finally:
        reader.close()


def _noted(reader: Consumer, config: StageConfig, names: str) -> bool:
    """One attempt; the note and the offsets change together or not at all."""
    source = [TopicPartition(config.source, partition) for partition in range(config.partitions)]
    note, *read = reader.committed([TopicPartition(config.changelog, 0), *source], timeout=ANSWER_SECONDS)
    if note.offset >= 0 and note.metadata == names:
        return False
    back = [_first(reader, one) for one in read if one.offset > 0]
    reader.commit(offsets=[TopicPartition(config.changelog, 0, 0, names), *back], asynchronous=False)
    if back:
        log.warning(
            "the rows that are out have other names or definitions: every row is given out anew from the log",
            topic=config.source,
        )
    return bool(back)


def _first(reader: Consumer, part: TopicPartition) -> TopicPartition:
    first, _ = reader.get_watermark_offsets(TopicPartition(part.topic, part.partition), timeout=ANSWER_SECONDS)
    return TopicPartition(part.topic, part.partition, first)


def _sentence(config: StageConfig, error: KafkaError) -> str:
    if error.code() in _IN_USE:
        return (
            f"the rows of {config.name} have other names or definitions (SOR_SPIC) and another worker of it is "
            "running: stop every worker, then start one again (decision 0015)"
        )
    return f"cannot ask Kafka at {config.bootstrap} for the names of the rows of {config.name}: {error.name()}"
