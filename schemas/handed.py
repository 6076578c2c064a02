"""What is said while definitions are handed over to a live stage (``sor.definitions``), and the definitions, packed."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

from domain.field.definitions import Definitions, identified
from faults import OperatorFault
from schemas.codec import Undecodable

HOLD: Final = "hold"
GO: Final = "go"
DROP: Final = "drop"
PHASES: Final = (HOLD, GO, DROP)
#: Bytes of packed definitions: a hundred times what they have with the whole table of SPICs.
LARGEST: Final = 1_000_000

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Definitions).decode


class TooManyDefinitions(OperatorFault):
    """The definitions are larger than a record of them may be; the message says what to do."""


class Handed(Struct, frozen=True, kw_only=True, gc=False):
    """``sor.definitions``: one word of a handing over. ``document`` holds the definitions of ``hold`` and ``go``."""

    phase: str
    hand_over: str
    id: str
    version: int
    document: bytes
    deadline: int  # ms
    by: str
    at: int  # ms


def key_of(stage: str, phase: str, hand_over: str) -> bytes:
    """Key of a word: of ``go`` the stage, so that the last one stays; of the others the handing over too."""
    return (stage if phase == GO else f"{stage}/{hand_over}").encode()


def pack(definitions: Definitions) -> bytes:
    """The whole of the definitions, for a record.

    Raises:
        TooManyDefinitions: they are larger than ``LARGEST``.
    """
    document = _encode(definitions)
    if len(document) > LARGEST:
        raise TooManyDefinitions(
            f"the definitions have {len(document)} bytes, {LARGEST} are the most: is the table of SPICs the right file?"
        )
    return document


def unpack(document: bytes) -> Definitions:
    """The definitions of a record, under the id that they have in this release; ``Undecodable`` for anything else."""
    if len(document) > LARGEST:
        raise Undecodable(f"a document of {len(document)} bytes, {LARGEST} are the most")
    try:
        return identified(_decode(document))
    except (msgspec.DecodeError, ValueError, TypeError) as error:
        raise Undecodable(f"no packed definitions: {type(error).__name__}") from None
