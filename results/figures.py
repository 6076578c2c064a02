"""The figures as the tables say them now, with small groups left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, NamedTuple

from domain.field.dates import day
from domain.indicators.catalogue import INDICATORS, Group, Indicator, Sums, has_group, sql_together
from results.disclosure import Disclosure, Hidden, live
from sinks import clickhouse
from sinks.access import Access


class Rows(NamedTuple):
    """Which rows figures are of. A replay makes rows anew in tables of the same names with a suffix; ``within`` narrows
    them further, as SQL. ``indicators``: those of the definitions that the rows were made by.
    """

    suffix: str = ""
    within: str = ""
    indicators: Mapping[str, Indicator] = INDICATORS


#: The rows that everybody sees.
IN_USE: Final = Rows()


@dataclass(frozen=True)
class Figure:
    """One figure of one group (empty = all together). ``versions``: of the definitions that the rows behind it were
    made by; with more than one, not all of them are counted by the same rules.
    """

    group: str
    indicator: Indicator
    sums: Sums
    rule: Disclosure = field(default_factory=live)
    versions: tuple[int, ...] = ()

    @property
    def hidden(self) -> Hidden:
        """Why it is not shown; empty when it is, or when there is nobody to hide."""
        return self.rule.hidden(self.indicator.unit, self.sums)

    @property
    def value(self) -> float | None:
        """The figure, where it is not hidden: percentage 0..100, mean or count; None where nothing was counted."""
        return None if self.hidden else self.sums.value(self.indicator.unit)

    @property
    def clients(self) -> int | None:
        """At most so many clients behind it, where they are not too few: each counts once for every provider of it."""
        return None if self.hidden == "clienten" else self.sums.names

    @property
    def counted(self) -> float | None:
        """Things counted behind it, where the clients are not too few."""
        return None if self.hidden == "clienten" else self.sums.denominator

    @property
    def excluded(self) -> float | None:
        """Rows left out of it, where neither they nor its clients are too few."""
        few = self.hidden == "clienten" or self.rule.hides_part(self.sums.excluded)
        return None if few or self.indicator.excluded is None else self.sums.excluded

    @property
    def text(self) -> str:
        """The figure as a Dutch screen shows it: one decimal, a comma."""
        if self.hidden == "clienten":
            return self.rule.few
        if self.value is None:
            return "–"
        if self.indicator.unit == "aantal":
            return f"{self.value:.0f}"
        return f"{self.value:.1f}".replace(".", ",") + ("%" if self.indicator.unit == "%" else "")

    @property
    def counted_text(self) -> str:
        """Things counted as a screen shows them; a count has none but itself."""
        if self.indicator.unit == "aantal":
            return ""
        return self.rule.few if self.counted is None else self.rule.count_text(self.counted)

    @property
    def excluded_text(self) -> str:
        """Rows left out as a screen shows them; empty where the figure knows none."""
        if self.indicator.excluded is None:
            return ""
        return self.rule.count_text(self.sums.excluded)


def figures(
    access: Access,
    keys: Sequence[str] = tuple(INDICATORS),
    per: Group | None = None,
    first: date | None = None,
    last: date | None = None,
    *,
    reference_day: date,
    rule: Disclosure | None = None,
    rows: Rows = IN_USE,
) -> list[Figure]:
    """Figures by group, then by indicator in the order of ``keys``; days are inclusive and of the event.

    A figure with a window of its own (``Indicator.datum`` is empty) is the same whatever the period. The age of an end
    is counted to ``reference_day``. Without a rule that of the live tables hides small groups. This is for the third
    party: it hides them on a screen and is no protection of what leaves it. A figure over a table that does not know
    the group is left out. ``rows``: those in use, unless others are named.

    Raises:
        UnavailableError, RefusedError: ClickHouse is away, or a table is missing.
    """
    batches: dict[tuple[str, str, str], list[Indicator]] = {}
    for indicator in (rows.indicators[key] for key in keys):
        if per is not None and not has_group(indicator.table, per):
            continue
        batches.setdefault((indicator.table, indicator.provenance, indicator.datum), []).append(indicator)
    found: dict[tuple[str, str], Figure] = {}
    rule = rule or live()
    client = clickhouse.connect(access)
    try:
        for (_, _, column), mine in batches.items():
            where = " AND ".join(filter(None, (_period(column, first, last), rows.within)))
            query = sql_together(
                mine, [per] if per else [], where, access.database,
                reference_day=day(reference_day), names=True, versions=True, suffix=rows.suffix,
            )  # fmt: skip
            for row in clickhouse.select(client, query):
                group, sums = (str(row[0]), row[1:]) if per else ("", row)
                for at, indicator in enumerate(mine):
                    *five, versions = sums[6 * at : 6 * at + 6]
                    found[group, indicator.key] = Figure(group, indicator, Sums(*five), rule, tuple(versions))
    finally:
        client.close()
    groups = sorted({group for group, _ in found})
    return [found[group, key] for group in groups for key in keys if (group, key) in found]


def _period(column: str, first: date | None, last: date | None) -> str:
    if not (column and (first or last)):
        return ""
    parts = [f"{column} >= '{first.isoformat()}'"] if first else []
    return " AND ".join([*parts, f"{column} <= '{last.isoformat()}'"] if last else parts)
