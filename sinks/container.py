"""Avro records as ClickHouse's format ``Avro`` wants them: a container file, made without decoding any of them.

Every record is a block of its own, for 20 bytes more: a reader cannot run on into the next record, so a damaged one
is an error of its block and never a shifted, plausible row.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

_MAGIC: Final = b"Obj\x01"
_SYNC: Final = b"sor.sinks.avro.1"  # 16 bytes; blocks carry their length, so nobody searches for it
_ONE: Final = b"\x02"  # a block of one record
CONFLUENT: Final = 5  # bytes before the record in Confluent's wire format


def number(value: int) -> bytes:
    """Avro's ``long``: zigzag, seven bits to the byte, lowest first."""
    left, out = value << 1 if value >= 0 else (-value << 1) - 1, bytearray()
    while left > 0x7F:
        out.append(left & 0x7F | 0x80)
        left >>= 7
    out.append(left)
    return bytes(out)


#: Lengths of blocks, made once: records are short.
_LENGTHS: Final = tuple(_ONE + number(length) for length in range(2_048))


def container(schema: str, values: Iterable[bytes]) -> bytes:
    """One container of records in Confluent's wire format, all written with ``schema`` (its JSON text)."""
    parts = [_MAGIC, number(2), _text(b"avro.schema"), _text(schema.encode()), _text(b"avro.codec"), _text(b"null")]
    parts += [number(0), _SYNC]
    for value in values:
        length = len(value) - CONFLUENT
        head = _LENGTHS[length] if length < len(_LENGTHS) else _ONE + number(length)
        parts += (head, value[CONFLUENT:], _SYNC)
    return b"".join(parts)


def _text(data: bytes) -> bytes:
    return number(len(data)) + data
