"""Records for ``sor.rejected``: what could not be read, with its coordinates and reason, never its content.

So a dead letter is small, whatever it is about: a record that is too large for a stage cannot stop it.
"""

from __future__ import annotations

import time
from typing import Final

import structlog
from confluent_kafka import Message

from crypto.oprf import InvalidPoint
from crypto.seal import CannotOpen
from crypto.sources import NotTrusted
from monitoring import metrics
from schemas.codec import IdSource, Undecodable
from schemas.structs import Clear, Rejected
from schemas.topics import REJECTED
from schemas.typed import StructCodec
from streams.orders import Skipped
from streams.poison import PoisonGuard, SetAside
from transport.publisher import Publisher

log = structlog.get_logger()

CODES: Final[dict[type[Exception], str]] = {
    CannotOpen: "K01",
    InvalidPoint: "K02",
    Undecodable: "K03",
    NotTrusted: "K05",
    SetAside: "K06",
    Skipped: "K09",
}
_MOST_REASON: Final = 300  # characters


def rejection(
    stage: str, message: Message, problem: Exception, clear: Clear | None, now: int, source: str = ""
) -> Rejected:
    """The dead letter of a message; ``now`` in ms. ``clear`` is its envelope, if its ``source`` is known."""
    delivery, line, sender = ("", 0, "") if clear is None else (clear["delivery"], clear["line"], clear["sender"])
    log.warning(
        "unreadable record",
        stage=stage,
        topic=message.topic(),
        partition=message.partition(),
        offset=message.offset(),
        code=CODES[type(problem)],
        delivery=delivery,
    )
    return Rejected(
        stage=stage,
        topic=message.topic(),
        partition=message.partition(),
        offset=message.offset(),
        code=CODES[type(problem)],
        reason=str(problem)[:_MOST_REASON],
        delivery=delivery,
        line=line,
        sender=sender,
        source=source,
        rejected_at=now,
    )


class DeadLetters:
    """What a stage publishes of a record that it cannot read; counts it, and against its source if that is known."""

    def __init__(self, stage: str, publisher: Publisher, guard: PoisonGuard, ids: IdSource | None = None) -> None:
        self._stage, self._publisher, self._guard = stage, publisher, guard
        self._codec = StructCodec(Rejected, ids)

    def __call__(self, message: Message, problem: Exception, clear: Clear | None = None, source: str = "") -> None:
        """``clear`` and ``source`` when it is known who signed it."""
        if source and not isinstance(problem, SetAside):
            self._guard.seen(source, bad=True)
        letter = rejection(self._stage, message, problem, clear, int(time.time() * 1000), source)
        self._publisher.send(REJECTED, letter.delivery.encode(), self._codec.encode(letter))
        metrics.REJECTED.labels(stage=self._stage, code=letter.code).inc()
