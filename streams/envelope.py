"""The clear part of an envelope, shared by both stages that open one."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, TypeVar

from crypto.seal import SUITE_ID, Context, hash_of
from crypto.sign import Checker
from crypto.sources import Source, Trust
from domain.facts.delivery import MOST_LINES
from schemas.codec import Undecodable
from schemas.structs import Clear
from schemas.topics import KIND_OF
from schemas.typed import DictCodec

E = TypeVar("E", bound=Clear)
#: Deliveries in flight whose signed message is remembered.
_CACHE: Final = 4096
_is_delivery: Final = re.compile(r"[0-9a-f]{32}").fullmatch
_is_sender: Final = re.compile(r"[0-9]{8}").fullmatch
#: Bytes of one envelope; what a source seals is far smaller, and a larger one goes no further.
MOST_BYTES: Final = 65_536
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
        envelope["suite"] == SUITE_ID
        and _is_delivery(envelope["delivery"])
        and _is_sender(envelope["sender"])
        and 1 <= envelope["line"] <= envelope["lines"] <= MOST_LINES
        and 0 <= envelope["published_at"] < _LATEST
    ):
        raise Undecodable("the clear part of the envelope has not the form of the format")
    return envelope


def opened(codec: DictCodec[E], value: bytes) -> E:
    """The envelope in a record; ``Undecodable`` when it is too large, no envelope, or not of the format."""
    if len(value) > MOST_BYTES:
        raise Undecodable(f"the record has {len(value)} bytes, more than the {MOST_BYTES} of an envelope")
    return formed(codec.decode(value))


def header_of(codec: DictCodec[E], value: bytes) -> E | None:
    """The envelope, for its clear part, or None when it cannot be decoded or is not formed."""
    try:
        return opened(codec, value)
    except Undecodable:
        return None


class Proof:
    """Who signed an envelope, asked once per delivery and process and then remembered."""

    def __init__(self, trust: Trust) -> None:
        self._trust, self._check = trust, Checker(trust)
        self._message = lru_cache(maxsize=_CACHE)(_signed)

    def refresh(self) -> None:
        """Look for new certificates and revocations; at most once a second it costs anything."""
        self._trust.refresh()

    def __call__(
        self, envelope: Clear, context: Context, evaluate_hash: bytes, entry_wrapped: bytes, at: int
    ) -> Source:
        """The source that signed the delivery, at the moment (ms) when the record came in; ``NotTrusted``."""
        return self._check(
            self._message(context, evaluate_hash, entry_wrapped),
            envelope["certificate"],
            envelope["signature"],
            context.sender,
            KIND_OF[context.topic],
            at,
        )


def _signed(context: Context, evaluate_hash: bytes, entry_wrapped: bytes) -> bytes:
    return context.signed(evaluate_hash, hash_of(entry_wrapped))
