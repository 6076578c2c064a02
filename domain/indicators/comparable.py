"""Figures of a provider that are counted as a release counts them, so that its average may stand beside them.

A release counts every child once: a traject whose goals are reached for at least half, not every score. Beside the
share of scores there is no average.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from domain.indicators.build import ENDED, is_no, over_trajecten
from domain.indicators.terms import HalfOf, Indicator, Term

_HALF: Final = {
    "gas_helft_bereikt": ("gas_bereikt", "Trajecten waarvan minstens de helft van de doelen is bereikt"),
    "gas_helft_deels": ("gas_deels", "Trajecten waarvan minstens de helft van de doelen deels is bereikt"),
}
#: Own figure -> that of a release, where they are called differently; empty = a release has none that is counted so.
_RELEASED: Final = {
    **{key: released for key, (released, _) in _HALF.items()},
    **dict.fromkeys(("gas_bereikt", "gas_deels", "gas_bereikt_per_traject"), ""),
}


def _goals() -> Iterable[Indicator]:
    scored = (is_no("gas_gescoord", 0), ENDED)
    make = over_trajecten("gas", "S1, S3", "P")
    for key, (column, name) in _HALF.items():
        numerator = Term((*scored, HalfOf(column, "gas_gescoord")))
        yield make(key=key, name=name, unit="%", numerator=numerator, denominator=Term(scored))


#: By key.
COMPARABLE: Final[Mapping[str, Indicator]] = {one.key: one for one in _goals()}


def released_as(key: str) -> str:
    """What a release calls the average that may stand beside a figure; empty where none may."""
    return _RELEASED.get(key, key)
