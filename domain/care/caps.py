"""How much one client may hold: at most so many acts of each kind by each provider. Pure.

A sender decides how many facts it sends of one client; nothing that it sends may make a state too large for its stage.
Of too many acts those of the lowest rank are kept. A rank is a keyed hash of what names the act, which no sender knows
or steers, so what is kept does not depend on order, repetition or batches (decision 0018).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from heapq import nsmallest
from typing import Any, Final, NamedTuple

import msgspec

from domain.facts.fact_set import FactSet


class Cap(NamedTuple):
    """Most acts of one provider in one client: beside few others, and whatever the others send."""

    most: int
    least: int


#: Field of ``FactSet`` -> its cap. A week has one declaration and ten years of it are few; no child has more [P].
CAPS: Final[dict[str, Cap]] = {
    "starts": Cap(150, 20),
    "stops": Cap(150, 20),
    "prestaties": Cap(1_500, 100),
    "scores": Cap(400, 40),
    "metingen": Cap(150, 20),
    "toewijzingen": Cap(150, 20),
    "cbs": Cap(150, 20),
    "retouren": Cap(1_500, 50),
    "ingetrokken": Cap(400, 40),
    "dubbel": Cap(150, 20),
    "replaced": Cap(150, 20),
    "terug": Cap(2_000, 40),
}
#: So many providers of one kind have full caps: only beside more does K07 on a receipt say that others know a child.
FULL_FOR: Final = 4
#: Providers of one kind of facts in one client: several times what any child has had [P].
MOST_PROVIDERS: Final = 48


class Limits(NamedTuple):
    """What is held of one client: the cap of each kind, and so many providers of a kind."""

    caps: Mapping[str, Cap]
    providers: int


LIMITS: Final = Limits(CAPS, MOST_PROVIDERS)


class Excess(NamedTuple):
    """Acts of one provider that are no longer held. ``names``: key and, unless a key has one act, name within it.
    ``everything``: the provider itself is one too many, and nothing of this kind is left of it.
    """

    kind: str  # field of FactSet
    aanbieder: str  # empty when the kind names no provider
    names: list[tuple[Any, bytes]]
    everything: bool


class Trimmed(NamedTuple):
    """What was taken out of a set of facts. ``room``: so many acts more, of whatever kind, are surely not too many."""

    excess: list[Excess]
    room: int


_encode: Final = msgspec.msgpack.Encoder().encode
_ALONE: Final = b""  # instead of a name, of a key that has one act


def trim(client: bytes, facts: FactSet, limits: Limits = LIMITS) -> Trimmed:
    """Take out of the set, in place, what is over a cap."""
    excess: list[Excess] = []
    room = limits.providers
    for kind in facts.__struct_fields__:
        acts = getattr(facts, kind)
        least = min(limits.caps[kind].least, limits.providers)
        if acts:
            held = sum(map(len, acts.values())) if _nested(acts) else len(acts)
            if held > least:
                excess += _over(client, kind, acts, limits)
            least = max(0, least - held)
        room = min(room, least)
    for over in excess:
        _take_out(getattr(facts, over.kind), over)
    return Trimmed(excess, room)


def _nested(acts: dict[Any, Any]) -> bool:
    return isinstance(next(iter(acts.values())), dict)


def _over(client: bytes, kind: str, acts: dict[Any, Any], limits: Limits) -> list[Excess]:
    """What is too much of one kind. A cap shrinks when more providers have acts of the kind, and never grows again:
    what is held in the end was held all the time.
    """
    counts = _counts(acts)
    allowed = _allowed(client, counts, limits.providers)
    cap = limits.caps[kind]
    most = max(cap.least, min(cap.most, cap.most * FULL_FOR // len(allowed)))
    large = {provider: most if provider in allowed else 0 for provider, count in counts.items()
             if count > most or provider not in allowed}  # fmt: skip
    if not large:
        return []
    names: dict[str, list[tuple[Any, bytes]]] = {provider: [] for provider in large}
    for key, inner in acts.items():
        of_provider = names.get(_provider(key))
        if of_provider is not None:
            of_provider += [(key, name) for name in inner] if isinstance(inner, dict) else [(key, _ALONE)]
    return [
        Excess(kind, provider, _highest(client, names[provider], most), everything=not most)
        for provider, most in large.items()
    ]


def _provider(key: Any) -> str:
    """The provider stands first in every key, in that of a stop within the key of its start; a delivery names none."""
    if isinstance(key, bytes):
        return ""
    first = key[0]
    return first if isinstance(first, str) else first[0]


def _counts(acts: dict[Any, Any]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for key, inner in acts.items():
        provider = _provider(key)
        counts[provider] = counts.get(provider, 0) + (len(inner) if isinstance(inner, dict) else 1)
    return counts


def _allowed(client: bytes, providers: Iterable[str], most: int) -> set[str]:
    """A hub may send for whom it likes: of too many providers those of the lowest rank."""
    every = set(providers)
    return every if len(every) <= most else set(nsmallest(most, every, key=lambda one: (_rank(client, one), one)))


def _highest(client: bytes, names: list[tuple[Any, bytes]], most: int) -> list[tuple[Any, bytes]]:
    """All but the ``most`` names of the lowest rank."""
    return sorted(names, key=lambda name: _rank(client, name))[most:] if most else names


def _rank(client: bytes, name: object) -> bytes:
    """No sender knows the name of a client, so none can choose what has a low rank."""
    return blake2b(_encode(name), digest_size=16, key=client[:64]).digest()


def _take_out(acts: dict[Any, Any], over: Excess) -> None:
    for key, name in over.names:
        inner = acts[key]
        if isinstance(inner, dict):
            del inner[name]
            if inner:
                continue
        del acts[key]
