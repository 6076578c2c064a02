"""A log rewritten in place: what stays is written again to the end of its own partition, then what stood before goes.

Facts are a set (decision 0002) and so are uses of numbers, so a log may be read once more and may hold a fact twice.
That is what makes this safe while the stream runs: every record up to an end that is noted first is read; what stays is
produced to the end of the same partition with its key, value, headers and time stamp; what was written is read back and
compared; and only then ``delete_records`` moves the beginning of the partition to the noted end. No reader notices but
by reading once more.

How far a partition is, is noted at the consumer group ``sor-rewriting``, beside what the rewriting is for: a run that
breaks off goes on from there. At most one piece then stands twice, which changes nothing.

What is written again gets behind what the readers still have to read. So no more is written than they keep up with, and
nothing is removed that a reader has not passed. (It would meet it again further on, but its stage would say that
records went before it read them.)
"""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack, closing
from typing import Any, Final, NamedTuple, Protocol

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from operations.partitions import Part, RewritingError, committed, parts
from schemas.topics import EVENTS
from transport.clients import ANSWER_SECONDS, Cluster, admin, producer
from transport.notes import Note, note_text, noted_at
from transport.orders import assigned_reader, readable

__all__ = ["Keep", "Part", "RewritingError", "Rewritten", "Rules", "parts", "rewrite"]

GROUP: Final = "sor-rewriting"
#: Group at which a change of the partitions of a log is noted (``operations.repartition``).
REPARTITION: Final = "sor-repartition"
#: And that of its pseudonyms (``operations.renewing``).
RENEWAL: Final = "sor-renewal"
#: Records of one piece: written, acknowledged, read back, compared, noted.
PIECE: Final = 20_000
#: Records that a reader may be behind before it is waited for, and the seconds for which that may take.
MOST_LAG: Final = 50_000
PATIENCE: Final = 600.0
_LOOK_EVERY: Final = 0.5
_SILENT: Final = 60.0
_DIGEST: Final = 16
_MODULUS: Final = 1 << (8 * _DIGEST)

Keep = Callable[[Message], bool]
#: Key and value that a record is to have from now on.
Change = Callable[[Message], tuple[bytes | None, bytes | None]]
Tell = Callable[[int], None]


class Written(Protocol):
    """A record as it is read, or as it is to be written again."""

    def key(self) -> bytes | None: ...
    def value(self) -> bytes | None: ...
    def headers(self) -> Any: ...
    def timestamp(self) -> tuple[int, int]: ...


class Changed:
    """A record under another key, or with another value."""

    def __init__(self, message: Message, key: bytes | None, value: bytes | None) -> None:
        self._key, self._value = key, value
        self.headers, self.timestamp = message.headers, message.timestamp

    def key(self) -> bytes | None:
        """As it is to be."""
        return self._key

    def value(self) -> bytes | None:
        """As it is to be."""
        return self._value


class Rewritten(NamedTuple):
    """What was done: the offsets ``begin`` to ``end`` went, of which ``copied`` records stand again behind ``end``.

    ``begin``: where this run took up; a run before it may have copied what stands before. ``digest``: of what was
    copied, the same for what was read and for what was read back.
    """

    part: Part
    begin: int
    end: int
    copied: int
    left_out: int
    digest: str
    seconds: float


class Rules(NamedTuple):
    """What stays, and for whom to wait. ``purpose``: names what is left out; another purpose begins anew."""

    keep: Keep
    purpose: str
    readers: Collection[str] = ()  # consumer groups
    piece: int = PIECE
    most_lag: int = MOST_LAG
    patience: float = PATIENCE
    by_key: bool = False  # to the partition of its key, where the number of partitions has changed, or the key does
    change: Change | None = None


def rewrite(cluster: Cluster, part: Part, rules: Rules, tell: Tell = lambda _records: None, end: int = -1) -> Rewritten:
    """Rewrite the records of a partition that stand there now, or before ``end``; ``tell`` hears how many were read.

    Raises:
        RewritingError: something differs or takes too long; nothing was removed.
        KafkaException: the broker refuses or does not answer; nothing was removed.
    """
    with ExitStack() as stack:
        run = _Run(cluster, part, rules, tell, stack)
        begin, end = run.span(end)
        began = time.monotonic()
        run.copy(begin, end)
        run.wait_for_readers(end, "has to read to the noted end before anything goes", 0)
        run.remove(end)
    return Rewritten(part, begin, end, run.copied, run.left_out, f"{run.digest:032x}", time.monotonic() - began)


def require_one_epoch(reader: Consumer) -> None:
    """``RewritingError`` while the log has names of two epochs. ``reader``: of the group ``RENEWAL``."""
    if noted_at(committed(reader, Part(EVENTS, 0))).get("to"):
        raise RewritingError(
            "The pseudonyms of the log are being renewed: `sor keys switch label` ends that; then do the same again."
        )


def digest(messages: Sequence[Written]) -> int:
    """Of some records in any order: key, value, headers and time stamp of each, without their offsets."""
    return sum(map(_of_record, messages)) % _MODULUS


def _of_record(message: Written) -> int:
    _, at = message.timestamp()
    parts = [message.key(), message.value(), str(at).encode()]
    for name, value in message.headers() or ():
        parts += [name.encode(), value]
    found = hashlib.blake2b(digest_size=_DIGEST)
    for part in parts:
        found.update(b"-" if part is None else b"%d:" % len(part))
        found.update(part or b"")
    return int.from_bytes(found.digest(), "big")


class _Run:
    """One rewriting of one partition."""

    def __init__(self, cluster: Cluster, part: Part, rules: Rules, tell: Tell, stack: ExitStack) -> None:
        self._part, self._rules, self._tell, self._cluster = part, rules, tell, cluster
        self._source = stack.enter_context(closing(assigned_reader(cluster, GROUP)))
        self._back = stack.enter_context(closing(assigned_reader(cluster, GROUP)))
        self._readers = {
            group: stack.enter_context(closing(assigned_reader(cluster, group))) for group in rules.readers
        }
        self._change = stack.enter_context(closing(assigned_reader(cluster, REPARTITION)))
        self._renewal = stack.enter_context(closing(assigned_reader(cluster, RENEWAL)))
        self._producer = producer(cluster, GROUP)
        self._back_at: int | None = None  # where the reading back stands
        self.copied = self.left_out = self.digest = 0

    def span(self, end: int) -> tuple[int, int]:
        """Where to begin and what to rewrite up to: as noted by a run that broke off, else all that is there now."""
        low, high = self._watermarks()
        note = noted_at(noted := committed(self._source, self._part))
        until = int(note.get("end", -1))
        if note.get("purpose") == self._rules.purpose and low <= noted.offset <= until <= high:
            return noted.offset, until
        return low, high if end < 0 else max(low, min(end, high))

    def copy(self, begin: int, end: int) -> None:
        """Write again what stays of the offsets ``begin`` to ``end``."""
        if begin >= end:
            return
        self._source.assign([self._part.at(begin)])
        place, heard = begin, time.monotonic()
        while place < end:
            self.wait_for_readers(self._watermarks()[1], "is behind", self._rules.most_lag)
            self._require_partitions()
            messages = list(readable(self._source.consume(min(self._rules.piece, end - place), 1.0)))
            if not messages:
                if time.monotonic() - heard > _SILENT:
                    raise RewritingError(f"Kafka gave no record of {self._part} for {_SILENT:.0f} s: see sor status.")
                (at,) = self._source.position([self._part.at(0)])
                place = max(place, at.offset)  # the last offsets may hold no record
                continue
            heard, place = time.monotonic(), int(messages[-1].offset() or 0) + 1
            self._piece([message for message in messages if int(message.offset() or 0) < end])
            self._note(min(place, end), {"purpose": self._rules.purpose, "end": str(end)})
            self._tell(len(messages))

    def _require_partitions(self) -> None:
        """``RewritingError`` while the log gets more partitions: in the one where a record stands it may not belong."""
        count = noted_at(committed(self._change, Part(self._part.topic, 0))).get("to")
        if count and not self._rules.by_key:
            raise RewritingError(
                f"{self._part.topic} is being given {count} partitions: `sor topics repartition {count}` ends that; "
                "then do the same again."
            )
        if not self._rules.change:
            require_one_epoch(self._renewal)

    def _piece(self, messages: Sequence[Message]) -> None:
        kept = [self._changed(message) for message in messages if self._rules.keep(message)]
        written, wanted = self._written(kept), digest(kept)
        back = sum(self._read_back(partition, offsets) for partition, offsets in written.items()) % _MODULUS
        if sum(map(len, written.values())) != len(kept) or back != wanted:
            raise RewritingError(
                f"{self._part}: what was written again is not what was read. Nothing was removed; look at the log of "
                "the broker and try again."
            )
        self.copied += len(kept)
        self.left_out += len(messages) - len(kept)
        self.digest = (self.digest + wanted) % _MODULUS

    def _changed(self, message: Message) -> Written:
        return Changed(message, *self._rules.change(message)) if self._rules.change else message

    def _written(self, messages: Sequence[Written]) -> dict[int, set[int]]:
        """Partition -> the offsets that the records stand at now; all of them are acknowledged."""
        offsets: dict[int, set[int]] = defaultdict(set)
        failed: list[KafkaError] = []

        def report(error: KafkaError | None, message: Message) -> None:
            if error is None:
                offsets[int(message.partition() or 0)].add(int(message.offset() or 0))
            else:
                failed.append(error)

        for message in messages:
            self._produce(message, report)
        left = self._producer.flush(ANSWER_SECONDS)
        if failed or left:
            reason = failed[0].str() if failed else "no answer"
            raise RewritingError(f"{self._part}: {len(failed) + left} records were not taken ({reason}): try again.")
        return offsets

    def _produce(self, message: Written, report: Callable[[KafkaError | None, Message], None]) -> None:
        options: dict[str, Any] = {"on_delivery": report}
        if not self._rules.by_key:
            options["partition"] = self._part.partition
        _, at = message.timestamp()
        if at > 0:
            options["timestamp"] = at
        if headers := message.headers():
            options["headers"] = headers
        until = time.monotonic() + ANSWER_SECONDS
        while True:
            try:
                self._producer.produce(self._part.topic, message.value(), message.key(), **options)
            except BufferError:
                self._producer.poll(0.1)
                if time.monotonic() > until:
                    raise RewritingError(f"{self._part}: Kafka takes no records. Is the broker up?") from None
            else:
                self._producer.poll(0)
                return

    def _read_back(self, partition: int, offsets: set[int]) -> int:
        """The digest of the records at these offsets, as the broker gives them."""
        first, last = min(offsets), max(offsets)
        if self._back_at is None or self._rules.by_key or first - self._back_at > self._rules.piece:
            self._back.assign([TopicPartition(self._part.topic, partition, first)])
        found, at, until = 0, first - 1, time.monotonic() + _SILENT
        while at < last and time.monotonic() < until:
            messages = list(readable(self._back.consume(self._rules.piece, 0.5)))
            found = (found + digest([one for one in messages if one.offset() in offsets])) % _MODULUS
            at = max(at, int(messages[-1].offset() or 0)) if messages else at
        self._back_at = at + 1
        return found

    def wait_for_readers(self, end: int, why: str, most: int) -> None:
        """Until every group that ever read this partition has read it to ``end``, but for ``most`` records."""
        until = time.monotonic() + self._rules.patience
        for group, reader in self._readers.items():
            while (behind := end - self._place_of(reader, end)) > most:
                if time.monotonic() > until:
                    raise RewritingError(
                        f"{group} {why}: it is {behind} records behind in {self._part}. Start that stage or wait until "
                        "it has caught up (sor status), then do the same again: it goes on where this was."
                    )
                time.sleep(_LOOK_EVERY)

    def _place_of(self, reader: Consumer, end: int) -> int:
        """Where a group is; a group that never read has nothing to be waited for."""
        place = committed(reader, self._part)
        return int(place.offset) if place.offset >= 0 else end

    def remove(self, end: int) -> None:
        """Everything before ``end`` goes; a rewriting after this one begins anew."""
        client = admin(self._cluster)  # it must live until it was answered
        (future,) = client.delete_records([self._part.at(end)]).values()
        low = future.result(ANSWER_SECONDS).low_watermark
        if low < end:
            raise RewritingError(f"{self._part} begins at {low} and not at {end}: the broker did not remove it.")
        self._note(end, {})

    def _note(self, place: int, note: Note) -> None:
        self._source.commit(offsets=[self._part.at(place, note_text(note))], asynchronous=False)

    def _watermarks(self) -> tuple[int, int]:
        low, high = self._source.get_watermark_offsets(self._part.at(0), timeout=ANSWER_SECONDS)
        return int(low), int(high)
