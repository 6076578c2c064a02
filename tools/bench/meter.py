"""How fast a process works through a topic: its committed offsets over time, as the broker knows them.

A commit is the last step of every stage, so a committed event has had all its effects. The figure is of the steady
part: from the first commit past a tenth of the load to the last one.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final, NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from local.errors import StackError
from tools.bench.services import Measured
from transport.clients import Cluster, admin

_PAUSE: Final = 0.02
_STALL: Final = 60.0
_WARM: Final = 0.1
_NOT_YET: Final = frozenset(
    {KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.COORDINATOR_LOAD_IN_PROGRESS}
)


class Point(NamedTuple):
    """At a moment (seconds of a clock): events committed since the start, processor seconds of the process."""

    at: float
    events: int
    cpu: float


class Rate(NamedTuple):
    """Of the steady part: events per second, processor microseconds per event; and MB at most, events in all."""

    rate: float
    cpu: float
    memory: float
    events: int


class Offsets:
    """Committed and end offsets of one group over some topics. It joins no group."""

    def __init__(self, cluster: Cluster, group: str, topics: Sequence[str]) -> None:
        self._consumer = Consumer(
            {"bootstrap.servers": cluster.bootstrap, "group.id": group, "enable.auto.commit": False, "log_level": 2}
        )
        found = admin(cluster).list_topics(timeout=10).topics
        self._places = [TopicPartition(name, number) for name in topics for number in found[name].partitions]

    def committed(self) -> int:
        """Sum over all partitions; one that was never committed counts as zero."""
        deadline = time.monotonic() + _STALL
        while True:
            try:
                return sum(max(0, place.offset) for place in self._consumer.committed(self._places, timeout=30))
            except KafkaException as error:  # a broker that has just started looks for the group's coordinator
                if error.args[0].code() not in _NOT_YET or time.monotonic() > deadline:
                    raise
                time.sleep(_PAUSE)

    def ends(self) -> int:
        """Records written, over all partitions; none is ever removed during a run."""
        return sum(self._consumer.get_watermark_offsets(place, timeout=30)[1] for place in self._places)

    def close(self) -> None:
        """Let go of the connection."""
        self._consumer.close()


def settle(cluster: Cluster, group: str, topic: str) -> None:
    """Wait until the broker knows where the offsets of a group are: just after its start it does not."""
    offsets = Offsets(cluster, group, [topic])
    offsets.committed()
    offsets.close()


def follow(offsets: Offsets, process: Measured, began_at: int) -> Rate:
    """Watch ``process`` until its group has committed everything; ``began_at`` was committed before it started."""
    total = offsets.ends() - began_at
    points = [Point(time.perf_counter(), 0, process.cpu())]
    moved = time.monotonic()
    while points[-1].events < total:
        time.sleep(_PAUSE)
        process.require()
        events, cpu = offsets.committed() - began_at, process.cpu()
        if events > points[-1].events:
            points.append(Point(time.perf_counter(), events, cpu))
            moved = time.monotonic()
        elif time.monotonic() - moved > _STALL:
            raise StackError(f"No progress for {_STALL:.0f} s: {events} of {total} events are done.")
    return steady(points, process.memory())


def steady(points: Sequence[Point], memory: float) -> Rate:
    """The rate between the first point past a tenth of the load and the last one."""
    last = points[-1]
    warm = [point for point in points[1:-1] if point.events >= _WARM * last.events]
    first = warm[0] if warm else points[0]
    events = last.events - first.events
    return Rate(events / (last.at - first.at), (last.cpu - first.cpu) / events * 1e6, memory, last.events)
