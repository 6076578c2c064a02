"""Groups within groups: what is left of a larger one may not be a few clients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from results.gate.blocks import newest
from results.gate.structure import Finding, Structure, most_rows_of_a_client
from results.gate.table import Flags, Ints


def nested(structure: Structure, *, sibling: bool) -> Iterator[Finding]:
    """Of two groups of one period with few clients between them, and of a group with few left after its parts.

    To be withheld is the smaller one, or the other when the smaller was shown before. ``sibling``: also what is left of
    a group after all of its parts of one cut.
    """
    most, seen = most_rows_of_a_client(structure), dict[tuple[bytes, ...], list[tuple[str, int, int]]]()
    last = newest(structure.figures)
    for places in _by_period(structure):
        if all(structure.figures[place].release != last for place in places):
            continue  # was audited as it stands
        key = tuple(structure.members.key(structure.figures[place].members) for place in places)
        if key not in seen:
            seen[key] = list(_few_left(structure, places, most, sibling=sibling))
        for rule, small, large in seen[key]:
            fresh = [place for place in (places[small], places[large]) if structure.figures[place].release == last]
            if fresh:
                yield Finding(rule, fresh[0])


def _by_period(structure: Structure) -> Iterator[list[int]]:
    """The last figure of each group with rows, by indicator and period."""
    current: dict[tuple[object, ...], int] = {}
    for place, figure in structure.inside():
        if figure.members and (figure.shown.teller is not None or figure.shown.gemiddelde is not None):
            current[figure.indicator, figure.group] = place
    periods: dict[tuple[object, ...], list[int]] = {}
    for place in current.values():
        figure = structure.figures[place]
        periods.setdefault((figure.indicator, figure.group.periode_soort, figure.group.periode), []).append(place)
    yield from periods.values()


def _few_left(
    structure: Structure, places: Sequence[int], most: int, *, sibling: bool
) -> Iterator[tuple[str, int, int]]:
    """Rule, number of the smaller group and of the larger, for each pair with few clients left."""
    arrays = [structure.members.array(structure.figures[place].members) for place in places]
    inside = _inside(arrays)
    sizes = inside.sum(axis=1).astype(np.int64)
    shared = np.rint(inside.astype(np.float32) @ inside.T.astype(np.float32)).astype(np.int64)
    limit = structure.limits.smallest_remainder
    left = sizes[None, :] - sizes[:, None]
    within = (shared == sizes[:, None]) & (left > 0)
    for small, large in np.argwhere(within & (left < limit * most)).tolist():
        rest = np.setdiff1d(arrays[large], arrays[small], assume_unique=True)
        if structure.clients(rest.tolist()) < limit:
            yield "genest", small, large
    if sibling:
        ids = np.unique(np.concatenate(arrays))
        for part, large, rest in _after_parts(structure, places, inside, within, limit * most):
            if structure.clients(ids[rest].tolist()) < limit:
                yield "rest", part, large


def _inside(arrays: Sequence[Ints]) -> Flags:
    """Group x row: whether the row is in the group."""
    _, rows = np.unique(np.concatenate(arrays), return_inverse=True)
    rows = rows.ravel()
    inside = np.zeros((len(arrays), int(rows.max()) + 1), bool)
    inside[np.repeat(np.arange(len(arrays)), [len(array) for array in arrays]), rows] = True
    return inside


def _after_parts(
    structure: Structure, places: Sequence[int], inside: Flags, within: Flags, limit: int
) -> Iterator[tuple[int, int, Ints]]:
    """Smallest part, group, and the rows that are left of the group after all of its parts of one cut."""
    cuts: dict[str, list[int]] = {}
    for number, place in enumerate(places):
        cuts.setdefault(structure.figures[place].group.snede, []).append(number)
    for large in range(len(places)):
        for numbers in cuts.values():
            parts = [number for number in numbers if within[number, large]]
            if len(parts) < 2:
                continue
            rest = np.flatnonzero(inside[large] & ~inside[parts].any(axis=0))
            if 0 < len(rest) < limit:
                yield min(parts, key=lambda number: int(inside[number].sum())), large, rest
