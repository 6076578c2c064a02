"""A codec for records that come in runs: of one delivery, almost every field is the same from line to line.

A record that differs from the one before it in the fields named as *changing*, and in no other, is read by comparing
the bytes of the rest, and written around them. Values and bytes are those of ``schemas.codec`` for every record
(``tests/schemas/test_runs.py``); of a declared line reading takes a third of the time, writing half.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from operator import itemgetter
from typing import Any, Final, Generic, TypeVar, cast

from fastavro.schema import parse_schema

from schemas.codec import HEADER, Codec, IdSource, Record, load, plain
from schemas.compiled import ODD, RunReader, groups, run_reader
from schemas.compiled_writer import UNFIT, RunParts, RunWriter, run_writers
from schemas.typed import CONTRACT

D = TypeVar("D")


@cache
def _made(name: str, changing: frozenset[str]) -> tuple[RunReader, RunParts, RunWriter]:
    parts = groups(parse_schema(plain(load(name))), changing)
    return run_reader(parts), *run_writers(parts)


class RunCodec(Generic[D]):
    """As ``schemas.typed.dict_codec``, with the memory of one run in each direction. ``run``: the field of which two
    records in a row must have the same, before a run is looked for: records that never come in runs cost next to
    nothing more.
    """

    def __init__(
        self,
        record: type[D],
        changing: Collection[str],
        run: str,
        ids: IdSource | None = None,
        subject: str | None = None,
    ) -> None:
        name = CONTRACT[record]
        self._codec: Final = Codec(name, ids, subject)
        self._resumed, self._parts, self._like = _made(name, frozenset(changing))
        self._run: Final = run
        self._still = itemgetter(*(field["name"] for field in load(name)["fields"] if field["name"] not in changing))
        self._before: Any = None  # of the last record that was read as any other
        self._read_parts: list[bytes] = []
        self._read: Record = {}
        self._wrote: Any = None  # likewise
        self._written: Any = None
        self._written_parts: list[bytes] = []

    def decode(self, data: bytes) -> D:
        """As ``Codec.decode``."""
        if self._read_parts:
            try:
                return cast("D", self._resumed(data, self._read_parts, self._read))
            except ODD:
                pass  # the first of another run, or nothing that a writer of ours makes
        record = self._codec.decode(data)
        # a record of an older contract may have defaults of another type, and comes in no run of ours
        if record[self._run] == self._before and data[:HEADER] == self._codec.header:
            self._read, self._read_parts = dict(record), self._parts(self._codec.header, record)
        self._before = record[self._run]
        return cast("D", record)

    def encode(self, record: D) -> bytes:
        """As ``Codec.encode``."""
        try:
            still = self._still(cast("Record", record))
            if still == self._written:
                return self._like(self._written_parts, record)
            if still == self._wrote:
                self._written, self._written_parts = still, self._parts(self._codec.header, record)
            self._wrote = still
        except UNFIT:
            pass
        return self._codec.encode(cast("Record", record))
