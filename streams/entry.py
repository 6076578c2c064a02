"""Stage *entry*: publishes what comes of every evaluated record (``streams.admission``).

Every record that a source signed gets an outcome in ``sor.lines``; only accepted facts of real deliveries reach
``sor.events``, ``sor.register`` hears which numbers they use, ``sor.terugnames`` what was taken back, and
``sor.wisverzoeken`` whom a source asks to be forgotten.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from confluent_kafka import Message

from crypto.held import Held, Uses
from crypto.keys import EntryKeys
from crypto.oprf import InvalidPoint
from crypto.seal import CannotOpen
from crypto.sources import NotTrusted, Trust
from monitoring import metrics
from schemas.codec import IdSource, Undecodable
from schemas.topics import EVALUATED, EVENTS, ORDERS, REGISTER, TERUGNAMES, WISVERZOEKEN
from streams.admission import Admission, Admitted
from streams.erased import Ledger
from streams.orders import Desk, Skipped
from streams.outcomes import Outcomes
from streams.poison import PoisonGuard, SetAside
from streams.rejected import DeadLetters
from transport.clients import Cluster, consumer
from transport.health import Health, HealthConfig
from transport.loop import Loop, Stop
from transport.progress import Progress
from transport.publisher import Publisher

STAGE: Final = "entry"
#: Records of one batch at most: each batch waits for its flush and its commit, some 8 ms together.
_BATCH: Final = 2_000


@dataclass(frozen=True)
class EntryConfig:
    """What the process needs to run."""

    cluster: Cluster
    keys: EntryKeys
    trust: Trust
    group: str
    slot: str
    health: HealthConfig
    ids: IdSource | None = None
    held: Held[EntryKeys] | None = None  # ``keys`` as they change
    uses: Uses | None = None
    ledger: Ledger = field(default_factory=Ledger.empty)


class Stage:
    """Publishes what comes of each message of a batch."""

    def __init__(self, config: EntryConfig, publisher: Publisher, desk: Desk | None = None) -> None:
        self._admit, self._publisher = Admission(config.keys, config.trust, config.ids), publisher
        self._held, self._uses, self._ledger = config.held, config.uses, config.ledger
        self._guard = PoisonGuard(STAGE)
        self._dead_letter = DeadLetters(STAGE, publisher, self._guard, config.ids)
        self._outcomes = Outcomes(publisher, config.ids)
        self._desk = desk or Desk(STAGE, [EVALUATED])
        self._newest: dict[str, int] = {}

    def look(self) -> None:
        """Look for other keys, certificates and revocations, also while nothing comes: what was destroyed is let go."""
        self._admit.refresh()
        if self._held is not None and self._held.refresh():
            self._admit.use(self._held.keys)

    def __call__(self, messages: Sequence[Message]) -> None:
        """Publish events, lines and dead letters of one batch; count them."""
        self.look()
        for source in self._desk.released():
            self._guard.release(source)
        messages = self._desk.asked(messages)
        bad, anybody_forgotten = 0, bool(self._ledger)
        outcomes: dict[tuple[str, str], int] = {}
        for message in messages:
            admitted = self._admitted(message)
            if admitted is None:
                bad += 1
                continue
            if anybody_forgotten and admitted.pseudonym and self._forgotten(admitted):
                admitted = admitted._replace(event=None, register=(), asked=None)  # its line is answered as any other
            if admitted.event is not None:
                self._publisher.send(EVENTS, admitted.pseudonym, admitted.event)
            self._outcomes.add(admitted.handle, admitted.line)
            for key, use in admitted.register:
                self._publisher.send(REGISTER, key.encode(), use)
            if admitted.taken is not None:
                handle, taken, line = admitted.taken
                self._publisher.send(TERUGNAMES, handle, taken)
                self._outcomes.add(handle, line)
            if admitted.asked is not None:
                self._publisher.send(WISVERZOEKEN, *admitted.asked)
            place = (admitted.kind, admitted.code)
            outcomes[place] = outcomes.get(place, 0) + 1
            if admitted.published_at > self._newest.get(admitted.kind, 0):
                self._newest[admitted.kind] = admitted.published_at
        self._outcomes.end_batch()
        self._guard.end_batch()
        _count(outcomes, bad)
        if self._uses is not None:
            self._uses.end_batch(self._admit.uses())
        for kind, published_at in self._newest.items():
            metrics.LAST_DELIVERY.labels(kind=kind).set(published_at / 1000)

    def _forgotten(self, admitted: Admitted) -> bool:
        """Whether its client is in the ledger, under this name or a former one: nobody else can tell that."""
        names = (admitted.pseudonym, *admitted.former)
        return any(self._ledger.forgets(name, admitted.published_at) for name in names)

    def _admitted(self, message: Message) -> Admitted | None:
        """What comes of a record; None when it became a dead letter."""
        arrived = message.timestamp()[1]
        try:
            self._desk.check(message)
            envelope = self._admit.read(message.value() or b"")
            source = self._admit.source(envelope, arrived).id
        except (Undecodable, NotTrusted, Skipped) as problem:
            # Nobody knows who wrote it: nothing is said to whom it names
            self._dead_letter(message, problem)
            return None
        try:
            self._guard.check(source)
            admitted = self._admit(envelope, arrived, source)
        except (Undecodable, CannotOpen, InvalidPoint, SetAside) as problem:
            self._dead_letter(message, problem, envelope, source)
            self._outcomes.add(*self._admit.unreadable(envelope, problem))
            return None
        self._guard.seen(source, bad=False)
        return admitted


def _count(outcomes: dict[tuple[str, str], int], bad: int) -> None:
    for (kind, code), number in outcomes.items():
        outcome = "rejected" if code else "accepted"
        metrics.LINES.labels(kind=kind, outcome=outcome).inc(number)
        metrics.RECORDS.labels(stage=STAGE, outcome=outcome).inc(number)
        if code:
            metrics.DELIVERY_REFUSALS.labels(kind=kind, code=code).inc(number)
    metrics.RECORDS.labels(stage=STAGE, outcome="skipped").inc(bad)


def run(config: EntryConfig, stop: Stop) -> None:
    """Run until asked to stop."""
    health = Health(config.health, STAGE).start()
    publisher = Publisher(config.cluster, f"sor-{STAGE}-{config.slot}")

    def ready() -> None:
        health.ready = True

    stage = Stage(config, publisher, Desk.opened(config.cluster, STAGE, [EVALUATED], config.ids))

    def turned() -> None:
        health.turned()
        stage.look()

    stop.turned = turned
    source = consumer(config.cluster, config.group, config.slot)
    loop, read = Loop(STAGE, source, publisher, _BATCH), [EVALUATED, ORDERS]
    health.follow(Progress(config.cluster, config.group, read, lambda: loop.places))
    try:
        loop.run(read, stage, ready, stop)
    finally:
        if config.uses is not None:
            config.uses.close()
