"""Mending the state of ``trajectories``: the right state into the changelog, while no worker of the stage runs.

The changelog is what a worker trusts: at its start it applies whatever lies behind the offset of its store, so one
record per client mends both. A worker that runs would write its own state over it, or after it; so the folder of each
worker on this machine is taken, and the group of the stage is asked, before and after, whether it has a member: only a
group without members takes a commit from outside.
"""

from __future__ import annotations

import contextlib
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from domain.care.fold import Person
from faults import OperatorFault
from operations.audit.changelog import CHANGELOG, Changelog
from operations.audit.check import World
from operations.audit.full import Whole
from operations.audit.lives import Lives, Told
from operations.log_reader import Reader, log_ends
from schemas.topics import EVENTS, groups
from streams.engine.disk import occupy
from streams.engine.stage import StageError
from transport import clients
from transport.clients import ANSWER_SECONDS
from transport.groups import STARTING
from transport.orders import read_skips

#: A worker that was stopped without a word is a member until its session ends (10 s).
PATIENCE: Final = 20.0
#: The fingerprint of a row that is out in a form nobody knows: it is given out, or taken back, anew.
_UNKNOWN: Final = b"\0"
_RUNS: Final = (
    "a worker of trajectories is running: its states are mended only while none does. Stop every worker of it, run "
    "sor audit --repair again, then start them"
)
_IN_USE: Final = {KafkaError.UNKNOWN_MEMBER_ID, KafkaError.NON_EMPTY_GROUP, KafkaError.REBALANCE_IN_PROGRESS}

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Person).decode


class NotMended(OperatorFault):
    """What an audit found cannot be mended now; the message says what to do."""


def right_state(told: Told | None, packed: bytes | None) -> bytes | None:
    """The state to write for a client, packed; None: it is to be taken away. Pure.

    ``packed`` is what stands in the changelog. What it gave out and the log does not yield is kept as given out in an
    unknown form, so that the next event of the client takes it back.
    """
    if told is None or told.person is None:
        return None
    person = told.person
    for key, fingerprint in _given_out(packed).items():
        if key not in person.out:
            person.out[key] = _UNKNOWN if fingerprint else b""
    return _encode(person)


def _given_out(packed: bytes | None) -> dict[Any, bytes]:
    try:
        return _decode(packed).out if packed else {}
    except msgspec.DecodeError:
        return {}


class States:
    """Mends states; called with what an audit found, says how many were written."""

    def __init__(self, world: World, patience: float = PATIENCE) -> None:
        self._world, self._patience = world, patience
        self._yield = world.fold()

    def __call__(self, whole: Whole) -> int:
        """Write the right state of every client of which one differs.

        Raises:
            NotMended: a worker runs, or Kafka did not take a record.
        """
        clients_of: dict[int, set[bytes]] = defaultdict(set)
        for one in whole.states:
            clients_of[one.partition].add(one.client)
        with occupied(self._world.home, self._patience), contextlib.closing(self._group()) as group:
            self._nobody(group)
            number = self._write({partition: sorted(found) for partition, found in clients_of.items()})
            self._nobody(group)
        return number

    def _write(self, clients_of: dict[int, list[bytes]]) -> int:
        world, refused = self._world, []
        producer = clients.producer(world.cluster, "sor-repair", **{"compression.type": "none"})
        told = self._told({client for found in clients_of.values() for client in found})
        with contextlib.closing(Changelog(world.cluster)) as changelog:
            for partition, found in clients_of.items():
                latest = changelog.latest(partition, frozenset(found).__contains__)
                for client in found:
                    state = right_state(told.get(client), latest.get(client, (0, None))[1])
                    producer.produce(
                        CHANGELOG,
                        state,
                        client,
                        partition=partition,
                        on_delivery=lambda error, _message: refused.append(error) if error is not None else None,
                    )
        if producer.flush(ANSWER_SECONDS) or refused:
            raise NotMended(f"Kafka did not take every record of {CHANGELOG}: see its log, then repair again.")
        return sum(map(len, clients_of.values()))

    def _told(self, wanted: set[bytes]) -> dict[bytes, Told]:
        world = self._world
        buckets = frozenset(world.names.bucket(client) for client in wanted)
        with contextlib.closing(Reader(world.cluster)) as reader:
            skips = read_skips(world.cluster, "trajectories", world.ids)
            lives = Lives(reader, world.names, buckets, skips, lambda _number: None)
            lives.read(log_ends(world.cluster))
        return {client: self._yield(client, life) for client, life in lives.all.items() if client in wanted}

    def _group(self) -> Consumer:
        settings = {"group.id": groups()["trajectories"], "enable.auto.commit": False}
        cluster = self._world.cluster
        return Consumer({**cluster.settings(), **settings})

    def _nobody(self, group: Consumer) -> None:
        """``NotMended`` while the group has a member: commits once more what it has committed."""
        until = time.monotonic() + self._patience
        while True:
            try:
                committed = self._committed(group)
                if committed:
                    group.commit(offsets=committed[:1], asynchronous=False)
            except KafkaException as error:
                code = error.args[0].code()
                if code not in _IN_USE | STARTING:
                    raise
                if time.monotonic() > until and code in _IN_USE:
                    raise NotMended(_RUNS) from error
                if time.monotonic() > until:
                    raise
            else:
                return
            time.sleep(0.5)

    def _committed(self, group: Consumer) -> list[TopicPartition]:
        known = group.list_topics(EVENTS, timeout=ANSWER_SECONDS).topics[EVENTS].partitions
        asked = [TopicPartition(CHANGELOG, 0), *(TopicPartition(EVENTS, partition) for partition in known)]
        return [one for one in group.committed(asked, timeout=ANSWER_SECONDS) if one.offset >= 0]


@contextlib.contextmanager
def occupied(home: Path | None, patience: float) -> Iterator[None]:
    """Hold the folder of every worker of the stage on this machine; ``NotMended`` when one is in use for too long."""
    until = time.monotonic() + patience
    with contextlib.ExitStack() as held:
        for folder in sorted((home / "state").glob("trajectories-*")) if home is not None else ():
            while True:
                try:
                    held.enter_context(occupy(folder))
                    break
                except StageError as error:
                    if time.monotonic() > until:
                        raise NotMended(_RUNS) from error
                time.sleep(0.02)
        yield
