"""What names a record of a delivery.

Packed it stands in the stored state of a client: that form never changes, and only this module knows it.
"""

from __future__ import annotations

from struct import Struct
from typing import Final, NamedTuple

_LINE: Final = Struct(">I")  # the highest byte first, so that packed lines have their order
_AT: Final = -_LINE.size
_new: Final = tuple.__new__  # makes a NamedTuple of a tuple, as its ``_make`` does, for less: every row asks it


def delivery_id(text: str) -> bytes:
    """The id of a delivery as bytes: sixteen, in states of release 0.1.0 eight. ``text``: hexadecimal digits."""
    return bytes.fromhex(text)


class UploadKey(NamedTuple):
    """Names the upload of a score, a meting or a CBS record. Of one moment the later line counts, then the higher
    delivery, arbitrary but stable: that is the order of these keys.
    """

    line: int  # 1..lines of the delivery
    delivery: str  # its id in hexadecimal digits, as on an event

    @staticmethod
    def pack(delivery: str, line: int) -> bytes:
        """The id of the delivery, then the line."""
        return bytes.fromhex(delivery) + _LINE.pack(line)

    @classmethod
    def unpack(cls, packed: bytes) -> UploadKey:
        """What ``pack`` made."""
        (line,) = _LINE.unpack(packed[_AT:])
        return _new(cls, (line, packed[:_AT].hex()))


class WaitKey(NamedTuple):
    """Names a record that waits: the table of its row (``domain.care.rows``) and the record."""

    table: int
    upload: UploadKey

    @staticmethod
    def pack(table: int, delivery: str, line: int) -> bytes:
        """The table in one byte, then the record."""
        return bytes((table,)) + UploadKey.pack(delivery, line)

    @classmethod
    def unpack(cls, packed: bytes) -> WaitKey:
        """What ``pack`` made."""
        return _new(cls, (packed[0], UploadKey.unpack(packed[1:])))
