"""Stage *trajectories*: the events of a client to the rows of its trajecten, metingen and scores.

``Trajectories`` is the pure step that the batch engine calls: packed state and records in, packed state and rows out.
The pseudonym, key of its source and of its state, ends here: rows name a client within its provider (decision 0015).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import msgspec
import structlog

from crypto.client_names import ClientNames
from domain.care.fold import Folded, Issued, Person, Refused, Waits, fold
from domain.care.remarks import Remark
from domain.care.rows import T_METING, T_SCORE, TABLES
from domain.facts.answer import TOO_MANY, Line
from domain.facts.fact import Event
from domain.facts.identity import UploadKey
from domain.field.definitions import SHIPPED, Definitions
from schemas.codec import Codec, IdSource
from schemas.rows import row_to_record
from schemas.topics import LINES, METINGEN, SCORES, TRAJECTEN
from schemas.typed import EventCodec, StructCodec
from streams.engine.stage import Out
from streams.engine.stage import Record as LogRecord
from streams.erased import Ledger
from streams.versions import epoch_in, version

log = structlog.get_logger()

TABLE: Final = "personen"
TOPICS: Final = (TRAJECTEN, METINGEN, SCORES)
_KIND: Final = {T_SCORE: "score", T_METING: "cem"}


def _moments(events: Sequence[Event]) -> defaultdict[str, int]:
    """Provider -> publication (ms) of its newest event in this batch, 0 where it has none.

    Rows of one child at two providers that changed together would else say so by one and the same moment.
    """
    found: defaultdict[str, int] = defaultdict(int)
    for event in events:
        found[event.aanbieder] = max(found[event.aanbieder], event.published_at)
    return found


class Trajectories:
    """The step of the stage, with the names it gives and its codecs."""

    def __init__(
        self,
        names: ClientNames,
        ids: IdSource | None = None,
        epoch: int = 0,
        definitions: Definitions = SHIPPED,
        ledger: Ledger | None = None,
    ) -> None:
        self._names, self._definitions = names, definitions
        self._ledger = Ledger.empty() if ledger is None else ledger
        self._events = EventCodec(ids)
        self._lines = StructCodec(Line, ids)
        self._rows = tuple(Codec(topic, ids) for topic in TOPICS)
        self._decode, self._encode = msgspec.msgpack.Decoder(Person).decode, msgspec.msgpack.Encoder().encode
        self._epoch = epoch

    def __call__(self, key: bytes, blob: bytes | None, records: Sequence[LogRecord]) -> tuple[bytes | None, list[Out]]:
        """Fold the records of one client, in order of offset, into its packed state: none when it was forgotten and
        nothing was published of it since.
        """
        person, forgotten = self.state(blob), self._ledger.moment(key)
        events = [self._events.decode(record.value) for record in records if record.value]
        events = [event for event in events if event.published_at >= forgotten]
        if emptied := forgotten > 0 and not all(record.value for record in records):
            person = Person(version=person.version, out=person.out, definitions=person.definitions)
        elif not events:
            return blob, []
        first, last = version(self._epoch, records[0].offset), version(self._epoch, records[-1].offset)
        given = fold(self._names.secret(key), person, events, last, first, definitions=self._definitions)
        moments = _moments(events)
        outs = [self._out(key, issued, person.version, moments) for issued in given.issued]
        if not events:
            return None, outs
        newest = max(event.published_at for event in events)
        outs += self._for_receipts(given, events[-1].aanbieder, newest)
        if given.dropped:
            log.warning("a client has more facts than are kept", aanbieder=events[-1].aanbieder, dropped=given.dropped)
        if emptied:  # rows that are no more would name what is forgotten
            person.out = {row_key: told for row_key, told in person.out.items() if told}
        return self._encode(person), outs

    def use(self, definitions: Definitions) -> None:
        """From here on these are the definitions."""
        self._definitions = definitions

    def anew(self, key: bytes, blob: bytes) -> tuple[bytes, list[Out]]:
        """Everything that a client has, once more, under the definitions in use; its version stays."""
        person = self.state(blob)
        if person.version < 0:
            return blob, []
        version = person.version
        given = fold(self._names.secret(key), person, [], version, version, definitions=self._definitions)
        outs = [self._out(key, issued, version, _moments([])) for issued in given.issued]
        return self._encode(person), outs + self._for_receipts(given, "", 0)

    def state(self, blob: bytes | None) -> Person:
        """The state of a client. One that was made under a lower epoch is of a former log, and void."""
        person = self._decode(blob) if blob else Person()
        return person if epoch_in(person.version) >= self._epoch else Person()

    def _out(self, client: bytes, issued: Issued, row_version: int, moments: defaultdict[str, int]) -> Out:
        key, row = issued
        name, emmer = self._names.of(client, key.aanbieder), self._names.bucket(client)
        record = row_to_record(
            key,
            row,
            name,
            emmer=emmer,
            version=row_version,
            newest=moments[key.aanbieder],
            definitions=self._definitions,
        )
        return Out(TOPICS[key.table], key.text.encode(), self._rows[key.table].encode(record))

    def _for_receipts(self, given: Folded, sender: str, newest: int) -> list[Out]:
        """What deliveries are told; ``sender`` and ``newest`` are of the events, and nothing rests on them."""
        return [
            *(self._wait(waits, sender, newest) for waits in given.waits),
            *(self._refusal(refused, newest) for refused in given.refused),
            *(self._remark(remark, sender, newest) for remark in given.remarks),
        ]

    def _wait(self, waits: Waits, sender: str, newest: int) -> Out:
        """For the receipt of its delivery: a record waits, or waits no more."""
        return self._told(
            UploadKey(waits.line, waits.delivery),
            kind=_KIND[waits.table],
            sender=sender,
            published_at=newest,
            uitkomst="wacht" if waits.reden else "gekoppeld",
            code=waits.reden,
        )

    def _refusal(self, refused: Refused, newest: int) -> Out:
        """For the receipt of its delivery: a record is not kept, for its client has too many."""
        upload = UploadKey.unpack(refused.upload)
        return self._told(
            upload,
            kind=refused.kind,
            sender=refused.aanbieder,
            published_at=newest,
            uitkomst="afgekeurd",
            code=TOO_MANY,
        )

    def _remark(self, remark: Remark, sender: str, newest: int) -> Out:
        """For the receipt of its delivery: a rule between messages has something to say of a record, or no more."""
        return self._told(
            UploadKey(remark.line, remark.delivery),
            kind=remark.kind,
            sender=sender,
            published_at=newest,
            uitkomst="vervallen" if remark.gone else "opmerking",
            code=remark.code,
        )

    def _told(self, upload: UploadKey, *, kind: str, sender: str, published_at: int, uitkomst: str, code: str) -> Out:
        line = Line(
            delivery="",  # only its key is known here
            line=upload.line,
            lines=0,  # its delivery knows
            kind=kind,
            sender=sender,
            test=False,
            published_at=published_at,
            regel=0,
            regels=0,
            uitkomst=uitkomst,
            code=code,
            veld="",
        )
        return Out(LINES, upload.delivery.encode(), self._lines.encode(line))


assert len(TABLES) == len(TOPICS)  # noqa: S101 - a table without a topic is a bug of ours, found at import
