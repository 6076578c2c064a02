"""Taking back a delivery at its source: one record through the real stages, and ``sor deliveries`` around it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from connectors.delivery.connector import Connector
from connectors.errors import BrokerDown, ConnectorError
from domain.facts.answer import Receipt
from domain.field.words import NOT_FOUND_TO_TAKE_BACK, NOT_TO_TAKE_BACK, TAKEN_BACK, TAKEN_BACK_BEFORE
from schemas.codec import Codec
from schemas.records import record_to_event
from schemas.taken import Taken
from schemas.topics import EVENTS
from schemas.typed import StructCodec
from sor.cli import app
from sor.commands import deliveries
from tests.connectors.support import AGB, BSN, RAP_HEADER, ThirdParty, connected, make_keys, table
from transport.publisher import NotDelivered

RAP = table(RAP_HEADER, [(BSN, "", "4711", "D1O", "2")])


@pytest.fixture(autouse=True)
def _files_at_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.delivery.reading.SETTLED_NS", 0)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return make_keys(tmp_path / "keys")


def test_what_was_delivered_is_taken_back_under_the_handle_of_its_events(keys: Path) -> None:
    with connected(keys) as (connector, third):
        made = connector.publish_bytes("scores.csv", RAP, sender=AGB)
        back = connector.take_back(AGB, made.id, made.lines, "verkeerd bestand")
        receipt = connector.receipt(back)
    (event,) = (record_to_event(Codec(EVENTS).decode(value)) for value in third.events)
    (taken,) = (StructCodec(Taken).decode(value) for value in third.taken)
    assert taken.aanlevering == event.delivery != made.id
    assert (taken.sender, taken.reden) == (AGB, "verkeerd bestand")
    assert receipt is not None
    assert (receipt.klaar, receipt.geaccepteerd, receipt.kind) == (True, 1, "takeback")
    assert [topic for topic, _, _ in third.sent] == ["sor.in.score", "sor.in.takeback"]


def test_the_receipt_of_what_was_taken_back_says_so(keys: Path) -> None:
    with connected(keys) as (connector, third):
        made = connector.publish_bytes("scores.csv", RAP, sender=AGB)
        assert _last(third, made.receipt_key).teruggenomen == 0
        connector.take_back(AGB, made.id, made.lines)
        assert _last(third, made.receipt_key).teruggenomen > 0
        again = connector.publish_bytes("scores.csv", RAP, sender=AGB)
        assert again.receipt_key == made.receipt_key
        assert _last(third, made.receipt_key).teruggenomen == 0


def _last(third: ThirdParty, key: str) -> Receipt:
    found = third.wait(key, 0, lambda _receipt: None, lambda: None)
    assert found is not None
    return found


def test_each_taking_back_is_a_delivery_of_its_own(keys: Path) -> None:
    """The same content may be taken back, delivered again and taken back again."""
    with connected(keys) as (connector, _):
        first, second = (connector.take_back(AGB, "a" * 32, 1) for _ in range(2))
    assert first.tijd == second.tijd or first.id != second.id


@pytest.mark.parametrize(
    ("name", "lines", "reden"), [("a" * 31, 1, ""), ("a" * 32, 0, ""), ("a" * 32, 1, f"BSN {BSN}")]
)
def test_what_would_be_refused_is_not_sent(keys: Path, name: str, lines: int, reden: str) -> None:
    with connected(keys) as (connector, third):
        with pytest.raises(ConnectorError):
            connector.take_back(AGB, name, lines, reden)
        assert third.sent == []


def test_without_a_broker_it_says_that_nothing_was_done(keys: Path) -> None:
    with connected(keys) as (connector, third):
        third.fail_at, third.fail_with = 0, NotDelivered("no broker")
        with pytest.raises(BrokerDown):
            connector.take_back(AGB, "a" * 32, 1)


# --- the command ------------------------------------------------------------------------------------------------------


def row(**over: Any) -> dict[str, Any]:
    return {
        "aanlevering": "a" * 32, "soort": "score", "aanbieder": AGB, "test": False, "records": 3, "geaccepteerd": 2,
        "klaar": True, "laatste": 1_767_225_600_000, "teruggenomen": 0, **over,
    }  # fmt: skip


class Command:
    """``sor deliveries`` over rows that were found, and a third party in this process."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rows = [row()]
        self.asked: list[tuple[str, str]] = []
        self.third = ThirdParty(folder)
        monkeypatch.setenv("SOR_KEYS", str(folder))
        monkeypatch.setattr(deliveries, "ask", self._ask)
        monkeypatch.setattr(deliveries, "intake_endpoint", lambda _settings: None)
        monkeypatch.setattr(deliveries, "kafka_cluster", lambda _settings: None)
        monkeypatch.setattr(deliveries, "Connector", self._connector)

    def _ask(self, _settings: object, sender: str, delivery: str, *_: object) -> list[dict[str, Any]]:
        self.asked.append((sender, delivery))
        return self.rows

    @contextmanager
    def _connector(self, keys: Path, cluster: Any, **_: object) -> Iterator[Connector]:
        with Connector(keys, cluster, publisher=self.third, receipts=self.third) as connector:
            yield connector

    def __call__(self, *words: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["deliveries", *words])
        if isinstance(done.exception, ConnectorError):
            return 2, str(done.exception)
        return done.exit_code, done.stdout


@pytest.fixture
def command(keys: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    return Command(keys, monkeypatch)


def test_a_delivery_is_taken_back_by_the_beginning_of_its_id(command: Command) -> None:
    code, shown = command("withdraw", "aaa", "--sender", AGB, "--reden", "dubbel", "--yes", "--json")
    assert code == 0
    document = json.loads(shown)
    assert document == {
        "aanlevering": "a" * 32, "aanbieder": AGB, "soort": "score", "records": 3, "teruggenomen": True,
        "melding": TAKEN_BACK, "exit": 0,
    }  # fmt: skip
    assert command.asked == [(AGB, "aaa")]
    (taken,) = (StructCodec(Taken).decode(value) for value in command.third.taken)
    assert (taken.sender, taken.reden) == (AGB, "dubbel")


def test_without_a_terminal_it_must_be_said_that_nobody_is_asked(command: Command) -> None:
    code, shown = command("withdraw", "aaa")
    assert (code, command.third.sent) == (2, [])
    assert "--yes" in shown


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1)])
def test_on_a_terminal_it_asks(command: Command, monkeypatch: pytest.MonkeyPatch, answer: str, code: int) -> None:
    monkeypatch.setattr(deliveries, "_terminal", lambda: True)
    done = CliRunner().invoke(app, ["deliveries", "withdraw", "aaa"], input=answer)
    assert done.exit_code == code
    assert len(command.third.taken) == (1 - code)


@pytest.mark.parametrize(
    ("rows", "code", "sentence"),
    [
        ([], 2, NOT_FOUND_TO_TAKE_BACK),
        ([row(), row(records=4)], 2, NOT_FOUND_TO_TAKE_BACK),
        ([row(test=True)], 2, NOT_TO_TAKE_BACK),
        ([row(soort="takeback")], 2, NOT_TO_TAKE_BACK),
        ([row(teruggenomen=5)], 0, TAKEN_BACK_BEFORE),
    ],
)
def test_what_cannot_be_taken_back_is_said_and_nothing_is_sent(
    command: Command, rows: list[dict[str, Any]], code: int, sentence: str
) -> None:
    command.rows = rows
    assert command("withdraw", "aaa", "--yes") == (code, sentence + "\n" * (code == 0))
    assert command.third.sent == []


def test_no_receipt_in_time_is_not_taken_back_yet(command: Command) -> None:
    command.third.silent_after = 0
    code, shown = command("withdraw", "aaa", "--yes", "--json")
    assert code == 3
    assert '"teruggenomen": false' in shown


def test_the_list_shows_what_counts(command: Command) -> None:
    command.rows = [row(), row(aanlevering="b" * 32, teruggenomen=1_767_225_600_000), row(test=True)]
    code, shown = command("list", "--sender", AGB)
    counts = ["2 van 3 records tellen mee", "telt niet mee", "test, telt niet mee"]
    assert code == 0
    assert all(what in line for what, line in zip(counts, shown.splitlines(), strict=True))
    command.rows = []
    assert command("list")[0] == 1
