"""Whoever has not said who it is: it takes little, it locks nobody out, and nothing that it wrote comes back to it."""

from __future__ import annotations

import asyncio
import json
import logging
import resource
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import pytest
from aiohttp import ClientSession, TCPConnector
from structlog.testing import capture_logs

from connectors.intake import meters
from connectors.intake.config import IntakeLimits, Tls
from connectors.intake.connections import origin
from monitoring.logs import configure
from tests.connectors.authority import Authority
from tests.connectors.intake_support import OTHER, Running, intake, rap, until
from tests.connectors.support import AGB

#: What a refusal may not repeat; one in every place where a request can hold something.
HIDDEN = "999900006"


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[Running]:
    async with intake(tmp_path) as running:
        yield running


def dropped(outcome: str) -> float:
    return float(meters.DROPPED.labels(outcome=outcome)._value.get())


def silent() -> float:
    return float(meters.SILENT._value.get())


@asynccontextmanager
async def mutes(port: int, number: int, host: str = "127.0.0.1") -> AsyncIterator[list[asyncio.StreamReader]]:
    """So many connections that say nothing."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    opened = []
    for _ in range(min(number, soft // 2 - 200)):  # both ends are in this process
        opened.append(await asyncio.open_connection("127.0.0.1", port, local_addr=(host, 0)))
    try:
        yield [reader for reader, _ in opened]
    finally:
        for _, writer in opened:
            writer.close()


@pytest.mark.parametrize("theirs", ["127.0.0.1", "127.0.0.2"])
async def test_a_thousand_silent_sockets_of_one_address_lock_nobody_out(live: Running, theirs: str) -> None:
    limits = IntakeLimits()
    before = dropped("room")
    async with mutes(live.port, 1_000, theirs) as opened:
        await until(lambda: dropped("room") - before == len(opened) - limits.address_connections, "all are taken in")
        assert silent() == limits.address_connections
        began = time.monotonic()
        answer, _ = await asyncio.wait_for(live.post(rap()), 5)
        assert answer.status == 202
        assert time.monotonic() - began < 3


async def test_silent_sockets_of_many_addresses_leave_room_too(tmp_path: Path) -> None:
    limits = IntakeLimits(connections=30, silent_connections=20, address_connections=5)
    async with intake(tmp_path, limits) as live:
        before = dropped("room")
        async with AsyncExitStack() as stack:
            for host in range(2, 12):
                await stack.enter_async_context(mutes(live.port, 5, f"127.0.0.{host}"))
            await until(lambda: dropped("room") - before == 30, "the oldest left")
            assert silent() == 20
            assert (await live.post(rap()))[0].status == 202


async def test_the_oldest_leaves_first_and_who_spoke_stays(tmp_path: Path) -> None:
    async with intake(tmp_path, IntakeLimits(address_connections=2)) as live:
        assert (await live.get("/deliveries"))[0].status == 200  # its connection is known, and stays open
        async with mutes(live.port, 3) as (first, second, third):
            assert await asyncio.wait_for(first.read(), 5) == b""
            for reader in (second, third):
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(reader.read(), 0.1)
        assert (await live.get("/deliveries"))[0].status == 200


async def test_behind_a_proxy_the_address_is_no_bound(tmp_path: Path) -> None:
    limits = IntakeLimits(address_connections=2, silent_connections=9)
    async with intake(tmp_path, limits, proxies=("127.0.0.1",)) as live, mutes(live.port, 9):
        await until(lambda: silent() == 9, "all of them stay")


async def test_what_a_request_says_of_its_address_is_not_believed(tmp_path: Path) -> None:
    async with intake(tmp_path, IntakeLimits(address_connections=2)) as live:
        opened = []
        for number in range(4):
            reader, writer = await asyncio.open_connection("127.0.0.1", live.port)
            writer.write(f"GET /openapi.json HTTP/1.1\r\nX-Forwarded-For: 192.0.2.{number}\r\n".encode())
            opened.append((reader, writer))
        await until(lambda: silent() == 2, "two of one address")
        for _, writer in opened:
            writer.close()


def test_an_address_is_what_one_customer_has() -> None:
    assert origin("192.0.2.1") != origin("192.0.2.2")
    assert origin("2001:db8:1:2::1") == origin("2001:db8:1:2:ffff::9") != origin("2001:db8:1:3::1")
    assert origin("::ffff:192.0.2.1") == origin("192.0.2.1")
    assert origin("fe80::1%eth0") == origin("fe80::2")


@pytest.mark.parametrize(
    "words",
    [b"", b"POST /deliveries HTTP/1.1\r\nHost: x\r\nX-Half"],
    ids=["nothing", "half a head"],
)
async def test_without_a_token_there_is_little_time(tmp_path: Path, words: bytes) -> None:
    async with intake(tmp_path, IntakeLimits(silent_seconds=0.5)) as live:
        before = dropped("slow")
        reader, writer = await asyncio.open_connection("127.0.0.1", live.port)
        writer.write(words)
        began = time.monotonic()
        assert await asyncio.wait_for(reader.read(), 5) == b""
        assert 0.3 < time.monotonic() - began < 3
        assert dropped("slow") == before + 1
        writer.close()


async def test_trickled_headers_win_no_time(tmp_path: Path) -> None:
    async with intake(tmp_path, IntakeLimits(silent_seconds=0.5)) as live:
        reader, writer = await asyncio.open_connection("127.0.0.1", live.port)

        async def trickle() -> None:
            writer.write(b"POST /deliveries HTTP/1.1\r\nX: ")
            while True:
                writer.write(b"x")
                await asyncio.sleep(0.05)

        trickling = asyncio.create_task(trickle())
        with suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), 5) == b""
        trickling.cancel()
        writer.close()


async def test_without_a_token_there_are_few_bytes(tmp_path: Path) -> None:
    """Many headers of which none is too long; a body is no part of them."""
    async with intake(tmp_path, IntakeLimits(head_bytes=2_000)) as live:
        before = dropped("large")
        reader, writer = await asyncio.open_connection("127.0.0.1", live.port)
        writer.write(
            b"POST /deliveries HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X%d: %s\r\n" % (n, b"x" * 90) for n in range(30))
        )
        with suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), 5) == b""
        assert dropped("large") == before + 1
        writer.close()
        assert (await live.post(rap(500)))[0].status == 202


async def test_whoever_shows_no_token_gets_one_answer(live: Running) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", live.port)
    writer.write(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 3)
    answers = await asyncio.wait_for(reader.read(), 5)
    assert answers.count(b"HTTP/1.1 200") == 1
    writer.close()


async def test_a_provider_has_so_many_connections(tmp_path: Path) -> None:
    async with intake(tmp_path, IntakeLimits(provider_connections=2)) as live:
        opened = []
        for _ in range(2):
            session = ClientSession(connector=TCPConnector(limit=1))
            opened.append(session)
            async with session.get(f"{live.base}/deliveries", headers=live.auth()) as answer:
                assert answer.status == 200
        async with (
            ClientSession() as session,
            session.get(f"{live.base}/deliveries", headers=live.auth()) as answer,
        ):
            assert answer.status == 429
            assert int(answer.headers["Retry-After"]) > 0
            assert answer.headers["Connection"] == "close"
        assert (await live.get("/deliveries", OTHER))[0].status == 200  # another provider is not touched
        for session in opened:
            await session.close()
        await until(lambda: meters.CONNECTIONS._value.get() <= 1, "they are gone")
        assert (await live.get("/deliveries"))[0].status == 200


async def test_a_handshake_that_does_not_come_is_silent_too(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.issue("server")
    limits = IntakeLimits(silent_seconds=1.0, address_connections=20)
    trusted = ssl.create_default_context(cafile=str(authority.path))
    async with intake(tmp_path, limits, tls=Tls(certificate, key)) as live:
        before = dropped("room")
        async with mutes(live.port, 100) as opened:
            await until(lambda: dropped("room") - before == len(opened) - 20, "they are taken in")
            async with live.session.post(
                f"{live.base}/deliveries", data=rap(), headers=live.auth(), ssl=trusted
            ) as answer:
                assert answer.status == 202
            slow = dropped("slow")
            await until(lambda: dropped("slow") > slow, "and leave by themselves")
        await until(lambda: silent() == 0, "none is left")
        lost = dropped("handshake")
        reader, writer = await asyncio.open_connection("127.0.0.1", live.port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        await asyncio.wait_for(reader.read(), 5)
        assert dropped("handshake") == lost + 1
        writer.close()


#: A name for every part of a request that can be wrong -> the request; a token stands for ``{token}``.
WRONG = {
    "authorization": b"GET /deliveries HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\xfe"
    + HIDDEN.encode()
    + b"\r\n\r\n",
    "authorization alone": b"GET /deliveries HTTP/1.1\r\nHost: x\r\nAuthorization: \xff"
    + HIDDEN.encode()
    + b"\r\n\r\n",
    "address": b"GET /" + HIDDEN.encode() + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "address in bytes": b"GET /deliveries/\xff" + HIDDEN.encode() + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "no address": b"OPTIONS * HTTP/1.1\r\nHost: x\r\nX: " + HIDDEN.encode() + b"\r\n\r\n",
    "query": b"GET /deliveries?x=" + HIDDEN.encode() + b" HTTP/1.1\r\nHost: x\r\n{token}\r\n\r\n",
    "query in bytes": b"GET /deliveries?status=%ff%fe" + HIDDEN.encode() + b" HTTP/1.1\r\nHost: x\r\n{token}\r\n\r\n",
    "method": b"DELETE /deliveries HTTP/1.1\r\nHost: x\r\nX: " + HIDDEN.encode() + b"\r\n\r\n",
    "no method": HIDDEN.encode() + b" /deliveries HTTP/1.1\r\nHost: x\r\n\r\n",
    "no request": b"\x00\x01" + HIDDEN.encode() + b"\r\n\r\n",
    "no version": b"GET /deliveries HTTP/" + HIDDEN.encode() + b"\r\n\r\n",
    "no header": b"GET /deliveries HTTP/1.1\r\nHost: x\r\n" + HIDDEN.encode() + b"\r\n\r\n",
    "header with a control character": b"GET / HTTP/1.1\r\nHost: x\r\nX: " + HIDDEN.encode() + b"\x00\r\n\r\n",
    "long line": b"GET /" + HIDDEN.encode() * 1_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "long header": b"GET / HTTP/1.1\r\nHost: x\r\nX: " + HIDDEN.encode() * 1_000 + b"\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\nHost: x\r\n"
    + b"".join(b"X%d: 999900006\r\n" % n for n in range(200))
    + b"\r\n",
    "length": b"POST /deliveries HTTP/1.1\r\nHost: x\r\nContent-Length: x" + HIDDEN.encode() + b"\r\n\r\n",
    "large": b"POST /deliveries HTTP/1.1\r\nHost: x\r\n{token}\r\nContent-Length: 999900006\r\n\r\n",
    "expect": b"POST /deliveries HTTP/1.1\r\nHost: x\r\nExpect: " + HIDDEN.encode() + b"\r\nContent-Length: 0\r\n\r\n",
    "expect elsewhere": b"GET /geheim HTTP/1.1\r\nHost: x\r\nExpect: " + HIDDEN.encode() + b"\r\n\r\n",
    "expect of no address": b"OPTIONS * HTTP/1.1\r\nHost: x\r\nExpect: " + HIDDEN.encode() + b"\r\n\r\n",
    "upgrade": b"GET /deliveries HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: "
    + HIDDEN.encode()
    + b"\r\n\r\n",
    "chunk": b"POST /deliveries HTTP/1.1\r\nHost: x\r\n{token}\r\nTransfer-Encoding: chunked\r\n\r\nzz"
    + HIDDEN.encode()
    + b"\r\n",
    "name": b"POST /deliveries HTTP/1.1\r\nHost: x\r\n{token}\r\nContent-Length: 0\r\n"
    b'Content-Disposition: attachment; filename="\xff' + HIDDEN.encode() + b'"\r\n\r\n',
    "half a name": b"POST /deliveries HTTP/1.1\r\nHost: x\r\n{token}\r\nContent-Length: 0\r\n"
    b'Content-Disposition: attachment; filename="' + HIDDEN.encode() + b"\r\n\r\n",
    "kind": b"POST /deliveries HTTP/1.1\r\nHost: x\r\n{token}\r\nContent-Length: 0\r\nContent-Type: multipart/\xff"
    + HIDDEN.encode()
    + b"\r\n\r\n",
    "encoding": b"POST /deliveries HTTP/1.1\r\nHost: x\r\n{token}\r\nContent-Length: 0\r\nContent-Encoding: \xff"
    + HIDDEN.encode()
    + b"\r\n\r\n",
    "accept": b"GET /deliveries/x HTTP/1.1\r\nHost: x\r\n{token}\r\nAccept: \xff" + HIDDEN.encode() + b"\r\n\r\n",
}
STATUS = {
    "authorization": 401,
    "authorization alone": 401,
    "address": 404,
    "method": 405,
    "large": 413,
    "long line": 431,
}


async def ask(live: Running, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the answer to raw bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", live.port)
    writer.write(request.replace(b"{token}", f"Authorization: Bearer {live.tokens[AGB]}".encode()))
    head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)).decode()
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    body = await reader.readexactly(int(headers["content-length"]))
    writer.close()
    return int(first.split()[1]), headers, body


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    """Everything that any library writes, as the process writes it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure("INFO", "intake")
    yield capsys
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


@pytest.mark.parametrize("part", WRONG)
async def test_a_refusal_is_a_problem_and_repeats_nothing(
    live: Running, part: str, logged: pytest.CaptureFixture[str]
) -> None:
    status, headers, body = await ask(live, WRONG[part])
    assert 400 <= status < 500
    assert status == STATUS.get(part, status)
    assert headers["content-type"] == "application/problem+json; charset=utf-8"
    found = json.loads(body)
    assert found["status"] == status
    assert found["detail"]
    everything = body.decode() + json.dumps(headers) + "".join(logged.readouterr())
    assert HIDDEN not in everything
    assert (await live.post(rap()))[0].status == 202


async def test_a_token_in_other_bytes_is_nobody_and_no_fault(live: Running) -> None:
    with capture_logs() as logs:
        status, headers, _ = await ask(live, WRONG["authorization"])
    assert (status, headers["www-authenticate"][:6]) == (401, "Bearer")
    assert not any(one["log_level"] == "critical" for one in logs)
