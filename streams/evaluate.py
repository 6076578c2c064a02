"""Stage *evaluate*: multiplies the blinded element of a line with the secret ``k``, and does nothing else.

It sees random points and ciphertext: no fact, no BSN, nothing from which it could test a guess. What no source signed
is not multiplied: whoever may write to a topic but has no key of a source learns nothing by it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, cast

from confluent_kafka import Message

from crypto import oprf
from crypto.held import Held, Uses
from crypto.keys import EvaluateKeys
from crypto.seal import EVALUATE, CannotOpen, Opener, hash_of
from crypto.sources import NotTrusted, Source, Trust
from crypto.steps import scalar_id
from monitoring import metrics
from schemas.codec import IdSource, Undecodable
from schemas.runs import RunCodec
from schemas.structs import Envelope, Evaluated
from schemas.topics import EVALUATED, IN_TOPIC, ORDERS
from streams.envelope import OF_A_LINE, Proof, context_of, opened
from streams.orders import Desk, Skipped
from streams.poison import PoisonGuard, SetAside
from streams.rejected import DeadLetters
from transport.clients import Cluster, consumer
from transport.health import Health, HealthConfig
from transport.loop import Loop, Stop
from transport.progress import Progress
from transport.publisher import Publisher

STAGE: Final = "evaluate"
#: Records of one batch at most: each batch waits for its flush and its commit, some 8 ms together.
_BATCH: Final = 2_000
#: Products remembered: clients that repeat within a delivery (a declaration) cost one multiplication.
_CACHE: Final = 100_000


@dataclass(frozen=True)
class EvaluateConfig:
    """What the process needs to run."""

    cluster: Cluster
    keys: EvaluateKeys
    trust: Trust
    group: str
    slot: str
    health: HealthConfig
    ids: IdSource | None = None
    held: Held[EvaluateKeys] | None = None  # ``keys`` as they change
    uses: Uses | None = None


class Evaluator:
    """The step of the stage: one envelope in, one evaluated record out."""

    def __init__(self, keys: EvaluateKeys, trust: Trust, ids: IdSource | None = None) -> None:
        self._proof = Proof(trust)
        self._hash = lru_cache(maxsize=_CACHE)(hash_of)
        self._envelopes = RunCodec(Envelope, OF_A_LINE, "delivery", ids, subject="sor.in.start-value")
        self._evaluated = RunCodec(Evaluated, OF_A_LINE, "delivery", ids)
        self._uses: dict[str, Counter[bytes]] = {"sealing": Counter(), "scalar": Counter()}
        self._made = 0
        self._use(keys)

    def _use(self, keys: EvaluateKeys) -> None:
        self._opener = Opener(EVALUATE, keys.sealing)
        self._scalar = scalar_id(oprf.public_of(keys.scalar))
        self._multiply = lru_cache(maxsize=_CACHE)(lambda blinded: oprf.evaluate(keys.scalar, blinded))
        self._counted = 0

    def use(self, keys: EvaluateKeys) -> None:
        """Other keys from the next record on; what the former did stays counted."""
        self._count()
        self._use(keys)

    def read(self, value: bytes) -> Envelope:
        """The envelope in a record; ``Undecodable``."""
        return opened(self._envelopes, value)

    def source(self, envelope: Envelope, topic: str, at: int) -> Source:
        """Who signed it, as that stood when the record came in (ms); ``NotTrusted``."""
        known = self._hash(envelope["evaluate_wrapped"])
        return self._proof(envelope, context_of(envelope, topic), known, envelope["entry_wrapped"], at)

    def __call__(self, envelope: Envelope, topic: str) -> bytes:
        """The record for ``sor.evaluated``, of an envelope whose source is known; ``CannotOpen``, ``InvalidPoint``."""
        element = b""
        if envelope["evaluate_sealed"]:
            element = self._multiply(
                self._opener.open(
                    envelope["evaluate_key_id"],
                    envelope["evaluate_wrapped"],
                    envelope["evaluate_sealed"],
                    context_of(envelope, topic),
                    envelope["line"],
                    envelope["published_at"],
                )
            )
        evaluated = cast("Evaluated", envelope)  # all but these four is passed on as it came
        evaluated["topic"], evaluated["element"] = topic, element
        evaluated["evaluate_hash"], evaluated["scalar"] = self._hash(envelope["evaluate_wrapped"]), self._scalar
        return self._evaluated.encode(evaluated)

    def refresh(self) -> None:
        """Look for new certificates and revocations."""
        self._proof.refresh()

    def multiplications(self) -> int:
        """Multiplications since the last call: who guesses, shows here."""
        self._count()
        done, self._made = self._made, 0
        return done

    def uses(self) -> dict[str, Counter[bytes]]:
        """Uses of each key since the last call: of sealing keys, and of the scalar."""
        self._count()
        done, self._uses = self._uses, {"sealing": Counter(), "scalar": Counter()}
        return done

    def _count(self) -> None:
        misses = self._multiply.cache_info().misses
        new, self._counted = misses - self._counted, misses
        self._made += new
        self._uses["scalar"][self._scalar] += new
        self._uses["sealing"] += self._opener.uses()


class Stage:
    """Publishes what comes of each message of a batch."""

    def __init__(self, config: EvaluateConfig, publisher: Publisher, desk: Desk | None = None) -> None:
        self._evaluator, self._publisher = Evaluator(config.keys, config.trust, config.ids), publisher
        self._held, self._uses = config.held, config.uses
        self._guard = PoisonGuard(STAGE)
        self._dead_letter = DeadLetters(STAGE, publisher, self._guard, config.ids)
        self._desk = desk or Desk(STAGE, IN_TOPIC.values())

    def look(self) -> None:
        """Look for other keys, certificates and revocations, also while nothing comes: what was destroyed is let go."""
        self._evaluator.refresh()
        if self._held is not None and self._held.refresh():
            self._evaluator.use(self._held.keys)

    def __call__(self, messages: Sequence[Message]) -> None:
        """Publish products and dead letters of one batch; count them."""
        self.look()
        for source in self._desk.released():
            self._guard.release(source)
        messages = self._desk.asked(messages)
        bad = sum(not self._one(message) for message in messages)
        self._guard.end_batch()
        metrics.EVALUATIONS.inc(self._evaluator.multiplications())
        if self._uses is not None:
            self._uses.end_batch(self._evaluator.uses())
        metrics.RECORDS.labels(stage=STAGE, outcome="accepted").inc(len(messages) - bad)
        metrics.RECORDS.labels(stage=STAGE, outcome="rejected").inc(bad)

    def _one(self, message: Message) -> bool:
        """Whether the record went on."""
        topic, arrived = message.topic(), message.timestamp()[1]
        try:
            self._desk.check(message)
            envelope = self._evaluator.read(message.value() or b"")
            source = self._evaluator.source(envelope, topic, arrived).id
        except (Undecodable, NotTrusted, Skipped) as problem:
            # Nobody knows who wrote it: nothing is said to whom it names
            self._dead_letter(message, problem)
            return False
        try:
            self._guard.check(source)
            product = self._evaluator(envelope, topic)
        except (CannotOpen, oprf.InvalidPoint, SetAside) as problem:
            self._dead_letter(message, problem, envelope, source)
            return False
        self._guard.seen(source, bad=False)
        self._publisher.send(EVALUATED, envelope["delivery"].encode(), product, arrived)
        return True


def run(config: EvaluateConfig, stop: Stop) -> None:
    """Run until asked to stop."""
    health = Health(config.health, STAGE).start()
    publisher = Publisher(config.cluster, f"sor-{STAGE}-{config.slot}")

    def ready() -> None:
        health.ready = True

    stage = Stage(config, publisher, Desk.opened(config.cluster, STAGE, IN_TOPIC.values(), config.ids))

    def turned() -> None:
        health.turned()
        stage.look()

    stop.turned = turned
    source = consumer(config.cluster, config.group, config.slot)
    loop, read = Loop(STAGE, source, publisher, _BATCH), [*IN_TOPIC.values(), ORDERS]
    health.follow(Progress(config.cluster, config.group, read, lambda: loop.places))
    try:
        loop.run(read, stage, ready, stop)
    finally:
        if config.uses is not None:
            config.uses.close()
