"""The broker of docker-compose.yml, started here with the very same properties: who may do what on it."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from confluent_kafka import KafkaError, KafkaException, Message
from confluent_kafka.admin import (
    AdminClient,
    NewTopic,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from local.kafka.broker import Broker, answers
from local.ports import free_port
from schemas.topics import groups, topics
from settings.settings import load_settings
from transport.clients import Cluster, consumer, producer
from transport.topics import apply, plan

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.kafka, pytest.mark.slow]

PROBLEMS = (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED)


class ComposeBroker(Broker):
    """A broker with the properties of the compose file; only addresses and paths are of this machine."""

    def __init__(self, home: Path, secrets: Path) -> None:
        super().__init__(home, free_port(), free_port(), load_settings().cache)
        self.internal, self.secrets = free_port(), secrets

    def _configuration(self, data: Path) -> str:
        service = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["kafka"]
        here = {
            "localhost:9093": f"127.0.0.1:{self.controller_port}",
            "localhost:19092": f"127.0.0.1:{self.internal}",
            "CLIENT://:9092": f"CLIENT://127.0.0.1:{self.port}",
            "CLIENT://kafka:9092": f"CLIENT://localhost:{self.port}",
            ",HOST://:9094": "",
            ",HOST://localhost:9094": "",
            "/run/secrets": str(self.secrets),
            "/var/lib/kafka/data": str(data),
        }
        lines = []
        for variable, value in service["environment"].items():
            if not variable.startswith("KAFKA_"):
                continue
            name = variable.removeprefix("KAFKA_").lower()
            name = name.replace("___", "-").replace("__", "\0").replace("_", ".").replace("\0", "_")
            text = str(value)
            for there, local in here.items():
                text = text.replace(there, local)
            lines.append(f"{name}={text}\n")
        return "".join(lines) + "group.initial.rebalance.delay.ms=0\noffsets.topic.num.partitions=4\n"

    @property
    def bootstrap(self) -> str:
        """The listener that is reachable from the host of the broker alone."""
        return f"127.0.0.1:{self.internal}"

    def password(self, user: str) -> str:
        """The password of one user."""
        return (self.secrets / f"kafka_user_{user}").read_text().strip()

    def tools(self, folder: Path) -> Path:
        """A folder with ``kafka-configs.sh``, as the image has one."""
        folder.mkdir()
        script = folder / "kafka-configs.sh"
        command = shlex.join([*self._run_java("-Xmx128m"), "kafka.admin.ConfigCommand"])
        script.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        script.chmod(0o755)
        return folder


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposeBroker]:
    """The secured broker, with its users, topics and access rules."""
    folder = tmp_path_factory.mktemp("compose")
    secrets = folder / "secrets"
    sor = Path(sys.executable).parent / "sor"
    make = ["bash", str(ROOT / "deploy/make-secrets.sh"), str(secrets)]
    subprocess.run(make, check=True, capture_output=True, env={**os.environ, "SOR": str(sor)}, timeout=60)
    with ComposeBroker(folder / "home", secrets) as broker:
        add_users(broker, folder)
        admin = cluster(broker, "admin")
        apply(admin, plan(admin, 1, acls=True), 1)
        deadline = time.monotonic() + 60
        while left := plan(admin, 1, acls=True):  # the broker learns of new rules a moment later
            assert time.monotonic() < deadline, left
        yield broker


def add_users(broker: ComposeBroker, folder: Path) -> None:
    """Two users by the script of the image, for each costs a start of Java; the others by a client."""
    names = [path.name.removeprefix("kafka_user_") for path in broker.secrets.glob("kafka_user_*")]
    by_script = folder / "by-script"
    by_script.mkdir()
    for name in ("admin", "upstream"):
        (by_script / f"kafka_user_{name}").symlink_to(broker.secrets / f"kafka_user_{name}")
    tools = str(broker.tools(folder / "bin"))
    settings = {"KAFKA_TOOLS": tools, "KAFKA_INTERNAL": broker.bootstrap, "SECRETS": str(by_script)}
    script = ["bash", str(ROOT / "deploy/kafka/users.sh")]
    made = subprocess.run(
        script, capture_output=True, text=True, env={**os.environ, **settings}, timeout=120, check=False
    )
    assert made.returncode == 0, made.stdout + made.stderr
    scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
    changes = [
        UserScramCredentialUpsertion(name, scram, broker.password(name).encode())
        for name in names
        if name not in ("admin", "upstream")
    ]
    inside = AdminClient({"bootstrap.servers": broker.bootstrap})
    for done in inside.alter_user_scram_credentials(changes).values():
        done.result(20)


def cluster(broker: ComposeBroker, user: str) -> Cluster:
    """The cluster as one principal sees it, as the settings of the compose file make it."""
    return Cluster(
        f"localhost:{broker.port}",
        {
            "security.protocol": "SASL_SSL",
            "sasl.mechanisms": "SCRAM-SHA-512",
            "sasl.username": user,
            "sasl.password": broker.password(user),
            "ssl.ca.location": str(broker.secrets / "kafka_ca"),
        },
    )


def write(broker: ComposeBroker, user: str, topic: str) -> int | None:
    """Publish one record; the code of the error, None when it arrived."""
    outcome: list[KafkaError | None] = []

    def report(error: KafkaError | None, _message: Message) -> None:
        outcome.append(error)

    client = producer(cluster(broker, user), "test", **{"message.timeout.ms": 10_000, "log_level": 0})
    client.produce(topic, b"value", b"key", on_delivery=report)
    assert client.flush(15) == 0
    return outcome[0].code() if outcome[0] else None


def read(broker: ComposeBroker, user: str, topic: str, group: str) -> int | None:
    """Read one record; the code of the error, None when one came."""
    client = consumer(cluster(broker, user), group, "test", log_level=0)
    try:
        client.subscribe([topic])
        message = client.poll(20)
        assert message is not None, "neither a record nor an error"
        return message.error().code() if message.error() else None
    finally:
        client.close()


def test_who_gives_no_name_or_a_wrong_password_gets_nothing(secured: ComposeBroker) -> None:
    right = cluster(secured, "upstream")
    wrong = Cluster(right.bootstrap, {**right.security, "sasl.password": "wrong"})
    plain = Cluster(right.bootstrap)
    for attempt in (wrong, plain):
        assert not answers(AdminClient({**attempt.settings(), "log_level": 0}))


def test_a_certificate_of_another_authority_is_refused(secured: ComposeBroker, tmp_path: Path) -> None:
    other = tmp_path / "other"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=other", "-days", "1"]
    subprocess.run([*command, "-keyout", str(tmp_path / "key"), "-out", str(other)], check=True, capture_output=True)
    right = cluster(secured, "upstream")
    attempt = Cluster(right.bootstrap, {**right.security, "ssl.ca.location": str(other)})
    assert not answers(AdminClient({**attempt.settings(), "log_level": 0}))


def test_a_message_system_writes_deliveries_and_reads_nothing_of_them(secured: ComposeBroker) -> None:
    assert write(secured, "upstream", "sor.in.start") is None
    assert read(secured, "upstream", "sor.in.start", groups()["evaluate"]) in PROBLEMS
    assert write(secured, "upstream", "sor.events") in PROBLEMS


def test_evaluate_reads_deliveries_and_not_the_events(secured: ComposeBroker) -> None:
    assert write(secured, "upstream", "sor.in.start") is None
    assert read(secured, "evaluate", "sor.in.start", groups()["evaluate"]) is None
    assert write(secured, "evaluate", "sor.evaluated") is None
    assert write(secured, "evaluate", "sor.events") in PROBLEMS
    assert read(secured, "evaluate", "sor.events", groups()["evaluate"]) in PROBLEMS


def test_entry_cannot_make_evaluate_its_oracle(secured: ComposeBroker) -> None:
    for topic in (name for name in topics() if name.startswith("sor.in.")):
        assert write(secured, "entry", topic) in PROBLEMS


def test_a_process_has_its_own_group_only(secured: ComposeBroker) -> None:
    assert read(secured, "entry", "sor.evaluated", groups()["evaluate"]) in PROBLEMS


def test_no_principal_but_the_administrator_makes_topics(secured: ComposeBroker) -> None:
    for user in ("entry", "upstream"):
        client = AdminClient(cluster(secured, user).settings())  # it must live until it was answered
        future = client.create_topics([NewTopic("other", 1)])["other"]
        with pytest.raises(KafkaException):
            future.result(10)


def service_environment(broker: ComposeBroker, name: str, home: Path) -> dict[str, str]:
    """The environment of a service of the compose file; only addresses and paths are of this machine."""
    service = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"][name]
    settings = {
        key: str(value).replace("/run/secrets", str(broker.secrets)) for key, value in service["environment"].items()
    }
    here = {"SOR_KAFKA": f"localhost:{broker.port}", "SOR_HOME": str(home), "SOR_KEYS": str(home / "keys")}
    settings |= here | {"SOR_METRICS_HOST": "127.0.0.1", "SOR_PARTITIONS": "1", "SOR_REGISTRY": ""}
    for volume in service.get("volumes", []):
        if "/keys/" in volume:
            key = volume.split(":")[1].removeprefix("/keys/")
            shutil.copytree(broker.secrets / "keys" / key, home / "keys" / key)
    return {**os.environ, **settings}


@pytest.mark.parametrize("name", ["evaluate", "entry", "trajectories", "deliveries"])
def test_a_stage_has_the_rights_and_keys_that_it_needs(secured: ComposeBroker, name: str, tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "log"
    command = [sys.executable, "-m", "sor", "run", name, "--metrics-port", str(port)]
    with log.open("wb") as out:
        environment = service_environment(secured, name, tmp_path)
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=out, cwd=tmp_path)
    try:
        deadline = time.monotonic() + 90
        while not is_ready(port):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
    finally:
        process.terminate()
        assert process.wait(30) == 0, log.read_text()


def is_ready(port: int) -> bool:
    """Whether the process behind a port says so."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
