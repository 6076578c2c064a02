"""Does a consumer group move? A process that is ready, has records to handle and commits none stands still.

Asked of the broker, not of the client that may be stuck itself: an offset that is committed proves work, and what lies
behind it is what there is to do. While the broker does not answer nobody stands still, and of a partition of which
nothing was ever committed nothing is known.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Collection, Sequence
from typing import Final, NamedTuple

from confluent_kafka import Consumer, KafkaException, TopicPartition

from transport.clients import Cluster
from transport.orders import assigned_reader

#: Seconds without one committed offset, with records to handle, that are too many: a stage is to be well again in 30.
LIMIT: Final = 20.0
#: So long a partition may wait while another of the same process moves: behind a large backlog everything that was
#: fetched of one partition is handled before the next one's turn, over a minute on a slow machine.
BESIDE: Final = 120.0
#: Seconds between two looks.
EVERY: Final = 5.0
#: How long the broker may take for an answer.
ANSWER: Final = 4.0
Place = tuple[str, int]


class Offsets(NamedTuple):
    """Of one partition: the next record to handle, and the end."""

    at: int
    end: int


class Still:
    """Since when each partition has records to handle and none was. Pure."""

    def __init__(self) -> None:
        self._since: dict[Place, tuple[int, float]] = {}
        self._at: dict[Place, int] = {}
        self._moved: dict[Place, float] = {}  # when it was last seen to move

    def seen(self, offsets: dict[Place, Offsets], mine: Collection[Place], now: float) -> float:
        """For how many seconds we have stood still: all of our partitions, or one that waits longer than ``BESIDE``
        while others move; of everybody's the least still when we have none: then somebody else may be at work.
        """
        self._moved |= {place: now for place, one in offsets.items() if self._at.get(place, one.at) != one.at}
        self._at = {place: one.at for place, one in offsets.items()}
        before, self._since = self._since, {}
        for place, (at, end) in offsets.items():
            if at < end:
                known = before.get(place)
                self._since[place] = known if known is not None and known[0] == at else (at, now)
        own = [now - since for place, (_, since) in self._since.items() if place in mine]
        if own or not offsets.keys().isdisjoint(mine):
            longest = max(own, default=0.0)
            moved = max((self._moved.get(place, -math.inf) for place in mine), default=-math.inf)
            return longest if longest > BESIDE else min(longest, now - moved)
        return min((now - since for _, since in self._since.values()), default=0.0)

    def forget(self) -> None:
        """Nothing is known of the time until now."""
        self._since.clear()
        self._at.clear()
        self._moved.clear()


class Progress:
    """Looks after one group, on a thread of its own, while ``ready`` says that there is somebody to look after and not
    ``resting`` that it stands still on purpose.

    ``mine``: the partitions that this process has. ``words``: None while records are handled, or there are none, else
    a few words that say what stands still.
    """

    words: str | None = None

    def __init__(
        self,
        cluster: Cluster,
        group: str,
        topics: Sequence[str],
        mine: Callable[[], Collection[Place]],
        resting: Callable[[], bool] = lambda: False,
    ) -> None:
        self._resting = resting
        self._cluster, self._group, self._topics, self._mine = cluster, group, topics, mine
        self._reader: Consumer | None = None
        self._still, self._looked = Still(), time.monotonic()
        self._stop = threading.Event()

    def start(self, ready: Callable[[], bool]) -> None:
        """Look from now on."""
        threading.Thread(target=self._watch, args=(ready,), name="progress", daemon=True).start()

    def stop(self) -> None:
        """Look no more."""
        self._stop.set()

    def _watch(self, ready: Callable[[], bool]) -> None:
        while not self._stop.wait(EVERY):
            if ready() and not self._resting():
                self.words = self.look()
            else:
                self.forget()

    def look(self) -> str | None:
        """One look: what there is to say."""
        try:
            offsets = self._offsets()
        except KafkaException:
            self.forget()
            return None
        now, before = time.monotonic(), self._looked
        self._looked = now
        if now - before > EVERY + 4 * ANSWER:  # we were stopped ourselves, and what stood still with us counts anew
            self._still.forget()
        still = self._still.seen(offsets, self._mine(), now)
        return f"there are records and none was handled for {still:.0f} s" if still > LIMIT else None

    def forget(self) -> None:
        """Nobody is to be looked after, or nobody can be: the time until now does not count."""
        self.words = None
        self._still.forget()
        self._looked = time.monotonic()

    def _offsets(self) -> dict[Place, Offsets]:
        """Asked as a consumer that is no member: the administration client ends the process with SIGSEGV when it asks
        while the coordinator of the group is loading, after a broker's start.
        """
        if self._reader is None:
            self._reader = assigned_reader(self._cluster, self._group)
        known = self._reader.list_topics(timeout=ANSWER).topics
        present = [topic for topic in self._topics if topic in known]
        every = [TopicPartition(topic, part) for topic in present for part in known[topic].partitions]
        told = [place for place in self._reader.committed(every, timeout=ANSWER) if place.offset >= 0]
        return {(place.topic, place.partition): self._between(place) for place in told}

    def _between(self, place: TopicPartition) -> Offsets:
        assert self._reader is not None  # noqa: S101 - made by _offsets
        first, end = self._reader.get_watermark_offsets(place, timeout=ANSWER)
        return Offsets(max(place.offset, first), end)
