"""The compact form of a delivery: what every envelope repeats stands once, then the lines (``docs/envelope.md``).

A body is a row of frames: four bytes with the length of what follows, then an ``sor.compact`` record in wire format.
The first frame holds the head. Both directions hold one frame in memory, so that a body of any size passes as a stream.

What is read here anybody may have written: ``read`` gives what has the form of the format and raises ``Malformed`` for
everything else, with the place and the name of a field and nothing of the content.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, Final, NamedTuple

from crypto.certificates import CERTIFICATE_BYTES
from crypto.seal import SUITE_ID, Context, hash_of
from crypto.sign import SIGNATURE_BYTES
from domain.facts.delivery import MOST_LINES
from domain.facts.identity import is_delivery
from faults import SenderFault
from schemas.codec import Codec, Record, Undecodable
from schemas.form import is_moment, is_sender
from schemas.topics import IN_TOPIC, KIND_OF

#: Bytes of one sealed part: with it an envelope keeps room for the largest clear part.
SEALED_BYTES: Final = 50_000
#: Bytes of one frame: the memory that reading takes, whatever is in it. A line always fits.
FRAME_BYTES: Final = 131_072
#: Lines of one body: each becomes an envelope of some 3,500 bytes, so that a small body would make much of them.
BODY_LINES: Final = 50_000
#: A frame that has so much is written: few enough bytes for any reader, and enough lines to forget its header.
_FULL: Final = 65_536
_LENGTH: Final = 4
_KEY_ID_BYTES: Final = 8
_WRAPPED_BYTES: Final = 1_168
#: The blinded element with its tag; nothing where nothing was blinded.
_EVALUATE_SEALED: Final = (0, 48)
#: The inverse scalar and the tag around whatever the fact takes.
_LEAST_SEALED: Final = 48
_HEAD_NAME: Final = "nl.sor.CompactHead"
_LINE_FIELDS: Final = ("line", "published_at", "evaluate_sealed", "entry_sealed")


class Malformed(SenderFault):
    """A body that has not the form of the format; ``field`` of the contract and ``line`` of the delivery, if known."""

    def __init__(self, field: str, line: int = 0) -> None:
        super().__init__(f"{field} of line {line}" if line else field)
        self.field, self.line = field, line


class Head(NamedTuple):
    """What holds for a whole delivery. Field meanings: ``schemas/avro/sor.in.avsc``."""

    suite: str
    epoch: int
    kind: str
    delivery: str
    lines: int
    sender: str
    test: bool
    evaluate_key_id: bytes
    evaluate_wrapped: bytes
    entry_key_id: bytes
    entry_wrapped: bytes
    certificate: bytes
    signature: bytes

    @property
    def topic(self) -> str:
        """Where its envelopes go."""
        return IN_TOPIC[self.kind]

    def signed(self) -> bytes:
        """What the source must have signed."""
        context = Context(self.topic, self.delivery, self.lines, self.sender, self.test, self.epoch)
        return context.signed(hash_of(self.evaluate_wrapped), hash_of(self.entry_wrapped))


class SealedLine(NamedTuple):
    """One line in its two sealed parts."""

    line: int
    published_at: int
    evaluate_sealed: bytes
    entry_sealed: bytes


def split(topic: str, envelope: Record) -> tuple[Head, SealedLine]:
    """An envelope as what it shares with its delivery and what is its own."""
    shared = {name: value for name, value in envelope.items() if name not in _LINE_FIELDS}
    return Head(kind=KIND_OF[topic], **shared), SealedLine(*(envelope[name] for name in _LINE_FIELDS))


def envelope(head: Head, line: SealedLine) -> Record:
    """And back: a record of ``sor.in``."""
    shared = head._asdict()
    del shared["kind"]
    return shared | line._asdict()


class Writer:
    """Writes the frames of one body to ``give``, one call for each."""

    def __init__(self, head: Head, give: Callable[[bytes], object]) -> None:
        self._head: Head | None = head
        self._give, self._codec = give, Codec("sor.compact")
        self._held: list[Record] = []
        self._size = 0

    def add(self, line: SealedLine) -> None:
        """One line more."""
        self._held.append(line._asdict())
        self._size += len(line.evaluate_sealed) + len(line.entry_sealed)
        if self._size >= _FULL:
            self.end()

    def end(self) -> None:
        """Write what is held."""
        if not self._held:
            return
        head = (_HEAD_NAME, self._head._asdict()) if self._head else None
        frame = self._codec.encode({"head": head, "records": self._held})
        self._give(len(frame).to_bytes(_LENGTH, "big") + frame)
        self._head, self._held, self._size = None, [], 0


def read(body: BinaryIO) -> tuple[Head, Iterator[SealedLine]]:
    """The head and then the lines of a body.

    Raises:
        Malformed: here or while the lines are read; a body that was cut too.
    """
    frames = _frames(body)
    first = next(frames, None)
    if first is None or first["head"] is None:
        raise Malformed("head")
    head = _head(first["head"])
    return head, _lines(head, first, frames)


def _frames(body: BinaryIO) -> Iterator[Record]:
    codec = Codec("sor.compact")
    while prefix := body.read(_LENGTH):
        size = int.from_bytes(prefix, "big")
        if len(prefix) < _LENGTH or not 0 < size <= FRAME_BYTES:
            raise Malformed("frame")
        frame = body.read(size)
        try:
            if len(frame) < size:
                raise Malformed("frame")
            yield codec.decode(frame)
        except Undecodable:
            raise Malformed("frame") from None


def _head(found: Any) -> Head:
    head = Head(**(found[1] if isinstance(found, tuple) else found))
    for field, right in (
        ("suite", head.suite == SUITE_ID),
        ("kind", head.kind in IN_TOPIC),
        ("delivery", is_delivery(head.delivery)),
        ("lines", 1 <= head.lines <= MOST_LINES),
        ("sender", is_sender(head.sender)),
        ("evaluate_key_id", len(head.evaluate_key_id) == _KEY_ID_BYTES),
        ("evaluate_wrapped", len(head.evaluate_wrapped) == _WRAPPED_BYTES),
        ("entry_key_id", len(head.entry_key_id) == _KEY_ID_BYTES),
        ("entry_wrapped", len(head.entry_wrapped) == _WRAPPED_BYTES),
        ("certificate", 0 < len(head.certificate) <= CERTIFICATE_BYTES),
        ("signature", len(head.signature) == SIGNATURE_BYTES),
    ):
        if not right:
            raise Malformed(field)
    return head


def _lines(head: Head, first: Record, others: Iterator[Record]) -> Iterator[SealedLine]:
    frame, before = first, 0
    while True:
        if not frame["records"]:
            raise Malformed("records", before)
        for record in frame["records"]:
            line = SealedLine(**record)
            _check(head, line, before)
            yield line
            before = line.line
        following = next(others, None)
        if following is None:
            return
        if following["head"] is not None:
            raise Malformed("head", before)
        frame = following


def _check(head: Head, line: SealedLine, before: int) -> None:
    """Ascending, so that no line stands twice in a body."""
    for field, right in (
        ("line", before < line.line <= head.lines),
        ("published_at", is_moment(line.published_at)),
        ("evaluate_sealed", len(line.evaluate_sealed) in _EVALUATE_SEALED),
        ("entry_sealed", _LEAST_SEALED <= len(line.entry_sealed) <= SEALED_BYTES),
    ):
        if not right:
            raise Malformed(field, before + 1)
