"""What names a record of a delivery, and what names an act of a message.

Packed it stands in the stored state of a client: that form never changes, and only this module knows it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from struct import Struct
from typing import Final, NamedTuple

_LINE: Final = Struct(">I")  # the highest byte first, so that packed lines have their order
_AT: Final = -_LINE.size
_PART: Final = 8  # bytes of the handle of a delivery in what names an act: enough within one client
_new: Final = tuple.__new__  # makes a NamedTuple of a tuple, as its ``_make`` does, for less: every row asks it


#: Whether a text is the id of a delivery: 32 hexadecimal digits.
is_delivery: Final = re.compile(r"[0-9a-f]{32}").fullmatch


@lru_cache(maxsize=4096)  # the records of a delivery come together
def delivery_id(text: str) -> bytes:
    """The id of a delivery as bytes: sixteen, in states of release 0.1.0 eight. ``text``: hexadecimal digits."""
    return bytes.fromhex(text)


@lru_cache(maxsize=4096)  # the records of a delivery come together
def delivery_part(text: str) -> bytes:
    """What stands for a delivery in what names an act: the first eight bytes of its handle. An act of a message is
    named by the message and this: a message that is delivered twice may be taken back once.
    """
    return bytes.fromhex(text[: 2 * _PART])


def deliveries_of_cause(cause: bytes) -> tuple[bytes, bytes]:
    """The delivery that makes a number used twice, and that of the client's own use; empty when it is not known."""
    return cause[:_PART], cause[_PART:]


def message_of(name: bytes) -> bytes:
    """The message in a name. In states of the release before the name is the message: eight bytes."""
    return name[:-_PART] if len(name) > _PART else name


def delivery_of_message(name: bytes) -> bytes:
    """The delivery in a name, as ``delivery_part`` has it; empty when it is not known."""
    return name[-_PART:] if len(name) > _PART else b""


def delivery_of_upload(name: bytes) -> bytes:
    """The delivery in a packed ``UploadKey``, as ``delivery_part`` has it."""
    return name[:_PART]


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
