"""The definitions in force for a stage: those of its settings, until others are handed over to it (decision 0022).

``sor.definitions`` says of each handing over: ``hold`` (stand still until the deadline), ``go`` (from here on these
definitions) or ``drop`` (go on with those that were). The stage reads it from the beginning at its start, where the
last ``go`` counts, and follows it while it runs. No consumer group takes part.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

import structlog
from confluent_kafka import Message, TopicPartition

from domain.field.definitions import Definitions
from schemas.codec import IdSource, Undecodable
from schemas.handed import DROP, GO, HOLD, PHASES, Handed, unpack
from schemas.topics import DEFINITIONS
from schemas.typed import StructCodec
from streams.engine.handing import Standing
from streams.engine.stage import Out
from streams.trajectories import Trajectories
from transport.clients import ANSWER_SECONDS, Cluster
from transport.orders import assigned_reader, readable
from transport.topics import TopicError

log = structlog.get_logger()

#: Seconds that a hold may last, whatever its deadline says: who hands over may have gone.
LONGEST_HOLD: Final = 600.0
_LOOK: Final = 0.5  # seconds to wait for news


class Word(NamedTuple):
    """One word and, of hold and go, its definitions; ``at``: ms, when the broker has it from."""

    said: Handed
    definitions: Definitions | None
    at: int

    @property
    def lapses(self) -> int:
        """When a hold is over (ms)."""
        return min(self.said.deadline, self.at + int(1000 * LONGEST_HOLD))


class Said:
    """What the words so far come to; they are told in their order. Pure."""

    def __init__(self) -> None:
        self.in_force: Definitions | None = None
        self.hold: Word | None = None

    def tell(self, word: Word) -> None:
        """One word more. A hold counts only when no other is in force: the first to come has the stage."""
        phase, hold = word.said.phase, self.hold
        if phase == HOLD:
            if hold is None or word.at >= hold.lapses or hold.said.hand_over == word.said.hand_over:
                self.hold = word
            else:
                log.warning("a second handing over is refused", hand_over=word.said.hand_over, by=word.said.by)
            return
        if phase == GO:
            self.in_force = word.definitions
        if hold is not None and hold.said.hand_over == word.said.hand_over:
            self.hold = None


class DefinitionsLog:
    """``sor.definitions`` from its beginning.

    Raises:
        TopicError: it is not there, or cannot be read to its end.
        KafkaException: the broker is not there.
    """

    def __init__(self, cluster: Cluster, ids: IdSource | None = None) -> None:
        self._codec = StructCodec(Handed, ids)
        self._reader = assigned_reader(cluster, "sor-definitions")
        self._next: int | None = None
        self.said = Said()

    def read(self) -> Said:
        """All that was said up to now."""
        there = self._reader.list_topics(DEFINITIONS, timeout=ANSWER_SECONDS).topics[DEFINITIONS]
        if there.error is not None or not there.partitions:
            raise TopicError(f"topic {DEFINITIONS} does not exist: run `sor topics apply`")
        low, end = self._reader.get_watermark_offsets(TopicPartition(DEFINITIONS, 0), timeout=ANSWER_SECONDS)
        if self._next is None:
            self._next = low
            self._reader.assign([TopicPartition(DEFINITIONS, 0, low)])
        until = time.monotonic() + ANSWER_SECONDS
        while self._next < end:  # the last record is the last of its key, so compaction left it there
            if time.monotonic() > until:
                raise TopicError(
                    f"{DEFINITIONS} could not be read to its end within {ANSWER_SECONDS:.0f} s: is the broker up?"
                )
            self._take(self._reader.consume(100, 0.2))
        return self.said

    def news(self, seconds: float) -> Said:
        """What was said since too, waiting so long at most for the first of it."""
        if self._next is None:
            return self.read()
        message = self._reader.poll(seconds)
        if message is not None:
            self._take([message, *self._reader.consume(100, 0)])
        return self.said

    def close(self) -> None:
        """Leave the broker."""
        self._reader.close()

    def _take(self, messages: Iterable[Message]) -> None:
        for message in readable(messages):
            self._next = message.offset() + 1
            word = self._word(message)
            if word is not None:
                self.said.tell(word)

    def _word(self, message: Message) -> Word | None:
        """The word of a record. One that is damaged stops nobody, and who does not understand a hold does not say that
        it stands still: the handing over ends there.
        """
        try:
            said = self._codec.decode(message.value() or b"")
            definitions = _definitions_of(said)
        except Undecodable as problem:
            log.error(  # noqa: TRY400  (a sentence for an operator, no traceback)
                "what is said of definitions cannot be read and is ignored",
                topic=DEFINITIONS,
                offset=message.offset(),
                problem=str(problem),
            )
            return None
        return Word(said, definitions, message.timestamp()[1])


def _definitions_of(said: Handed) -> Definitions | None:
    """The definitions of a word, None for drop; ``Undecodable`` for what is no word."""
    if said.phase not in PHASES:
        raise Undecodable(f"phase {said.phase[:20]!r}")
    return None if said.phase == DROP else unpack(said.document)


class ChangingTrajectories:
    """The stage *trajectories* as the engine changes it; ``given``: the definitions of its settings."""

    def __init__(
        self, spoken: DefinitionsLog, fold: Trajectories, given: Definitions, clock: Callable[[], float] = time.time
    ) -> None:
        self._log, self._fold, self._given, self._clock = spoken, fold, given, clock

    @property
    def handed(self) -> bool:
        """Whether the definitions in force were handed over, and are not those of the settings."""
        return self._log.said.in_force is not None

    @property
    def in_force(self) -> Definitions:
        """The definitions in force, as far as it was heard."""
        return self._log.said.in_force or self._given

    def look(self) -> Standing:
        """As ``streams.engine.handing.Changing``. A hold lapses only when it is sure that no word ended it before."""
        said = self._log.news(_LOOK)
        if said.hold is not None and self._over(said.hold):
            self._log.read()
            if said.hold is not None and self._over(said.hold):
                log.warning("a hold has lapsed: the stage goes on as before", hand_over=said.hold.said.hand_over)
                said.hold = None
        return Standing(self.in_force.id, said.hold.said.hand_over if said.hold is not None else "")

    def _over(self, hold: Word) -> bool:
        return 1000 * self._clock() > hold.lapses

    def switch(self, to: Standing) -> None:
        """The fold uses the definitions in force."""
        del to  # the last that was heard, which is what ``look`` gave
        self._fold.use(self.in_force)

    def anew(self, key: bytes, packed: bytes) -> tuple[bytes, list[Out]]:
        """As ``streams.trajectories.Trajectories.anew``."""
        return self._fold.anew(key, packed)
