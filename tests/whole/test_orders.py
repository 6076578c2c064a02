"""What an operator does about records that stop a source or a stage, on the running stream, from the first sign on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.delivery.connector import Connector
from faults import EXIT_FAULT
from schemas.codec import Codec
from schemas.topics import EVENTS
from streams.poison import LEAST
from tests.conftest import RunningBroker, RunningGateway
from tests.connectors.support import Regie
from tests.whole.stream import Stream, running
from transport.clients import Cluster
from transport.publisher import Publisher

pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse]
SCORES = b"BSN;Beschikkingsnummer;Toewijzingsnummer;Type;Waarde\n999900018;;4711;D1O;2\n"
WHY = ("--reden", "the cause is gone")


class Recorder:
    """Keeps what is published, and knows no receipts."""

    def __init__(self) -> None:
        self.records: list[tuple[str, bytes, bytes]] = []

    def send(self, topic: str, key: bytes, value: bytes | None) -> None:
        self.records.append((topic, key, value or b""))

    def poll(self) -> None: ...
    def flush(self, timeout: float = 30.0) -> None: ...
    def abandon(self) -> None: ...
    def mark(self, delivery: str) -> None: ...
    def wait(self, *_asked: object) -> None: ...
    def close(self) -> None: ...


@pytest.fixture
def stream(broker: RunningBroker, gateway: RunningGateway, tmp_path: Path) -> Iterator[Stream]:
    with running(tmp_path / "home", broker.bootstrap, gateway.url, gateway.users) as live:
        yield live


def publish(stream: Stream, *records: tuple[str, bytes, bytes]) -> None:
    publisher = Publisher(Cluster(stream.bootstrap), "test")
    for record in records:
        publisher.send(*record)
    publisher.flush()


def made(stream: Stream) -> tuple[tuple[str, bytes, bytes], str]:
    """A good record as its source makes it, and the id of its delivery."""
    recorder = Recorder()
    with Connector(stream.home / "keys", Cluster(""), publisher=recorder, receipts=recorder) as connector:
        delivery = connector.publish_bytes("scores.csv", SCORES, sender="99000001")
    (record,) = recorder.records
    return record, delivery.id


def listed(stream: Stream, *words: str) -> list[dict[str, Any]]:
    return list(json.loads(stream.sor("rejected", *words, "--json").stdout))


def test_a_source_that_was_set_aside_is_released_and_what_waited_is_read_again(stream: Stream) -> None:
    (topic, key, value), delivery = made(stream)
    codec = Codec("sor.in")
    fields = codec.decode(value)
    poison = codec.encode(fields | {"published_at": fields["published_at"] - 1})  # signed well, and does not open
    publish(stream, *[(topic, key, poison)] * LEAST, (topic, key, value))
    stream.until(lambda: listed(stream, "aside") != [], "the good record waits with its source")
    [aside] = listed(stream, "aside")
    assert (aside["source"], aside["records"]) == ("hub", 1)
    [waiting] = [row for row in listed(stream, "list", "--most", "1000") if row["code"] == "K06"]
    assert (waiting["delivery"], waiting["sender"], waiting["kept"]) == (delivery, "99000001", True)
    assert "sor_quarantined_sources" in stream.metrics("evaluate")

    assert "hub is taken in again" in stream.sor("rejected", "release", "hub", *WHY).stdout
    done = stream.sor("rejected", "requeue", waiting["record"], *WHY)
    assert "1 record(s) to be read again" in done.stdout
    sql = f"SELECT geaccepteerd, klaar FROM sor.receipts FINAL WHERE delivery = '{delivery}'"
    stream.until(lambda: stream.ask(sql) == [(1, True)], "it went through")
    assert listed(stream, "aside") == []
    shown = json.loads(stream.sor("rejected", "show", waiting["record"], "--json").stdout)
    assert [(act["action"], act["reason"]) for act in shown["history"]] == [("requeue", WHY[1])]
    trail = "SELECT bron, reden FROM sor.afhandelingen WHERE actie = 'release'"
    assert stream.ask(trail) == [("hub", WHY[1])]

    assert f"{LEAST} record(s)" in stream.sor("rejected", "requeue", "--source", "hub", *WHY).stdout
    stream.until(lambda: len(listed(stream, "list", "--most", "1000")) == LEAST, "what is refused again waits again")
    dropped = stream.sor("rejected", "drop", waiting["record"], *WHY)
    assert "1 record(s) dropped" in dropped.stdout


def test_what_is_not_there_is_named(stream: Stream) -> None:
    for action in ("requeue", "drop"):
        done = stream.sor("rejected", action, "sor.in.start/0/123", *WHY, check=False)
        assert done.returncode == 1
        assert "sor.in.start/0/123 is not there" in done.stderr
    assert stream.sor("rejected", "show", "nonsense", check=False).returncode == 2
    assert stream.sor("rejected", "requeue", *WHY, check=False).returncode == 2
    assert stream.sor("skip", "trajectories", "sor.lines/0/1", *WHY, check=False).returncode == 2
    assert stream.sor("skip", "exporter", "sor.lines/0/1", *WHY, check=False).returncode == 2


def test_a_record_that_stops_a_stage_is_left_out_and_everything_else_arrives(stream: Stream, tmp_path: Path) -> None:
    publish(stream, (EVENTS, b"p1.somebody", b"a record that nobody foresaw"))
    stage = stream.processes["trajectories"]
    assert stage.wait(60) == EXIT_FAULT
    (tmp_path / "start.xml").write_bytes(Regie(bsn="999900018", header={"afzender": "99000001"}).bytes())
    stream.deliver(tmp_path / "start.xml")
    assert stream.trajecten().total() == 0

    log = (stream.home / "trajectories.log").read_text()
    [command] = set(re.findall(r"sor skip (trajectories sor\.events/\d/\d+)", log))
    said = stream.sor("skip", *command.split(), *WHY).stdout
    assert "leaves out sor.events/" in said
    stream.start("trajectories")
    stream.until(lambda: stream.trajecten().total() == 1, "the rows of the others arrive")
    assert "sor_skipped_total" in stream.metrics("trajectories")
    stream.until(stream.caught_up, "every stage is level")
    audit = stream.sor("audit")
    assert "Equal: every row is what the log yields." in audit.stdout
    assert stream.ask("SELECT topic, actie FROM sor.afhandelingen") == [(EVENTS, "skip")]
