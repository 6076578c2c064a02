"""What ClickHouse's HTTP protocol says in bytes: errors with their status, the answer to a Go client's greeting, the
summary header, content types.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from faults import SenderFault

TRANSPORT_PARAMETERS = frozenset(
    {
        "add_http_cors_header",
        "buffer_size",
        "cancel_http_readonly_queries_on_client_close",
        "client_protocol_version",
        "close_session",
        "compress",
        "database",
        "decompress",
        "default_format",
        "enable_http_compression",
        "http_headers_progress_interval_ms",
        "http_zlib_compression_level",
        "password",
        "query",
        "query_id",
        "quota_key",
        "role",
        "send_progress_in_http_headers",
        "session_check",
        "session_id",
        "session_timeout",
        "stacktrace",
        "user",
        "wait_end_of_query",
    }
)
"""URL parameters that belong to the transport; any other is a setting of the engine, or ``param_<name>``."""

_CODE = re.compile(r"Code: (\d+)\.")
_NAME = re.compile(r"\(([A-Z][A-Z0-9_]+)\)")
#: HTTP status -> names of errors (ClickHouse's src/Server/HTTP/exceptionCodeToHTTPStatus.cpp); any other has 500.
_STATUS = {
    400: (
        "BAD_ARGUMENTS CANNOT_COMPILE_REGEXP CANNOT_PARSE_TEXT CANNOT_PARSE_ESCAPE_SEQUENCE "
        "CANNOT_PARSE_QUOTED_STRING CANNOT_PARSE_DATE CANNOT_PARSE_DATETIME CANNOT_PARSE_NUMBER "
        "CANNOT_PARSE_DOMAIN_VALUE_FROM_STRING CANNOT_PARSE_IPV4 CANNOT_PARSE_IPV6 CANNOT_PARSE_UUID "
        "CANNOT_PARSE_INPUT_ASSERTION_FAILED DUPLICATE_COLUMN ILLEGAL_COLUMN UNKNOWN_ELEMENT_IN_AST "
        "UNKNOWN_TYPE_OF_AST_NODE THERE_IS_NO_COLUMN TOO_DEEP_AST TOO_BIG_AST UNEXPECTED_AST_STRUCTURE "
        "SYNTAX_ERROR INCORRECT_DATA TYPE_MISMATCH VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE"
    ),
    403: "UNKNOWN_USER WRONG_PASSWORD AUTHENTICATION_FAILED SET_NON_GRANTED_ROLE ACCESS_DENIED",
    404: (
        "UNKNOWN_TABLE UNKNOWN_FUNCTION UNKNOWN_IDENTIFIER UNKNOWN_TYPE UNKNOWN_STORAGE UNKNOWN_DATABASE "
        "UNKNOWN_SETTING UNKNOWN_DIRECTION_OF_SORTING UNKNOWN_AGGREGATE_FUNCTION UNKNOWN_FORMAT "
        "UNKNOWN_DATABASE_ENGINE UNKNOWN_TYPE_OF_QUERY UNKNOWN_ROLE"
    ),
    408: "TIMEOUT_EXCEEDED",
    413: "QUERY_IS_TOO_LARGE TOO_MANY_BYTES",
    501: "NOT_IMPLEMENTED",
    503: "SOCKET_TIMEOUT CANNOT_OPEN_FILE CANNOT_SCHEDULE_TASK",
}
_STATUS_OF_NAME = {name: status for status, names in _STATUS.items() for name in names.split()}


class QueryFault(SenderFault):
    """An answer that is an error, as ClickHouse words it: ``Code: 497. DB::Exception: … (ACCESS_DENIED)``.

    ``code`` and ``name`` are ClickHouse's; the text goes to the client only, since it may quote data.
    """

    def __init__(self, code: int, name: str, message: str, status: int | None = None) -> None:
        super().__init__(f"Code: {code}. DB::Exception: {message} ({name})")
        self.code = code
        self.name = name
        self.status = status or _STATUS_OF_NAME.get(name, 500)

    @classmethod
    def from_engine(cls, error: RuntimeError) -> QueryFault:
        """The error behind an exception of the engine, whose text may carry words of the binding in front."""
        text = str(error)
        found = _CODE.search(text)
        if found is None:
            return cls(1001, "STD_EXCEPTION", text)
        names = _NAME.findall(text)
        result = cls(int(found[1]), names[-1] if names else "UNKNOWN_EXCEPTION", "")
        result.args = (text[found.start() :].strip(),)
        return result

    def body(self, version: str) -> bytes:
        """The response body, with the server's version as ClickHouse adds it."""
        text = str(self)
        return f"{text if '(version ' in text else f'{text} (version {version})'}\n".encode()


def is_hello(statement: bytes) -> bool:
    """Whether this is the first query of clickhouse-go, which only the hand-made answer below satisfies."""
    words = b"".join(statement.split()).rstrip(b";").lower()
    return words == b"selectdisplayname(),version(),revision(),timezone()"


def hello_answer(display_name: str, version: str, timezone: str) -> bytes:
    """One Native block of the newer protocol: block info, then per column one byte for its serialisation.

    ``revision()`` is 0 on purpose: the client takes it for every later block, and revision 0 is what the engine's plain
    Native output is.
    """
    columns = [
        ("displayName()", "String", _string(display_name)),
        ("version()", "String", _string(version)),
        ("revision()", "UInt32", (0).to_bytes(4, "little")),
        ("timezone()", "String", _string(timezone)),
    ]
    block_info = bytes.fromhex("010002ffffffff00")
    body = b"".join(_string(name) + _string(kind) + b"\x00" + value for name, kind, value in columns)
    return block_info + bytes([len(columns), 1]) + body


def _string(text: str) -> bytes:
    raw = text.encode()
    return _varint(len(raw)) + raw


def _varint(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def summary_header(counts: Mapping[str, int]) -> str:
    """``X-ClickHouse-Summary``: a JSON object whose numbers are strings."""
    names = ("read_rows", "read_bytes", "written_rows", "written_bytes", "result_rows", "result_bytes", "elapsed_ns")
    fields = {name: str(counts.get(name, 0)) for name in names}
    return json.dumps({**fields, "total_rows_to_read": "0", "memory_usage": "0"}, separators=(",", ":"))


def content_type(output_format: str) -> str:
    """Content-Type of a result in this format."""
    known = {"TabSeparated": "text/tab-separated-values", "TSV": "text/tab-separated-values", "CSV": "text/csv"}
    for prefix, kind in known.items():
        if output_format.startswith(prefix):
            return f"{kind}; charset=UTF-8"
    if output_format.startswith("JSON"):
        lines = "EachRow" in output_format
        return "application/x-ndjson; charset=UTF-8" if lines else "application/json; charset=UTF-8"
    if output_format.startswith(("Native", "RowBinary", "Arrow", "Parquet", "ORC", "Avro")):
        return "application/octet-stream"
    return "text/plain; charset=UTF-8"
