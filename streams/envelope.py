"""The clear part of an envelope, shared by both stages that open one."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, TypeVar

from crypto.seal import SUITE_ID, Context, hash_of
from crypto.sign import Checker
from crypto.sources import Source, Trust
from domain.facts.delivery import MOST_LINES
from domain.facts.identity import is_delivery
from schemas.codec import Undecodable
from schemas.form import ENVELOPE_BYTES, is_moment, is_sender
from schemas.runs import RunCodec
from schemas.structs import Clear
from schemas.topics import KIND_OF

E = TypeVar("E", bound=Clear)
#: What differs from one envelope of a run of a delivery to the next; both envelopes have some of these fields.
OF_A_LINE: Final = frozenset({"line", "published_at", "evaluate_sealed", "element", "entry_sealed"})
#: Deliveries in flight whose signed message is remembered.
_CACHE: Final = 4096


def context_of(envelope: Clear, topic: str) -> Context:
    """What the sealed parts of an envelope must be bound to."""
    return Context(
        topic, envelope["delivery"], envelope["lines"], envelope["sender"], envelope["test"], envelope["epoch"]
    )


def formed(envelope: E) -> E:
    """The envelope itself when its clear part has the form of the format, else ``Undecodable``."""
    if not (
        envelope["suite"] == SUITE_ID
        and is_delivery(envelope["delivery"])
        and is_sender(envelope["sender"])
        and 1 <= envelope["line"] <= envelope["lines"] <= MOST_LINES
        and is_moment(envelope["published_at"])
    ):
        raise Undecodable("the clear part of the envelope has not the form of the format")
    return envelope


def opened(codec: RunCodec[E], value: bytes) -> E:
    """The envelope in a record; ``Undecodable`` when it is too large, no envelope, or not of the format."""
    if len(value) > ENVELOPE_BYTES:
        raise Undecodable(f"the record has {len(value)} bytes, more than the {ENVELOPE_BYTES} of an envelope")
    return formed(codec.decode(value))


class Proof:
    """Who signed an envelope, asked once per delivery and process and then remembered."""

    def __init__(self, trust: Trust) -> None:
        self._trust, self._check = trust, Checker(trust)
        self._message = lru_cache(maxsize=_CACHE)(_signed)
        self._last: object = None  # what was proved last: the next record is mostly of the same delivery

    def refresh(self) -> None:
        """Look for new certificates and revocations; at most once a second it costs anything."""
        self._trust.refresh()

    def __call__(
        self, envelope: Clear, context: Context, evaluate_hash: bytes, entry_wrapped: bytes, at: int
    ) -> Source:
        """The source that signed the delivery, at the moment (ms) when the record came in; ``NotTrusted``."""
        certificate, signature = envelope["certificate"], envelope["signature"]
        proved = context, evaluate_hash, entry_wrapped, certificate, signature
        if proved == self._last:
            return self._trust.source(certificate, at // 1000)  # whether it counts at that time is asked every time
        message, kind = self._message(context, evaluate_hash, entry_wrapped), KIND_OF[context.topic]
        source = self._check(message, certificate, signature, context.sender, kind, at)
        self._last = proved
        return source


def _signed(context: Context, evaluate_hash: bytes, entry_wrapped: bytes) -> bytes:
    return context.signed(evaluate_hash, hash_of(entry_wrapped))
