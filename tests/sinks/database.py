"""A database of a test's own on the run's engine, with the tables of this release or of one before."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sinks import clickhouse
from sinks.access import Access
from sinks.schema import migrate
from tests.conftest import RunningGateway


def quiet(_sentence: str) -> None:
    """Tells nobody how a migration goes."""


def ask(access: Access, query: str) -> list[tuple[Any, ...]]:
    """The rows of a query, on a connection of its own."""
    client = clickhouse.connect(access)
    try:
        return clickhouse.select(client, query)
    finally:
        client.close()


@contextmanager
def fresh(gateway: RunningGateway, migrations: int | None = None) -> Iterator[Access]:
    """As the user who may do everything, after so many migrations (None: all); dropped at the end."""
    found = Access(gateway.url, "admin", gateway.users["admin"], f"sor_{uuid.uuid4().hex[:10]}")
    migrate.apply(found, quiet, migrate.load()[:migrations])
    yield found
    client = clickhouse.connect(found)
    client.command(f"DROP DATABASE {found.database}")
    client.close()
