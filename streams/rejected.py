"""Records for ``sor.rejected``: what could not be read, with its coordinates and reason, never its content."""

from __future__ import annotations

from typing import Final

import structlog
from confluent_kafka import Message

from crypto.oprf import InvalidPoint
from crypto.seal import CannotOpen
from crypto.sources import NotTrusted
from schemas.codec import Undecodable
from schemas.structs import Clear, Rejected

log = structlog.get_logger()

CODES: Final[dict[type[Exception], str]] = {
    CannotOpen: "K01",
    InvalidPoint: "K02",
    Undecodable: "K03",
    NotTrusted: "K05",
}


def rejection(stage: str, message: Message, problem: Exception, clear: Clear | None, now: int) -> Rejected:
    """The dead letter of a message; ``now`` in ms. ``clear`` is its envelope, if its source is known."""
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
        reason=str(problem),
        delivery=delivery,
        line=line,
        sender=sender,
        key=message.key() or b"",
        value=message.value() or b"",
        rejected_at=now,
    )
