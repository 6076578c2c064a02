"""The process: its data survive, its folder has one owner, each failure to start is one sentence."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import urllib3

from local.clickhouse.gateway import Gateway
from local.errors import StackError
from local.ports import free_port

pytestmark = pytest.mark.clickhouse
POOL = urllib3.PoolManager()
USERS = {"admin": "admin-password"}


def _gateway(home: Path, **options: Any) -> Gateway:
    return Gateway(home, free_port(), USERS, **options)


def _ask(gateway: Gateway, sql: str, **headers: str) -> urllib3.BaseHTTPResponse:
    credentials = {"X-ClickHouse-User": "admin", "X-ClickHouse-Key": USERS["admin"]}
    return POOL.request("POST", gateway.url, body=sql.encode(), headers={**credentials, **headers}, retries=False)


def _until(condition: Callable[[], bool], seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _fill(gateway: Gateway) -> None:
    for database in ("sor", "default"):
        if database != "default":
            assert _ask(gateway, f"CREATE DATABASE {database}").status == 200
        assert _ask(gateway, f"CREATE TABLE {database}.t (a UInt32) ENGINE = MergeTree ORDER BY a").status == 200
        assert _ask(gateway, f"INSERT INTO {database}.t SELECT number FROM numbers(1000)").status == 200


def _counts(gateway: Gateway) -> tuple[bytes, bytes]:
    return _ask(gateway, "SELECT count() FROM sor.t").data, _ask(gateway, "SELECT count() FROM default.t").data


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with two tables of 1,000 rows, made once; work on a copy."""
    home = tmp_path_factory.mktemp("filled")
    with _gateway(home) as gateway:
        _fill(gateway)
    return home


def _copy(filled: Path, home: Path) -> Path:
    shutil.copytree(filled / "clickhouse", home / "clickhouse", symlinks=True)
    return home / "clickhouse"


def test_rows_survive_kill_9(tmp_path: Path) -> None:
    first = _gateway(tmp_path)
    first.start()
    first.wait_ready()
    _fill(first)
    first.kill()
    with _gateway(tmp_path) as second:
        assert _counts(second) == (b"1000\n", b"1000\n")
        _ask(second, "INSERT INTO default.t VALUES (1)")
    with _gateway(tmp_path) as third:
        assert _counts(third) == (b"1000\n", b"1001\n")


def test_a_second_process_is_told_who_has_the_folder(tmp_path: Path) -> None:
    with (
        _gateway(tmp_path) as first,
        pytest.raises(StackError, match=rf"in use by process {first.pid}: stop that one first"),
        _gateway(tmp_path),
    ):
        pass


def test_a_taken_port_is_a_sentence(tmp_path: Path) -> None:
    with _gateway(tmp_path / "a") as first:
        other = Gateway(tmp_path / "b", int(first.url.rsplit(":", 1)[1]), {"admin": "another"})
        with pytest.raises(StackError, match=r"Port [0-9]+ of .* cannot be used"), other:
            pass


def _empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda data: shutil.rmtree(data / "metadata"), "databases in metadata/ are missing"),
        (lambda data: shutil.rmtree(data / "store"), "tables in store/ are missing"),
        (lambda data: _empty(data / "metadata" / "sor.sql"), "ClickHouse cannot open its data folder"),
        (lambda data: _empty(next((data / "store").glob("*/*/t.sql"))), "ClickHouse cannot open its data folder"),
        (lambda data: (shutil.rmtree(data), data.mkdir(), _empty(data / "x")), "files that are not ClickHouse's"),
    ],
    ids=["no metadata", "no store", "empty database", "empty table", "a strange folder"],
)
def test_a_half_written_folder_is_a_sentence(
    filled: Path, tmp_path: Path, damage: Callable[[Path], Any], sentence: str
) -> None:
    damage(_copy(filled, tmp_path))
    with pytest.raises(StackError, match=sentence), _gateway(tmp_path):
        pass


def test_damaged_rows_are_told_in_the_log(filled: Path, tmp_path: Path) -> None:
    _empty(next((_copy(filled, tmp_path) / "store").glob("*/*/all_*/data.bin")))
    with _gateway(tmp_path) as second:
        assert "1 damaged parts of tables were set aside" in second.log_path.read_text()


def test_sigterm_ends_it_in_order_while_a_query_runs(tmp_path: Path) -> None:
    gateway = _gateway(tmp_path)
    gateway.start()
    gateway.wait_ready()
    assert gateway.pid is not None
    process = psutil.Process(gateway.pid)
    with socket.create_connection(("127.0.0.1", int(gateway.url.rsplit(":", 1)[1]))) as connection:
        sql = b"SELECT sum(sleepEachRow(1)) FROM numbers(1000) SETTINGS max_block_size = 1"
        connection.sendall(
            b"POST / HTTP/1.1\r\nHost: x\r\nX-ClickHouse-User: admin\r\nX-ClickHouse-Key: admin-password\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(sql), sql)
        )
        running = "SELECT count() FROM system.processes WHERE query LIKE '%sleepEachRow%' AND elapsed > 0"
        assert _until(lambda: int(_ask(gateway, running).data) > 1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(14) == 0
    gateway.stop()
    with _gateway(tmp_path) as again:
        assert _ask(again, "SELECT 1").data == b"1\n"


def test_it_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from local.clickhouse.gateway import Gateway\n"
        "g = Gateway(Path(sys.argv[1]), int(sys.argv[2]), {'admin': 'x'}); g.start(); g.wait_ready()\n"
        "print(g.pid, flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", script, str(tmp_path), str(free_port())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        assert child.is_running()
        parent.kill()
    assert _until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_it_listens_on_this_machine_only(tmp_path: Path) -> None:
    with _gateway(tmp_path) as gateway:
        listening = [c for c in psutil.Process(gateway.pid).net_connections() if c.status == psutil.CONN_LISTEN]
        assert {c.laddr.ip for c in listening} == {"127.0.0.1"}


def test_neither_rows_nor_sql_nor_passwords_are_logged(tmp_path: Path) -> None:
    hidden = "Zeg-het-niet"
    with _gateway(tmp_path) as gateway:
        _fill(gateway)
        assert hidden.encode() in _ask(gateway, f"INSERT INTO sor.t FORMAT TSV\n{hidden}\n").data
        assert _ask(gateway, f"SELECT '{hidden}' FROM nowhere").status == 404
        assert POOL.request("GET", f"{gateway.url}/?user=admin&password={hidden}&query=SELECT+1").status == 403
        assert _ask(gateway, "INSERT INTO sor.t FORMAT Native\n", **{"Content-Encoding": hidden}).status == 501
    log = gateway.log_path.read_text()
    assert "code 60 UNKNOWN_TABLE" in log
    assert hidden not in log
    assert "nowhere" not in log
    users = tmp_path / "clickhouse-users.json"
    assert users.stat().st_mode & 0o777 == 0o600
    assert USERS["admin"] not in users.read_text()


def test_metrics_count_what_was_asked(tmp_path: Path) -> None:
    port = free_port()
    with _gateway(tmp_path, metrics_port=port) as gateway:
        _fill(gateway)
        _ask(gateway, "SELECT * FROM nowhere")
        assert POOL.request("GET", f"http://127.0.0.1:{port}/ready").status == 200
        answer = POOL.request("GET", f"http://127.0.0.1:{port}/metrics")
        lines = answer.data.decode().splitlines()
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    assert "sor_clickhouse_rows_written_total 2000.0" in lines
    assert 'sor_clickhouse_errors_total{error="UNKNOWN_TABLE"} 1.0' in lines
    assert 'sor_clickhouse_queries_total{statement="insert"} 2.0' in lines
    assert 'sor_clickhouse_query_seconds_count{statement="insert"} 2.0' in lines


def test_a_request_that_is_too_large_gets_a_way_out(tmp_path: Path) -> None:
    port, users = free_port(), tmp_path / "users.json"
    users.touch(mode=0o600)
    digest = "8d969eef6ecad3c29a3a629280e686cf0c3f5d5a86aff3ca12020c923adc6c92"  # of 123456
    users.write_text(json.dumps({"admin": {"profile": "admin", "password_sha256": digest}}))
    command = [sys.executable, "-m", "local.clickhouse.gateway", "--home", str(tmp_path), "--port", str(port)]
    command += ["--users", str(users), "--max-body-mb", "1"]
    headers = {"X-ClickHouse-User": "admin", "X-ClickHouse-Key": "123456"}
    url = f"http://127.0.0.1:{port}/?query=INSERT+INTO+FUNCTION+null('a+UInt8')+FORMAT+RowBinary"
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            assert _until(lambda: _pings(port))
            assert POOL.request("POST", url, body=bytes(1 << 20), headers=headers).status == 200
            answer = POOL.request("POST", url, body=bytes((1 << 20) + 1), headers=headers)
        finally:
            process.terminate()
    assert (answer.status, answer.headers["X-ClickHouse-Exception-Code"]) == (413, "307")
    assert b"larger than 1 MiB: send the rows in smaller batches" in answer.data
    assert process.returncode == 0


def _pings(port: int) -> bool:
    try:
        return POOL.request("GET", f"http://127.0.0.1:{port}/ping", retries=False).status == 200
    except urllib3.exceptions.HTTPError:
        return False


def test_the_users_file_is_checked_first(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "local.clickhouse.gateway", "--home", str(tmp_path), "--port", str(free_port())]
    done = subprocess.run([*command, "--users", "/nowhere"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Cannot read /nowhere: No such file or directory." in done.stdout  # its log, as of every process
    assert "Traceback" not in done.stdout + done.stderr
    assert not os.listdir(tmp_path)  # noqa: PTH208
