"""The figures of today beside those of the rows made anew, by the functions that every screen takes them from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final, NamedTuple

from domain.field.definitions import Definitions
from domain.indicators.catalogue import INDICATORS, Group, indicators
from operations.replay.shadow import REPLAY
from results.figures import Figure, Rows, figures
from sinks.access import Access

#: What is compared by, in the order in which it is shown.
PER: Final[tuple[Group | None, ...]] = (None, "cluster", "gemeente", "aanbieder")


class Pair(NamedTuple):
    """One figure of one group on both sides; None: that side does not know the group."""

    per: str
    group: str
    key: str
    before: Figure | None
    after: Figure | None

    @property
    def name(self) -> str:
        """The indicator in words."""
        return _of(self).indicator.title

    @property
    def changes(self) -> bool:
        """Whether a reader sees another figure, or another number of things counted."""
        return self.texts(self.before) != self.texts(self.after)

    @staticmethod
    def texts(figure: Figure | None) -> tuple[str, str]:
        """Figure and things counted as a screen shows them."""
        return (figure.text, figure.counted_text) if figure else ("–", "")

    def as_json(self) -> dict[str, Any]:
        """For a document; what is hidden is null."""
        return {
            "per": self.per or None,
            "groep": self.group or None,
            "sleutel": self.key,
            "naam": self.name,
            "eenheid": _of(self).indicator.unit,
            "nu": _value(self.before),
            "herberekend": _value(self.after),
        }


def _of(pair: Pair) -> Figure:
    found = pair.after or pair.before
    assert found is not None  # noqa: S101 - a pair has a side
    return found


def _value(figure: Figure | None) -> dict[str, Any] | None:
    if figure is None:
        return None
    return {"waarde": figure.value, "n": figure.counted, "verborgen": figure.hidden or None}


def pairs(
    access: Access, within: str, definitions: Definitions, *, reference_day: date, per: Sequence[Group | None] = PER
) -> list[Pair]:
    """Every figure of every group on both sides; small groups are hidden as everywhere.

    Raises:
        UnavailableError, RefusedError: ClickHouse is away, or a table is missing.
    """
    found = []
    for group in per:
        sides = [
            {
                (one.group, one.indicator.key): one
                for one in figures(access, tuple(INDICATORS), group, reference_day=reference_day, rows=rows)
            }
            for rows in (Rows("", within), Rows(REPLAY, within, indicators(definitions)))
        ]
        before, after = sides
        found += [
            Pair(group or "", name, key, before.get((name, key)), after.get((name, key)))
            for name, key in dict.fromkeys((*before, *after))
        ]
    return found
