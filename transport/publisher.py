"""Publishing with every delivery report looked at."""

from __future__ import annotations

from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message

from faults import OperatorFault
from transport.clients import Cluster, producer


class NotDelivered(OperatorFault):
    """Records did not reach the broker. Nothing that depends on them may be committed."""


class Publisher:
    """Sends records and knows whether each of them arrived."""

    def __init__(self, cluster: Cluster, client_id: str, **extra: Any) -> None:
        self._producer = producer(cluster, client_id, **extra)
        self._failed: KafkaError | None = None
        self._failures = 0

    def _report(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._failed, self._failures = error, self._failures + 1

    def send(self, topic: str, key: bytes, value: bytes | None, at: int = 0) -> None:
        """Queue one record; waits while the queue is full. ``NotDelivered`` when the broker takes nothing for long.

        ``at``: timestamp of the record (ms); 0 = this moment.
        """
        for _ in range(300):
            try:
                self._producer.produce(topic, value, key, on_delivery=self._report, timestamp=at)
            except BufferError:
                self._producer.poll(0.1)
            except KafkaException as error:
                raise NotDelivered(f"{topic}: {error.args[0].str()}") from error
            else:
                return
        raise NotDelivered(f"{topic}: the queue stayed full for 30 seconds; is the broker up?")

    def poll(self) -> None:
        """Serve delivery reports; ``NotDelivered`` as soon as one failed, so that nobody goes on for nothing."""
        self._producer.poll(0)
        if self._failures:
            self.flush(0)

    def flush(self, timeout: float = 30.0) -> None:
        """Wait for every report; ``NotDelivered`` when one failed or is missing."""
        left = self._producer.flush(timeout)
        if left or self._failures:
            reason = self._failed.str() if self._failed else "no answer from the broker"
            failures, self._failures, self._failed = self._failures, 0, None
            raise NotDelivered(f"{left + failures} records not delivered: {reason}")

    def abandon(self) -> None:
        """Drop what is queued, on the way out after an interruption."""
        self._producer.purge()
        self._producer.flush(1.0)
        self._failures, self._failed = 0, None
