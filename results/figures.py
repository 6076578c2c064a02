"""The figures as the tables say them now, with small groups left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from domain.field.dates import day
from domain.field.definitions import DEFINITIONS
from domain.indicators.catalogue import INDICATORS, Group, Indicator, Outcome, sql_together
from sinks import clickhouse
from sinks.access import Access

SMALLEST_GROUP: Final = DEFINITIONS["kleinste_groep"].waarde
SMALLEST_DENOMINATOR: Final = DEFINITIONS["kleinste_noemer"].waarde
Hidden = Literal["", "clienten", "noemer"]


@dataclass(frozen=True)
class Figure:
    """One figure of one group (empty = all together)."""

    groep: str
    indicator: Indicator
    uitkomst: Outcome

    @property
    def hidden(self) -> Hidden:
        """Why it is not shown: fewer than 10 clients, or a percentage of fewer than 20; empty when it is shown."""
        if 0 < self.uitkomst.clienten < SMALLEST_GROUP:
            return "clienten"
        if self.indicator.eenheid == "%" and 0 < self.uitkomst.denominator < SMALLEST_DENOMINATOR:
            return "noemer"
        return ""

    @property
    def text(self) -> str:
        """The figure as a Dutch screen shows it: one decimal, a comma."""
        if self.hidden:
            return f"<{SMALLEST_GROUP}" if self.hidden == "clienten" else "–"
        value = self.uitkomst.waarde(self.indicator.eenheid)
        if value is None:
            return "–"
        if self.indicator.eenheid == "aantal":
            return f"{value:.0f}"
        return f"{value:.1f}".replace(".", ",") + ("%" if self.indicator.eenheid == "%" else "")


def count_text(count: float, *, hidden: bool = False) -> str:
    """A count for a screen; 1 to 9 are not shown."""
    return f"<{SMALLEST_GROUP}" if hidden or 0 < count < SMALLEST_GROUP else f"{count:.0f}"


def figures(
    access: Access,
    keys: Sequence[str] = tuple(INDICATORS),
    per: Group | None = None,
    first: date | None = None,
    last: date | None = None,
    *,
    reference_day: date,
) -> list[Figure]:
    """Figures by group, then by indicator in the order of ``keys``; days are inclusive and of the event.

    A figure with a window of its own (``Indicator.datum`` is empty) is the same whatever the period. The age of an end
    is counted to ``reference_day``. This is for the third party: it hides small groups on a screen and is no protection of
    what leaves it.

    Raises:
        UnavailableError, RefusedError: ClickHouse is away, or a table is missing.
    """
    batches: dict[tuple[str, str, str], list[Indicator]] = {}
    for indicator in (INDICATORS[key] for key in keys):
        batches.setdefault((indicator.tabel, indicator.provenance, indicator.datum), []).append(indicator)
    found: dict[tuple[str, str], Figure] = {}
    client = clickhouse.connect(access)
    try:
        for (_, _, column), mine in batches.items():
            query = sql_together(
                mine, [per] if per else [], _period(column, first, last), access.database, reference_day=day(reference_day),
                clients_up_to=None,
            )  # fmt: skip
            for row in clickhouse.select(client, query):
                group, sums = (str(row[0]), row[1:]) if per else ("", row)
                for at, indicator in enumerate(mine):
                    found[group, indicator.sleutel] = Figure(group, indicator, Outcome(*sums[4 * at : 4 * at + 4]))
    finally:
        client.close()
    groups = sorted({group for group, _ in found})
    return [found[group, key] for group in groups for key in keys if (group, key) in found]


def _period(column: str, first: date | None, last: date | None) -> str:
    if not (column and (first or last)):
        return ""
    parts = [f"{column} >= '{first.isoformat()}'"] if first else []
    return " AND ".join([*parts, f"{column} <= '{last.isoformat()}'"] if last else parts)
