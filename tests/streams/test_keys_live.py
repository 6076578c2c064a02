"""On a real broker keys of every kind change while a source delivers without a pause: nothing is lost or renamed."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from connectors.delivery.connector import Connector
from crypto import authority, key_log, keys, oprf, rotation, sign, succession
from crypto.held import Held, Uses
from crypto.pseudonym import Pseudonyms
from crypto.rotation import SETTLED_SECONDS
from crypto.sign import Signer
from crypto.sources import Trust
from domain.field.bsn import official_numbers
from schemas.topics import EVALUATED, EVENTS, IN_TOPIC, ORDERS, REJECTED
from streams import entry, evaluate
from streams.entry import EntryConfig
from streams.evaluate import EvaluateConfig
from tests.conftest import RunningBroker
from tests.operations.emptied import emptied
from tests.trusted import with_authority
from transport.clients import Cluster
from transport.health import HealthConfig
from transport.loop import Stop
from transport.publisher import Publisher

T = TypeVar("T")
CLIENTS = official_numbers()[:3]
#: The stages look for other keys once a second of this clock.
HURRY = 50


def clock() -> float:
    return HURRY * time.monotonic()


class NoReceipts:
    """Nobody waits."""

    def mark(self, delivery: str) -> None: ...
    def wait(self, *_asked: object) -> None: ...
    def close(self) -> None: ...


class Live:
    """Both stages, each in a thread, and a source that delivers without a pause."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster, self.folder, self.sent = cluster, folder, 0
        self.faults: list[BaseException] = []
        self.events: Counter[bytes] = Counter()
        keys.init(folder)
        self.source = with_authority(folder)
        self.evaluate = Held(folder, keys.EVALUATE, keys.load_evaluate, clock)
        self.entry = Held(folder, keys.ENTRY, keys.load_entry, clock)
        self.trusts = [Trust(folder, clock), Trust(folder, clock)]
        self.reader = self._reader()
        self.no_more, self.stop = Stop(), Stop()
        self._delivering = self._thread(self._deliver)
        self._stages = [self._thread(self._run_evaluate), self._thread(self._run_entry)]

    def _thread(self, serve: Callable[[], None]) -> threading.Thread:
        def guarded() -> None:
            try:
                serve()
            except BaseException as fault:  # noqa: BLE001 - whatever ends a stage is what the test looks for
                self.faults.append(fault)

        thread = threading.Thread(target=guarded, daemon=True)
        thread.start()
        return thread

    def _run_evaluate(self) -> None:
        uses, trust = Uses(self.folder, keys.EVALUATE, "evaluate-0"), self.trusts[0]
        group, held = self._group(*IN_TOPIC.values(), ORDERS), self.evaluate
        evaluate.run(
            EvaluateConfig(self.cluster, held.keys, trust, group, "0", HealthConfig(), None, held, uses), self.stop
        )

    def _run_entry(self) -> None:
        uses, trust = Uses(self.folder, keys.ENTRY, "entry-0"), self.trusts[1]
        group, held = self._group(EVALUATED, ORDERS), self.entry
        entry.run(EntryConfig(self.cluster, held.keys, trust, group, "0", HealthConfig(), None, held, uses), self.stop)

    def _deliver(self) -> None:
        publisher, nobody = Publisher(self.cluster, "source"), NoReceipts()
        while not self.no_more:
            rows = "".join(f"{bsn};;{self.sent + 1};D1O;2\n" for bsn in CLIENTS)
            content = f"BSN;Beschikkingsnummer;Toewijzingsnummer;Type;Waarde\n{rows}".encode()
            with Connector(self.folder, self.cluster, publisher=publisher, receipts=nobody) as connector:  # type: ignore[arg-type]
                connector.publish_bytes("scores.csv", content, sender="99000001")
            self.sent += 1

    def _places(self, reader: Consumer, *names: str) -> list[TopicPartition]:
        """The ends: what other tests left is not of these keys."""
        found = reader.list_topics(timeout=10).topics
        places = [TopicPartition(name, number) for name in names for number in found[name].partitions]
        for place in places:
            place.offset = _answer(lambda place=place: reader.get_watermark_offsets(place, timeout=10))[1]  # type: ignore[misc]
        return places

    def _group(self, *names: str) -> str:
        name = uuid4().hex
        reader = Consumer({**self.cluster.settings(), "group.id": name})
        _answer(lambda: reader.commit(offsets=self._starts[names], asynchronous=False))
        reader.close()
        return name

    def _reader(self) -> Consumer:
        """Of what comes out from now on."""
        reader = Consumer({**self.cluster.settings(), "group.id": uuid4().hex, "enable.auto.commit": False})
        wanted = ((*IN_TOPIC.values(), ORDERS), (EVALUATED, ORDERS))
        self._starts = {names: self._places(reader, *names) for names in wanted}
        reader.assign(self._places(reader, EVENTS, REJECTED))
        return reader

    def read(self) -> int:
        """Events so far; a dead letter, or a stage that ended, fails the test."""
        for message in self.reader.consume(1000, 0.05):
            assert message.error() is None
            assert message.topic() == EVENTS, message.value()
            self.events[message.key() or b""] += 1
        assert not self.faults, self.faults
        return self.events.total()

    def until(self, true: Callable[[], bool]) -> None:
        """Wait, reading; ``AssertionError`` when it takes too long."""
        end = time.monotonic() + 60
        while not true():
            self.read()
            assert time.monotonic() < end, "it takes too long"

    def flows(self, more: int = 20) -> None:
        """Wait until so many deliveries more were sent and came out."""
        goal = 3 * (self.sent + more)
        self.until(lambda: self.read() >= goal)

    def end(self) -> None:
        """No more is sent; what was sent comes out."""
        self.no_more.set()
        self._delivering.join(30)
        self.until(lambda: self.read() >= 3 * self.sent)
        self.close()

    def close(self) -> None:
        """Everything stops."""
        self.no_more.set()
        self.stop.set()
        for one in (self._delivering, *self._stages):
            one.join(30)


def _answer(ask: Callable[[], T]) -> T:
    """A topic or a group that was just made may have no leader yet."""
    until = time.monotonic() + 20
    while True:
        try:
            return ask()
        except KafkaException:
            if time.monotonic() > until:
                raise


@pytest.fixture
def live(broker: RunningBroker, tmp_path: Path) -> Iterator[Live]:
    cluster = emptied(broker.bootstrap, 4)  # an earlier test may have laid them with other partitions
    running = Live(cluster, tmp_path / "keys")
    yield running
    running.close()
    running.reader.close()


def sealing_keys(live: Live) -> None:
    """Published ahead, seen by both stages, used by the source, switched to, used by who has the old file."""
    now = int(time.time())
    for receiver, held in ((keys.EVALUATE, live.evaluate), (keys.ENTRY, live.entry)):
        made = bytes.fromhex(rotation.publish_sealing(live.folder, receiver, ahead=0, at=now - SETTLED_SECONDS + 2).key)
        live.until(lambda held=held, made=made: made in held.keys.sealing)  # type: ignore[misc]
    live.until(lambda: time.time() > now + 2)
    live.flows()
    for receiver in (keys.EVALUATE, keys.ENTRY):
        rotation.switch_sealing(live.folder, receiver, at=now + 2)
    live.flows()


def scalar(live: Live, at: int) -> None:
    """Prepared, seen by entry, switched to, seen by evaluate, destroyed."""
    made = rotation.prepare_scalar(live.folder, at=at)
    live.until(lambda: made.key in {name.hex() for name, _ in live.entry.keys.steps})
    live.flows()
    rotation.switch_scalar(live.folder, at=at + SETTLED_SECONDS)
    wanted = keys.load_evaluate(live.folder).scalar
    live.until(lambda: live.evaluate.keys.scalar == wanted)
    live.flows()
    rotation.destroy_scalar(live.folder, at=at + 2 * SETTLED_SECONDS)
    live.flows()


def root_and_source(live: Live) -> None:
    """The next root beside the former one, the source from the one to the other, the former one left out."""
    folder, now = live.folder.parent / f"{live.folder.name}-authority", int(time.time())
    former = Signer.load(live.folder).source
    succession.prepare_root(folder, live.folder, at=now - SETTLED_SECONDS)
    live.until(lambda: all(len(one.roots) == 2 for one in live.trusts))
    live.flows()
    succession.switch_root(folder, live.folder, at=now)
    private = Ed25519PrivateKey.generate()
    made = succession.reissue(folder, live.folder, former.id, private.public_key(), at=now)
    sign.replace(live.folder, made.der, private)
    live.flows()
    authority.revoke(folder, live.folder, former.serial, "replaced")
    live.flows()
    succession.retire_root(folder, live.folder, at=now)
    live.until(lambda: all(len(one.roots) == 1 for one in live.trusts))
    live.flows()


@pytest.mark.kafka
def test_keys_change_and_nothing_is_lost(live: Live) -> None:
    base, root = keys.load_evaluate(live.folder).scalar, keys.load_entry(live.folder).root
    names = [Pseudonyms(root, "jeugd", 0).name(oprf.multiply(base, oprf.hash_to_group(oprf.bsn_input(one))))
             for one in CLIENTS]  # fmt: skip
    live.flows()
    sealing_keys(live)
    for turn in range(2):
        scalar(live, int(time.time()) + turn)
    root_and_source(live)
    live.end()
    assert live.events == dict.fromkeys(names, live.sent)
    for part in (keys.EVALUATE, keys.ENTRY):
        used = {(one["what"], one["key"]) for one in key_log.lines(live.folder, part) if one["event"] == "used"}
        assert Counter(what for what, _ in used) == {"sealing": 2, "scalar": 3}
        assert not key_log.verify(live.folder, part).complaint
