"""A database of a test's own on the run's engine, with the tables of this release."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from sinks import clickhouse
from sinks.access import Access
from sinks.schema import migrate
from tests.conftest import RunningGateway


@contextmanager
def fresh(gateway: RunningGateway) -> Iterator[Access]:
    """As the user who may do everything; dropped at the end."""
    found = Access(gateway.url, "admin", gateway.users["admin"], f"sor_{uuid.uuid4().hex[:10]}")
    migrate.apply(found, lambda _sentence: None)
    yield found
    client = clickhouse.connect(found)
    client.command(f"DROP DATABASE {found.database}")
    client.close()
