"""ClickHouse over HTTP: one client, and errors told apart by number, never by text.

A text of ClickHouse may quote data, so only its code and name go into messages of ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import (
    ClickHouseError,
    DataError,
    IntegrityError,
    NotSupportedError,
    ProgrammingError,
)

from faults import OperatorFault
from monitoring import logs
from sinks.access import Access

# The driver logs a traceback, with the query's address, for what becomes one sentence here.
logs.quiet("CRITICAL", "clickhouse_connect")
logs.quiet("ERROR", "urllib3.connectionpool")

CONNECT_SECONDS: Final = 5
ANSWER_SECONDS: Final = 60
#: Of an insert, which takes a second or two: a server that has gone without a word is asked again after this.
INSERT_SECONDS: Final = 20

#: Server errors that pass by themselves: try again. Any other code is a fault of ours or of the operator: stop.
PASSING: Final[dict[int, str]] = {
    95: "CANNOT_READ_FROM_SOCKET",
    159: "TIMEOUT_EXCEEDED",
    160: "TOO_SLOW",
    198: "DNS_ERROR",
    201: "QUOTA_EXCEEDED",
    202: "TOO_MANY_SIMULTANEOUS_QUERIES",
    203: "NO_FREE_CONNECTION",
    209: "SOCKET_TIMEOUT",
    210: "NETWORK_ERROR",
    225: "NO_ZOOKEEPER",
    236: "ABORTED",
    241: "MEMORY_LIMIT_EXCEEDED",
    242: "TABLE_IS_READ_ONLY",
    243: "NOT_ENOUGH_SPACE",
    252: "TOO_MANY_PARTS",
    279: "ALL_CONNECTION_TRIES_FAILED",
    285: "TOO_FEW_LIVE_REPLICAS",
    319: "UNKNOWN_STATUS_OF_INSERT",
    364: "RECEIVED_ERROR_TOO_MANY_REQUESTS",
    394: "QUERY_WAS_CANCELLED",
    439: "CANNOT_SCHEDULE_TASK",
    473: "DEADLOCK_AVOIDED",
    499: "S3_ERROR",
    733: "TABLE_IS_BEING_RESTARTED",
    745: "SERVER_OVERLOADED",
    999: "KEEPER_EXCEPTION",
}

#: Server errors with something to say beyond their name.
_ADVICE: Final[dict[int, str]] = {
    16: "A column is missing: run sor migrate.",
    60: "A table is missing: run sor migrate.",
    81: "The database is missing: run sor migrate.",
    192: "Check the user and its password file.",
    193: "Check the user and its password file.",
    194: "Check the user and its password file.",
    497: "The user lacks a right: check its role.",
    516: "Check the user and its password file.",
}
#: Raised by the client itself, about what we gave it.
_OURS: Final = (DataError, IntegrityError, NotSupportedError, ProgrammingError)


class UnavailableError(OperatorFault):
    """ClickHouse cannot take it now; the same again later may succeed."""


class RefusedError(OperatorFault):
    """ClickHouse will never take it: a fault of ours or of the operator. The message says what to do.

    ``code`` is the server's error number; None when it is not the server that refuses.
    """

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


@contextmanager
def told_apart(doing: str) -> Iterator[None]:
    """Turns errors of the driver into ``UnavailableError`` or ``RefusedError``; ``doing`` opens the sentence."""
    try:
        yield
    except ClickHouseError as error:
        code, name = getattr(error, "code", None), getattr(error, "name", None)
        if code is None and not isinstance(error, _OURS):
            raise UnavailableError(f"{doing}: ClickHouse cannot be reached ({type(error).__name__}).") from None
        if code in PASSING:
            raise UnavailableError(f"{doing}: ClickHouse error {code} ({PASSING[code]}).") from None
        if code is None:
            raise RefusedError(f"{doing}: the client refuses what we gave it ({type(error).__name__}).") from None
        raise RefusedError(
            f"{doing}: ClickHouse error {code} ({name or 'unnamed'}). {_ADVICE.get(code, '')}".strip(), code
        ) from None


def connect(access: Access, *, in_database: bool = True, answer_seconds: int = ANSWER_SECONDS) -> Client:
    """A client of its own; with ``in_database`` False without naming the database, which need not exist then.
    ``answer_seconds``: how long an answer is waited for.

    Raises:
        UnavailableError: nobody answers now.
        RefusedError: a wrong password, a missing database.
    """
    parts = urlsplit(access.url)
    with told_apart(f"Connecting to {parts.hostname}:{parts.port}"):
        return clickhouse_connect.get_client(
            host=parts.hostname,
            port=parts.port or (8443 if parts.scheme == "https" else 8123),
            secure=parts.scheme == "https",
            username=access.user,
            password=access.password,
            database=access.database if in_database else "default",
            connect_timeout=CONNECT_SECONDS,
            send_receive_timeout=answer_seconds,
            autogenerate_session_id=False,
            show_clickhouse_errors="scrub",
            compress="lz4",
        )


def select(client: Client, query: str, parameters: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
    """Rows of a query."""
    with told_apart("Reading"):
        return [tuple(row) for row in client.query(query, parameters=parameters).result_rows]


def command(client: Client, statement: str, doing: str) -> None:
    """Run a statement that gives no rows."""
    with told_apart(doing):
        client.command(statement)
