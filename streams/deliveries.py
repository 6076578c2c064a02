"""Stage *deliveries*: the outcomes of a delivery's records to its receipt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import structlog

from domain.facts.answer import Line, Receipt
from domain.facts.delivery import Aanlevering, add
from schemas.codec import IdSource
from schemas.topics import RECEIPTS
from schemas.typed import ReceiptCodec, StructCodec
from streams.engine.stage import Out
from streams.engine.stage import Record as LogRecord
from streams.versions import version

log = structlog.get_logger()

TABLE: Final = "aanleveringen"
_MOST: Final = 2**31 - 1  # what an int of the contract holds


class Deliveries:
    """The step of the stage, with its codecs."""

    def __init__(self, ids: IdSource | None = None, epoch: int = 0) -> None:
        self._lines, self._receipts = StructCodec(Line, ids), ReceiptCodec(ids)
        self._decode, self._encode = msgspec.msgpack.Decoder(Aanlevering).decode, msgspec.msgpack.Encoder().encode
        self._epoch = epoch

    def __call__(self, key: bytes, blob: bytes | None, records: Sequence[LogRecord]) -> tuple[bytes, list[Out]]:
        """Count the records of one delivery into its state; the receipt goes out whole every time."""
        lines = [self._lines.decode(record.value) for record in records]
        first = lines[0]
        state = self._decode(blob) if blob else Aanlevering(first.kind, first.sender, first.test, first.lines)
        before = state.klaar
        state.lines = max(state.lines, *[line.lines for line in lines])  # a line that only waits does not know it
        add(state, lines)
        if state.klaar and not before:
            log.info("delivery complete", delivery=key.decode(), kind=state.kind, lines=state.lines,
                     afgekeurd=state.count - state.geaccepteerd)  # fmt: skip
        state.version = max(state.version, version(self._epoch, records[-1].offset))
        receipt = self._receipts.encode(_receipt(key.decode(), state))
        return self._encode(state), [Out(RECEIPTS, key, receipt)]


def _receipt(delivery: str, state: Aanlevering) -> Receipt:
    return Receipt(
        delivery=delivery,
        kind=state.kind,
        sender=state.sender,
        test=state.test,
        lines=state.lines,
        gezien=state.count,
        geaccepteerd=state.geaccepteerd,
        afgekeurd=state.count - state.geaccepteerd,
        regels_geaccepteerd=min(state.regels_geaccepteerd, _MOST),
        regels_afgekeurd=min(state.regels_afgekeurd, _MOST),
        klaar=state.klaar,
        fouten=tuple(state.fouten),
        codes=state.codes,
        eerste=state.eerste,
        laatste=state.laatste,
        version=state.version,
        ingetrokken=state.count_withdrawn,
        wacht=state.wacht,
    )
