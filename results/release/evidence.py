"""What the gate is given: every figure that was ever shown and what the third party knows of the rows behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from results.gate.known import Hidden, Joint, Rows
from results.release.build import Stated, figures_of
from results.release.counted import FAMILIES, FAMILY_OF, Family
from results.release.cube import Cell
from results.release.model import Figure, Shown
from results.release.noise import as_ids, group_digest, noise
from results.release.restating import added
from results.release.rows import MARK_AT, Ints
from results.release.rules import RULES, Rules, mean, share

_LARGEST: Final = 2**63 - 1
#: An odd number, to make another id of a row that said something else before.
_MIX: Final = 0x1E37_79B9_7F4A_7C15


class Evidence(NamedTuple):
    """Figures in an order that their places in a verdict refer to, and what is known of the rows."""

    figures: list[Figure]
    rows: Rows
    joints: tuple[Joint, ...]


class _Remembered:
    """The value that each row of a family has in the newest figures, to tell those apart that said something else."""

    def __init__(self, newest_first: Sequence[Stated]) -> None:
        ids = np.concatenate([as_ids([]), *(one.cell.ids for one in newest_first)])
        values = np.concatenate([as_ids([]), *(one.cell.values for one in newest_first)])
        self._ids, first = np.unique(ids, return_index=True)
        self._values = values[first]

    def ids(self, cell: Cell) -> Ints:
        """The ids of its rows; of a row that said something else then, an id of its own."""
        now = self._values[np.searchsorted(self._ids, cell.ids)]
        other = (cell.ids ^ (cell.values.astype(np.int64) + 1) * _MIX) & _LARGEST
        return np.where(now == cell.values, cell.ids, other)


def evidence(newest: Iterable[Stated], before: Iterable[Stated]) -> Evidence:
    """``newest``: what the release says that is audited; ``before``: all that was shown, each once as it was made."""
    made = {(one.key, one.made_in): one for one in (*before, *newest) if one.seen}
    together: dict[str, list[Stated]] = {}
    for one in sorted(made.values(), key=lambda one: -one.made_in):
        together.setdefault(one.cell.family, []).append(one)
    figures: list[Figure] = []
    outcomes: dict[str, dict[int, int]] = {}
    clients: dict[int, str] = {}
    providers: dict[int, str] = {}
    for family, mine in together.items():
        remembered = _Remembered(mine)
        for one in mine:
            ids = remembered.ids(one.cell).tolist()
            clients.update(zip(ids, map(str, one.cell.emmers.tolist()), strict=True))
            providers.update(zip(ids, map(str, one.cell.providers.tolist()), strict=True))
            figures.extend(figures_of(one, tuple(sorted(ids))))
            for at, outcome in enumerate(FAMILIES[family].outcomes):
                adds = added(one.cell, FAMILIES[family].outcomes, at).tolist()
                outcomes.setdefault(outcome.key, {}).update(zip(ids, adds, strict=True))
    return Evidence(figures, Rows(outcomes, clients, providers), tuple(joints()))


def joints() -> Iterator[Joint]:
    """Outcomes of the same rows that hang together: what each kind of row adds to each of them."""
    for prefix in ("", "cbs_"):
        marks = [FAMILIES[f"{prefix}nut"], FAMILIES[f"{prefix}nut_cijfers"]]
        yield Joint(f"{prefix}nut", {key: adds for family in marks for key, adds in _marks(family, prefix)})
        options: dict[str, tuple[int, ...]] = {f"{prefix}zonder_hulp": (0, 0, 1, 1)}
        options |= {f"{prefix}zonder_hulp_{at}": _only(at - 1, 4) for at in range(1, 5)}
        yield Joint(f"{prefix}zonder_hulp", options)
    for name in ("uitval", "cbs_uitval"):
        total, *reasons = (outcome.key for outcome in FAMILIES[name].outcomes)
        ways = len(reasons) + 1
        adds: dict[str, tuple[int, ...]] = {total: (0, *(1 for _ in reasons))}
        yield Joint(name, adds | {key: _only(at + 1, ways) for at, key in enumerate(reasons)})
    yield Joint("gas", {"gas_bereikt": (0, 0, 1), "gas_deels": (0, 1, 1)})
    for who in ("behandelaar", "ouder", "client"):
        keys = [f"probleem_{who}_{value}" for value in (1, 2, 3)]
        yield Joint(f"probleem_{who}", {key: _only(at, 3) for at, key in enumerate(keys)})


def _only(at: int, ways: int) -> tuple[int, ...]:
    return tuple(int(way == at) for way in range(ways))


def _marks(family: Family, prefix: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    bands = {"laag": range(1, 5), "midden": range(5, 8), "hoog": range(8, 11)}
    for outcome in family.outcomes:
        name = outcome.key.removeprefix(f"{prefix}nut_")
        which = bands.get(name) or (range(1, 11) if outcome.column else range(int(name), int(name) + 1))
        yield outcome.key, tuple((mark if outcome.column else 1) * (mark in which) for mark in range(1, 11))


def hidden(cells: Iterable[Cell]) -> list[Hidden]:
    """Groups that no figure shows, as the gate asks of them; one outcome of a family is enough."""
    return [
        Hidden(cell.group, FAMILIES[cell.family].outcomes[0].key, tuple(cell.ids.tolist()))
        for cell in cells
        if cell.family != "nut_cijfers"
    ]


def remake(key: bytes, version: int, rules: Rules = RULES) -> Callable[[Figure, int], Shown]:
    """What the release shows of a figure whose true numerator is given, worked out anew."""

    def shown(figure: Figure, numerator: int) -> Shown:
        family = FAMILY_OF[figure.indicator]
        counted = len(figure.members)
        outcome = next(one for one in family.outcomes if one.key == figure.indicator)
        left_out = figure.shown.uitgesloten
        if outcome.column:
            return mean(counted, numerator, left_out, rules).shown
        drawn = noise(key, version, figure.indicator, group_digest(as_ids(figure.members)), rules)
        return share(counted, numerator, left_out, drawn, rules).shown

    return shown


def places_of(figures: Sequence[Figure], places: Iterable[int]) -> set[tuple[Any, str]]:
    """Group and indicator of the figures that a verdict names by their places."""
    return {(figures[place].group, figures[place].indicator) for place in places}


assert max(len(family.outcomes) for family in FAMILIES.values()) < MARK_AT  # noqa: S101 - bits would run into the mark
