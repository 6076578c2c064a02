"""The broker of docker-compose.yml, started here with the very same properties: who may do what on it."""

import os
import shlex
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from confluent_kafka import KafkaError, KafkaException, Message
from confluent_kafka.admin import AdminClient, NewTopic

from schemas.topics import groups, topics
from sor.settings import load_settings
from sor.stack.kafka import Broker, answers
from sor.stack.ports import free_port
from transport.clients import Cluster, consumer, producer
from transport.topics import apply, plan

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.kafka, pytest.mark.slow]

PROBLEMS = (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED)


class ComposeBroker(Broker):
    """A broker with the properties of the compose file; only addresses and paths are of this machine."""

    def __init__(self, home: Path, secrets: Path) -> None:
        super().__init__(home, free_port(), free_port(), load_settings().cache)
        self.internal, self._secrets = free_port(), secrets

    def _configuration(self, data: Path) -> str:
        service = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["kafka"]
        here = {
            "localhost:9093": f"127.0.0.1:{self.controller_port}",
            "localhost:19092": f"127.0.0.1:{self.internal}",
            "CLIENT://:9092": f"CLIENT://127.0.0.1:{self.port}",
            "CLIENT://kafka:9092": f"CLIENT://localhost:{self.port}",
            ",HOST://:9094": "",
            ",HOST://localhost:9094": "",
            "/run/secrets": str(self._secrets),
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
    secrets, every = folder / "secrets", PRINCIPALS
    fake = folder / "sor"
    fake.write_text('#!/bin/sh\nmkdir -p "$SOR_KEYS/public"; touch "$SOR_KEYS/public/keys.json"\n')
    fake.chmod(0o755)
    make = ["bash", str(ROOT / "deploy/make-secrets.sh"), str(secrets)]
    subprocess.run(make, check=True, capture_output=True, env={**os.environ, "SOR": str(fake)})
    with ComposeBroker(folder / "home", secrets) as broker:
        few = folder / "few"  # each user costs a start of Java
        few.mkdir()
        for name in every:
            (few / f"kafka_user_{name}").symlink_to(secrets / f"kafka_user_{name}")
        environment = {
            **os.environ,
            "KAFKA_TOOLS": str(broker.tools(folder / "bin")),
            "KAFKA_INTERNAL": broker.bootstrap,
            "SECRETS": str(few),
        }
        users = ["bash", str(ROOT / "deploy/kafka/users.sh")]
        made = subprocess.run(users, capture_output=True, text=True, env=environment, timeout=120, check=False)
        assert made.returncode == 0, made.stdout + made.stderr
        admin = cluster(broker, "admin")
        apply(admin, plan(admin, 1, acls=True), 1)
        deadline = time.monotonic() + 60
        while left := plan(admin, 1, acls=True):  # the broker learns of new rules a moment later
            assert time.monotonic() < deadline, left
        yield broker


PRINCIPALS = ("admin", "connector", "evaluate", "entry")


def cluster(broker: ComposeBroker, user: str) -> Cluster:
    """The cluster as one principal sees it, as the settings of the compose file make it."""
    folder = broker._secrets
    return Cluster(
        f"localhost:{broker.port}",
        {
            "security.protocol": "SASL_SSL",
            "sasl.mechanisms": "SCRAM-SHA-512",
            "sasl.username": user,
            "sasl.password": (folder / f"kafka_user_{user}").read_text().strip(),
            "ssl.ca.location": str(folder / "kafka_ca"),
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
    right = cluster(secured, "connector")
    wrong = Cluster(right.bootstrap, {**right.security, "sasl.password": "wrong"})
    plain = Cluster(right.bootstrap)
    for attempt in (wrong, plain):
        assert not answers(AdminClient({**attempt.settings(), "log_level": 0}))


def test_a_certificate_of_another_authority_is_refused(secured: ComposeBroker, tmp_path: Path) -> None:
    other = tmp_path / "other"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=other", "-days", "1"]
    subprocess.run([*command, "-keyout", str(tmp_path / "key"), "-out", str(other)], check=True, capture_output=True)
    right = cluster(secured, "connector")
    attempt = Cluster(right.bootstrap, {**right.security, "ssl.ca.location": str(other)})
    assert not answers(AdminClient({**attempt.settings(), "log_level": 0}))


def test_a_connector_writes_deliveries_and_reads_nothing_of_them(secured: ComposeBroker) -> None:
    assert write(secured, "connector", "sor.in.start") is None
    assert read(secured, "connector", "sor.in.start", groups()["evaluate"]) in PROBLEMS
    assert write(secured, "connector", "sor.events") in PROBLEMS


def test_evaluate_reads_deliveries_and_not_the_events(secured: ComposeBroker) -> None:
    assert write(secured, "connector", "sor.in.start") is None
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
    for user in ("entry", "connector"):
        future = AdminClient(cluster(secured, user).settings()).create_topics([NewTopic("other", 1)])["other"]
        with pytest.raises(KafkaException):
            future.result(10)
