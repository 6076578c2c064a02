"""The records of a batch into one table, the fast way where it can be trusted and the checked way where it must be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import structlog

from schemas.codec import IdSource
from sinks import measure
from sinks.batch import Held
from sinks.clickhouse import RefusedError
from sinks.contract import Contract
from sinks.tables import Table
from sinks.writer import Writer

log = structlog.get_logger()

#: Up to so many records of a table are all decoded before they are inserted; of more, so many are.
DECODED: Final = 500


class Inserts:
    """Inserts records through ``writer``.

    *Checked*: every record is decoded, the newest row of each key goes in as columns. What is no record is found before
    anything is inserted. That is 15 µs a row, and fast enough for the rows that a day brings.

    *As they are*: a larger batch, such as after a stop or in a replay, goes in as one Avro container, which costs a
    tenth. A sample is decoded first, so a stage that writes something else is found. A single damaged record makes
    ClickHouse refuse the container; then the batch takes the checked way, which finds the record. Two things are not
    seen this way, unless in the sample: bytes behind a whole record, and numbers too large for their column.
    """

    def __init__(
        self, writer: Writer, tables: Sequence[Table], ids: IdSource | None = None, decoded: int = DECODED
    ) -> None:
        self._writer, self._decoded = writer, decoded
        self._contracts = {table.topic: Contract(table, ids) for table in tables}

    def insert(self, table: Table, held: Sequence[Held]) -> None:
        """Insert; returns when the rows can be queried.

        Raises:
            UnavailableError: try the same again later.
            RefusedError: the table does not take these rows.
            MustStopError: a value is no record; the message has its coordinates.
        """
        if sum(len(partition.values) for partition in held) <= self._decoded:
            self._checked(table, held)
            return
        contract = self._contracts[table.topic]
        with measure.decoding():
            sample = contract.sample(held, self._decoded)
        containers = contract.containers(held)
        if containers is None:
            self._checked(table, held)
            return
        try:
            for one in containers:
                self._writer.insert_container(table, one, sample)
        except RefusedError as error:
            if error.code is None:
                raise
            log.warning("%s Decoding every record of this batch to find out why.", error)
            self._checked(table, held)

    def _checked(self, table: Table, held: Sequence[Held]) -> None:
        with measure.decoding():
            rows = self._contracts[table.topic].rows(held)
        self._writer.insert(table, rows)
