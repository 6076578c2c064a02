"""Stage *takeback*: what was sent can be taken back. It tells every client and number of whom a delivery told.

A source names a delivery of its own and no client: whom it told of, only the logs know. ``order`` is what ``entry``
publishes of a taking back; ``Notices`` is the step of the stage. For a new one the stage reads ``sor.events`` and
``sor.register`` once from the beginning, and commits it when all that followed was published; after that it follows
both logs, for a record of such a delivery may still come, or come anew. What it tells only grows (decision 0017), so
it may tell anything twice: a crash, a second process or a lost memory change nothing.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog
from confluent_kafka import Consumer, Message

from domain.facts.fact import Event, Teruggenomen, Terugname
from monitoring import metrics
from schemas.codec import Codec, IdSource, Undecodable
from schemas.records import NAME, event_to_record
from schemas.structs import Evaluated, Use
from schemas.taken import Taken
from schemas.topics import EVENTS, REGISTER, TERUGNAMES
from schemas.typed import StructCodec, dict_codec
from transport.clients import Cluster
from transport.health import Health, HealthConfig
from transport.loop import Stop
from transport.orders import Skips, assigned_reader
from transport.progress import Progress
from transport.publisher import Publisher
from transport.whole import WholeLoop, read_whole

log = structlog.get_logger()

STAGE: Final = "takeback"
_MOST_TOLD: Final = 200_000
_TELL_EVERY: Final = 10.0  # seconds between two words about how far a scan is
_NOTICE: Final = NAME[Teruggenomen]
_HEADER, _HANDLE = 5, 32  # bytes before a record in wire format; hexadecimal digits of a handle
#: Fields before ``delivery`` in ``sor.register``: five with a length, a pseudonym or null, one with a length.
_BEFORE_PSEUDONYM: Final = 5


@dataclass(frozen=True)
class TakebackConfig:
    """What the process needs to run."""

    cluster: Cluster
    group: str
    slot: str
    health: HealthConfig
    ids: IdSource | None = None
    skips: Skips = field(default_factory=Skips)


def order(envelope: Evaluated, fact: Terugname, handle: str, arrival: int, door: str) -> tuple[bytes, Taken]:
    """Key and value for ``sor.terugnames``. ``handle``: of the delivery that is taken back, the sender's own;
    ``arrival``: when the record arrived, ms; ``door``: the source that signed it.
    """
    taken = Taken(aanlevering=handle, sender=envelope["sender"], tijd=arrival, door=door, reden=fact.reden)
    return handle.encode(), taken


# --- which delivery a record is of, before it is decoded --------------------------------------------------------------


def _past(value: bytes, at: int) -> int:
    """The place behind a text or bytes of Avro: a length as zigzag varint, then so many bytes."""
    size = shift = 0
    while True:
        byte = value[at]
        at += 1
        size |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return at + (size >> 1)


def handle_of_event(value: bytes) -> bytes:
    """Handle of the delivery of an event: its first field."""
    return value[_HEADER + 1 : _HEADER + 1 + _HANDLE]


def handle_of_use(value: bytes) -> bytes:
    """Handle of the delivery of a use; empty when the record is damaged."""
    at = _HEADER
    try:
        for _ in range(_BEFORE_PSEUDONYM):
            at = _past(value, at)
        at = _past(value, at + 1) if value[at] else at + 1
        at = _past(value, at)
    except IndexError:
        return b""
    return value[at + 1 : at + 1 + _HANDLE]


_HANDLE_OF: Final = {EVENTS: handle_of_event, REGISTER: handle_of_use}


class Notices:
    """What is to be told of the records of deliveries that were taken back. Remembers what it told of late."""

    def __init__(self, ids: IdSource | None = None) -> None:
        self._taken, self._events = StructCodec(Taken, ids), Codec(EVENTS, ids)
        self._uses = dict_codec(Use, ids)
        self._told: dict[tuple[bytes, bytes], tuple[int, int]] = {}
        self.known: dict[bytes, int] = {}

    def learn(self, value: bytes) -> bytes:
        """Take in one taking back: its handle. Of one delivery the latest counts. ``Undecodable``."""
        taken = self._taken.decode(value)
        handle = taken.aanlevering.encode()
        self.known[handle] = max(taken.tijd, self.known.get(handle, 0))
        return handle

    def __call__(self, topic: str, key: bytes, value: bytes, among: Mapping[bytes, object]) -> bytes | None:
        """The record that follows under the same key; None when there is nothing to tell, or it was told."""
        handle = _HANDLE_OF[topic](value)
        if handle not in among:
            return None
        return self._of_event(key, value, handle) if topic == EVENTS else self._of_use(key, value, handle)

    def _of_event(self, key: bytes, value: bytes, handle: bytes) -> bytes | None:
        event = self._events.decode(value)
        if event["fact"][0] == _NOTICE:
            return None
        moments = self._moments(handle, event["published_at"])
        if self._knows(key, handle, moments):
            return None
        told = Event(
            delivery=event["delivery"],
            line=1,
            aanbieder=event["aanbieder"],
            published_at=max(moments),
            fact=Teruggenomen(aanlevering=event["delivery"], terug=moments[0], opnieuw=moments[1]),
        )
        return self._events.encode(event_to_record(told))

    def _of_use(self, key: bytes, value: bytes, handle: bytes) -> bytes | None:
        use = self._uses.decode(value)
        if use["terug"]:
            return None
        moments = self._moments(handle, use["published_at"])
        if self._knows(key, handle, moments):
            return None
        told: Use = {**use, "pseudonym": None, "published_at": max(moments), "terug": moments[0], "opnieuw": moments[1]}
        return self._uses.encode(told)

    def _moments(self, handle: bytes, published_at: int) -> tuple[int, int]:
        """When it was taken back, and when this record of it was sent anew after that (0: it was sent before)."""
        taken_at = self.known[handle]
        return taken_at, published_at if published_at > taken_at else 0

    def _knows(self, key: bytes, handle: bytes, moments: tuple[int, int]) -> bool:
        """Whether this, or something later, was told; remembers that it is told now."""
        place = key, handle
        taken_at, again_at = self._told.get(place, (0, -1))
        if moments[0] <= taken_at and moments[1] <= again_at:
            return True
        if len(self._told) >= _MOST_TOLD:
            self._told.clear()  # telling twice changes nothing
        self._told[place] = max(moments[0], taken_at), max(moments[1], again_at)
        return False


class Stage:
    """Tells what follows from each message of a batch; reads both logs for what was taken back just now."""

    def __init__(self, config: TakebackConfig, publisher: Publisher, reader: Consumer, stop: Stop) -> None:
        self._notices, self._publisher, self._skips = Notices(config.ids), publisher, config.skips
        self._reader, self._stop = reader, stop

    def prepare(self) -> None:
        """Learn everything that was ever taken back."""
        for messages in read_whole(self._reader, [TERUGNAMES], self._stop):
            self._learn(messages)

    def __call__(self, messages: Sequence[Message]) -> None:
        """Publish what follows from one batch, of what was taken back in it from both logs as well; count it."""
        messages = self._skips.left(messages)
        fresh = self._learn([message for message in messages if message.topic() == TERUGNAMES])
        if fresh:
            self._scan(fresh)
        rest = [message for message in messages if message.topic() != TERUGNAMES]
        self._tell(rest, self._notices.known)
        metrics.RECORDS.labels(stage=STAGE, outcome="accepted").inc(len(messages))

    def _learn(self, messages: Sequence[Message]) -> dict[bytes, None]:
        found: dict[bytes, None] = {}
        for message in messages:
            try:
                found[self._notices.learn(message.value() or b"")] = None
            except Undecodable:
                self._unreadable(message)
        return found

    def _scan(self, fresh: Mapping[bytes, object]) -> None:
        """Tell everybody of whom these deliveries told until now; what comes after is followed."""
        log.info("deliveries taken back: reading both logs", deliveries=len(fresh))
        began = said = time.monotonic()
        read, told = 0, Counter[str]()
        for messages in read_whole(self._reader, [EVENTS, REGISTER], self._stop):
            told += self._tell(self._skips.left(messages), fresh)
            self._publisher.poll()
            read += len(messages)
            if time.monotonic() - said > _TELL_EVERY:
                said = time.monotonic()
                log.info("still reading both logs", records=read, clients=told[EVENTS], numbers=told[REGISTER])
        if self._stop:
            log.info("asked to stop: both logs are read again at the next start")
            return
        log.info("everybody concerned is told", records=read, clients=told[EVENTS], numbers=told[REGISTER],
                 seconds=round(time.monotonic() - began, 1))  # fmt: skip

    def _tell(self, messages: Sequence[Message], among: Mapping[bytes, object]) -> Counter[str]:
        told = Counter[str]()
        for message in messages:
            topic, key = str(message.topic()), message.key() or b""
            try:
                found = self._notices(topic, key, message.value() or b"", among)
            except Undecodable:
                self._unreadable(message)
                continue
            if found is not None:
                self._publisher.send(topic, key, found)
                told[topic] += 1
        return told

    def _unreadable(self, message: Message) -> None:
        """Only our own stages write these topics: said in the log, and it stops nobody."""
        log.error("unreadable", topic=message.topic(), partition=message.partition(), offset=message.offset())
        metrics.RECORDS.labels(stage=STAGE, outcome="skipped").inc()


def run(config: TakebackConfig, stop: Stop) -> None:
    """Run until asked to stop."""
    health = Health(config.health, STAGE).start()
    stop.turned = health.turned
    publisher = Publisher(config.cluster, f"sor-{STAGE}-{config.slot}")
    reader = assigned_reader(config.cluster, config.group)

    def ready() -> None:
        health.ready = True

    try:
        stage = Stage(config, publisher, reader, stop)
        stage.prepare()
        source = assigned_reader(config.cluster, config.group)
        loop, read = WholeLoop(STAGE, source, publisher), [TERUGNAMES, EVENTS, REGISTER]
        health.follow(Progress(config.cluster, config.group, read, lambda: loop.places))
        loop.run(read, stage, ready, stop)
    finally:
        reader.close()
