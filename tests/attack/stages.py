"""The stages of the stream in threads of the test, each as its own principal at the broker and with its own keys only.

``evaluate`` and ``entry`` run their own loop. The folding stages run the real step of the engine (checks of size, of
keys, of what the broker takes) over a store in memory; Faust itself is tested elsewhere. What ends a process ends a
thread here, and ``Stages.alive`` tells.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from confluent_kafka import Consumer, TopicPartition

from crypto import keys
from crypto.client_names import ClientNames
from crypto.sources import Trust
from schemas.topics import EVENTS, LINES, REGISTER, groups, topics
from streams import deliveries, entry, evaluate, register, takeback, trajectories
from streams.engine.stage import Fold, StageConfig
from streams.engine.step import Step
from tests.secured import PARTITIONS, SecuredBroker
from transport.clients import Cluster, consumer, producer
from transport.health import HealthConfig
from transport.loop import Stop

_BATCH: Final = 500


class _Record(NamedTuple):
    """A record as Faust's consumer hands it to the step."""

    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: int


class _Memory:
    """A store without a disk."""

    offset_key = b"__offset__"

    def __init__(self) -> None:
        self._states: dict[tuple[int, bytes], bytes] = {}

    def get(self, partition: int, wanted: Sequence[bytes]) -> list[bytes | None]:
        return [self._states.get((partition, key)) for key in wanted]

    def put(self, partition: int, states: Mapping[bytes, bytes | None], changelog_offset: int) -> None:
        del changelog_offset
        for key, state in states.items():
            if state is not None:
                self._states[(partition, key)] = state


def folding(name: str, source: str, table: str, fold: Fold, cluster: Cluster, stop: Stop, home: Path) -> None:
    """Run a folding stage until asked to stop; ``StageError`` and whatever else would end its process."""
    config = StageConfig(
        name=groups()[name], source=source, table=table, partitions=PARTITIONS, bootstrap=cluster.bootstrap,
        datadir=home / name, slot="0", client=cluster.security,
    )  # fmt: skip
    writer = producer(cluster, name, **{"linger.ms": 5})
    step = Step(config, fold, _Memory(), writer, lambda: None)
    reader = consumer(cluster, config.name, "0")
    reader.subscribe([source])
    try:
        asyncio.run(_serve(step, reader, stop))
    finally:
        reader.close()


async def _serve(step: Step, reader: Consumer, stop: Stop) -> None:
    while not stop:
        batches: dict[int, list[_Record]] = {}
        found = await asyncio.to_thread(reader.consume, 1, 0.1)
        found += reader.consume(_BATCH, 0.02) if found else []
        for one in found:
            assert one.error() is None, one.error()
            batches.setdefault(one.partition(), []).append(
                _Record(one.offset(), one.key(), one.value(), one.timestamp()[1])
            )
        if not found:
            continue
        topic = found[0].topic()

        async def commit(positions: Mapping[int, int], topic: str = topic) -> bool:
            reader.commit(
                offsets=[TopicPartition(topic, place, offset) for place, offset in positions.items()],
                asynchronous=False,
            )
            return True

        await step.deliver(await step.fold(batches), commit)


class Stages:
    """Everything that runs, and what ended it."""

    def __init__(self, secured: SecuredBroker, home: Path, folder: Callable[[str], Path]) -> None:
        self._secured, self._home, self._folder = secured, home, folder
        self._stops: list[Stop] = []
        self._threads: list[threading.Thread] = []
        self.ended: dict[str, BaseException] = {}
        self.running: set[str] = set()

    def start(self) -> None:
        """Start every stage as its own principal."""
        self._thread("evaluate", self._evaluate)
        self._thread("entry", self._entry)
        names = ClientNames(keys.load_trajectories(self._folder("trajectories")))
        self._thread("takeback", self._takeback)
        self._fold("register", REGISTER, register.TABLE, register.Register())
        self._fold("trajectories", EVENTS, trajectories.TABLE, trajectories.Trajectories(names))
        self._fold("deliveries", LINES, deliveries.TABLE, deliveries.Deliveries())

    def alive(self) -> None:
        """Fail when a stage ended."""
        assert self.ended == {}, self.ended

    def stop(self) -> None:
        """Stop them all."""
        for stop in self._stops:
            stop.set()
        for thread in self._threads:
            thread.join(30)

    def _evaluate(self, cluster: Cluster, stop: Stop) -> None:
        folder = self._folder("evaluate")
        held = keys.load_evaluate(folder)
        config = evaluate.EvaluateConfig(
            cluster=cluster, keys=held, trust=Trust(folder), group=groups()["evaluate"], slot="0", health=HealthConfig()
        )
        evaluate.run(config, stop)

    def _entry(self, cluster: Cluster, stop: Stop) -> None:
        folder = self._folder("entry")
        config = entry.EntryConfig(
            cluster=cluster, keys=keys.load_entry(folder), trust=Trust(folder), group=groups()["entry"], slot="0",
            health=HealthConfig(),
        )  # fmt: skip
        entry.run(config, stop)

    @staticmethod
    def _takeback(cluster: Cluster, stop: Stop) -> None:
        takeback.run(takeback.TakebackConfig(cluster, groups()["takeback"], "0", HealthConfig()), stop)

    def _fold(self, name: str, source: str, table: str, fold: Fold) -> None:
        def serve(cluster: Cluster, stop: Stop) -> None:
            folding(name, source, table, fold, cluster, stop, self._home)

        self._thread(name, serve)

    def _thread(self, name: str, serve: Callable[[Cluster, Stop], None]) -> None:
        stop, cluster = Stop(), self._secured.cluster(name)
        self.running.add(name)

        def guarded() -> None:
            try:
                serve(cluster, stop)
            except BaseException as fault:  # noqa: BLE001 - whatever ends a process is what the tests look for
                self.ended[name] = fault

        thread = threading.Thread(target=guarded, name=name, daemon=True)
        self._stops.append(stop)
        self._threads.append(thread)
        thread.start()


def reads_of(name: str) -> list[str]:
    """Topics that a stage works on, in flow order."""
    beside = ("", "sor.orders", "sor.definitions", "sor.erasures")  # read by no group
    return [t.name for t in topics().values() if name in t.read and t.schema not in beside]
