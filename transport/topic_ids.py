"""Kafka's own ids of topics: one that was made anew has another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from confluent_kafka import KafkaError, TopicCollection
from confluent_kafka.admin import AdminClient

from transport.clients import ANSWER_SECONDS
from transport.groups import STARTING

#: What a broker says of a topic or a group while it starts, or when the topic was made just now.
MOVING: Final = STARTING | frozenset(
    {
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._TIMED_OUT,
        KafkaError._UNKNOWN_PARTITION,
    }
)


def topic_ids(client: AdminClient, names: Iterable[str]) -> dict[str, str]:
    """Name -> id of the topics that there are; ``KafkaException`` when the broker does not answer."""
    there = client.list_topics(timeout=ANSWER_SECONDS).topics
    present = [name for name in names if name in there and there[name].error is None]
    if not present:
        return {}
    asked = client.describe_topics(TopicCollection(present), request_timeout=ANSWER_SECONDS)
    return {name: str(future.result(ANSWER_SECONDS).topic_id) for name, future in asked.items()}
