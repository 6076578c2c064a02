"""Who was forgotten, as the ledger keeps it (``sor.erasures``)."""

from __future__ import annotations

from msgspec import Struct


class Erased(Struct, frozen=True, kw_only=True, gc=False):
    """A client was forgotten. Field meanings: ``schemas/avro/sor.erasures.avsc``, same names."""

    naam: str
    moment: int  # ms
