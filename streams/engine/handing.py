"""Definitions are handed over while a stage runs (decision 0022): stand still, go on with others, give out anew.

What a worker hears of ``Changing`` it does between two batches:

Hold
    It finishes the batch in flight and takes nothing more, stays a member of its group, and commits once more where
    each partition of its stands, with ``held`` and the handing over in the note beside it (``transport.notes``): who
    hands over reads there how far the stage has come. Partitions that it is given meanwhile are held too.
Other definitions
    From the next batch on the fold uses them. What the state holds goes out anew in slices, between the batches of
    the source and through the same steps. Beside the offset of a partition is noted ``under`` which definitions before
    its first slice, and ``swept`` with its last. Of one that is not noted as swept, everything goes out anew: a slice
    that a crash cut in two may have left states in the changelog whose rows are not out.
Neither
    It goes on as before.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol

import structlog
from confluent_kafka import Consumer, KafkaException, TopicPartition

from monitoring import metrics
from streams.engine.stage import Out, StageConfig
from transport.clients import ANSWER_SECONDS, Cluster
from transport.notes import note_text, noted, text_at
from transport.orders import assigned_reader
from transport.topics import TopicError

log = structlog.get_logger()

_TELL_EVERY: Final = 10.0  # seconds, of what goes out anew or is not heard
_AGAIN: Final = 0.5  # seconds until it is asked again


class Standing(NamedTuple):
    """What a stage hears: the id of the definitions in force, and the handing over to stand still for, empty: none."""

    id: str
    hold: str = ""


class Changing(Protocol):
    """What a stage gives whose definitions may change. The engine knows these by their id alone."""

    def look(self) -> Standing:
        """What holds now. Waits for news, for half a second at most; called in a thread.

        Raises:
            KafkaException, TopicError: nothing can be heard now.
        """

    def switch(self, to: Standing) -> None:
        """The fold uses these definitions from here on."""

    def anew(self, key: bytes, packed: bytes) -> tuple[bytes, list[Out]]:
        """The state of a key and everything that it yields, under the definitions in use."""


class Halting(Protocol):
    """The part of ``streams.engine.app.BatchConsumer`` that is told what to do."""

    halted: bool
    sweeps: dict[int, bytes | None]

    @property
    def assigned(self) -> object: ...

    async def halt(self) -> None: ...

    async def tell(self, noted: Callable[[str], str] = str) -> bool: ...

    def begin_anew(self) -> None: ...


class Handing:
    """The part of one worker in a handing over; ``standing``: what holds at its start."""

    def __init__(self, config: StageConfig, changing: Changing, standing: Standing) -> None:
        self._config, self._changing = config, changing
        self.anew = changing.anew
        self.id, self.held = standing.id, standing.hold
        self._since = time.monotonic()  # of the hold
        self._told: tuple[str, object] | None = None  # for which hold it is committed where which assignment stands
        self._reader: Consumer | None = None
        self._clients, self._due, self._deaf_since = 0, 0.0, 0.0

    @property
    def begun(self) -> str:
        """Note of a partition of which everything goes out anew."""
        return note_text({"under": self.id})

    @property
    def done(self) -> str:
        """Note of one of which everything is out under the definitions in use."""
        return swept(self.id)

    async def follow(self, consumer: Halting) -> None:
        """Do what is heard, for ever."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                heard = await loop.run_in_executor(None, self._changing.look)
            except (KafkaException, TopicError) as problem:
                self._deaf(problem)
                await asyncio.sleep(_AGAIN)
            else:
                await self.act(consumer, heard)

    async def act(self, consumer: Halting, heard: Standing) -> None:
        """Do what was heard, as far as it is not done; what cannot be done now is done when it is heard again."""
        if heard.hold:
            await self._stand_still(consumer, heard.hold)
            return
        if heard.id != self.id:
            await consumer.halt()
            self._changing.switch(heard)
            log.warning("definitions handed over", stage=self._config.stage, before=self.id, now=heard.id)
            self.id = heard.id
            consumer.begin_anew()
        if consumer.halted and await consumer.tell():
            consumer.halted = False
            if self.held:
                log.info("a hold is over", stage=self._config.stage, hand_over=self.held)
            self.held = ""

    async def _stand_still(self, consumer: Halting, hold: str) -> None:
        await consumer.halt()
        if self.held != hold:
            self._since = time.monotonic()
            log.warning("standing still while definitions are handed over", stage=self._config.stage, hand_over=hold)
        self.held = hold
        told, assigned = self._told, consumer.assigned
        if told is not None and told[0] == hold and told[1] is assigned:
            return
        if (
            await consumer.tell(lambda note: note_text({**_words(note), "held": hold}))
            and consumer.assigned is assigned
        ):
            self._told = hold, assigned

    async def notes(self, partitions: Sequence[int]) -> dict[int, str]:
        """What is noted beside the committed offsets of these partitions, without a hold that is over."""
        while True:
            try:
                return await asyncio.get_running_loop().run_in_executor(None, self._notes, list(partitions))
            except KafkaException as problem:  # a coordinator that loads its groups; who asks has a bound of its own
                self._deaf(problem)
            await asyncio.sleep(_AGAIN)

    def _notes(self, partitions: list[int]) -> dict[int, str]:
        if not partitions:
            return {}
        if self._reader is None:
            self._reader = assigned_reader(Cluster(self._config.bootstrap, self._config.client), self._config.name)
        asked = [TopicPartition(self._config.source, partition) for partition in partitions]
        return {one.partition: without_hold(text_at(one)) for one in self._reader.committed(asked, ANSWER_SECONDS)}

    def show(self, left: int, partitions: int) -> None:
        """The figures, of so many partitions of ours."""
        held = time.monotonic() - self._since if self.held else 0.0
        metrics.HELD_SECONDS.labels(stage=self._config.stage).set(held)
        metrics.SWEEP_SHARE.labels(stage=self._config.stage).set(left / partitions if partitions else 0.0)

    def went(self, clients: int, left: int) -> None:
        """So many clients went out anew; of so many partitions there are more."""
        self._clients += clients
        metrics.GIVEN_ANEW.labels(stage=self._config.stage).inc(clients)
        if not left or time.monotonic() > self._due:
            self._due = time.monotonic() + _TELL_EVERY
            if self._clients:
                log.info(
                    "given out anew", stage=self._config.stage, definitions=self.id,
                    clients=self._clients, partitions_left=left,
                )  # fmt: skip
        self._clients = self._clients if left else 0

    def _deaf(self, problem: Exception) -> None:
        """Say now and then that nothing is heard; the stage goes on as it does, or stands still as it does."""
        if time.monotonic() > self._deaf_since + _TELL_EVERY:
            self._deaf_since = time.monotonic()
            log.warning("definitions cannot be heard now", stage=self._config.stage, problem=str(problem))


def swept(definitions: str) -> str:
    """Note beside the offset of a partition whose rows are all out under these definitions."""
    return note_text({"swept": definitions})


def without_hold(note: str | None) -> str:
    """A note without the hold in it."""
    words = {name: value for name, value in _words(note).items() if name != "held"}
    return note_text(words) if words else ""


def held_for(note: str | None) -> str:
    """The handing over that a partition is held for, by its note; empty when it is not."""
    return _words(note).get("held", "")


def _words(note: str | None) -> dict[str, str]:
    """What a note says; nothing where it is none of ours."""
    try:
        return noted(note)
    except (ValueError, AttributeError):
        return {}
