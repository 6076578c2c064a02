"""What is probable, not certain: a Markov chain over all tables that fit, with the base rate as prior.

Compiled, with a fixed seed and a bounded number of steps. A class that the chain never moved counts as probable:
that is an upper limit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numba import njit

from results.gate.table import Cell, Floats, Ints, Table
from results.gate.walk import beside, shift
from results.release.model import Figure

_NEVER = -1e18
#: Part of the steps that begin with what is aimed at.
_AIMED = 0.75


class Chances(NamedTuple):
    """Per class: how probable it is that all rows have it, and that none has; and the share of classes that moved."""

    all_have: Floats
    none_has: Floats
    moved: float


def likelihood(figure: Figure, low: int, high: int) -> Floats:
    """Logarithm of how likely the shown numerator is, for each true one in ``low``..``high``.

    Five equally likely shifts before rounding to five: a numerator at the one shown has five ways, each step away one
    less. Where nothing is known of the way it was made, all are alike.
    """
    true, shown = np.arange(low, high + 1), figure.shown
    if shown.teller is None:
        return np.zeros(len(true))
    away = {"<=": true, ">=": np.maximum(shown.noemer - true, 0), "=": np.abs(true - shown.teller)}[shown.vorm]
    return np.asarray(np.log(np.maximum(5 - away, 1)), np.float64)


@njit(cache=True, nogil=True)
def _change(variable, by, starts, index, value, change):  # type: ignore[no-untyped-def]
    for place in range(starts[variable], starts[variable + 1]):
        change[index[place]] += by * value[place]


@njit(cache=True, nogil=True)
def _gain(variable, starts, index, sums, change, low, high, ways, offsets):  # type: ignore[no-untyped-def]
    """Change of the log likelihood in the constraints of a variable; each is counted once and then marked as done."""
    total = 0.0
    for place in range(starts[variable], starts[variable + 1]):
        row = index[place]
        if change[row] == 0:
            continue
        before, after = sums[row] - low[row], sums[row] + change[row]
        if after < low[row] or after > high[row]:
            return _NEVER
        total += ways[offsets[row] + after - low[row]] - ways[offsets[row] + before]
        change[row] = 0
    return total


@njit(cache=True, nogil=True)
def _clear(variable, starts, index, change):  # type: ignore[no-untyped-def]
    for place in range(starts[variable], starts[variable + 1]):
        change[index[place]] = 0


@njit(cache=True, nogil=True)
def _prior(x, cap, sign, odds):  # type: ignore[no-untyped-def]
    """Change of the logarithm of (cap choose x) p^x by one child."""
    if sign > 0:
        return odds + np.log((cap - x) / (x + 1.0))
    return -odds + np.log(x / (cap - x + 1.0))


@njit(cache=True, nogil=True)
def _note(variable, now, x, cap, since, full, empty):  # type: ignore[no-untyped-def]
    """Add how long a variable stood at a bound, before it changes."""
    if x[variable] == cap[variable]:
        full[variable] += now - since[variable]
    if x[variable] == 0:
        empty[variable] += now - since[variable]
    since[variable] = now


@njit(cache=True, nogil=True)
def _partner(first, starts, index, row_starts, row_index, count):  # type: ignore[no-untyped-def]
    """Another variable for a swap, or -1 for a step of one child alone."""
    draw = np.random.random()
    second = -1
    if draw < 0.5 and starts[first + 1] > starts[first]:
        second = beside(first, starts, index, row_starts, row_index)
    elif draw < 0.65:
        second = np.random.randint(count)
    return -1 if second == first else second


@njit(cache=True, nogil=True)
def _chain(  # type: ignore[no-untyped-def]
    x, cap, starts, index, value, row_starts, row_index, sums, low, high, ways, offsets, odds, burn, steps, seed, full,
    empty, aimed,
):  # fmt: skip
    np.random.seed(seed)
    since, moves, change = np.zeros(len(x), np.int64), np.zeros(len(x), np.int64), np.zeros(len(sums), np.int64)
    for step in range(steps):
        if step == burn:
            since[:], full[:], empty[:] = step, 0.0, 0.0
        # What is aimed at begins most steps. How often is fixed, so that a step and the one back are as likely.
        if len(aimed) and np.random.random() < _AIMED:
            first = aimed[np.random.randint(len(aimed))]
        else:
            first = np.random.randint(len(x))
        sign = 1 if np.random.random() < 0.5 else -1
        second = _partner(first, starts, index, row_starts, row_index, len(x))
        if x[first] + sign < 0 or x[first] + sign > cap[first]:
            continue
        if second >= 0 and (x[second] - sign < 0 or x[second] - sign > cap[second]):
            continue
        _change(first, sign, starts, index, value, change)
        gain = _prior(x[first], cap[first], sign, odds)
        if second >= 0:
            _change(second, -sign, starts, index, value, change)
            gain += _prior(x[second], cap[second], -sign, odds)
            gain += _gain(second, starts, index, sums, change, low, high, ways, offsets)
        if gain > _NEVER / 2:
            gain += _gain(first, starts, index, sums, change, low, high, ways, offsets)
        _clear(first, starts, index, change)
        if second >= 0:
            _clear(second, starts, index, change)
        if np.log(np.random.random()) >= gain:
            continue
        _note(first, step, x, cap, since, full, empty)
        x[first] += sign
        moves[first] += 1
        shift(first, sign, starts, index, value, sums)
        if second >= 0:
            _note(second, step, x, cap, since, full, empty)
            x[second] -= sign
            moves[second] += 1
            shift(second, -sign, starts, index, value, sums)
    for variable in range(len(x)):
        _note(variable, steps, x, cap, since, full, empty)
    return moves


def chances(
    table: Table,
    cells: Sequence[Cell],
    figures: Mapping[int, Figure] | Sequence[Figure],
    *,
    prior: float,
    steps: int,
    seed: int = 1,
    aimed: Ints | None = None,
) -> Chances:
    """The chain from the table's ``x``, of one indicator whose rows add 0 or 1; a fifth of the steps is burnt.

    ``aimed``: variables that most steps begin with: known sooner, and no other chance than by equal steps.
    """
    ways = [
        likelihood(figures[cell.figures[0]], int(low), int(high))
        for cell, low, high in zip(cells, table.low, table.high, strict=True)
    ]
    offsets = np.concatenate(([0], np.cumsum([len(way) for way in ways])[:-1])).astype(np.int64)
    by_column = table.matrix.transposed(len(table.cap))
    full, empty = np.zeros(len(table.cap)), np.zeros(len(table.cap))
    prior = min(max(prior, 1e-3), 1 - 1e-3)
    moves: Ints = _chain(
        table.x.copy(), table.cap, by_column.starts, by_column.columns, by_column.value, table.matrix.starts,
        table.matrix.columns, table.matrix.times(table.x), table.low, table.high, np.concatenate(ways), offsets,
        float(np.log(prior / (1 - prior))), steps // 5, steps, seed, full, empty,
        np.zeros(0, np.int64) if aimed is None else aimed,
    )  # fmt: skip
    time = max(steps - steps // 5, 1)
    return Chances(full / time, empty / time, float((moves > 0).mean()))
