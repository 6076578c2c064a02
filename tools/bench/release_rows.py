"""Rows of the shape of the region, and a release built from them month after month: what the gate is timed on.

60,000 ended trajecten in 36 months, 13 municipalities in four clusters (Amsterdam more than half) and Almere apart,
some 267 providers, stops that arrive late, 1.5 % corrected and 0.7 % removed. Made up from shares; one
seed gives one world.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from results.release.model import Figure, Form, Group, PeriodKind, Shown

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
MUNICIPALITIES: Final = (
    ("0363", "Amsterdam", 0.52), ("0479", "Zaanstreek-Waterland", 0.13), ("0439", "Zaanstreek-Waterland", 0.085),
    ("0362", "Amstelveen-Aalsmeer", 0.06), ("0385", "Zaanstreek-Waterland", 0.03), ("0451", "DUO", 0.026),
    ("0384", "DUO", 0.025), ("0358", "Amstelveen-Aalsmeer", 0.024), ("0852", "Zaanstreek-Waterland", 0.014),
    ("0880", "Zaanstreek-Waterland", 0.013), ("0437", "DUO", 0.011), ("0415", "Zaanstreek-Waterland", 0.008),
    ("0431", "Zaanstreek-Waterland", 0.007), ("0034", "Almere", 0.172),
)  # fmt: skip
#: Codes of the municipalities, by their number in ``World.gemeente``.
CODES: Final = tuple(place[0] for place in MUNICIPALITIES)
CLUSTERS: Final = ("Amsterdam", "Amstelveen-Aalsmeer", "DUO", "Zaanstreek-Waterland", "Almere")
_PROVIDERS: Final = 300
_DAYS: Final = 1096
_NEVER: Final = 10**6
#: Reasons of an end, as classes of uitval and of what is none.
REASONS: Final = ("gepland", "client", "aanbieder", "wederzijds")


class World(NamedTuple):
    """One entry per row in each array. ``since`` and ``until``: days on which a row is known.

    ``number``: of the traject; a corrected row and the one before share it. ``day`` of the end, from 0.
    """

    gemeente: Ints
    cluster: Ints
    aanbieder: Ints
    categorie: Ints
    leeftijd: Ints
    geslacht: Ints
    client: Ints
    month: Ints
    since: Ints
    until: Ints
    reason: Ints
    mark: Ints
    number: Ints
    day: Ints

    def taken(self, rows: Ints | Flags) -> World:
        """Some rows."""
        return World(*(column[rows] for column in self))


class Cut(NamedTuple):
    """Which columns make groups, and whether months and quarters carry them."""

    columns: tuple[str, ...]
    months: bool = False


CUTS: Final = tuple(
    Cut((place, *columns), months=not columns)
    for place in ("gemeente", "cluster")
    for columns in ((), ("aanbieder",), ("categorie",), ("leeftijd",), ("geslacht",), ("leeftijd", "geslacht"))
) + tuple(Cut(("cluster", "aanbieder", column)) for column in ("leeftijd", "geslacht", "categorie"))


def _places(rng: np.random.Generator, scale: float) -> tuple[Ints, Ints]:
    """Municipality and provider of each row; providers are at home in one cluster, large ones in more."""
    share = np.array([place[2] for place in MUNICIPALITIES])
    share[:13] /= share[:13].sum() / (51 / 60)
    share[13] = 9 / 60
    gemeente = rng.choice(14, int(60_000 * scale), p=share / share.sum())
    weight = rng.lognormal(0, 1.6, _PROVIDERS)
    presence = np.zeros((_PROVIDERS, 5))
    presence[np.arange(_PROVIDERS), rng.choice(5, _PROVIDERS, p=[0.48, 0.08, 0.07, 0.22, 0.15])] = 1
    for place in range(5):
        there = rng.random(_PROVIDERS) < np.clip(weight / 25, 0.04, 0.9)
        presence[:, place] += there * rng.uniform(0.1, 0.6, _PROVIDERS) * (presence[:, place] == 0)
    aanbieder = np.empty(len(gemeente), np.int64)
    for number, (_, cluster, _) in enumerate(MUNICIPALITIES):
        here = gemeente == number
        local = presence[:, CLUSTERS.index(cluster)] * weight * rng.lognormal(0, 0.5, _PROVIDERS)
        aanbieder[here] = rng.choice(_PROVIDERS, int(here.sum()), p=local / local.sum())
    return gemeente, aanbieder


def _clients(rng: np.random.Generator, gemeente: Ints) -> Ints:
    """1.3 trajecten of a client within three years, in one municipality."""
    client = np.arange(len(gemeente))
    for number in range(14):
        here = rng.permutation(np.flatnonzero(gemeente == number))
        again = int(len(here) * 0.24)
        if again:
            client[here[:again]] = client[rng.choice(here[again:], again)]
    return client


def make(seed: int = 7, scale: float = 1.0) -> World:
    """The rows; a corrected row is two: the one before, with another reason, and the one after."""
    rng = np.random.default_rng(seed)
    gemeente, aanbieder = _places(rng, scale)
    count = len(gemeente)
    weights = np.array([34, 16, 10, 12, 6, 5, 6, 3, 2, 1.5, 1.2, 0.8, 0.7, 0.5, 0.4, 0.3, 0.3, 0.1, 0.1, 0.06, 0.04])
    own = np.array([rng.dirichlet(weights / weights.sum() * 3 + 0.002) for _ in range(_PROVIDERS)])
    categorie = (own.cumsum(axis=1)[aanbieder] < rng.random((count, 1))).sum(axis=1)
    leeftijd, geslacht = rng.choice(4, count, p=[0.12, 0.38, 0.31, 0.19]), rng.choice(3, count, p=[0.545, 0.445, 0.01])
    day = rng.integers(0, _DAYS, count)
    rate = np.clip(rng.normal(0.20, 0.09, _PROVIDERS), 0.03, 0.55)[aanbieder] + 0.06 * (leeftijd == 3)
    stopped = rng.random(count) < np.clip(rate - 0.04 * (leeftijd == 0), 0.01, 0.7)
    reason = np.where(stopped, rng.choice([1, 2, 3], count, p=[0.4, 0.13, 0.47]), 0)
    mark = np.clip(np.rint(rng.normal(8.0 - 1.6 * stopped, 1.6)), 1, 10).astype(np.int64)
    late = np.minimum(np.rint(rng.lognormal(2.0, 1.15, count)), 500).astype(np.int64)
    later = day + late + np.rint(rng.exponential(60, count)).astype(np.int64) + 1
    corrected, removed = rng.random(count) < 0.015, rng.random(count) < 0.007
    until = np.where(corrected | removed, later, _NEVER)
    cluster = np.array([CLUSTERS.index(place[1]) for place in MUNICIPALITIES])[gemeente]
    world = World(
        gemeente, cluster, aanbieder, categorie, leeftijd, geslacht, _clients(rng, gemeente),
        np.minimum(day * 12 // 365, 35), day + late, until, reason, mark, np.arange(count), day,
    )  # fmt: skip
    after = world.taken(corrected & ~removed)
    after = after._replace(
        since=later[corrected & ~removed],
        until=np.full(len(after.month), _NEVER),
        reason=np.where(after.reason > 0, 0, rng.choice([1, 2, 3], len(after.month))),
    )
    return World(*(np.concatenate(pair) for pair in zip(world, after, strict=True)))


class Rules(NamedTuple):
    """How figures are made; a plant changes one. ``noise``: half width, or None = exact."""

    noise: int | None = 2
    smallest_group: int = 10
    smallest_denominator: int = 20
    smallest_change: int = 10
    smallest_remainder: int = 10
    sibling: bool = False


PROPOSED: Final = Rules()


def rounded(value: int) -> int:
    """To the nearest five."""
    return 5 * ((value + 2) // 5)


def noise_of(indicator: str, members: Ints, width: int) -> int:
    """The same group has the same noise."""
    text = b"made up" + indicator.encode() + members.astype(np.int64).tobytes()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") % (2 * width + 1) - width


def shown(indicator: str, members: Ints, true: int, rules: Rules = PROPOSED) -> tuple[Shown, int, int]:
    """What is shown of a numerator, and the interval that a reader has."""
    count = len(members)
    if rules.noise is None:
        return Shown(count, true, "=", None, None, 0), true, true
    teller = max(0, rounded(true + noise_of(indicator, members, rules.noise) if rules.noise else true))
    reach = 2 + rules.noise
    low, high = max(0, teller - reach), min(count, teller + reach)
    form: Form = "="
    if low == 0:
        teller, form = 5, "<="
        high = max(high, min(count, 5))
    elif high == count:
        teller, form = rounded(count) - 5, ">="
        low = min(low, max(0, teller))
    percentage = round(100 * min(teller / rounded(count), 1)) if count >= 20 and form == "=" else None
    return Shown(rounded(count), teller, form, percentage, None, 0), low, high


def periods(first: int, last: int) -> Iterator[tuple[PeriodKind, str, int, int]]:
    """Kind, name, first month and the month after the last, of every period between two months."""
    for month in range(first, last):
        yield "maand", f"{2024 + month // 12}-{month % 12 + 1:02d}", month, month + 1
    for month in range(first, last, 3):
        yield "kwartaal", f"{2024 + month // 12}-K{month % 12 // 3 + 1}", month, month + 3
    for end in range(first + 12, last + 1, 3):
        yield "vier_kwartalen", f"{2024 + (end - 1) // 12}-K{(end - 1) % 12 // 3 + 1}", end - 12, end


def releases(
    world: World,
    rows: Ints,
    indicators: dict[str, Ints],
    *,
    first: int = 12,
    last: int = 30,
    rules: Rules = PROPOSED,
    until: int | None = None,
) -> list[Figure]:
    """The figures of every monthly release over the ends of some months; ``rows``: ids in the denominator.

    ``indicators``: what each row of the world adds to a numerator.
    """  # fmt: skip
    part = world.taken(rows)
    groups = list(_groups(part, rows, list(periods(first, last))))
    stop = until if until is not None else last + 13
    current: dict[Group, Ints] = {}
    found: list[Figure] = []
    for number, day in enumerate(np.arange(first * 30.4 + 30, stop * 30.4, 30.4), start=1):
        known = (world.since <= day) & (world.until > day)
        fresh = dict(_fresh(world, groups, known, current, day, rules))
        for group in _nested(world, {**current, **fresh}, fresh, rules):
            del fresh[group]
        current.update(fresh)
        found += _figures(number, fresh, indicators, rules)
    return found


def _groups(part: World, rows: Ints, wanted: Sequence[tuple[PeriodKind, str, int, int]]) -> Iterator[
    tuple[Group, Ints, int]
]:  # fmt: skip
    """Every group of every cut and period: its name, its rows, and the month after its last."""
    for cut in CUTS:
        columns = np.stack([getattr(part, column) for column in cut.columns])
        order = np.lexsort(columns)
        starts = np.flatnonzero(np.any(np.diff(columns[:, order], prepend=-1), axis=0))
        for begin, end in pairwise([*starts, len(order)]):
            own = order[begin:end]
            named = {name: _value(part, name, int(own[0])) for name in cut.columns}
            named["cluster"] = CLUSTERS[int(part.cluster[own[0]])]
            for kind, name, since, until in wanted:
                fine = len(cut.columns) > 2 and "aanbieder" in cut.columns
                if (kind == "maand" and not cut.months) or (kind == "kwartaal" and fine):
                    continue
                inside = own[(part.month[own] >= since) & (part.month[own] < until)]
                if len(inside) >= 20:
                    yield Group("_".join(cut.columns), kind, name, **named), np.sort(rows[inside]), until


def _value(part: World, column: str, row: int) -> str:
    number = int(getattr(part, column)[row])
    if column == "gemeente":
        return MUNICIPALITIES[number][0]
    return CLUSTERS[number] if column == "cluster" else str(number)


def _fresh(
    world: World, groups: Sequence[tuple[Group, Ints, int]], known: Flags, current: dict[Group, Ints], day: float,
    rules: Rules,
) -> Iterator[tuple[Group, Ints]]:  # fmt: skip
    """Groups that are shown for the first time, or in which enough clients changed."""
    for group, rows, until in groups:
        if not until * 30.44 + 14 <= day <= until * 30.44 + 394:
            continue
        now = rows[known[rows]]
        if len(now) < rules.smallest_denominator or len(np.unique(world.client[now])) < rules.smallest_group:
            continue
        before = current.get(group)
        if before is not None:
            changed = np.setxor1d(now, before, assume_unique=True)
            if not len(changed) or len(np.unique(world.client[changed])) < rules.smallest_change:
                continue
        yield group, now


def _nested(world: World, all_: dict[Group, Ints], fresh: dict[Group, Ints], rules: Rules) -> set[Group]:
    """The smaller of two groups of one period with few clients between them, where it is fresh."""
    if not rules.smallest_remainder:
        return set()
    by_period: dict[tuple[str, str], list[tuple[Group, Ints]]] = {}
    for group, rows in all_.items():
        by_period.setdefault((group.periode_soort, group.periode), []).append((group, rows))
    out = set()
    for group, rows in fresh.items():
        for other, others in by_period[group.periode_soort, group.periode]:
            if other == group or abs(len(others) - len(rows)) > 40:
                continue
            small, large = (rows, others) if len(rows) <= len(others) else (others, rows)
            if len(np.setdiff1d(small, large, assume_unique=True)):
                continue
            rest = np.setdiff1d(large, small, assume_unique=True)
            if 0 < len(np.unique(world.client[rest])) < rules.smallest_remainder:
                out.add(group if len(rows) <= len(others) or other not in fresh else other)
    return out


def _figures(release: int, groups: dict[Group, Ints], indicators: dict[str, Ints], rules: Rules) -> Iterator[Figure]:
    for group, rows in groups.items():
        members = tuple(rows.tolist())
        for indicator, adds in indicators.items():
            what, low, high = shown(indicator, rows, int(adds[rows].sum()), rules)
            yield Figure(release, group, indicator, audiences(group), members, low, high, what)


def audiences(group: Group) -> frozenset[str]:
    """Who sees a group: its municipality, all municipalities, contract managers, providers."""
    if group.gemeente:
        own = {f"rel_g{group.gemeente}", f"rel_c_{group.cluster}"}
        return frozenset(own if group.aanbieder else own | {"rel_vergelijking"})
    if group.aanbieder:
        return frozenset({f"rel_c_{group.cluster}"})
    return frozenset({f"rel_c_{group.cluster}", f"rel_gem_{group.cluster}", "rel_vergelijking"})
