"""What the register keeps of one number: uses, answers and take-backs, as sets. How many of them: ``bounds``."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from msgspec import Struct, field

from domain.facts.uses import CBS, DECLARATIENUMMER, MOST_COMPARED, REFERENTIE, Usage

#: Lines of one delivery in one 64-bit number.
BLOCK: Final = 64
HANDLE: Final = 16  # bytes
LINE: Final = 4
#: Of a delivery whose id the state of release 0.1.0 does not tell.
UNKNOWN: Final = bytes(HANDLE)
#: In the place of a message: of all lines of a CBS delivery those whose clients stand under this key.
OWN: Final = b"eigen"


class Record(NamedTuple):
    """A use as the register meets it: whose, and in which line of which delivery; or that delivery taken back."""

    usage: Usage
    pseudonym: str | None
    delivery: str  # handle
    line: int
    lines: int
    tijd: int  # ms
    terug: int = 0  # ms
    opnieuw: int = 0  # ms
    published_at: int = 0  # ms


class LineSet(Struct, array_like=True):
    """In states of release 0.1.0: the lines of one delivery that used the number, as closed intervals."""

    lines: int
    tijd: int
    gezien: list[list[int]] = field(default_factory=list)


class Users(Struct, array_like=True):
    """In states of release 0.1.0: everybody who used the number with one content."""

    bericht: bytes = b""
    clienten: dict[str, None] = field(default_factory=dict)
    regels: dict[str, LineSet] = field(default_factory=dict)


class Sent(Struct, array_like=True):
    """The lines of one delivery that used the number, of one message."""

    lines: int
    tijd: int
    gezien: dict[int, int] = field(default_factory=dict)  # line // BLOCK -> bits, the lowest for line % BLOCK = 0
    published_at: int = 0  # ms: of the first of them

    def __iter__(self) -> Iterator[int]:
        """The line numbers, ascending."""
        for block, bits in sorted(self.gezien.items()):
            yield from (BLOCK * block + bit for bit in range(BLOCK) if bits >> bit & 1)

    @property
    def complete(self) -> bool:
        """Every line of the delivery is there."""
        return sum(bits.bit_count() for bits in self.gezien.values()) >= self.lines


class Number(Struct, array_like=True):
    """The packed state of one key of the register. Clients and deliveries stand under the content they told."""

    version: int = -1
    per_content: dict[bytes, Users] = field(default_factory=dict)  # of release 0.1.0; empty once it is upgraded
    retour: dict[bytes, str] = field(default_factory=dict)  # likewise: message -> code
    sent: dict[bytes, Sent] = field(default_factory=dict)  # handle and message -> its lines
    used: dict[bytes, dict[str, list[bytes]]] = field(default_factory=dict)  # content -> client -> handles, ascending
    answers: dict[bytes, tuple[str, int, int]] = field(default_factory=dict)  # see ``Answer``
    taken: dict[bytes, list[int]] = field(default_factory=dict)  # handle -> latest terug, latest opnieuw
    cut: bytes = b""  # rank of the best delivery that was ever left out; empty = none was


def content_of(usage: Usage) -> bytes:
    """Under which content a use is kept. Of a message 24 bytes that show its size, the place and what stands there; 4
    bytes, the size, for a place that is not compared; none when its size is not known, or for cbs.
    """
    if usage.soort in (REFERENTIE, DECLARATIENUMMER):
        return usage.inhoud
    if not usage.records:
        return b""
    size = usage.records.to_bytes(LINE, "big")
    return size if usage.plaats > MOST_COMPARED else size + usage.plaats.to_bytes(LINE, "big") + usage.inhoud


def take_in(number: Number, record: Record) -> None:
    """Join one use, answer or take-back into the state, in place."""
    usage, client, delivery, line, lines, _, taken_at, again_at, published_at = record
    handle = handle_of(delivery)
    if taken_at or again_at:
        before = number.taken.get(handle, (0, 0))
        number.taken[handle] = [max(taken_at, before[0]), max(again_at, before[1])]
    elif usage.retour:
        name = handle + line.to_bytes(LINE, "big") + usage.message
        code, _, first = number.answers.get(name, ("", 0, published_at))
        number.answers[name] = max(usage.retour, code), lines, min(published_at, first)
    else:
        _seen(number, handle + usage.message, record)
        if client is not None:
            told(number, content_of(usage), client, handle)
            if usage.soort == CBS:
                _seen(number, handle + OWN, record)


def _seen(number: Number, name: bytes, record: Record) -> None:
    sent = number.sent.get(name)
    if sent is None:
        sent = number.sent[name] = Sent(record.lines, record.tijd, {}, record.published_at)
    else:
        sent.tijd = min(record.tijd, sent.tijd)
        sent.published_at = min(record.published_at, sent.published_at)
    if record.usage.soort != DECLARATIENUMMER:
        block, bit = divmod(record.line, BLOCK)
        sent.gezien[block] = sent.gezien.get(block, 0) | 1 << bit


def told(number: Number, content: bytes, client: str, handle: bytes) -> None:
    """Note that a delivery told a content of a client."""
    clients = number.used.get(content)
    if clients is None:
        number.used[content] = {client: [handle]}
        return
    handles = clients.setdefault(client, [])
    place = bisect_left(handles, handle)
    if place == len(handles) or handles[place] != handle:
        handles.insert(place, handle)


def forget(number: Number, forgets: Callable[[str, int], bool]) -> bool:
    """Take out every client that was forgotten, in place; whether there was one. ``forgets`` is asked for a client and
    when a delivery of it was published (ms; 0: unknown). Which lines a delivery used the number in stays: of whom they
    told is not in it.
    """
    published: dict[bytes, int] = {}
    for name, sent in number.sent.items():
        handle = name[:HANDLE]
        published[handle] = min(sent.published_at, published.get(handle, sent.published_at))
    found = False
    for content, clients in list(number.used.items()):
        for client, handles in list(clients.items()):
            left = [handle for handle in handles if not forgets(client, published.get(handle, 0))]
            if len(left) == len(handles):
                continue
            found = True
            clients[client] = left
            if not left:
                del clients[client]
        if not clients:
            del number.used[content]
    for users in number.per_content.values():
        for client in [client for client in users.clienten if forgets(client, 0)]:
            found = True
            del users.clienten[client]
    return found


def handle_of(delivery: str) -> bytes:
    """Sixteen bytes; what the first records of release 0.1.0 say of their delivery is half as long."""
    handle = bytes.fromhex(delivery)
    return handle if len(handle) == HANDLE else handle.ljust(HANDLE, b"\x00")


class Answer(NamedTuple):
    """An answer taken apart: the first three name it, the last three are what stands under that name. ``bericht``: the
    message and its dagtekening (``uses.message_of_day``).
    """

    handle: bytes
    line: int
    bericht: bytes
    code: str
    lines: int
    published_at: int  # ms


def answer_of(name: bytes, value: tuple[str, int, int]) -> Answer:
    """What stands in ``Number.answers``."""
    line = int.from_bytes(name[HANDLE : HANDLE + LINE], "big")
    return Answer(name[:HANDLE], line, name[HANDLE + LINE :], *value)


def split(name: bytes) -> tuple[bytes, bytes]:
    """Handle, and message with its dagtekening (in states of release 0.2.0 without), of what ``Number.sent`` holds."""
    return name[:HANDLE], name[HANDLE:]
