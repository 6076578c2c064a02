"""Rows into ClickHouse, confirmed by count: as columns, or as the Avro records that they came as. Knows no Kafka."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from operator import itemgetter
from typing import Any, Final

import lz4.frame
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ProgrammingError

from schemas.codec import Record
from sinks import clickhouse, measure
from sinks.access import Access
from sinks.clickhouse import RefusedError
from sinks.contract import Container
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
        with self._inserting(table):
            written = self._connected().data_insert(context).written_rows
        _compare(table, len(rows), written)
        measure.inserted(table, len(rows), rows, time.perf_counter() - started)

    def insert_container(self, table: Table, container: Container, sample: Sequence[Record]) -> None:
        """Insert Avro records; ClickHouse finds the columns by name and skips fields without one.

        ``sample`` are some of the rows, decoded, for what is measured. Of several versions of a key the table's engine
        keeps the highest. A number that does not fit its column is cut off to the column's bits, as ClickHouse does.

        Raises:
            UnavailableError, RefusedError: as for ``insert``. Records that the server cannot read are refused whole.
        """
        started = time.perf_counter()
        with self._inserting(table):
            summary = self._connected().raw_insert(
                table.name, table.columns, lz4.frame.compress(container.data), fmt="Avro", compression="lz4",
                settings={**SETTINGS, **container.settings},
            )  # fmt: skip
        _compare(table, container.rows, summary.written_rows)
        measure.inserted(table, container.rows, sample, time.perf_counter() - started)

    def close(self) -> None:
        """Let go of the connection; the next insert makes a new one."""
        if self._client is not None:
            self._client.close()
        self._client = None
        self._contexts.clear()

    @contextmanager
    def _inserting(self, table: Table) -> Iterator[None]:
        """After any failure the next insert gets a new connection."""
        try:
            with clickhouse.told_apart(f"Inserting into {table.name}"):
                yield
        except BaseException:
            self.close()
            raise

    def _connected(self) -> Client:
        if self._client is None:
            self._client = clickhouse.connect(self._access, answer_seconds=clickhouse.INSERT_SECONDS)
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


def _compare(table: Table, sent: int, written: int) -> None:
    if written != sent:
        raise RefusedError(f"Table {table.name}: {sent} rows were sent and {written} written; nothing is committed.")
