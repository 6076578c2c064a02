"""The addresses of the intake. One upload reads from top to bottom in ``Intake.upload`` and ``Intake._taken``.

202 means that the broker has every record: publish, then acknowledge. There is no spool, so nothing sealed or clear
lies on a disk here, and what was not acknowledged is sent again by its sender and counts once.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

import structlog
from aiohttp import web

from connectors.errors import BrokerDown
from connectors.intake import asked, body, crossing, documents, meters
from connectors.intake.config import IntakeLimits
from connectors.intake.connections import Connection
from connectors.intake.index import Entry, Index
from connectors.intake.jobs import Denied, Done, Job, Refused, SealedJob
from connectors.intake.limits import COME_BACK, Full, Lanes, Memory, Rates, TooFast
from connectors.intake.openapi import document as openapi
from connectors.intake.problems import Kind, Problem
from connectors.intake.tokens import Caller, Gate, TokenError
from connectors.intake.visitors import VisitorsError
from connectors.intake.work import Sealer, WorkerBroken, WorkerLost, where

log = structlog.get_logger()
_ID: Final = re.compile(r"[0-9a-f]{32}")
_UPLOADS: Final = ("/deliveries", "/sealed")
#: A sign of life on a stream that has nothing to say, and how long one stream lasts: then its client asks anew.
_HEARTBEAT: Final = 15.0
_STREAM_SECONDS: Final = 900.0
_DOWN_RETRY: Final = 10
_JSON: Final = {"Cache-Control": "no-store"}
_BYTES: Final = web.RequestKey("bytes", int)
_DELIVERY: Final = web.RequestKey("delivery", str)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ReceiptFeed(Protocol):
    """Where receipts come from, as far as an answer depends on it (``reader.ReceiptReader``)."""

    providers: frozenset[str]
    answers: bool

    def read_again(self) -> None:
        """Receipts of a new provider are wanted."""


class Intake:
    """The handlers, with all they need. Lives on one event loop."""

    def __init__(
        self, gate: Gate, index: Index, sealer: Sealer, receipts: documents.Receipts, feed: ReceiptFeed,
        limits: IntakeLimits, workers: int, origins: frozenset[str] = frozenset(),
    ) -> None:  # fmt: skip
        self._gate, self._index, self._sealer, self._receipts = gate, index, sealer, receipts
        self._feed, self._limits, self._origins = feed, limits, origins
        self._lanes = Lanes(workers, limits.provider_uploads)
        self._memory = Memory(limits.memory_bytes, limits.provider_bytes, meters.HELD.set)
        self._uploads, self._reads = Rates(limits.uploads_per_minute), Rates(limits.reads_per_minute)
        self._streams: Counter[str] = Counter()
        self.closing = False

    def application(self) -> web.Application:
        """The routes."""
        app = web.Application(middlewares=[crossing.first(self._origins), _answer])
        app.on_response_prepare.append(crossing.allow(self._origins))
        addresses: dict[str, dict[str, Handler]] = {
            "/deliveries": {"POST": self.upload, "GET": self.search},
            "/deliveries/{id}": {"GET": self.receipt},
            "/sealed": {"POST": self.sealed},
            "/openapi.json": {"GET": self.openapi},
        }
        for path, handlers in addresses.items():
            for method, handler in handlers.items():
                app.router.add_route(method, path, handler, expect_handler=body.expect)
            app.router.add_route("*", path, _other_method(", ".join(handlers)), expect_handler=body.expect)
        app.router.add_route("*", "/{other:.*}", _no_page, expect_handler=body.expect)
        return app

    def welcome(self) -> None:
        """Follow the token file: receipts of these providers are kept, and of no other. ``TokenError``."""
        providers = self._gate.providers()
        self._feed.providers = providers
        if self._index.serve(providers):
            self._feed.read_again()

    def _who(self, request: web.Request) -> Caller:
        """Whoever asks, by token, else by client certificate."""
        try:
            caller = self._by_header(request)
            if caller is not None and not caller.sends_for <= self._feed.providers:
                self.welcome()
        except (TokenError, VisitorsError) as problem:
            log.warning("tokens", problem=str(problem))
            raise Problem(Kind.NO_SERVER, retry=_DOWN_RETRY) from None
        if caller is None:
            raise Problem(Kind.NO_ACCESS)
        connection = _connection(request)
        if connection is None:
            raise Problem(Kind.BROKEN_OFF)
        connection.become(caller.id)
        return caller

    def _by_header(self, request: web.Request) -> Caller | None:
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme:
            # aiohttp reads what is no text as surrogates; as the bytes that they were they are no token of anybody.
            token = text.strip().encode("utf-8", "surrogateescape")
            return self._gate.who("token", token) if scheme.lower() == "bearer" else None
        secured = request.get_extra_info("ssl_object")
        der = secured.getpeercert(binary_form=True) if secured is not None else None
        return self._gate.who("certificate", der) if der else None

    async def upload(self, request: web.Request) -> web.Response:
        """``POST /deliveries``: a file of a provider, sealed here."""
        caller = self._begun(request)
        query = asked.only(request, {"naam", "test"})
        name, test = asked.file_name(request, query), asked.truth(query, "test") or False
        if not caller.provider:
            raise Problem(Kind.SEALED_ONLY)
        done = await self._taken(request, caller, lambda content: Job(caller.provider, name, test, content))
        return self._accepted(done, caller, documents.accepted)

    async def sealed(self, request: web.Request) -> web.Response:
        """``POST /sealed``: lines that their source has sealed and signed."""
        caller = self._begun(request)
        asked.only(request, set())
        done = await self._taken(request, caller, lambda content: SealedJob(caller, content))
        return self._accepted(done, caller, documents.passed_on)

    def _begun(self, request: web.Request) -> Caller:
        """All that can be said before a byte of the body is read."""
        caller = self._who(request)
        self._uploads.take(caller.id)
        body.require_plain(request, self._limits)
        return caller

    async def _taken(self, request: web.Request, caller: Caller, job_of: Callable[[bytes], Job | SealedJob]) -> Done:
        if not self._feed.answers or self.closing:
            raise Problem(Kind.NO_SERVER, retry=_DOWN_RETRY)
        with self._lanes.enter(caller.id), self._memory.upload(caller.id) as held, meters.OPEN.track_inprogress():
            content = await body.read(request, held, self._limits)
            request[_BYTES] = len(content)
            with meters.SECONDS.time():
                async with self._lanes.turn(caller.id):
                    result = await self._published(job_of(content))
        if isinstance(result, Refused):
            raise documents.refusal(result)
        if isinstance(result, Denied):
            raise documents.denial(result)
        request[_DELIVERY] = result.id
        return result

    def _accepted(self, done: Done, caller: Caller, document: Callable[..., dict[str, Any]]) -> web.Response:
        headers = {**_JSON, "Location": documents.location(done.id)}
        return _json(document(done, new=self._index.announce(done, caller)), 202, headers)

    async def _published(self, job: Job | SealedJob) -> Done | Refused | Denied:
        try:
            return await self._sealer.deliver(job)
        except BrokerDown:
            raise Problem(Kind.NO_SERVER, retry=_DOWN_RETRY) from None
        except WorkerLost:
            raise Problem(Kind.NO_SERVER, retry=COME_BACK) from None
        except WorkerBroken as fault:
            log.critical("fault", where=str(fault))
            raise Problem(Kind.FAULT) from None

    async def search(self, request: web.Request) -> web.Response:
        """``GET /deliveries``."""
        caller = self._who(request)
        self._reads.take(caller.id)
        query = asked.only(request, {"status", "sinds", "soort", "test", "aanbieder", "aantal", "na"})
        found, more = self._index.search(caller, asked.wanted(query))
        after = documents.cursor(found[-1].place) if more else None
        return _json({"aanleveringen": [documents.summary(one) for one in found], "volgende": after}, 200, _JSON)

    async def receipt(self, request: web.Request) -> web.StreamResponse:
        """``GET /deliveries/{id}``: as a document, or as events when that is asked for."""
        caller, name = self._who(request), request.match_info["id"]
        self._reads.take(caller.id)
        lines, sender = asked.which(asked.only(request, {"records", "aanbieder"}))

        def find() -> Entry | None:
            return self._index.get(caller, name, lines, sender) if _ID.fullmatch(name) else None

        one = find()
        if one is None:
            raise Problem(Kind.UNKNOWN)
        if "text/event-stream" not in request.headers.get("Accept", ""):
            return _json(self._receipts.document(one), 200, _JSON)
        if self._streams[caller.id] >= self._limits.streams:
            raise TooFast(COME_BACK)
        self._streams[caller.id] += 1
        try:
            return await self._stream(request, name, find)
        finally:
            self._streams[caller.id] -= 1

    async def _stream(self, request: web.Request, name: str, find: Callable[[], Entry | None]) -> web.StreamResponse:
        answer = web.StreamResponse(headers={**_JSON, "X-Accel-Buffering": "no"})
        answer.content_type = "text/event-stream"
        answer.charset = "utf-8"
        try:
            with self._index.watch(name) as moved:
                await answer.prepare(request)
                await self._events(answer, find, moved)
            await answer.write_eof()
        except (ConnectionError, TimeoutError):
            answer.force_close()  # a reader that is gone, or takes nothing; it asks again
        return answer

    async def _events(self, answer: web.StreamResponse, find: Callable[[], Entry | None], moved: asyncio.Event) -> None:
        """Every state of a receipt until it is final."""
        ends, version = time.monotonic() + _STREAM_SECONDS, -2
        await self._write(answer, "retry: 3000\n\n")
        while time.monotonic() < ends and not self.closing:
            moved.clear()
            one = find()
            if one is None:
                return
            if one.version != version:
                version = one.version
                await self._write(answer, self._event(one))
            if one.final:
                return
            try:
                await asyncio.wait_for(moved.wait(), _HEARTBEAT)
            except TimeoutError:
                await self._write(answer, ": nog bezig\n\n")

    def _event(self, one: Entry) -> str:
        data = json.dumps(self._receipts.document(one), ensure_ascii=False)
        return f"event: ontvangst\nid: {one.version}\ndata: {data}\n\n"

    async def _write(self, answer: web.StreamResponse, text: str) -> None:
        async with asyncio.timeout(self._limits.idle_seconds):
            await answer.write(text.encode())

    async def openapi(self, request: web.Request) -> web.Response:
        """``GET /openapi.json``."""
        asked.only(request, set())
        return _json(openapi(self._limits), 200, {})


def _connection(request: web.BaseRequest) -> Connection | None:
    """The connection of a request; None when it is gone."""
    protocol = request.transport.get_protocol() if request.transport is not None else None
    return protocol if isinstance(protocol, Connection) else None


async def _no_page(_request: web.Request) -> web.StreamResponse:
    """Any address that is none."""
    raise Problem(Kind.NO_PAGE)


def _other_method(allowed: str) -> Handler:
    """A known address, asked in another way."""

    async def refuse(_request: web.Request) -> web.StreamResponse:
        raise Problem(Kind.METHOD, headers={"Allow": allowed})

    return refuse


def _json(document: dict[str, Any], status: int, headers: dict[str, str]) -> web.Response:
    return web.json_response(
        document, status=status, headers=headers, dumps=lambda value: json.dumps(value, ensure_ascii=False)
    )


@web.middleware
async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every refusal as a problem document; an upload ends as one number in the metrics and one line in the log."""
    began = time.monotonic()
    answer: web.StreamResponse
    try:
        answer, outcome = await handler(request), "accepted"
    except Exception as error:  # noqa: BLE001 - told to sender and operator, see _problem
        problem = _problem(error)
        answer, outcome = problem.response(), problem.outcome
    connection = _connection(request)
    if connection is None or not connection.provider or outcome == Kind.NO_ACCESS.value.outcome:
        answer.force_close()  # one answer for whoever has not said who it is
    if request.method == "POST" and request.path in _UPLOADS:
        meters.UPLOADS.labels(outcome=outcome).inc()
        log.info(
            "upload", delivery=request.get(_DELIVERY, ""), outcome=outcome, status=answer.status,
            bytes=request.get(_BYTES, 0), ms=round((time.monotonic() - began) * 1000),
        )  # fmt: skip
    return answer


def _problem(error: Exception) -> Problem:
    """What to tell the sender. An unforeseen error is told to the operator, by type and place: one bad request may
    not end the uploads of all others, so the process goes on."""
    match error:
        case Problem():
            return error
        case TooFast():
            return Problem(Kind.TOO_MANY, retry=error.seconds)
        case Full():
            return Problem(Kind.FULL, retry=COME_BACK)
        case web.HTTPException():  # of aiohttp, for what is no address at all
            return Problem(Kind.NO_PAGE)
        case _:
            log.critical("fault", where=where(error))
            return Problem(Kind.FAULT)
