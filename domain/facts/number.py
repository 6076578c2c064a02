"""What the register keeps of one number, and how much of it.

A set: it only grows, until it holds more than one key may (``MOST_BYTES``). Then whole deliveries are left out, the
last by rank, and with one left out every one of a worse rank. Who is left out follows from the set alone, whatever came
first (decision 0016), so that the same records always end in the same state.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from msgspec import Struct, field

from domain.facts.uses import CBS, DECLARATIENUMMER, MOST_COMPARED, Usage

#: Bytes that the uses of one key may take, reckoned by the sizes below; a state has room for two batches more.
MOST_BYTES: Final = 560_000
#: Answers on one number that count, and deliveries taken back that it remembers: those lowest by ``rank``.
MOST_ANSWERS: Final = 500
MOST_TAKEN: Final = 1_500
#: Lines of one delivery in one 64-bit number.
BLOCK: Final = 64

_HANDLE: Final = 16  # bytes
_LINE: Final = 4
#: Sizes in msgpack, rounded up: what a delivery says of one message, 64 lines of it; a content, a client of it and the
#: handle of a delivery that told so.
_OF_SENT, _OF_BLOCK, _OF_CONTENT, _OF_CLIENT, _OF_HANDLE = 80, 16, 32, 48, 18
_LATEST: Final = 2**63 - 1
#: Of a delivery whose id the state of release 0.1.0 does not tell.
UNKNOWN: Final = bytes(_HANDLE)


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
    answers: dict[bytes, tuple[str, int]] = field(default_factory=dict)  # handle, line, message -> code, lines
    taken: dict[bytes, list[int]] = field(default_factory=dict)  # handle -> latest terug, latest opnieuw
    cut: bytes = b""  # rank of the best delivery that was ever left out; empty = none was


def content_of(usage: Usage) -> bytes:
    """Under which content a use is kept. Of a message 24 bytes that show its size, the place and what stands there; 4
    bytes, the size, for a place that is not compared; none when its size is not known.
    """
    if not usage.soort.startswith(("bericht.", "regels.")):
        return b"" if usage.soort == CBS else usage.inhoud
    if not usage.records:
        return b""
    size = usage.records.to_bytes(_LINE, "big")
    return size if usage.plaats > MOST_COMPARED else size + usage.plaats.to_bytes(_LINE, "big") + usage.inhoud


def take_in(number: Number, record: Record) -> None:
    """Join one use, answer or take-back into the state, in place."""
    usage, handle = record.usage, _handle(record.delivery)
    if record.terug or record.opnieuw:
        terug, opnieuw = number.taken.get(handle, (0, 0))
        number.taken[handle] = [max(terug, record.terug), max(opnieuw, record.opnieuw)]
    elif usage.retour:
        name = handle + record.line.to_bytes(_LINE, "big") + usage.bericht
        number.answers[name] = max((usage.retour, record.lines), number.answers.get(name, ("", 0)))
    else:
        _use(number, record, handle)


def _use(number: Number, record: Record, handle: bytes) -> None:
    usage, name = record.usage, handle + record.usage.bericht
    sent = number.sent.get(name)
    if sent is None:
        sent = number.sent[name] = Sent(record.lines, record.tijd)
    elif record.tijd < sent.tijd:
        sent.tijd = record.tijd
    if usage.soort != DECLARATIENUMMER:
        block, bit = divmod(record.line, BLOCK)
        sent.gezien[block] = sent.gezien.get(block, 0) | 1 << bit
    if record.pseudonym is not None:
        _told(number, content_of(usage), record.pseudonym, handle)


def _told(number: Number, content: bytes, client: str, handle: bytes) -> None:
    handles = number.used.setdefault(content, {}).setdefault(client, [])
    place = bisect_left(handles, handle)
    if place == len(handles) or handles[place] != handle:
        handles.insert(place, handle)


def _handle(delivery: str) -> bytes:
    """Sixteen bytes; what the first records of release 0.1.0 say of their delivery is half as long."""
    return bytes.fromhex(delivery).ljust(_HANDLE, b"\x00")


class Answer(NamedTuple):
    """An answer taken apart."""

    handle: bytes
    line: int
    bericht: bytes
    code: str
    lines: int


def answer_of(name: bytes, value: tuple[str, int]) -> Answer:
    """What stands in ``Number.answers``."""
    line = int.from_bytes(name[_HANDLE : _HANDLE + _LINE], "big")
    return Answer(name[:_HANDLE], line, name[_HANDLE + _LINE :], *value)


def split(name: bytes) -> tuple[bytes, bytes]:
    """Handle and message of what stands in ``Number.sent``."""
    return name[:_HANDLE], name[_HANDLE:]


# --- what is kept -----------------------------------------------------------------------------------------------------


def rank(name: bytes, key: bytes) -> bytes:
    """Order in which uses and answers are kept: by a hash of handles and numbers, which are keyed hashes themselves, so
    that nobody outside can choose it.
    """
    return blake2b(name, digest_size=8, key=key[:64]).digest() + name


def _cbs_rank(handle: bytes, tijd: int) -> bytes:
    """Of CBS deliveries the latest come first: who is left out is replaced anyway."""
    return (_LATEST - tijd).to_bytes(8, "big") + bytes(255 - byte for byte in handle)


def ranks(number: Number, kind: str, key: bytes) -> dict[bytes, bytes]:
    """The rank of every delivery, the first to be kept lowest."""
    if kind == CBS:
        return {handle: _cbs_rank(handle, sent.tijd) for handle, sent in number.sent.items()}
    return {handle: rank(handle, key) for handle in dict.fromkeys(name[:_HANDLE] for name in number.sent)}


def beyond(number: Number, kind: str, key: bytes) -> frozenset[bytes]:
    """The deliveries that are left out, of those that the state still holds; ``cut`` is set to the best of them."""
    if not number.cut and _at_most(number) <= MOST_BYTES:
        return frozenset()
    order = sorted((place, handle) for handle, place in ranks(number, kind, key).items())
    sizes, total = _sizes(number, {handle: at for at, (_, handle) in enumerate(order)}), 0
    for place, handle in order:
        total += sizes[handle]
        if number.cut and place >= number.cut:
            break
        if total > MOST_BYTES:
            number.cut = place
            break
    return frozenset(handle for place, handle in order if number.cut and place >= number.cut)


def _at_most(number: Number) -> int:
    """No less than the sum of ``_sizes``, for little."""
    clients, blocks = sum(map(len, number.used.values())), sum(len(sent.gezien) for sent in number.sent.values())
    of_uses = len(number.used) * _OF_CONTENT + clients * (_OF_CLIENT + _OF_HANDLE * len(number.sent))
    return of_uses + blocks * _OF_BLOCK + len(number.sent) * _OF_SENT


def _sizes(number: Number, order: dict[bytes, int]) -> dict[bytes, int]:
    """What each delivery adds to those before it in order."""
    sizes = dict.fromkeys(order, 0)
    for name, sent in number.sent.items():
        sizes[name[:_HANDLE]] += _OF_SENT + _OF_BLOCK * len(sent.gezien)
    for clients in number.used.values():
        firsts = [min(handles, key=order.__getitem__) for handles in clients.values()]
        for first, handles in zip(firsts, clients.values(), strict=True):
            sizes[first] += _OF_CLIENT
            for handle in handles:
                sizes[handle] += _OF_HANDLE
        sizes[min(firsts, key=order.__getitem__)] += _OF_CONTENT
    return sizes


def lowest(names: dict[bytes, Any], most: int, key: bytes) -> Collection[bytes]:
    """The names that are kept: all, or the first by rank."""
    if len(names) <= most:
        return names.keys()
    return frozenset(sorted(names, key=lambda name: rank(name, key))[:most])


def taken_back(number: Number, key: bytes) -> frozenset[bytes]:
    """The deliveries that count as never sent."""
    kept = lowest(number.taken, MOST_TAKEN, key)
    return frozenset(handle for handle in kept if number.taken[handle][0] > number.taken[handle][1])


def settle(number: Number, kind: str, key: bytes) -> None:
    """Forget what is left out, in place: whoever it concerned was told with the batch that brought it."""
    if number.per_content or number.retour:
        _upgrade(number, kind)
    out = beyond(number, kind, key)
    if out:
        number.sent = {name: sent for name, sent in number.sent.items() if name[:_HANDLE] not in out}
        for content, clients in list(number.used.items()):
            left = {client: [h for h in handles if h not in out] for client, handles in clients.items()}
            number.used[content] = {client: handles for client, handles in left.items() if handles}
            if not number.used[content]:
                del number.used[content]
    for names, most in ((number.answers, MOST_ANSWERS), (number.taken, MOST_TAKEN)):
        for name in names.keys() - lowest(names, most, key):
            del names[name]


def _upgrade(number: Number, kind: str) -> None:
    """Bring the state of release 0.1.0 into the form of this one; it does not tell which client came in which delivery
    of a content, so that each is taken to have come in all.
    """
    for content, users in number.per_content.items():
        handles = sorted(map(_handle, users.regels)) or [UNKNOWN]
        for delivery, line_set in users.regels.items():
            sent = Sent(line_set.lines, line_set.tijd)
            for first, last in line_set.gezien:
                for line in range(first, last + 1):
                    block, bit = divmod(line, BLOCK)
                    sent.gezien[block] = sent.gezien.get(block, 0) | 1 << bit
            number.sent[_handle(delivery) + users.bericht] = sent
        if not users.regels:
            number.sent[UNKNOWN + users.bericht] = Sent(0, 0)
        for client in users.clienten:
            for handle in handles:
                _told(number, b"" if kind == CBS else content, client, handle)
    for bericht, code in number.retour.items():
        number.answers[UNKNOWN + bytes(_LINE) + bericht] = code, 0
    number.per_content, number.retour = {}, {}
