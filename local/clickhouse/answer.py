"""The result of one query: what is known of it at once, and the rest of a large one piece by piece."""

from __future__ import annotations

import threading
import time
from typing import Any

from local.clickhouse.wire import QueryFault, summary_header

# A result up to here is sent whole, with its counts, and a limit it breaks is a proper error; a larger one is streamed
_FIRST_BYTES = 8 << 20


class Answer:
    """A result: the first piece, then the rest as an iterator while ``streams`` is true. Close it in any case."""

    def __init__(self, kind: str, result_format: str | None = None, handle: Any = None) -> None:
        self.kind = kind
        self.format = result_format
        self.first = b""
        self.counts: dict[str, int] = {}
        self.streams = False
        self.silent = False
        self._stream: Any = None
        self._handle = handle
        self._lock = threading.Lock()
        self._started = time.perf_counter()

    @property
    def summary(self) -> str:
        """The value of ``X-ClickHouse-Summary``, as known so far; with ``silent`` set it tells the time only. What the
        engine looked at for a view may be rows of others.
        """
        counts = {} if self.silent else self.counts
        return summary_header({**counts, "elapsed_ns": int((time.perf_counter() - self._started) * 1e9)})

    def count(self, result: Any) -> None:
        """Add what the engine counted for this part of the result."""
        found = {
            "read_rows": result.storage_rows_read(),
            "read_bytes": result.storage_bytes_read(),
            "written_rows": result.rows_written(),
            "written_bytes": result.bytes_written(),
            "result_rows": result.rows_read(),
            "result_bytes": result.size(),
        }
        for name, number in found.items():
            self.counts[name] = self.counts.get(name, 0) + number

    def open_stream(self, stream: Any) -> None:
        """Take the beginning of a stream: all of a small result, else the first piece with ``streams`` set."""
        self._stream = stream
        pieces, size = [], 0
        while size < _FIRST_BYTES:
            piece = self.next()
            if piece is None:
                self.close()
                break
            pieces.append(piece)
            size += len(piece)
        else:
            self.streams = True
        self.first = b"".join(pieces)

    def next(self) -> bytes | None:
        """The next piece, None at the end. Raises QueryFault when the query fails halfway."""
        with self._lock:
            if self._stream is None:
                return None
            try:
                chunk = self._stream.fetch()
            except RuntimeError as error:
                raise QueryFault.from_engine(error) from None
            if chunk is None:
                return None
            self.count(chunk)
            return bytes(chunk.bytes())

    def close(self) -> None:
        """Give the handle back; a stream that is not at its end is cancelled."""
        with self._lock:
            stream, self._stream = self._stream, None
            handle, self._handle = self._handle, None
            if stream is not None:
                stream.close()
            if handle is not None:
                handle.close()
