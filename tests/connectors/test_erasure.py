"""Asking at the source that clients are forgotten: sealed as a delivery is, and ``sor forget --bsn`` around it."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from connectors.delivery import erasure
from connectors.delivery.connector import Connector
from connectors.delivery.signers import asking
from connectors.errors import BrokerDown, ConnectorError
from crypto import authority
from crypto.certificates import NAMED, Source
from crypto.keys import KeysError, init
from domain.field.bsn import official_numbers
from domain.field.codes import FRONT_DESK
from domain.field.words import ERASURE_FORM, ERASURE_NOT_ALLOWED, ERASURE_RECEIVED, ERASURE_SENDER, NO_BSN
from schemas.asked import Asked
from schemas.codec import Codec
from schemas.topics import EVENTS
from schemas.typed import StructCodec
from sor.cli import app
from sor.commands import bsns as typed
from sor.commands import forget_asking
from sor.commands.bsns import bsns
from tests.connectors.support import AGB, BSN, RAP_HEADER, ThirdParty, connected, make_keys, table
from tests.trusted import hub
from transport.publisher import NotDelivered

OTHER = next(number for number in official_numbers() if number != BSN)
RAP = table(RAP_HEADER, [(BSN, "", "4711", "D1O", "2")])


@pytest.fixture(autouse=True)
def _files_at_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.delivery.reading.SETTLED_NS", 0)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return make_keys(tmp_path / "keys")


def waiting(third: ThirdParty) -> list[Asked]:
    return [StructCodec(Asked).decode(value) for _, value in third.asked]


def test_it_waits_under_the_pseudonym_of_what_the_same_source_delivers(
    keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = []
    with connected(keys) as (connector, third):
        admit = third._admit.__class__._accepted

        def accepted(self: Any, *words: Any) -> Any:
            names.append(words[3])
            return admit(self, *words)

        monkeypatch.setattr(type(third._admit), "_accepted", accepted)
        connector.publish_bytes("scores.csv", RAP, sender=AGB)
        made = connector.ask_to_forget([BSN, OTHER], AGB, "op verzoek")
        receipt = connector.receipt(made)
    first, second = waiting(third)
    assert (first.pseudonym.encode(),) == names[0] != (second.pseudonym.encode(),)
    assert (first.sender, first.door, first.reden) == (AGB, "hub", "op verzoek")
    assert receipt is not None
    assert (receipt.klaar, receipt.geaccepteerd, receipt.kind) == (True, 2, "erasure")
    assert len(third.events) == 1, "it is no event"
    assert Codec(EVENTS).decode(third.events[0])["delivery"] != made.id


def test_what_travels_and_what_is_named_says_nothing_of_the_number(keys: Path) -> None:
    """Not even to who holds the connector's secret: the same clients give another id each time."""
    with connected(keys) as (connector, third):
        ids = {connector.ask_to_forget([BSN], AGB).id for _ in range(2)}
    assert len(ids) == 2
    assert not [value for _, key, value in third.sent if BSN.encode() in key + value]


def test_the_kind_is_named_in_one_way() -> None:
    assert {erasure.KIND} == NAMED


def source(sends_for: set[str], kinds: set[str]) -> Source:
    return hub()[1].source._replace(sends_for=frozenset(sends_for), kinds=frozenset(kinds))


@pytest.mark.parametrize(
    ("sends_for", "kinds", "given", "found"),
    [
        ({AGB}, {"erasure"}, "", AGB),
        ({AGB}, {"erasure", "score"}, AGB, AGB),
        ({"*"}, {"erasure"}, "", FRONT_DESK),
        ({"*"}, {"erasure"}, AGB, AGB),
        ({AGB, "94000009"}, {"erasure"}, "", ERASURE_SENDER),
        ({AGB}, {"erasure"}, "94000009", ERASURE_NOT_ALLOWED),
        ({AGB}, {"erasure"}, FRONT_DESK, ERASURE_NOT_ALLOWED),
        ({AGB}, {"*"}, "", ERASURE_NOT_ALLOWED),
        ({"*"}, {"*"}, "", ERASURE_NOT_ALLOWED),
    ],
)
def test_in_whose_name_a_source_asks(sends_for: set[str], kinds: set[str], given: str, found: str) -> None:
    if found.isdigit():
        assert erasure.sender_of(source(sends_for, kinds), given) == found
    else:
        with pytest.raises(ConnectorError) as refused:
            erasure.sender_of(source(sends_for, kinds), given)
        assert str(refused.value) == found


def test_without_a_broker_it_says_that_nothing_was_done(keys: Path) -> None:
    with connected(keys) as (connector, third):
        third.fail_at, third.fail_with = 0, NotDelivered("no broker")
        with pytest.raises(BrokerDown):
            connector.ask_to_forget([BSN], AGB)


def test_a_machine_for_trying_out_has_a_front_desk(tmp_path: Path) -> None:
    """And a source that has a certificate asks under that one alone."""
    init(tmp_path / "keys")
    authority.init(tmp_path / "authority", tmp_path / "keys", "one machine", development=True)
    desk = asking(tmp_path / "keys", tmp_path / "authority")("").source
    assert (desk.sends_for, desk.kinds) == ({"*"}, NAMED)
    with pytest.raises(KeysError):
        asking(tmp_path / "keys", None)("")
    assert asking(make_keys(tmp_path / "own"), tmp_path / "authority")("").source.id == "hub"


# --- what is typed ----------------------------------------------------------------------------------------------------


def test_numbers_come_from_a_file_or_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "them"
    path.write_text(f"\ufeff{OTHER}\n\n  {BSN} \n{OTHER}\n", "utf-8")
    assert bsns(str(path)) == [OTHER, BSN]
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{BSN}\n"))
    assert bsns("-") == [BSN]


@pytest.mark.parametrize(
    ("text", "words"),
    [("", NO_BSN), (" \n", NO_BSN), (f"{BSN}\n123456789\n", "regel 2."), (f"{BSN};1\n" * 30, "20 en nog 10")],
)
def test_what_is_no_number_is_refused_and_not_repeated(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "them"
    path.write_text(text)
    with pytest.raises(ConnectorError) as refused:
        bsns(str(path))
    assert words in str(refused.value)
    assert not [digits for digits in (BSN, "123456789") if digits in str(refused.value)]


def test_a_word_names_a_file_and_never_somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConnectorError) as refused:
        bsns(BSN)
    assert str(refused.value) == NO_BSN
    monkeypatch.setattr(typed, "LONGEST", 20)
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{BSN}\n" * 3))
    with pytest.raises(ConnectorError, match="te veel"):
        bsns("-")


# --- the command ------------------------------------------------------------------------------------------------------


class Command:
    """``sor forget --bsn`` with a third party in this process."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.third = ThirdParty(folder)
        monkeypatch.setenv("SOR_KEYS", str(folder))
        monkeypatch.setattr("sor.commands.forget.guard", lambda: None)
        monkeypatch.setattr(forget_asking, "intake_endpoint", lambda _settings: None)
        monkeypatch.setattr(forget_asking, "kafka_cluster", lambda _settings: None)
        monkeypatch.setattr(forget_asking, "Connector", self._connector)

    @contextmanager
    def _connector(self, keys: Path, cluster: Any, **more: Any) -> Iterator[Connector]:
        with Connector(keys, cluster, publisher=self.third, receipts=self.third, signers=more["signers"]) as connector:
            yield connector

    def __call__(self, *words: str, given: str = "") -> tuple[int, str]:
        with capture_logs() as logs:
            done = CliRunner().invoke(app, ["forget", *words], input=given)
        assert BSN not in done.output + str(done.exception) + repr(logs)
        if isinstance(done.exception, ConnectorError):
            return 2, str(done.exception)
        return done.exit_code, done.stdout


@pytest.fixture
def command(keys: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    return Command(keys, monkeypatch)


def test_a_number_that_is_typed_is_asked_in_the_name_of_a_provider(command: Command) -> None:
    code, shown = command("--bsn", "-", "--sender", AGB, "--reden", "op verzoek", "--json", given=f"{BSN}\n")
    [asked] = waiting(command.third)
    document = json.loads(shown)
    assert (code, asked.sender) == (0, AGB)
    assert document | {"aanlevering": ""} == {
        "aanlevering": "", "aanbieder": AGB, "records": 1, "melding": ERASURE_RECEIVED, "exit": 0,
    }  # fmt: skip


def test_the_front_desk_asks_for_several_from_a_file(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "them"
    path.write_text(f"{BSN}\n{OTHER}\n")
    code, shown = command("--bsn", str(path), "--reden", "anders")
    assert (code, len(waiting(command.third))) == (0, 2)
    assert {asked.sender for asked in waiting(command.third)} == {FRONT_DESK}
    assert "2 cliënten" in shown


def test_a_reason_is_one_of_a_list_and_ways_are_not_mixed(command: Command) -> None:
    assert command("--bsn", "-", "--reden", "Jan Jansen vroeg het", given=f"{BSN}\n") == (2, ERASURE_FORM)
    assert command("--bsn", "-", "--pending", "--reden", "anders", given=f"{BSN}\n")[0] == 2
    assert command.third.sent == []


def test_without_a_receipt_it_says_so(command: Command) -> None:
    command.third.silent_after = 0
    assert command("--bsn", "-", "--reden", "anders", given=f"{BSN}\n")[0] == 3
