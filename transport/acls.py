"""Access rules at the broker: the declared ones laid down, surplus ones of our principals taken away.

``schemas/topics.toml`` says who may write and read each topic. A principal that it names has those rights and no
other. One that it does not name is not ours to change; where a rule gives it something of ours, it is shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from schemas.topics import groups, topics, watches

_EVERY: Final = AclBindingFilter(
    ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY
)
_LEFT_ALONE: Final = (
    "schemas/topics.toml does not know this principal: declare it there, or remove the rule with kafka-acls.sh"
)
_LOOKING: Final = (AclOperation.DESCRIBE, AclOperation.DESCRIBE_CONFIGS)


class Difference(NamedTuple):
    """A rule: ``acl`` is declared and not there, ``surplus`` there and not declared, ``foreign`` not ours to change."""

    kind: str
    rule: AclBinding

    @property
    def detail(self) -> str:
        """The rule in words; of one that is not ours also what to do."""
        rule = self.rule
        what = f"{rule.principal} {'may' if _allows(rule) else 'may not'} {rule.operation.name}"
        if rule.resource_pattern_type == ResourcePatternType.PREFIXED:
            what += " on every name that begins so"
        if rule.host != "*":
            what += f" from {rule.host}"
        if self.kind != "foreign":
            return what
        if not _allows(rule):
            return f"{what}; somebody forbade it on purpose: when that has passed, remove it with kafka-acls.sh"
        return f"{what}; {_LEFT_ALONE}"


def acl_bindings() -> list[AclBinding]:
    """Every access rule of the declaration: who writes, who reads, each process's own consumer group, and the groups of
    others that it sees.
    """
    rules = []
    for topic in topics().values():
        for principals, operation in ((topic.write, AclOperation.WRITE), (topic.read, AclOperation.READ)):
            rules += [
                _allow(ResourceType.TOPIC, topic.name, principal, on)
                for principal in principals
                for on in (operation, *_LOOKING)
            ]
    rules += [_allow(ResourceType.GROUP, group, process, AclOperation.READ) for process, group in groups().items()]
    rules += [
        _allow(ResourceType.GROUP, groups()[other], process, AclOperation.DESCRIBE)
        for process, others in watches().items()
        for other in others
    ]
    return list({_key(rule): rule for rule in rules}.values())


def differences(client: AdminClient) -> list[Difference]:
    """What differs between the rules at the broker and the declared ones; ``KafkaException`` when it shows none."""
    present = {_key(rule): rule for rule in client.describe_acls(_EVERY).result()}
    declared = {_key(rule): rule for rule in acl_bindings()}
    ours = {rule.principal for rule in declared.values()}
    missing = [Difference("acl", rule) for key, rule in declared.items() if key not in present]
    more = sorted((rule for key, rule in present.items() if key not in declared), key=str)
    # A rule that forbids gives nobody a right, and somebody laid it down on purpose: it is not ours to take away
    surplus = [Difference("surplus", rule) for rule in more if rule.principal in ours and _allows(rule)]
    foreign = [Difference("foreign", rule) for rule in more if _is_foreign(rule, ours)]
    return [*missing, *surplus, *foreign]


def exactly(rule: AclBinding) -> AclBindingFilter:
    """What finds this rule and no other."""
    return AclBindingFilter(
        rule.restype,
        rule.name,
        rule.resource_pattern_type,
        rule.principal,
        rule.host,
        rule.operation,
        rule.permission_type,
    )


def _is_foreign(rule: AclBinding, ours: set[str]) -> bool:
    if rule.principal in ours:
        return not _allows(rule)
    names: dict[ResourceType, Iterable[str]] = {
        ResourceType.TOPIC: topics(),
        ResourceType.GROUP: groups().values(),
    }
    return any(_covers(rule, name) for name in names.get(rule.restype, ()))


def _covers(rule: AclBinding, name: str) -> bool:
    if rule.resource_pattern_type == ResourcePatternType.PREFIXED:
        return name.startswith(rule.name)
    return rule.name in ("*", name)


def _allows(rule: AclBinding) -> bool:
    return bool(rule.permission_type == AclPermissionType.ALLOW)


def _key(rule: AclBinding) -> tuple[object, ...]:
    return (
        *(rule.restype, rule.name, rule.resource_pattern_type),
        *(rule.principal, rule.host, rule.operation, rule.permission_type),
    )


def _allow(kind: ResourceType, name: str, principal: str, operation: AclOperation) -> AclBinding:
    return AclBinding(
        kind, name, ResourcePatternType.LITERAL, f"User:{principal}", "*", operation, AclPermissionType.ALLOW
    )
