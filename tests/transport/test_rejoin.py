"""The faults after which a stage once stood still for five minutes: the broker is killed, and a member that has just
started again is stopped for longer than its session lasts. That length of standing still was not made on purpose since
(decision 0021): what is held here is that the member is well again in time.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import NewTopic

from local.kafka.broker import Broker
from local.ports import free_port
from settings.settings import load_settings
from tests.house.rooms import ROOT
from transport.clients import SESSION_SECONDS, Cluster, admin, producer
from transport.orders import assigned_reader

#: Seconds in which a stage is well again after a fault.
RECOVERY = 30.0
#: Seconds after its start at which the member is stopped: it has asked to join, or is about to.
JOINING = 0.4
_MEMBER = """
import sys
from transport.clients import Cluster, consumer
member = consumer(Cluster(sys.argv[1]), sys.argv[2], "0")
member.subscribe([sys.argv[2]])
while True:
    for message in member.consume(100, 0.1):
        if message.error() is None:
            try:
                member.commit(message=message, asynchronous=False)
            except Exception as error:
                print(error, flush=True)
"""


class Group:
    """One group with one member, on a topic of its own, both with the same name."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster, self.name = cluster, f"rejoin-{uuid.uuid4().hex[:8]}"
        client = admin(cluster)  # held until it has answered
        client.create_topics([NewTopic(self.name, 1, 1)])[self.name].result()
        self._producer: Producer = producer(cluster, "test")
        self._reader: Consumer = assigned_reader(cluster, self.name)
        self.member = self._started()

    def _started(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", _MEMBER, self._cluster.bootstrap, self.name]
        return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)

    def restart(self) -> None:
        """Kill the member and start it again."""
        self.member.kill()
        self.member.wait()
        self.member = self._started()

    def moves(self, seconds: float) -> float:
        """Produce a record; the seconds until it is committed, at most ``seconds``."""
        began = time.monotonic()
        before: list[int] = []
        self._producer.produce(self.name, b"x", on_delivery=lambda _error, message: before.append(message.offset()))
        assert self._producer.flush(seconds) == 0
        while time.monotonic() - began < seconds:
            try:
                place = self._reader.committed([TopicPartition(self.name, 0)], timeout=2)[0]
            except KafkaException:
                continue
            if place.offset > before[0]:
                return time.monotonic() - began
            time.sleep(0.05)
        pytest.fail(f"no record was handled for {seconds:.0f} s")

    def close(self) -> None:
        """End the member and the clients of this test."""
        self.member.kill()
        self.member.wait()
        self._reader.close()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Broker]:
    """A broker that a test may kill."""
    with Broker(tmp_path, free_port(), free_port(), load_settings().cache) as own:
        yield own


@pytest.mark.kafka
def test_a_member_stopped_while_it_joins_after_the_broker_was_killed_moves_again(running: Broker) -> None:
    group = Group(running.cluster())
    try:
        group.moves(RECOVERY)
        killed = running._process
        assert killed is not None
        killed.kill()
        killed.wait()
        running.start()
        running.wait_ready()
        group.restart()
        time.sleep(JOINING)
        stopped = time.monotonic()
        group.member.send_signal(signal.SIGSTOP)
        time.sleep(SESSION_SECONDS + 1)
        group.member.send_signal(signal.SIGCONT)
        group.moves(RECOVERY - (time.monotonic() - stopped))
    finally:
        group.close()
