"""Reports by mail: to the contact of type Sturen op Resultaat, with the PDFs, the same report as the same mail."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest

from connectors.answer.mail import MailError, Outbox
from results.reports import words
from settings.settings import load_settings
from sor.mailing import ReportMailer, contacts, mailer
from tests.results.reports.made import cem_report, outcome_report

FILES = [("sor_aanbieder.pdf", b"%PDF-own"), ("sor_gemiddelde.pdf", b"%PDF-average")]
ADDRESSES = """
[adressen]
"90000001" = "algemeen@example.org"
"90000002" = "tweede@example.org"

[sturen_op_resultaat]
"90000001" = "resultaat@example.org"
"""


def read(folder: Path) -> list[EmailMessage]:
    found = [message_from_bytes(file.read_bytes(), policy=SMTP) for file in sorted(folder.glob("*.eml"))]
    assert all(isinstance(mail, EmailMessage) for mail in found)
    return found  # type: ignore[return-value]


def test_the_contact_for_results_goes_before_the_general_address(tmp_path: Path) -> None:
    file = tmp_path / "adressen.toml"
    file.write_text(ADDRESSES, "utf-8")
    assert contacts(file) == {"90000001": "resultaat@example.org", "90000002": "tweede@example.org"}
    file.write_text(ADDRESSES.partition("[sturen")[0], "utf-8")
    assert contacts(file)["90000001"] == "algemeen@example.org"
    file.write_text("[sturen" + ADDRESSES.partition("[sturen")[2], "utf-8")
    assert contacts(file) == {"90000001": "resultaat@example.org"}


@pytest.mark.parametrize(
    "text", ["", "[", '[sturen_op_resultaat]\n"9" = "a@b.nl"', '[adressen]\n"90000001" = "geen adres"']
)
def test_a_file_without_addresses_is_said(tmp_path: Path, text: str) -> None:
    file = tmp_path / "adressen.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(MailError):
        contacts(file)


def test_one_mail_with_own_and_average(tmp_path: Path) -> None:
    report = outcome_report(few=True)
    by_mail = ReportMailer(Outbox(tmp_path), {"90000001": "resultaat@example.org"}, "sor@example.org")
    for _ in range(2):
        assert by_mail.send(report, FILES)
    (mail,) = read(tmp_path)  # the same report is the same mail
    assert mail["To"] == "resultaat@example.org"
    assert mail["Subject"].startswith("Sturen op Resultaat: resultaten van uw organisatie, aanbieder 90000001")
    body = mail.get_body()
    assert body is not None
    assert " ".join(words.NOT_TO_ACCOUNT.split()) in " ".join(body.get_content().split())
    attached = [(part.get_filename(), part.get_content()) for part in mail.iter_attachments()]
    assert attached == FILES
    assert {part.get_content_type() for part in mail.iter_attachments()} == {"application/pdf"}


def test_another_kind_cluster_or_release_is_another_mail(tmp_path: Path) -> None:
    by_mail = ReportMailer(Outbox(tmp_path), {"90000001": "resultaat@example.org"}, "sor@example.org")
    for report in (outcome_report(few=True), cem_report()):
        by_mail.send(report, FILES[:1])
    assert len(read(tmp_path)) == 2


def test_who_has_no_address_gets_nothing(tmp_path: Path) -> None:
    by_mail = ReportMailer(Outbox(tmp_path), {}, "sor@example.org")
    assert not by_mail.send(cem_report(), FILES)
    assert read(tmp_path) == []


def test_without_addresses_nothing_is_mailed(tmp_path: Path) -> None:
    assert mailer(load_settings(home=tmp_path)) is None
    file = tmp_path / "adressen.toml"
    file.write_text(ADDRESSES, "utf-8")
    assert mailer(load_settings(home=tmp_path, mail_addresses=file)) is not None
