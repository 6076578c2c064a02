"""The taking back of a delivery as the stream keeps it (``sor.terugnames``)."""

from __future__ import annotations

from msgspec import Struct


class Taken(Struct, frozen=True, kw_only=True, gc=False):
    """A delivery was taken back. Field meanings: ``schemas/avro/sor.terugnames.avsc``, same names."""

    aanlevering: str  # handle
    sender: str
    tijd: int  # ms, of arrival
    door: str  # the source that took it back
    reden: str
