"""A broker with an authorizer, the declared topics and rights, and a password for every principal.

The fixture is ``secured`` (``tests/conftest.py``), started once per run. A test that gives rights away takes them back.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient

from local.kafka.broker import Broker
from local.kafka.security import ADMIN
from local.ports import free_port
from schemas.topics import groups, topics
from settings.settings import load_settings
from transport.clients import Cluster, admin, consumer, producer
from transport.topics import apply, plan

PRINCIPALS: Final = tuple(
    dict.fromkeys(name for topic in topics().values() for name in (*topic.write, *topic.read) if name != ADMIN)
)
#: Has a password and no right at all.
STRANGER: Final = "stranger"
PARTITIONS: Final = 1
_MOVING: Final = (
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
)
REFUSED: Final = frozenset(
    {
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    }
)


class SecuredBroker:
    """The running broker and the passwords of its users."""

    def __init__(self, home: Path, broker: Broker, passwords: dict[str, str]) -> None:
        self.home, self._broker, self._passwords = home, broker, passwords
        self.admin: AdminClient = admin(broker.cluster())  # as the one who may do everything

    @property
    def bootstrap(self) -> str:
        """host:port for clients."""
        return self._broker.bootstrap

    @property
    def log(self) -> Path:
        """What the broker wrote."""
        return self._broker.log

    def cluster(self, user: str) -> Cluster:
        """The cluster as one principal sees it."""
        return self._broker.cluster(user)

    def environment(self, user: str) -> dict[str, str]:
        """Settings of a process or command that is this principal."""
        file = self.home / f"password-{user}"
        file.touch(mode=0o600)
        file.write_text(self._passwords[user])
        return {
            **os.environ,
            "SOR_KAFKA": self.bootstrap,
            "SOR_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
            "SOR_KAFKA_SASL_MECHANISM": "PLAIN",
            "SOR_KAFKA_USERNAME": user,
            "SOR_KAFKA_PASSWORD_FILE": str(file),
            "SOR_PARTITIONS": str(PARTITIONS),
            "SOR_HOME": str(self.home / "home"),
        }

    def sor(self, user: str, *words: str) -> subprocess.CompletedProcess[str]:
        """A command of the project, given by somebody with this principal's password."""
        command = [sys.executable, "-m", "sor", *words]
        environment = self.environment(user)
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    def writes(self, user: str, names: Iterable[str] = tuple(topics()), value: bytes = b"value") -> set[str]:
        """Of these topics, the ones that take a record of this principal; any other error than a refusal is raised."""
        taken: set[str] = set()
        client = producer(self.cluster(user), "test", **{"message.timeout.ms": 10_000, "log_level": 0})

        def report(error: KafkaError | None, message: Message) -> None:
            # The rest of the queue is purged where the principal may write nowhere: it does not even get a session
            assert error is None or error.code() in {*REFUSED, KafkaError._PURGE_QUEUE}, error
            if error is None:
                taken.add(str(message.topic()))

        try:
            for name in names:
                client.produce(name, value, b"key", on_delivery=report)
            assert client.flush(15) == 0
        except KafkaException as problem:
            if problem.args[0].code() not in REFUSED:
                raise
        return taken

    def reads(self, user: str, names: Iterable[str] = tuple(topics())) -> set[str]:
        """Of these topics, each with a record in it, the ones that this principal gets it from."""
        client = consumer(self.cluster(user), "none", "test", log_level=0)
        seen: set[str] = set()
        try:
            left = set(names) & set(client.list_topics(timeout=10).topics)  # whoever may read sees that it is there
            client.assign([TopicPartition(name, 0, OFFSET_BEGINNING) for name in sorted(left)])
            deadline = time.monotonic() + 30
            while left:
                assert time.monotonic() < deadline, f"neither a record nor an error of {left}"
                message = client.poll(1)
                if message is None:
                    continue
                error, name = message.error(), str(message.topic())
                assert error is None or error.code() in REFUSED, error
                seen |= {name} if error is None else set()
                left.discard(name)
        finally:
            client.close()
        return seen

    def may_join(self, user: str, group: str) -> bool:
        """Whether this principal may join a consumer group, and so move its offsets: asked with one of no topic."""
        client, deadline = Consumer({**self.cluster(user).settings(), "group.id": group}), time.monotonic() + 30
        try:
            while True:
                assert time.monotonic() < deadline, f"no answer about {group}"
                try:
                    client.commit(offsets=[TopicPartition("nowhere", 0, 0)], asynchronous=False)
                except KafkaException as problem:
                    code = problem.args[0].code()
                    if code not in _MOVING:
                        return bool(code != KafkaError.GROUP_AUTHORIZATION_FAILED)
        finally:
            client.close()

    def sees(self, user: str, names: Iterable[str] = tuple(groups().values())) -> set[str]:
        """Of these consumer groups, the ones that this principal may see, which goes with joining them."""
        told, left = set[str](), set(names)
        client = admin(self.cluster(user))
        deadline = time.monotonic() + 30
        while left:
            assert time.monotonic() < deadline, f"no answer about {left}"
            for name, future in client.describe_consumer_groups(sorted(left), request_timeout=10).items():
                problem = future.exception(15)
                code = problem.args[0].code() if isinstance(problem, KafkaException) else None
                if code in _MOVING:  # the first to ask after a group waits until its coordinator is there
                    continue
                assert problem is None or code in REFUSED, problem
                told |= {name} if problem is None else set()
                left.discard(name)
        return told

    def settled(self) -> None:
        """Wait until the broker has exactly the declared topics and rights: it learns of a change a moment later."""
        deadline = time.monotonic() + 60
        while left := plan(self.cluster(ADMIN), PARTITIONS, acls=True):
            assert time.monotonic() < deadline, left
            time.sleep(0.05)


@contextmanager
def secured_broker(home: Path) -> Iterator[SecuredBroker]:
    """Start it, lay down topics and rights; stopped at the end."""
    passwords = {name: f"{name}-password" for name in (ADMIN, *PRINCIPALS, STRANGER)}
    broker = Broker(home, free_port(), free_port(), load_settings().cache, passwords=passwords)
    with broker:
        running = SecuredBroker(home, broker, passwords)
        apply(broker.cluster(), plan(broker.cluster(), PARTITIONS, acls=True), PARTITIONS)
        running.settled()
        yield running
