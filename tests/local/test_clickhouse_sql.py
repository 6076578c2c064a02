"""Where an INSERT's data begin, what a statement is, which format it asks for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.clickhouse.sql import gives_result, has_one_statement, insert_head, keyword, output_format


@pytest.mark.parametrize(
    ("statement", "word"),
    [
        (b"select 1", b"SELECT"),
        (b"  -- note\n /* x */ SELECT 1", b"SELECT"),
        (b"((select 1))", b"SELECT"),
        (b"with x as (insert) select 1", b"SELECT"),
        (b"WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a", b"INSERT"),
        (b"Insert into t values", b"INSERT"),
        (b"create table t", b"CREATE"),
        (b"", b""),
        (b"-- only a note", b""),
    ],
)
def test_keyword(statement: bytes, word: bytes) -> None:
    assert keyword(statement) == word


@pytest.mark.parametrize(
    ("body", "statement", "data_format", "data"),
    [
        (b"INSERT INTO t FORMAT Native\n\x01\x02", b"INSERT INTO t ", "Native", b"\x01\x02"),
        (b"INSERT INTO t FORMAT TSV\r\na\tb", b"INSERT INTO t ", "TSV", b"a\tb"),
        (b"INSERT INTO t FORMAT TSV \n\nx", b"INSERT INTO t ", "TSV", b"\nx"),
        (b'insert into t (a, "format") format CSV 1,2', b'insert into t (a, "format") ', "CSV", b"1,2"),
        (b"INSERT INTO `format`.`a b` (x) FORMAT TSV\n1", b"INSERT INTO `format`.`a b` (x) ", "TSV", b"1"),
        (b"INSERT INTO t SETTINGS x='FORMAT' FORMAT CSV\n1", b"INSERT INTO t SETTINGS x='FORMAT' ", "CSV", b"1"),
        (b"INSERT INTO t /* FORMAT CSV */ VALUES (1)", b"INSERT INTO t /* FORMAT CSV */ ", "Values", b" (1)"),
        (b"INSERT INTO t VALUES ('FORMAT TSV\n')", b"INSERT INTO t ", "Values", b" ('FORMAT TSV\n')"),
        (b"INSERT INTO t FORMAT Native", b"INSERT INTO t ", "Native", b""),
    ],
)
def test_data_begin_behind_the_format(body: bytes, statement: bytes, data_format: str, data: bytes) -> None:
    head = insert_head(body, True, "Values")
    assert head is not None
    assert (head.statement, head.input_format, body[head.data_start :]) == (statement, data_format, data)


@pytest.mark.parametrize(
    ("body", "table", "reaches_out", "data_format"),
    [
        (b"INSERT INTO sor.t FORMAT CSV\n", b"sor.t", False, "CSV"),
        (b"INSERT INTO TABLE sor . t (a) FORMAT CSV\n", b"sor", False, "CSV"),
        (b"INSERT INTO TABLE FUNCTION file('x') FORMAT CSV\n", b"file", True, "CSV"),
        (b"INSERT INTO FUNCTION url('x') SELECT 1", b"url", True, None),
        (b"INSERT INTO t FROM INFILE 'x' FORMAT CSV", b"t", True, None),
        (b"INSERT INTO t (a) SELECT 1 FORMAT CSV", b"t", False, None),
        (b"INSERT INTO t (SELECT 1)", b"t", False, None),
        (b"INSERT INTO t WITH x AS (SELECT 1) SELECT * FROM x", b"t", False, None),
    ],
)
def test_target_of_an_insert(body: bytes, table: bytes, reaches_out: bool, data_format: str | None) -> None:
    head = insert_head(body, True, "Values")
    assert head is not None
    assert (head.table, head.reaches_out, head.input_format) == (table, reaches_out, data_format)


def test_no_format_takes_the_default() -> None:
    head = insert_head(b"INSERT INTO t", True, "JSONEachRow")
    assert head is not None
    assert head.input_format == "JSONEachRow"


@given(st.integers(0, 40))
def test_a_head_that_is_cut_off_is_never_guessed(cut: int) -> None:
    body = b"INSERT INTO sor.t (`a`) FORMAT Native\n"
    assert insert_head(body[:cut], False, "Values") is None


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        (b"SELECT 1 FORMAT JSON", "JSON"),
        (b"SELECT 1\n format Native ; ", "Native"),
        (b"SELECT 1 FORMAT TSV SETTINGS max_threads = 1", "TSV"),
        (b"SELECT 1 FORMAT TSV -- really", "TSV"),
        (b"SELECT format FROM t", None),
        (b"SELECT 'FORMAT JSON'", None),
        (b"SELECT * FROM (SELECT 1 FORMAT JSON)", None),
        (b"SELECT 1 AS format", None),
    ],
)
def test_output_format(statement: bytes, found: str | None) -> None:
    assert output_format(statement) == found


def test_a_semicolon_is_harmless_only_at_the_end() -> None:
    assert has_one_statement(b"SELECT 1 ;\n")
    assert not has_one_statement(b"SELECT 1; SELECT 2")
    assert not has_one_statement(b"SELECT ';' AS doubt")


def test_control_statements_give_no_result() -> None:
    assert gives_result(b"SHOW")
    assert not gives_result(b"CREATE")
    assert not gives_result(b"INSERT")
