"""Stage *trajectories*: the events of a client to the rows of its trajecten, metingen and scores.

``Trajectories`` is the pure step that the batch engine calls: packed state and records in, packed state and rows out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from domain.care.fold import Issued, Person, Waits, fold
from domain.care.rows import T_METING, T_SCORE, TABLES
from domain.facts.answer import Line
from schemas.codec import Codec, IdSource
from schemas.records import record_to_event
from schemas.rows import row_to_record
from schemas.topics import EVENTS, LINES, METINGEN, SCORES, TRAJECTEN
from schemas.typed import StructCodec
from streams.engine.stage import Out
from streams.engine.stage import Record as LogRecord
from streams.versions import version

TABLE: Final = "personen"
TOPICS: Final = (TRAJECTEN, METINGEN, SCORES)
_KIND: Final = {T_SCORE: "score", T_METING: "cem"}


class Trajectories:
    """The step of the stage, with its codecs."""

    def __init__(self, ids: IdSource | None = None, epoch: int = 0) -> None:
        self._events = Codec(EVENTS, ids)
        self._lines = StructCodec(Line, ids)
        self._rows = tuple(Codec(topic, ids) for topic in TOPICS)
        self._decode, self._encode = msgspec.msgpack.Decoder(Person).decode, msgspec.msgpack.Encoder().encode
        self._epoch = epoch

    def __call__(self, key: bytes, blob: bytes | None, records: Sequence[LogRecord]) -> tuple[bytes, list[Out]]:
        """Fold the records of one client, in order of offset, into its packed state."""
        person = self._decode(blob) if blob else Person()
        events = [record_to_event(self._events.decode(record.value)) for record in records]
        first, last = version(self._epoch, records[0].offset), version(self._epoch, records[-1].offset)
        given = fold(key, person, events, last, first)
        newest = max(event.published_at for event in events)
        client = key.decode()
        outs = [self._out(client, issued, person.version, newest) for issued in given.issued]
        outs += [self._wait(waits, events[-1].aanbieder, newest) for waits in given.waits]
        return self._encode(person), outs

    def _out(self, client: str, issued: Issued, row_version: int, newest: int) -> Out:
        key, row = issued
        record = row_to_record(key, row, client, version=row_version, newest=newest)
        return Out(TOPICS[key.table], key.text.encode(), self._rows[key.table].encode(record))

    def _wait(self, waits: Waits, sender: str, newest: int) -> Out:
        """For the receipt of its delivery: a record waits, or waits no more."""
        line = Line(
            delivery=waits.delivery,
            line=waits.line,
            lines=0,  # its delivery knows
            kind=_KIND[waits.table],
            sender=sender,
            test=False,
            published_at=newest,
            regel=0,
            regels=0,
            uitkomst="wacht" if waits.reden else "gekoppeld",
            code=waits.reden,
            veld="",
        )
        return Out(LINES, waits.delivery.encode(), self._lines.encode(line))


assert len(TABLES) == len(TOPICS)  # noqa: S101 - a table without a topic is a bug of ours, found at import
