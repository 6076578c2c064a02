"""The one list of topics holds together: contracts, processes, retention, rights."""

from __future__ import annotations

import re

import pytest
from confluent_kafka.admin import AclOperation, ResourceType

from schemas import topics as declared
from schemas.codec import names
from schemas.topics import IN_TOPIC, groups, kept, topics
from sinks.tables import TABLES
from streams import deliveries, trajectories
from transport.acls import acl_bindings

#: Processes that work outside a consumer group.
WITHOUT_GROUP = {"admin", "intake", "upstream", "audit", "operator", "backup"}
DAY_MS = 86_400_000


def may(principal: str, operation: AclOperation) -> set[str]:
    """Topics on which the access rules allow a process an operation."""
    return {
        rule.name
        for rule in acl_bindings()
        if rule.restype == ResourceType.TOPIC and rule.principal == f"User:{principal}" and rule.operation == operation
    }


def test_every_declared_contract_exists() -> None:
    for topic in topics().values():
        if topic.schema:
            assert topic.schema in names(), topic.name
        else:
            assert topic.name.endswith("-changelog")


def test_every_reader_and_writer_is_a_process() -> None:
    known = set(groups()) | WITHOUT_GROUP
    for topic in topics().values():
        assert topic.write, topic.name
        assert topic.read, topic.name
        assert {*topic.write, *topic.read} <= known, topic.name


def test_every_process_has_a_group_of_its_own_and_reads() -> None:
    assert len(set(groups().values())) == len(groups())
    for process in groups():
        assert any(process in topic.read for topic in topics().values()), process


def test_every_name_in_the_code_is_declared() -> None:
    used = {value for name, value in vars(declared).items() if name.isupper() and isinstance(value, str)}
    assert {name for name in used | set(IN_TOPIC.values()) if name.startswith("sor.")} <= set(topics())
    assert len(used) == 14


@pytest.mark.parametrize(("process", "stage"), [("trajectories", trajectories), ("deliveries", deliveries)])
def test_the_changelog_of_a_stage_is_declared_under_its_name(process: str, stage: object) -> None:
    topic = topics()[f"{groups()[process]}-{stage.TABLE}-changelog"]  # type: ignore[attr-defined]
    assert topic.write == (process,)
    assert process in topic.read
    assert topic.config["cleanup.policy"] == "compact"


def test_keys_and_what_becomes_of_old_records() -> None:
    for topic in topics().values():
        if topic.config["cleanup.policy"] == "compact":
            assert "retention.ms" not in topic.config
        else:
            assert re.fullmatch(r"-1|[1-9]\d*", topic.config["retention.ms"])
    sealed = [*IN_TOPIC.values(), "sor.evaluated", "sor.rejected"]
    assert {topics()[name].config["retention.ms"] for name in sealed} == {str(14 * DAY_MS)}
    assert topics()["sor.events"].config["retention.ms"] == "-1"
    assert topics()["sor.events"].key == "pseudonym"


def test_evaluate_is_nobodys_oracle() -> None:
    """Who may write where evaluate reads, and see what it says, could have guesses evaluated."""
    asks = {topic.name for topic in topics().values() if "evaluate" in topic.read} - {"sor.orders"}  # coordinates
    assert asks == set(IN_TOPIC.values())
    for name in asks:
        assert set(topics()[name].write) <= {"intake", "upstream"}
    assert topics()["sor.evaluated"].read == ("entry",)


def test_the_intake_writes_deliveries_and_sees_receipts_and_nothing_else() -> None:
    assert may("intake", AclOperation.READ) == {"sor.receipts"}
    assert may("intake", AclOperation.WRITE) == set(IN_TOPIC.values())


def test_a_message_system_upstream_writes_its_kinds_and_reads_nothing() -> None:
    """A receipt says what waits, so whoever may insert would learn from all of them who is in care."""
    assert may("upstream", AclOperation.READ) == set()
    assert may("upstream", AclOperation.WRITE) < set(IN_TOPIC.values())
    assert not may("upstream", AclOperation.WRITE) & {"sor.in.score", "sor.in.cem", "sor.in.cbs"}


def test_an_operator_writes_orders_and_nothing_else() -> None:
    """Whoever may copy a value into ``sor.in.*`` could be handed a forged one by whoever may make dead letters."""
    assert may("operator", AclOperation.WRITE) == {"sor.orders"}
    assert may("operator", AclOperation.READ) == set()
    assert topics()["sor.orders"].write == ("operator",)
    assert topics()["sor.orders"].partitions == 1, "one worker of a stage gets an order"
    assert topics()["sor.orders"].config["retention.ms"] == "-1", "what was left out is left out in a replay too"


def test_the_ledger_of_who_was_forgotten_is_for_ever_and_nobody_who_runs_writes_it() -> None:
    """Whoever may write it can have a client refused; whoever may not read it cannot keep to it."""
    ledger = topics()["sor.erasures"]
    assert ledger.write == ("admin",)
    assert set(ledger.read) >= {"entry", "register", "trajectories", "replay", "audit", "backup"}
    assert ledger.config["retention.ms"] == "-1"
    assert ledger.partitions == 1


def test_definitions_are_handed_over_by_the_replay_alone() -> None:
    """Whoever may say how figures are made decides them all: it holds no other right to write."""
    assert topics()["sor.definitions"].write == ("replay",)
    assert may("replay", AclOperation.WRITE) == {"sor.definitions"}
    assert topics()["sor.definitions"].partitions == 1, "what is said stands in one order"


def test_the_access_rules_are_the_declaration_and_no_more() -> None:
    for process in {*groups(), *WITHOUT_GROUP}:
        assert may(process, AclOperation.READ) == {t.name for t in topics().values() if process in t.read}
        assert may(process, AclOperation.WRITE) == {t.name for t in topics().values() if process in t.write}
    rules = acl_bindings()
    looking = {AclOperation.DESCRIBE, AclOperation.DESCRIBE_CONFIGS}
    assert {rule.operation for rule in rules} == {AclOperation.READ, AclOperation.WRITE} | looking
    for process in {*groups(), *WITHOUT_GROUP}:
        own_topics = {t.name for t in topics().values() if process in (*t.read, *t.write)}
        assert all(may(process, operation) <= own_topics for operation in looking)
    of_groups = [rule for rule in rules if rule.restype == ResourceType.GROUP]
    own = {(rule.principal, rule.name) for rule in of_groups if rule.operation == AclOperation.READ}
    assert own == {(f"User:{process}", group) for process, group in groups().items()}
    seen = {(rule.principal, rule.name, rule.operation) for rule in of_groups if rule.operation != AclOperation.READ}
    watched = {"replay": ["trajectories", "sink"], "audit": ["trajectories", "sink"], "trajectories": ["sink"]}
    assert seen == {
        (f"User:{process}", groups()[other], AclOperation.DESCRIBE)
        for process, others in watched.items()
        for other in others
    }
    assert len({str(rule) for rule in rules}) == len(rules)


#: What a stage makes anew from the log, or what is gone after 14 days and unreadable without a sealing key.
RECOMPUTED = {"sor.trajecten", "sor.metingen", "sor.scores"}
SHORT = {*IN_TOPIC.values(), "sor.evaluated", "sor.rejected"}


def test_a_backup_has_every_topic_that_nothing_makes_anew() -> None:
    copied = {topic.name for topic in topics().values() if topic.backup}
    made = {name for name in topics() if name.endswith("-changelog")} | RECOMPUTED
    assert copied == set(topics()) - made - SHORT
    assert all("backup" in topics()[name].read for name in copied)
    assert all("backup" not in topic.read for topic in topics().values() if not topic.backup)


def test_every_table_of_rows_has_a_retention() -> None:
    assert {table.name for table in TABLES} | {"afhandelingen"} == set(kept())
    for one in kept().values():
        assert bool(one.column) == (one.days is not None), one.table
