"""The broker of this machine is a real one: it keeps data, refuses strange folders, dies with its parent."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from local.errors import StackError
from local.kafka.broker import Broker
from local.ports import free_port
from settings.settings import load_settings

pytestmark = pytest.mark.kafka


def _new_broker(home: Path) -> Broker:
    return Broker(home, free_port(), free_port(), load_settings().cache)


def _create_topic(bootstrap: str, name: str) -> None:
    client = AdminClient({"bootstrap.servers": bootstrap})
    client.create_topics([NewTopic(name, 1, 1)])[name].result(20)


def _produce(bootstrap: str, topic: str, value: bytes) -> None:
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all"})
    producer.produce(topic, value)
    assert producer.flush(20) == 0


def _read_first(bootstrap: str, topic: str) -> bytes:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "t", "auto.offset.reset": "earliest"})
    consumer.assign([TopicPartition(topic, 0, 0)])
    message = consumer.poll(20)
    consumer.close()
    assert message is not None
    assert message.error() is None
    return message.value()


def test_data_survive_a_stop_and_a_kill(tmp_path: Path) -> None:
    with _new_broker(tmp_path) as first:
        _create_topic(first.bootstrap, "kept")
        _produce(first.bootstrap, "kept", b"fact")
    second = _new_broker(tmp_path)
    second.prepare()
    process = second.start()
    second.wait_ready()
    process.kill()
    process.wait(10)
    with _new_broker(tmp_path) as third:
        assert _read_first(third.bootstrap, "kept") == b"fact"


def test_the_shared_broker_creates_no_topic_by_itself(broker) -> None:  # type: ignore[no-untyped-def]
    client = AdminClient({"bootstrap.servers": broker.bootstrap, "allow.auto.create.topics": True})
    client.list_topics("never-made", timeout=10)
    assert "never-made" not in client.list_topics(timeout=10).topics


def test_it_listens_on_this_machine_only(tmp_path: Path) -> None:
    broker = _new_broker(tmp_path)
    broker.prepare()
    process = broker.start()
    broker.wait_ready()
    listening = {c.laddr.ip for c in psutil.Process(process.pid).net_connections() if c.status == psutil.CONN_LISTEN}
    broker.stop()
    assert {ip.removeprefix("::ffff:") for ip in listening} == {"127.0.0.1"}


def test_a_half_written_folder_is_explained(tmp_path: Path) -> None:
    (tmp_path / "kafka" / "data").mkdir(parents=True)
    (tmp_path / "kafka" / "data" / "topic-0").mkdir()
    with pytest.raises(StackError, match="half-written"):
        _new_broker(tmp_path).prepare()


def test_an_interrupted_format_is_done_again(tmp_path: Path) -> None:
    leftover = tmp_path / "kafka" / "data.new"
    leftover.mkdir(parents=True)
    (leftover / "meta.properties").write_text("cut off")
    _new_broker(tmp_path).prepare()
    assert (tmp_path / "kafka" / "data" / "meta.properties").is_file()
    assert not leftover.exists()


def test_a_taken_port_is_named_with_its_holder(tmp_path: Path) -> None:
    broker = _new_broker(tmp_path)
    broker.prepare()
    with socket.create_server(("127.0.0.1", broker.port)), pytest.raises(StackError) as error:
        broker.start()
    assert f"Port {broker.port}, needed for kafka, is taken by" in str(error.value)
    assert f"(process {os.getpid()})" in str(error.value)


_PARENT = """
import sys, time
from pathlib import Path
from settings.settings import load_settings
from local.kafka.broker import Broker
broker = Broker(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), load_settings().cache)
broker.prepare()
process = broker.start()
broker.wait_ready()
print(process.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="binding a child to its parent is a feature of the Linux kernel")
def test_the_broker_dies_with_a_parent_killed_by_force(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _PARENT, str(tmp_path), str(free_port()), str(free_port())]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        os.kill(parent.pid, signal.SIGKILL)
    deadline = time.monotonic() + 20
    while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "the broker outlived its parent"
        time.sleep(0.05)
