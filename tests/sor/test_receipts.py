"""``sor receipts`` on the running stream: found, filtered and searched."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import RunningBroker, RunningGateway
from tests.connectors.support import Regie, Retour, product
from tests.whole.stream import Stream, running

pytestmark = [pytest.mark.kafka, pytest.mark.clickhouse]
HEADER = "BSN;Beschikkingsnummer;Toewijzingsnummer;Type;Waarde\n"
GOOD, WRONG = "999900018;;4711;D1O;2\n", "999900006;;4712;D10;1\n"


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
    assert "1 geaccepteerd, 1 geweigerd" in text
    assert f"gezocht: regel 2: {waits}" in text
    sql = f"SELECT wacht FROM sor.receipts FINAL WHERE delivery = '{delivery}'"
    stream.until(lambda: stream.ask(sql) == [({"toewijzing": 1},)], "the receipt says so too")
    _start_of_care(stream, tmp_path)
    stream.until(lambda: stream.ask(sql) == [({},)], "and stops saying so")
    stream.until(lambda: ask("--aanbieder", "99000001", "--status", "fouten")[0]["wacht"] == [], "it waits no more")
    assert "gezocht: regel 2: geaccepteerd\n" in stream.sor("receipts", str(delivery)[:8], "--zoek", "4711").stdout
    assert stream.sor("receipts", "--status", "fout", check=False).returncode == 2


def test_starts_that_the_municipality_rejects_are_withdrawn_wherever_that_is_asked(
    stream: Stream, tmp_path: Path
) -> None:
    """Delivered twice, before and after the JW306 that rejects them; and with the same number for something else."""
    start, answer = tmp_path / "1.xml", tmp_path / "2.xml"
    header = {"afzender": "99000001", "id": "R5101"}
    start.write_bytes(Regie(header=header, products=[product(toewijzingnummer=n) for n in (1, 2)]).bytes())
    answer.write_bytes(Retour(header=header, codes=("0001",)).bytes())
    assert stream.sor("deliver", str(start)).stdout.count("2 geaccepteerd, 0 geweigerd van 2") == 1
    stream.deliver(answer)
    sql = "SELECT ingetrokken FROM sor.receipts FINAL WHERE kind = 'start'"
    stream.until(lambda: stream.ask(sql) == [(2,)], "both are withdrawn")
    out = stream.sor("deliver", str(start)).stdout
    assert "0 geaccepteerd, 0 geweigerd, 2 ingetrokken van 2" in out
    assert "1.xml nr. 1 en nr. 2: Ingetrokken [0001]" in out
    delivery = stream.sor("receipts", "--status", "ingetrokken", "--json").stdout
    (row,) = json.loads(delivery)
    assert (row["geaccepteerd"], row["afgekeurd"], row["ingetrokken"]) == (0, 0, 2)
    text = stream.sor("receipts", row["aanlevering"]).stdout
    assert "0 geaccepteerd, 0 geweigerd, 2 ingetrokken" in text
    assert "record 2: Ingetrokken [0001]" in text
    start.write_bytes(Regie(header=header, products=[product(toewijzingnummer=3)]).bytes())
    stream.deliver(start)
    sql = "SELECT opmerking_codes, length(opmerkingen) FROM sor.receipts FINAL WHERE kind = 'start' AND lines = 1"
    stream.until(lambda: stream.ask(sql) == [({"TR056": 1}, 1)], "one number, two contents")
    text = stream.sor("receipts").stdout
    assert text.count("1 × TR056") == 1
    assert text.count("2 × TR056") == 1
    start.write_bytes(Regie(header={**header, "id": "R5102"}, products=[product(toewijzingnummer=4)]).bytes())
    stream.deliver(start)
    start.write_bytes(Regie(header={**header, "id": "R5103"}, products=[product(toewijzingnummer=4)]).bytes())
    assert "1 geaccepteerd, 0 geweigerd van 1" in stream.sor("deliver", str(start)).stdout
    stream.until(lambda: "1 × TR074" in stream.sor("receipts").stdout, "the second of one start is of note")
