"""What the commands of an operator share: a reason, the user of ClickHouse, and the orders they give."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final, TypeVar

import typer
from clickhouse_connect.driver.client import Client

from operations.orders import Orders
from schemas.registry import ids_of
from settings.access import clickhouse_access, kafka_cluster
from settings.settings import Settings, load_settings
from sinks import clickhouse

Found = TypeVar("Found")
_MOST: Final = 500


def _short(reason: str) -> str:
    if not 0 < len(reason.strip()) <= _MOST:
        raise typer.BadParameter(f"give a reason of at most {_MOST} characters")
    return reason


Reason = Annotated[
    str, typer.Option("--reden", callback=_short, help="Why; kept in the audit trail. No personal data.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


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
