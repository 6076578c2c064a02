"""A release of a day in memory: groups, what stands of the release before, the rules, and what is seen of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final, Literal, NamedTuple

import numpy as np

from results.release.averages import Providers
from results.release.counted import FAMILIES
from results.release.cube import Cell, cells
from results.release.cuts import CUTS, audiences, average_of
from results.release.model import Figure, Group, Status
from results.release.noise import group_digest, noise
from results.release.periods import period_of, status
from results.release.remainders import Remainder, remainders
from results.release.restating import Former, Key, added, choice
from results.release.rows import CareRows
from results.release.rules import RULES, Rules, Seen, mean, share

#: Why nothing is seen of a family of a group; empty: its figures are. ``poort``: the gate withholds it.
Hidden = Literal["", "genest", "rest", "poort"]
_MARKS: Final = (1, 10)


class Stated(NamedTuple):
    """A family of one group in a release. ``made_in``: the release that these figures first stood in.

    ``seen``: by outcome; empty where the group is left out (``hidden`` says why). ``audiences``: by outcome.
    """

    cell: Cell
    made_in: int
    status: Status
    version: int
    seen: Mapping[str, Seen]
    audiences: Mapping[str, frozenset[str]]
    hidden: Hidden = ""

    @property
    def key(self) -> Key:
        """Group and family."""
        return self.cell.group, self.cell.family


class Release(NamedTuple):
    """A release: its number, the day that it is of, the version of the definitions, and what it states."""

    number: int
    day: date
    version: int
    stated: tuple[Stated, ...]


def build(
    tables: Iterable[CareRows],
    on: date,
    key: bytes,
    *,
    number: int = 1,
    version: int = 0,
    former: Sequence[Former] = (),
    rules: Rules = RULES,
) -> Release:
    """The release of a day. ``key`` is that of the noise; ``former``: what every group was last shown with.

    ``version``: of the definitions that the rows were made by; periods of another version stand as they are.
    """
    tables = list(tables)
    fresh = {(cell.group, cell.family): cell for rows in tables for cell in cells(rows, on, rules)}
    before = {one.key: one for one in former}
    stands = renewed(former, tables)
    found = list(_decided(fresh, before, on, key, number, version, rules, stands=stands))
    shown = [at for at, one in enumerate(found) if one.seen and not one.hidden]
    out = remainders([found[at].cell for at in shown], rules)
    for position, why in out.items():
        found[shown[position]] = _left_out(found[shown[position]], why)
    return Release(number, on, version, tuple(sorted(found, key=lambda one: one.key)))


def renewed(former: Sequence[Former], tables: Sequence[CareRows]) -> bool:
    """Whether most rows behind what was shown are gone: stored names were renewed, and every row has another number.

    Nothing can be compared then: what was shown stands, and is not shown again with another noise.
    """
    newest = max((one.made_in for one in former), default=0)
    ids = [one.cell.ids for one in former if one.made_in == newest]
    if not ids:
        return False
    before = np.unique(np.concatenate(ids))
    now = np.concatenate([rows.ids for rows in tables])
    return bool(2 * np.isin(before, now).sum() < len(before))


def _decided(
    fresh: Mapping[Key, Cell],
    before: Mapping[Key, Former],
    on: date,
    key: bytes,
    number: int,
    version: int,
    rules: Rules,
    *,
    stands: bool,
) -> Iterator[Stated]:
    periods = {(one.cell.family, *one.cell.group[1:3]): one for one in before.values()}
    for name in {**before, **fresh}:
        was, now = before.get(name), fresh.get(name)
        group, family = name
        of_period = periods.get((family, *group[1:3]))
        final = of_period is not None and (of_period.version != version or of_period.status == "definitief")
        closed = final or (stands and of_period is not None)
        if was is not None and (closed or choice(was, now, rules) == "stands"):
            if not was.withdrawn or not closed:
                yield _standing(was, on, rules)
        elif now is not None and not closed and (was is None or choice(was, now, rules) == "anew"):
            shown_before = of_period is not None
            yield _anew(now, on, key, number, version, rules, shown_before=shown_before)


def _standing(was: Former, on: date, rules: Rules) -> Stated:
    group = was.cell.group
    now = status(period_of(group.periode_soort, group.periode), on, shown_before=True, rules=rules)
    return Stated(was.cell, was.made_in, now, was.version, was.seen, was.audiences)


def _anew(cell: Cell, on: date, key: bytes, number: int, version: int, rules: Rules, *, shown_before: bool) -> Stated:
    group = cell.group
    now = status(period_of(group.periode_soort, group.periode), on, shown_before=shown_before, rules=rules)
    seen = dict(figures(cell, key, version, rules))
    sees = audiences_of(cell, seen, rules)
    return Stated(cell, number, now, version, seen, sees)


def _left_out(one: Stated, why: Remainder | Literal["poort"]) -> Stated:
    return one._replace(seen={}, audiences={}, hidden=why)


def figures(cell: Cell, key: bytes, version: int, rules: Rules = RULES) -> Iterator[tuple[str, Seen]]:
    """What is seen of each outcome of a family."""
    family = FAMILIES[cell.family]
    counted, digest = len(cell.ids), group_digest(cell.ids)
    for at, outcome in enumerate(family.outcomes):
        total = int(added(cell, family.outcomes, at).sum())
        if outcome.column:
            yield outcome.key, mean(counted, total, cell.excluded, rules)
        else:
            moved = noise(key, version, outcome.key, digest, rules)
            yield outcome.key, share(counted, total, cell.excluded, moved, rules)


def audiences_of(cell: Cell, seen: Mapping[str, Seen], rules: Rules = RULES) -> dict[str, frozenset[str]]:
    """Who sees each outcome: providers see an average of their cluster only where it says nothing of one of them."""
    everyone, average = audiences(cell.group), average_of(cell.group)
    if not average:
        return dict.fromkeys(seen, everyone)
    providers, outcomes = Providers(cell, rules), FAMILIES[cell.family].outcomes
    if not providers.may_show():
        return dict.fromkeys(seen, everyone - {average})
    found = {}
    for at, outcome in enumerate(outcomes):
        lowest, highest = _MARKS if outcome.column else (0, 1)
        room = providers.leaves_room(seen[outcome.key], added(cell, outcomes, at), lowest, highest)
        found[outcome.key] = everyone if room else everyone - {average}
    return found


def as_figures(release: Release) -> Iterator[Figure]:
    """Every figure of a release, with the rows behind it."""
    for one in release.stated:
        yield from figures_of(one, tuple(one.cell.ids.tolist()))


def figures_of(one: Stated, members: tuple[int, ...]) -> Iterator[Figure]:
    """The figures of one family of a group; they share their members."""
    means = {outcome.key for outcome in FAMILIES[one.cell.family].outcomes if outcome.column}
    for key, seen in one.seen.items():
        lowest, highest = _MARKS if key in means else (0, 1)
        yield Figure(
            one.made_in, one.cell.group, key, one.audiences[key], members, seen.low, seen.high, seen.shown, lowest,
            highest,
        )  # fmt: skip


def without(release: Release, withheld: Iterable[tuple[Group, str]]) -> Release:
    """The release without figures that the gate withholds, by group and indicator. A family goes as a whole: what is
    left of outcomes that add up to one would say what is gone.
    """
    gone = set(withheld)
    stated = tuple(
        _left_out(one, "poort") if any((one.cell.group, key) in gone for key in one.seen) else one
        for one in release.stated
    )
    return release._replace(stated=stated)


def second_filters(release: Release) -> frozenset[Group]:
    """Groups with a second filter: what is withheld first where the gate does not pass."""
    return frozenset(one.cell.group for one in release.stated if CUTS[one.cell.group.snede].second)
