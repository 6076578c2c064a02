"""Kafka's own ids of topics: one that was made anew has another."""

from __future__ import annotations

from collections.abc import Iterable

from confluent_kafka import TopicCollection
from confluent_kafka.admin import AdminClient

from transport.clients import ANSWER_SECONDS


def topic_ids(client: AdminClient, names: Iterable[str]) -> dict[str, str]:
    """Name -> id of the topics that there are; ``KafkaException`` when the broker does not answer."""
    there = client.list_topics(timeout=ANSWER_SECONDS).topics
    present = [name for name in names if name in there and there[name].error is None]
    if not present:
        return {}
    asked = client.describe_topics(TopicCollection(present), request_timeout=ANSWER_SECONDS)
    return {name: str(future.result(ANSWER_SECONDS).topic_id) for name, future in asked.items()}
