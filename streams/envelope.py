"""The clear part of an envelope, shared by both stages that open one."""

from __future__ import annotations

import re
from typing import Final, TypeVar

from crypto.seal import Context
from schemas.codec import Undecodable
from schemas.structs import Clear
from schemas.typed import DictCodec

E = TypeVar("E", bound=Clear)
_is_delivery: Final = re.compile(r"[0-9a-f]{32}").fullmatch
_is_sender: Final = re.compile(r"[0-9]{8}").fullmatch
_MOST_LINES: Final = 10_000_000
_LATEST: Final = 4_102_444_800_000  # the year 2100, ms


def context_of(envelope: Clear, topic: str) -> Context:
    """What the sealed parts of an envelope must be bound to."""
    return Context(
        topic, envelope["delivery"], envelope["lines"], envelope["sender"], envelope["test"], envelope["epoch"]
    )


def formed(envelope: E) -> E:
    """The envelope itself when its clear part has the form of the format, else ``Undecodable``.

    A publisher can write anything there, and what it writes goes on into keys, tables and screens: a text could hold a
    number of a person, a negative count stops the sink.
    """
    if not (
        _is_delivery(envelope["delivery"])
        and _is_sender(envelope["sender"])
        and 1 <= envelope["line"] <= envelope["lines"] <= _MOST_LINES
        and 0 <= envelope["published_at"] < _LATEST
    ):
        raise Undecodable("the clear part of the envelope has not the form of the format")
    return envelope


def header_of(codec: DictCodec[E], value: bytes) -> E | None:
    """The envelope, for its clear part, or None when it cannot be decoded or is not formed."""
    try:
        return formed(codec.decode(value))
    except Undecodable:
        return None
