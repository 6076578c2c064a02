"""``sor deliver`` against a real broker: publishing, receipts by offset, and what happens when nobody answers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from typer.testing import CliRunner

from domain.facts.answer import receipt_key
from schemas.topics import IN_TOPIC, RECEIPTS
from schemas.typed import ReceiptCodec
from sor.cli import app
from tests.conftest import RunningBroker
from tests.connectors.support import AGB, BSN, BSNS, RAP_HEADER, Regie, ThirdParty, make_keys, table
from tests.operations.emptied import emptied
from tests.sor.test_needs import CONNECTOR, beyond, sor_without
from transport import topics
from transport.clients import Cluster

pytestmark = pytest.mark.kafka
RAP = table(RAP_HEADER, [(BSNS[n % 50], "", str(n), "D1O", "2") for n in range(2_000)])


class Stages(threading.Thread):
    """Reads what connectors publish and answers with receipts, as the stages do, until it is told to stop."""

    def __init__(self, bootstrap: str, keys: Path) -> None:
        super().__init__(daemon=True)
        self.third, self.ended = ThirdParty(keys), threading.Event()
        self._consumer = Consumer(
            {"bootstrap.servers": bootstrap, "group.id": f"stages-{keys.parent.name}", "auto.offset.reset": "latest"}
        )
        self._producer = Producer({"bootstrap.servers": bootstrap, "partitioner": "murmur2_random"})
        self._receipts = ReceiptCodec()
        self.assigned = threading.Event()
        self._consumer.subscribe(list(IN_TOPIC.values()), on_assign=_from_now_on)

    def run(self) -> None:
        while not self.ended.is_set():
            if self._consumer.assignment():
                self.assigned.set()
            for message in self._consumer.consume(500, 0.1):
                if message.error() is None:
                    self._answer(message)
            self._producer.flush()
        self._consumer.close()

    def _answer(self, message: Any) -> None:
        self.third.send(message.topic(), message.key(), message.value())
        told = self._receipts.decode(self.third.last_receipt)
        key = receipt_key(told.sender, told.delivery, told.lines)
        self.third.mark(key)  # it has been told
        self._producer.produce(RECEIPTS, self.third.last_receipt, key.encode())
        self._producer.poll(0)


def _from_now_on(reader: Consumer, places: list[TopicPartition]) -> None:
    """Stand at the end at once: what "latest" means is only settled with the first fetch, which may come too late."""
    for place in places:
        place.offset = _end(reader, place)
    reader.assign(places)


def _end(reader: Consumer, place: TopicPartition) -> int:
    """The end of a partition, once a topic that was only just made has a leader."""
    for _ in range(100):
        try:
            return int(reader.get_watermark_offsets(place, timeout=20)[1])
        except KafkaException:
            time.sleep(0.1)
    raise AssertionError(f"{place.topic} has no leader")


@pytest.fixture
def home(broker: RunningBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A connector's machine: keys, settings, and a broker with the declared topics."""
    cluster = Cluster(broker.bootstrap)
    try:
        topics.apply(cluster, topics.plan(cluster, 4), 4, 1)
    except topics.TopicError:  # other tests of the run have so many partitions of their own
        emptied(broker.bootstrap, 4)
    monkeypatch.setenv("SOR_KAFKA", broker.bootstrap)
    monkeypatch.setenv("SOR_HOME", str(tmp_path))
    monkeypatch.setattr("connectors.delivery.reading.SETTLED_NS", 0)
    make_keys(tmp_path / "keys")
    (tmp_path / "in").mkdir()
    return tmp_path


@pytest.fixture
def stages(broker: RunningBroker, home: Path) -> Iterator[Stages]:
    running = Stages(broker.bootstrap, home / "keys")
    running.start()
    assert running.assigned.wait(30)
    yield running
    running.ended.set()
    running.join(10)


def deliver(*arguments: str) -> Any:
    """Run the command; its result has ``exit_code`` and ``output``, which never holds a BSN."""
    result = CliRunner().invoke(app, ["deliver", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert BSN not in result.output
    return result


def test_files_go_in_and_receipts_come_back(home: Path, stages: Stages) -> None:
    (home / "in" / f"{AGB}_scores.csv").write_bytes(RAP)
    (home / "in" / "start.xml").write_bytes(Regie().bytes())
    first = deliver(str(home / "in"))
    assert first.exit_code == 0, first.output
    assert "Geïmporteerd en gevalideerd     2000" in first.output
    again = deliver(str(home / "in"))
    assert again.exit_code == 0, again.output
    assert len(stages.third.state) == 2  # the same content is the same delivery


def test_a_machine_with_the_connector_alone_gets_its_receipt(home: Path, stages: Stages, broker: RunningBroker) -> None:
    """Without one package of an extra: what a source installs is enough."""
    scores = home / "in" / f"{AGB}_scores.csv"
    scores.write_bytes(RAP)
    done = sor_without(beyond(CONNECTOR), "deliver", str(scores), home=home, SOR_KAFKA=broker.bootstrap)
    assert done.returncode == 0, done.stderr
    assert "Geïmporteerd en gevalideerd     2000" in done.stdout


def test_without_an_answer_the_command_ends_with_3(home: Path) -> None:
    (home / "in" / f"{AGB}_scores.csv").write_bytes(RAP)
    result = deliver(str(home / "in"), "--wait", "0.5")
    assert result.exit_code == 3
    assert "Nog niet alles verwerkt: 0 van 2000" in result.output


def test_a_broker_that_is_not_there_ends_with_4(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOR_KAFKA", "127.0.0.1:1")
    monkeypatch.setattr("connectors.answer.receipts.ANSWER_SECONDS", 0.5)
    (home / "in" / "start.xml").write_bytes(Regie().bytes())
    result = deliver(str(home / "in"))
    assert result.exit_code == 4
    assert "niet bereikbaar" in result.output
    assert deliver(str(home / "in"), "--check").exit_code == 0


def _hears_ctrl_c() -> None:
    """A test run in the background ignores Ctrl-C, and its children would too."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_ctrl_c_while_waiting_ends_with_130_and_a_sentence(home: Path) -> None:
    (home / "in" / f"{AGB}_scores.csv").write_bytes(RAP)
    command = [sys.executable, "-m", "sor", "deliver", str(home / "in"), "--wait", "120"]
    with subprocess.Popen(
        command, env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=_hears_ctrl_c
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()  # the first step is printed: publishing and waiting follow
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Hetzelfde commando" in err.decode()
    assert "Traceback" not in err.decode()


def test_a_broker_without_topics_is_explained(
    broker: RunningBroker, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.answer.receipts.RECEIPTS", "sor.nergens")
    (home / "in" / "start.xml").write_bytes(Regie().bytes())
    result = deliver(str(home / "in"))
    assert result.exit_code == 4
    assert "sor topics apply" in result.output
