"""The peer of the trajectories: a bare confluent-kafka loop with a dict, and the same fold.

Consume a thousand, fold, write states and rows, flush, commit. It has no state on disk, no recovery, no fence, and
looks at no delivery report. ``python -m tools.bench.bare BOOTSTRAP`` runs it until SIGTERM.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

from confluent_kafka import Message
from confluent_kafka.admin import NewTopic

from crypto.client_names import ClientNames
from crypto.keys import TrajectoriesKeys
from schemas.topics import EVENTS
from streams.engine.stage import Record
from streams.trajectories import Trajectories
from tools.bench.services import PARTITIONS
from transport.clients import Cluster, admin, consumer, producer
from transport.loop import Stop, offsets

GROUP: Final = "bench-bare"
_STATES: Final = "bench-bare-states"
_KEYS: Final = TrajectoriesKeys(bytes(32), bytes(32))  # any will do


def prepare(cluster: Cluster) -> None:
    """Make the topic of its states."""
    administrator = admin(cluster)
    administrator.create_topics([NewTopic(_STATES, PARTITIONS, 1)])[_STATES].result(20)


def run(cluster: Cluster, stop: Stop) -> None:
    """The loop."""
    source, out = consumer(cluster, GROUP, "0"), producer(cluster, GROUP, **{"compression.type": "none"})
    fold, states = Trajectories(ClientNames(_KEYS)), dict[bytes, bytes | None]()
    source.subscribe([EVENTS])
    while not stop:
        messages = source.consume(1000, 0.02)
        if not messages:
            continue
        for (partition, key), records in grouped(messages).items():
            states[key], rows = fold(key, states.get(key), records)
            out.produce(_STATES, states[key], key, partition=partition)
            for row in rows:
                out.produce(row.topic, row.value, row.key)
        out.flush()
        source.commit(offsets=offsets(messages), asynchronous=False)
    source.close()


def grouped(messages: Sequence[Message]) -> dict[tuple[int, bytes], list[Record]]:
    """The records of a batch by partition and key, in order."""
    groups: dict[tuple[int, bytes], list[Record]] = {}
    for message in messages:
        record = Record(message.offset(), message.value(), message.timestamp()[1])
        groups.setdefault((message.partition(), message.key()), []).append(record)
    return groups


if __name__ == "__main__":
    run(Cluster(sys.argv[1]), Stop().listen())
