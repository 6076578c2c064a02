"""``sor deliveries`` on the running stream: taken back, gone from the figures; delivered again, back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import RunningBroker, RunningGateway
from tests.connectors.support import Regie
from tests.whole.stream import Stream, running

pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse]
SCORES = "BSN;Beschikkingsnummer;Toewijzingsnummer;Type;Waarde\n999900018;;4711;D1O;2\n"
TRAJECTEN = "SELECT scores FROM sor.trajecten FINAL WHERE NOT verwijderd"


@pytest.fixture
def stream(broker: RunningBroker, gateway: RunningGateway, tmp_path: Path) -> Iterator[Stream]:
    with running(tmp_path / "home", broker.bootstrap, gateway.url, gateway.users) as live:
        yield live


def test_a_delivery_is_taken_back_everywhere_and_delivered_again(stream: Stream, tmp_path: Path) -> None:
    (tmp_path / "start.xml").write_bytes(Regie(bsn="999900018", header={"afzender": "99000001"}).bytes())
    (tmp_path / "scores.csv").write_text(SCORES)
    start = stream.deliver(tmp_path / "start.xml")["aanleveringen"][0]["aanlevering"]
    stream.deliver(tmp_path / "scores.csv", "--as", "99000001")
    stream.until(lambda: stream.ask(TRAJECTEN) == [(1,)], "the start and its score")

    def listed() -> list[dict[str, Any]]:
        return list(json.loads(stream.sor("deliveries", "list", "--sender", "99000001", "--json").stdout))

    stream.until(lambda: len(listed()) == 2, "both receipts")
    words = ("deliveries", "withdraw", str(start)[:10], "--sender", "99000001", "--reden", "verkeerd bestand")
    document = json.loads(stream.sor(*words, "--yes", "--json").stdout)
    assert (document["aanlevering"], document["teruggenomen"]) == (start, True)
    stream.until(lambda: stream.ask(TRAJECTEN) == [], "its traject is gone")
    waits = "SELECT wacht FROM sor.scores FINAL WHERE NOT verwijderd"
    stream.until(lambda: stream.ask(waits) == [("toewijzing",)], "and the score waits")
    stream.until(lambda: sum(bool(one["teruggenomen"]) for one in listed()) == 1, "its receipt says so")

    stream.deliver(tmp_path / "start.xml")
    stream.until(lambda: stream.ask(TRAJECTEN) == [(1,)], "delivered again, it counts again")
    stream.until(lambda: not any(one["teruggenomen"] for one in listed()), "and its receipt says so")
