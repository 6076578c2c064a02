"""The HTTP side of ClickHouse on one machine: requests in, answers out, and numbers about both.

The engine is called from a few worker threads. The event loop only moves bytes, so ``/ping`` answers while queries run.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import structlog
from aiohttp import BodyPartReader, hdrs, web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from local.clickhouse.answer import Answer
from local.clickhouse.body import too_large
from local.clickhouse.engine import Engine, Query
from local.clickhouse.users import Users
from local.clickhouse.wire import (
    TRANSPORT_PARAMETERS,
    QueryFault,
    content_type,
    hello_answer,
    is_hello,
    summary_header,
)

log = structlog.get_logger()

MAX_URL = 1 << 20  # bytes; ClickHouse's own limit on a URL
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
T = TypeVar("T")


class Metrics:
    """What is counted about queries. No label comes from a query or a user's data."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.queries = Counter("sor_clickhouse_queries", "Queries answered.", ["statement"], registry=self.registry)
        self.errors = Counter("sor_clickhouse_errors", "Queries refused or failed.", ["error"], registry=self.registry)
        self.rows = Counter("sor_clickhouse_rows_written", "Rows written by inserts.", registry=self.registry)
        self.seconds = Histogram(
            "sor_clickhouse_query_seconds",
            "Time to the answer.",
            ["statement"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.running = Gauge("sor_clickhouse_requests_in_progress", "Requests being answered.", registry=self.registry)


class Server:
    """Answers for one engine. ``max_body`` bounds a request's bytes, ``max_requests`` how many are taken at once."""

    def __init__(self, engine: Engine, users: Users, max_body: int, workers: int = 8, max_requests: int = 100) -> None:
        self._engine = engine
        self._users = users
        self._max_body = max_body
        self._max_requests = max_requests
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="query")
        self._running = 0
        self.metrics = Metrics()

    def application(self) -> web.Application:
        """ClickHouse's paths: ``/`` for queries, ``/ping`` for liveness without a password."""
        app = web.Application()
        app.router.add_route("*", "/", self._query)
        app.router.add_get("/ping", self._ping)
        return app

    def operations(self) -> web.Application:
        """``/ready`` (does the engine answer) and ``/metrics`` for Prometheus."""
        app = web.Application()
        app.router.add_get("/ready", self._ready)
        app.router.add_get("/metrics", self._metrics)
        return app

    async def _ping(self, _request: web.Request) -> web.Response:
        return web.Response(body=b"Ok.\n", content_type="text/plain")

    async def _ready(self, _request: web.Request) -> web.Response:
        ready = await self._in_thread(self._engine.is_ready)
        return web.Response(text="ready\n" if ready else "not ready\n", status=200 if ready else 503)

    async def _metrics(self, _request: web.Request) -> web.Response:
        return web.Response(
            body=generate_latest(self.metrics.registry), headers={hdrs.CONTENT_TYPE: CONTENT_TYPE_LATEST}
        )

    async def _in_thread(self, work: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)

    async def _query(self, request: web.Request) -> web.StreamResponse:
        query_id = request.query.get("query_id") or str(uuid.uuid4())
        self._running += 1
        self.metrics.running.set(self._running)
        started = time.perf_counter()
        try:
            return await self._answered(request, query_id, started)
        except QueryFault as error:
            self.metrics.errors.labels(error.name).inc()
            # Never the text: it may quote rows of an insert
            log.warning("query %s failed: code %d %s", query_id, error.code, error.name)
            return self._failed(error, query_id)
        except ConnectionError:  # whoever asked has gone; the answer to nobody ends without a traceback
            log.info("query %s: whoever asked has gone", query_id)
            return web.Response(status=400)
        finally:
            self._running -= 1
            self.metrics.running.set(self._running)

    async def _answered(self, request: web.Request, query_id: str, started: float) -> web.StreamResponse:
        if request.method not in (hdrs.METH_GET, hdrs.METH_POST):
            raise QueryFault(48, "NOT_IMPLEMENTED", f"Method {request.method} is not supported: use POST")
        user = self._users.authenticate(request.headers, request.query)
        if self._running > self._max_requests:
            raise QueryFault(202, "TOO_MANY_SIMULTANEOUS_QUERIES", f"More than {self._max_requests} requests at once")
        query = await self._read(request)
        if not query.text and not query.body:
            return await self._ping(request)
        if not query.encoding and is_hello(query.text + query.body):
            return self._hello(query_id)
        answer = await self._in_thread(self._engine.run, user, query)
        try:
            self.metrics.queries.labels(answer.kind).inc()
            self.metrics.rows.inc(answer.counts.get("written_rows", 0))
            self.metrics.seconds.labels(answer.kind).observe(time.perf_counter() - started)
            return await self._send(request, answer, query_id)
        finally:
            if answer.streams:
                await self._in_thread(answer.close)

    async def _read(self, request: web.Request) -> Query:
        given: dict[str, str] = dict(request.query)
        for name in ("compress", "decompress"):
            if given.get(name, "0") not in ("0", "false"):
                text = f"{name}=1 asks for ClickHouse's own block compression: use Content-Encoding lz4, zstd or gzip"
                raise QueryFault(48, "NOT_IMPLEMENTED", text)
        if request.content_type == "multipart/form-data":
            given |= await self._form(request)
            body = b""
        else:
            body = await self._body(request)
        return Query(
            text=given.get("query", "").encode(errors="surrogateescape"),
            body=body,
            encoding=request.headers.get(hdrs.CONTENT_ENCODING, ""),
            parameters={k.removeprefix("param_"): v for k, v in given.items() if k.startswith("param_")},
            settings={k: v for k, v in given.items() if k not in TRANSPORT_PARAMETERS and not k.startswith("param_")},
            database=given.get("database", "") or request.headers.get("X-ClickHouse-Database", ""),
            default_format=given.get("default_format", "") or request.headers.get("X-ClickHouse-Format", ""),
            whole=given.get("wait_end_of_query", "0") in ("1", "true"),
            changes_nothing=request.method == hdrs.METH_GET,
        )

    async def _body(self, request: web.Request) -> bytes:
        body = bytearray()
        async for piece in request.content.iter_any():
            body += piece
            if len(body) > self._max_body:
                raise too_large(self._max_body)
        return bytes(body)

    async def _form(self, request: web.Request) -> dict[str, str]:
        """Fields of a form: a long query and its parameters. Files would be external tables."""
        fields: dict[str, str] = {}
        size = 0
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader) or part.filename is not None:
                raise QueryFault(48, "NOT_IMPLEMENTED", "External tables are not supported: insert the rows first")
            value = bytearray()
            while piece := await part.read_chunk():
                value += piece
                size += len(piece)
                if size > self._max_body:
                    raise too_large(self._max_body)
            fields[part.name or ""] = value.decode(errors="surrogateescape")
        return fields

    def _hello(self, query_id: str) -> web.Response:
        body = hello_answer("SOR", self._engine.version, "UTC")
        return web.Response(body=body, headers=self._headers(query_id, "Native", summary_header({})))

    async def _send(self, request: web.Request, answer: Answer, query_id: str) -> web.StreamResponse:
        headers = self._headers(query_id, answer.format, answer.summary)
        if not answer.streams:
            return web.Response(body=answer.first, headers=headers)
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        piece: bytes | None = answer.first
        try:
            while piece is not None:
                await response.write(piece)
                piece = await self._in_thread(answer.next)
        except QueryFault as error:
            # The status has gone out already. The text goes along and the body stays without its end: a client that
            # reads to the end sees a broken answer, never a short one
            self.metrics.errors.labels(error.name).inc()
            await response.write(error.body(self._engine.version))
            if request.transport is not None:
                request.transport.abort()
            return response
        await response.write_eof()
        return response

    def _failed(self, error: QueryFault, query_id: str) -> web.Response:
        headers = self._headers(query_id, None, summary_header({}))
        headers["X-ClickHouse-Exception-Code"] = str(error.code)
        if error.status == 401:
            headers[hdrs.WWW_AUTHENTICATE] = 'Basic realm="ClickHouse"'
        if error.status == 413:
            headers[hdrs.CONNECTION] = "close"  # the rest of the body has not been read
        return web.Response(body=error.body(self._engine.version), status=error.status, headers=headers)

    def _headers(self, query_id: str, result_format: str | None, summary: str) -> dict[str, str]:
        headers = {
            hdrs.CONTENT_TYPE: content_type(result_format or "Text"),
            "X-ClickHouse-Server-Display-Name": "SOR",
            "X-ClickHouse-Query-Id": query_id,
            "X-ClickHouse-Timezone": "UTC",
            "X-ClickHouse-Summary": summary,
        }
        if result_format is not None:
            headers["X-ClickHouse-Format"] = result_format
        return headers

    def stop(self) -> None:
        """Take no more work; what waits is dropped. What runs is cancelled by closing the engine."""
        self._pool.shutdown(wait=False, cancel_futures=True)
