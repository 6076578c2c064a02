"""The embedded ClickHouse engine of this process: one data folder, a fresh handle per request.

Settings, current database and read-only mode belong to a handle, so two requests never see each other's. The engine
releases Python's global lock while it works; everything here is called from worker threads.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

from chdb.state.sqlitelike import Connection

from local.clickhouse.answer import Answer
from local.clickhouse.body import decode, too_large
from local.clickhouse.guard import Guard
from local.clickhouse.roles import write_roles
from local.clickhouse.sql import InsertHead, gives_result, has_one_statement, insert_head, keyword, output_format
from local.clickhouse.users import User
from local.clickhouse.wire import QueryFault
from local.errors import StackError
from sinks.schema.providers import Owner

_STREAMABLE = frozenset({"Native", "TabSeparated", "TSV", "CSV", "RowBinary", "JSONEachRow"})
"""Formats without head or foot: their blocks can be sent one by one. Others are made whole first."""

_HEAD_BYTES = 1 << 16  # an INSERT shows where its data begin within this many bytes, or the body is joined
_MAX_STATEMENT = 16 << 20
_SETTING = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Query:
    """One request, as the HTTP side read it. ``text`` is the ``query`` parameter, ``body`` the raw request body."""

    text: bytes = b""
    body: bytes = b""
    encoding: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    database: str = ""
    default_format: str = ""
    whole: bool = False
    changes_nothing: bool = False


def _has_tables(folder: Path, description: str) -> bool:
    """Whether the database that ``description`` attaches has a folder of tables."""
    uuid = description.partition("UUID '")[2].partition("'")[0]
    return bool(uuid) and (folder / "store" / uuid[:3] / uuid).is_dir()


class Engine:
    """The engine on one data folder. Only one may exist in a process, and one process may have the folder."""

    def __init__(
        self, folder: Path, max_body: int, roles: Mapping[str, Sequence[str]], owners: Sequence[Owner] = ()
    ) -> None:
        """Open or create ``folder``; ``max_body`` bounds the unpacked data of one INSERT in bytes.

        ``roles``: user -> grants, of everybody but an admin. ``owners``: whose rights views have.

        Raises:
            StackError: the folder cannot be opened; the sentence says what to do.
        """
        os.environ["TZ"] = "UTC"
        time.tzset()
        self._folder = folder
        self._max_body = max_body
        configuration = write_roles(folder.with_name("clickhouse-engine.xml"), roles, owners)
        self._address = f"{folder}?config-file={configuration.absolute()}"
        self._root = self._open()
        self._plain_default()
        self.version = self._text("SELECT version()")[0]
        names = self._text("SELECT name FROM system.table_functions")
        self._table_functions = frozenset(name.lower() for name in names)

    def _open(self) -> Any:
        try:
            return Connection(self._address)
        except RuntimeError as error:
            raise StackError(
                f"ClickHouse cannot open its data folder {self._folder}: {_first_line(error)} Put back a copy of the "
                "folder, or move it away and start again: an empty one is made and a replay fills it."
            ) from None

    def _plain_default(self) -> None:
        """Make ``default`` an ordinary database. The embedded engine lays one over it that reads files as tables.

        An empty one leaves its description without a folder of tables, and then it cannot be attached: it is made anew.
        """
        description = self._folder / "metadata" / "default.sql"
        if description.exists() and not _has_tables(self._folder, description.read_text("utf-8")):
            description.unlink()
        if description.exists():
            for sql in ("DETACH DATABASE default", "ATTACH DATABASE default"):
                self._root.query(sql)
        elif self._text("SHOW TABLES FROM default"):
            raise StackError(
                f"{self._folder} was made by another program, with tables in its database default: move it away."
            )
        else:
            for sql in ("DROP DATABASE default", "CREATE DATABASE default ENGINE = Atomic"):
                self._root.query(sql)

    def close(self) -> None:
        """Cancel what runs and close the engine."""
        self._root.query("KILL QUERY WHERE 1 ASYNC FORMAT Null")
        self._root.close()

    def is_ready(self) -> bool:
        """Whether the engine answers."""
        handle = Connection(self._address)
        try:
            return _lines(handle.query("SELECT 1", "TSVRaw")) == ["1"]
        finally:
            handle.close()

    def broken_parts(self) -> int:
        """Parts of tables that were damaged and set aside when the folder was opened: their rows are missing."""
        return int(self._text("SELECT count() FROM system.detached_parts WHERE reason LIKE 'broken%'")[0])

    def run(self, user: User, query: Query) -> Answer:
        """Do what the request asks as ``user``; returns an answer to close.

        Raises:
            QueryFault: ClickHouse's own error, or one of the same kind where the user may not do this.
        """
        handle = Connection(self._address)
        try:
            guard = self._prepare(handle, user, query)
            answer = self._dispatch(handle, guard, query)
        except RuntimeError as error:
            handle.close()
            raise QueryFault.from_engine(error) from None
        except BaseException:
            handle.close()
            raise
        answer.silent = user.is_silent
        return answer

    def _prepare(self, handle: Any, user: User, query: Query) -> Guard | None:
        settings = ", ".join(
            f"{_setting(name)} = {_quoted(text)}" for name, text in user.settings(query.settings).items()
        )
        handle.query(f"SET {settings}")
        databases = cache(self._databases)  # asked at most once per request
        guard = None if user.profile == "admin" else Guard(user, self._table_functions, databases)
        if guard:
            guard.text(" ".join(query.settings).encode())
        database = query.database or _home_of(user, databases)
        if database:
            if guard:
                guard.database(database)
            handle.query(f"USE {_identifier(database)}")
        if user.profile != "admin":
            handle.query(f"SET ROLE {_identifier(user.name)}")
        if user.profile == "readonly":
            handle.query("SET readonly = 1")
        elif query.changes_nothing:
            handle.query("SET readonly = 2")
        return guard

    def _dispatch(self, handle: Any, guard: Guard | None, query: Query) -> Answer:
        pieces = decode(query.encoding, query.body, self._max_body)
        start, complete = (query.text + b"\n", True) if query.text else _take(pieces, _HEAD_BYTES)
        if keyword(start) != b"INSERT":
            return _statement(handle, guard, query, start + _joined(pieces))
        default_format = query.default_format or "Values"
        head = insert_head(start, complete, default_format)
        if head is None:
            start += _joined(pieces)
            head = insert_head(start, True, default_format) or InsertHead(start, default_format, len(start), b"", True)
        if guard:
            guard.text(head.statement)
            guard.target(head.table, head.reaches_out)
        if head.input_format is None:
            return _statement(handle, guard, query, start + _joined(pieces))
        return _insert(handle, head, chain((start[head.data_start :],), pieces))

    def _databases(self) -> Sequence[str]:
        """All databases; a session with a role would see its own only."""
        handle = Connection(self._address)
        try:
            return _lines(handle.query("SELECT name FROM system.databases", "TSVRaw"))
        finally:
            handle.close()

    def _text(self, sql: str) -> list[str]:
        return _lines(self._root.query(sql, "TSVRaw"))


def _home_of(user: User, databases: Callable[[], Sequence[str]]) -> str:
    """Current database of a request that names none: the user's first, as DEFAULT DATABASE gives on a server."""
    plain = [name for name in user.databases if not set(name) & set("*?[")]
    if plain and plain[0] in databases():
        return plain[0]
    return "information_schema" if user.databases else ""  # holds no rows of anyone


def _insert(handle: Any, head: InsertHead, data: Iterator[bytes]) -> Answer:
    if not has_one_statement(head.statement):
        raise QueryFault(62, "SYNTAX_ERROR", "Syntax error (Multi-statements are not allowed)")
    answer = Answer("insert", handle=handle)
    stream = handle.send_insert(head.statement.decode(errors="surrogateescape"), head.input_format)
    try:
        for piece in data:
            stream.append(piece)
        written = stream.finish()
    finally:
        stream.close()  # cancels what is not finished
        answer.close()
    answer.counts = {"written_rows": written.rows_written, "written_bytes": written.bytes_written}
    return answer


def _statement(handle: Any, guard: Guard | None, query: Query, raw: bytes) -> Answer:
    statement = raw.decode(errors="surrogateescape")
    if not has_one_statement(raw):
        # The embedded engine runs several statements in a row where a server refuses; this one parses exactly one
        _parse_one(handle, statement)
    if guard:
        guard.text(raw)
        guard.tree(_lines(handle.query(f"EXPLAIN AST {statement}", "TSVRaw", params=query.parameters)))
    word = keyword(raw)
    kind = {b"SELECT": "select", b"INSERT": "insert"}.get(word, "other")
    result_format = output_format(raw) or query.default_format or "TabSeparated"
    answer = Answer(kind, result_format if gives_result(word) else None, handle)
    if word == b"SELECT" and result_format in _STREAMABLE and not query.whole:
        answer.open_stream(handle.send_query(statement, result_format, params=query.parameters))
    else:
        result = handle.query(statement, result_format, params=query.parameters)
        answer.count(result)
        answer.first = bytes(result.bytes())
        answer.close()
    return answer


def _parse_one(handle: Any, statement: str) -> None:
    try:
        handle.query("SELECT formatQuery({statement:String}) FORMAT Null", params={"statement": _escaped(statement)})
    except RuntimeError as error:
        text = str(error).split("DB::Exception: ", 1)[-1].split(": In scope SELECT formatQuery", 1)[0]
        raise QueryFault(62, "SYNTAX_ERROR", text) from None


def _take(pieces: Iterator[bytes], enough: int) -> tuple[bytes, bool]:
    """The first ``enough`` bytes or a little more, and whether that is everything."""
    start = b""
    for piece in pieces:
        start += piece
        if len(start) >= enough:
            return start, False
    return start, True


def _joined(pieces: Iterator[bytes]) -> bytes:
    out = bytearray()
    for piece in pieces:
        out += piece
        if len(out) > _MAX_STATEMENT:
            raise too_large(_MAX_STATEMENT)
    return bytes(out)


def _lines(result: Any) -> list[str]:
    return bytes(result.bytes()).decode(errors="replace").split("\n")[:-1]


def _setting(name: str) -> str:
    if not _SETTING.fullmatch(name):
        raise QueryFault(115, "UNKNOWN_SETTING", f"Setting name {name!r} is not a name")
    return name


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _identifier(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def _escaped(text: str) -> str:
    """``text`` as the value of a query parameter, which the engine reads like a field of a tab-separated file."""
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _first_line(error: RuntimeError) -> str:
    text = str(error).strip().splitlines()[0] if str(error).strip() else "no reason given."
    return text[:300]
