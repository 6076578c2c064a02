"""Kafka and ClickHouse of this machine without the stages: to fill an empty home from a backup."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from local.clickhouse.gateway import Gateway
from local.disk import full_disk_explained, require_space
from local.errors import StackError
from local.kafka.broker import Broker
from local.ports import choose_ports
from local.secrets import ensure_secrets
from local.state import only_supervisor
from settings.secrets import read_secret
from settings.settings import Settings

_DATA: Final = ("kafka/data", "clickhouse", "state")
_USERS: Final = "clickhouse-users.json"


@contextmanager
def stores(settings: Settings) -> Iterator[Settings]:
    """Both, empty, until the end of the block; the settings to reach them. ``sor up`` in this home waits for the end.

    Raises:
        StackError: a stack runs here, this home has data, or a part does not start.
    """
    require_space(settings.home)
    with full_disk_explained(settings.home), only_supervisor(settings.home):
        require_no_data(settings.home)
        ports = choose_ports(settings)
        ensure_secrets(settings)
        jars = (settings.cache, settings.kafka_heap, settings.java_home, settings.kafka_home)
        gateway = Gateway(settings.home, ports.clickhouse, {"admin": read_secret(settings.secrets_dir / "admin")})
        with Broker(settings.home, ports.kafka, ports.controller, *jars):
            gateway.start()
            try:
                gateway.wait_ready()
                yield settings.model_copy(update={"ports": ports.base})
            finally:
                gateway.stop()
                (settings.home / _USERS).unlink(missing_ok=True)


def require_no_data(home: Path) -> None:
    """``StackError`` when a stack has worked in this home."""
    for name in _DATA:
        folder = home / name
        if folder.is_dir() and any(folder.iterdir()):
            raise StackError(
                f"{home.absolute()} is not empty: there is {folder}. A backup is restored into an empty home: set "
                "SOR_HOME to another folder, or move this one away."
            )
