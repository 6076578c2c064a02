"""Records for ``sor.rejected``: what could not be read, with its coordinates and reason, never its content."""

from __future__ import annotations

from typing import Final

import structlog
from confluent_kafka import Message

from crypto.oprf import InvalidPoint
from crypto.seal import CannotOpen
from schemas.codec import Record, Undecodable

log = structlog.get_logger()

CODES: Final[dict[type[Exception], str]] = {CannotOpen: "K01", InvalidPoint: "K02", Undecodable: "K03"}


def rejection(stage: str, message: Message, problem: Exception, clear: Record | None, now: int) -> Record:
    """The dead letter of a message. ``clear`` is the clear part of its envelope, if it could be decoded."""
    clear = clear or {}
    log.warning(
        "unreadable record",
        stage=stage,
        topic=message.topic(),
        partition=message.partition(),
        offset=message.offset(),
        code=CODES[type(problem)],
        delivery=clear.get("delivery", ""),
    )
    return {
        "stage": stage,
        "topic": message.topic(),
        "partition": message.partition(),
        "offset": message.offset(),
        "code": CODES[type(problem)],
        "reason": str(problem),
        "delivery": clear.get("delivery", ""),
        "line": clear.get("line", 0),
        "sender": clear.get("sender", ""),
        "key": message.key() or b"",
        "value": message.value() or b"",
        "rejected_at": now,
    }
