"""Feedback by mail as the settings ask for it."""

from __future__ import annotations

from connectors.answer.mail import Feedback, Outbox, Post, Server, addresses
from settings.secrets import read_secret
from settings.settings import Settings


def feedback(settings: Settings) -> Feedback | None:
    """Both mails of every delivery, or None when no addresses are set. ``MailError``, ``SettingsError`` if wrong."""
    if settings.mail_addresses is None:
        return None
    return Feedback(
        post(settings),
        addresses(settings.mail_addresses),
        settings.mail_sender,
        file_names=settings.mail_file_names,
    )


def post(settings: Settings) -> Post:
    """Where mail goes: the server of the settings, else a folder."""
    if settings.mail_server is None:
        return Outbox(settings.mail_outbox or settings.home / "mail")
    host, _, port = settings.mail_server.rpartition(":")
    password = read_secret(settings.mail_password_file) if settings.mail_password_file else ""
    return Server(host, int(port), settings.mail_starttls, settings.mail_user, password)
