"""Stage *evaluate*: multiplies the blinded element of a line with the secret ``k``, and does nothing else.

It sees random points and ciphertext: no fact, no BSN, nothing from which it could test a guess.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, cast

from confluent_kafka import Message

from crypto import oprf
from crypto.keys import EvaluateKeys
from crypto.seal import EVALUATE, CannotOpen, Opener
from monitoring import metrics
from schemas.codec import IdSource, Undecodable
from schemas.structs import Envelope, Evaluated, Rejected
from schemas.topics import EVALUATED, IN_TOPIC, REJECTED
from schemas.typed import StructCodec, dict_codec
from streams.envelope import context_of, formed, header_of
from streams.poison import PoisonGuard
from streams.rejected import rejection
from transport.clients import Cluster, consumer
from transport.health import Health, HealthConfig
from transport.loop import Loop, Stop
from transport.publisher import Publisher

STAGE: Final = "evaluate"
#: Products remembered: clients that repeat within a delivery (a declaration) cost one multiplication.
_CACHE: Final = 100_000


@dataclass(frozen=True)
class EvaluateConfig:
    """What the process needs to run."""

    cluster: Cluster
    keys: EvaluateKeys
    group: str
    slot: str
    health: HealthConfig
    ids: IdSource | None = None


class Evaluator:
    """The step of the stage: one envelope in, one evaluated record out."""

    def __init__(self, keys: EvaluateKeys, ids: IdSource | None = None) -> None:
        self._opener = Opener(EVALUATE, keys.sealing)
        self._envelopes = dict_codec(Envelope, ids, subject="sor.in.start-value")
        self._evaluated = dict_codec(Evaluated, ids)
        self._multiply = lru_cache(maxsize=_CACHE)(lambda blinded: oprf.evaluate(keys.scalar, blinded))
        self._counted = 0

    def __call__(self, topic: str, value: bytes) -> bytes:
        """The record for ``sor.evaluated``; ``Undecodable``, ``CannotOpen`` or ``InvalidPoint`` for poison."""
        envelope = formed(self._envelopes.decode(value))
        element = b""
        if envelope["evaluate_sealed"]:
            element = self._multiply(
                self._opener.open(
                    envelope["evaluate_key_id"],
                    envelope["evaluate_wrapped"],
                    envelope["evaluate_sealed"],
                    context_of(envelope, topic),
                    envelope["line"],
                )
            )
        evaluated = cast("Evaluated", envelope)  # all but these two is passed on as it came
        evaluated["topic"], evaluated["element"] = topic, element
        return self._evaluated.encode(evaluated)

    def multiplications(self) -> int:
        """Multiplications since the last call: who guesses, shows here."""
        done = self._multiply.cache_info().misses
        new, self._counted = done - self._counted, done
        return new

    def read(self, value: bytes) -> Envelope | None:
        """The clear part of an envelope, for a rejection; None when it cannot be decoded."""
        return header_of(self._envelopes, value)


def run(config: EvaluateConfig, stop: Stop) -> None:
    """Run until asked to stop."""
    health = Health(config.health, STAGE).start()
    publisher = Publisher(config.cluster, f"sor-{STAGE}-{config.slot}")
    evaluator, rejected = Evaluator(config.keys, config.ids), StructCodec(Rejected, config.ids)
    guard = PoisonGuard(STAGE)

    def handle(messages: Sequence[Message]) -> None:
        bad = 0
        for message in messages:
            try:
                publisher.send(EVALUATED, message.key(), evaluator(message.topic(), message.value() or b""))
            except (Undecodable, CannotOpen, oprf.InvalidPoint) as problem:
                bad += 1
                clear = evaluator.read(message.value() or b"")
                letter = rejection(STAGE, message, problem, clear, int(time.time() * 1000))
                publisher.send(REJECTED, message.key() or b"", rejected.encode(letter))
                metrics.REJECTED.labels(stage=STAGE, code=letter.code).inc()
        guard.batch(len(messages), bad)
        metrics.EVALUATIONS.inc(evaluator.multiplications())
        metrics.RECORDS.labels(stage=STAGE, outcome="accepted").inc(len(messages) - bad)
        metrics.RECORDS.labels(stage=STAGE, outcome="rejected").inc(bad)

    def ready() -> None:
        health.ready = True

    source = consumer(config.cluster, config.group, config.slot)
    Loop(STAGE, source, publisher).run(list(IN_TOPIC.values()), handle, ready, stop)
