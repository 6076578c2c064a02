"""Request bodies: from what came over the wire to plain bytes, in pieces and within bounds.

clickhouse-connect sends one compressed frame per block, so every codec loops over frames: a decoder that stops after
the first loses rows without any error. A body that ends inside a frame is an error too.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

import lz4.frame
from backports import zstd

from local.clickhouse.wire import QueryFault

_STEP = 1 << 20


class _Frame(Protocol):
    """A decoder of one frame, as the lz4 and zstd libraries give it."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes | None: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


def decode(encoding: str, body: bytes, limit: int) -> Iterator[bytes]:
    """Plain pieces of ``body`` (Content-Encoding ``encoding``), at most ``limit`` bytes in total.

    Raises:
        QueryFault: the encoding is unknown, the data are damaged or cut off, or they unpack to more than ``limit``.
    """
    kind = encoding.strip().lower()
    if kind in ("", "identity"):
        return _bounded(iter((body,)), limit)
    if kind == "lz4":
        return _bounded(_frames(lz4.frame.LZ4FrameDecompressor, kind, body), limit)
    if kind == "zstd":
        return _bounded(_frames(zstd.ZstdDecompressor, kind, body), limit)
    if kind in ("gzip", "x-gzip", "deflate"):
        return _bounded(_members(kind, body), limit)
    raise QueryFault(48, "NOT_IMPLEMENTED", f"Content-Encoding '{encoding}' is not supported: use lz4, zstd or gzip")


def too_large(limit: int) -> QueryFault:
    """The answer to a request that is larger than this server takes."""
    shown = f"{limit / (1 << 20):g} MiB"
    return QueryFault(307, "TOO_MANY_BYTES", f"The request is larger than {shown}: send the rows in smaller batches")


def _bounded(pieces: Iterator[bytes], limit: int) -> Iterator[bytes]:
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > limit:
            raise too_large(limit)
        yield piece


def _damaged(kind: str) -> QueryFault:
    return QueryFault(117, "INCORRECT_DATA", f"The {kind} data of the request are damaged or cut off")


def _frames(new: Callable[[], _Frame], kind: str, body: bytes) -> Iterator[bytes]:
    rest = body
    while rest:
        frame = new()
        while not frame.eof:
            try:
                piece = frame.decompress(rest, _STEP)
            except (RuntimeError, zstd.ZstdError, EOFError) as error:
                raise _damaged(kind) from error
            rest = b""
            if not piece and frame.needs_input and not frame.eof:
                raise _damaged(kind)
            if piece:
                yield piece
        rest = frame.unused_data or b""


def _members(kind: str, body: bytes) -> Iterator[bytes]:
    rest = body
    while rest:
        member = zlib.decompressobj(wbits=15 if kind == "deflate" else 31)
        while not member.eof:
            try:
                piece = member.decompress(rest, _STEP)
            except zlib.error as error:
                raise _damaged(kind) from error
            rest = member.unconsumed_tail
            if not piece and not rest and not member.eof:
                raise _damaged(kind)
            if piece:
                yield piece
        rest = member.unused_data
