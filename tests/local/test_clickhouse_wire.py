"""Bytes and texts of the protocol, as clients parse them."""

from __future__ import annotations

import json

import pytest

from local.clickhouse.wire import QueryFault, content_type, hello_answer, is_hello, summary_header


def test_the_answer_to_the_greeting_of_clickhouse_go_to_the_byte() -> None:
    assert hello_answer("SOR", "26.9.2.1", "UTC") == (
        b"\x01\x00\x02\xff\xff\xff\xff\x00"
        b"\x04\x01"
        b"\x0ddisplayName()\x06String\x00\x03SOR"
        b"\x09version()\x06String\x00\x0826.9.2.1"
        b"\x0arevision()\x06UInt32\x00\x00\x00\x00\x00"
        b"\x0atimezone()\x06String\x00\x03UTC"
    )


def test_only_that_greeting_is_answered_by_hand() -> None:
    assert is_hello(b"SELECT displayName(), version(), revision(), timezone()")
    assert is_hello(b" select displayName(),\n version(), revision(), timezone();\n")
    assert not is_hello(b"SELECT version(), timezone()")


@pytest.mark.parametrize(
    ("text", "code", "name", "status"),
    [
        ("Code: 60. DB::Exception: Table x. (UNKNOWN_TABLE)", 60, "UNKNOWN_TABLE", 404),
        ("Code: 62. DB::Exception: Bad. (SYNTAX_ERROR)", 62, "SYNTAX_ERROR", 400),
        ("Streaming insert finish failed: Code: 27. DB::Exception: x (A_B) (version 1.2)", 27, "A_B", 500),
        ("out of luck", 1001, "STD_EXCEPTION", 500),
    ],
)
def test_an_error_of_the_engine(text: str, code: int, name: str, status: int) -> None:
    error = QueryFault.from_engine(RuntimeError(text))
    assert (error.code, error.name, error.status) == (code, name, status)
    assert error.body("1.2").count(b"(version 1.2)") == 1
    assert error.body("1.2").startswith(f"Code: {code}. DB::Exception: ".encode())


def test_the_summary_holds_numbers_as_strings() -> None:
    summary = json.loads(summary_header({"written_rows": 3}))
    assert summary["written_rows"] == "3"
    assert summary["read_rows"] == "0"
    assert all(isinstance(value, str) for value in summary.values())


@pytest.mark.parametrize(
    ("output_format", "kind"),
    [
        ("TabSeparatedWithNames", "text/tab-separated-values; charset=UTF-8"),
        ("JSON", "application/json; charset=UTF-8"),
        ("JSONEachRow", "application/x-ndjson; charset=UTF-8"),
        ("Native", "application/octet-stream"),
        ("PrettyCompact", "text/plain; charset=UTF-8"),
    ],
)
def test_content_type(output_format: str, kind: str) -> None:
    assert content_type(output_format) == kind
