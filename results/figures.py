"""The figures as the tables say them now, with small groups left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from domain.field.dates import day
from domain.field.definitions import DEFINITIES
from domain.indicators.catalogue import INDICATOREN, Groep, Indicator, Uitkomst, sql_samen
from sinks import clickhouse
from sinks.access import Access

KLEINSTE_GROEP: Final = DEFINITIES["kleinste_groep"].waarde
KLEINSTE_NOEMER: Final = DEFINITIES["kleinste_noemer"].waarde
Verborgen = Literal["", "clienten", "noemer"]


@dataclass(frozen=True)
class Cijfer:
    """One figure of one group (empty = all together)."""

    groep: str
    indicator: Indicator
    uitkomst: Uitkomst

    @property
    def verborgen(self) -> Verborgen:
        """Why it is not shown: fewer than 10 clients, or a percentage of fewer than 20; empty when it is shown."""
        if 0 < self.uitkomst.clienten < KLEINSTE_GROEP:
            return "clienten"
        if self.indicator.eenheid == "%" and 0 < self.uitkomst.noemer < KLEINSTE_NOEMER:
            return "noemer"
        return ""

    @property
    def tekst(self) -> str:
        """The figure as a Dutch screen shows it: one decimal, a comma."""
        if self.verborgen:
            return f"<{KLEINSTE_GROEP}" if self.verborgen == "clienten" else "–"
        waarde = self.uitkomst.waarde(self.indicator.eenheid)
        if waarde is None:
            return "–"
        if self.indicator.eenheid == "aantal":
            return f"{waarde:.0f}"
        return f"{waarde:.1f}".replace(".", ",") + ("%" if self.indicator.eenheid == "%" else "")


def aantal_tekst(aantal: float, *, hidden: bool = False) -> str:
    """A count for a screen; 1 to 9 are not shown."""
    return f"<{KLEINSTE_GROEP}" if hidden or 0 < aantal < KLEINSTE_GROEP else f"{aantal:.0f}"


def figures(
    access: Access,
    keys: Sequence[str] = tuple(INDICATOREN),
    per: Groep | None = None,
    first: date | None = None,
    last: date | None = None,
    *,
    peildatum: date,
) -> list[Cijfer]:
    """Figures by group, then by indicator in the order of ``keys``; days are inclusive and of the event.

    A figure with a window of its own (``Indicator.datum`` is empty) is the same whatever the period. The age of an end
    is counted to ``peildatum``. This is for the third party: it hides small groups on a screen and is no protection of
    what leaves it.

    Raises:
        UnavailableError, RefusedError: ClickHouse is away, or a table is missing.
    """
    batches: dict[tuple[str, str, str], list[Indicator]] = {}
    for indicator in (INDICATOREN[key] for key in keys):
        batches.setdefault((indicator.tabel, indicator.herkomst, indicator.datum), []).append(indicator)
    found: dict[tuple[str, str], Cijfer] = {}
    client = clickhouse.connect(access)
    try:
        for (_, _, column), mine in batches.items():
            query = sql_samen(
                mine, [per] if per else [], _period(column, first, last), access.database, peildatum=day(peildatum),
                clienten_tot=None,
            )  # fmt: skip
            for row in clickhouse.select(client, query):
                group, sums = (str(row[0]), row[1:]) if per else ("", row)
                for at, indicator in enumerate(mine):
                    found[group, indicator.sleutel] = Cijfer(group, indicator, Uitkomst(*sums[4 * at : 4 * at + 4]))
    finally:
        client.close()
    groups = sorted({group for group, _ in found})
    return [found[group, key] for group in groups for key in keys if (group, key) in found]


def _period(column: str, first: date | None, last: date | None) -> str:
    if not (column and (first or last)):
        return ""
    parts = [f"{column} >= '{first.isoformat()}'"] if first else []
    return " AND ".join([*parts, f"{column} <= '{last.isoformat()}'"] if last else parts)
