"""Errors of Kafka that end a sink, and those that pass."""

from __future__ import annotations

import structlog
from confluent_kafka import KafkaError

from sinks.contract import MustStopError
from transport.loop import NOT_COMMITTED

log = structlog.get_logger()
_FORBIDDEN = (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED)


def complain(error: KafkaError, slot: str) -> None:
    """An error instead of a record: librdkafka goes on by itself unless it says that it cannot (``MustStopError``)."""
    if error.fatal() or error.code() in _FORBIDDEN:
        raise MustStopError(f"Kafka: {error.str()}. Is another sink running with the slot {slot}?")
    log.warning("Kafka: %s", error.name())


def not_committed(error: KafkaError) -> None:
    """Offsets that the group did not take; ``MustStopError`` when it never will."""
    if error.code() not in NOT_COMMITTED:
        raise MustStopError(f"Kafka refuses the commit: {error.str()}. Is another sink running with this slot?")
    log.warning("Offsets not committed (%s); the rows may come again, which changes nothing.", error.name())
