"""More partitions for the log and for the state of *trajectories*, in place, while the rest of the stream runs.

A key belongs to one partition, so a partition that is added takes keys from the others, with their events and states.
Facts are a set (decision 0002), so events may be written again to where they belong and in any order. The steps, each
of which may be done twice:

1. *Stop*: no worker of *trajectories* may run until step 4 is done; every other process goes on.
2. *Widen* the log and the changelog, and wait until every writer has seen it. What is written from then on is where it
   belongs; the ends of the partitions of before are noted.
3. *Move* the states: each is written again under a higher epoch, to the partition of its key; where it moved from it
   is deleted. Rows that are made from here on thus count as newer than those of before.
4. *Place* the group behind the noted ends, with the epoch in its note. *Trajectories* may run again from here on.
5. *Copy* what stands before the noted ends, each record to the partition of its key (``operations.rewriting``), and
   delete it there.

Where it is, is noted at the consumer group ``sor-repartition``: what was interrupted goes on. Fewer partitions are not
to be had in place: ``sor backup`` and ``sor restore`` lay a log into any number.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Final, NamedTuple

import msgspec
from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition
from confluent_kafka.admin import NewPartitions

from domain.care.fold import Person
from faults import OperatorFault
from operations.rewriting import RENEWAL, REPARTITION, Keep, Part, Rewritten, Rules, require_one_epoch, rewrite
from schemas.topics import EVENTS, groups
from streams.epochs import changelog_of
from streams.versions import epoch_in, version
from transport.clients import ANSWER_SECONDS, METADATA_SECONDS, Cluster, admin, producer
from transport.groups import committed, members
from transport.lost import clock_epoch
from transport.notes import note_text, noted_at, text_at
from transport.orders import assigned_reader, readable

GROUP: Final = REPARTITION
#: Every writer asks for the partitions anew within ``METADATA_SECONDS``; so long, and as long again, is waited.
SETTLED: Final = 2 * METADATA_SECONDS
#: A worker that ended is a member of its group until its session does (10 s).
PATIENCE: Final = 20.0
_PIECE: Final = 5_000
_SILENT: Final = 60.0
#: Partitions of before, at most: their ends stand in a note, of which a broker takes 4,096 characters.
_MOST: Final = 256
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Person).decode

Tell = Callable[[str, int], None]
"""Hears the step, and how many records more it has done."""


class RepartitionError(OperatorFault):
    """The partitions were not changed, or not yet all of it; the message says what to do."""


def lifted(state: bytes, epoch: int) -> bytes:
    """The state of a client as one of this epoch: under a lower one than its stage has it would be void."""
    person = _decode(state)
    if epoch_in(person.version) < epoch:
        person.version = version(epoch, 0)
    return _encode(person)


class Log(NamedTuple):
    """A log, the changelog of the stage that reads it, and the stage's group."""

    topic: str
    changelog: str
    group: str


@dataclass(frozen=True)
class Asked:
    """What to do. ``readers``: groups to wait for before anything goes. ``keep``: what of the log is copied.
    ``lift``: a state as one of an epoch.
    """

    count: int
    log: Log
    readers: tuple[str, ...] = ()
    keep: Keep = lambda _message: True
    lift: Callable[[bytes, int], bytes] = lifted
    settled: float = SETTLED
    patience: float = PATIENCE


class Repartitioned(NamedTuple):
    """What was done: partitions before and now, the new epoch, states written, and each partition of the log."""

    before: int
    now: int
    epoch: int
    states: int
    parts: list[Rewritten]


def of_trajectories() -> Log:
    """The log of events."""
    group = groups()["trajectories"]
    return Log(EVENTS, changelog_of(group), group)


def repartition(cluster: Cluster, asked: Asked, tell: Tell, ready: Callable[[], None]) -> Repartitioned:
    """Carry it out, or go on with what was interrupted. ``ready`` is called when *trajectories* may run again.

    Raises:
        RepartitionError: a worker runs, the number is not higher, or another change is not finished.
        RewritingError, KafkaException: a copy failed or the broker does not answer; the same again goes on.
    """
    with closing(assigned_reader(cluster, GROUP)) as reader:
        run = _Run(cluster, asked, reader, tell)
        run.begin()
        if not run.note.get("placed"):
            run.require_stopped()
            run.forbid()
            run.widen()
            run.require_stopped()
            run.move()
            run.place()
        ready()
        done = run.copy()
        run.finish()
    return done


class _Run:
    def __init__(self, cluster: Cluster, asked: Asked, reader: Consumer, tell: Tell) -> None:
        self._cluster, self._asked, self._reader, self._tell = cluster, asked, reader, tell
        self._admin = admin(cluster)
        self.note: dict[str, str] = {}
        self._states = 0
        self._id = secrets.token_hex(4)

    # --- what is noted

    def begin(self) -> None:
        """Take up what was begun, or note what is to be done."""
        (found,) = committed(self._reader, [self._at(0)])
        self.note = noted_at(found)
        asked, now = self._asked.count, len(self._partitions(self._asked.log.topic))
        if unfinished := self.note.get("to"):
            if int(unfinished) != asked:
                raise RepartitionError(
                    f"A change to {unfinished} partitions is not finished: `sor topics repartition {unfinished}` ends "
                    "it; then ask for another number."
                )
            self._write(run=self._id)
            if not self.note.get("placed"):
                time.sleep(self._asked.settled)  # who carried it out until now may be writing its last piece
            return
        if asked <= now:
            raise RepartitionError(
                f"{self._asked.log.topic} has {now} partitions; only more can be made in place. For fewer: "
                "`sor backup`, then `sor restore` into an empty broker with SOR_PARTITIONS set."
            )
        if now > _MOST:
            raise RepartitionError(
                f"{self._asked.log.topic} has {now} partitions; in place no more than {_MOST} can be given others. "
                "For more: `sor backup`, then `sor restore` into an empty broker with SOR_PARTITIONS set."
            )
        self.require_stopped()
        with closing(assigned_reader(self._cluster, RENEWAL)) as renewal:
            require_one_epoch(renewal)
        self._write(to=str(asked), before=str(now), run=self._id)

    def forbid(self) -> None:
        """No worker may begin from here until the states have moved: it reads so in its note."""
        self._place({**self._stage_note(), "repartition": self.note["to"]}, [])

    def require_mine(self) -> None:
        """``RepartitionError`` when the same was asked for once more: the other may be done, and the stage run."""
        (found,) = committed(self._reader, [self._at(0)])
        if noted_at(found).get("run") != self._id:
            raise RepartitionError(
                "Another `sor topics repartition` has taken this over, or has ended it: wait for that one. Nothing is "
                "lost."
            )

    def _write(self, **words: str) -> None:
        if "run" not in words:
            self.require_mine()
        self.note |= words
        self._reader.commit(offsets=[self._at(0, note_text(self.note))], asynchronous=False)

    def finish(self) -> None:
        """Nothing is under way any more."""
        self.require_mine()
        self.note = {}
        self._reader.commit(offsets=[self._at(0, note_text({}))], asynchronous=False)

    def _at(self, offset: int, note: str = "") -> TopicPartition:
        return TopicPartition(self._asked.log.topic, 0, offset, note)

    # --- the steps

    def require_stopped(self) -> None:
        """``RepartitionError`` when a worker of the stage is a member of its group, one that ended for a while too."""
        until = time.monotonic() + self._asked.patience
        while members(self._cluster, self._asked.log.group):
            if time.monotonic() > until:
                raise RepartitionError(
                    "A worker of trajectories is running: events and state of a client would part. Stop every worker "
                    "of it (one machine: `sor stop trajectories`), then do the same again."
                )
            time.sleep(0.5)

    def widen(self) -> None:
        """Step 2."""
        log = self._asked.log
        for name in (log.changelog, log.topic):
            if len(self._partitions(name)) < self._asked.count:
                (future,) = self._admin.create_partitions([NewPartitions(name, self._asked.count)]).values()
                future.result(ANSWER_SECONDS)
        self._until(lambda: all(len(self._partitions(one)) == self._asked.count for one in (log.topic, log.changelog)))
        if "ends" not in self.note:
            time.sleep(self._asked.settled)
            ends = (str(self._span(log.topic, partition)[1]) for partition in range(self._before))
            epoch = max(int(self._stage_note().get("epoch", 0)) + 1, clock_epoch(time.time()))
            self._write(ends=" ".join(ends), epoch=str(epoch))

    def move(self) -> None:
        """Step 3. Of each key the last state alone: where that is a deletion, it was moved before, or is none."""
        sender = producer(self._cluster, GROUP, **{"compression.type": "none"})
        for partition in range(self._before):
            last = {
                message.key(): message.offset()
                for messages in self._records(self._asked.log.changelog, partition)
                for message in messages
            }
            for messages in self._records(self._asked.log.changelog, partition):
                self.require_mine()
                found = [one for one in messages if one.value() is not None and last.get(one.key()) == one.offset()]
                self._states_of(sender, found)
                self._states += len(found)
                self._tell("states", len(found))

    def _states_of(self, sender: Producer, messages: list[Message]) -> None:
        """Write states to the partitions of their keys; where one moved to another, delete it in its former."""
        name, epoch, failed = self._asked.log.changelog, int(self.note["epoch"]), list[KafkaError]()
        former: dict[bytes, int] = {message.key(): message.partition() for message in messages}

        def moved(error: KafkaError | None, written: Message) -> None:
            if error is not None:
                failed.append(error)
            elif (place := former[written.key()]) != written.partition():
                sender.produce(name, None, written.key(), place, on_delivery=deleted)

        def deleted(error: KafkaError | None, _written: Message) -> None:
            if error is not None:
                failed.append(error)

        for message in messages:
            sender.produce(name, self._asked.lift(message.value(), epoch), message.key(), on_delivery=moved)
            sender.poll(0)
        if sender.flush(ANSWER_SECONDS) or failed:
            raise RepartitionError(f"Kafka does not take the states ({name}): see its log, then do the same again.")

    def place(self) -> None:
        """Step 4: offsets and note change together. What is noted beside the offsets stays, and where it is the same
        for all of them it holds for the new partitions too.
        """
        log, ends = self._asked.log, self._ends()
        former = [TopicPartition(log.topic, partition) for partition in range(self._before)]
        with closing(assigned_reader(self._cluster, log.group)) as group:
            beside = [text_at(place) for place in committed(group, former)]
        alike = beside[0] if len(set(beside)) == 1 else ""
        offsets = [TopicPartition(log.topic, partition, end, beside[partition]) for partition, end in enumerate(ends)]
        added = range(self._before, self._asked.count)
        offsets += [TopicPartition(log.topic, partition, 0, alike) for partition in added]
        kept = {**self._stage_note(), "epoch": self.note["epoch"], "copying": self.note["ends"]}
        kept.pop("repartition", None)
        self.require_mine()
        self._place(kept, offsets)
        self._write(placed="yes")

    def _place(self, note: dict[str, str], offsets: list[TopicPartition]) -> None:
        log = self._asked.log
        with closing(assigned_reader(self._cluster, log.group)) as group:
            group.commit(offsets=[TopicPartition(log.changelog, 0, 0, note_text(note)), *offsets], asynchronous=False)

    def copy(self) -> Repartitioned:
        """Step 5."""
        asked = self._asked
        purpose = f"to-{asked.count}-{self.note['epoch']}"
        rules = Rules(asked.keep, purpose, asked.readers, by_key=True)
        done = [
            rewrite(self._cluster, Part(asked.log.topic, partition), rules, lambda n: self._tell("events", n), end)
            for partition, end in enumerate(self._ends())
        ]
        return Repartitioned(self._before, asked.count, int(self.note["epoch"]), self._states, done)

    # --- asking the broker

    @property
    def _before(self) -> int:
        return int(self.note["before"])

    def _ends(self) -> list[int]:
        return [int(end) for end in self.note["ends"].split()]

    def _stage_note(self) -> dict[str, str]:
        with closing(assigned_reader(self._cluster, self._asked.log.group)) as reader:
            (found,) = committed(reader, [TopicPartition(self._asked.log.changelog, 0)])
        return noted_at(found)

    def _partitions(self, topic: str) -> list[int]:
        found = self._admin.list_topics(topic, timeout=ANSWER_SECONDS).topics[topic]
        if found.error is not None:
            raise RepartitionError(f"Topic {topic} is not there ({found.error.name()}): run `sor topics apply`.")
        return sorted(found.partitions)

    def _span(self, topic: str, partition: int) -> tuple[int, int]:
        low, high = self._reader.get_watermark_offsets(TopicPartition(topic, partition), timeout=ANSWER_SECONDS)
        return int(low), int(high)

    def _records(self, topic: str, partition: int) -> Iterator[list[Message]]:
        """The records of a partition up to its end as it is now."""
        low, end = self._span(topic, partition)
        if low >= end:
            return
        self._reader.assign([TopicPartition(topic, partition, low)])
        place, heard = low, time.monotonic()
        while place < end:
            messages = [one for one in readable(self._reader.consume(_PIECE, 1.0)) if int(one.offset() or 0) < end]
            (at,) = self._reader.position([TopicPartition(topic, partition)])
            place = max(place, at.offset)
            if messages:
                heard = time.monotonic()
                yield messages
            elif time.monotonic() - heard > _SILENT:
                raise RepartitionError(f"Kafka gave no record of {topic}/{partition} for {_SILENT:.0f} s: sor status.")

    def _until(self, true: Callable[[], bool]) -> None:
        until = time.monotonic() + ANSWER_SECONDS
        while not true():
            if time.monotonic() > until:
                raise RepartitionError("The broker does not show the new partitions: do the same again.")
            time.sleep(0.1)
