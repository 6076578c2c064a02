"""New keys for a stage that has given rows out already: the process itself, killed and started under other names."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition

from crypto import keys
from crypto.client_names import ClientNames
from schemas.codec import Codec
from schemas.codec import Record as Row
from schemas.records import event_to_record
from schemas.topics import EVENTS
from streams.trajectories import TOPICS
from tests.build import AGB, OTHER, by, events, start, stop
from tests.conftest import RunningBroker
from tests.operations.emptied import emptied
from transport import clients
from transport.topic_ids import MOVING

pytestmark = pytest.mark.kafka
PEOPLE = [b"p1.jeugd.0.%022d" % number for number in range(40)]
LIFE = [*events([start(), stop()]), *by(OTHER, start(200))]


class Stage:
    """The stage in a home of its own, and the newest row of every key that it gave out."""

    def __init__(self, home: Path, bootstrap: str) -> None:
        self.home, self.bootstrap = home, bootstrap
        self.environment = {**os.environ, "SOR_HOME": str(home), "SOR_KAFKA": bootstrap, "SOR_PARTITIONS": "2"}

    def sor(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "sor", *words]
        return subprocess.run(command, env=self.environment, check=True, capture_output=True, text=True, timeout=90)

    def run_until(self, done: Callable[[dict[bytes, Row]], bool]) -> str:
        """Run it until the rows are so, then kill it as a crash would; what it logged."""
        log = self.home / "log.txt"
        command = [sys.executable, "-m", "sor", "run", "trajectories"]
        with log.open("wb") as out:
            process = subprocess.Popen(command, env=self.environment, stdout=out, stderr=out)
        try:
            until = time.monotonic() + 90
            while not done(self.rows()):
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < until, log.read_text()
                time.sleep(0.3)
        finally:
            process.kill()
            process.wait(20)
        return log.read_text()

    def rows(self) -> dict[bytes, Row]:
        reader = Consumer({"bootstrap.servers": self.bootstrap, "group.id": "test", "enable.auto.commit": False})
        codec, found = Codec(TOPICS[0]), dict[bytes, Row]()
        places = [TopicPartition(TOPICS[0], partition, 0) for partition in range(2)]
        try:
            ends = {place.partition: reader.get_watermark_offsets(place, timeout=10)[1] for place in places}
        except KafkaException as error:
            if error.args[0].code() in MOVING:  # the topic was made a moment ago
                return {}
            raise
        reader.assign(places)
        left = sum(ends.values())
        while left > 0:
            for message in reader.consume(500, 1.0):
                found[message.key()] = codec.decode(message.value())
                left -= 1
        reader.close()
        return found


def standing(rows: dict[bytes, Row]) -> list[Row]:
    return [row for row in rows.values() if not row["verwijderd"]]


def test_new_keys_give_every_row_a_new_name_and_leave_none_of_the_old(broker: RunningBroker, tmp_path: Path) -> None:
    stage = Stage(tmp_path, broker.bootstrap)
    keys.init(tmp_path / "keys")
    producer, codec = clients.producer(emptied(broker.bootstrap, 2), "test"), Codec(EVENTS)
    for client in PEOPLE:
        for told in LIFE:
            producer.produce(EVENTS, codec.encode(event_to_record(told)), client)
    assert producer.flush(20) == 0
    every = len(PEOPLE) * 2

    def under(names: ClientNames) -> Callable[[dict[bytes, Row]], bool]:
        wanted = {names.of(client, aanbieder) for client in PEOPLE for aanbieder in (AGB, OTHER)}
        return lambda rows: len(standing(rows)) == every and {row["client"] for row in standing(rows)} == wanted

    first = ClientNames(keys.load_trajectories(tmp_path / "keys"))
    assert "other names" not in stage.run_until(under(first))
    shutil.rmtree(tmp_path / "keys" / keys.TRAJECTORIES)
    stage.sor("keys", "complete")
    second = ClientNames(keys.load_trajectories(tmp_path / "keys"))
    assert "the source is read from its first record" in stage.run_until(under(second))
    rows = stage.rows()
    assert len(rows) == 2 * every  # those under former keys are out as deleted, under the new names too
    assert {row["client"] for row in rows.values()} == {row["client"] for row in standing(rows)}
    assert "other names" not in stage.run_until(under(second))
