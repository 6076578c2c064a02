"""Deliveries: the files of one kind by one sender, checked in a first pass and published in a second.

The id of a delivery is a keyed hash of its content, so the same content has the same id and a repeat has one effect.
A file refused as a whole counts as one refused record, so that the third party sees it; nothing of its content travels.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import BinaryIO, Final, NamedTuple, Protocol

from connectors.delivery.reading import Content, prepare, same_bytes, settled
from connectors.delivery.recognise import CSV_KINDS, HEAD, PARSERS, recognise
from connectors.delivery.sealed import NO_MESSAGE, InMessage, SealedDelivery
from connectors.errors import ConnectorError
from connectors.formats.cem import providers
from connectors.formats.files import InputFile, Limits, Stamp
from connectors.formats.model import Afwijzing, Choices, FileContext, FileFault, FileRecord, Tally
from crypto.keys import PublicKeys
from crypto.sign import Signer
from domain.facts.answer import receipt_key
from schemas.topics import IN_TOPIC

#: Rows of one file kept for the sender's screen.
MOST_SHOWN: Final = 500
#: Faults that say nothing about the content: told to the sender, not counted by the third party.
_LOCAL: Final = frozenset({"B07", "B13", "B16", "B17"})
_POLL: Final = 500

Refuse = Callable[[FileFault], None]
Progress = Callable[[int], None]
Note = Callable[[int, FileRecord], None]


class Publishes(Protocol):
    """Where records go: ``transport.publisher.Publisher``."""

    def send(self, topic: str, key: bytes, value: bytes | None) -> None:
        """Queue one record."""

    def poll(self) -> None:
        """Serve delivery reports."""

    def flush(self, timeout: float = 30.0) -> None:
        """Wait for every report."""

    def abandon(self) -> None:
        """Drop what is queued."""


class Run(NamedTuple):
    """What holds for everything that one command delivers."""

    secret: bytes  # of this connector
    sender: str  # --as; empty when the files must say it
    test: bool
    tijd: int  # ms
    limits: Limits = Limits()
    keep_accepted: bool = False
    choices: Choices = Choices()


class Candidate(NamedTuple):
    """A file with its kind and sender; ``fault`` when it is refused already."""

    input: InputFile
    kind: str
    sender: str
    fault: FileFault | None = None
    share: int | None = None  # place of the provider in a feed of many


@dataclass
class File:
    """One file of a delivery after the first pass."""

    input: InputFile
    stamp: Stamp
    context: FileContext
    mac: bytes = b""
    records: int = 1  # a refused file is one record
    first_line: int = 1  # line number of its first record
    fault: FileFault | None = None
    refused: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    shown: list[FileRecord] = field(default_factory=list)


@dataclass
class Delivery:
    """One delivery, ready to be published."""

    id: str
    kind: str
    sender: str
    test: bool
    tijd: int
    files: list[File]
    lines: int
    secret: bytes = field(repr=False)

    @property
    def receipt_key(self) -> str:
        """What its receipt is known by."""
        return receipt_key(self.sender, self.id, self.lines)

    def file_of(self, line: int) -> File | None:
        """The file that holds a record."""
        return next((b for b in self.files if b.first_line <= line < b.first_line + b.records), None)


class Changed(ConnectorError):
    """A file became another one while it was delivered."""

    def __init__(self, fault: FileFault, sent: int) -> None:
        super().__init__(str(fault))
        self.fault, self.sent = fault, sent


def candidates(found_files: Iterable[InputFile], run: Run, refuse: Refuse) -> dict[tuple[str, str], list[Candidate]]:
    """The files by kind and sender, in order of appearance; what has no kind or no sender goes to ``refuse``."""
    groups: dict[tuple[str, str], list[Candidate]] = {}
    for given in found_files:
        try:
            found = _candidates(given, run)
        except FileFault as fault:
            refuse(fault)
        else:
            for candidate in found:
                groups.setdefault((candidate.kind, candidate.sender), []).append(candidate)
    return groups


def _candidates(given: InputFile, run: Run) -> list[Candidate]:
    """One candidate; of a feed with metingen of many providers (BergOp) one for each of them."""
    candidate = _candidate(given, run)
    if candidate.kind != "cem" or run.sender:
        return [candidate]
    with closing(given.open()) as stream:
        senders = providers(stream)
    if len(senders) < 2:
        return [candidate]
    return [Candidate(given, "cem", sender, share=place) for place, sender in enumerate(senders)]


def _candidate(given: InputFile, run: Run) -> Candidate:
    with given.open() as stream:
        head = stream.read(HEAD)
    kind, own = recognise(head, given.file_name, given.shown, run.choices.layout)
    sender = run.sender or own
    if not sender and kind not in CSV_KINDS:
        _explain(given, kind, run)
    if not sender:
        raise FileFault("B08", given.shown)
    foreign = kind == "cem" and own and own != sender
    return Candidate(given, kind, sender, FileFault("B09", given.shown) if foreign else None)


def _explain(given: InputFile, kind: str, run: Run) -> None:
    """A message without a readable sender is refused by its parser, which knows why."""
    with given.open() as stream:
        for _ in PARSERS[kind](stream, FileContext(given.shown, "", run.tijd)):
            pass


def check(group: list[Candidate], run: Run, refuse: Refuse, progress: Progress = lambda _n: None) -> Delivery | None:
    """First pass over one delivery: check everything, count, name it. None when no file of it can be counted."""
    files = []
    for place, candidate in enumerate(group):
        # A file later in the delivery counts as uploaded later: its scores win over those of earlier files.
        context = FileContext(candidate.input.shown, candidate.sender, run.tijd + place, choices=run.choices)
        context.share = candidate.share
        try:
            files.append(_check_file(candidate, context, run, progress))
        except FileFault as fault:
            # A provider of a feed may well have metingen of other municipalities only: nothing is wrong then.
            if candidate.share is None or fault.code != "B16":
                refuse(fault)
    if not files:
        return None
    line = 1
    for file in files:
        file.first_line, line = line, line + file.records
    kind, sender = group[0].kind, group[0].sender
    return Delivery(_name(run, kind, sender, files), kind, sender, run.test, run.tijd, files, line - 1, run.secret)


def _name(run: Run, kind: str, sender: str, files: list[File]) -> str:
    parts = [kind.encode(), sender.encode(), b"test" if run.test else b"", *(file.mac for file in files)]
    parts += run.choices.mark(kind, dropped=any(file.context.tally.outside for file in files))
    message = b"".join(len(part).to_bytes(2, "big") + part for part in parts)
    return hmac.new(run.secret, message, hashlib.sha256).hexdigest()[:32]


def _check_file(candidate: Candidate, context: FileContext, run: Run, progress: Progress) -> File:
    """One file in the first pass; raises only what is not counted by the third party."""
    given = candidate.input
    file = File(given, settled(given), context)
    try:
        content = prepare(given, run.secret, run.limits.file_bytes)
        file.mac = content.mac
        context.encoding, context.rows = content.encoding, content.rows
        _require_readable(candidate, content)
        _first_pass(file, candidate.kind, run, progress)
    except FileFault as fault:
        if fault.code in _LOCAL:
            raise
        file.mac = file.mac or _mac_of_head(given, run)
        file.records, file.fault, file.refused, file.codes = 1, fault, 1, Counter({fault.code: 1})
        file.shown = []
    return file


def _require_readable(candidate: Candidate, content: Content) -> None:
    if candidate.fault:
        raise candidate.fault
    if candidate.kind in CSV_KINDS and candidate.kind != "cbs" and not (content.encoding and content.sensible):
        raise FileFault("B02" if content.encoding else "B04", candidate.input.shown)


def _mac_of_head(given: InputFile, run: Run) -> bytes:
    """Names a file that is not read to its end: too large, or damaged."""
    with given.open() as stream:
        head = stream.read(HEAD)
    return hmac.new(run.secret, b"head" + str(given.size).encode() + head, hashlib.sha256).digest()


def _first_pass(file: File, kind: str, run: Run, progress: Progress) -> None:
    scattered = 0
    while True:
        _count(file, kind, run, progress)
        if len(file.context.scattered) == scattered:
            break
        scattered = len(file.context.scattered)  # these metingen or keys are one record each: look again
    if not file.records:
        raise FileFault("B16", file.input.shown)


def _count(file: File, kind: str, run: Run, progress: Progress) -> None:
    file.records = file.refused = 0
    file.codes.clear()
    file.shown.clear()
    for record in _records(file, kind, file.input.open()):
        file.records += 1
        if isinstance(record.inhoud, Afwijzing):
            file.refused += 1
            file.codes[record.inhoud.code] += 1
        elif not run.keep_accepted:
            continue
        if len(file.shown) < MOST_SHOWN:
            file.shown.append(record)
    progress(file.records)


def _records(file: File, kind: str, stream: BinaryIO) -> Iterator[FileRecord]:
    """The records of a file, with fresh line counts; closes the stream."""
    file.context.tally = Tally()
    with closing(stream) as opened, closing(PARSERS[kind](opened, file.context)) as records:  # type: ignore[type-var]
        yield from records


def publish(
    delivery: Delivery,
    keys: PublicKeys,
    signer: Signer,
    publisher: Publishes,
    progress: Progress = lambda _n: None,
    note: Note | None = None,
) -> None:
    """Second pass: seal every record under its line number and publish it; returns when the broker has them all.

    ``note`` hears of every record that is about to be published.

    Raises:
        Changed: a file is no longer what was checked; nothing more of it is sent.
        NotDelivered: the broker does not take the records.
    """
    for file in delivery.files:
        if file.input.stamp() != file.stamp:
            raise Changed(FileFault("B07", file.input.shown), 0)
    sealed = SealedDelivery(keys, signer, delivery.kind, delivery.id, delivery.lines, delivery.sender, delivery.test)
    topic, key = IN_TOPIC[delivery.kind], delivery.id.encode()
    sent = 0
    try:
        for line, record, place in _lines(delivery):
            if note is not None:
                note(line, record)
            publisher.send(topic, key, sealed.envelope(line, record, time.time_ns() // 1_000_000, place))
            sent += 1
            if not sent % _POLL:
                publisher.poll()
                progress(_POLL)
        publisher.flush(30.0)
    except FileFault as fault:
        publisher.abandon()
        raise Changed(fault, sent) from None
    except BaseException:  # an interruption, or a broker that is gone: the same content can be delivered again
        publisher.abandon()
        raise
    progress(sent % _POLL)


def _lines(delivery: Delivery) -> Iterator[tuple[int, FileRecord, InMessage]]:
    """Line number, record, and its place in its message."""
    message = delivery.kind not in CSV_KINDS
    for file in delivery.files:
        if file.fault:
            yield (
                file.first_line,
                FileRecord(file.fault.row or 1, 1, None, Afwijzing(file.fault.code, file.fault.veld)),
                NO_MESSAGE,
            )
            continue
        line = file.first_line
        with same_bytes(file.input, delivery.secret, file.mac) as stream:
            for record in _records(file, delivery.kind, stream):
                if line >= file.first_line + file.records:
                    raise FileFault("B07", file.input.shown)
                place = InMessage(file.records, line - file.first_line + 1) if message else NO_MESSAGE
                yield line, record, place
                line += 1
        if line != file.first_line + file.records:
            raise FileFault("B07", file.input.shown)
