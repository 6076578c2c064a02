"""Small worlds for the gate: rows with an outcome, groups of them, and what a release shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from results.gate.known import PROPOSED, Limits, Rows
from results.release.model import Figure, Group, PeriodKind, Shown
from tools.bench.release_rows import Rules, rounded, shown

INDICATOR = "uitval"
RULES = Rules()
#: Few steps: the worlds are small.
QUICK: Limits = PROPOSED._replace(walk_steps=400_000, chain_steps=200_000, seconds=20.0)


def group(
    name: str = "cluster", *, periode_soort: PeriodKind = "kwartaal", periode: str = "2026-K3", **columns: str
) -> Group:
    """A group of the cluster DUO."""
    return Group(name, periode_soort, periode, **{"cluster": "DUO", **columns})


def figure(
    who: Group, members: Iterable[int], outcomes: Mapping[int, int], *, release: int = 1, rules: Rules = RULES,
    indicator: str = INDICATOR, audiences: Iterable[str] = ("rel_c_duo",),
) -> Figure:  # fmt: skip
    """What a release with these rules shows of a group."""
    rows = np.array(sorted(members), np.int64)
    what, low, high = shown(indicator, rows, sum(outcomes[row] for row in rows.tolist()), rules)
    return Figure(release, who, indicator, frozenset(audiences), tuple(rows.tolist()), low, high, what)


def exactly(who: Group, members: Iterable[int], outcomes: Mapping[int, int], *, release: int = 1) -> Figure:
    """The exact numerator, beside a rounded denominator."""
    rows = tuple(sorted(members))
    true = sum(outcomes[row] for row in rows)
    what = Shown(rounded(len(rows)), true, "=", None, None, 0)
    return Figure(release, who, INDICATOR, frozenset({"rel_c_duo"}), rows, true, true, what)


def outcomes(count: int, *, share: float = 0.3, seed: int = 1) -> dict[int, int]:
    """Row -> 0 or 1."""
    drawn = np.random.default_rng(seed).random(count) < share
    return dict(enumerate(drawn.astype(int).tolist()))


def known(values: Mapping[int, int], *, providers: Mapping[int, str] | None = None) -> Rows:
    """The rows of one indicator, each of a client of its own."""
    return Rows({INDICATOR: values}, {}, providers or {})


def remake(what: Figure, true: int) -> Shown:
    """What the release shows: noise of the whole group."""
    return shown(what.indicator, np.array(what.members, np.int64), true, RULES)[0]
