"""What sources asked to be forgotten and nobody carried out yet, as the stream keeps it (``sor.wisverzoeken``)."""

from __future__ import annotations

from msgspec import Struct


class Asked(Struct, frozen=True, kw_only=True, gc=False):
    """A client is to be forgotten. Field meanings: ``schemas/avro/sor.wisverzoeken.avsc``, same names."""

    pseudonym: str
    sender: str
    door: str  # the source that asked
    tijd: int  # ms, when it was published
    reden: str
