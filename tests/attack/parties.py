"""A party that acts: a name at the broker, key folders, perhaps a certificate and a token, and nothing else.

It knows what is public (formats, public keys, the range of test numbers, who the providers are). No object of the world
reaches it.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, KafkaError, KafkaException, Message, TopicPartition

from connectors.delivery.sealed import SealedDelivery
from connectors.formats.model import FileRecord
from crypto import keys
from crypto.sign import Signer
from domain.facts.fact import Content
from schemas.codec import Codec, Record, Undecodable
from schemas.topics import IN_TOPIC, KIND_OF, topics
from tests.secured import REFUSED
from transport.clients import Cluster, consumer, producer

#: Key and value of each record, by topic.
Seen = dict[str, list[tuple[bytes, bytes]]]
Told = tuple[str, Content]  # BSN and what is said of that client
_PURGED: Final = KafkaError._PURGE_QUEUE


@dataclass(frozen=True)
class Party:
    """Who acts. ``receipts``: what its token shows it at the intake, by delivery."""

    name: str
    cluster: Cluster
    keys: Path
    signer: Signer | None = None
    receipts: Callable[[], dict[str, Record]] = field(default=dict)

    def reads(self, names: Iterable[str] = tuple(topics())) -> Seen:
        """Every record of every topic that the broker gives it."""
        client = consumer(self.cluster, "none", self.name, log_level=0, **{"fetch.wait.max.ms": 10})
        seen: Seen = {}
        try:
            there = sorted(set(names) & set(client.list_topics(timeout=10).topics))
            ends = {name: client.get_watermark_offsets(TopicPartition(name, 0), timeout=10)[1] for name in there}
            left = {name: end for name, end in ends.items() if end}
            client.assign([TopicPartition(name, 0, OFFSET_BEGINNING) for name in left])
            until = time.monotonic() + 30
            while left and time.monotonic() < until:
                for message in client.consume(5000, 0.1):
                    _take(message, seen, left)
                for place in client.position(client.assignment()):  # control records have no message
                    if place.topic in left and place.offset >= left[place.topic]:
                        del left[place.topic]
        except KafkaException as problem:
            if problem.args[0].code() not in REFUSED:
                raise
        finally:
            client.close()
        return seen

    def writes(self, records: Sequence[tuple[str, bytes | None, bytes | None]], **settings: object) -> int:
        """Publish (topic, key, value); how many of them the broker took."""
        taken = 0
        client = producer(self.cluster, self.name, **{"message.timeout.ms": 15_000, "log_level": 0, **settings})

        def report(error: KafkaError | None, _message: Message) -> None:
            nonlocal taken
            assert error is None or error.code() in {*REFUSED, _PURGED}, error
            taken += error is None

        try:
            for topic, key, value in records:
                client.produce(topic, value, key, on_delivery=report)
                client.poll(0)
            assert client.flush(30) == 0
        except KafkaException as problem:
            if problem.args[0].code() not in REFUSED:
                raise
        return taken

    def delivery(
        self, kind: str, sender: str, told: Sequence[Told], *, delivery: str = "", lines: int = 0,
        signer: Signer | None = None, topic: str = "", at: int | None = None,
    ) -> list[tuple[str, bytes, bytes]]:  # fmt: skip
        """The records of a delivery, sealed and signed as a source does it."""
        name, now = delivery or secrets.token_hex(16), int(time.time() * 1000) if at is None else at
        signed = signer or self.signer
        assert signed is not None
        sealed = SealedDelivery(keys.load_public(self.keys), signed, kind, name, lines or len(told), sender, test=False)
        return [
            (topic or IN_TOPIC[kind], name.encode(), sealed.envelope(n, FileRecord(n, 1, bsn, fact), now - n))
            for n, (bsn, fact) in enumerate(told, 1)
        ]


def _take(message: Message, seen: Seen, left: dict[str, int]) -> None:
    error, name = message.error(), str(message.topic())
    if error is not None:
        assert error.code() in REFUSED, error
        left.pop(name, None)
        return
    seen.setdefault(name, []).append((message.key() or b"", message.value() or b""))
    if message.offset() + 1 >= left.get(name, 0):
        left.pop(name, None)


@cache
def codec(name: str, subject: str = "") -> Codec:
    """Codec of a contract."""
    return Codec(name, subject=subject) if subject else Codec(name)


def decoded(topic: str, value: bytes) -> Record | None:
    """The record of a topic, None for what is none."""
    schema = topics()[topic].schema
    if not schema or not value:
        return None
    try:
        return codec(schema, f"{topic}-value" if topic in KIND_OF else "").decode(value)
    except Undecodable:
        return None


def records(seen: Seen, topic: str) -> list[Record]:
    """What can be decoded of a topic."""
    return [record for _, value in seen.get(topic, ()) if (record := decoded(topic, value)) is not None]
