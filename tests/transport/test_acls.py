"""Rights at a real broker with an authorizer: what is declared holds, and what is too much is shown and taken away."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)

from local.kafka.broker import answers
from local.kafka.security import ADMIN
from operations.segments import files_with
from schemas.topics import groups, topics, watches
from tests.secured import PARTITIONS, PRINCIPALS, STRANGER, SecuredBroker
from transport.acls import acl_bindings, exactly
from transport.clients import Cluster
from transport.topics import apply, plan

pytestmark = pytest.mark.kafka
EVERY = AclBindingFilter(
    ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY
)


def rule(
    name: str,
    principal: str,
    operation: AclOperation = AclOperation.READ,
    *,
    kind: ResourceType = ResourceType.TOPIC,
    pattern: ResourcePatternType = ResourcePatternType.LITERAL,
    host: str = "*",
    permission: AclPermissionType = AclPermissionType.ALLOW,
) -> AclBinding:
    return AclBinding(kind, name, pattern, f"User:{principal}", host, operation, permission)


#: Rights of principals that the declaration names, beyond it.
SURPLUS = {
    "a topic of others": (rule("sor.events", "evaluate"), "sor.events: User:evaluate may READ"),
    "writing where it reads": (
        rule("sor.evaluated", "entry", AclOperation.WRITE),
        "sor.evaluated: User:entry may WRITE",
    ),
    "every topic": (rule("*", "entry"), "*: User:entry may READ"),
    "a topic that is not ours": (rule("theirs", "sink"), "theirs: User:sink may READ"),
    "a beginning": (
        rule("sor.", "sink", AclOperation.WRITE, pattern=ResourcePatternType.PREFIXED),
        "sor.: User:sink may WRITE on every name that begins so",
    ),
    "from one address": (
        rule("sor.events", "upstream", host="10.0.0.1"),
        "sor.events: User:upstream may READ from 10.0.0.1",
    ),
    "a group of others": (
        rule("sor-evaluate", "entry", kind=ResourceType.GROUP),
        "sor-evaluate: User:entry may READ",
    ),
    "the cluster": (
        rule("kafka-cluster", "operator", AclOperation.ALTER, kind=ResourceType.BROKER),
        "kafka-cluster: User:operator may ALTER",
    ),
    "everything on a topic of its own": (
        rule("sor.receipts", "deliveries", AclOperation.ALL),
        "sor.receipts: User:deliveries may ALL",
    ),
}
#: Rules that are not ours to change, and give or forbid something of ours.
FOREIGN = {
    "a topic": (rule("sor.events", STRANGER), "sor.events: User:stranger may READ"),
    "everybody": (rule("sor.events", "*"), "sor.events: User:* may READ"),
    "every topic": (rule("*", STRANGER), "*: User:stranger may READ"),
    "a beginning": (
        rule("sor.ev", STRANGER, pattern=ResourcePatternType.PREFIXED),
        "sor.ev: User:stranger may READ on every name",
    ),
    "a group": (rule("sor-entry", STRANGER, kind=ResourceType.GROUP), "sor-entry: User:stranger may READ"),
    "forbidden on purpose": (
        rule("sor.in.cbs", "intake", AclOperation.WRITE, permission=AclPermissionType.DENY),
        "sor.in.cbs: User:intake may not WRITE; somebody forbade it on purpose",
    ),
}


def present(broker: SecuredBroker) -> set[str]:
    return {str(one) for one in broker.admin.describe_acls(EVERY).result()}


@contextmanager
def laid_down(broker: SecuredBroker, *rules: AclBinding) -> Iterator[None]:
    """Rules beyond the declared ones, gone at the end."""
    before = present(broker)
    for future in broker.admin.create_acls(list(rules)).values():
        future.result(10)
    until(lambda: {str(one) for one in rules} <= present(broker))
    try:
        yield
    finally:
        for future in broker.admin.delete_acls([exactly(one) for one in rules]).values():
            future.result(10)
        until(lambda: present(broker) == before)


def until(true: object) -> None:
    deadline = time.monotonic() + 20
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_rules_are_the_declared_ones(secured: SecuredBroker) -> None:
    assert present(secured) == {str(one) for one in acl_bindings()}
    check = secured.sor(ADMIN, "topics", "apply", "--acls", "--check")
    assert (check.returncode, check.stdout) == (0, f"All {len(topics())} topics are as declared.\n")


def shown(broker: SecuredBroker) -> list[tuple[str, str]]:
    return [(one.kind, f"{one.topic}: {one.detail}") for one in plan(broker.cluster(ADMIN), PARTITIONS, acls=True)]


@pytest.mark.parametrize(("surplus", "words"), SURPLUS.values(), ids=SURPLUS)
def test_a_surplus_right_is_shown_and_taken_away(secured: SecuredBroker, surplus: AclBinding, words: str) -> None:
    with laid_down(secured, surplus):
        assert shown(secured) == [("surplus", words)]
        assert str(surplus) in present(secured), "looking changes nothing"
        apply(secured.cluster(ADMIN), plan(secured.cluster(ADMIN), PARTITIONS, acls=True), PARTITIONS)
        secured.settled()
        assert present(secured) == {str(one) for one in acl_bindings()}


@pytest.mark.parametrize(("foreign", "words"), FOREIGN.values(), ids=FOREIGN)
def test_a_rule_that_is_not_ours_is_shown_and_left(secured: SecuredBroker, foreign: AclBinding, words: str) -> None:
    with laid_down(secured, foreign):
        ((kind, found),) = shown(secured)
        assert kind == "foreign"
        assert found.startswith(words)
        assert found.endswith("remove the rule with kafka-acls.sh" if "may not" not in words else "with kafka-acls.sh")
        apply(secured.cluster(ADMIN), plan(secured.cluster(ADMIN), PARTITIONS, acls=True), PARTITIONS)
        assert str(foreign) in present(secured)
    secured.settled()


def test_the_command_shows_first_and_says_what_it_left(secured: SecuredBroker) -> None:
    (surplus, one), (foreign, two) = SURPLUS["a topic of others"], FOREIGN["a topic"]
    with laid_down(secured, surplus, foreign):
        check = secured.sor(ADMIN, "topics", "apply", "--acls", "--check")
        lines = check.stdout.splitlines()
        assert (check.returncode, lines[0], lines[1].partition(";")[0]) == (1, f"surplus    {one}", f"foreign    {two}")
        assert {str(surplus), str(foreign)} <= present(secured)
        done = secured.sor(ADMIN, "topics", "apply", "--acls", "--yes")
        assert (done.returncode, done.stderr) == (0, "")
        assert "made 1 other changes" in done.stdout
        until(lambda: str(surplus) not in present(secured))
        again = secured.sor(ADMIN, "topics", "apply", "--acls")
        assert again.returncode == 0, "nothing is asked where nothing is to be made"
        assert "made 0 other changes" in again.stdout


def test_rules_of_others_on_what_is_theirs_are_nobodys_business(secured: SecuredBroker) -> None:
    theirs = [
        rule("theirs", STRANGER),
        rule("sorry", STRANGER, pattern=ResourcePatternType.PREFIXED),
        rule("kafka-cluster", STRANGER, AclOperation.DESCRIBE, kind=ResourceType.BROKER),
    ]
    with laid_down(secured, *theirs):
        assert plan(secured.cluster(ADMIN), PARTITIONS, acls=True) == []


def test_a_missing_right_is_given_before_a_surplus_one_is_taken(secured: SecuredBroker) -> None:
    lost = rule("sor.evaluated", "entry")
    surplus = rule("sor.evaluated", "entry", AclOperation.ALL)
    with laid_down(secured, surplus):
        secured.admin.delete_acls([exactly(lost)])
        until(lambda: str(lost) not in present(secured))
        changes = plan(secured.cluster(ADMIN), PARTITIONS, acls=True)
        assert [change.kind for change in changes] == ["acl", "surplus"]
        apply(secured.cluster(ADMIN), changes, PARTITIONS)
        secured.settled()


def test_without_acls_rights_are_let_be(secured: SecuredBroker) -> None:
    surplus = rule("sor.events", "evaluate")
    with laid_down(secured, surplus):
        done = secured.sor(ADMIN, "topics", "apply", "--yes")
        assert done.stdout == f"All {len(topics())} topics are as declared.\n"
        assert str(surplus) in present(secured)


@pytest.mark.parametrize("principal", PRINCIPALS)
def test_a_principal_writes_and_reads_what_is_declared(secured: SecuredBroker, principal: str) -> None:
    assert secured.writes(ADMIN) == set(topics())
    assert secured.writes(principal) == {topic.name for topic in topics().values() if principal in topic.write}
    assert secured.reads(principal) == {topic.name for topic in topics().values() if principal in topic.read}
    own = {group for process, group in groups().items() if process == principal}
    watched = {groups()[other] for other in watches().get(principal, ())}
    assert secured.sees(principal) == own | watched
    assert {group for group in own | watched if watched and secured.may_join(principal, group)} == (
        own if watched else set()
    )


def test_who_has_no_right_has_nothing(secured: SecuredBroker) -> None:
    assert not {*secured.writes(STRANGER), *secured.reads(STRANGER), *secured.sees(STRANGER)}
    client = AdminClient(secured.cluster(STRANGER).settings())
    assert client.list_topics(timeout=10).topics == {}
    with pytest.raises(KafkaException):
        client.create_topics([NewTopic("other", 1)])["other"].result(10)
    done = secured.sor("operator", "topics", "apply", "--acls", "--yes")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_who_gives_no_name_or_a_wrong_password_gets_nothing(secured: SecuredBroker) -> None:
    right = secured.cluster("upstream")
    wrong = Cluster(right.bootstrap, {**right.security, "sasl.password": "wrong"})
    for attempt in (wrong, Cluster(right.bootstrap)):
        assert not answers(AdminClient({**attempt.settings(), "log_level": 0}))


def test_passwords_are_for_the_owner_of_the_broker(secured: SecuredBroker) -> None:
    holding = files_with(secured.home, [b"entry-password"])
    assert holding
    assert all(path.stat().st_mode & 0o077 == 0 for path in holding)
