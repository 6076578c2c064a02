"""Stage *trajectories*: the events of a client to the rows of its trajecten, metingen and scores.

``Trajectories`` is the pure step that the batch engine calls: packed state and records in, packed state and rows out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec.structs import asdict

from domain.care.fold import Persoon, Uitgifte, Wachten, vouw
from domain.care.rows import LEEG, T_METING, T_SCORE, TABELLEN, RowKey
from domain.field.definitions import VERSION
from schemas.codec import Codec, IdSource, Record
from schemas.records import record_to_event
from schemas.topics import EVENTS, LINES, METINGEN, SCORES, TRAJECTEN
from streams.engine.stage import Out
from streams.engine.stage import Record as LogRecord
from streams.versions import version

TABLE: Final = "personen"
TOPICS: Final = (TRAJECTEN, METINGEN, SCORES)
_KIND: Final = {T_SCORE: "score", T_METING: "cem"}
_NUMBER: Final = ("traject", "meting", "score")


class Trajectories:
    """The step of the stage, with its codecs."""

    def __init__(self, ids: IdSource | None = None, epoch: int = 0) -> None:
        self._events = Codec(EVENTS, ids)
        self._lines = Codec(LINES, ids)
        self._rows = tuple(Codec(topic, ids) for topic in TOPICS)
        self._decode, self._encode = msgspec.msgpack.Decoder(Persoon).decode, msgspec.msgpack.Encoder().encode
        self._epoch = epoch

    def __call__(self, key: bytes, blob: bytes | None, records: Sequence[LogRecord]) -> tuple[bytes, list[Out]]:
        """Fold the records of one client, in order of offset, into its packed state."""
        persoon = self._decode(blob) if blob else Persoon()
        events = [record_to_event(self._events.decode(record.value)) for record in records]
        first, last = version(self._epoch, records[0].offset), version(self._epoch, records[-1].offset)
        given = vouw(key, persoon, events, last, first)
        newest = max(event.published_at for event in events)
        client = key.decode()
        outs = [self._out(client, uitgifte, persoon.versie, newest) for uitgifte in given.uitgiften]
        outs += [self._wait(wachten, events[-1].aanbieder, newest) for wachten in given.wachten]
        return self._encode(persoon), outs

    def _out(self, client: str, uitgifte: Uitgifte, row_version: int, newest: int) -> Out:
        sleutel, rij = uitgifte
        record = asdict(rij if rij is not None else LEEG[sleutel.tabel])
        record |= key_columns(sleutel)
        record["version"] = row_version
        record["verwijderd"] = rij is None
        record["client"] = client
        record["definitie_versie"] = VERSION
        record["gebeurd_op"] = newest
        return Out(TOPICS[sleutel.tabel], sleutel.text.encode(), self._rows[sleutel.tabel].encode(record))

    def _wait(self, wachten: Wachten, sender: str, newest: int) -> Out:
        """For the receipt of its delivery: a record waits, or waits no more."""
        line = {
            "delivery": wachten.delivery,
            "line": wachten.line,
            "lines": 0,  # its delivery knows
            "kind": _KIND[wachten.tabel],
            "sender": sender,
            "test": False,
            "published_at": newest,
            "regel": 0,
            "regels": 0,
            "uitkomst": "wacht" if wachten.reden else "gekoppeld",
            "code": wachten.reden,
            "veld": "",
        }
        return Out(LINES, wachten.delivery.encode(), self._lines.encode(line))


def key_columns(sleutel: RowKey) -> Record:
    """The columns that a row's key stands for."""
    return {
        "aanbieder": sleutel.aanbieder,
        "gemeente": sleutel.gemeente,
        "jaar": sleutel.jaar,
        _NUMBER[sleutel.tabel]: sleutel.nummer.hex(),
    }


assert len(TABELLEN) == len(TOPICS)  # noqa: S101 - a table without a topic is a bug of ours, found at import
