"""Small helpers that the indicators are written with."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from domain.indicators.terms import Clause, Condition, Indicator, Provenance, Term
from domain.indicators.topics import SUBJECTS


def is_one(column: str, *values: str | int) -> Condition:
    """The column holds one of these values."""
    return Condition(column, values)


def is_no(column: str, *values: str | int) -> Condition:
    """The column is filled and holds none of these values."""
    return Condition(column, values, negated=True)


def over_trajecten(
    subject: str, basis: str, mark: str, *, now: str = "", provenance: Provenance = "ijw"
) -> Callable[..., Indicator]:
    """Makes indicators over trajecten of one subject: with ``now`` over all rows, else by einddatum."""
    window = now or "einddatum in de periode"
    return partial(
        Indicator, subject=subject, number=SUBJECTS[subject].number, basis=basis, mark=mark, table="trajecten",
        datum="" if now else "einddatum", window=window, provenance=provenance,
    )  # fmt: skip


def count(make: Callable[..., Indicator], key: str, name: str, *where: Clause) -> Indicator:
    """A count: of nothing, so its denominator is itself."""
    term = Term(where)
    return make(key=key, name=name, unit="aantal", numerator=term, denominator=term)


ENDED: Final = is_one("status", "beeindigd")
