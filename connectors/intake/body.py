"""One upload into memory, with bounds on size and time. Nothing of it touches a disk."""

from __future__ import annotations

import asyncio
from io import BytesIO
from typing import Final

from aiohttp import web

from connectors.intake.config import IntakeLimits
from connectors.intake.limits import Held
from connectors.intake.problems import Kind, Problem

#: A body of unknown length reserves memory in steps of this size.
STEP: Final = 1_000_000
_IDENTITY: Final = ("", "identity")
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")


def require_plain(request: web.Request, limits: IntakeLimits) -> None:
    """Refuse by the headers alone, before a byte of the body is asked for."""
    if request.content_length is not None and request.content_length > limits.body_bytes:
        raise Problem(Kind.TOO_LARGE)
    if request.headers.get("Content-Encoding", "").lower() not in _IDENTITY:
        raise Problem(Kind.KIND)
    if request.content_type.startswith("multipart/"):
        raise Problem(Kind.KIND)


async def read(request: web.Request, held: Held, limits: IntakeLimits) -> bytes:
    """The whole body.

    Raises:
        Problem: too large, too slow, cut off, or a zip file.
        Full, TooFast: no memory for it.
    """
    if request.content_length is not None:
        held.reach(request.content_length)
    try:
        async with asyncio.timeout(limits.upload_seconds):
            body = await _read(request, held, limits)
    except TimeoutError:
        raise Problem(Kind.TOO_SLOW) from None
    except (ConnectionError, web.RequestPayloadError):
        raise Problem(Kind.BROKEN_OFF) from None
    if body[:4] in _ZIP:
        raise Problem(Kind.KIND)
    return body


async def _read(request: web.Request, held: Held, limits: IntakeLimits) -> bytes:
    await _go_on(request)
    gathered, size = BytesIO(), 0
    while True:
        async with asyncio.timeout(limits.idle_seconds):
            chunk = await request.content.readany()
        if not chunk:
            return gathered.getvalue()
        size += len(chunk)
        if size > limits.body_bytes:
            raise Problem(Kind.TOO_LARGE)
        if size > held.bytes:
            held.reach(min(limits.body_bytes, size + STEP))
        gathered.write(chunk)


async def expect(_request: web.Request) -> None:
    """A client that asks whether it may send is answered by ``read``, after every check that needs no body."""


async def _go_on(request: web.Request) -> None:
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer itself has not begun
