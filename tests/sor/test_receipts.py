"""``sor receipts`` and ``sor rejected`` on the running stream: found, searched, put back, left out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.delivery.connector import Connector
from schemas.codec import Codec
from tests.conftest import RunningBroker, RunningGateway
from tests.connectors.support import Regie
from tests.whole.stream import Stream, running
from transport.clients import Cluster
from transport.publisher import Publisher

pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse]
HEADER = "BSN;Beschikkingsnummer;Toewijzingsnummer;Type;Waarde\n"
GOOD, WRONG = "999900018;;4711;D1O;2\n", "999900006;;4712;D10;1\n"


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


def _start_of_care(stream: Stream, folder: Path) -> None:
    """The start that the score waited for: same client, provider and number."""
    message = Regie(bsn="999900018", header={"afzender": "99000001"}).bytes()
    (folder / "start.xml").write_bytes(message)
    stream.deliver(folder / "start.xml")


def test_receipts_are_listed_filtered_and_searched(stream: Stream, tmp_path: Path) -> None:
    file = tmp_path / "scores.csv"
    file.write_text(HEADER + GOOD + WRONG)
    delivery = stream.deliver(file, "--as", "99000001")["aanleveringen"][0]["aanlevering"]

    def ask(*words: str, typed: str = "") -> list[dict[str, Any]]:
        done = stream.sor("receipts", "--json", *words, check=False, typed=typed)
        assert done.returncode in (0, 1), done.stderr
        return list(json.loads(done.stdout))

    stream.until(lambda: len(ask()) == 1, "the receipt is in ClickHouse")
    (row,) = ask("--aanbieder", "99000001", "--status", "fouten")
    assert (row["aanlevering"], row["geaccepteerd"], row["afgekeurd"], row["codes"]) == (delivery, 1, 1, {"R04": 1})
    assert ask("--aanbieder", "99000002") == ask("--status", "ingetrokken") == []
    assert ask("--zoek", "-", typed="999900006") == []
    stream.until(lambda: bool(ask("--aanbieder", "99000001")[0]["wacht"]), "the score waits for its assignment")
    waits = "geaccepteerd; in deze aanlevering: 1 wacht op de toewijzing met dit nummer"
    for number in ("999900018", "4711"):
        (found,) = ask("--zoek", "-", typed=number)
        (line,) = found["gezocht"]
        assert (line["regel"], line["record"], line["code"]) == (2, 1, "")
        assert line["status"] == waits
    text = stream.sor("receipts", str(delivery)[:8], "--zoek", "4711").stdout
    assert "1 geaccepteerd, 1 afgekeurd" in text
    assert f"gezocht: regel 2: {waits}" in text
    sql = f"SELECT wacht FROM sor.receipts FINAL WHERE delivery = '{delivery}'"
    stream.until(lambda: stream.ask(sql) == [({"toewijzing": 1},)], "the receipt says so too")
    _start_of_care(stream, tmp_path)
    stream.until(lambda: stream.ask(sql) == [({},)], "and stops saying so")
    stream.until(lambda: ask("--aanbieder", "99000001", "--status", "fouten")[0]["wacht"] == [], "it waits no more")
    assert "gezocht: regel 2: geaccepteerd\n" in stream.sor("receipts", str(delivery)[:8], "--zoek", "4711").stdout
    assert stream.sor("receipts", "--status", "fout", check=False).returncode == 2


def _unreadable(stream: Stream) -> tuple[str, str]:
    """A good record that stands among the dead letters, and its receipt that says so."""
    recorder = Recorder()
    with Connector(stream.home / "keys", Cluster(""), publisher=recorder, receipts=recorder) as connector:
        delivery = connector.publish_bytes("scores.csv", (HEADER + GOOD).encode(), sender="99000001")
    ((topic, key, value),) = recorder.records
    letter = {
        "stage": "evaluate", "topic": topic, "partition": 0, "offset": 77, "code": "K01", "reason": "no key",
        "delivery": delivery.id, "line": 1, "sender": delivery.sender, "key": key, "value": value, "rejected_at": 5,
    }  # fmt: skip
    publisher = Publisher(Cluster(stream.bootstrap), "test")
    publisher.send("sor.rejected", key, Codec("sor.rejected").encode(letter))
    publisher.flush()
    return f"{topic}/0/77", delivery.id


def test_an_unreadable_record_is_put_back_and_arrives(stream: Stream) -> None:
    record, delivery = _unreadable(stream)
    stream.until(lambda: bool(json.loads(stream.sor("rejected", "list", "--json").stdout)), "it is listed")
    shown = json.loads(stream.sor("rejected", "show", record, "--json").stdout)
    assert (shown["code"], shown["delivery"], shown["history"]) == ("K01", delivery, [])
    assert shown["kept_bytes"] > 1000
    assert "1 record(s) put back" in stream.sor("rejected", "requeue", record, "--reden", "key is back").stdout
    sql = f"SELECT geaccepteerd, klaar FROM sor.receipts FINAL WHERE delivery = '{delivery}'"
    stream.until(lambda: stream.ask(sql) == [(1, True)], "it went through")
    assert "Nothing is waiting" in stream.sor("rejected", "list").stdout
    shown = json.loads(stream.sor("rejected", "show", record, "--json").stdout)
    assert [(act["action"], act["reason"]) for act in shown["history"]] == [("requeue", "key is back")]
    assert stream.sor("rejected", "drop", record, "--reden", "seen twice").returncode == 0
    (listed,) = json.loads(stream.sor("rejected", "list", "--all", "--json").stdout)
    assert listed["handled"] == "drop"


def test_a_record_that_is_not_there_is_named(stream: Stream) -> None:
    for action in ("requeue", "drop"):
        done = stream.sor("rejected", action, "sor.in.start/0/123", "--reden", "none", check=False)
        assert done.returncode == 1
        assert "sor.in.start/0/123 is not there" in done.stderr
    assert stream.sor("rejected", "show", "nonsense", check=False).returncode == 2
