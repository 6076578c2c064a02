"""Consumer groups, asked from outside: how many processes are members, where a group is, and what is noted there."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from transport.clients import ANSWER_SECONDS, Cluster, admin

#: What a broker says of a group that it is looking up, or loading after its own start.
STARTING: Final = frozenset(
    {
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.NOT_COORDINATOR,
    }
)
_LOOK_EVERY: Final = 0.2


def members(cluster: Cluster, group: str) -> int:
    """How many processes are members of a group; 0 where there is no such group."""
    client = admin(cluster)  # it must live until it was answered
    told = client.describe_consumer_groups([group], request_timeout=ANSWER_SECONDS)[group]
    try:
        return len(told.result(ANSWER_SECONDS).members)
    except KafkaException as error:
        if error.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND:
            return 0
        raise


def committed(reader: Consumer, places: Sequence[TopicPartition]) -> list[TopicPartition]:
    """Where the group of a reader is in some partitions (negative: it never was there), with the note beside each
    (``transport.notes``). A broker that is still starting is asked again.

    Raises:
        KafkaException: the broker refuses, or does not answer within 20 s.
    """
    until = time.monotonic() + ANSWER_SECONDS
    while places:
        try:
            return list(reader.committed(list(places), timeout=ANSWER_SECONDS))
        except KafkaException as error:
            if error.args[0].code() not in STARTING or time.monotonic() > until:
                raise
        time.sleep(_LOOK_EVERY)
    return []
