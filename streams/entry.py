"""Stage *entry*: opens a line, takes the blinding off, names the client, checks the fact and lets it in.

Without the secret of ``evaluate`` it can test no guess. References leave it as keyed hashes. Every record gets an
outcome in ``sor.lines``; only accepted facts of real deliveries reach ``sor.events``, and ``sor.register`` hears which
numbers they use.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from confluent_kafka import Message

from crypto import oprf
from crypto.keys import EntryKeys
from crypto.oprf import InvalidPoint
from crypto.pseudonym import Pseudonyms, References
from crypto.seal import ENTRY, CannotOpen, Opener
from domain.facts.answer import Line
from domain.facts.checks import Finding, check
from domain.facts.fact import KINDS, BerichtRetour
from domain.field.messages import MESSAGES
from monitoring import metrics
from schemas.codec import Codec, IdSource, Undecodable
from schemas.records import NAME, record_to_fact
from schemas.structs import Evaluated, Rejected, Sealed
from schemas.topics import EVALUATED, EVENTS, IN_TOPIC, LINES, REGISTER, REJECTED
from schemas.typed import StructCodec, dict_codec
from streams.envelope import context_of, formed, header_of
from streams.poison import PoisonGuard
from streams.references import Remembered, hashed
from streams.register import Uses
from streams.rejected import CODES, rejection
from transport.clients import Cluster, consumer
from transport.health import Health, HealthConfig
from transport.loop import Loop, Stop
from transport.publisher import Publisher

STAGE: Final = "entry"
_CACHE: Final = 100_000
_SCALAR: Final = 32
_MOST_ROWS: Final = 1_000_000
#: Topic -> (kind of delivery, the facts that may come through it).
_KINDS: Final = {topic: (kind, frozenset(NAME[cls] for cls in KINDS[kind])) for kind, topic in IN_TOPIC.items()}
_REFUSAL: Final = "nl.sor.Afwijzing"
_NO_CLIENT: Final = NAME[BerichtRetour]
_KENMERK: Final = 16
_FIELD: Final = re.compile(r"[A-Za-z_ -]{0,40}")


@dataclass(frozen=True)
class EntryConfig:
    """What the process needs to run."""

    cluster: Cluster
    keys: EntryKeys
    group: str
    slot: str
    health: HealthConfig
    ids: IdSource | None = None


class Admitted(NamedTuple):
    """What comes of one record: its line, and its event under a pseudonym unless refused or a test."""

    delivery: bytes
    kind: str
    published_at: int
    code: str
    line: bytes
    pseudonym: bytes
    event: bytes | None
    register: Sequence[tuple[str, bytes]] = ()  # key and record of each number it uses


class Admission:
    """The step of the stage: one evaluated record in; its outcome, and perhaps its event, out."""

    def __init__(self, keys: EntryKeys, ids: IdSource | None = None) -> None:
        self._opener = Opener(ENTRY, keys.sealing)
        self._pseudonyms = Pseudonyms(keys.root, keys.domain, keys.epoch)
        self._references = Remembered(References(keys.root))
        self._evaluated, self._sealed = dict_codec(Evaluated, ids), StructCodec(Sealed, ids)
        self._events, self._lines = Codec(EVENTS, ids), StructCodec(Line, ids)
        self._uses = Uses(ids)
        self._name = lru_cache(maxsize=_CACHE)(self._unblinded_name)

    def _unblinded_name(self, inverse: bytes, element: bytes) -> bytes:
        return self._pseudonyms.name(oprf.unblind(inverse, element))

    def __call__(self, value: bytes) -> Admitted:
        """``Undecodable``, ``CannotOpen`` or ``InvalidPoint`` for poison."""
        envelope = formed(self._evaluated.decode(value))
        kind, fact_names = _kind(envelope)
        plain = self._opener.open(
            envelope["entry_key_id"],
            envelope["entry_wrapped"],
            envelope["entry_sealed"],
            context_of(envelope, envelope["topic"]),
            envelope["line"],
        )
        sealed = self._sealed.decode(plain[_SCALAR:])
        if not (sealed.regel >= 0 and 0 <= sealed.regels <= _MOST_ROWS):
            raise Undecodable("the rows that the record covers are impossible")
        name, content = sealed.inhoud
        if name == _REFUSAL:
            return self._refused(envelope, kind, sealed, _bounded(content["code"], content["veld"]))
        if name not in fact_names or bool(envelope["element"]) == (name == _NO_CLIENT):
            return self._refused(envelope, kind, sealed, Finding("K04", ""))
        problem = check(record_to_fact(sealed.inhoud))
        if problem is not None:
            return self._refused(envelope, kind, sealed, problem)
        pseudonym = b"" if name == _NO_CLIENT else self._name(plain[:_SCALAR], envelope["element"])
        return self._accepted(envelope, kind, sealed, pseudonym)

    def _accepted(self, envelope: Evaluated, kind: str, sealed: Sealed, pseudonym: bytes) -> Admitted:
        line = self._lines.encode(_line(envelope, kind, sealed.regel, sealed.regels, None))
        delivery, published_at = envelope["delivery"].encode(), envelope["published_at"]
        if envelope["test"]:
            return Admitted(delivery, kind, published_at, "", line, pseudonym, None)
        name, content = sealed.inhoud
        named = name, hashed(self._references, kind, envelope["sender"], content)
        uses = self._uses(envelope, named, self._mark(envelope, sealed), sealed.regel, pseudonym)
        if not pseudonym:
            return Admitted(delivery, kind, published_at, "", line, b"", None, uses)
        event = {
            "delivery": envelope["delivery"],
            "line": envelope["line"],
            "aanbieder": envelope["sender"],
            "published_at": published_at,
            "fact": named,
        }
        return Admitted(delivery, kind, published_at, "", line, pseudonym, self._events.encode(event), uses)

    def _mark(self, envelope: Evaluated, sealed: Sealed) -> bytes:
        """What a message says, as a keyed hash: enough to see that one identification came with two contents."""
        kenmerk = (sealed.kenmerk or b"")[:_KENMERK]
        return self._references.hashed(b"kenmerk", envelope["sender"], kenmerk) if kenmerk else b""

    def _refused(self, envelope: Evaluated, kind: str, sealed: Sealed, problem: Finding) -> Admitted:
        line = self._lines.encode(_line(envelope, kind, sealed.regel, sealed.regels, problem))
        return Admitted(envelope["delivery"].encode(), kind, envelope["published_at"], problem.code, line, b"", None)

    def unreadable(self, value: bytes, problem: Exception) -> tuple[Evaluated | None, bytes | None]:
        """Envelope and line of a record that could not be opened; a line only if its coordinates can be read."""
        clear = header_of(self._evaluated, value)
        if clear is None or clear["topic"] not in _KINDS:
            return clear, None
        refusal = Finding(CODES[type(problem)], "")
        return clear, self._lines.encode(_line(clear, _KINDS[clear["topic"]][0], 0, 0, refusal))


def _kind(envelope: Evaluated) -> tuple[str, frozenset[str]]:
    found = _KINDS.get(envelope["topic"])
    if found is None:
        raise Undecodable("the record names a topic that is no topic of a connector")
    return found


def _bounded(code: str, veld: str) -> Finding:
    """A refusal as its sender wrote it, held to our own codes and to a name without digits: it may carry no content."""
    return Finding(code if code in MESSAGES else "K04", veld if _FIELD.fullmatch(veld) else "")


def _line(envelope: Evaluated, kind: str, regel: int, regels: int, problem: Finding | None) -> Line:
    """The outcome of one record, which covers ``regels`` rows of its file from row ``regel`` on."""
    return Line(
        delivery=envelope["delivery"],
        line=envelope["line"],
        lines=envelope["lines"],
        kind=kind,
        sender=envelope["sender"],
        test=envelope["test"],
        published_at=envelope["published_at"],
        regel=regel,
        regels=regels,
        uitkomst="afgekeurd" if problem else "geaccepteerd",
        code=problem.code if problem else "",
        veld=problem.veld if problem else "",
    )


class Stage:
    """Publishes what comes of each message of a batch."""

    def __init__(self, config: EntryConfig, publisher: Publisher) -> None:
        self._admit, self._publisher = Admission(config.keys, config.ids), publisher
        self._rejected, self._guard = StructCodec(Rejected, config.ids), PoisonGuard(STAGE)
        self._newest: dict[str, int] = {}

    def __call__(self, messages: Sequence[Message]) -> None:
        """Publish events, lines and dead letters of one batch; count them."""
        bad = 0
        outcomes: dict[tuple[str, str], int] = {}
        for message in messages:
            try:
                admitted = self._admit(message.value() or b"")
            except (Undecodable, CannotOpen, InvalidPoint) as problem:
                bad += 1
                self._dead_letter(message, problem)
                continue
            if admitted.event is not None:
                self._publisher.send(EVENTS, admitted.pseudonym, admitted.event)
            self._publisher.send(LINES, admitted.delivery, admitted.line)
            for key, use in admitted.register:
                self._publisher.send(REGISTER, key.encode(), use)
            place = (admitted.kind, admitted.code)
            outcomes[place] = outcomes.get(place, 0) + 1
            self._newest[admitted.kind] = max(self._newest.get(admitted.kind, 0), admitted.published_at)
        self._guard.batch(len(messages), bad)
        _count(outcomes, bad)
        for kind, published_at in self._newest.items():
            metrics.LAST_DELIVERY.labels(kind=kind).set(published_at / 1000)

    def _dead_letter(self, message: Message, problem: Exception) -> None:
        value = message.value() or b""
        clear, line = self._admit.unreadable(value, problem)
        letter = rejection(STAGE, message, problem, clear, int(time.time() * 1000))
        self._publisher.send(REJECTED, message.key() or b"", self._rejected.encode(letter))
        if clear is not None and line is not None:
            self._publisher.send(LINES, clear["delivery"].encode(), line)
        metrics.REJECTED.labels(stage=STAGE, code=letter.code).inc()


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

    source = consumer(config.cluster, config.group, config.slot)
    Loop(STAGE, source, publisher).run([EVALUATED], Stage(config, publisher), ready, stop)
