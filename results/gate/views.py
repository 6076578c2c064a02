"""Providers as readers: the averages of their cluster, with their own rows known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from results.gate.blocks import Block
from results.gate.known import Limits, Rows, View
from results.gate.prove import Proof, prove_table
from results.gate.swaps import NONE, open_to, partners
from results.gate.table import Cell, Ints, Sparse, Table, build

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


class Owned(NamedTuple):
    """A block with every class parted by whose rows are in it. ``owner``: of each variable, a place in ``names``."""

    table: Table
    owner: Ints
    names: tuple[str, ...]


def owned(block: Block, own: Own, rows: Rows) -> Owned:
    """The block's table, parted by provider."""
    least, most = block.cells[0].least, block.cells[0].most
    parts = [Cell(block.cells[0].indicator, ids, 0, 0, least, most, (-1,)) for ids in own.values()]
    table = build([*block.cells, *parts], rows.outcomes)
    shown, starts = len(block.cells), table.matrix.starts
    owner = np.full(len(table.cap), NONE - len(table.cap), np.int64)
    for number in range(len(parts)):
        owner[table.matrix.columns[starts[shown + number] : starts[shown + number + 1]]] = number
    end = starts[shown]
    matrix = Sparse(starts[: shown + 1], table.matrix.columns[:end], table.matrix.value[:end])
    low, high = table.low[:shown], table.high[:shown]
    return Owned(table._replace(matrix=matrix, low=low, high=high, cells=np.arange(shown)), owner, tuple(own))


def seen_by(view: View, seen: Owned) -> Table:
    """The table of a reader: what it knows stands still."""
    table = seen.table
    readers = [number for number, name in enumerate(seen.names) if name in view.providers]
    known = np.isin(seen.owner, readers)
    held = table.matrix.times(np.where(known, table.x, 0))
    return table._replace(
        cap=np.where(known, 0, table.cap), x=np.where(known, 0, table.x), low=table.low - held, high=table.high - held
    )


def forced_for(
    block: Block, views: Sequence[View] | None, rows: Rows, limits: Limits, left: Callable[[], float]
) -> Iterator[Proof]:
    """The proofs of readers for whom something is certain, or not finished; the block's cells must all be of theirs."""
    own = own_rows(block, rows)
    if not own:
        return
    seen = owned(block, own, rows)
    found = partners(seen.table, seen.owner)
    short = limits._replace(walk_steps=min(limits.walk_steps, _STEPS), walk_first=True)
    for view in views_of(own) if views is None else views:
        readers = np.array([number for number, name in enumerate(seen.names) if name in view.providers], np.int64)
        opened = open_to(found, readers) | np.isin(seen.owner, readers)[:, None]
        if not opened.all():
            proof = prove_table(block._replace(name=view.name), seen_by(view, seen), short, left, opened=opened)
            if not proof.clean:
                yield proof
