"""Providers as readers: the averages of their cluster, with their own rows known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from results.gate.blocks import Block
from results.gate.known import Limits, View
from results.gate.prove import Proof, prove_table
from results.gate.swaps import NONE, open_to, partners
from results.gate.table import Cell, Flags, Ints, Sparse, Table, build
from results.gate.walk import standing, walk

#: Providers that are also taken two at a time.
_LARGEST = 3
#: A view has few classes: a short walk opens them.
_STEPS = 400_000
#: Providers whose rows stand still in one walk.
_SEVERAL = 20


class Own(dict[str, Ints]):
    """Provider -> its rows in a block, the provider with most rows first."""


def own_rows(block: Block, providers: Mapping[int, str]) -> Own:
    """Whose rows stand in a block."""
    ids = np.unique(np.concatenate([cell.members for cell in block.cells]))
    names = np.array([providers.get(row, "") for row in ids.tolist()])
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


def owned(block: Block, own: Own, outcomes: Mapping[str, Mapping[int, int]]) -> Owned:
    """The block's table, parted by provider."""
    least, most = block.cells[0].least, block.cells[0].most
    parts = [Cell(block.cells[0].indicator, ids, 0, 0, least, most, (-1,)) for ids in own.values()]
    table = build([*block.cells, *parts], outcomes)
    shown, starts = len(block.cells), table.matrix.starts
    owner = np.full(len(table.cap), NONE - len(table.cap), np.int64)
    for number in range(len(parts)):
        owner[table.matrix.columns[starts[shown + number] : starts[shown + number + 1]]] = number
    end = starts[shown]
    matrix = Sparse(starts[: shown + 1], table.matrix.columns[:end], table.matrix.value[:end])
    low, high = table.low[:shown], table.high[:shown]
    return Owned(table._replace(matrix=matrix, low=low, high=high, cells=np.arange(shown)), owner, tuple(own))


def readers_of(view: View, seen: Owned) -> Ints:
    """The places of a reader's providers."""
    return np.array([number for number, name in enumerate(seen.names) if name in view.providers], np.int64)


def seen_by(readers: Ints, seen: Owned) -> Table:
    """The table of readers who know each other's rows: what they know stands still."""
    table = seen.table
    known = np.isin(seen.owner, readers)
    held = table.matrix.times(np.where(known, table.x, 0))
    return table._replace(
        cap=np.where(known, 0, table.cap), x=np.where(known, 0, table.x), low=table.low - held, high=table.high - held
    )


def _together(seen: Owned, found: Ints, limits: Limits) -> Iterator[tuple[frozenset[int], Flags]]:
    """Walks in which the rows of several providers stand still: what they open is open to each of these.

    Two ways of taking them together, so that hardly any two are together in both.
    """
    count = len(seen.names)
    parts = [range(start, min(start + _SEVERAL, count)) for start in range(0, count, _SEVERAL)]
    stride = max(len(parts), 1)
    for several in [*parts, *(range(start, count, stride) for start in range(stride))]:
        readers = np.array(several, np.int64)
        standing_still = np.isin(seen.owner, readers)[:, None]
        opened = open_to(found, readers) | standing_still
        table = seen_by(readers, seen)
        if not opened.all():
            walked = walk(table, standing(table), np.asarray(~opened.all(axis=1)), steps=limits.walk_steps, seed=1)
            opened |= np.stack(walked.open(table), axis=1)
        yield frozenset(several), np.asarray(opened & ~standing_still)


def forced_for(
    block: Block,
    views: Sequence[View] | None,
    providers: Mapping[int, str],
    outcomes: Mapping[str, Mapping[int, int]],
    limits: Limits,
    left: Callable[[], float],
) -> Iterator[Proof]:
    """The proofs of readers for whom something is certain, or not finished; the block's cells must all be of theirs."""
    own = own_rows(block, providers)
    if not own:
        return
    seen = owned(block, own, outcomes)
    found = partners(seen.table, seen.owner)
    short = limits._replace(walk_steps=min(limits.walk_steps, _STEPS), walk_first=True)
    together = list(_together(seen, found, short)) if views is None else []
    for view in views_of(own) if views is None else views:
        readers = readers_of(view, seen)
        opened = open_to(found, readers) | np.isin(seen.owner, readers)[:, None]
        for several, flags in together:
            if several.issuperset(readers.tolist()):
                opened |= flags
        if not opened.all():
            proof = prove_table(block._replace(name=view.name), seen_by(readers, seen), short, left, opened=opened)
            if not proof.clean:
                yield proof
