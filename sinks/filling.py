"""Where the sink begins to read a partition, and how far the store was filled: the two sides compared (decision 0023).

The group notes at each offset which store has the rows up to there; the store says up to where it was filled from which
topic. The store's own word comes a few seconds late, so after a crash some records are read twice, which changes
nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, TypeVar

import structlog
from confluent_kafka import Consumer, KafkaException, TopicPartition

from monitoring import metrics
from sinks.access import Access
from sinks.batch import Place
from sinks.clickhouse import UnavailableError
from sinks.contract import MustStopError
from sinks.stands import Said, Source, Stands
from sinks.tables import Table
from transport.clients import Cluster, admin
from transport.lost import FoundPlace, Placed, place
from transport.notes import note_text, noted_at
from transport.topic_ids import MOVING, topic_ids

log = structlog.get_logger()

#: Seconds between two times that the store is told how far it was filled.
EVERY: Final = 3.0
#: Seconds between two lines of progress.
TELL: Final = 10.0
#: Seconds for a question to the broker while partitions are handed out: the group waits for the answer.
ANSWER: Final = 4.0
#: Seconds in which they are all answered: a member that does not poll for 15 s is out.
PATIENCE: Final = 12.0
T = TypeVar("T")


class Filling:
    """Of one sink. All but ``write`` is called on the thread that polls the consumer."""

    def __init__(self, access: Access, cluster: Cluster, tables: Sequence[Table]) -> None:
        self._asking, self._telling = Stands(access), Stands(access)
        self._cluster, self._tables = cluster, {table.topic: table.name for table in tables}
        self._store, self._ids = "", dict[str, str]()
        self._until: dict[Place, int] = {}  # partitions that are read again, and up to where
        self._ahead: set[Place] = set()
        self._at: dict[Place, int] = {}  # committed
        self.unsaid: dict[Place, int] = {}  # offsets that the group is to note now, also where no record comes
        self._news: set[Place] = set()  # committed since the store was last told
        self._told = self._written = 0.0

    def begin(self, client: Consumer, partitions: Sequence[TopicPartition]) -> list[TopicPartition]:
        """The partitions with the offsets to begin at. What the store must not claim any more is taken back first.

        Raises:
            UnavailableError: ClickHouse does not answer for seconds.
            RefusedError: it never will.
        """
        self._ids |= topic_ids(admin(self._cluster), {part.topic for part in partitions})
        said = _patiently(self._asking.read)
        self._store = said.store
        found = _patiently(
            lambda: {
                Place(part.topic, part.partition): self._found(client, said, part)
                for part in client.committed(list(partitions), timeout=ANSWER)
            }
        )
        placed = {where: place(one) for where, one in found.items()}
        self._at |= {where: one.at for where, one in placed.items()}
        self._fill(placed, found)
        self.unsaid = {where: one.at for where, one in placed.items() if self._differs(where, one, found[where])}
        less = {
            self._source(where): one.at
            for where, one in placed.items()
            if (stand := found[where].stand) is not None and stand > one.at
        }
        if less:
            _patiently(lambda: self._asking.write(less))
        self._measure()
        return [TopicPartition(*where, one.at) for where, one in placed.items()]

    def note(self, where: Place) -> str:
        """What is noted at an offset of this partition."""
        until = {"until": str(self._until[where])} if where in self._until else {}
        return note_text({"store": self._store, "log": self._ids[where.topic], **until})

    def committed(self, offsets: Mapping[Place, int]) -> None:
        """The rows before these offsets are in the store, and the group says so."""
        self._at |= offsets
        self._news |= offsets.keys()
        for where in [where for where, until in self._until.items() if offsets.get(where, -1) >= until]:
            del self._until[where]
        self._measure()

    def give_up(self, places: Collection[Place]) -> None:
        """Partitions that another process reads from now on."""
        for where in places:
            self._until.pop(where, None)
            self._at.pop(where, None)
        self._news.difference_update(places)
        self._ahead.difference_update(places)
        self._measure()

    @property
    def due(self) -> bool:
        """Whether the store is to be told."""
        return bool(self._news) and time.monotonic() - self._written >= EVERY

    def taken(self) -> dict[Source, int]:
        """What the store is to be told now."""
        found = {self._source(where): self._at[where] for where in self._news}
        self._news.clear()
        self._written = time.monotonic()
        return found

    def write(self, stands: Mapping[Source, int]) -> None:
        """Tell the store, on the thread that inserts. While it is away nothing is told: it then reads some again.

        Raises:
            MustStopError: it became another one while this sink ran. Started again, the sink fills it.
        """
        try:
            if self._telling.write(stands) != self._store:
                raise MustStopError(
                    "The store became another one while this sink ran: start it again, and it fills it."
                )
        except UnavailableError as error:
            log.warning("%s It is told later.", error)

    def close(self) -> None:
        """Let go of the connections."""
        self._asking.close()
        self._telling.close()

    def _source(self, where: Place) -> Source:
        return Source(where.topic, self._ids[where.topic], where.partition)

    def _found(self, client: Consumer, said: Said, part: TopicPartition) -> FoundPlace:
        first, end = client.get_watermark_offsets(TopicPartition(part.topic, part.partition), timeout=ANSWER)
        source = self._source(Place(part.topic, part.partition))
        return FoundPlace(
            committed=part.offset if part.offset >= 0 else None,
            noted=noted_at(part),
            log=source.topic_id,
            store=said.store,
            stand=said.stands.get(source),
            first=first,
            end=end,
            empty=self._tables[part.topic] in said.empty,
            former=said.former(part.topic, source.topic_id),
        )

    def _fill(self, placed: Mapping[Place, Placed], found: Mapping[Place, FoundPlace]) -> None:
        """Remember what is read again and what the broker lacks, and say so."""
        again = {where: one for where, one in placed.items() if one.why and one.at < found[where].end}
        self._until |= {where: found[where].end for where in again}
        for topic, why in sorted({(where.topic, one.why) for where, one in again.items()}):
            left = sum(found[w].end - one.at for w, one in again.items() if (w.topic, one.why) == (topic, why))
            log.warning(f"read again: {why}", topic=topic, records=left)
        ahead = {where for where, one in placed.items() if one.ahead}
        self._ahead |= ahead
        for topic in sorted({where.topic for where in ahead}):
            log.error(
                "the store has more of this topic than the broker: an older copy of the broker was restored, or it has "
                "lost the end of the topic. Newer rows may lose against older ones until it is mended: sor heal",
                topic=topic,
            )

    def _differs(self, where: Place, one: Placed, found: FoundPlace) -> bool:
        """Whether the group says something else; of a partition that it never read it may say nothing."""
        if found.committed is None:
            return one.at > found.first
        return one.at != found.committed or note_text(found.noted) != self.note(where)

    def _measure(self) -> None:
        left = sum(max(0, until - self._at[where]) for where, until in self._until.items())
        metrics.FILLING.set(left)
        metrics.STORE_AHEAD.set(len(self._ahead))
        if left and time.monotonic() - self._told > TELL:
            self._told = time.monotonic()
            log.info("the store is being filled", records_to_go=left)


def _patiently(ask: Callable[[], T]) -> T:
    """Ask again while ClickHouse does not answer or the broker is still starting, for as long as the group may wait."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return ask()
        except UnavailableError:
            if time.monotonic() > until:
                raise
        except KafkaException as error:
            if error.args[0].code() not in MOVING or time.monotonic() > until:
                raise
        time.sleep(0.5)
