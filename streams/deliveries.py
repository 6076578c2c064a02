"""Stage *deliveries*: the outcomes of a delivery's records to its receipt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import structlog

from domain.facts.answer import Line, Receipt, receipt_key
from domain.facts.delivery import Aanlevering, add
from schemas.codec import IdSource
from schemas.topics import RECEIPTS
from schemas.typed import ReceiptCodec, StructCodec
from streams.engine.stage import Out
from streams.engine.stage import Record as LogRecord
from streams.versions import epoch_in, version

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
        """Count the records of one delivery into its state; the receipt goes out whole every time.

        The key is what stands for the delivery in the log. Its id, sender and size are known from the first line that
        entry wrote; what other stages tell may come sooner, and then no receipt goes out yet.
        """
        handle, lines = key.decode(), [self._lines.decode(record.value) for record in records]
        state = self._decode(blob) if blob else _unknown()
        if epoch_in(state.version) < self._epoch:
            state = _unknown()  # of a former log
        if not state.delivery:
            _introduce(state, next((line for line in lines if line.delivery not in ("", handle)), None))
        before = state.klaar
        add(state, lines)
        if state.klaar and not before:
            log.info("delivery complete", delivery=state.delivery, kind=state.kind, lines=state.lines,
                     afgekeurd=state.count - state.geaccepteerd)  # fmt: skip
        state.version = max(state.version, version(self._epoch, records[-1].offset))
        return self._encode(state), [self._out(state)] if state.delivery else []

    def _out(self, state: Aanlevering) -> Out:
        key = receipt_key(state.sender, state.delivery, state.lines)
        return Out(RECEIPTS, key.encode(), self._receipts.encode(_receipt(state)))


def _unknown() -> Aanlevering:
    return Aanlevering("", "", False, 0)


def _introduce(state: Aanlevering, line: Line | None) -> None:
    if line is not None:
        state.delivery, state.kind, state.sender = line.delivery, line.kind, line.sender
        state.test, state.lines = line.test, line.lines


def _receipt(state: Aanlevering) -> Receipt:
    return Receipt(
        delivery=state.delivery,
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
        teruggenomen=state.teruggenomen,
        opmerkingen=tuple(state.opmerkingen),
        opmerking_codes=state.opmerking_codes,
    )
