"""ClickHouse on one machine: the real engine, embedded, behind ClickHouse's HTTP protocol.

``python -m local.clickhouse.gateway --home DIR --port N --users FILE`` runs it as a process of its own; ``Gateway``
starts and stops that process. One process owns ``<home>/clickhouse``. What it does not have, a server has: native TCP,
sessions with temporary tables, external tables, compressed answers, users by SQL.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import http.client
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import IO, NoReturn, Self

import structlog
from aiohttp import web

from local.clickhouse.engine import Engine
from local.clickhouse.http import MAX_URL, Server
from local.clickhouse.users import load_users, users_file
from local.errors import StackError
from local.leash import leashed
from local.logs import said
from monitoring import logs
from sinks.schema.providers import Provider

HOST = "127.0.0.1"
MAX_BODY = 256 << 20
_GRACE_SECONDS = 5
_OF_THE_ENGINE = frozenset({"data", "metadata", "store", "tmp", "status"})

log = structlog.get_logger()


def claim(folder: Path) -> IO[str]:
    """Take the lock beside the data folder; it is held while the returned file is open.

    Raises:
        StackError: another process has it; the sentence names it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = folder.with_name(f"{folder.name}.lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        holder = lock.read().strip() or "unknown"
        lock.close()
        raise StackError(
            f"The ClickHouse data folder {folder} is in use by process {holder}: stop that one first (sor down)."
        ) from None
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


def check_folder(folder: Path) -> None:
    """Refuse a folder that the engine would open as if it were empty although it is not.

    Raises:
        StackError: files of something else, or a part of the engine's own files is missing.
    """
    found = {path.name for path in folder.iterdir()}
    if found and not found & _OF_THE_ENGINE:
        raise StackError(f"{folder} holds files that are not ClickHouse's: choose another folder with SOR_HOME.")
    # metadata/<database> is a link to the folder in store/ that holds one .sql file per table
    named = {link.resolve() for link in (folder / "metadata").glob("*") if link.is_symlink()}
    stored = {table.parent.resolve() for table in (folder / "store").glob("*/*/*.sql")}
    lost = "tables in store/" if any(not path.exists() for path in named) else "databases in metadata/"
    if stored - named or any(not path.exists() for path in named):
        raise StackError(
            f"The ClickHouse data folder {folder} is incomplete: {lost} are missing. Put back a copy of the folder, or "
            "move it away and start again: an empty one is made and a replay fills it."
        )


async def serve(home: Path, port: int, users_path: Path, metrics_port: int | None, max_body: int) -> None:
    """Run until SIGTERM or SIGINT.

    Raises:
        StackError: a sentence about the users file, the folder or a port.
    """
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    users = load_users(users_path)
    folder = home / "clickhouse"
    with claim(folder):
        check_folder(folder)
        engine = Engine(folder, max_body, users.roles(), users.owners)
        if broken := engine.broken_parts():
            log.error("%d damaged parts of tables were set aside: rows are missing, run a replay", broken)
        server = Server(engine, users, max_body)
        runners = [await _listen(server.application(), port)]
        if metrics_port is not None:
            runners.append(await _listen(server.operations(), metrics_port))
        log.info("ClickHouse %s answers on http://%s:%d", engine.version, HOST, port)
        await stopping.wait()
        for runner in runners:
            await runner.cleanup()
        server.stop()
        engine.close()


async def _listen(app: web.Application, port: int) -> web.AppRunner:
    # No access log: a URL may hold a password. Bodies are unpacked by us, frame by frame
    runner = web.AppRunner(
        app,
        access_log=None,
        auto_decompress=False,
        max_line_size=MAX_URL,
        max_field_size=MAX_URL,
        shutdown_timeout=_GRACE_SECONDS,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, port).start()
    except OSError as error:
        raise StackError(f"Port {port} of {HOST} cannot be used: {error.strerror}.") from None
    return runner


class Gateway:
    """The gateway as a child process, which dies with this one.

    ``users`` is name → password, with the rights of the list of users (``sinks.schema.users``); ``more`` gives grants
    beyond them, by user; ``providers``: who has views of its own. Start it from a thread that lives as long as it
    should.
    """

    def __init__(
        self,
        home: Path,
        port: int,
        users: dict[str, str],
        metrics_port: int | None = None,
        *,
        more: Mapping[str, Sequence[str]] = MappingProxyType({}),
        providers: Sequence[Provider] = (),
    ) -> None:
        self._home = home
        self._port = port
        self._users = users
        self._more = more
        self._providers = providers
        self._metrics_port = metrics_port
        self._process: subprocess.Popen[bytes] | None = None
        self.log_path = home / "log" / "clickhouse.log"

    @property
    def url(self) -> str:
        """Where it answers; without user or password."""
        return f"http://{HOST}:{self._port}"

    @property
    def pid(self) -> int | None:
        """Process id while started."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the process; it answers a second or so later (``wait_ready``)."""
        self._home.mkdir(parents=True, exist_ok=True)
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        users_path = self._home / "clickhouse-users.json"
        users_file(users_path, self._users, self._more, self._providers)
        command = [sys.executable, "-m", "local.clickhouse.gateway", "--home", str(self._home)]
        command += ["--port", str(self._port)]
        command += ["--users", str(users_path)]
        if self._metrics_port is not None:
            command += ["--metrics-port", str(self._metrics_port)]
        with self.log_path.open("ab") as output:
            self._process = subprocess.Popen(leashed(command), stdout=output, stderr=output, stdin=subprocess.DEVNULL)

    def wait_ready(self, timeout: float = 30) -> None:
        """Return when it answers; raises StackError with the last line of its log when it ended or took too long."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                raise StackError(f"ClickHouse did not start: {self._last_line()}")
            if self._answers():
                return
            time.sleep(0.05)
        raise StackError(f"ClickHouse did not answer within {timeout:g} s: {self._last_line()}")

    def stop(self) -> None:
        """End the process in order, after 15 s by force. Does nothing when it has ended."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def kill(self) -> None:
        """End the process at once, as ``kill -9`` does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        """Whether *this* server answers: another one on the port would not know the password."""
        name, password = next(iter(self._users.items()))
        headers = {"X-ClickHouse-User": name, "X-ClickHouse-Key": password}
        connection = http.client.HTTPConnection(HOST, self._port, timeout=5)
        try:
            connection.request("GET", "/?query=SELECT%201", headers=headers)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _last_line(self) -> str:
        lines = self.log_path.read_text(errors="replace").strip().splitlines()
        return said(lines[-1]) if lines else "it wrote nothing."

    def __enter__(self) -> Self:
        self.start()
        try:
            self.wait_ready()
        except StackError:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def main() -> None:
    """Entry point of ``python -m local.clickhouse.gateway``."""
    parser = argparse.ArgumentParser(prog="local.clickhouse.gateway", description="ClickHouse on this machine.")
    parser.add_argument("--home", type=Path, required=True, help="folder of the installation; data go to clickhouse/")
    parser.add_argument("--port", type=int, required=True, help=f"port on {HOST} for ClickHouse's HTTP protocol")
    parser.add_argument("--users", type=Path, required=True, help="JSON file (mode 0600): user → profile and password")
    parser.add_argument("--metrics-port", type=int, help=f"port on {HOST} for /ready and /metrics")
    parser.add_argument("--max-body-mb", type=int, default=MAX_BODY >> 20, help="largest request in MiB")
    chosen = parser.parse_args()
    logs.configure("INFO", "clickhouse")
    try:
        asyncio.run(serve(chosen.home, chosen.port, chosen.users, chosen.metrics_port, chosen.max_body_mb << 20))
    except StackError as error:
        log.error(str(error))  # noqa: TRY400  # the sentence is the message; a traceback would bury it
        _end(1)
    _end(0)


def _end(status: int) -> NoReturn:
    """Leave without waiting for worker threads: a query that cannot be cancelled must not hold up the end."""
    logging.shutdown()
    os._exit(status)


if __name__ == "__main__":
    main()
