"""What the commands of an operator share: a reason, the user of ClickHouse, and the orders they give."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from clickhouse_connect.driver.client import Client

from operations.orders import Orders
from schemas.registry import ids_of
from settings.access import clickhouse_access, kafka_cluster
from settings.settings import Settings, load_settings
from sinks import clickhouse

Found = TypeVar("Found")


def connected(work: Callable[[Client], Found]) -> Found:
    """Do some work in ClickHouse, as the user who sees dead letters and the audit trail and nothing else."""
    return work(_client(load_settings()))


def ordering(work: Callable[[Client, Orders], Found]) -> Found:
    """The same, with orders to give."""
    settings = load_settings()
    client = _client(settings)
    return work(client, Orders(client, kafka_cluster(settings), ids_of(settings.registry)))


def _client(settings: Settings) -> Client:
    return clickhouse.connect(clickhouse_access(settings, "rejected"))
