"""Publishing with every delivery report looked at."""

from __future__ import annotations

from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Message

from faults import OperatorFault
from transport.clients import Cluster, producer

#: Reports of records that arrived only end their wait in ``flush``: making one for each took longer than to hand it in.
_REPORTS: Final[dict[str, Any]] = {"delivery.report.only.error": True}
_ANY_PARTITION: Final = -1
_WAITS: Final = 300  # of a tenth of a second, while the queue is full


class NotDelivered(OperatorFault):
    """Records did not reach the broker. Nothing that depends on them may be committed."""


class Publisher:
    """Sends records and knows whether each of them arrived."""

    def __init__(self, cluster: Cluster, client_id: str, **extra: Any) -> None:
        self._producer = producer(cluster, client_id, **_REPORTS, **extra)
        self._produce, self._told = self._producer.produce, self._report
        self._failed: KafkaError | None = None
        self._failures = 0

    def _report(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._failed, self._failures = error, self._failures + 1

    def send(self, topic: str, key: bytes, value: bytes | None, at: int = 0) -> None:
        """Queue one record; waits while the queue is full. ``NotDelivered`` when the broker takes nothing for long.

        ``at``: timestamp of the record (ms); 0 = this moment.
        """
        try:
            # by position: naming the arguments takes as long as the rest
            self._produce(topic, value, key, _ANY_PARTITION, self._told, None, at)
        except BufferError:
            self._send_later(topic, key, value, at)
        except KafkaException as error:
            raise NotDelivered(f"{topic}: {error.args[0].str()}") from error

    def _send_later(self, topic: str, key: bytes, value: bytes | None, at: int) -> None:
        for _ in range(_WAITS):
            self._producer.poll(0.1)
            try:
                self._produce(topic, value, key, _ANY_PARTITION, self._told, None, at)
            except BufferError:
                continue
            except KafkaException as error:
                raise NotDelivered(f"{topic}: {error.args[0].str()}") from error
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
