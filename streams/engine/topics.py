"""What must be true of the topics before a stage starts."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, OffsetSpec, ResourceType

from streams.engine.stage import StageConfig, StageError
from transport import clients
from transport.groups import STARTING

TIMEOUT = 10.0  # seconds, per question to the broker
COORDINATOR_TIMEOUT = 30.0  # seconds; a broker that has just started needs some to load its groups


@dataclass(frozen=True)
class TopicIds:
    """Kafka's own ids of the two topics a state on disk was built from: a topic that was made anew has another."""

    source: str
    changelog: str


def check(config: StageConfig) -> TopicIds:
    """Check source, changelog and group against each other. Raises StageError with the remedy."""
    admin = clients.admin(clients.Cluster(config.bootstrap, config.client))
    try:
        topics = _describe(admin, config)
        _check_counts(config, topics)
        _check_policies(admin, config)
        _check_changelog_is_whole(admin, config)
    except (KafkaException, TimeoutError) as error:
        raise StageError(
            f"cannot ask Kafka at {config.bootstrap} about the topics of {config.name}: {error}"
        ) from error
    return TopicIds(str(topics[config.source].topic_id), str(topics[config.changelog].topic_id))


def _describe(admin: AdminClient, config: StageConfig) -> dict[str, Any]:
    names = [config.source, config.changelog]
    found = admin.list_topics(timeout=TIMEOUT).topics
    missing = [name for name in names if name not in found or found[name].error is not None]
    if missing:
        raise StageError(f"topic {' and '.join(missing)} does not exist: run `sor topics apply`")
    futures = admin.describe_topics(TopicCollection(names), request_timeout=TIMEOUT)
    return {name: future.result(TIMEOUT) for name, future in futures.items()}


def _check_counts(config: StageConfig, topics: dict[str, Any]) -> None:
    for name, topic in topics.items():
        count = len(topic.partitions)
        if count != config.partitions:
            raise StageError(
                f"topic {name} has {count} partitions, the stage is configured for {config.partitions}: events and "
                "state of a key would part. Correct the setting, or lay the topics out anew with `sor topics apply` "
                "and replay"
            )


def _check_policies(admin: AdminClient, config: StageConfig) -> None:
    wanted = {config.changelog: {"compact"}, config.source: {"delete"}}
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in wanted]
    for resource, future in admin.describe_configs(resources, request_timeout=TIMEOUT).items():
        found = future.result(TIMEOUT)
        if resource.name == config.changelog:
            _check_size(config, int(found["max.message.bytes"].value))
        policy = set(found["cleanup.policy"].value.split(","))
        if policy != wanted[resource.name]:
            raise StageError(
                f"topic {resource.name} has cleanup.policy {','.join(sorted(policy))}, it must be "
                f"{wanted[resource.name].pop()} (a changelog keeps the last state of every key, a source keeps every "
                "event): run `sor topics apply`"
            )


def _check_size(config: StageConfig, taken: int) -> None:
    """What the stage lets through its own check, the changelog must take."""
    if taken < config.record_limit:
        raise StageError(
            f"topic {config.changelog} takes records of {taken} bytes (max.message.bytes), a state may have "
            f"{config.record_limit}: run `sor topics apply`"
        )


def _committed(config: StageConfig) -> dict[int, int]:
    """Committed offset per partition, negative where there is none.

    Asked as a consumer of the group would: librdkafka 2.16 ends the process with SIGSEGV when the administration client
    asks while the group's coordinator is still loading (a broker that has just started).
    """
    asked = [TopicPartition(config.source, partition) for partition in range(config.partitions)]
    settings = clients.Cluster(config.bootstrap, config.client).settings()
    consumer = Consumer({**settings, "group.id": config.name})
    until = time.monotonic() + COORDINATOR_TIMEOUT
    try:
        while True:
            try:
                return {part.partition: part.offset for part in consumer.committed(asked, timeout=TIMEOUT)}
            except KafkaException as error:
                if error.args[0].code() not in STARTING or time.monotonic() > until:
                    raise
            time.sleep(0.2)
    finally:
        consumer.close()


def _check_changelog_is_whole(admin: AdminClient, config: StageConfig) -> None:
    """Every committed event has left a state: a partition with commits and an empty changelog has lost its states."""
    committed = _committed(config)
    for partition, offset in committed.items():
        if offset <= 0 or offset <= _earliest(admin, TopicPartition(config.source, partition)):
            continue
        part = TopicPartition(config.changelog, partition)
        first, last = (
            admin.list_offsets({part: spec}, request_timeout=TIMEOUT)[part].result(TIMEOUT).offset
            for spec in (OffsetSpec.earliest(), OffsetSpec.latest())
        )
        if first == last:
            raise StageError(
                f"partition {partition} of {config.changelog} is empty although group {config.name} has committed "
                f"offset {offset}: the states are gone. Reset the group's offsets to the earliest, then start again: "
                "the states are built anew from the source"
            )


def _earliest(admin: AdminClient, part: TopicPartition) -> int:
    asked = admin.list_offsets({part: OffsetSpec.earliest()}, request_timeout=TIMEOUT)
    return int(asked[part].result(TIMEOUT).offset)
