"""Rows of the monitor to the records of ``sor.trajecten``, ``sor.metingen`` and ``sor.scores``."""

from __future__ import annotations

from typing import Final

from msgspec.structs import asdict

from domain.care.rows import EMPTY, CareRow, RowKey
from domain.field.definitions import SHIPPED, Definitions
from schemas.codec import Record

#: Column that the number of a row's key stands in, by table.
_NUMBER: Final = ("traject", "meting", "score")


def row_to_record(
    key: RowKey,
    row: CareRow | None,
    client: str,
    *,
    emmer: int,
    version: int,
    newest: int,
    definitions: Definitions = SHIPPED,
) -> Record:
    """The record of a row; ``row`` None: it is taken back. ``newest``: ms, publication of its newest event.

    ``client`` is its name within the provider of the row and ``emmer`` its bucket: no row carries a pseudonym.
    """
    record = asdict(row if row is not None else EMPTY[key.table])
    record["aanbieder"], record["gemeente"], record["jaar"] = key.aanbieder, key.gemeente, key.jaar
    record[_NUMBER[key.table]] = key.number.hex()
    record["version"] = version
    record["verwijderd"] = row is None
    record["client"], record["emmer"] = client, emmer
    record["definitie_versie"] = definitions.version
    record["gebeurd_op"] = newest
    return record
