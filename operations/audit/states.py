"""The comparison of the state of ``trajectories``: what the log yields against the changelog and the store. Pure.

Of a state are compared the facts, the version, and what it remembers to have given out. What it remembers of rows that
were taken back, and of records that wait no more, is history that no log gives: it is left aside.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, TypeVar, get_args

import msgspec

from domain.care.fold import Person
from streams.versions import epoch_in

Where = Literal["changelog", "store"]
StateSort = Literal["missing", "extra", "unreadable", "facts", "version", "former", "out", "waits"]
STATE_SORTS: Final[tuple[StateSort, ...]] = get_args(StateSort)

K = TypeVar("K")
V = TypeVar("V")
_decode = msgspec.msgpack.Decoder(Person).decode


class StateDifference(NamedTuple):
    """One state that is not as the log yields. ``client``: a pseudonym, it stays in memory."""

    where: Where
    partition: int
    client: bytes
    sort: StateSort


def differs(wanted: Person | None, top: int, packed: bytes | None) -> list[StateSort]:
    """How a packed state differs from the one that the log yields; ``top``: the highest version of its events."""
    if wanted is None or packed is None:
        return ["missing"] if wanted is not None else ["extra"] if packed is not None else []
    try:
        state = _decode(packed)
    except msgspec.DecodeError:
        return ["unreadable"]
    found: list[StateSort] = []
    if state.facts != wanted.facts:
        found.append("facts")
    if state.version > top or state.version < 0:
        found.append("version")
    if state.definitions not in {"", wanted.definitions}:
        return [*found, "former"]  # the rest follows from that
    if _standing(state.out) != _standing(wanted.out):
        found.append("out")
    if _standing(state.wacht) != _standing(wanted.wacht) or _standing(state.remarks) != _standing(wanted.remarks):
        found.append("waits")
    return found


def void(packed: bytes, epoch: int) -> bool:
    """Whether a state was made under a lower epoch: it is of a former log, and its stage takes it for nothing."""
    try:
        return epoch_in(_decode(packed).version) < epoch
    except msgspec.DecodeError:
        return False


def _standing(remembered: Mapping[K, V]) -> dict[K, V]:
    """Without what was taken back, or waits no more, or breaks a rule no more."""
    return {key: value for key, value in remembered.items() if value}


def beside(
    store: Mapping[bytes, bytes], level: int, changelog: Mapping[bytes, tuple[int, bytes | None]]
) -> dict[bytes, StateSort]:
    """Where a store differs from its changelog (key -> offset and value of its last record), client by client.

    ``level``: the offset of the changelog that the store is level with. What came behind it is still on its way.
    """
    found: dict[bytes, StateSort] = {}
    for client, (offset, value) in changelog.items():
        there = store.get(client)
        if offset <= level and there != value:
            found[client] = "missing" if there is None else "extra" if value is None else "facts"
    for client in store.keys() - changelog.keys():
        found[client] = "extra"
    return found


@dataclass
class StateFinding:
    """The comparison of the states in one place: how many were compared, and how many differ, by sort and partition."""

    where: str
    compared: int = 0
    differences: dict[str, int] = field(default_factory=dict)
    partitions: list[int] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        """No state differs."""
        return not self.differences

    def take(self, differences: list[StateDifference]) -> None:
        """Add what was found in this place."""
        seen = Counter(self.differences)
        seen.update(one.sort for one in differences)
        self.differences = dict(seen)
        self.partitions = sorted({*self.partitions, *(one.partition for one in differences)})
