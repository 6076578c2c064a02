"""Reports by mail: one for each provider, cluster and month, to the contact of type *Sturen op Resultaat*."""

from __future__ import annotations

import time
import tomllib
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Final

from connectors import masking
from connectors.answer.mail import MailError, Post, addresses
from domain.field.dates import dutch_time
from results.reports import words
from results.reports.content import Report, slug
from results.reports.run import Attachment
from settings.settings import Settings
from sor.feedback import post

#: Table of the file with addresses: AGB code of a provider -> its contact for these reports.
CONTACTS: Final = "sturen_op_resultaat"


def mailer(settings: Settings) -> ReportMailer | None:
    """As the settings ask for it; None when no addresses are set. ``MailError``, ``SettingsError`` if wrong."""
    if settings.mail_addresses is None:
        return None
    return ReportMailer(post(settings), contacts(settings.mail_addresses), settings.mail_sender)


def contacts(path: Path) -> Mapping[str, str]:
    """AGB code -> address: of the contact of type Sturen op Resultaat where there is one, else the general address.

    Raises:
        MailError: the file has neither table, or an address in it is none.
    """
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise MailError(f"{path} is geen TOML-bestand ({type(problem).__name__}).") from None
    own = addresses(path, CONTACTS) if CONTACTS in tables else {}
    general = addresses(path) if "adressen" in tables or not own else {}
    return {**general, **own}


class ReportMailer:
    """Sends a report and what goes with it (``results.reports.run.Mailer``)."""

    def __init__(self, post: Post, to: Mapping[str, str], sender: str) -> None:
        self._post, self._to, self._sender = post, to, sender

    def send(self, report: Report, files: Sequence[Attachment]) -> bool:
        """One mail; False when its provider has no address. ``MailError`` when it is not taken."""
        if report.provider not in self._to:
            return False
        self._post.send(mail(report, files, self._to[report.provider], self._sender))
        return True


def mail(report: Report, files: Sequence[Attachment], to: str, sender: str) -> EmailMessage:
    """The mail, with the reports as PDF. The same report again has the same Message-ID."""
    made = EmailMessage(policy=SMTP)
    made["Subject"] = f"{words.SERVICE}: {report.title.lower()}, {report.subtitle}"
    made["From"], made["To"] = sender, to
    made["Date"] = format_datetime(dutch_time(time.time_ns() // 1_000_000).replace(microsecond=0))
    parts = (report.kind, report.provider, slug(report.cluster), report.month, str(report.release))
    made["Message-ID"] = f"<{'.'.join(filter(None, parts))}@{sender.rpartition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content("\n".join(map(masking.plain, words.mail_lines(report.title, report.subtitle, len(files)))))
    for name, content in files:
        made.add_attachment(content, maintype="application", subtype="pdf", filename=name)
    return made
