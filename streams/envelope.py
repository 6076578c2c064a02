"""The clear part of an envelope, shared by both stages that open one."""

from __future__ import annotations

from crypto.seal import Context
from schemas.codec import Codec, Record, Undecodable


def context_of(envelope: Record, topic: str) -> Context:
    """What the sealed parts of an envelope must be bound to."""
    return Context(
        topic, envelope["delivery"], envelope["lines"], envelope["sender"], envelope["test"], envelope["epoch"]
    )


def header_of(codec: Codec, value: bytes) -> Record | None:
    """The clear part of an envelope, or None when it cannot be decoded."""
    try:
        return codec.decode(value)
    except Undecodable:
        return None
