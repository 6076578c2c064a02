"""Rows into ClickHouse: one columnar insert per table, confirmed by count. Knows no Kafka."""

from __future__ import annotations

import time
from collections.abc import Sequence
from operator import itemgetter
from typing import Any, Final

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ProgrammingError

from schemas.codec import Record
from sinks import clickhouse, measure
from sinks.clickhouse import Access, RefusedError
from sinks.tables import Table

#: The insert is on disk when it returns, and the answer waits for the count of rows.
SETTINGS: Final[dict[str, Any]] = {"async_insert": 0, "wait_end_of_query": 1}


class Writer:
    """Inserts rows. Connects when first needed, and again after an error."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._client: Client | None = None
        self._contexts: dict[str, Any] = {}

    def check(self, tables: Sequence[Table]) -> None:
        """Connect and see that every table has every column.

        Raises:
            UnavailableError: ClickHouse cannot be reached now.
            RefusedError: a table or column is missing, or the user may not connect.
        """
        for table in tables:
            self._context(table)

    def insert(self, table: Table, rows: Sequence[Record]) -> None:
        """Insert rows (decoded records: dates are day numbers, times milliseconds); returns when they can be queried.

        An insert that failed after the server took it may be repeated: equal rows of a key collapse.

        Raises:
            UnavailableError: try the same rows again later.
            RefusedError: the table does not take these rows, or took another number of them than were sent. (A
                materialised view on the table would be counted too: there must be none.)
        """
        if not rows:
            return
        started = time.perf_counter()
        context = self._context(table)
        context.data = list(zip(*map(itemgetter(*table.columns), rows), strict=True))
        try:
            with clickhouse.told_apart(f"Inserting into {table.name}"):
                written = self._connected().data_insert(context).written_rows
        except BaseException:
            self.close()
            raise
        if written != len(rows):
            raise RefusedError(
                f"Table {table.name}: {len(rows)} rows were sent and {written} written; nothing is committed."
            )
        measure.inserted(table, rows, time.perf_counter() - started)

    def close(self) -> None:
        """Let go of the connection; the next insert makes a new one."""
        if self._client is not None:
            self._client.close()
        self._client = None
        self._contexts.clear()

    def _connected(self) -> Client:
        if self._client is None:
            self._client = clickhouse.connect(self._access)
        return self._client

    def _context(self, table: Table) -> Any:
        """Column names and types of a table, asked once per connection."""
        if table.name not in self._contexts:
            client = self._connected()
            with clickhouse.told_apart(f"Reading the columns of {table.name}"):
                try:
                    self._contexts[table.name] = client.create_insert_context(
                        table.name, table.columns, column_oriented=True, settings=SETTINGS
                    )
                except ProgrammingError:
                    raise RefusedError(f"Table {table.name} lacks a column of its contract: run sor migrate.") from None
        return self._contexts[table.name]
