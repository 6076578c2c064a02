"""Providers as readers: the averages of their cluster, with their own rows known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np

from results.gate.blocks import Block
from results.gate.known import Limits, Rows, View
from results.gate.prove import Proof, prove_table
from results.gate.table import Cell, Ints, build

#: Providers that are also taken two at a time.
_LARGEST = 3
#: A view has few classes: a short walk opens them.
_STEPS = 400_000


class Own(dict[str, Ints]):
    """Provider -> its rows in a block, the provider with most rows first."""


def own_rows(block: Block, rows: Rows) -> Own:
    """Whose rows stand in a block."""
    ids = np.unique(np.concatenate([cell.members for cell in block.cells]))
    names = np.array([rows.providers.get(row, "") for row in ids.tolist()])
    order = np.argsort(names, kind="stable")
    found, starts = np.unique(names[order], return_index=True)
    parts = dict(zip(found.tolist(), np.split(ids[order], starts[1:]), strict=True))
    parts.pop("", None)
    return Own(sorted(parts.items(), key=lambda part: (-len(part[1]), part[0])))


def views_of(own: Own) -> Iterator[View]:
    """Each provider of a block by itself, and pairs of the largest."""
    for provider in own:
        yield View(provider, frozenset({provider}))
    for pair in combinations(list(own)[:_LARGEST], 2):
        yield View(" + ".join(pair), frozenset(pair))


def seen_by(view: View, block: Block, own: Own, outcomes: Mapping[str, Mapping[int, int]]) -> Block:
    """The block without the rows that the reader knows: what its figures say of the others."""
    known = np.sort(np.concatenate([own[name] for name in view.providers if name in own] or [np.zeros(0, np.int64)]))
    values = outcomes.get(block.cells[0].indicator, {})
    added = np.array([values.get(row, block.cells[0].least) for row in known.tolist()], np.int64)
    return block._replace(name=view.name, cells=tuple(_rest(block.cells, known, added)))


def _rest(cells: Sequence[Cell], known: Ints, added: Ints) -> Iterator[Cell]:
    for cell in cells:
        if not len(known):
            yield cell
            continue
        place = np.minimum(np.searchsorted(known, cell.members), len(known) - 1)
        mine = known[place] == cell.members
        others = cell.members[~mine]
        if len(others):
            sum_ = int(added[place[mine]].sum())
            low, high = max(cell.low - sum_, len(others) * cell.least), min(cell.high - sum_, len(others) * cell.most)
            yield cell._replace(members=others, low=low, high=high)


def forced_for(
    block: Block, views: Sequence[View] | None, rows: Rows, limits: Limits, left: Callable[[], float]
) -> Iterator[Proof]:
    """The proofs of readers for whom something is certain, or not finished; the block's cells must all be of theirs."""
    own = own_rows(block, rows)
    short = limits._replace(walk_steps=min(limits.walk_steps, _STEPS), walk_first=True)
    for view in views_of(own) if views is None else views:
        seen = seen_by(view, block, own, rows.outcomes)
        if seen.cells:
            proof = prove_table(seen, build(seen.cells, rows.outcomes), short, left)
            if not proof.clean:
                yield proof
