"""Outcomes of one batch for ``sor.lines``: accepted records of a delivery in a row are told in one line.

A delivery is hundreds of records that are accepted one after the other: one line for each took a quarter of what
``entry`` publishes. What a receipt says of them is the same (decision 0036). Everything is told in the batch in which
it came, before its offsets are committed.
"""

from __future__ import annotations

from domain.facts.answer import Line, follows, in_one
from schemas.codec import IdSource
from schemas.topics import LINES
from schemas.typed import StructCodec
from transport.publisher import Publisher


class Outcomes:
    """Publishes outcomes; those of one delivery in their order."""

    def __init__(self, publisher: Publisher, ids: IdSource | None = None) -> None:
        self._publisher, self._encode = publisher, StructCodec(Line, ids).encode
        self._runs: dict[bytes, list[Line]] = {}  # handle -> accepted records in a row that are not yet told

    def add(self, handle: bytes, line: Line) -> None:
        """The outcome of one record, of the delivery with this handle."""
        run = self._runs.get(handle)
        if run is None:
            self._runs[handle] = [line]
        elif follows(line, run[-1], run[0]):
            run.append(line)
        else:
            self._tell(handle, self._runs.pop(handle))
            self._runs[handle] = [line]

    def end_batch(self) -> None:
        """Tell what is left of the batch."""
        for handle, run in self._runs.items():
            self._tell(handle, run)
        self._runs.clear()

    def _tell(self, handle: bytes, run: list[Line]) -> None:
        self._publisher.send(LINES, handle, self._encode(in_one(run)))
