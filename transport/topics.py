"""Making a broker's topics and access rules equal to the declared ones: plan first, then apply."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    TopicMetadata,
)

from faults import OperatorFault
from schemas.topics import EVENTS, WIDENED, Topic, topics
from transport import acls as rules
from transport.clients import ANSWER_SECONDS, Cluster, admin

MADE: Final = ("create", "config", "acl", "surplus")
_POLL: Final = 0.1


class TopicError(OperatorFault):
    """The broker's topics cannot be made equal to the declared ones; the message says what to do."""


class Change(NamedTuple):
    """One difference. ``apply`` makes those of the kinds in ``MADE``; of the others a person must decide.

    ``create`` and ``config``: a topic. ``acl`` and ``surplus``: a right to give or to take away, ``rule``. ``foreign``:
    a right on something of ours, of a principal that is not. ``partitions`` and ``replicas``: counts of a topic.
    """

    topic: str
    kind: str
    detail: str
    rule: AclBinding | None = None
    setting: tuple[str, str] | None = None  # name and value, of a ``config``


def plan(cluster: Cluster, partitions: int, *, replication: int = 1, acls: bool = False) -> list[Change]:
    """What differs between the broker and the declaration; ``TopicError`` when the broker cannot be reached."""
    client = admin(cluster)
    try:
        found = client.list_topics(timeout=ANSWER_SECONDS).topics
    except KafkaException as error:
        raise TopicError(f"Kafka at {cluster.bootstrap} does not answer: {error.args[0].str()}") from error
    words = {
        name: f"{topic.partitions or partitions} partitions, {_words(_config(topic, replication))}"
        for name, topic in topics().items()
    }
    copies = {name: _copies(found[name], replication) for name in topics() if name in found}
    changes = [
        Change(name, "create", f"{words[name]}, {replication} replica(s)") for name in topics() if name not in copies
    ]
    changes += [
        change
        for name in copies
        for change in _counts(name, found[name], _declared(name, found, partitions), replication)
    ]
    # Until a topic has its replicas it asks no more of them than there are: else it would take no record at all
    changes += _config_changes(client, {name: min(has, replication) for name, has in copies.items()})
    return changes + (_acl_changes(client) if acls else [])


def _declared(name: str, found: Mapping[str, TopicMetadata], partitions: int) -> int:
    """How many partitions a topic must have; the log may have been given more, and then its state as many."""
    if name in WIDENED and EVENTS in found:
        return max(partitions, len(found[EVENTS].partitions))
    return topics()[name].partitions or partitions


def _counts(name: str, meta: TopicMetadata, partitions: int, replication: int) -> Iterator[Change]:
    if len(meta.partitions) != partitions:
        yield Change(name, "partitions", f"has {len(meta.partitions)}, declared {partitions}")
    copies = _copies(meta, replication)
    if copies != replication:
        detail = (
            f"has {copies}, declared {replication}: change them with kafka-reassign-partitions.sh, then apply again"
        )
        yield Change(name, "replicas", detail)


def _copies(meta: TopicMetadata, expected: int) -> int:
    """Replicas of a topic: of the partition that has fewest."""
    return min((len(partition.replicas) for partition in meta.partitions.values()), default=expected)


def apply(cluster: Cluster, changes: Iterable[Change], partitions: int, replication: int = 1) -> None:
    """Carry out what ``plan`` found; returns when the broker shows it, or after 20 s.

    Partition counts are refused: keys would move away from their state. Rights are given before any is taken away.
    """
    changes, client = list(changes), admin(cluster)
    wrong = [change for change in changes if change.kind == "partitions"]
    if wrong:
        raise TopicError(
            f"{wrong[0].topic} {wrong[0].detail} partitions. A count is not simply changed, for the keys would leave "
            "their state behind: set SOR_PARTITIONS to what the broker has, end a change that was interrupted "
            "(`sor topics repartition`), or restore a backup into an empty cluster."
        )
    if new := [_new(c.topic, partitions, replication) for c in changes if c.kind == "create"]:
        _wait(client.create_topics(new, operation_timeout=ANSWER_SECONDS), KafkaError.TOPIC_ALREADY_EXISTS)
    if resources := list(_resources(changes)):
        _wait(client.incremental_alter_configs(resources))
    if missing := [c.rule for c in changes if c.kind == "acl"]:
        _wait(client.create_acls(missing))
    if surplus := [rules.exactly(c.rule) for c in changes if c.kind == "surplus" and c.rule]:
        _wait(client.delete_acls(surplus))
    _until_shown(cluster, changes, partitions, replication)


def _until_shown(cluster: Cluster, changes: list[Change], partitions: int, replication: int) -> None:
    """A broker learns of a change a moment after it was made, and what comes next may need it."""
    made, acls = {change[:3] for change in changes if change.kind in MADE}, any(change.rule for change in changes)
    deadline = time.monotonic() + ANSWER_SECONDS
    while made and time.monotonic() < deadline:
        made &= {change[:3] for change in plan(cluster, partitions, replication=replication, acls=acls)}
        time.sleep(_POLL if made else 0)


def _new(name: str, partitions: int, replication: int) -> NewTopic:
    topic = topics()[name]
    config, count = _config(topic, replication), topic.partitions or partitions
    return NewTopic(name, num_partitions=count, replication_factor=replication, config=config)


def _config(topic: Topic, replication: int) -> dict[str, str]:
    """A record counts as written when all replicas but one have it: one broker may be away and nothing is lost."""
    return topic.config | {"min.insync.replicas": str(max(1, replication - 1))}


def _resources(changes: Iterable[Change]) -> Iterator[ConfigResource]:
    wanted: dict[str, list[ConfigEntry]] = {}
    for change in changes:
        if change.setting:
            entry = ConfigEntry(*change.setting, incremental_operation=AlterConfigOpType.SET)
            wanted.setdefault(change.topic, []).append(entry)
    for name, entries in wanted.items():
        yield ConfigResource(ConfigResource.Type.TOPIC, name, incremental_configs=entries)


def _config_changes(client: AdminClient, there: dict[str, int]) -> list[Change]:
    """``there``: topic -> the replicas it has, as far as they are wanted."""
    if not there:
        return []
    resources = [ConfigResource(ConfigResource.Type.TOPIC, topic) for topic in there]
    found = {resource.name: future.result() for resource, future in client.describe_configs(resources).items()}
    changes = []
    for topic, copies in there.items():
        for name, value in _config(topics()[topic], copies).items():
            entry = found[topic].get(name)
            now = entry.value if entry else None
            if now != value:
                changes.append(Change(topic, "config", f"{name}: {now} -> {value}", setting=(name, value)))
    return changes


def _acl_changes(client: AdminClient) -> list[Change]:
    try:
        found = rules.differences(client)
    except KafkaException as error:
        raise TopicError(f"The broker shows no access rules: {error.args[0].str()}") from error
    return [Change(one.rule.name, one.kind, one.detail, one.rule) for one in found]


def _words(config: dict[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(config.items()))


def _wait(futures: dict[object, object], *accepted: int) -> None:
    for subject, future in futures.items():
        try:
            future.result()  # type: ignore[attr-defined]
        except KafkaException as error:
            if error.args[0].code() not in accepted:
                raise TopicError(f"{subject}: {error.args[0].str()}") from error


def partitions_of(cluster: Cluster, topic: str, otherwise: int) -> int:
    """How many partitions a topic has; ``otherwise`` where it is not there. ``TopicError`` without an answer."""
    client = admin(cluster)
    try:
        found = client.list_topics(topic, timeout=ANSWER_SECONDS).topics[topic]
    except KafkaException as error:
        raise TopicError(f"Kafka at {cluster.bootstrap} does not answer: {error.args[0].str()}") from error
    return len(found.partitions) if found.error is None else otherwise
