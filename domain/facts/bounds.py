"""How much the register keeps of one number, and what it leaves out.

A number is a set: it only grows, until it holds more than one key may (``MOST_BYTES``). Then whole deliveries are left
out, the last by rank, and with one left out every one of a worse rank. Who is left out follows from the set alone,
whatever came first (decision 0016), so that the same records always end in the same state.
"""

from __future__ import annotations

from collections.abc import Collection
from hashlib import blake2b
from typing import Any, Final

from domain.facts.number import BLOCK, HANDLE, LINE, UNKNOWN, Number, Sent, handle_of, told
from domain.facts.uses import CBS

#: Bytes that the uses of one key may take, reckoned by the sizes below; a state has room for two batches more.
MOST_BYTES: Final = 560_000
#: Answers on one number that count, and deliveries taken back that it remembers: those lowest by ``rank``.
MOST_ANSWERS: Final = 500
MOST_TAKEN: Final = 1_500
NONE: Final = frozenset[bytes]()

#: Sizes in msgpack, rounded up: what a delivery says of one message, 64 lines of it; a content, a client of it and the
#: handle of a delivery that told so. A line counts apart: not for its room, but for what is told of it at once.
_OF_SENT, _OF_BLOCK, _OF_LINE, _OF_CONTENT, _OF_CLIENT, _OF_HANDLE = 80, 16, 2, 32, 48, 18
_LATEST: Final = 2**63 - 1


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
        return {name: _cbs_rank(name, sent.tijd) for name, sent in number.sent.items() if len(name) == HANDLE}
    return {handle: rank(handle, key) for handle in dict.fromkeys(name[:HANDLE] for name in number.sent)}


def beyond(number: Number, kind: str, key: bytes) -> frozenset[bytes]:
    """The deliveries that are left out, of those that the state still holds; ``cut`` is set to the best of them."""
    if not number.cut and _at_most(number, kind) <= MOST_BYTES:
        return NONE
    order = sorted((place, handle) for handle, place in ranks(number, kind, key).items())
    sizes, total = _sizes(number, kind, {handle: at for at, (_, handle) in enumerate(order)}), 0
    for place, handle in order:
        total += sizes[handle]
        if number.cut and place >= number.cut:
            break
        if total > MOST_BYTES:
            number.cut = place
            break
    return frozenset(handle for place, handle in order if number.cut and place >= number.cut)


def _of_sent(sent: Sent, kind: str) -> int:
    lines = 0 if kind == CBS else sum(map(int.bit_count, sent.gezien.values()))
    return _OF_SENT + _OF_BLOCK * len(sent.gezien) + _OF_LINE * lines


def _at_most(number: Number, kind: str) -> int:
    """No less than the sum of ``_sizes``, for little."""
    of_client = _OF_CLIENT + _OF_HANDLE * len(number.sent)
    size = _OF_CONTENT * len(number.used)
    for sent in number.sent.values():
        size += _of_sent(sent, kind)
    for clients in number.used.values():
        size += of_client * len(clients)
    return size


def _sizes(number: Number, kind: str, order: dict[bytes, int]) -> dict[bytes, int]:
    """What each delivery adds to those before it in order."""
    sizes = dict.fromkeys(order, 0)
    for name, sent in number.sent.items():
        sizes[name[:HANDLE]] += _of_sent(sent, kind)
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
    if number.cut:
        _leave_out(number, beyond(number, kind, key))
    for names, most in ((number.answers, MOST_ANSWERS), (number.taken, MOST_TAKEN)):
        if len(names) > most:
            for name in names.keys() - lowest(names, most, key):
                del names[name]


def _leave_out(number: Number, out: frozenset[bytes]) -> None:
    number.sent = {name: sent for name, sent in number.sent.items() if name[:HANDLE] not in out}
    for content, clients in list(number.used.items()):
        left = {client: [h for h in handles if h not in out] for client, handles in clients.items()}
        number.used[content] = {client: handles for client, handles in left.items() if handles}
        if not number.used[content]:
            del number.used[content]


def upgrade(number: Number, kind: str) -> None:
    """Bring the state of release 0.1.0 into the form of this one, in place. It does not tell which client came in which
    delivery of a content: each is taken to have come in all of them.
    """
    for content, users in number.per_content.items():
        handles = sorted(map(handle_of, users.regels)) or [UNKNOWN]
        for delivery, line_set in users.regels.items():
            sent = Sent(line_set.lines, line_set.tijd, {}, line_set.tijd)
            for first, last in line_set.gezien:
                for line in range(first, last + 1):
                    block, bit = divmod(line, BLOCK)
                    sent.gezien[block] = sent.gezien.get(block, 0) | 1 << bit
            number.sent[handle_of(delivery) + users.bericht] = sent
        if not users.regels:
            number.sent[UNKNOWN + users.bericht] = Sent(0, 0)
        for client in users.clienten:
            for handle in handles:
                told(number, b"" if kind == CBS else content, client, handle)
    for bericht, code in number.retour.items():
        number.answers[UNKNOWN + bytes(LINE) + bericht] = code, 0, 0
    number.per_content, number.retour = {}, {}
