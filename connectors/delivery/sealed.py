"""Blinding and sealing at the source, with public keys only: the BSN exists in clear nowhere else."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Final, NamedTuple

from msgspec.structs import asdict

from connectors.formats.model import Afwijzing, FileRecord
from crypto import oprf
from crypto.keys import PublicKeys
from crypto.seal import ENTRY, EVALUATE, Context, Sealer, hash_of
from crypto.sign import Signer
from domain.field.bsn import elfproef
from schemas.codec import Codec
from schemas.records import fact_to_record
from schemas.topics import IN_TOPIC

#: Clients whose blinding is remembered within a delivery (about 200 bytes each); a client beyond it is blinded anew.
_CLIENTS: Final = 50_000
#: What stands in place of the inverse scalar when there is no client.
_NO_SCALAR: Final = bytes(32)


class InMessage(NamedTuple):
    """Where a record stands in its message: how many records that has, and the place among them, from 1."""

    records: int
    plaats: int


NO_MESSAGE: Final = InMessage(0, 0)


class SealedDelivery:
    """Envelopes of one run of one delivery. Both content keys are fresh, so each line number is sealed once, and the
    source signs the run once. A public key that was published ahead is used from its moment on.
    """

    def __init__(
        self, keys: PublicKeys, signer: Signer, kind: str, delivery: str, lines: int, sender: str, test: bool
    ) -> None:
        keys = keys.at(time.time_ns() // 1_000_000)
        context = Context(IN_TOPIC[kind], delivery, lines, sender, test, keys.epoch)
        self._evaluate = Sealer(EVALUATE, keys.evaluate, context)
        self._entry = Sealer(ENTRY, keys.entry, context)
        self._blind = lru_cache(maxsize=_CLIENTS)(oprf.blind_message)
        self._sealed, self._envelope = Codec("sor.sealed"), Codec("sor.in", subject=f"{IN_TOPIC[kind]}-value")
        self._fixed = {
            "suite": keys.suite,
            "epoch": keys.epoch,
            "delivery": delivery,
            "lines": lines,
            "sender": sender,
            "test": test,
            "evaluate_key_id": self._evaluate.key_id,
            "evaluate_wrapped": self._evaluate.wrapped,
            "entry_key_id": self._entry.key_id,
            "entry_wrapped": self._entry.wrapped,
            "certificate": signer.certificate,
            "signature": signer.sign(
                context.signed(hash_of(self._evaluate.wrapped), hash_of(self._entry.wrapped)),
            ),
        }

    def envelope(self, line: int, record: FileRecord, published_at: int, place: InMessage = NO_MESSAGE) -> bytes:
        """The value for the topic of this kind; ``ValueError`` for a special or wrong BSN: it never becomes a point."""
        blinded, inverse = self._blinding(record)
        content = self._sealed.encode(
            {
                "regel": record.regel,
                "regels": record.regels,
                "inhoud": _content(record),
                "records": place.records,
                "plaats": place.plaats,
            }
        )
        return self._envelope.encode(
            {
                **self._fixed,
                "line": line,
                "published_at": published_at,
                "evaluate_sealed": self._evaluate.seal(line, published_at, blinded) if blinded else b"",
                "entry_sealed": self._entry.seal(line, published_at, inverse + content),
            }
        )

    def _blinding(self, record: FileRecord) -> tuple[bytes, bytes]:
        if record.fallback:
            return self._blind(oprf.cbs_input(record.fallback))
        if record.bsn is None:
            return b"", _NO_SCALAR
        if not elfproef(record.bsn):
            raise ValueError("a BSN that fails the elfproef or stands for no one is never blinded")
        return self._blind(oprf.bsn_input(record.bsn))


def _content(record: FileRecord) -> tuple[str, dict[str, object]]:
    if isinstance(record.inhoud, Afwijzing):
        return "nl.sor.Afwijzing", asdict(record.inhoud)
    return fact_to_record(record.inhoud)
