"""Health checks: each returns None when the thing is ready, else a few words that say what is missing."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Callable

from confluent_kafka.admin import AdminClient

from local.kafka.broker import answers
from settings.access import clickhouse_access, kafka_cluster
from settings.settings import Settings, SettingsError

Check = Callable[[], str | None]
SILENT = "does not answer"
"""What is missing when no answer comes; anything else is an answer."""
_SECONDS = 2.0
_WORDS = 80


def http_ready(url: str, headers: dict[str, str] | None = None) -> Check:
    """Ready when ``GET url`` answers 200."""
    request = urllib.request.Request(url, headers=headers or {})  # noqa: S310  # our own http(s) URLs

    def check() -> str | None:
        try:
            return _answer(request)
        except (OSError, http.client.HTTPException):  # also when it dies in the middle of its answer
            return SILENT

    return check


def _answer(request: urllib.request.Request) -> str | None:
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
            return None if answer.status == 200 else f"answers {answer.status}"
    except urllib.error.HTTPError as error:
        words = error.read(_WORDS).decode("utf-8", "replace").partition("\n")[0].strip()
        return f"answers {error.code}: {words}" if words else f"answers {error.code}"


def kafka_ready(settings: Settings) -> Check:
    """Ready when a broker answers a client with our security settings."""
    client: AdminClient | None = None

    def check() -> str | None:
        nonlocal client
        if client is None:
            options = kafka_cluster(settings).settings()
            client = AdminClient({**options, "log_level": 0, "reconnect.backoff.max.ms": 500})
        return None if answers(client) else SILENT

    return check


def clickhouse_ready(settings: Settings) -> Check:
    """Ready when ClickHouse runs a query of the user that migrates."""

    def check() -> str | None:
        try:
            access = clickhouse_access(settings, "admin")
        except SettingsError as error:
            return str(error)
        headers = {"X-ClickHouse-User": access.user, "X-ClickHouse-Key": access.password}
        return http_ready(f"{access.url}/?query=SELECT%201", headers)()

    return check
