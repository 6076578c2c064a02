"""A table ``cijfers`` of an audience as release.md 7 has it, in a database of a test's own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from clickhouse_connect.driver.client import Client

from sinks import clickhouse
from sinks.access import Access
from tests.conftest import RunningGateway

_TABLE = """
CREATE TABLE {}.cijfers (vrijgave UInt32, periode_soort LowCardinality(String), periode LowCardinality(String),
  status LowCardinality(String), snede LowCardinality(String), gemeente LowCardinality(String),
  cluster LowCardinality(String), aanbieder LowCardinality(String), categorie LowCardinality(String),
  leeftijd LowCardinality(String), geslacht LowCardinality(String), filter LowCardinality(String), filterwaarde String,
  indicator LowCardinality(String), noemer UInt32, teller Nullable(UInt32), teller_vorm LowCardinality(String),
  percentage Nullable(UInt8), gemiddelde Nullable(Decimal(3, 1)), uitgesloten UInt32, peildatum Date,
  definitie_versie UInt16, bevestigd Bool, reden String)
ENGINE = MergeTree ORDER BY (snede, indicator, periode_soort, periode, gemeente, cluster, aanbieder, categorie,
  leeftijd, geslacht, filter, filterwaarde, vrijgave)
"""
_PLAIN: dict[str, Any] = {
    "vrijgave": 3, "periode_soort": "vier_kwartalen", "periode": "2025-K4", "status": "voorlopig", "snede": "cluster",
    "gemeente": "", "cluster": "", "aanbieder": "", "categorie": "", "leeftijd": "", "geslacht": "", "filter": "",
    "filterwaarde": "", "indicator": "uitval", "noemer": 100, "teller": None, "teller_vorm": "=", "percentage": None,
    "gemiddelde": None, "uitgesloten": 5, "peildatum": "2026-02-15", "definitie_versie": 3, "bevestigd": 1, "reden": "",
}  # fmt: skip


def shown(**changed: Any) -> dict[str, Any]:
    """One released figure."""
    assert set(changed) <= set(_PLAIN)
    return _PLAIN | changed


@contextmanager
def audience(gateway: RunningGateway, rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The name of a database with these figures; dropped at the end."""
    name = f"rel_{uuid.uuid4().hex[:10]}"
    client = clickhouse.connect(Access(gateway.url, "admin", gateway.users["admin"], "default"))
    try:
        for statement in (f"CREATE DATABASE {name}", _TABLE.format(name)):
            clickhouse.command(client, statement, "Making")
        insert(client, name, rows)
        yield name
    finally:
        clickhouse.command(client, f"DROP DATABASE IF EXISTS {name}", "Dropping")
        client.close()


def insert(client: Client, database: str, rows: Sequence[dict[str, Any]]) -> None:
    """Put these figures into the table of an audience."""
    values = ", ".join(f"({', '.join(map(_literal, row.values()))})" for row in rows)
    clickhouse.command(client, f"INSERT INTO {database}.cijfers ({', '.join(_PLAIN)}) VALUES {values}", "Inserting")


def _literal(value: Any) -> str:
    return "NULL" if value is None else f"'{value}'" if isinstance(value, str) else str(value)
