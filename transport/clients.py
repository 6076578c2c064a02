"""Kafka clients, configured once: security in one place, settings that lose nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient


@dataclass(frozen=True)
class Cluster:
    """A cluster: bootstrap servers and librdkafka's security settings (empty on one machine)."""

    bootstrap: str
    security: Mapping[str, str] = field(default_factory=dict)

    def settings(self) -> dict[str, Any]:
        """Settings every client shares."""
        return {"bootstrap.servers": self.bootstrap, "log_level": 2, **self.security}


def producer(cluster: Cluster, client_id: str, **extra: Any) -> Producer:
    """An idempotent producer. Its partitioner equals Java's, so that every writer puts a key in the same place."""
    return Producer(
        {
            **cluster.settings(),
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
            **extra,
        }
    )


def consumer(cluster: Cluster, group: str, slot: str, **extra: Any) -> Consumer:
    """A consumer whose offsets move only when told. ``slot`` is its static membership: a restart takes over at once."""
    return Consumer(
        {
            **cluster.settings(),
            "group.id": group,
            "group.instance.id": f"{group}-{slot}",
            "client.id": f"{group}-{slot}",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "session.timeout.ms": 10_000,
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
