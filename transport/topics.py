"""Making a broker's topics and access rules equal to the declared ones: plan first, then apply."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)

from faults import OperatorFault
from schemas.topics import Topic, groups, topics
from transport.clients import Cluster, admin

_TIMEOUT = 20.0


class TopicError(OperatorFault):
    """The broker's topics cannot be made equal to the declared ones; the message says what to do."""


class Change(NamedTuple):
    """One difference: ``create``, ``config``, ``acl`` (mended by apply) or ``partitions`` (a person must decide)."""

    topic: str
    kind: str
    detail: str


def plan(cluster: Cluster, partitions: int, *, acls: bool = False) -> list[Change]:
    """What differs between the broker and the declaration; ``TopicError`` when the broker cannot be reached."""
    client = admin(cluster)
    try:
        present = {name: len(meta.partitions) for name, meta in client.list_topics(timeout=_TIMEOUT).topics.items()}
    except KafkaException as error:
        raise TopicError(f"Kafka at {cluster.bootstrap} does not answer: {error.args[0].str()}") from error
    missing = [t for name, t in topics().items() if name not in present]
    there = [t for name, t in topics().items() if name in present]
    changes = [Change(t.name, "create", f"{partitions} partitions, {_words(t.config)}") for t in missing]
    changes += [
        Change(t.name, "partitions", f"has {present[t.name]}, declared {partitions}")
        for t in there
        if present[t.name] != partitions
    ]
    changes += _config_changes(client, there)
    return changes + (_acl_changes(client) if acls else [])


def apply(cluster: Cluster, changes: Iterable[Change], partitions: int, replication: int = 1) -> None:
    """Carry out what ``plan`` found. Partition counts are refused: keys would move away from their state."""
    changes, client, declared = list(changes), admin(cluster), topics()
    wrong = [change for change in changes if change.kind == "partitions"]
    if wrong:
        raise TopicError(
            f"{wrong[0].topic} {wrong[0].detail} partitions. A count is never changed in place, for the keys would "
            "leave their state behind: set SOR_PARTITIONS to what the broker has, or lay the log anew in an empty "
            "cluster."
        )
    new = [
        NewTopic(c.topic, num_partitions=partitions, replication_factor=replication, config=declared[c.topic].config)
        for c in changes
        if c.kind == "create"
    ]
    if new:
        _wait(client.create_topics(new, operation_timeout=_TIMEOUT), KafkaError.TOPIC_ALREADY_EXISTS)
    names = {c.topic for c in changes if c.kind == "config"}
    if names:
        _wait(client.incremental_alter_configs([_resource(declared[name]) for name in names]))
    if any(c.kind == "acl" for c in changes):
        _wait(client.create_acls(acl_bindings()))


def _resource(topic: Topic) -> ConfigResource:
    entries = [
        ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in topic.config.items()
    ]
    return ConfigResource(ConfigResource.Type.TOPIC, topic.name, incremental_configs=entries)


def _config_changes(client: AdminClient, there: list[Topic]) -> list[Change]:
    if not there:
        return []
    resources = [ConfigResource(ConfigResource.Type.TOPIC, topic.name) for topic in there]
    found = {resource.name: future.result() for resource, future in client.describe_configs(resources).items()}
    changes = []
    for topic in there:
        for name, value in topic.config.items():
            entry = found[topic.name].get(name)
            now = entry.value if entry else None
            if now != value:
                changes.append(Change(topic.name, "config", f"{name}: {now} -> {value}"))
    return changes


def acl_bindings() -> list[AclBinding]:
    """Every access rule of the declaration: who writes, who reads, and each process's own consumer group."""
    rules = []
    for topic in topics().values():
        for principals, operation in ((topic.write, AclOperation.WRITE), (topic.read, AclOperation.READ)):
            rules += [
                _allow(ResourceType.TOPIC, topic.name, principal, on)
                for principal in principals
                for on in (operation, AclOperation.DESCRIBE, AclOperation.DESCRIBE_CONFIGS)
            ]
    rules += [_allow(ResourceType.GROUP, group, process, AclOperation.READ) for process, group in groups().items()]
    return list({str(rule): rule for rule in rules}.values())


def _allow(kind: ResourceType, name: str, principal: str, operation: AclOperation) -> AclBinding:
    return AclBinding(
        kind, name, ResourcePatternType.LITERAL, f"User:{principal}", "*", operation, AclPermissionType.ALLOW
    )


def _acl_changes(client: AdminClient) -> list[Change]:
    every = AclBindingFilter(
        ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY
    )
    try:
        present = {_acl_key(rule) for rule in client.describe_acls(every).result()}
    except KafkaException as error:
        raise TopicError(f"The broker shows no access rules: {error.args[0].str()}") from error
    return [
        Change(rule.name, "acl", f"{rule.principal} may {rule.operation.name}")
        for rule in acl_bindings()
        if _acl_key(rule) not in present
    ]


def _acl_key(rule: AclBinding) -> tuple[object, ...]:
    return rule.restype, rule.name, rule.principal, rule.operation, rule.permission_type


def _words(config: dict[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(config.items()))


def _wait(futures: dict[object, object], *accepted: int) -> None:
    for subject, future in futures.items():
        try:
            future.result()  # type: ignore[attr-defined]
        except KafkaException as error:
            if error.args[0].code() not in accepted:
                raise TopicError(f"{subject}: {error.args[0].str()}") from error
