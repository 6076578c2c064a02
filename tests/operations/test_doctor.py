"""The doctor's judgements, and one look at a real broker and engine where something is not as it should be."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import TopicPartition
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from crypto import keys
from operations.doctor import broker as kafka
from operations.doctor import database, examination, held, judging
from operations.doctor.finding import Finding
from operations.doctor.judging import DAY, DiskSeen, Ending, GroupSeen, KeySeen
from schemas.codec import Codec
from schemas.topics import EVENTS, ORDERS
from settings.settings import Settings
from sinks import clickhouse
from sinks.access import Access
from tests.conftest import RunningBroker, RunningGateway
from tests.operations.emptied import emptied
from tests.sinks import database as of_a_test
from transport import clients
from transport.health import Health, HealthConfig
from transport.orders import assigned_reader
from transport.release import release

NOW = 1_800_000_000.0


def levels(findings: Iterable[Finding]) -> list[tuple[str, str]]:
    return [(one.name, one.level) for one in findings]


def sealing(days: float | None, state: str = "current", may_go: float | None = None) -> KeySeen:
    made = None if days is None else int(NOW - days * DAY)
    return KeySeen("entry", "sealing", "ab", state, made, None if may_go is None else int(may_go))


@pytest.mark.parametrize(
    ("seen", "level"),
    [
        (sealing(10), "ok"),
        (sealing(None), "ok"),
        (sealing(340), "warning"),
        (sealing(366), "problem"),
        (sealing(400, "former", NOW - 1), "warning"),
    ],
)
def test_keys_by_their_age(seen: KeySeen, level: str) -> None:
    assert [one.level for one in judging.keys([seen], {}, NOW)] == [level]


def test_a_former_key_that_is_still_needed_is_nothing_to_tell_of() -> None:
    assert list(judging.keys([sealing(400, "former", NOW + 1)], {}, NOW)) == []
    assert [one.level for one in judging.keys([], {}, NOW)] == ["warning"]


def test_a_log_of_key_use_that_is_not_whole_is_a_problem() -> None:
    (broken, _) = judging.keys([sealing(1)], {"entry": "line 3 was changed"}, NOW)
    assert (broken.level, "line 3 was changed" in broken.found) == ("problem", True)


@pytest.mark.parametrize(("days", "level"), [(31, "ok"), (29, "warning"), (-1, "problem")])
def test_what_ends(days: float, level: str) -> None:
    assert [one.level for one in judging.endings([Ending("x", NOW + days * DAY, "do")], NOW)] == [level]


@pytest.mark.parametrize(
    ("ahead", "level"), [(0.5, "ok"), (-1.9, "ok"), (5, "warning"), (-5, "warning"), (61, "problem")]
)
def test_clocks(ahead: float, level: str) -> None:
    assert judging.clock("Kafka", ahead).level == level


@pytest.mark.parametrize(
    ("members", "left", "found"),
    [
        (1, 0, ("lag", "ok")),
        (1, judging.LAG + 1, ("lag", "warning")),
        (0, 0, ("groups", "problem")),
        (None, 0, ("lag", "ok")),  # reads whole topics and is no member
    ],
)
def test_groups(members: int | None, left: int, found: tuple[str, str]) -> None:
    assert levels(judging.groups([GroupSeen("entry", "sor-entry", members, left)])) == [found]


def test_orphans_are_named_and_others_are_nobodys_business() -> None:
    (one,) = judging.orphans(["sor-entry", "sor-old", "another"], {"sor-entry"}, "groups", "delete {}")
    assert (one.level, one.found[:7], one.advice[-14:]) == ("warning", "sor-old", "delete sor-old")
    assert levels(judging.orphans(["another"], set(), "groups", "{}")) == [("groups", "ok")]


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("create", ("topics", "problem")),
        ("config", ("topics", "warning")),
        ("partitions", ("topics", "problem")),
        ("replicas", ("topics", "warning")),
        ("acl", ("rights", "problem")),
        ("surplus", ("rights", "problem")),
        ("foreign", ("rights", "warning")),
    ],
)
def test_drift_of_topics_and_rights(kind: str, found: tuple[str, str]) -> None:
    (one,) = judging.drift([("sor.events", kind, "detail")])
    assert (one.name, one.level) == found
    assert one.advice


@pytest.mark.parametrize(
    ("seen", "level"),
    [
        (([], {}, {}), ["ok"]),
        ((["sor.in-value"], {}, {}), ["problem"]),
        (([], {EVENTS: [7]}, {}), ["problem"]),
        (([], {}, {EVENTS: "0.1.0"}), ["ok", "ok"]),
    ],
)
def test_contracts(seen: tuple[Any, Any, Any], level: list[str]) -> None:
    assert [one.level for one in judging.schemas(*seen)] == level


@pytest.mark.parametrize(
    ("said", "level"),
    [
        ({"entry": "2", "sink": "2"}, ["ok"]),
        ({"entry": "1"}, ["problem"]),
        ({"entry": None}, ["warning"]),
        ({}, []),
    ],
)
def test_releases(said: dict[str, str | None], level: list[str]) -> None:
    assert [one.level for one in judging.releases("2", said)] == level


@pytest.mark.parametrize(
    ("version", "level"), [("26.8.1.1", "ok"), ("27.1", "ok"), ("25.8.2", "warning"), ("", "warning")]
)
def test_versions_of_clickhouse(version: str, level: str) -> None:
    assert judging.clickhouse_version(version).level == level


@pytest.mark.parametrize(("rows", "level"), [({}, "ok"), ({3: 9}, "ok"), ({4: 9}, "ok"), ({3: 9, 4: 1}, "warning")])
def test_definitions(rows: dict[int, int], level: str) -> None:
    assert [one.level for one in judging.definitions(rows, 3)] == [level]


@pytest.mark.parametrize(
    ("free", "growth", "level"),
    [
        (0.5, None, "ok"),
        (0.15, None, "warning"),
        (0.05, None, "problem"),
        (0.3, 0.1, "warning"),  # full in three days
        (0.3, 0.2, "problem"),
        (0.9, 0.1, "ok"),
        (0.3, -0.1, "ok"),
    ],
)
def test_disks(free: float, growth: float | None, level: str) -> None:
    pace = None if growth is None else growth * 100e9
    assert judging.disk(DiskSeen("home", free * 100e9, 100e9, pace)).level == level


@pytest.mark.parametrize(
    ("ago", "found"),
    [(3600.0, None), (31 * DAY, None), (DAY, 1e9), (2 * DAY, 0.5e9)],
)
def test_growth_is_told_over_a_time_that_tells(ago: float, found: float | None) -> None:
    assert held.growth([(NOW - ago, 1e9)], NOW, 2e9) == (found and pytest.approx(found))


@pytest.mark.parametrize(
    ("has", "level"),
    [
        ({"sink": {"INSERT ON sor.scores"}}, ["ok"]),
        ({"sink": {"INSERT ON sor.scores", "SELECT ON sor.scores"}}, ["problem"]),
        ({"sink": set()}, ["problem"]),
        ({"sink": None}, ["warning"]),
    ],
)
def test_rights_in_clickhouse(has: dict[str, set[str] | None], level: list[str]) -> None:
    assert [one.level for one in judging.grants({"sink": {"INSERT ON sor.scores"}}, has)] == level


@pytest.mark.parametrize(
    ("statement", "rights"),
    [
        (
            "GRANT SELECT, INSERT ON sor.afhandelingen TO rejected",
            {"SELECT ON sor.afhandelingen", "INSERT ON sor.afhandelingen"},
        ),
        ("GRANT SELECT(b, a) ON sor.scores TO grafana", {"SELECT(a, b) ON sor.scores"}),
        ("GRANT CREATE TEMPORARY TABLE ON *.* TO x", {"CREATE TEMPORARY TABLE ON *.*"}),
    ],
)
def test_a_grant_is_read(statement: str, rights: set[str]) -> None:
    assert database.rights(statement) == rights


# --- what lies on this machine ----------------------------------------------------------------------------------------


def certificate(path: Path, days: int) -> Path:
    key, name = Ed25519PrivateKey.generate(), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "intake")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(days=400), now + timedelta(days))
    path.write_bytes(builder.sign(key, None).public_bytes(Encoding.PEM))
    return path


@pytest.mark.parametrize(("days", "level"), [(90, "ok"), (10, "warning"), (-2, "problem")])
def test_keys_certificates_and_disk_of_a_home(tmp_path: Path, days: int, level: str) -> None:
    keys.init(tmp_path / "keys")
    settings = Settings(home=tmp_path, intake_certificate=certificate(tmp_path / "intake.pem", days))
    found = list(held.examine(settings))
    assert [one.level for one in found if one.name == "certificates"] == [level]
    assert {one.level for one in found if one.name == "keys"} == {"ok"}
    assert len(json.loads((tmp_path / held.NOTES).read_text())) == 1
    list(held.examine(settings))
    assert len(held.read_notes(tmp_path / held.NOTES)) == 1, "once an hour is enough"


def test_parts_that_are_away_are_findings_and_the_rest_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka, "_PATIENCE", 0.3)
    secret = tmp_path / "secrets" / "admin"
    secret.parent.mkdir()
    secret.touch(mode=0o600)
    secret.write_text("x")
    away = Settings(home=tmp_path, kafka="127.0.0.1:1", clickhouse="http://127.0.0.1:1")
    found = {one.name: one for one in examination.examine(away)}
    assert (found["kafka"].level, found["clickhouse"].level, found["keys"].level) == ("problem", "problem", "warning")
    assert "does not answer" in found["kafka"].found
    not_started = {one.name: one.level for one in examination.examine(Settings(home=tmp_path / "none"))}
    assert (not_started["kafka"], not_started["clickhouse"]) == ("ok", "ok")


def test_a_process_says_its_release() -> None:
    page = Health(HealthConfig(0), "entry").start()
    try:
        assert page._server is not None
        assert examination.said_release(page._server.server_address[1]) == release()
    finally:
        page.stop()
    assert examination.said_release(1) is None


# --- a real broker and a real engine ----------------------------------------------------------------------------------


@pytest.fixture
def access(gateway: RunningGateway) -> Iterator[Access]:
    with of_a_test.fresh(gateway) as found:
        yield found


@pytest.mark.kafka
def test_what_a_broker_shows(broker: RunningBroker, tmp_path: Path) -> None:
    cluster = emptied(broker.bootstrap, 2)
    producer = clients.producer(cluster, "test")
    producer.produce(EVENTS, b"\x00\x00\x00\x00\x07rest", b"key")
    producer.produce(ORDERS, b"\x00" + Codec(ORDERS).id.to_bytes(4, "big") + b"rest", b"key")
    assert producer.flush(20) == 0
    former = assigned_reader(cluster, "sor-former")
    former.commit(offsets=[TopicPartition(EVENTS, 0, 0)], asynchronous=False)
    former.close()
    told = list(kafka.examine(cluster, Settings(home=tmp_path, partitions=2)))
    found = {(one.name, one.level): one.found for one in told}
    assert ("topics", "ok") in found
    assert found["schemas", "problem"] == f"{EVENTS} has records of schema 7, which nobody here knows"
    assert found["groups", "warning"] == "sor-former is not in schemas/topics.toml"
    assert any("trajectories does not run (1 records wait)" in one.found for one in told)
    assert any(
        "has 2, declared 3" in one.found for one in kafka.examine(cluster, Settings(home=tmp_path, partitions=3))
    )
    client = clients.admin(cluster)  # it must live until it was answered
    client.delete_consumer_groups(["sor-former"])["sor-former"].result(20)


@pytest.mark.clickhouse
def test_what_an_engine_shows(access: Access) -> None:
    found = {(one.name, one.level) for one in database.examine(access)}
    assert {
        ("clickhouse", "ok"),
        ("versions", "ok"),
        ("clock", "ok"),
        ("tables", "ok"),
        ("retention", "warning"),
    } <= found
    client = clickhouse.connect(access)
    assert {one.name for one in database.disks(client)} == {"clickhouse default"}
    client.close()
