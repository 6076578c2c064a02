"""The migration of the windows of a row on the real engine: a row of before was made by those of before."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.care.rows import TrajectRow
from schemas import codec
from sinks.access import Access
from sinks.schema import migrate
from sinks.tables import TRAJECTEN, Table
from sinks.writer import Writer
from tests.conftest import RunningGateway
from tests.sinks.database import ask, fresh, quiet
from tests.sinks.rows import traject

NEW = ("opvolging_dagen", "respons_dagen")
BEFORE = 10  # migrations before it
OLD_TABLE = replace(TRAJECTEN, columns=tuple(column for column in TRAJECTEN.columns if column not in NEW))


def write(access: Access, table: Table, number: int, **windows: int) -> None:
    """A row as a sink that knows such a table writes it."""
    row = {column: value for column, value in traject(number, 1, **windows).items() if column in table.columns}
    writer = Writer(access)
    writer.insert(table, [row])
    writer.close()


@pytest.mark.clickhouse
def test_a_row_of_before_has_the_windows_of_before(gateway: RunningGateway) -> None:
    with fresh(gateway, BEFORE) as access:
        write(access, OLD_TABLE, 1)
        migrate.apply(access, quiet)
        write(access, OLD_TABLE, 2)  # a sink of before writes on
        write(access, TRAJECTEN, 3, opvolging_dagen=400, respons_dagen=0)
        for statement in migrate.load()[BEFORE].statements:  # done again it changes nothing
            ask(access, statement)
        found = ask(access, f"SELECT {', '.join(NEW)} FROM trajecten FINAL ORDER BY traject")
    assert found == [(365, 90), (365, 90), (400, 0)]


def test_contract_and_row_have_the_same_default() -> None:
    fields = {field["name"]: field for field in codec.load(TRAJECTEN.schema)["fields"]}
    assert {name: fields[name]["default"] for name in NEW} == {name: getattr(TrajectRow(), name) for name in NEW}
