"""Kafka clients, configured once: security in one place, settings that lose nothing, no wait without a bound.

Whatever happens to a broker or to a process, everybody works again within half a minute (decision 0021). So nothing
here waits as long as librdkafka's defaults would: a join 300 s (``max.poll.interval.ms``), a request 60 s, a record to
be sent 300 s. What librdkafka has to say at the level of a warning or above stands in the log of the process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient

from transport.heard import UNHEARD, heard

#: Seconds after which a member that is silent has left its group: what it had goes to others.
SESSION_SECONDS: Final = 10.0
#: Seconds for which a member may not ask for records before it has left; as long at most a group waits for a member
#: that must join again, and so does a member that asks to join. Longer than any batch of a stage takes.
JOIN_SECONDS: Final = 15.0
#: Seconds for which a broker may let a request wait, and a connection may take to be made.
REQUEST_SECONDS: Final = 10.0
CONNECT_SECONDS: Final = 5.0
#: Seconds for which a question to a broker may take in all, trying again included: a start of the broker fits.
ANSWER_SECONDS: Final = 20.0
#: Seconds after which a producer asks anew how many partitions a topic has: more can be made (decision 0028).
METADATA_SECONDS: Final = 10.0
#: Longest pause before a broker that was gone is tried again.
RECONNECT_SECONDS: Final = 1.0
#: Seconds in which a record is delivered, or its batch fails and comes again. Longer than a broker takes to start.
DELIVERY_SECONDS: Final = 30.0
_BOUNDS: Final[dict[str, Any]] = {
    "socket.timeout.ms": int(1000 * REQUEST_SECONDS),
    "socket.connection.setup.timeout.ms": int(1000 * CONNECT_SECONDS),
    "socket.keepalive.enable": True,
    "reconnect.backoff.max.ms": int(1000 * RECONNECT_SECONDS),
}


@dataclass(frozen=True)
class Cluster:
    """A cluster: bootstrap servers and librdkafka's security settings (empty on one machine)."""

    bootstrap: str
    security: Mapping[str, str] = field(default_factory=dict)

    def settings(self) -> dict[str, Any]:
        """Settings every client shares. What librdkafka says is heard by producers and consumers alone, which hand it
        over when they are polled: a client for administration has no such moment.
        """
        return {"bootstrap.servers": self.bootstrap, **_BOUNDS, **UNHEARD, **self.security}


def producer(cluster: Cluster, client_id: str, **extra: Any) -> Producer:
    """An idempotent producer. Its partitioner equals Java's, so that every writer puts a key in the same place."""
    return Producer(
        {
            **cluster.settings(),
            **heard(),
            "client.id": client_id,
            "acks": "all",
            "enable.idempotence": True,
            "partitioner": "murmur2_random",
            "compression.type": "lz4",
            "linger.ms": 50,  # a flush waits for none of it
            "batch.size": 1_000_000,
            "message.max.bytes": 4_000_000,
            "queue.buffering.max.messages": 200_000,
            "queue.buffering.max.kbytes": 131_072,
            "request.timeout.ms": int(1000 * REQUEST_SECONDS),
            "topic.metadata.refresh.interval.ms": int(1000 * METADATA_SECONDS),
            "delivery.timeout.ms": int(1000 * DELIVERY_SECONDS),
            **extra,
        }
    )


def consumer(cluster: Cluster, group: str, slot: str, **extra: Any) -> Consumer:
    """A consumer whose offsets move only when told. ``slot`` is its static membership: a restart takes over at once."""
    return Consumer(
        {
            **cluster.settings(),
            **heard(),
            "group.id": group,
            "group.instance.id": f"{group}-{slot}",
            "client.id": f"{group}-{slot}",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "session.timeout.ms": int(1000 * SESSION_SECONDS),
            "max.poll.interval.ms": int(1000 * JOIN_SECONDS),
            "heartbeat.interval.ms": 2_000,
            "partition.assignment.strategy": "cooperative-sticky",
            "fetch.wait.max.ms": 250,
            "queued.max.messages.kbytes": 32_768,
            **extra,
        }
    )


def admin(cluster: Cluster) -> AdminClient:
    """An administration client."""
    return AdminClient(cluster.settings())
