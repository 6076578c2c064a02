"""Numbers that must be one and are used for more (TR056, TR314, TR333): which uses differ, and in which lines. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from domain.facts.bounds import NONE
from domain.facts.number import UNKNOWN, Number, Sent, split
from domain.facts.uses import DECLARATIENUMMER, REFERENTIE

#: Kinds of number of a declared line, and the rule that each must keep.
ROWS: Final = {REFERENTIE: "TR314", DECLARATIENUMMER: "TR333"}
PLACE: Final = 4  # bytes
_COMPARED: Final = 24
#: In the place of a line: the delivery as a whole, where the register does not know its lines.
WHOLE: Final = 0
Clients = dict[str, list[bytes]]
Differing = Sequence[dict[bytes, list[Clients]]]


def rule(kind: str) -> str:
    """The rule that a kind of number must keep."""
    return ROWS.get(kind, "TR056")


def variants(kind: str, number: Number) -> Iterator[dict[bytes, list[Clients]]]:
    """What must be one and is more than one: by what tells them apart, who said so. TR314, TR333: the uses of the
    number. TR056: the contents of one place, and the sizes of the message.
    """
    used = number.used
    if kind in ROWS:
        if len(used) > 1:
            yield {content: [clients] for content, clients in used.items()}
        return
    sizes = {content[:PLACE] for content in used} - {b""}
    if len(sizes) < 2 and len({content[: 2 * PLACE] for content in used}) == len(used):
        return  # every place once
    known = [content for content in used if len(content) in (PLACE, _COMPARED)]
    sizes, compared = {content[:PLACE] for content in known}, [c for c in known if len(c) == _COMPARED]
    if len(sizes) > 1:
        yield {size: [used[content] for content in known if content[:PLACE] == size] for size in sizes}
    places: dict[bytes, list[bytes]] = {}
    for content in compared:
        places.setdefault(content[PLACE : 2 * PLACE], []).append(content)
    for contents in places.values():
        by_hash: dict[bytes, list[Clients]] = {}
        for content in contents:
            by_hash.setdefault(content[2 * PLACE :], []).append(used[content])
        if len(by_hash) > 1:
            yield by_hash


def lines(
    kind: str, number: Number, differing: Differing, silent: frozenset[bytes]
) -> Iterator[tuple[bytes, int, Sent, bool]]:
    """The lines whose sender hears that their number was used for something else: of every delivery that tells so, what
    each holds of that number, and whether it is still so. ``differing``: its ``variants``; ``silent``: the deliveries
    that do not count.
    """
    if not (differing or number.cut):
        return
    ever, now = _behind(number, differing, NONE), _behind(number, differing, silent)
    for name, sent in number.sent.items():
        handle, _ = split(name)
        if handle in ever and handle != UNKNOWN:
            for line in (WHOLE,) if kind == DECLARATIENUMMER else sent:
                yield handle, line, sent, handle in now


def _behind(number: Number, differing: Differing, silent: frozenset[bytes]) -> set[bytes]:
    """The deliveries behind two or more variants that count; of a number that was used too often, all."""
    found = set[bytes]()
    for several in differing:
        counting = [_handles(clients) - silent for clients in several.values()]
        if sum(map(bool, counting)) > 1:
            found.update(*counting)
    return found | (_handles(number.used.values()) - silent) if number.cut else found


def _handles(clients: Iterable[Clients]) -> set[bytes]:
    return {handle for one in clients for handles in one.values() for handle in handles}
