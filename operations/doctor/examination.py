"""Everything that ``sor doctor`` looks at in a running system, in the order in which it matters."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from typing import Final

from confluent_kafka import KafkaException

from operations.doctor import broker, database, held, judging
from operations.doctor.finding import Finding
from settings.access import clickhouse_access, kafka_cluster
from settings.ports import METRICS_OF, remembered_ports
from settings.running import running_supervisor
from settings.settings import Settings, SettingsError
from transport.release import release

_SECONDS: Final = 2.0
#: Pages that are not of a process of ours.
_OTHERS: Final = ("kafka", "clickhouse")


def examine(settings: Settings) -> Iterator[Finding]:
    """All findings. A part that is away is a finding, and the rest goes on."""
    yield from held.examine(settings)
    yield from _broker(settings)
    yield from _database(settings)
    yield from judging.releases(release(), _said(settings))


def _broker(settings: Settings) -> Iterator[Finding]:
    try:
        yield from broker.examine(kafka_cluster(settings), settings)
    except SettingsError as error:
        yield Finding("kafka", "ok", "not looked at", str(error))
    except KafkaException as error:
        advice = "Look again in a minute; a user of Kafka without rights sees not everything: SOR_KAFKA_USERNAME=admin."
        yield Finding("kafka", "problem", f"it did not answer everything: {error.args[0].str()}", advice)


def _database(settings: Settings) -> Iterator[Finding]:
    try:
        found = clickhouse_access(settings, "admin")
    except SettingsError as error:
        yield Finding("clickhouse", "ok", "not looked at", str(error))
        return
    yield from database.examine(found)


def _said(settings: Settings) -> dict[str, str | None]:
    """Process -> the release it says on its page; the pages are known on one machine alone."""
    ports = remembered_ports(settings)
    if ports is None or not running_supervisor(settings.home):
        return {}
    return {name: said_release(ports.metrics(name)) for name in METRICS_OF if name not in _OTHERS}


def said_release(port: int) -> str | None:
    """What a page of a process says of its release; None when nobody answers there."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
    try:
        connection.request("GET", "/ready")
        said = connection.getresponse().getheader("Server", "")
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return said.removeprefix("sor/").strip() if said.startswith("sor/") else "unknown"
