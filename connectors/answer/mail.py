"""Feedback by mail, as the providers know it: step 1 technically valid, step 2 valid in content (S0, [F] in steps).

Texts are rendered from what ``connectors.answer.report`` says and hold no row, no number and no name: counts, codes and
sentences only. Files are numbered, because their names are their senders' and may name a client; a setting asks for the
names. Mails are written as ``.eml`` into an outbox folder, or handed to a mail server.
"""

from __future__ import annotations

import os
import smtplib
import ssl
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Final, Protocol

from connectors import masking
from connectors.answer import report
from connectors.delivery.deliveries import Delivery, File
from connectors.errors import ConnectorError
from domain.facts.answer import Receipt
from domain.field.dates import dutch_time
from domain.field.messages import text
from domain.field.words import KIND_LABELS, outcome_words

SERVICE: Final = "Sturen op Resultaat"
_SECONDS: Final = 20
_AGB: Final = 8


class MailError(ConnectorError):
    """Mail could not be handed over; the delivery itself is not touched by it. The message says what to do."""


class Post(Protocol):
    """Where a mail goes."""

    def send(self, mail: EmailMessage) -> None:
        """Hand over one mail. ``MailError`` when that fails."""


def technical(delivery: Delivery, to: str, sender: str, *, file_names: bool = False) -> EmailMessage:
    """Step 1: what was found in the files, before anything else was looked at."""
    wrong = any(file.fault or file.context.tally.wrong for file in delivery.files)
    result = "Afgekeurd" if wrong else "Goedgekeurd"
    refused = sum(file.refused for file in delivery.files)
    lines = [f"Uw aanlevering van {KIND_LABELS[delivery.kind]} is technisch gecontroleerd.", ""]
    for title, file in zip(_titles(delivery, file_names=file_names), delivery.files, strict=True):
        lines += [title, *_technical(file), ""]
    lines += [f"{report.technical_result(refused, delivery.lines, wrong=wrong)}.", "", *_close(delivery)]
    return _mail(delivery, f"stap 1, technisch: {result.lower()}", lines, to, sender, "technisch")


def _titles(delivery: Delivery, *, file_names: bool) -> list[str]:
    """What each file is called: its place in the delivery and its kind."""
    titles = [f"Bestand {place} van {len(delivery.files)}" for place in range(1, len(delivery.files) + 1)]
    named = zip(titles, delivery.files, strict=True)
    return [f"{title}: {file.input.shown}" for title, file in named] if file_names else titles


def _technical(file: File) -> list[str]:
    count = file.context.tally
    lines = []
    if count.data or (count.total and not file.fault):
        lines.append(
            f"Aangeleverde regels: {count.total}, waarvan {count.empty} leeg, {count.header} kopregel en "
            f"{count.data} gegevensregels. Aantal fouten: {count.wrong}."
        )
    else:
        lines.append(f"Aangeleverde records: {file.records}.")
    if file.fault:
        lines += [f"{code}{f' (nr. {place})' if place else ''}: {text(code)}" for code, place, _ in file.fault.found]
    return lines


def content(delivery: Delivery, receipt: Receipt, to: str, sender: str, *, file_names: bool = False) -> EmailMessage:
    """Step 2: what became of the content, when every record has an outcome."""
    good, refused, withdrawn = receipt.sums
    errors = f"{refused} fout(en)" if refused else "geen fouten"
    lines = [
        f"Uw aanlevering van {KIND_LABELS[delivery.kind]} is inhoudelijk gecontroleerd.",
        "",
        *_titles(delivery, file_names=file_names),
        f"Tijdstip van aanlevering: {report.moment(delivery.tijd)}",
        f"Uitkomst: {outcome_words(good, refused, withdrawn)} van {receipt.lines}. "
        f"Gevonden fouten: {refused or 'geen'}.",
        *(f"{number} × {code}: {text(code)}" for code, number in sorted(receipt.codes.items())),
        *report.remarks(receipt.opmerking_codes),
        "",
        "Latere controles kunnen nog vragen oproepen.",
        "",
        *_close(delivery),
    ]
    return _mail(delivery, f"stap 2, inhoudelijk: {errors}", lines, to, sender, "inhoudelijk")


def _close(delivery: Delivery) -> list[str]:
    return [
        f"Aanlevering {delivery.id}. Per regel: sor receipts {delivery.id[:8]}",
        *(["Dit was een test: de gegevens tellen nergens in mee."] if delivery.test else []),
    ]


def _mail(delivery: Delivery, subject: str, lines: list[str], to: str, sender: str, step: str) -> EmailMessage:
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = f"{'[TEST] ' if delivery.test else ''}{SERVICE}: {subject}"
    mail["From"], mail["To"] = sender, to
    mail["Date"] = format_datetime(dutch_time(delivery.tijd).replace(microsecond=0))
    mail["Message-ID"] = f"<{delivery.id}.{step}@{sender.rpartition('@')[2]}>"  # the same mail twice is one mail
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content("\n".join(map(masking.plain, lines)))
    return mail


class Outbox:
    """A folder that takes each mail as one ``.eml`` file; for a mail system of one's own, or for nobody yet."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, mail: EmailMessage) -> None:
        """Write the file at once and whole; the same mail twice is one file."""
        name = str(mail["Message-ID"]).strip("<>").partition("@")[0]
        try:
            self._make_folder()
            half = self._folder / f".{name}.{os.getpid()}"
            half.unlink(missing_ok=True)
            with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(mail.as_bytes())
            half.replace(self._folder / f"{name}.eml")
        except OSError as problem:
            raise MailError(f"De map {self._folder} neemt geen mail aan ({type(problem).__name__}).") from problem

    def _make_folder(self) -> None:
        """For this user alone, also where an earlier version or somebody else made it for all."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = self._folder.stat()
        if found.st_mode & 0o077 and found.st_uid == os.geteuid():
            self._folder.chmod(0o700)


@dataclass(frozen=True)
class Server:
    """A mail server: ``starttls`` unless it stands on this machine; the password comes from a file."""

    host: str
    port: int
    starttls: bool = True
    user: str = ""
    password: str = field(default="", repr=False)

    def send(self, mail: EmailMessage) -> None:
        """Hand over one mail. ``MailError`` without the server's words, which may quote an address."""
        try:
            with smtplib.SMTP(self.host, self.port, timeout=_SECONDS) as server:
                if self.starttls:
                    server.starttls(context=ssl.create_default_context())
                if self.user:
                    server.login(self.user, self.password)
                server.send_message(mail)
        except (smtplib.SMTPException, OSError) as problem:
            raise MailError(
                f"De mailserver {self.host}:{self.port} neemt de terugkoppeling niet aan ({type(problem).__name__}). "
                "De aanlevering zelf is verwerkt; sor receipts toont de uitkomst."
            ) from problem


def addresses(path: Path, table: str = "adressen") -> Mapping[str, str]:
    """AGB code of a provider -> its address, from a table of a TOML file. ``MailError`` if wrong."""
    try:
        found = tomllib.loads(path.read_text("utf-8"))[table]
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError) as problem:
        raise MailError(f"{path} is geen TOML-bestand met een tabel [{table}] ({type(problem).__name__}).") from None
    wrong = [agb for agb, to in found.items() if not (len(agb) == _AGB and agb.isdigit() and _is_address(to))]
    if wrong:
        raise MailError(f"{path}: {wrong[0]} is geen AGB-code van acht cijfers, of het adres klopt niet.")
    return dict(found)


def _is_address(to: object) -> bool:
    return isinstance(to, str) and to.count("@") == 1 and to.isascii() and to.isprintable() and " " not in to


class Feedback:
    """Both mails of a delivery, for providers that have an address; without one nothing is sent."""

    def __init__(self, post: Post, to: Mapping[str, str], sender: str, *, file_names: bool = False) -> None:
        self._post, self._to, self._sender, self._file_names = post, to, sender, file_names

    def checked(self, delivery: Delivery) -> None:
        """Step 1."""
        if delivery.sender in self._to:
            to = self._to[delivery.sender]
            self._post.send(technical(delivery, to, self._sender, file_names=self._file_names))

    def decided(self, delivery: Delivery, receipt: Receipt | None) -> None:
        """Step 2, when the receipt is complete."""
        if receipt is not None and receipt.klaar and delivery.sender in self._to:
            to = self._to[delivery.sender]
            self._post.send(content(delivery, receipt, to, self._sender, file_names=self._file_names))
