"""Feedback by mail: two steps, Dutch, no row and no number; into a folder, or to a real mail server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiosmtpd.controller import Controller

from connectors import masking
from connectors.answer.mail import Feedback, MailError, Outbox, Server, addresses
from connectors.delivery.connector import Connector
from connectors.delivery.deliveries import Delivery
from connectors.formats.files import InputFile
from connectors.formats.model import FileFault
from domain.facts.answer import Receipt
from domain.field.words import KIND_LABELS
from local.ports import free_port
from tests.connectors.support import AGB, BSN, CEM_HEADER, cem_rows, connected, make_keys, table

TO, FROM = "zorg@example.org", "sor@example.org"


@pytest.fixture
def connector(tmp_path: Path) -> Iterator[Connector]:
    with connected(make_keys(tmp_path / "keys")) as (connector, _):
        yield connector


def delivered(connector: Connector, *, test: bool = False, wrong: bool = False) -> tuple[Delivery, Receipt]:
    rows = cem_rows(answers={"VR01": "9" if wrong else "1"})
    given = InputFile("metingen.csv", "metingen.csv", 0, content=table(CEM_HEADER, rows))
    refused: list[FileFault] = []
    delivery = next(connector.deliveries([given], connector.run(test=test), refused.append))
    connector.publish(delivery)
    receipt = connector.receipt(delivery)
    assert receipt is not None
    return delivery, receipt


def read(folder: Path, step: str) -> EmailMessage:
    (found,) = folder.glob(f"*.{step}.eml")
    mail = message_from_bytes(found.read_bytes(), policy=SMTP)
    assert isinstance(mail, EmailMessage)
    return mail


@pytest.mark.parametrize("test", [False, True])
def test_two_steps_into_the_outbox(connector: Connector, tmp_path: Path, test: bool) -> None:
    delivery, receipt = delivered(connector, test=test)
    feedback = Feedback(Outbox(tmp_path / "mail"), {AGB: TO}, FROM)
    for _ in range(2):
        feedback.checked(delivery)
        feedback.decided(delivery, receipt)
    first, second = read(tmp_path / "mail", "technisch"), read(tmp_path / "mail", "inhoudelijk")
    assert first["Subject"].startswith("[TEST] ") is test
    assert "Goedgekeurd" in first.get_content()
    assert "1 kopregel" in first.get_content()
    assert "Gevonden fouten: geen" in second.get_content()
    assert (second["To"], second["From"]) == (TO, FROM)
    assert ("tellen nergens in mee" in second.get_content()) is test


def test_errors_are_named_and_nobody_is(connector: Connector, tmp_path: Path) -> None:
    delivery, receipt = delivered(connector, wrong=True)
    feedback = Feedback(Outbox(tmp_path / "mail"), {AGB: TO}, FROM)
    feedback.checked(delivery)
    feedback.decided(delivery, receipt)
    everything = b"".join(path.read_bytes() for path in (tmp_path / "mail").iterdir())
    assert b"C05" in everything
    assert b"9999000" not in everything


def named(connector: Connector, *names: str) -> tuple[Delivery, Receipt]:
    """A delivery of files under these names."""
    files = [
        InputFile(masking.name(one), one, 0, content=table(CEM_HEADER, cem_rows(f"1-{n}")))
        for n, one in enumerate(names)
    ]
    delivery = next(connector.deliveries(files, connector.run(), lambda fault: pytest.fail(str(fault))))
    connector.publish(delivery)
    receipt = connector.receipt(delivery)
    assert receipt is not None
    return delivery, receipt


@pytest.mark.parametrize("file_names", [False, True])
def test_files_are_numbered_and_named_only_when_that_is_asked(
    connector: Connector, tmp_path: Path, file_names: bool
) -> None:
    delivery, receipt = named(connector, f"Jansen_{BSN}.csv", "tweede.csv")
    feedback = Feedback(Outbox(tmp_path / "mail"), {AGB: TO}, FROM, file_names=file_names)
    feedback.checked(delivery)
    feedback.decided(delivery, receipt)
    for step in ("technisch", "inhoudelijk"):
        text = read(tmp_path / "mail", step).get_content()
        assert "Bestand 1 van 2" in text
        assert "Bestand 2 van 2" in text
        assert KIND_LABELS["cem"] in text
        assert ("Jansen" in text, "tweede" in text) == (file_names, file_names)
        assert BSN not in text


@pytest.mark.parametrize("file_names", [False, True])
def test_a_name_that_is_no_text_or_acts_ends_nothing(connector: Connector, tmp_path: Path, file_names: bool) -> None:
    delivery, receipt = named(connector, os.fsdecode(b"\xff\x1b[2J\xc2\x9b.csv"), "een\u202egnp\r\nBcc: x.csv")
    feedback = Feedback(Outbox(tmp_path / "mail"), {AGB: TO}, FROM, file_names=file_names)
    feedback.checked(delivery)
    feedback.decided(delivery, receipt)
    for step in ("technisch", "inhoudelijk"):
        mail = read(tmp_path / "mail", step)
        assert mail["Bcc"] is None
        assert mail.get_content().replace("\r\n", "").isprintable()


def test_what_the_third_party_answers_does_not_act(connector: Connector, tmp_path: Path) -> None:
    delivery, receipt = delivered(connector)
    answered = msgspec.structs.replace(receipt, codes={"\x1b]0;x\x07": 1, "C05": 2})
    Feedback(Outbox(tmp_path / "mail"), {AGB: TO}, FROM).decided(delivery, answered)
    assert read(tmp_path / "mail", "inhoudelijk").get_content().replace("\r\n", "").isprintable()


def test_mail_is_for_this_user_alone(connector: Connector, tmp_path: Path) -> None:
    delivery, receipt = delivered(connector)
    before = os.umask(0)
    try:
        for folder in (tmp_path / "new", tmp_path / "old"):
            if folder.name == "old":
                folder.mkdir(mode=0o755)
            feedback = Feedback(Outbox(folder), {AGB: TO}, FROM)
            feedback.checked(delivery)
            feedback.decided(delivery, receipt)
            assert folder.stat().st_mode & 0o777 == 0o700
            assert [path.stat().st_mode & 0o777 for path in folder.iterdir()] == [0o600, 0o600]
    finally:
        os.umask(before)


def test_without_an_address_or_a_whole_receipt_nothing_is_sent(connector: Connector, tmp_path: Path) -> None:
    delivery, receipt = delivered(connector)
    Feedback(Outbox(tmp_path / "mail"), {}, FROM).checked(delivery)
    half = Receipt(delivery=receipt.delivery, kind=receipt.kind, sender=receipt.sender, test=False, lines=2, gezien=1)
    Feedback(Outbox(tmp_path / "mail"), {AGB: TO}, FROM).decided(delivery, half)
    assert not (tmp_path / "mail").exists()


class Taking:
    """A mail server's manners: keeps what it takes."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_DATA(  # noqa: N802 - the name that the server library calls
        self, _server: Any, _session: Any, envelope: Any
    ) -> str:
        mail = message_from_bytes(envelope.content, policy=SMTP)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 OK"


def test_a_real_mail_server_takes_both(connector: Connector) -> None:
    delivery, receipt = delivered(connector)
    taking = Taking()
    server = Controller(taking, hostname="127.0.0.1", port=free_port())
    server.start()
    try:
        feedback = Feedback(Server("127.0.0.1", server.port, starttls=False), {AGB: TO}, FROM)
        feedback.checked(delivery)
        feedback.decided(delivery, receipt)
    finally:
        server.stop()
    assert ["stap 1" in str(mail["Subject"]) for mail in taking.mails] == [True, False]
    with pytest.raises(MailError, match="neemt de terugkoppeling niet aan"):
        feedback.checked(delivery)


def test_addresses_are_read_and_a_wrong_one_is_named(tmp_path: Path) -> None:
    path = tmp_path / "adressen.toml"
    path.write_text(f'[adressen]\n{AGB} = "{TO}"\n')
    assert addresses(path) == {AGB: TO}
    for wrong in (
        f'[adressen]\n{AGB} = "a@b.nl\\u0007"\n',
        "[adressen]\n123 = 'a@b.nl'\n",
        f"[adressen]\n{AGB} = 'nobody'\n",
        "[anders]\n",
        "= =",
    ):
        path.write_text(wrong)
        with pytest.raises(MailError):
            addresses(path)
