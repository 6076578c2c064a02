"""ClickHouse on one machine, as its clients see it: clickhouse-connect, curl and concurrent users."""

from __future__ import annotations

import gzip
import json
import math
import secrets
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import clickhouse_connect
import lz4.frame
import pytest
import urllib3
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

pytestmark = pytest.mark.clickhouse
ROWS = 100_000


@pytest.fixture
def connect(gateway: Any) -> Iterator[Callable[..., Client]]:
    """A function that connects as a user and closes behind the test."""
    opened: list[Client] = []

    def new(user: str = "admin", **options: Any) -> Client:
        opened.append(
            clickhouse_connect.get_client(dsn=gateway.url, username=user, password=gateway.users[user], **options)
        )
        return opened[-1]

    yield new
    for client in opened:
        client.close()


@pytest.fixture
def database(connect: Callable[..., Client]) -> Iterator[str]:
    """An empty database of this test that the reader may read."""
    name = f"sor_{secrets.token_hex(4)}"
    client = connect()
    client.command(f"CREATE DATABASE {name}")
    yield name
    client.command(f"DROP DATABASE {name}")


@pytest.fixture
def table(connect: Callable[..., Client], database: str) -> str:
    """An empty table in it."""
    connect().command(
        f"CREATE TABLE {database}.t (id UInt32, naam String, moment DateTime64(3, 'UTC'), nut Nullable(Float64)) "
        "ENGINE = MergeTree ORDER BY id SETTINGS non_replicated_deduplication_window = 100"
    )
    return f"{database}.t"


@pytest.fixture
def ask(gateway: Any) -> Callable[..., urllib3.BaseHTTPResponse]:
    """Raw HTTP, as curl does it."""
    pool = urllib3.PoolManager()

    def send(
        body: bytes | None = None, user: str = "admin", headers: dict[str, str] | None = None, **parameters: str
    ) -> urllib3.BaseHTTPResponse:
        credentials = {"X-ClickHouse-User": user, "X-ClickHouse-Key": gateway.users[user]}
        return pool.request(
            "GET" if body is None else "POST",
            f"{gateway.url}/?{urlencode(parameters)}",
            body=body,
            headers={**credentials, **(headers or {})},
            retries=False,
        )

    return send


def _columns(rows: int, first: int = 0) -> list[list[Any]]:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    return [
        list(range(first, first + rows)),
        [f"traject {number}" for number in range(rows)],
        [moment] * rows,
        [None if number % 3 else 0.5 for number in range(rows)],
    ]


NAMES = ["id", "naam", "moment", "nut"]


@pytest.mark.parametrize("compress", ["lz4", "zstd", "gzip", False])
def test_every_row_of_an_insert_is_written(connect: Callable[..., Client], table: str, compress: str | bool) -> None:
    summary = connect("sink", compress=compress).insert(table, _columns(ROWS), NAMES, column_oriented=True)
    assert summary.written_rows == ROWS
    found = (
        connect()
        .query(f"SELECT count(), sum(id), countIf(nut IS NULL), toString(any(moment)) FROM {table}")
        .result_rows[0]
    )
    assert found == (ROWS, math.comb(ROWS, 2), ROWS - math.ceil(ROWS / 3), "2026-01-01 00:00:00.000")


def test_a_client_meets_a_server_in_utc(connect: Callable[..., Client]) -> None:
    client = connect()
    assert client.server_version
    assert client.server_tz.tzname(None) == "UTC"
    assert client.command("SELECT 1") == 1
    assert client.ping()
    settings = {"compatibility": "26.8", "do_not_merge_across_partitions_select_final": "1"}
    for name, value in settings.items():
        assert client.server_settings[name].value == value


def test_results_come_back_whole_in_a_stream_and_empty(connect: Callable[..., Client], table: str) -> None:
    client = connect()
    client.insert(table, _columns(ROWS), NAMES, column_oriented=True)
    assert client.query(f"SELECT id FROM {table} ORDER BY id").result_columns[0] == list(range(ROWS))
    with client.query_row_block_stream(f"SELECT * FROM {table}") as blocks:
        assert sum(len(block) for block in blocks) == ROWS
    assert client.query(f"SELECT * FROM {table} LIMIT 0").column_names == tuple(NAMES)
    assert client.query(f"SELECT * FROM {table} WHERE id > 1e9").result_rows == []


@pytest.mark.parametrize("form", [False, True], ids=["url", "form"])
def test_parameters_arrive_as_they_were_given(connect: Callable[..., Client], form: bool) -> None:
    odd = "it's a \\ tab\t line\n 'quote' é; -- no comment"
    asked = "SELECT {n:UInt8} + 1, {s:String}, {l:Array(String)}"
    result = connect(form_encode_query_params=form).query(asked, parameters={"n": 3, "s": odd, "l": [odd, ""]})
    assert result.result_rows == [(4, odd, [odd, ""])]


def test_settings_and_database_belong_to_one_request(connect: Callable[..., Client], table: str, database: str) -> None:
    client = connect(database=database)
    assert client.command("SELECT currentDatabase()") == database
    assert client.command("SELECT getSetting('max_threads')", settings={"max_threads": 1}) == 1
    assert connect().command("SELECT currentDatabase()") == "default"
    assert client.command("EXISTS t") == 1


def test_a_repeated_insert_with_one_token_counts_once(connect: Callable[..., Client], table: str) -> None:
    client = connect("sink")
    for _attempt in range(2):
        client.insert(table, _columns(10), NAMES, column_oriented=True, settings={"insert_deduplication_token": "a:1"})
    assert client.command(f"SELECT count() FROM {table}") == 10


@pytest.mark.parametrize(
    ("query", "code", "name"),
    [("SELECT * FROM nowhere", 60, "UNKNOWN_TABLE"), ("SELEC 1", 62, "SYNTAX_ERROR"), ("SELECT 1; SELECT 2", 62, "")],
)
def test_an_error_is_clickhouses_own(connect: Callable[..., Client], query: str, code: int, name: str) -> None:
    with pytest.raises(DatabaseError, match=rf"(?s)Code: {code}\. DB::Exception: .*{name}") as caught:
        connect().query(query)
    assert caught.value.code == code


def test_a_failed_insert_writes_nothing(
    ask: Callable[..., urllib3.BaseHTTPResponse], connect: Callable[..., Client], table: str
) -> None:
    answer = ask(f"INSERT INTO {table} (id, naam) FORMAT TSV\n1\tgoed\nfout\tfout\n".encode())
    assert (answer.status, answer.headers["X-ClickHouse-Exception-Code"]) == (400, "27")
    rows = "".join(f"{number}\tgoed\n" for number in range(20_000)).encode()
    first = lz4.frame.compress(f"INSERT INTO {table} (id, naam) FORMAT TSV\n".encode() + rows)
    answer = ask(first + lz4.frame.compress(rows)[:-4], headers={"Content-Encoding": "lz4"})
    assert (answer.status, answer.headers["X-ClickHouse-Exception-Code"]) == (400, "117")
    assert connect().command(f"SELECT count() FROM {table}") == 0


def test_a_query_that_fails_halfway_never_looks_complete(ask: Callable[..., urllib3.BaseHTTPResponse]) -> None:
    sql = b"SELECT number, throwIf(number = 5000000) FROM numbers(10000000) SETTINGS max_threads = 1"
    with pytest.raises(urllib3.exceptions.HTTPError):
        ask(sql, default_format="TabSeparated")


def test_curl_without_a_word_about_formats(ask: Callable[..., urllib3.BaseHTTPResponse]) -> None:
    answer = ask(b"SELECT 1 AS een, 'x'")
    assert (answer.status, answer.data) == (200, b"1\tx\n")
    assert answer.headers["X-ClickHouse-Format"] == "TabSeparated"
    assert answer.headers["X-ClickHouse-Timezone"] == "UTC"
    assert json.loads(answer.headers["X-ClickHouse-Summary"])["result_rows"] == "1"
    assert ask(None, query="SELECT 2").data == b"2\n"
    assert ask(b" 3", query="SELECT").data == b"3\n"
    assert json.loads(ask(b"SELECT 4 AS vier", default_format="JSON").data)["data"] == [{"vier": 4}]


def test_a_statement_without_result_names_no_format(
    ask: Callable[..., urllib3.BaseHTTPResponse], database: str
) -> None:
    answer = ask(f"CREATE TABLE {database}.q (a Int8) ENGINE = Memory".encode())
    assert (answer.status, answer.data) == (200, b"")
    assert "X-ClickHouse-Format" not in answer.headers


def test_get_changes_nothing(ask: Callable[..., urllib3.BaseHTTPResponse], database: str) -> None:
    answer = ask(None, query=f"CREATE TABLE {database}.q (a Int8) ENGINE = Memory")
    assert (answer.status, answer.headers["X-ClickHouse-Exception-Code"]) == (500, "164")


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("INSERT INTO {} (id, naam) FORMAT CSV", b"1,een\n2,twee\n"),
        ("", b"INSERT INTO {} (id, naam) FORMAT JSONEachRow\n" + b'{"id":1,"naam":"een"}\n{"id":2,"naam":"twee"}'),
        ("INSERT INTO {} (id, naam) VALUES", b"(1, 'een'), (2, 'twee')"),
        ("INSERT INTO {} (id, naam) VALUES (1, 'een'), (2, 'twee')", b""),
        ("INSERT INTO {} (id, naam) SELECT number, 'x' FROM numbers(2)", b""),
        ("WITH q AS (SELECT 1 AS id) INSERT INTO {} (id) SELECT id FROM q UNION ALL SELECT 2", b""),
    ],
)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_inserts_by_hand(
    ask: Callable[..., urllib3.BaseHTTPResponse], table: str, query: str, body: bytes, packed: bool
) -> None:
    body = body.replace(b"{}", table.encode())
    headers = {"Content-Encoding": "gzip"} if packed and body else {}
    parameters = {"query": query.format(table)} if query else {}
    answer = ask(gzip.compress(body) if headers else body, headers=headers, **parameters)
    assert answer.status == 200, answer.data
    assert json.loads(answer.headers["X-ClickHouse-Summary"])["written_rows"] == "2"
    assert ask(f"SELECT count() FROM {table}".encode()).data == b"2\n"


def test_a_wide_table_and_a_long_head(ask: Callable[..., urllib3.BaseHTTPResponse], database: str) -> None:
    """The statement alone is larger than what is looked at first."""
    names = [f"kolom_met_een_lange_naam_{number}" for number in range(3000)]
    ask(f"CREATE TABLE {database}.w ({','.join(n + ' UInt8' for n in names)}) ENGINE = Memory".encode())
    row = "\t".join("1" for _ in names)
    answer = ask(f"INSERT INTO {database}.w ({','.join(names)}) FORMAT TSV\n{row}\n".encode())
    assert json.loads(answer.headers["X-ClickHouse-Summary"])["written_rows"] == "1", answer.data


def test_the_block_compression_of_clickhouse_is_refused_with_the_way_out(
    ask: Callable[..., urllib3.BaseHTTPResponse],
) -> None:
    answer = ask(b"SELECT 1", compress="1")
    assert answer.status == 501
    assert b"Content-Encoding lz4, zstd or gzip" in answer.data


def test_the_greeting_of_clickhouse_go(
    ask: Callable[..., urllib3.BaseHTTPResponse], connect: Callable[..., Client]
) -> None:
    version = connect().server_version or ""
    greeting = b"SELECT displayName(), version(), revision(), timezone()"
    answer = ask(greeting, default_format="Native", client_protocol_version="54483")
    assert answer.data.startswith(b"\x01\x00\x02\xff\xff\xff\xff\x00\x04\x01\x0ddisplayName()\x06String\x00\x03SOR")
    assert bytes([len(version)]) + version.encode() in answer.data
    assert answer.data.endswith(b"\x06UInt32\x00\x00\x00\x00\x00\x0atimezone()\x06String\x00\x03UTC")
    assert answer.headers["X-ClickHouse-Format"] == "Native"


def test_ping_needs_no_password_and_all_else_does(gateway: Any) -> None:
    pool = urllib3.PoolManager()
    assert pool.request("GET", f"{gateway.url}/ping").data == b"Ok.\n"
    answer = pool.request("POST", f"{gateway.url}/", body=b"SELECT 1")
    assert (answer.status, answer.headers["X-ClickHouse-Exception-Code"]) == (401, "516")
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


def test_a_wrong_password_is_told_as_clickhouse_does(gateway: Any) -> None:
    with pytest.raises(DatabaseError, match="AUTHENTICATION_FAILED") as caught:
        clickhouse_connect.get_client(dsn=gateway.url, username="admin", password="wrong")  # noqa: S106
    assert caught.value.code == 516


def test_eight_readers_while_rows_arrive(connect: Callable[..., Client], table: str) -> None:
    """Every reader sees whole inserts only, and never fewer rows than before."""
    batches, size = 20, 1000
    done = threading.Event()

    def read() -> int:
        client, seen = connect("grafana"), 0
        while True:
            last = done.is_set()
            now = int(client.command(f"SELECT count() FROM {table}"))  # type: ignore[arg-type]
            assert now >= seen
            assert now % size == 0
            seen = now
            if last:
                return seen

    with ThreadPoolExecutor(8) as pool:
        readers = [pool.submit(read) for _ in range(8)]
        writer = connect("sink")
        try:
            for first in range(0, batches * size, size):
                assert writer.insert(table, _columns(size, first), NAMES, column_oriented=True).written_rows == size
        finally:
            done.set()
        assert [reader.result() for reader in readers] == [batches * size] * 8


def test_who_goes_in_the_middle_leaves_no_traceback(gateway: Any) -> None:
    """Of the question: half a body; of the answer: more than fits the socket. Both by a reset."""
    if gateway.home is None:
        pytest.skip("the log of a server of somebody else")
    host, port = gateway.url.removeprefix("http://").split(":")
    head = f"X-ClickHouse-User: admin\r\nX-ClickHouse-Key: {gateway.users['admin']}\r\nHost: x\r\n"
    half = f"POST / HTTP/1.1\r\n{head}Content-Length: 1000\r\n\r\nSELECT "
    whole = f"GET /?query=SELECT+number+FROM+numbers(20000000) HTTP/1.1\r\n{head}\r\n"
    for asked in (half, whole):
        with socket.create_connection((host, int(port)), timeout=10) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closing is a reset
            probe.sendall(asked.encode())
            time.sleep(0.5)
    time.sleep(1)
    logs = "".join(path.read_text(errors="replace") for path in gateway.home.rglob("*.log"))
    assert logs.count("whoever asked has gone") >= 2
    assert "Traceback" not in logs
    assert "Error handling request" not in logs
